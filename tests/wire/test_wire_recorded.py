"""Documents of the wire digest, recorded from Google's server or printed in its documentation, read end to end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from magic_ext.wire.assembly import Assembly
from magic_ext.wire.content import Image, Text
from magic_ext.wire.events import InteractionCompleted, InteractionCreated, StreamError, decode_event
from magic_ext.wire.interaction import decode_interaction
from magic_ext.wire.sse import decode_sse
from magic_ext.wire.steps import (
    CodeExecutionCall,
    CodeExecutionResult,
    FunctionCall,
    ModelOutput,
    RawStep,
    Step,
    Thought,
    output_text,
)
from magic_ext.wire.usage import Usage

HELLO = """
{"id":"v1_ChdTbXNIYXFyUEV0ZUttdGtQNXVqVHdRRRIXU21zSGFxclBFdGVLbXRrUDV1alR3UUU","status":"completed",
 "usage":{"total_tokens":58,"total_input_tokens":7,"input_tokens_by_modality":[{"modality":"text","tokens":7}],
  "total_cached_tokens":0,"total_output_tokens":19,"total_tool_use_tokens":0,"total_thought_tokens":32},
 "created":"2026-05-15T18:51:55Z","updated":"2026-05-15T18:51:55Z","service_tier":"standard",
 "steps":[{"signature":"CqwBAQw51s","type":"thought"},
          {"content":[{"text":"Hello!","type":"text"}],"type":"model_output"}],
 "object":"interaction","model":"gemini-2.5-flash"}
"""
SUM = """
[{"type":"thought","signature":"…","summary":[{"type":"text","text":"I will compute."}]},
 {"type":"code_execution_call","id":"code_call_71021",
  "arguments":{"language":"python","code":"print(sum(range(1, 11)))"},"signature":"…"},
 {"type":"code_execution_result","call_id":"code_call_71021","result":"55\\n","is_error":false,"signature":"…"},
 {"type":"model_output","content":[{"type":"text","text":"The sum is 55."}]}]
"""
DOCUMENTED_STREAM = """\
event: interaction.created
data: {"interaction":{"id":"v1_a","status":"in_progress","object":"interaction","model":"gemini-3-flash-preview"},"event_type":"interaction.created"}

event: interaction.status_update
data: {"interaction_id":"v1_a","status":"in_progress","event_type":"interaction.status_update"}

event: step.start
data: {"index":0,"step":{"type":"thought"},"event_type":"step.start"}

event: step.delta
data: {"index":0,"delta":{"content":{"text":"**Plan** …","type":"text"},"type":"thought_summary"},"event_type":"step.delta"}

event: step.delta
data: {"index":0,"delta":{"signature":"c2ln","type":"thought_signature"},"event_type":"step.delta"}

event: step.stop
data: {"index":0,"event_type":"step.stop"}

event: step.start
data: {"index":1,"step":{"type":"model_output"},"event_type":"step.start"}

event: step.delta
data: {"index":1,"delta":{"text":"1, 2, 3","type":"text"},"event_type":"step.delta"}

event: step.stop
data: {"index":1,"event_type":"step.stop"}

event: interaction.completed
data: {"interaction":{"id":"v1_a","status":"completed","usage":{"total_tokens":5},"created":"2026-05-15T18:51:55Z","object":"interaction"},"event_type":"interaction.completed"}

event: done
data: [DONE]

