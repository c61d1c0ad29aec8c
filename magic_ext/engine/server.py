"""The engine over HTTP: a Starlette app under uvicorn, behind a token (design section 5)."""

from __future__ import annotations

import contextlib
import hmac
import secrets
import socket
import threading
from collections.abc import AsyncIterator, Callable, Generator
from typing import TYPE_CHECKING

from .api import handle
from .errors import EngineError
from .exchange import Call, Reply, error_reply
from .listener import is_local, names_this_computer

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

    from .service import Engine

__all__ = ["BODY_LIMIT", "make_app", "new_token", "serve"]

BODY_LIMIT = 100 * 1024 * 1024  # bytes, Google's own for inline data (wire.md section 5.4)
_READERS = 256  # streams that can wait at the same time


def new_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


def make_app(engine: Engine, token: str, on_ready: Callable[[], None], *, local: bool) -> Starlette:
    """The ASGI app. Every request must carry ``token`` as its API key; there is no CORS.

    With ``local`` it answers only to names that this computer has for itself.
    """
    from starlette.applications import Starlette
    from starlette.routing import Route

    async def respond(request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        try:
            if local and not names_this_computer(request.headers.get("host", "")):
                raise EngineError(403, "permission_denied", "This server answers only to 127.0.0.1 and localhost.")
            _check_token(request, token)
            body = await _body(request)
        except EngineError as error:
            return _response(error_reply(error, request.url.path))
        call = Call(
            method=request.method,
            path=request.url.path,
            query=dict(request.query_params),
            headers=request.headers,
            body=body,
        )
        return _response(await run_in_threadpool(handle, engine, call))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        import anyio.to_thread

        anyio.to_thread.current_default_thread_limiter().total_tokens = _READERS
        on_ready()
        yield

    methods = ["GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"]  # also those that are refused, in Google's shape
    return Starlette(routes=[Route("/{path:path}", respond, methods=methods)], lifespan=lifespan)


def serve(engine: Engine, *, token: str, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve on a listening socket until the process is told to stop; ``on_ready`` is called once it answers."""
    import uvicorn

    app = make_app(engine, token, on_ready, local=is_local(listener))
    config = uvicorn.Config(app, log_level="warning", server_header=False, timeout_graceful_shutdown=3)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        engine.close()


def _check_token(request: Request, token: str) -> None:
    if request.url.path.startswith("/upload/") and "upload_id" in request.query_params:
        return  # the id is unguessable, and Google's Python SDK sends no key with a chunk (wire.md section 5.1)
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    given = request.headers.get("x-goog-api-key") or request.query_params.get("key") or bearer
    if not hmac.compare_digest(given.encode(), token.encode()):
        raise EngineError(401, "authentication", "API key not valid. The server printed its token when it started.")


async def _body(request: Request) -> bytes:
    pieces: list[bytes] = []
    size = 0
    async for piece in request.stream():  # read to the end also when too long, else the client sees a reset connection
        size += len(piece)
        if size <= BODY_LIMIT:
            pieces.append(piece)
    if size > BODY_LIMIT:
        raise EngineError(
            413, "invalid_request", f"A request body may have {BODY_LIMIT} bytes; upload files in chunks."
        )
    return b"".join(pieces)


def _response(reply: Reply) -> Response:
    from starlette.responses import Response, StreamingResponse

    if isinstance(reply.body, bytes):
        return Response(reply.body, reply.status, dict(reply.headers))
    return StreamingResponse(_watched(reply, reply.body), reply.status, dict(reply.headers))


async def _watched(reply: Reply, pieces: Generator[bytes, None, None]) -> AsyncIterator[bytes]:
    """The pieces, with the consequences that a reader's leaving has for its interaction."""
    from starlette.concurrency import iterate_in_threadpool

    try:
        async for piece in iterate_in_threadpool(pieces):
            yield piece
    finally:
        pieces.close()  # no thread is inside it any more: the pool's threads are waited for
        if reply.job is not None and not reply.job.finished:
            leaving = threading.Timer(reply.grace, reply.job.cancel_if_unread)
            leaving.daemon = True
            leaving.start()
