"""Digests of what a question carries, by which a recorded answer is found again.

They are taken over what would be sent, in a canonical form: the same table gives the same digest under pandas 2 and 3,
the same file with LF and with CRLF. What a policy holds back does not count.
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
    lines = map(_described, prepared.description.splitlines())
    return (digest(list(lines)), *map(_content, prepared.contents))


def canonical_text(text: str) -> str:
    r"""The text with one kind of line end, and without what UTF-8 can't hold.

    >>> canonical_text("a\r\nb")
    'a\nb'
    """
    return text.replace("\r\n", "\n").encode("utf-8", "replace").decode("utf-8")


_COLUMNS = tuple(f"{PREFIX}  {what}: " for what in ("columns", "index"))
_QUOTED = r"""'(?:[^'\\]|\\.)*+'|"(?:[^"\\]|\\.)*+\""""
_TEXT = r" (?:object(?: \(text\))?|str|(?:large_)?string(?:\[\w+\])?)(?=, | and |$)"
_UNIT = r"(?<=(?:datetime|imedelta)64\[)(?:s|ms|us|ns)\b"
_TYPES = re.compile(f"({_QUOTED})|({_TEXT})|{_UNIT}")
_LOAD = f"{PREFIX}  load: "
_AS_TEXT = re.compile(f"(?:, )?(?:{_QUOTED}): str(?=[,}}])")  # said of a column without a text by pandas 3 alone
_BYTES = re.compile(r"[\d,]+(?= bytes)")


def _described(line: str) -> str:
    r"""A line of the description without what differs between versions of pandas, and between line ends.

    The first is how text is held and in which unit moments are, the second the size of a file.

    >>> _described("[gemini-exec]   columns: 'a str' str, 'b' datetime64[ns, UTC]")
    "[gemini-exec]   columns: 'a str' text, 'b' datetime64[, UTC]"
    """
    if line.startswith(_COLUMNS):
        line = _TYPES.sub(lambda found: found[1] or (" text" if found[2] else ""), line)
    elif line.startswith(_LOAD):
        line = _AS_TEXT.sub("", line).replace("{, ", "{").replace(", dtype={}", "")
    return canonical_text(_BYTES.sub("", line))


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
