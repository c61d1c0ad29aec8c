"""What goes out: as Google's own SDK would send it, and valid by its types."""

from __future__ import annotations

from typing import Any

import pytest
from google.genai import interactions as sdk
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.wire.content import Annotation, Content, Document, Image, RawContent, Text, encode_content
from magic_ext.wire.request import Request, encode_request
from magic_ext.wire.steps import FunctionResult

Json = dict[str, Any]
TEXT = st.text(max_size=20)
SOURCE = st.one_of(st.fixed_dictionaries({"data": st.just("QUJD")}), st.fixed_dictionaries({"uri": st.just("files/a")}))
MIME_TYPES = ["text/csv", "application/pdf"]
CONTENT: st.SearchStrategy[Content] = st.one_of(
    st.builds(Text, TEXT),
    st.builds(lambda source, mime: Image(mime_type=mime, **source), SOURCE, st.just("image/png")),
    st.builds(lambda source, mime: Document(mime_type=mime, **source), SOURCE, st.sampled_from(MIME_TYPES)),
    st.just(RawContent({"type": "audio", "data": "QUJD", "mime_type": "audio/wav"})),
)
RESULTS = st.builds(FunctionResult, TEXT, TEXT, st.just([{"type": "text", "text": "7"}]), st.booleans())
HISTORY = (
    {"type": "user_input", "content": [{"type": "text", "text": "Add them."}]},
    {"type": "thought", "signature": "c2ln"},
    {"type": "code_execution_call", "id": "c1", "arguments": {"code": "print(3)", "language": "python"}},
    {"type": "code_execution_result", "call_id": "c1", "result": "3\n", "is_error": False, "signature": "c2ln"},
    {"type": "model_output", "content": [{"type": "text", "text": "3"}]},
)
REQUESTS = st.builds(
    Request,
    model=st.sampled_from(["gemini-3-flash-preview", "offline-planner"]),
    history=st.sampled_from([(), HISTORY]),
    input=st.lists(CONTENT, max_size=4).map(tuple),
    results=st.lists(RESULTS, max_size=2).map(tuple),
    code_execution=st.booleans(),
    google_search=st.booleans(),
    functions=st.sampled_from([(), ({"type": "function", "name": "f", "parameters": {"type": "object"}},)]),
    system_instruction=TEXT,
    thinking_level=st.sampled_from([None, "minimal", "low", "medium", "high", "xhigh"]),
    thinking_summaries=st.booleans(),
    max_output_tokens=st.none() | st.integers(1, 65536),
    previous_interaction_id=st.sampled_from(["", "v1_ChdTEST1"]),
    store=st.booleans(),
    background=st.booleans(),
    stream=st.booleans(),
)


def unknown_fields(value: object, path: str = "body") -> list[str]:
    """Where Google's types met a field that they do not know: they keep it silently, the server answers 400."""
    if isinstance(value, list):
        return [found for at, item in enumerate(value) for found in unknown_fields(item, f"{path}[{at}]")]
    if not hasattr(type(value), "model_fields"):
        return []
    if type(value).__name__.startswith("Unknown"):
        return [path]
    fields = [name for name in type(value).model_fields if name in value.model_fields_set]
    inner = [found for name in fields for found in unknown_fields(getattr(value, name), f"{path}.{name}")]
    return [*(f"{path}.{name}" for name in value.model_extra or {}), *inner]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@given(REQUESTS)
def test_every_request_is_valid_by_googles_types(request: Request) -> None:
    body = encode_request(request)
    model = sdk.CreateModelInteraction.model_validate(body)
    assert unknown_fields(model) == []
    assert model.model_dump(mode="json", by_alias=True, exclude_unset=True) == body


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("body", [{"nonsense": 1}, {"generation_config": {"top_k": 1}}, {"tools": [{"type": "novel"}]}])
def test_the_check_above_finds_unknown_fields(body: Json) -> None:
    assert unknown_fields(sdk.CreateModelInteraction.model_validate({"model": "m", "input": "x"} | body))


@given(REQUESTS)
def test_a_body_says_only_what_was_asked(request: Request) -> None:
    body = encode_request(request)
    said = {"model", "input"}
    said |= {"tools"} if request.code_execution or request.functions or request.google_search else set()
    said |= {name for name in ("system_instruction", "previous_interaction_id") if getattr(request, name)}
    said |= {"store"} if not request.store else set()
    said |= {name for name in ("stream", "background") if getattr(request, name)}
    if request.thinking_level or request.thinking_summaries or request.max_output_tokens is not None:
        said |= {"generation_config"}
    assert set(body) == said


# The samples of wire.md section 1.6, as the SDK was seen to send them.

PRIMES = (
    "What is the sum of the first 50 prime numbers? "
    "Generate and run code for the calculation, and make sure you get all 50."
)
PEDALS = "Zoom into the expression pedals and tell me how many pedals are there?"
MODEL = "gemini-3-flash-preview"
CODE = [{"type": "code_execution"}]
SAMPLES = {
    "text": (
        Request(model=MODEL, input=(Text(PRIMES),), stream=False),
        {"model": MODEL, "input": PRIMES, "tools": CODE},
    ),
    "image and text": (
        Request(model=MODEL, input=(Image(data="/9j/4EpQRUc=", mime_type="image/jpeg"), Text(PEDALS)), stream=False),
        {
            "model": MODEL,
            "input": [
                {
                    "content": [
                        {"data": "/9j/4EpQRUc=", "mime_type": "image/jpeg", "type": "image"},
                        {"text": PEDALS, "type": "text"},
                    ],
                    "type": "user_input",
                }
            ],
            "tools": CODE,
        },
    ),
    "second turn": (
        Request(model=MODEL, input=(Text(PRIMES),), previous_interaction_id="v1_ChdTEST1", stream=False),
        {"model": MODEL, "input": PRIMES, "previous_interaction_id": "v1_ChdTEST1", "tools": CODE},
    ),
    "stream": (
        Request(
            model=MODEL,
            input=(Text("hi"),),
            system_instruction="Be brief.",
            max_output_tokens=100,
            thinking_level="low",
            thinking_summaries=True,
            store=False,
        ),
        {
            "model": MODEL,
            "generation_config": {"max_output_tokens": 100, "thinking_level": "low", "thinking_summaries": "auto"},
            "input": "hi",
            "store": False,
            "stream": True,
            "system_instruction": "Be brief.",
            "tools": CODE,
        },
    ),
}


@pytest.mark.parametrize(("request_", "body"), SAMPLES.values(), ids=SAMPLES)
def test_the_samples(request_: Request, body: Json) -> None:
    assert encode_request(request_) == body


def test_a_name_is_an_unknown_field_at_google() -> None:
    """So whoever asks Google must leave it out; only the embedded engine reads it."""
    body = encode_request(Request(model=MODEL, input=(Document(data="QUJD", mime_type="text/csv", name="sales"),)))
    found = unknown_fields(sdk.CreateModelInteraction.model_validate(body))
    assert found == ["body.input[0].content[0].name"]


def test_input_blocks_are_sent_as_they_are() -> None:
    cited = Text("a", (Annotation(type="url_citation", url="https://a"),))
    raw = RawContent({"type": "video", "uri": "u", "processing": "static"})
    body = encode_request(Request(model=MODEL, input=(cited, raw)))
    assert body["input"] == [{"type": "user_input", "content": [encode_content(cited), raw.raw]}]
