"""What goes out: as Google's own SDK would send it, and valid by its types."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import inspect
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from google.genai import interactions as sdk
from google.genai._gaos.types.basemodel import UnrecognizedStr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from magic_ext.client.hops import next_request
from magic_ext.functions.declaring import declare
from magic_ext.wire.content import Annotation, Content, Document, Image, RawContent, Text, encode_content
from magic_ext.wire.interaction import Interaction
from magic_ext.wire.request import Request, encode_request
from magic_ext.wire.running import RUN_PYTHON_TOOL
from magic_ext.wire.steps import FunctionResult

Json = dict[str, Any]
CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.sse"))
TEXT = st.text(max_size=20)
SOURCE = st.one_of(st.fixed_dictionaries({"data": st.just("QUJD")}), st.fixed_dictionaries({"uri": st.just("files/a")}))
MIME_TYPES = ["text/csv", "application/pdf"]
PICTURES = ["image/png", "image/jpeg", "image/webp", "image/gif", "image/bmp", "image/tiff"]
CONTENT: st.SearchStrategy[Content] = st.one_of(
    st.builds(Text, TEXT),
    st.builds(lambda source, mime: Image(mime_type=mime, **source), SOURCE, st.sampled_from(PICTURES)),
    st.builds(lambda source, mime: Document(mime_type=mime, **source), SOURCE, st.sampled_from(MIME_TYPES)),
    st.just(RawContent({"type": "audio", "data": "QUJD", "mime_type": "audio/wav"})),
)

# What a function returns goes back as texts and pictures; so does what it raises.
RETURNED = st.builds(Text, TEXT) | st.builds(lambda mime: Image(data="QUJD", mime_type=mime), st.sampled_from(PICTURES))
RESULTS = st.builds(
    FunctionResult, TEXT, TEXT, st.lists(RETURNED.map(encode_content), max_size=3), is_error=st.booleans()
)


class Mode(enum.Enum):
    FAST = "fast"
    FULL = "full"


@dataclasses.dataclass
class Span:
    first: int
    last: int = 0


HINTS = st.sampled_from(
    [
        *[str, int, float, bool, list[str], dict[str, int], Literal["a", "b"], int | None, Mode, Span, list[Span]],
        *[datetime.date, datetime.datetime, tuple[int, str], set[int], Annotated[int, msgspec.Meta(ge=0)]],
    ]
)


@st.composite
def functions(draw: st.DrawFn) -> Json:
    """The declaration of a function as a user may write it."""

    def body(*_: Any, **__: Any) -> None:
        raise AssertionError("a declaration calls nothing")

    names = draw(st.lists(st.sampled_from(["city", "n", "größe", "type", "name", "_x"]), max_size=4, unique=True))
    required = draw(st.integers(0, len(names)))
    body.__doc__ = draw(st.none() | TEXT)
    body.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                name,
                draw(st.sampled_from([inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY])),
                annotation=draw(HINTS),
                default=inspect.Parameter.empty if at < required else None,
            )
            for at, name in enumerate(names)
        ],
        __validate_parameters__=False,
    )
    name = draw(st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True))
    [declared] = declare([name], {name: body})
    return declared.declaration


def streamed_history(path: Path) -> tuple[Json, ...]:
    """The steps of a stream of the corpus, as a conversation sends them back, behind what was asked."""
    steps = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["steps"]
    return ({"type": "user_input", "content": [{"type": "text", "text": "Add them."}]}, *steps)


# In these is what Google's types don't take: a server said what none of them knows, or lost a part of it.
FOREIGN = {"unknown", "media", "search", "code-in-pieces", "function-calls-cut"}
HISTORIES = [streamed_history(path) for path in CORPUS if path.stem not in FOREIGN]
REQUESTS = st.builds(
    Request,
    model=st.sampled_from(["gemini-3-flash-preview", "offline-planner"]),
    history=st.just(()) | st.sampled_from(HISTORIES),
    input=st.lists(CONTENT, max_size=4).map(tuple),
    results=st.lists(RESULTS, max_size=3).map(tuple),
    code_execution=st.booleans(),
    google_search=st.booleans(),
    functions=st.lists(functions() | st.just(RUN_PYTHON_TOOL), max_size=3).map(tuple),
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
    """Where Google's types met a field or a word they do not know: they keep it silently, the server answers 400."""
    if isinstance(value, UnrecognizedStr):
        return [path]
    if isinstance(value, list):
        return [found for at, item in enumerate(value) for found in unknown_fields(item, f"{path}[{at}]")]
    if not hasattr(type(value), "model_fields"):
        return []
    if type(value).__name__.startswith("Unknown"):
        return [path]
    fields = [name for name in type(value).model_fields if name in value.model_fields_set]
    inner = [found for name in fields for found in unknown_fields(getattr(value, name), f"{path}.{name}")]
    return [*(f"{path}.{name}" for name in value.model_extra or {}), *inner]


def valid(body: Json, history: int = 0) -> None:
    """Google's types take the body, know all of it but what came from the server before, and give it back."""
    model = sdk.CreateModelInteraction.model_validate(body)
    known = ("body.model", *(f"body.input[{at}]" for at in range(history)))  # any model's name is a good one
    assert [found for found in unknown_fields(model) if not found.startswith(known)] == []
    assert model.model_dump(mode="json", by_alias=True, exclude_unset=True) == body
    assert msgspec.json.decode(msgspec.json.encode(body)) == body


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=200)
@given(REQUESTS, st.sampled_from(["", "token"]))
def test_every_request_is_valid_by_googles_types(request: Request, token: str) -> None:
    body = encode_request(request)
    valid(body, len(request.history))
    ended = Interaction(id="v1_b", status="requires_continuation", raw={"continuation_token": token})
    rest = next_request(body, ended)
    assert (rest is None) == (not token)
    if rest is not None:
        valid({"input": ""} | rest, len(request.history))  # the type wants an input; Google's SDK leaves it out too


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_what_a_server_said_goes_back_as_it_came(path: Path) -> None:
    history = streamed_history(path)
    body = encode_request(Request(model=MODEL, history=history, input=(Text("Go on."),), store=False))
    assert tuple(body["input"][:-1]) == history
    if path.stem not in FOREIGN:
        valid(body, len(history))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "body",
    [
        {"nonsense": 1},
        {"generation_config": {"top_k": 1}},
        {"tools": [{"type": "novel"}]},
        {"input": [{"type": "user_input", "content": [{"type": "document", "uri": "u", "mime_type": "text/plain"}]}]},
    ],
)
def test_the_check_finds_unknown_fields(body: Json) -> None:
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