"""  # noqa: E501 - as it came
RECORDED_SEARCH = [
    {"event_type": "step.start", "index": 0, "step": {"id": "7x", "signature": "", "type": "google_search_call"}},
    {
        "event_type": "step.delta",
        "index": 0,
        "delta": {"type": "google_search_call", "arguments": {"queries": ["primes"]}, "signature": "s1"},
    },
    {"event_type": "step.stop", "index": 0},
    {
        "event_type": "step.start",
        "index": 1,
        "step": {"call_id": "7x", "signature": "", "type": "google_search_result"},
    },
    {
        "event_type": "step.delta",
        "index": 1,
        "delta": {"type": "google_search_result", "result": [{"search_suggestions": "<div>"}], "signature": "s2"},
    },
    {"event_type": "step.stop", "index": 1},
]
RECORDED_FUNCTION = [
    {
        "event_type": "step.start",
        "index": 0,
        "step": {"id": "61nzpsv4", "signature": "", "type": "function_call", "name": "getWeather", "arguments": {}},
    },
    {
        "event_type": "step.delta",
        "index": 0,
        "delta": {"arguments": '{"location":"San Francisco"}', "type": "arguments_delta"},
    },
    {"event_type": "step.stop", "index": 0},
]


def sse(events: list[dict[str, Any]]) -> bytes:
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)


def read(stream: bytes) -> tuple[list[Any], tuple[Step, ...]]:
    """All events of a stream, and the steps that they make."""
    events = [event for decoded in decode_sse([stream]) if (event := decode_event(decoded)) is not None]
    assembly = Assembly()
    for event in events:
        assembly.apply(event)
    return events, assembly.steps


def test_a_recorded_answer() -> None:
    interaction = decode_interaction(json.loads(HELLO))
    assert interaction.steps == (Thought("CqwBAQw51s"), ModelOutput((Text("Hello!"),)))
    assert (interaction.status, interaction.model) == ("completed", "gemini-2.5-flash")
    assert interaction.usage == Usage(
        total_tokens=58, total_input_tokens=7, total_output_tokens=19, total_thought_tokens=32
    )
    assert interaction.raw["service_tier"] == "standard"


def test_the_documented_code_execution_answer() -> None:
    steps = decode_interaction({"steps": json.loads(SUM)}).steps
    assert steps == (
        Thought("…", (Text("I will compute."),)),
        CodeExecutionCall("code_call_71021", "print(sum(range(1, 11)))"),
        CodeExecutionResult("code_call_71021", (Text("55\n"),)),
        ModelOutput((Text("The sum is 55."),)),
    )
    assert output_text(steps) == "The sum is 55."


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_documented_stream(end: str) -> None:
    events, steps = read(DOCUMENTED_STREAM.replace("\n", end).encode())
    assert len(events) == 10
    first, last = events[0], events[-1]
    assert isinstance(first, InteractionCreated)
    assert isinstance(last, InteractionCompleted)
    assert (first.interaction.id, last.interaction.usage.total_tokens) == ("v1_a", 5)
    assert steps == (Thought("c2ln", (Text("**Plan** …"),)), ModelOutput((Text("1, 2, 3"),)))


def test_recorded_search_steps() -> None:
    _, steps = read(sse(RECORDED_SEARCH))
    call, result = steps
    assert isinstance(call, RawStep)
    assert isinstance(result, RawStep)
    assert call.raw == {
        "id": "7x", "signature": "s1", "type": "google_search_call", "arguments": {"queries": ["primes"]}
    }  # fmt: skip
    assert result.raw["result"] == [{"search_suggestions": "<div>"}]


def test_a_recorded_function_call() -> None:
    _, steps = read(sse(RECORDED_FUNCTION))
    assert steps == (FunctionCall("61nzpsv4", "getWeather", {"location": "San Francisco"}),)


def test_the_documented_stream_error() -> None:
    message = "Deadline expired before operation could complete."
    events, _ = read(sse([{"event_type": "error", "error": {"code": "gateway_timeout", "message": message}}]))
    assert events == [StreamError("gateway_timeout", message)]


def test_a_start_that_carries_content_and_an_event_id() -> None:
    events, steps = read(
        sse(
            [
                {
                    "event_id": "evt_123",
                    "event_type": "step.start",
                    "index": 0,
                    "step": {"content": [{"text": "Once upon", "type": "text"}], "type": "model_output"},
                },
                {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": " a time"}},
                {
                    "event_type": "step.delta",
                    "index": 0,
                    "delta": {"type": "image", "data": "iVBORw0K", "mime_type": "image/png"},
                },
            ]
        )
    )
    assert events[0].event_id == "evt_123"
    assert steps == (ModelOutput((Text("Once upon a time"), Image(data="iVBORw0K", mime_type="image/png"))),)
