"""Which attachments are too large to stand in a request: those are uploaded, and the receipt says so."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.references.prepared import Part
from magic_ext.wire.content import Content, Document, Image, Json

__all__ = ["INLINE_LIMIT", "REQUEST_LIMIT", "UPLOADED", "history_size", "too_large", "with_uploads_noted"]

# Characters of base64. Google takes 100 MB in a request (wire.md section 5.4), but a large one is sent whole with every
# retry, and again with the next question; a part of it is left to prompt and history.
INLINE_LIMIT = 15_000_000
REQUEST_LIMIT = 95_000_000
UPLOADED = "uploaded (kept 48 h by the server)"


def history_size(history: Sequence[Json]) -> int:
    """The bytes that the conversation so far takes of a request, for a server that keeps none of it.

    Raises :class:`GeminiExecError` where no request can carry it.

    >>> history_size([{"type": "user_input", "content": []}]), history_size([])
    (34, 0)
    """
    size = sum(len(msgspec.json.encode(step)) for step in history)
    if size > REQUEST_LIMIT:
        raise GeminiExecError(
            f"The conversation so far is too large for a request ({size / 1e6:,.0f} MB).",
            hint="Ask without -c, or let the server keep conversations: %config GeminiExecMagics.store = True.",
        )
    return size


def too_large(contents: Sequence[Content], before: int = 0) -> frozenset[int]:
    """The positions of what has to be uploaded: each that is too large, and the largest until the rest fits.

    ``before`` are the bytes that the conversation so far takes of the request (:func:`history_size`).

    >>> from magic_ext.wire.content import Text
    >>> sorted(too_large([Text("hi"), Document(data="A" * 15_000_001), Document(data="A")]))
    [1]
    >>> sorted(too_large([Document(data="A" * 9_000_000)], before=90_000_000))
    [0]
    """
    sizes = {at: _size(content) for at, content in enumerate(contents)}
    large = {at for at, size in sizes.items() if size > INLINE_LIMIT}
    inline = sorted(set(sizes) - large, key=lambda at: sizes[at])
    while inline and before + sum(sizes[at] for at in inline) > REQUEST_LIMIT:
        large.add(inline.pop())
    return frozenset(large)


def with_uploads_noted(parts: Sequence[Part], before: int = 0) -> list[Part]:
    """The parts, with a note in the entries of those that will be uploaded; ``before`` as for :func:`too_large`."""
    contents = [content for part in parts for content in part.contents]
    large = {id(contents[at]) for at in too_large(contents, before)}
    return [_noted(part) if any(id(content) in large for content in part.contents) else part for part in parts]


def _noted(part: Part) -> Part:
    note = "; ".join(filter(None, (part.entry.note, UPLOADED)))
    return msgspec.structs.replace(part, entry=msgspec.structs.replace(part.entry, note=note))


def _size(content: Content) -> int:
    return len(content.data or "") if isinstance(content, Document | Image) else 0
