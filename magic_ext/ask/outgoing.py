"""The choke point: the one place that puts a request together. Policy, receipt and budget all hang on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice

import msgspec

from magic_ext.client.endpoint import GOOGLE
from magic_ext.client.errors import ApiError, BadRequest, NotFound
from magic_ext.client.files import Uploads
from magic_ext.client.interactions import Client
from magic_ext.functions.declaring import Function
from magic_ext.references.attach import Prepared
from magic_ext.references.inline import history_size, too_large
from magic_ext.references.manifest import Entry
from magic_ext.references.portions import tokens
from magic_ext.wire.content import Content, Document, Image, Json, Text, decode_contents
from magic_ext.wire.request import Request, user_input
from magic_ext.wire.running import RUN_PYTHON, RUN_PYTHON_TOOL

from .question import Question

__all__ = [
    "UNASKED_CODE",
    "UPLOADS",
    "again",
    "along",
    "entry",
    "forgotten",
    "kept",
    "request_of",
    "schema_only",
    "unasked_code",
    "uploaded",
    "with_history",
]

INSTRUCTION = """\
You answer a question asked in a Jupyter notebook. Lines that begin with [gemini-exec] tell what is attached.
Load an attached table with the line given for it, under the name given for it; never retype its rows into code.
Print what you compute. Draw with matplotlib, with a title and labelled axes. Don't use display()."""

INSTRUCTION_HERE = """\
You answer a question asked in a Jupyter notebook. Lines that begin with [gemini-exec] tell what your code can reach.
Compute with {how}, never in your head. Variables stay from one block to the next. Print what you compute.
Draw with matplotlib, with a title and labelled axes, and call plt.show(). Don't use display()."""
IN_KERNEL = "The code runs in the user's own kernel, beside their variables: read them, don't change them."

INSTRUCTION_SCHEMA = """\
You answer a question asked in a Jupyter notebook. Lines that begin with [gemini-exec] tell names, types and shapes;
you are given no values, and your code is not run. Give code as one fenced block of Python for the user to run."""

UNASKED_CODE = "unexpected_tool_call"  # by which a server says so (wire.md section 7)
CONVERSATION, BEFORE = "(the conversation so far)", "what was sent and answered before"

UPLOADS = Uploads()  # of this session


def request_of(question: Question, prepared: Prepared, functions: Sequence[Function]) -> Request:
    """The request that takes a question to its model, nothing uploaded yet."""
    text = "\n\n".join(part for part in (prepared.prompt, prepared.description) if part)
    told = tuple(function.declaration for function in functions)
    tip = question.tip
    return Request(
        model=question.place.asked_as,
        history=tip.history if tip and tip.resent else (),
        input=(*prepared.contents, Text(text)),
        code_execution=question.code_execution and not question.runs_by_call and not schema_only(question, prepared),
        google_search=question.search,
        functions=(RUN_PYTHON_TOOL, *told) if question.runs_by_call else told,
        system_instruction="\n\n".join(part for part in (_instruction(question, prepared), question.system) if part),
        thinking_level=question.thinking,
        thinking_summaries=question.show_thoughts,
        previous_interaction_id=tip.interaction_id if tip and not tip.resent else "",
        store=question.store,
        background=question.background,
        stream=question.stream and not question.background,
    )


def schema_only(question: Question, prepared: Prepared) -> bool:
    """Whether code that Google's sandbox ran would have nothing to compute with: only names and types are told."""
    endpoint, tip = question.place.endpoint, question.tip
    if endpoint is None or question.runs_by_call or not prepared.entries or (tip is not None and tip.files):
        return False
    return all(entry.policy == "schema" for entry in prepared.entries)


def unasked_code(question: Question, prepared: Prepared, error: ApiError) -> ApiError:
    """The error for a model that writes code to be run where nothing runs it, told by what the cell asked for."""
    if schema_only(question, prepared) and question.code_execution:
        said = "The model wrote code to be run, but it was sent names and types alone: there is nothing to run it on."
        hint = "Add --run local to run it on this computer, on your data, or --send sample to let some values go."
    elif not question.code_execution:
        said, hint = "The model wrote code to be run, which --no-code forbids.", "Run the cell again, or allow code."
    else:
        return error
    return BadRequest(said, hint=hint, code=UNASKED_CODE)


