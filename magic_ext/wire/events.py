"""The events of a stream (wire.md section 3.2). Steps and deltas stay JSON: the assembly types them."""

from __future__ import annotations

import json

import msgspec

from .content import Json
from .interaction import Interaction, decode_interaction
from .sse import ServerSentEvent

__all__ = [
    "Event",
    "InteractionCompleted",
    "InteractionCreated",
    "StatusUpdate",
    "StepDelta",
    "StepStart",
    "StepStop",
    "StreamError",
    "UnknownEvent",
    "decode_event",
    "error_code",
]


class InteractionCreated(msgspec.Struct, frozen=True):
    """The server took the request; the interaction has an id now."""

    interaction: Interaction
    event_id: str = ""


class StatusUpdate(msgspec.Struct, frozen=True):
    """The status changed, for instance from ``queued`` to ``in_progress``."""

    status: str
    event_id: str = ""


class StepStart(msgspec.Struct, frozen=True):
    """A step begins; ``step`` may already carry content."""

    index: int
    step: Json
    event_id: str = ""


class StepDelta(msgspec.Struct, frozen=True):
    """A piece of a step."""

    index: int
    delta: Json
    event_id: str = ""


class StepStop(msgspec.Struct, frozen=True):
    """A step is whole."""

    index: int
    event_id: str = ""


class InteractionCompleted(msgspec.Struct, frozen=True):
    """The last event of a stream, also of one that failed: read ``interaction.status``."""

    interaction: Interaction
    event_id: str = ""


class StreamError(msgspec.Struct, frozen=True):
    """The server reports an error inside the stream."""

    code: str
    message: str
    event_id: str = ""


class UnknownEvent(msgspec.Struct, frozen=True):
    """An event that this package does not know, or that is no JSON object; ``raw`` is what came, ``type`` its name."""

    raw: object
    event_id: str = ""
    type: str = ""


Event = (
    InteractionCreated
    | StatusUpdate
    | StepStart
    | StepDelta
    | StepStop
    | InteractionCompleted
    | StreamError
    | UnknownEvent
)

_decode_json = msgspec.json.Decoder().decode


def decode_event(sse: ServerSentEvent) -> Event | None:
    """Turn one server-sent event into a value; ``None`` for the ``[DONE]`` that ends a stream. Never raises.

    >>> decode_event(ServerSentEvent("", b'{"event_type":"step.stop","index":1}'))
    StepStop(index=1, event_id='')
    >>> decode_event(ServerSentEvent("done", b"[DONE]")) is None
    True
    """
    if sse.data == b"[DONE]":
        return None
    try:
        raw = _decode_json(sse.data)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raw = _decode_damaged(sse.data.decode("utf-8", "replace"))
    if not isinstance(raw, dict):
        return UnknownEvent(raw, type=sse.event)
    event_id = raw.get("event_id")
    return _typed(raw, sse.event, event_id if isinstance(event_id, str) else "")


def _decode_damaged(text: str) -> object:
    """JSON with broken UTF-8 or half a surrogate pair in it, those replaced; what is no JSON comes back as it is."""
    try:
        whole = json.dumps(json.loads(text), ensure_ascii=False).encode("utf-8", "replace")
        return _decode_json(whole)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return text


def _typed(raw: Json, name: str, event_id: str) -> Event:
    kind = raw.get("event_type") or name
    index = raw.get("index")
    if isinstance(index, int) and not isinstance(index, bool) and index >= 0:
        delta, step = raw.get("delta"), raw.get("step")
        if kind == "step.delta" and isinstance(delta, dict):
            return StepDelta(index, delta, event_id)
        if kind == "step.start" and isinstance(step, dict):
            return StepStart(index, step, event_id)
        if kind == "step.stop":
            return StepStop(index, event_id)
    match kind:
        case "interaction.created":
            return InteractionCreated(decode_interaction(raw.get("interaction")), event_id)
        case "interaction.completed":
            return InteractionCompleted(decode_interaction(raw.get("interaction")), event_id)
        case "interaction.status_update":
            return StatusUpdate(str(raw.get("status") or ""), event_id)
        case "interaction.in_progress" | "interaction.requires_action":  # the older names of status_update
            return StatusUpdate(str(kind).removeprefix("interaction."), event_id)
    error = raw.get("error")
    if kind == "error" or isinstance(error, dict):  # Google's error object sometimes comes without an event_type
        fields = error if isinstance(error, dict) else {"message": error or "unknown error"}
        return StreamError(error_code(fields), str(fields.get("message") or ""), event_id)
    return UnknownEvent(raw, event_id, str(kind))


def error_code(error: Json) -> str:
    """The server's own word for an error: the Interactions API's ``code``, or google.rpc's ``status`` (section 7.1).

    >>> error_code({"code": "not_found"}), error_code({"code": 404, "status": "NOT_FOUND"})
    ('not_found', 'NOT_FOUND')
    """
    code = error.get("code")
    word = code if isinstance(code, str) and code else error.get("status") or code
    return str(word or "")
