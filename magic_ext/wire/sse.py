r"""Server-sent events from bytes, split on ``\n``, ``\r\n`` and ``\r`` only (wire.md section 3.1).

A text decoder that splits lines as ``str.splitlines`` does would cut a payload at U+2028; bytes know no such line end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

__all__ = ["SSEDecoder", "ServerSentEvent", "decode_sse", "encode_sse"]

_BOM = b"\xef\xbb\xbf"


class ServerSentEvent(msgspec.Struct, frozen=True):
    r"""One dispatched event: its name (``""`` when unnamed) and its data, lines joined by ``\n``."""

    event: str
    data: bytes


class SSEDecoder:
    r"""Decodes a byte stream chunk by chunk, in time linear in its length however it is cut.

    >>> decoder = SSEDecoder()
    >>> decoder.feed(b'event: a\r\ndata: {"x"'), decoder.feed(b': 1}\r\n\r\n')
    ([], [ServerSentEvent(event='a', data=b'{"x": 1}')])
    """

    def __init__(self) -> None:
        self._partial: list[bytes] = []  # pieces of the line that has not ended yet, joined once
        self._after_cr = False  # the last chunk ended in \r: a leading \n belongs to it
        self._first_line = True
        self._event = ""
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Take the next bytes, return the events that they complete."""
        if self._after_cr and chunk:
            self._after_cr = False
            chunk = chunk.removeprefix(b"\n")
        dispatched: list[ServerSentEvent] = []
        for piece in chunk.splitlines(keepends=True):  # on bytes: \n, \r\n and \r, nothing else
            self._partial.append(piece)
            if piece.endswith((b"\n", b"\r")):
                line = b"".join(self._partial).rstrip(b"\r\n")
                self._partial.clear()
                self._take(line, dispatched)
        self._after_cr = self._after_cr or chunk.endswith(b"\r")
        return dispatched

    def _take(self, line: bytes, dispatched: list[ServerSentEvent]) -> None:
        if self._first_line:
            self._first_line = False
            line = line.removeprefix(_BOM)
        if not line:
            if self._data:
                dispatched.append(ServerSentEvent(self._event, b"\n".join(self._data)))
            self._event, self._data = "", []
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._event = value.decode("utf-8", "replace")


def decode_sse(chunks: Iterable[bytes]) -> Iterator[ServerSentEvent]:
    r"""Decode a whole stream of chunks; an event that no blank line ended is not dispatched, as the standard says.

    >>> list(decode_sse([b"data: a\n\n: comment\ndata: cut"]))
    [ServerSentEvent(event='', data=b'a')]
    """
    decoder = SSEDecoder()
    for chunk in chunks:
        yield from decoder.feed(chunk)


def encode_sse(data: bytes, event: str = "") -> bytes:
    r"""The bytes of one event; ``data`` must hold no line end, which JSON never does.

    >>> encode_sse(b"{}", "ping")
    b'event: ping\ndata: {}\n\n'
    """
    name = f"event: {event}\n".encode() if event else b""
    return name + b"data: " + data + b"\n\n"
