"""Every event type, its older names, and all that is none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.wire.events import (
    Event,
    InteractionCompleted,
    InteractionCreated,
    StatusUpdate,
    StepDelta,
    StepStart,
    StepStop,
    StreamError,
    UnknownEvent,
    decode_event,
)
from magic_ext.wire.sse import ServerSentEvent

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
TYPES = [
    "interaction.created", "interaction.status_update", "interaction.in_progress", "interaction.requires_action",
    "interaction.completed", "step.start", "step.delta", "step.stop", "error",
    "interaction.start", "content.start", "content.delta", "content.stop", "interaction.complete", "novelty", "",
]  # fmt: skip
EVENTS = (
    InteractionCreated, StatusUpdate, StepStart, StepDelta, StepStop, InteractionCompleted, StreamError, UnknownEvent,
)  # fmt: skip


def decode(raw: object, name: str = "") -> Event | None:
    return decode_event(ServerSentEvent(name, json.dumps(raw).encode()))


@pytest.mark.parametrize(
    ("raw", "event"),
    [
        ({"event_type": "interaction.status_update", "status": "queued"}, StatusUpdate("queued")),
        ({"event_type": "interaction.status_update", "status": None}, StatusUpdate("")),
        ({"event_type": "interaction.in_progress", "interaction": {"id": "v1"}}, StatusUpdate("in_progress")),
        ({"event_type": "interaction.requires_action"}, StatusUpdate("requires_action")),
        ({"event_type": "step.start", "index": 1, "step": {"type": "thought"}}, StepStart(1, {"type": "thought"})),
        ({"event_type": "step.delta", "index": 0, "delta": {"type": "x"}}, StepDelta(0, {"type": "x"})),
        ({"event_type": "step.stop", "index": 2, "usage": {}, "event_id": "e9"}, StepStop(2, "e9")),
        ({"event_type": "error", "error": {"code": "c", "message": "m"}}, StreamError("c", "m")),
        ({"event_type": "error", "error": {"message": None, "code": None}}, StreamError("", "")),
        ({"event_type": "error", "error": "plain words"}, StreamError("", "plain words")),
        ({"event_type": "error"}, StreamError("", "unknown error")),
        ({"error": {"code": "c", "message": "m"}}, StreamError("c", "m")),
        (
            {"error": {"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}},
            StreamError("RESOURCE_EXHAUSTED", "m"),
        ),
        ({"error": {"code": 503, "message": "m"}}, StreamError("503", "m")),
    ],
)
def test_known_events(raw: dict, event: Event) -> None:
    assert decode(raw) == event


def test_the_interaction_of_an_event_is_read() -> None:
    created = decode({"event_type": "interaction.created", "interaction": {"id": "v1_a", "status": "in_progress"}})
    completed = decode({"event_type": "interaction.completed", "interaction": {"usage": {"total_tokens": 5}}})
    assert isinstance(created, InteractionCreated)
    assert (created.interaction.id, created.interaction.status) == ("v1_a", "in_progress")
    assert isinstance(completed, InteractionCompleted)
    assert completed.interaction.usage.total_tokens == 5


def test_the_event_line_names_what_the_data_does_not() -> None:
    assert decode({"index": 3}, "step.stop") == StepStop(3)
    assert decode({"index": 3, "event_type": "step.stop"}, "misnamed") == StepStop(3)


@pytest.mark.parametrize(
    "raw",
    [
        {"event_type": "content.delta", "index": 0, "delta": {"type": "text", "text": "old"}},
        {"event_type": "interaction.start", "interaction": {}},
        {"event_type": "novelty"},
        {"event_type": ["step.stop"], "index": 0},
        {"event_type": "step.stop"},
        {"event_type": "step.stop", "index": -1},
        {"event_type": "step.stop", "index": True},
        {"event_type": "step.stop", "index": "0"},
        {"event_type": "step.delta", "index": 0, "delta": "text"},
        {"event_type": "step.start", "index": 0},
    ],
)
def test_what_is_unknown_or_odd_survives(raw: dict) -> None:
    assert decode(raw) == UnknownEvent(raw, type=str(raw["event_type"]))


@pytest.mark.parametrize("raw", [None, 7, 1.5, True, "text", ["a"]])
def test_json_that_is_no_object_survives(raw: object) -> None:
    assert decode(raw, "name") == UnknownEvent(raw, type="name")


@pytest.mark.parametrize("data", [b"", b"no JSON", b'{"event_type":', b"[DONE", b"[" * 5000, b"NaN"])
def test_garbage_survives_as_text(data: bytes) -> None:
    assert decode_event(ServerSentEvent("", data)) == UnknownEvent(data.decode())


@pytest.mark.parametrize(
    ("damaged", "text"),
    [
        pytest.param(b"caf\xc3", "caf\ufffd", id="half-a-character"),
        pytest.param(rb"\ud83d", "?", id="half-a-surrogate-pair"),
        pytest.param(rb"\ud83d\ude00", "\U0001f600", id="a-whole-pair-is-sound"),
    ],
)
def test_damaged_text_costs_the_character_not_the_delta(damaged: bytes, text: str) -> None:
    data = b'{"event_type":"step.delta","index":0,"delta":{"type":"text","text":"' + damaged + b'"}}'
    assert decode_event(ServerSentEvent("", data)) == StepDelta(0, {"type": "text", "text": text})


def test_done_is_none_only_when_it_is_the_whole_data() -> None:
    assert decode_event(ServerSentEvent("", b"[DONE]")) is None
    assert decode({"event_type": "[DONE]"}) == UnknownEvent({"event_type": "[DONE]"}, type="[DONE]")


@given(JSON, st.sampled_from(TYPES))
def test_any_json_becomes_an_event(raw: object, name: str) -> None:
    assert isinstance(decode(raw, name), EVENTS)


FIELDS = ["index", "step", "delta", "interaction", "error", "status", "event_id", "code", "message", "usage", "steps"]


@given(st.sampled_from(TYPES), st.dictionaries(st.sampled_from(FIELDS), JSON | st.integers(0, 3)))
def test_any_fields_under_a_known_type_become_an_event(kind: str, fields: dict) -> None:
    event = decode({"event_type": kind, **fields})
    assert isinstance(event, EVENTS)
    assert isinstance(event.event_id, str)


@given(st.binary(), st.text())
def test_any_bytes_become_an_event(data: bytes, name: str) -> None:
    event = decode_event(ServerSentEvent(name, data))
    assert isinstance(event, EVENTS) if data != b"[DONE]" else event is None
