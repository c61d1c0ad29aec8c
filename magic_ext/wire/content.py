"""Content blocks: the pieces of a user's input and of a model's output (wire.md section 1.3).

A block that is unknown, or known but of an unexpected shape, decodes to :class:`RawContent` and keeps its JSON.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

__all__ = [
    "ARROW",
    "Annotation",
    "Content",
    "Document",
    "Image",
    "RawContent",
    "Text",
    "decode_content",
    "decode_contents",
    "encode_content",
    "joined_texts",
    "text_of",
]

Json = dict[str, Any]

ARROW = "application/vnd.apache.arrow.file"
"""A table as an Arrow IPC file: how tables go to the embedded engine within this process."""


class Annotation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A citation on a span of a text; ``start_index`` and ``end_index`` count UTF-8 *bytes* (wire.md section 2.6)."""

    type: str = ""
    start_index: int | None = None
    end_index: int | None = None
    url: str | None = None
    title: str | None = None


class Text(msgspec.Struct, frozen=True, tag="text", omit_defaults=True):
    """A run of text.

    >>> encode_content(Text("hi"))
    {'type': 'text', 'text': 'hi'}
    """

    text: str
    annotations: tuple[Annotation, ...] = ()


class Image(msgspec.Struct, frozen=True, tag="image", omit_defaults=True):
    """A picture, inline as base64 ``data`` or by ``uri``."""

    data: str | None = None
    uri: str | None = None
    mime_type: str | None = None
    name: str | None = None

    @property
    def content(self) -> bytes:
        """The decoded picture; empty when the block only names a ``uri`` or its base64 is damaged."""
        return _decoded(self.data)


class Document(msgspec.Struct, frozen=True, tag="document", omit_defaults=True):
    """A file, inline as base64 ``data`` or by ``uri``.

    ``name`` (the variable or path that the user wrote) and ``load`` (the line of code that makes a table of it) are for
    the embedded engine alone: Google answers an unknown field with 400 (wire.md section 1.1).
    """

    data: str | None = None
    uri: str | None = None
    mime_type: str | None = None
    name: str | None = None
    load: str | None = None

    @property
    def content(self) -> bytes:
        """The decoded file; empty when the block only names a ``uri`` or its base64 is damaged."""
        return _decoded(self.data)


class RawContent(msgspec.Struct, frozen=True):
    """A block this package has no type for, as it came."""

    raw: Json

    @property
    def type(self) -> str:
        """The ``type`` it gave itself, or ``""``."""
        return str(self.raw.get("type", ""))


Known = Text | Image | Document
Content = Known | RawContent
_KNOWN = {"text", "image", "document"}


def decode_content(raw: object) -> Content:
    """Turn one JSON content block into a value; never raises.

    >>> decode_content({"type": "text", "text": "hi"})
    Text(text='hi', annotations=())
    >>> decode_content({"type": "hologram", "data": "x"}).type
    'hologram'
    """
    if isinstance(raw, str):
        return Text(raw)
    if not isinstance(raw, Mapping):
        return RawContent({"value": raw})
    block = dict(raw)
    block.setdefault("type", "text" if "text" in block else "")
    if not isinstance(block["type"], str) or block["type"] not in _KNOWN:
        return RawContent(dict(raw))
    if block["type"] == "text":
        block["annotations"] = _readable_annotations(block.get("annotations"))
    try:
        known: Known = msgspec.convert(block, Known)
    except msgspec.ValidationError:
        return RawContent(dict(raw))
    return known


def decode_contents(raw: object) -> tuple[Content, ...]:
    """Decode a list of blocks, one block, a plain string, or nothing."""
    if raw is None:
        return ()
    if isinstance(raw, (list, tuple)):
        return tuple(decode_content(block) for block in raw)
    return (decode_content(raw),)


def encode_content(content: Content) -> Json:
    """The JSON object of a block."""
    if isinstance(content, RawContent):
        return content.raw
    encoded: Json = msgspec.to_builtins(content)
    return encoded


def text_of(contents: Iterable[Content]) -> str:
    """All text in the blocks, joined as :func:`joined_texts` says."""
    return "".join(gap + block.text for gap, block in joined_texts(contents))


def joined_texts(contents: Iterable[object]) -> Iterator[tuple[str, Text]]:
    r"""The texts, each with what goes before it: a paragraph's end where a picture parts two words, else nothing.

    >>> [gap + text.text for gap, text in joined_texts([Text("It "), Text("rises:"), Image("QUJD"), Text("See?")])]
    ['It ', 'rises:', '\n\nSee?']
    """
    before, parted = "", False
    for block in contents:
        if not isinstance(block, Text):
            parted = True
        elif block.text:
            words = before[-1:].strip() and block.text[:1].strip()
            yield "\n\n" if parted and words else "", block
            before, parted = block.text, False


def _readable_annotations(raw: object) -> list[Annotation]:
    """The citations that can be read: an odd one must not take the text with it."""
    readable = []
    for annotation in raw if isinstance(raw, list) else ():
        try:
            readable.append(msgspec.convert(annotation, Annotation, strict=False))
        except msgspec.ValidationError:
            continue
    return readable


def _decoded(data: str | None) -> bytes:
    try:
        return base64.b64decode(data or "")
    except ValueError:
        return b""