def _instruction(question: Question, prepared: Prepared) -> str:
    if schema_only(question, prepared) and question.code_execution:
        return INSTRUCTION_SCHEMA
    if not question.runs_by_call:
        return INSTRUCTION if question.code_execution else ""
    how = f"the function {RUN_PYTHON}" if question.place.endpoint is not None else "Python code"
    instruction = INSTRUCTION_HERE.format(how=how)
    return f"{instruction}\n{IN_KERNEL}" if question.place.run == "kernel" else instruction


def along(request: Request) -> Iterator[Entry]:
    """What goes along unasked: the instructions, and the conversation where the server keeps nothing of it."""
    if request.system_instruction:
        yield entry("(instructions)", "text", len(request.system_instruction.encode("utf-8", "replace")))
    if RUN_PYTHON_TOOL in request.functions:
        yield entry(f"{RUN_PYTHON}()", "function", len(msgspec.json.encode(RUN_PYTHON_TOOL)))
    if request.history:
        size = len(msgspec.json.encode(request.history))
        yield entry(CONVERSATION, BEFORE, size, "sent again: the last answer was replayed" if request.store else "")


def again(request: Request, results: int) -> Entry:
    """What goes out once more with ``results`` of functions, which are not counted here; the model has read it."""
    parts = [request.system_instruction.encode("utf-8", "replace"), *map(msgspec.json.encode, request.functions)]
    if request.history:
        parts.append(msgspec.json.encode(request.history[:-results]))
    return Entry(name="(sent again)", kind="instructions, functions, conversation", bytes=sum(map(len, parts)))


def entry(name: str, kind: str, size: int, note: str = "") -> Entry:
    """A line of the receipt for ``size`` bytes that are no reference's."""
    return Entry(name=name, kind=kind, bytes=size, tokens=tokens(size), note=note)


def forgotten(error: ApiError) -> bool:
    """Whether a server's refusal says that it does not have the conversation's last interaction (any more).

    The source is wire.md section 4: an expired id gives 404.
    """
    if "model" in error.code or "models/" in str(error):
        return False
    return isinstance(error, NotFound) or "interaction" in str(error).lower()


def with_history(request: Request, history: tuple[Json, ...]) -> tuple[Request, Entry]:
    """The request that needs nothing of the server's memory, and the line of the receipt for what that takes."""
    size = len(msgspec.json.encode(history))
    told = entry(CONVERSATION, BEFORE, size, "sent again: the server no longer had it")
    return msgspec.structs.replace(request, previous_interaction_id="", history=history), told


def uploaded(request: Request, client: Client, tell: Callable[[str], None]) -> Request:
    """The request, with what is too large for it uploaded and named by its address; ``tell`` hears how far it is."""

    def progress(sent: int, size: int) -> None:
        tell(f"uploading, {sent / 1e6:.0f} of {size / 1e6:.0f} MB")

    def by_address(block: Content) -> Content:
        if not isinstance(block, Document | Image):
            return block
        mime_type = block.mime_type or "application/octet-stream"
        uri = UPLOADS.uri(client, block.content, mime_type, on_progress=progress)
        return msgspec.structs.replace(block, data=None, uri=uri)

    before = [
        decode_contents(step.get("content")) if step.get("type") == "user_input" else () for step in request.history
    ]
    blocks = [*chain.from_iterable(before), *request.input]
    rest = [step for step, contents in zip(request.history, before, strict=True) if not contents]
    large = too_large(blocks, history_size(rest))
    if not large:
        return request
    sent = iter([by_address(block) if at in large else block for at, block in enumerate(blocks)])
    history = [
        user_input(islice(sent, len(contents))) if contents else step
        for step, contents in zip(request.history, before, strict=True)
    ]
    return msgspec.structs.replace(request, history=tuple(history), input=tuple(sent))


def kept(question: Question, request: Request) -> str:
    """What the server keeps of the question, for people; Google's days are those of wire.md section 4."""
    files = too_large(request.input)
    if not question.store:
        return "the server keeps nothing" + (" but the uploaded files, for 48 h" if files else "")
    endpoint = question.place.endpoint
    known = endpoint is not None and endpoint.base_url == GOOGLE
    return "the server keeps it" + (", 1 to 55 days" if known else "")
