"""Steps from deltas: each rule of wire.md section 3.3, and the whole against the unary answer."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from magic_ext.wire.assembly import Assembly
from magic_ext.wire.content import Image, RawContent, Text
from magic_ext.wire.events import InteractionCompleted, StatusUpdate, StepDelta, StepStart, StepStop
from magic_ext.wire.interaction import Interaction
from magic_ext.wire.steps import (
    CodeExecutionCall,
    CodeExecutionResult,
    FunctionCall,
    FunctionResult,
    ModelOutput,
    RawStep,
    Step,
    Thought,
)

Json = dict[str, Any]


def assembled(start: Json | None, *deltas: Json, stop: bool = True) -> Step:
    """The one step that a start and its deltas make."""
    assembly = Assembly()
    if start is not None:
        assembly.apply(StepStart(0, start))
    for delta in deltas:
        assembly.apply(StepDelta(0, delta))
    if stop:
        assembly.apply(StepStop(0))
    return assembly.step(0)


def text(piece: str) -> Json:
    return {"type": "text", "text": piece}


PNG = {"type": "image", "data": "iVBORw0K", "mime_type": "image/png"}
IMAGE = Image(data="iVBORw0K", mime_type="image/png")
OUTPUT = {"type": "model_output"}
CALL = {"type": "code_execution_call", "id": "c1"}
RESULT = {"type": "code_execution_result", "call_id": "c1"}
CODE = "print(1)"

RULES = {
    "text is joined": (OUTPUT, [text("1, "), text("2")], ModelOutput((Text("1, 2"),))),
    "text goes on after the start's content": (
        {"type": "model_output", "content": [text("Once upon")]},
        [text(" a time")],
        ModelOutput((Text("Once upon a time"),)),
    ),
    "text goes on after a start with one block or a string": (
        {"type": "model_output", "content": "Once upon"},
        [text(" a time")],
        ModelOutput((Text("Once upon a time"),)),
    ),
    "an image stands between its texts": (
        OUTPUT,
        [text("a"), PNG, text("b"), text("c")],
        ModelOutput((Text("a"), IMAGE, Text("bc"))),
    ),
    "runs of two kinds are not mixed": (
        OUTPUT,
        [text("a"), {"type": "thought_summary", "content": text("b")}, text("c")],
        ModelOutput((Text("ac"),)),
    ),
    "other media are kept": (
        OUTPUT,
        [{"type": "audio", "data": "AAAA"}, {"type": "video", "uri": "u"}],
        ModelOutput((RawContent({"type": "audio", "data": "AAAA"}), RawContent({"type": "video", "uri": "u"}))),
    ),
    "a thought": (
        {"type": "thought"},
        [
            {"type": "thought_summary", "content": text("**Plan** ")},
            {"type": "thought_summary", "content": text("it")},
            {"type": "thought_summary", "content": PNG},
            {"type": "thought_summary"},
            {"type": "thought_signature", "signature": "c2ln"},
        ],
        Thought("c2ln", (Text("**Plan** it"), IMAGE)),
    ),
    "code as an object": (
        CALL,
        [{"type": "code_execution_call", "arguments": {"code": CODE, "language": "bash"}}],
        CodeExecutionCall("c1", CODE, "bash"),
    ),
    "code as objects that are merged": (
        CALL | {"arguments": {"language": "bash"}},
        [{"type": "code_execution_call", "arguments": {"code": CODE}, "id": "c2", "signature": "s"}],
        CodeExecutionCall("c2", CODE, "bash"),
    ),
    "code as a JSON string in pieces": (
        CALL,
        [
            {"type": "code_execution_call", "arguments": '{"code":"pri'},
            {"type": "code_execution_call", "arguments": 'nt(1)"}', "signature": "s"},
        ],
        CodeExecutionCall("c1", CODE),
    ),
    "code as a bare string": (
        CALL,
        [{"type": "code_execution_call", "arguments": "print("}, {"type": "code_execution_call", "arguments": "1)"}],
        CodeExecutionCall("c1", CODE),
    ),
    "code that is JSON by accident": (
        CALL,
        [{"type": "code_execution_call", "arguments": "42"}],
        CodeExecutionCall("c1", "42"),
    ),
    "code by arguments_delta": (
        CALL | {"arguments": {}},
        [
            {"type": "arguments_delta", "arguments": '{"code":"pri'},
            {"type": "arguments_delta", "arguments": 'nt(1)"}'},
        ],
        CodeExecutionCall("c1", CODE),
    ),
    "a result is appended": (
        RESULT | {"result": "5"},
        [
            {"type": "code_execution_result", "result": "5\n"},
            {"type": "code_execution_result", "result": "6", "is_error": True, "signature": "s"},
        ],
        CodeExecutionResult("c1", (Text("55\n6"),), is_error=True),
    ),
    "a null changes nothing": (
        RESULT,
        [
            {"type": "code_execution_result", "result": "55", "is_error": True},
            {"type": "code_execution_result", "result": None, "is_error": None},
        ],
        CodeExecutionResult("c1", (Text("55"),), is_error=True),
    ),
    "a result as a list": (
        RESULT | {"result": "5"},
        [
            {"type": "code_execution_result", "result": [PNG]},
            {"type": "code_execution_result", "result": "6"},
            {"type": "code_execution_result", "result": "7", "is_error": False},
        ],
        CodeExecutionResult("c1", (Text("5"), IMAGE, Text("67"))),
    ),
    "an image in a result": (RESULT | {"result": "5"}, [PNG], CodeExecutionResult("c1", (Text("5"), IMAGE))),
    "a function's arguments in pieces": (
        {"type": "function_call", "id": "f", "name": "getWeather", "signature": "", "arguments": {}},
        [
            {"type": "arguments_delta", "arguments": '{"location":'},
            {"type": "arguments_delta", "arguments": '"Köln"}'},
        ],
        FunctionCall("f", "getWeather", {"location": "Köln"}),
    ),
    "a function's arguments cut short": (
        {"type": "function_call", "id": "f", "name": "g"},
        [{"type": "arguments_delta", "arguments": '{"location":'}],
        FunctionCall("f", "g", {}),
    ),
    "a function without arguments": (
        {"type": "function_call", "id": "f", "name": "g"},
        [{"type": "arguments_delta", "arguments": ""}],
        FunctionCall("f", "g", {}),
    ),
    "a search call's fields are merged": (
        {"id": "7x", "signature": "", "type": "google_search_call"},
        [{"type": "google_search_call", "arguments": {"queries": ["q"]}, "signature": "s"}],
        RawStep({"id": "7x", "signature": "s", "type": "google_search_call", "arguments": {"queries": ["q"]}}),
    ),
}


@pytest.mark.parametrize(("start", "deltas", "step"), RULES.values(), ids=RULES)
def test_rules(start: Json, deltas: list[Json], step: Step) -> None:
    assert assembled(start, *deltas) == step


@pytest.mark.parametrize(("start", "deltas", "step"), RULES.values(), ids=RULES)
def test_looking_in_between_changes_nothing(start: Json, deltas: list[Json], step: Step) -> None:
    assembly = Assembly()
    assembly.apply(StepStart(0, start))
    for delta in deltas:
        assembly.apply(StepDelta(0, delta))
        assert type(assembly.step(0)) is type(step)
    assembly.apply(StepStop(0))
    assert assembly.step(0) == step


@pytest.mark.parametrize(("start", "deltas", "step"), RULES.values(), ids=RULES)
def test_events_are_values_that_assembling_leaves_alone(start: Json, deltas: list[Json], step: Step) -> None:
    before = copy.deepcopy((start, deltas))
    assembled(start, *deltas, *deltas)
    assert (start, deltas) == before


@pytest.mark.parametrize(
    ("delta", "step"),
    [
        (text("hi"), ModelOutput((Text("hi"),))),
        (PNG, ModelOutput((IMAGE,))),
        ({"type": "thought_signature", "signature": "s"}, Thought("s")),
        ({"type": "thought_summary", "content": text("p")}, Thought("", (Text("p"),))),
        ({"type": "code_execution_call", "arguments": {"code": CODE}}, CodeExecutionCall("", CODE)),
        ({"type": "code_execution_result", "result": "5"}, CodeExecutionResult("", (Text("5"),))),
        ({"type": "arguments_delta", "arguments": '{"a":1}'}, FunctionCall("", "", {"a": 1})),
        ({"type": "url_context_call", "id": "u"}, RawStep({"type": "url_context_call", "id": "u"})),
    ],
)
def test_a_delta_tells_its_step_where_the_start_was_lost_or_empty(delta: Json, step: Step) -> None:
    assert assembled(None, delta) == step
    assert assembled({}, delta) == step


FIRST = {"type": "url_citation", "start_index": 0, "end_index": 2, "url": "https://a"}
SECOND = FIRST | {"url": "https://b"}


@pytest.mark.parametrize("kind", ["text_annotation_delta", "text_annotation"])
def test_cumulative_annotations_are_counted_once(kind: str) -> None:
    step = assembled(
        OUTPUT,
        text("hi"),
        {"type": kind, "annotations": [FIRST]},
        {"type": kind, "annotations": [FIRST, SECOND]},
        text(" there"),
        PNG,
    )
    assert isinstance(step, ModelOutput)
    said, image = step.content
    assert isinstance(said, Text)
    assert said.text == "hi there"
    assert [annotation.url for annotation in said.annotations] == ["https://a", "https://b"]
    assert image == IMAGE


def test_annotations_go_to_the_last_text_also_behind_an_image() -> None:
    step = assembled(OUTPUT, text("a"), PNG, text("b"), PNG, {"type": "text_annotation_delta", "annotations": [FIRST]})
    assert isinstance(step, ModelOutput)
    assert [len(block.annotations) for block in step.content if isinstance(block, Text)] == [0, 1]


def test_one_call_may_have_several_results() -> None:
    assembly = Assembly()
    assembly.apply(StepStart(0, CALL))
    for index, (printed, failed) in enumerate([("half", False), ("Traceback", True)], start=1):
        assembly.apply(StepStart(index, RESULT))
        assembly.apply(StepDelta(index, {"type": "code_execution_result", "result": printed, "is_error": failed}))
        assembly.apply(StepStop(index))
    assert assembly.steps[1:] == (
        CodeExecutionResult("c1", (Text("half"),)),
        CodeExecutionResult("c1", (Text("Traceback"),), is_error=True),
    )


def test_unknown_deltas_are_kept_beside_their_step() -> None:
    assembly = Assembly()
    assembly.apply(StepStart(3, OUTPUT))
    blink, stray = {"type": "blink", "n": 1}, {"type": "thought_signature_v2", "x": None}
    annotations = {"type": "text_annotation_delta", "annotations": [FIRST]}
    for delta in (text("a"), blink, text("b"), stray):
        assembly.apply(StepDelta(3, delta))
    assembly.apply(StepDelta(5, PNG))
    assembly.apply(StepDelta(5, annotations))  # there is no text to annotate
    assert assembly.unknown_deltas == ((3, blink), (3, stray), (5, annotations))
    assert assembly.raw_steps[0] == {"type": "model_output", "content": [text("ab")]}


def test_raw_steps_keep_signatures_and_unknown_fields() -> None:
    assembly = Assembly()
    assembly.apply(StepStart(0, CALL | {"novelty": [1]}))
    arguments = {"code": CODE, "seed": 1}
    assembly.apply(StepDelta(0, {"type": "code_execution_call", "arguments": arguments, "signature": "c2ln"}))
    assembly.apply(StepStop(0))
    assert assembly.raw_steps == (CALL | {"novelty": [1], "arguments": arguments, "signature": "c2ln"},)


def test_what_an_event_changed_is_told() -> None:
    assembly = Assembly()
    assert assembly.apply(StatusUpdate("in_progress")) is None
    assert assembly.apply(StepStop(0)) is None, "a stop without a start begins nothing"
    assert assembly.apply(StepStart(4, OUTPUT)) == 4
    assert assembly.apply(StepDelta(2, text("x"))) == 2
    assert assembly.indices == (2, 4)
    assert assembly.kind(4) == "model_output"
    assert not assembly.done(2)
    assert assembly.apply(StepStop(2)) == 2
    assert assembly.done(2)
    assert not assembly.done(4)
    assert assembly.apply(InteractionCompleted(Interaction())) is None
    with pytest.raises(KeyError):
        assembly.step(0)


def test_steps_may_grow_side_by_side() -> None:
    assembly = Assembly()
    for piece in "abc":
        for index in (1, 0):
            assembly.apply(StepDelta(index, text(f"{piece}{index}")))
    assert [step.text for step in assembly.steps if isinstance(step, ModelOutput)] == ["a0b0c0", "a1b1c1"]


def test_steps_of_the_next_interaction_come_behind_a_step_of_our_own() -> None:
    assembly = Assembly()
    assembly.apply(StepStart(0, {"type": "function_call", "id": "f1", "name": "f", "arguments": {}}))
    assembly.apply(StepDelta(0, {"type": "arguments_delta", "arguments": '{"x": 1}'}))
    assembly.apply(StepStop(0))
    assert assembly.append({"type": "function_result", "call_id": "f1", "name": "f", "result": "7"}) == 1
    assert assembly.done(1)
    assert assembly.apply(StepStart(0, {"type": "model_output"})) == 2
    assert assembly.apply(StepDelta(0, {"type": "text", "text": "Seven."})) == 2
    assert assembly.apply(StepStop(0)) == 2 and assembly.done(2)
    assert assembly.steps == (
        FunctionCall("f1", "f", {"x": 1}),
        FunctionResult("f1", "f", "7"),
        ModelOutput((Text("Seven."),)),
    )
