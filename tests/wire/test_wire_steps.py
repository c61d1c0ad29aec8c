"""Content, steps, usage and interactions: what is sound comes back as it was, what is odd never raises."""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.wire.content import (
    Annotation,
    Content,
    Document,
    Image,
    RawContent,
    Text,
    decode_content,
    decode_contents,
    encode_content,
    text_of,
)
from magic_ext.wire.interaction import decode_interaction
from magic_ext.wire.steps import (
    CodeExecutionCall,
    CodeExecutionResult,
    FunctionCall,
    FunctionResult,
    ModelOutput,
    RawStep,
    Thought,
    UserInput,
    decode_step,
    decode_steps,
    encode_step,
    output_text,
)
from magic_ext.wire.usage import Usage, decode_usage

TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
ANNOTATION = st.builds(
    Annotation,
    type=TEXT,
    start_index=st.none() | st.integers(0, 9),
    end_index=st.none() | st.integers(0, 9),
    url=st.none() | TEXT,
    title=st.none() | TEXT,
)
PLAIN = st.builds(Text, TEXT)
MEDIA = {"data": st.none() | TEXT, "uri": st.none() | TEXT, "mime_type": st.none() | TEXT, "name": st.none() | TEXT}
CONTENT: st.SearchStrategy[Content] = st.one_of(
    PLAIN,
    st.builds(Text, TEXT, st.lists(ANNOTATION, max_size=2).map(tuple)),
    st.builds(Image, **MEDIA),
    st.builds(Document, **MEDIA),
    st.builds(RawContent, st.fixed_dictionaries({"type": st.sampled_from(["audio", "video", "hologram"])})),
)
BLOCKS = st.lists(CONTENT, max_size=3).map(tuple)
ERROR = st.none() | st.fixed_dictionaries({"code": st.integers(0, 16), "message": TEXT})
STEPS = st.one_of(
    st.builds(UserInput, BLOCKS),
    st.builds(ModelOutput, BLOCKS, ERROR),
    st.builds(Thought, TEXT, BLOCKS),
    st.builds(CodeExecutionCall, TEXT, TEXT, st.sampled_from(["python", "bash"])),
    # Texts only are one string on the wire; with an image they are a list.
    st.builds(CodeExecutionResult, TEXT, PLAIN.map(lambda block: (block,)), st.booleans()),
    st.builds(CodeExecutionResult, TEXT, BLOCKS.map(lambda blocks: (*blocks, Image(uri="u"))), st.booleans()),
    st.builds(FunctionCall, TEXT, TEXT, st.dictionaries(TEXT, JSON, max_size=2)),
    st.builds(FunctionResult, TEXT, TEXT, JSON, st.booleans()),
    st.builds(RawStep, st.fixed_dictionaries({"type": st.just("google_search_call"), "x": JSON})),
)


def over_the_wire(raw: object) -> Any:
    return msgspec.json.decode(msgspec.json.encode(raw))


@given(CONTENT)
def test_content_comes_back(content: Content) -> None:
    assert decode_content(over_the_wire(encode_content(content))) == content


@given(STEPS)
def test_a_step_comes_back(step: Any) -> None:
    assert decode_step(over_the_wire(encode_step(step))) == step


@given(st.lists(PLAIN, max_size=3).map(tuple))
def test_printed_texts_are_one_string(blocks: tuple[Text, ...]) -> None:
    encoded = encode_step(CodeExecutionResult("c", blocks))
    assert encoded["result"] == text_of(blocks)


KINDS = [
    "text", "image", "document", "audio", "user_input", "model_output", "thought", "code_execution_call",
    "code_execution_result", "function_call", "function_result", "telepathy",
]  # fmt: skip
KEYS = [
    "type", "text", "content", "summary", "result", "arguments", "annotations", "signature", "data", "id", "call_id",
    "name", "is_error", "error", "uri", "mime_type", "code", "language",
]  # fmt: skip
ODD = st.builds(
    lambda kind, rest: {"type": kind} | rest, st.sampled_from(KINDS), st.dictionaries(st.sampled_from(KEYS), JSON)
)


@given(JSON | ODD)
def test_any_json_decodes(raw: object) -> None:
    contents = [decode_content(raw), *decode_contents(raw)]
    steps = [decode_step(raw), *decode_steps(raw)]
    over_the_wire([*map(encode_content, contents), *map(encode_step, steps)])
    for image in contents:
        assert not isinstance(image, Image | Document) or isinstance(image.content, bytes)


