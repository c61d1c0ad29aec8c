"""The stream of an answer assembles to the steps of the unary answer, and no odd delta makes it raise."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from magic_ext.wire.assembly import Assembly
from magic_ext.wire.events import StepDelta, StepStart, StepStop
from magic_ext.wire.steps import decode_steps

Json = dict[str, Any]


def text(piece: str) -> Json:
    return {"type": "text", "text": piece}


PNG = {"type": "image", "data": "iVBORw0K", "mime_type": "image/png"}

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
