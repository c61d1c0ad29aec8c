"""The HTTP surface of the engine without HTTP: method, path and body in, a reply out. Two thin skins use it:
:mod:`.transport` within this process and :mod:`.server` over a socket.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.wire.content import Json
from magic_ext.wire.sse import encode_sse

from .errors import EngineError, bad_request, not_found
from .jobs import Job
from .service import Engine

__all__ = ["Call", "Reply", "handle"]

_PATH = re.compile(r"/v1(?:beta\d?|alpha)?/(?P<rest>[^?]*)")
GRACE = 10.0  # seconds that a stored foreground interaction goes on without a reader (design section 5)
_HEARTBEAT = b": still working\n\n"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request, read to its end. Header names are case-insensitive (any mapping that treats them so)."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP reply: ``body`` is whole bytes, or the pieces of an event stream.

    ``job`` is set for the stream of a foreground interaction: it is cancelled ``grace`` seconds after its last reader
    went away.
    """

    status: int = 200
    headers: Mapping[str, str]
    body: bytes | Generator[bytes, None, None]
    job: Job | None = None
    grace: float = 0.0


def handle(engine: Engine, call: Call) -> Reply:
    """Answer one request; never raises for anything a client sent.

    >>> import types
    >>> handle(types.SimpleNamespace(), Call(method="GET", path="/v1/nonsense")).status
    404
    """
    try:
        if re.search(r"google-genai-sdk/1\.", call.headers.get("x-goog-api-client", "")):
            raise bad_request(
                "The legacy Interactions API schema is no longer supported. "
                "Please upgrade your client SDK to >= 2.0.0 to adopt the new 'steps' schema."
            )
        return _route(engine, call)
    except EngineError as error:
        return _json(error.document, error.status)
    except GeminiExecError as error:  # a model that can't be opened, say
        refused = EngineError(400, "failed_precondition", f"{error} {error.hint}".strip())
        return _json(refused.document, refused.status)


def _route(engine: Engine, call: Call) -> Reply:
    matched = _PATH.fullmatch(call.path)
    parts = matched["rest"].strip("/").split("/") if matched else []
    match call.method, parts:
        case "POST", ["interactions"]:
            return _create(engine, call.body)
        case "GET", ["interactions", id]:
            return _get(engine, id, call.query)
        case "POST", ["interactions", id, "cancel"]:
            return _json(engine.cancel(id))
        case "DELETE", ["interactions", id]:
            engine.delete(id)
            return _json({})
        case "GET", ["models"]:
            return _json({"models": [_model(name) for name in engine.model_names]})
        case "GET", ["models", name] if name in engine.model_names:
            return _json(_model(name))
    raise not_found(f"There is no {call.method} {call.path} here.")


def _create(engine: Engine, body: bytes) -> Reply:
    try:
        decoded: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"The request body is not valid JSON: {error}") from None
    job, asked, model = engine.create(decoded)
    answered_by = {"x-gemini-exec-model": model.name}
    if asked.background and not asked.stream:
        return _json(job.document, headers=answered_by)
    if asked.stream:
        stream = _stream(job, "")
        return Reply(
            headers={"content-type": "text/event-stream", "cache-control": "no-store", **answered_by},
            body=stream,
            job=None if asked.background else job,
            grace=GRACE if asked.store else 0.0,
        )
    job.wait()
    return _json(job.document, headers=answered_by)


def _get(engine: Engine, id: str, query: Mapping[str, str]) -> Reply:
    if query.get("stream") != "true":
        return _json(engine.get(id, include_input=query.get("include_input") == "true"))
    return Reply(
        headers={"content-type": "text/event-stream", "cache-control": "no-store"},
        body=_stream(engine.job(id), query.get("last_event_id", "")),
    )


def _stream(job: Job, after: str) -> Generator[bytes, None, None]:
    for event in job.tail(after):
        yield _HEARTBEAT if event is None else encode_sse(msgspec.json.encode(event), str(event["event_type"]))
    yield encode_sse(b"[DONE]", "done")


def _model(name: str) -> Json:
    return {
        "name": f"models/{name}",
        "displayName": name,
        "description": "Served by gemini-exec on this computer.",
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": ["createInteraction"],
    }


def _json(document: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(
        status=status,
        headers={"content-type": "application/json", **(headers or {})},
        body=msgspec.json.encode(document),
    )
