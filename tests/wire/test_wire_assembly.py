"""Steps from deltas: each rule of wire.md section 3.3, and the whole against the unary answer."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.wire.assembly import Assembly
from magic_ext.wire.content import Image, RawContent, Text
from magic_ext.wire.events import InteractionCompleted, StatusUpdate, StepDelta, StepStart, StepStop
from magic_ext.wire.interaction import Interaction
from magic_ext.wire.steps import (
    CodeExecutionCall,
    CodeExecutionResult,
    FunctionCall,
    ModelOutput,
    RawStep,
    Step,
    Thought,
    decode_steps,
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


# The unary answer and the stream of it are the same steps.

TEXT = st.text(max_size=20)
BLOCK = st.one_of(
    TEXT.filter(bool).map(text),
    st.just(PNG),
    st.just({"type": "document", "uri": "u", "mime_type": "application/pdf"}),
    st.just({"type": "audio", "data": "AAAA", "mime_type": "audio/wav"}),
)


def apart(blocks: list[Json]) -> list[Json]:
    """No two texts side by side: a stream can't tell them from one."""
    return [b for a, b in zip([None, *blocks], blocks, strict=False) if not (a and a["type"] == b["type"] == "text")]


BLOCKS = st.lists(BLOCK, max_size=4).map(apart)
STEP = st.one_of(
    st.builds(lambda c: {"type": "model_output", "content": c}, BLOCKS),
    st.builds(lambda s, c: {"type": "thought", "signature": s, "summary": c}, TEXT, BLOCKS),
    st.builds(
        lambda c, s: {"type": "code_execution_call", "id": "c", "arguments": {"code": c}, "signature": s}, TEXT, TEXT
    ),
    st.builds(
        lambda r, e, s: {"type": "code_execution_result", "call_id": "c", "result": r, "is_error": e, "signature": s},
        TEXT | BLOCKS,
        st.booleans(),
        TEXT,
    ),
    st.builds(
        lambda a: {"type": "function_call", "id": "f", "name": "g", "arguments": a},
        st.dictionaries(TEXT, TEXT | st.integers(-9, 9) | st.none(), max_size=3),
    ),
    st.builds(lambda q: {"type": "google_search_call", "id": "s", "arguments": {"queries": q}}, st.lists(TEXT)),
    st.just({"type": "telepathy", "to": ["you"]}),
)
START_FIELDS = {"type", "id", "call_id", "name", "to"}


@st.composite
def streamed(draw: st.DrawFn, step: Json) -> tuple[Json, list[Json]]:
    """A start and the deltas that tell the rest of ``step``, cut at random places."""

    def pieces(whole: str) -> list[str]:
        places = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=3)))
        return [whole[a:b] for a, b in zip([0, *places], [*places, len(whole)], strict=True)]

    def block_deltas(block: Json) -> list[Json]:
        return [text(piece) for piece in pieces(block["text"])] if block["type"] == "text" else [block]

    kind, start = step["type"], {key: value for key, value in step.items() if key in START_FIELDS}
    match kind:
        case "model_output":
            return start, [delta for block in step["content"] for delta in block_deltas(block)]
        case "thought":
            summary = [delta for block in step["summary"] for delta in block_deltas(block)]
            summaries = [{"type": "thought_summary", "content": content} for content in summary]
            return start, [*summaries, {"type": "thought_signature", "signature": step["signature"]}]
        case "code_execution_result" if isinstance(step["result"], str):
            last = {key: step[key] for key in ("is_error", "signature")}
            printed = [{"type": kind, "result": piece} for piece in pieces(step["result"])]
            return start, [*printed[:-1], printed[-1] | last]
        case "function_call":
            spelled = json.dumps(step["arguments"])
            return start, [{"type": "arguments_delta", "arguments": piece} for piece in pieces(spelled)]
        case _:
            return start, [{key: value for key, value in step.items() if key == "type" or key not in START_FIELDS}]


@given(st.data(), st.lists(STEP, max_size=4))
def test_a_stream_assembles_to_the_steps_of_the_unary_answer(data: st.DataObject, steps: list[Json]) -> None:
    assembly = Assembly()
    for index, step in enumerate(steps):
        start, deltas = data.draw(streamed(step))
        assembly.apply(StepStart(index, start))
        for delta in deltas:
            assembly.apply(StepDelta(index, delta))
        assembly.apply(StepStop(index))
    assert assembly.steps == decode_steps(steps)


# Nothing that a server sends makes it raise.

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)
KEYS = ["text", "content", "summary", "result", "arguments", "annotations", "signature", "data", "is_error", "error"]
STEP_TYPES = ["model_output", "thought", "code_execution_call", "code_execution_result", "function_call", "telepathy"]
DELTA_TYPES = [
    "text", "image", "audio", "text_annotation_delta", "thought_summary", "thought_signature", "code_execution_call",
    "code_execution_result", "arguments_delta", "google_search_call", "blink",
]  # fmt: skip


def odd(types: list[str]) -> st.SearchStrategy[Json]:
    content = st.lists(BLOCK | JSON, max_size=2) | JSON
    fields = st.dictionaries(st.sampled_from(KEYS), content, max_size=4)
    return st.builds(lambda kind, rest: {"type": kind} | rest, st.sampled_from(types) | JSON, fields)


@given(odd(STEP_TYPES), st.lists(odd(DELTA_TYPES), max_size=6), st.booleans())
def test_odd_starts_and_deltas_never_raise(start: Json, deltas: list[Json], look: bool) -> None:
    assembly = Assembly()
    assembly.apply(StepStart(0, start))
    for delta in deltas:
        assembly.apply(StepDelta(0, delta))
        if look:
            assembly.step(0)
    assembly.apply(StepStop(0))
    assert len(assembly.steps) == len(assembly.raw_steps) == 1
