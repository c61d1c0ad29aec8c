"""Digests of what a question carries, by which a recorded answer is found again.

They are taken over what would be sent, in a canonical form: the same table gives the same digest under pandas 2 and 3,
the same file with LF and with CRLF. What a policy holds back does not count, nor do the words that this package puts
around it.
"""

from __future__ import annotations

import hashlib
import re

import msgspec

from magic_ext.references.prepared import PREFIX, Prepared
from magic_ext.wire.content import Content, Document, Image, Text

__all__ = ["canonical_text", "digest", "digests"]


def digest(value: object) -> str:
    """The SHA-256 of a value made of plain JSON types, in hexadecimal; the order of an object's fields is nothing.

    >>> digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    True
    """
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def digests(prepared: Prepared) -> tuple[str, ...]:
    """A digest of what is told of the references, then one of each content that goes along.

    The sentence is not in them.
    """
    told = [
        [canonical_text(entry.name), entry.kind, entry.policy, entry.rows, entry.columns, entry.rows_sent]
        for entry in prepared.entries
    ]
    details = [detail for line in prepared.description.splitlines() for detail in _details(line)]
    return (digest([told, details]), *map(_content, prepared.contents))


def canonical_text(text: str) -> str:
    r"""The text with one kind of line end, and without what UTF-8 can't hold.

    >>> canonical_text("a\r\nb")
    'a\nb'
    """
    return text.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8")


_QUOTED = r"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+\""""
_TEXT = r" (?:object(?: \(text\))?|str|(?:large_)?string(?:\[\w+\])?)(?=, | and |$)"
_UNIT = r"(?<=(?:datetime|imedelta)64\[)(?:s|ms|us|ns)\b"
_TYPES = re.compile(f"({_QUOTED})|({_TEXT})|{_UNIT}")
_CATEGORIES = re.compile(rf"CategoricalDtype\(\[(?:{_QUOTED}|[^]'\"])*+\], ordered=\w+\)")


def _details(line: str) -> list[str]:
    r"""What a line of the description says of columns: their names, types and categories.

    How text is held and in which unit moments are differs between versions of pandas.

    >>> _details("[gemini-exec]   columns: 'a str' str, 'b' datetime64[ns, UTC]")
    ["columns: 'a str' text, 'b' datetime64[, UTC]"]
    """
    detail = line.removeprefix(f"{PREFIX}  ")
    if detail.startswith("load: "):
        return _CATEGORIES.findall(detail)
    if detail == line or detail.startswith("note: "):
        return []
    return [canonical_text(_TYPES.sub(lambda found: found[1] or (" text" if found[2] else ""), detail))]


def _content(content: Content) -> str:
    match content:
        case Text(text):
            data = canonical_text(text).encode()
        case Document(mime_type=str(kind)) if kind.startswith("text/"):
            data = content.content.replace(b"\r\n", b"\n")
        case Document() | Image():
            data = content.content
        case _:
            data = msgspec.json.encode(content.raw, order="sorted")
    return hashlib.sha256(data).hexdigest()