@given(JSON | ODD)
def test_any_json_is_an_interaction(raw: object) -> None:
    interaction = decode_interaction(raw)
    assert isinstance(interaction.legacy, bool)
    assert isinstance(decode_interaction({"steps": raw, "usage": raw, "errors": raw, "id": raw}).usage, Usage)


@pytest.mark.parametrize(
    ("raw", "content"),
    [
        ("hi", Text("hi")),
        ({"text": "hi"}, Text("hi")),
        ({"type": "text", "text": "hi", "annotations": None}, Text("hi")),
        ({"type": "text", "text": "hi", "annotations": [{"start_index": {}}, 7]}, Text("hi")),
        (
            {"type": "text", "text": "hi", "annotations": [{"start_index": "3", "novelty": 1}]},
            Text("hi", (Annotation(start_index=3),)),
        ),
        ({"type": "text", "text": None}, RawContent({"type": "text", "text": None})),
        ({"type": "image", "data": 5}, RawContent({"type": "image", "data": 5})),
        ({"type": ["text"], "text": "hi"}, RawContent({"type": ["text"], "text": "hi"})),
        ({"type": "document", "uri": "u", "processing": "static"}, Document(uri="u")),
        ({}, RawContent({})),
        (None, RawContent({"value": None})),
    ],
)
def test_odd_content(raw: object, content: Content) -> None:
    assert decode_content(raw) == content


@pytest.mark.parametrize(
    ("raw", "step"),
    [
        ({"type": "code_execution_call"}, CodeExecutionCall()),
        ({"type": "code_execution_call", "arguments": "1 + 1"}, CodeExecutionCall(code="1 + 1")),
        ({"type": "code_execution_call", "arguments": "[" * 3000}, CodeExecutionCall(code="[" * 3000)),
        ({"type": "code_execution_call", "arguments": {"code": None, "language": 3}}, CodeExecutionCall()),
        ({"type": "code_execution_result", "result": None, "is_error": "true"}, CodeExecutionResult()),
        ({"type": "code_execution_result", "result": {"text": "5"}}, CodeExecutionResult("", (Text("5"),))),
        ({"type": "function_call", "arguments": '{"a": 1}'}, FunctionCall(arguments={"a": 1})),
        ({"type": "function_call", "arguments": "no JSON"}, FunctionCall()),
        ({"type": "model_output", "error": "text"}, ModelOutput()),
        ({"type": "telepathy", "to": 1}, RawStep({"type": "telepathy", "to": 1})),
        ({}, RawStep({})),
        (7, RawStep({"value": 7})),
    ],
)  # fmt: skip
def test_odd_steps(raw: object, step: object) -> None:
    assert decode_step(raw) == step


@given(st.binary(max_size=50))
def test_inline_data_is_decoded(data: bytes) -> None:
    assert Image(data=base64.b64encode(data).decode()).content == data


@pytest.mark.parametrize("damaged", [None, "", "A", "AAAAA", "ü"])
def test_damaged_or_missing_data_is_empty(damaged: str | None) -> None:
    assert Image(data=damaged).content == Document(data=damaged).content == b""


def test_output_text_is_what_the_model_said() -> None:
    steps = [
        UserInput((Text("q"),)),
        Thought("", (Text("t"),)),
        ModelOutput((Text("a"), Image(uri="u"), Text("b"))),
        CodeExecutionResult("c", (Text("5"),)),
        ModelOutput((Image(uri="u"),)),
        ModelOutput((Text("c"),)),
    ]
    assert output_text(steps) == "a\n\nb\n\nc"


def test_usage_takes_numbers_only() -> None:
    raw = {"total_tokens": 58, "total_input_tokens": "7", "total_output_tokens": True, "total_thought_tokens": None}
    assert decode_usage(raw) == Usage(total_tokens=58)
    assert decode_usage(None) == decode_usage([1]) == Usage()


@pytest.mark.parametrize(
    ("raw", "legacy"),
    [({"outputs": []}, True), ({"outputs": [], "steps": []}, False), ({"steps": []}, False), ({}, False)],
)
def test_the_schema_from_before_may_2026_is_recognised(raw: dict, legacy: bool) -> None:
    assert decode_interaction(raw).legacy is legacy
