"""Digests of what a question carries, by which a recorded answer is found again.

They are taken over canonical values: what would be sent, and nothing of how this computer happens to hold it. The same
table gives the same digest under pandas 2 and 3, the same file with LF and with CRLF, and a table whose rows stay here
is told by its names and types alone.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

import msgspec

from magic_ext.references.prepared import Binding, Prepared
from magic_ext.references.tables.sheet import Column, quoted
from magic_ext.wire.content import Content, Document, Image, Text

__all__ = ["canonical_text", "digest", "digests"]


def digest(value: object) -> str:
    """The SHA-256 of a value made of plain JSON types, in hexadecimal; the order of an object's fields is nothing.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def digests(prepared: Prepared) -> tuple[str, ...]:
    """One digest each for what the references are, for the tables among them, and for the contents that go along.

    The words of the sentence are not in them, and neither are sizes in bytes, which depend on line ends.
    """
    return tuple(map(digest, (*_named(prepared), *_tables(prepared.bindings), *map(_content, prepared.contents))))


def canonical_text(text: str) -> str:
    r"""The text with one kind of line end, and without what UTF-8 can't hold.

    >>> canonical_text("a\r\nb")
    'a\nb'
    """
    return text.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8")


def _named(prepared: Prepared) -> Iterator[object]:
    for entry in prepared.entries:
        yield ["reference", canonical_text(entry.name), entry.kind, entry.policy]


def _tables(bindings: tuple[Binding, ...]) -> Iterator[object]:
    for table in bindings:
        if table.columns:
            columns = [_column(column, with_values=table.sheet is not None) for column in table.columns]
            yield ["table", table.name, table.kind, table.rows, table.rows_sent, columns]


def _column(column: Column, *, with_values: bool) -> object:
    """Label, type and place of a column; its categories are values, and count where values are sent."""
    levels = [str(level) for level in column.levels] if with_values else []
    return [canonical_text(quoted(column.label)), _type(column.dtype), column.index, levels, column.ordered]


_TEXTS = re.compile(r"str|(?:large_)?string(?:\[\w+\])?|object \(text\)")
_UNIT = re.compile(r"(datetime64|timedelta64)\[(?:s|ms|us|ns)(?:, (.+))?\]")


def _type(dtype: str) -> str:
    """The type without what differs between versions of pandas: how text is held, and the unit of moments.

    >>> _type("object (text)"), _type("str"), _type("datetime64[ns, UTC]"), _type("datetime64[us]"), _type("int64")
    ('text', 'text', 'datetime64[UTC]', 'datetime64', 'int64')
    """
    if _TEXTS.fullmatch(dtype):
        return "text"
    return _UNIT.sub(lambda match: match[1] + (f"[{match[2]}]" if match[2] else ""), dtype)


def _content(content: Content) -> object:
    match content:
        case Text(text):
            return ["text", canonical_text(text)]
        case Document(mime_type=mime_type) if (mime_type or "").startswith("text/"):
            return ["document", mime_type, hashlib.sha256(content.content.replace(b"\r\n", b"\n")).hexdigest()]
        case Document(mime_type=mime_type) | Image(mime_type=mime_type):
            return ["data", mime_type, hashlib.sha256(content.content).hexdigest()]
        case _:
            return ["content", repr(content)]
