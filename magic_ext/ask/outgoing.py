"""The choke point: the one place that puts a request together. Policy, receipt and budget all hang on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import msgspec

from magic_ext.client.endpoint import GOOGLE
from magic_ext.client.files import Uploads
from magic_ext.client.interactions import Client
from magic_ext.functions.declaring import Function
from magic_ext.references.attach import Prepared
from magic_ext.references.budget import tokens
from magic_ext.references.inline import too_large
from magic_ext.references.manifest import Entry
from magic_ext.wire.content import Content, Document, Image, Text
from magic_ext.wire.request import Request

from .question import Question

__all__ = ["along", "entry", "kept", "request_of", "uploaded"]

INSTRUCTION = """\
You answer a question asked in a Jupyter notebook. Lines that begin with [gemini-exec] tell what is attached.
Load an attached table with the line given for it, under the name given for it; never retype its rows into code.
Print what you compute. Draw with matplotlib, with a title and labelled axes. Don't use display()."""

_uploads = Uploads()


def request_of(question: Question, prepared: Prepared, functions: Sequence[Function]) -> Request:
    """The request that takes a question to its model, nothing uploaded yet."""
    text = "\n\n".join(part for part in (prepared.prompt, prepared.description) if part)
    instruction = INSTRUCTION if question.code_execution else ""
    tip = question.tip
    return Request(
        model=question.place.model,
        history=tip.history if tip else (),
        input=(*prepared.contents, Text(text)),
        code_execution=question.code_execution,
        google_search=question.search,
        functions=tuple(function.declaration for function in functions),
        system_instruction="\n\n".join(part for part in (instruction, question.system) if part),
        thinking_level=question.thinking,
        thinking_summaries=question.show_thoughts,
        previous_interaction_id=tip.interaction_id if tip else "",
        store=question.store,
        background=question.background,
        stream=question.stream and not question.background,
    )


def along(request: Request) -> Iterator[Entry]:
    """What goes along unasked: the instructions, and the conversation where the server keeps nothing of it."""
    if request.system_instruction:
        yield entry("(instructions)", "text", len(request.system_instruction.encode("utf-8", "replace")))
    if request.history:
        size = len(msgspec.json.encode(request.history))
        yield entry("(the conversation so far)", "what was sent and answered before", size)


def entry(name: str, kind: str, size: int) -> Entry:
    """A line of the receipt for ``size`` bytes that are no reference's."""
    return Entry(name=name, kind=kind, bytes=size, tokens=tokens(size))


def uploaded(request: Request, client: Client, tell: Callable[[str], None]) -> Request:
    """The request, with what is too large for it uploaded and named by its address; ``tell`` hears how far it is."""

    def progress(sent: int, size: int) -> None:
        tell(f"uploading, {sent / 1e6:.0f} of {size / 1e6:.0f} MB")

    def by_address(block: Content) -> Content:
        if not isinstance(block, Document | Image):
            return block
        mime_type = block.mime_type or "application/octet-stream"
        uri = _uploads.uri(client, block.content, mime_type, on_progress=progress)
        return msgspec.structs.replace(block, data=None, uri=uri)

    large = too_large(request.input)
    sent = tuple(by_address(block) if at in large else block for at, block in enumerate(request.input))
    return msgspec.structs.replace(request, input=sent)


def kept(question: Question, request: Request) -> str:
    """What the server keeps of the question, for people; Google's days are those of wire.md section 4."""
    files = any(isinstance(block, Document | Image) and block.uri for block in request.input)
    if not question.store:
        return "the server keeps nothing" + (" but the uploaded files, for 48 h" if files else "")
    endpoint = question.place.endpoint
    known = endpoint is not None and endpoint.base_url == GOOGLE
    return "the server keeps it" + (", 1 to 55 days" if known else "")
