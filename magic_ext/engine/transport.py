"""The engine as an httpx transport: the client's requests are answered in this process, streaming.

httpx's own ``ASGITransport`` buffers a whole reply, so it cannot serve (design section 5).
"""

from __future__ import annotations

from collections.abc import Iterator

from magic_ext.http import httpx

from .api import handle
from .exchange import Call, Reply
from .service import Engine

__all__ = ["EngineTransport"]


class EngineTransport(httpx.BaseTransport):
    """Hands requests to ``engine``. A stream that is closed before its end cancels its interaction: here the reader is
    the one who asked, and nobody else can take the answer up.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        call = Call(
            method=request.method,
            path=request.url.path,
            query=dict(request.url.params),
            headers=request.headers,
            body=request.read(),
        )
        reply = handle(self._engine, call)
        if isinstance(reply.body, bytes):
            return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.body)
        return httpx.Response(reply.status, headers=dict(reply.headers), stream=_Stream(reply))


class _Stream(httpx.SyncByteStream):
    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def __iter__(self) -> Iterator[bytes]:
        assert not isinstance(self._reply.body, bytes)
        yield from self._reply.body

    def close(self) -> None:
        job = self._reply.job
        if job is not None and not job.finished:
            job.cancel()
