"""Which attachments are too large to stand in a request: those are uploaded, and the receipt says so."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from magic_ext.references.prepared import Part
from magic_ext.wire.content import Content, Document, Image

__all__ = ["INLINE_LIMIT", "REQUEST_LIMIT", "UPLOADED", "too_large", "with_uploads_noted"]

# Characters of base64. Google takes 100 MB in a request (wire.md section 5.4), but a large one is sent whole with every
# retry, and again with the next question; a part of it is left to prompt and history.
INLINE_LIMIT = 15_000_000
REQUEST_LIMIT = 95_000_000
UPLOADED = "uploaded (kept 48 h by the server)"


def too_large(contents: Sequence[Content]) -> frozenset[int]:
    """The positions of what has to be uploaded: each that is too large, and the largest until the rest fits.

    >>> from magic_ext.wire.content import Text
    >>> sorted(too_large([Text("hi"), Document(data="A" * 15_000_001), Document(data="A")]))
    [1]
    """
    sizes = {at: _size(content) for at, content in enumerate(contents)}
    large = {at for at, size in sizes.items() if size > INLINE_LIMIT}
    inline = sorted(set(sizes) - large, key=lambda at: sizes[at])
    while sum(sizes[at] for at in inline) > REQUEST_LIMIT:
        large.add(inline.pop())
    return frozenset(large)


def with_uploads_noted(parts: Sequence[Part]) -> list[Part]:
    """The parts, with a note in the entries of those that will be uploaded."""
    contents = [content for part in parts for content in part.contents]
    large = {id(contents[at]) for at in too_large(contents)}
    return [_noted(part) if any(id(content) in large for content in part.contents) else part for part in parts]


def _noted(part: Part) -> Part:
    note = "; ".join(filter(None, (part.entry.note, UPLOADED)))
    return msgspec.structs.replace(part, entry=msgspec.structs.replace(part.entry, note=note))


def _size(content: Content) -> int:
    return len(content.data or "") if isinstance(content, Document | Image) else 0
