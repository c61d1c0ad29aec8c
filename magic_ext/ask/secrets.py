"""Nothing that looks like a key leaves unasked: what goes out is searched, and a find stops the cell."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.references.attach import Prepared
from magic_ext.references.secrets import secrets_in
from magic_ext.wire.content import Content, Document, Text, decode_contents, text_of
from magic_ext.wire.request import Request
from magic_ext.wire.steps import FunctionResult

from .question import Question

__all__ = ["SecretFound", "refuse_secrets", "refuse_secrets_in_result"]


class SecretFound(GeminiExecError):
    """Something that looks like a key stands in what would go out; nothing of it was sent."""


class _Piece(msgspec.Struct, frozen=True):
    """A text that goes out: the ``name`` of its place, and how to say ``where`` in it something is."""

    name: str
    text: str | bytes
    where: Callable[[str | bytes, int], str] = lambda text, at: ""


def refuse_secrets(question: Question, prepared: Prepared, request: Request) -> None:
    """Raise :class:`SecretFound` for a question that carries a key, unless it may.

    Searched are the prompt, texts and tables, names and types, instructions, descriptions of functions, and the
    conversation where it is sent again. Pictures and PDF files can't be.
    """
    if not question.allow_secrets:
        _refuse(_pieces(question, prepared, request), _known(question))


def refuse_secrets_in_result(question: Question, result: FunctionResult) -> None:
    """The same for what a function returned, or what code printed that ran on this computer."""
    if not question.allow_secrets:
        piece = _Piece(f"What {result.name}() returned", text_of(decode_contents(result.result)), _line)
        _refuse(iter([piece]), _known(question))


def _refuse(pieces: Iterator[_Piece], known: Sequence[str]) -> None:
    for piece in pieces:
        found = secrets_in(piece.text, known)
        if found:
            more = f", and {len(found) - 1} more" if len(found) > 1 else ""
            where = piece.where(piece.text, found[0].start)
            redactable = "" if piece.name in _OWN_WORDS else "have it replaced by GeminiExecMagics.redact = ['key'], "
            raise SecretFound(
                f"{piece.name} has what looks like a key ({found[0].kind}){where}{more}; it was not sent.",
                hint=f"Take it out, {redactable}or add --allow-secrets.",
            )


_OWN_WORDS = {"The prompt", "The instruction"}  # which are never changed


def _known(question: Question) -> Sequence[str]:
    endpoint = question.place.endpoint
    return (endpoint.key.value, *endpoint.headers.values()) if endpoint is not None else ()


def _pieces(question: Question, prepared: Prepared, request: Request) -> Iterator[_Piece]:
    yield _Piece("The prompt", prepared.prompt, _line)
    for owner, content in zip(prepared.owners, prepared.contents, strict=True):
        yield from _of_content(owner, content)
    yield _Piece("The description of what is attached", prepared.description)
    yield _Piece("The instruction", question.system, _line)
    for function in request.functions:
        yield _Piece(f"The description of {function.get('name', '')}()", msgspec.json.encode(function))
    if request.history:
        yield _Piece("The conversation so far", msgspec.json.encode(request.history))


def _of_content(owner: str, content: Content) -> Iterator[_Piece]:
    match content:
        case Text(text):
            _, _, inside = text.partition("\n```")  # within the fence that a text is sent in
            yield _Piece(f"@{owner}", inside.partition("\n")[2], _line)
        case Document(mime_type="text/csv"):
            yield _Piece(f"@{owner}", content.content, _cell)


def _line(text: str | bytes, at: int) -> str:
    assert isinstance(text, str)
    return f" in line {text.count(chr(10), 0, at) + 1:,}"


def _cell(data: str | bytes, at: int) -> str:
    """The row, counted from 1, and the column of a place in a CSV."""
    assert isinstance(data, bytes)
    header, _, _ = data.partition(b"\n")
    delimiter = max(",;\t|", key=lambda mark: header.count(mark.encode()))
    records = list(csv.reader(io.StringIO(data[: at + 1].decode("utf-8", "ignore"), newline=""), delimiter=delimiter))
    names = next(csv.reader([header.decode("utf-8", "ignore")], delimiter=delimiter), [])
    column = len(records[-1]) - 1
    name = repr(names[column]) if column < len(names) else str(column + 1)
    return (
        f" in row {len(records) - 1:,}, column {name}" if len(records) > 1 else f" in the name of column {column + 1}"
    )
