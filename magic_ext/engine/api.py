"""The HTTP surface of the engine without HTTP: method, path and body in, a reply out. Two thin skins use it:
:mod:`.transport` within this process and :mod:`.server` over a socket.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Generator, Mapping
from urllib.parse import quote

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.wire.sse import encode_sse

from .errors import EngineError, bad_request, not_found
from .exchange import Call, Reply, decoded, error_reply, json_reply
from .files_api import files_reply, upload_reply
from .jobs import Job
from .models_api import models_reply
from .service import Engine

__all__ = ["handle"]

_PATH = re.compile(r"/v1(?:beta\d?|alpha)?/(?P<rest>[^?]*)")
_LEGACY = re.compile(r"google-genai-sdk/1\.|GeminiNextGenAPIClient/\w+ 1\.")  # wire.md section 4.1
_CLIENTS = ("x-goog-api-client", "user-agent")
_log = logging.getLogger(__name__)
GRACE = 10.0  # seconds that a stored foreground interaction goes on without a reader (design section 5)
_EVENTS = {"content-type": "text/event-stream", "cache-control": "no-store"}
_DOCUMENT = {"content-type": "application/json"}
HEARTBEAT = 5.0  # seconds of silence until a stream shows that it is alive, and a reader that has gone is noticed
_ALIVE = b": still working\n\n"


def handle(engine: Engine, call: Call) -> Reply:
    """Answer one request; never raises for anything a client sent.

    >>> import types
    >>> handle(types.SimpleNamespace(), Call(method="GET", path="/v1/nonsense")).status
    404
    """
    try:
        return _route(engine, call)
    except EngineError as error:
        return error_reply(error, call.path)
    except GeminiExecError as error:  # a model that can't be opened, say
        refused = EngineError(400, "failed_precondition", f"{error} {error.hint}".strip())
        return error_reply(refused, call.path)
    except Exception as error:  # a full disk, say: who asks is told so, in the words of the service
        _log.exception("%s %s failed", call.method, call.path)
        return error_reply(EngineError(500, "api_error", f"{type(error).__name__}: {error}"), call.path)


def _route(engine: Engine, call: Call) -> Reply:
    if call.path.startswith("/upload/"):
        return upload_reply(engine.files, call)
    matched = _PATH.fullmatch(call.path)
    parts = matched["rest"].strip("/").split("/") if matched else []
    if parts[:1] == ["interactions"] and _LEGACY.search(" ".join(map(call.headers.get, _CLIENTS, ("", "")))):
        raise bad_request(
            "The legacy Interactions API schema is no longer supported. "
            "Please upgrade your client SDK to >= 2.0.0 to adopt the new 'steps' schema."
        )
    match call.method, parts:
        case "POST", ["interactions"]:
            return _create(engine, call.body)
        case "GET", ["interactions", id]:
            return _get(engine, id, call.query)
        case "POST", ["interactions", id, "cancel"]:
            return json_reply(engine.cancel(id))
        case "DELETE", ["interactions", id]:
            engine.delete(id)
            return json_reply({})
        case _, ["models", *name]:
            return models_reply(engine, call, name)
        case _, ["files", *id]:
            return files_reply(engine.files, call, id)
    raise not_found(f"There is no {call.method} {call.path} here.")


def _create(engine: Engine, body: bytes) -> Reply:
    job, asked, model = engine.create(decoded(body))
    # a header is no place for any letter but ASCII's, and a script may be called anything
    answered_by = {"x-gemini-exec-model": quote(model.name, safe="/:+@")}
    if asked.background and not asked.stream:
        return json_reply(job.document, headers=answered_by)
    return Reply(
        headers=(_EVENTS if asked.stream else _DOCUMENT) | answered_by,
        body=_stream(job, "") if asked.stream else _whole(job),
        job=None if asked.background else job,
        grace=GRACE if asked.store else 0.0,
    )


def _get(engine: Engine, id: str, query: Mapping[str, str]) -> Reply:
    if query.get("stream") != "true":
        return json_reply(engine.get(id, include_input=query.get("include_input") == "true"))
    after = query.get("last_event_id", "")
    if not re.fullmatch(r"(evt_\d{1,9})?", after, re.ASCII):
        raise bad_request(f"The value of 'last_event_id' is no id of an event: {after[:40]!r}.")
    return Reply(headers=_EVENTS, body=_stream(engine.job(id), after))


def _whole(job: Job) -> Generator[bytes, None, None]:
    """The document, once it is whole; the empty pieces before it are when a reader that has gone is noticed."""
    for event in job.tail(heartbeat=HEARTBEAT):
        if event is None:
            yield b""
    yield msgspec.json.encode(job.document)


def _stream(job: Job, after: str) -> Generator[bytes, None, None]:
    for event in job.tail(after, HEARTBEAT):
        yield _ALIVE if event is None else encode_sse(msgspec.json.encode(event), str(event["event_type"]))
    yield encode_sse(b"[DONE]", "done")
