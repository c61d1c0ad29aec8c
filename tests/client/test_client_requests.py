"""Whatever a cell can ask Google becomes a request that Google's own types take; nothing is sent here."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import PIL.Image
import pytest
from google.genai import interactions as sdk
from google.genai._gaos.types.basemodel import UnrecognizedStr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from magic_ext.ask import Course, Question, Tip
from magic_ext.client.endpoint import GOOGLE, Endpoint, Secret
from magic_ext.errors import GeminiExecError
from magic_ext.place import Place
from magic_ext.references.policy import Policy, parse_policy
from magic_ext.wire.request import encode_request

HISTORY = (
    {"type": "user_input", "content": [{"type": "text", "text": "Add them."}]},
    {"type": "thought", "signature": "c2ln"},
    {"type": "model_output", "content": [{"type": "text", "text": "3"}]},
)


def weather(city: str, days: list[int] | None = None) -> dict[str, float]:
    """The weather in a city."""
    return {city: 1.0, "days": len(days or [])}


def _png() -> bytes:
    file = io.BytesIO()
    PIL.Image.new("RGB", (3, 2)).save(file, "png")
    return file.getvalue()


NAMESPACE: dict[str, Any] = {
    "df": pd.DataFrame({"größe": [1.5, None], "when": pd.to_datetime(["2026-01-01", "2026-01-02"])}),
    "series": pd.Series([1, 2], name="n"),
    "number": 7,
    "text": "Grüße \u2028 ```",
    "settings": {"a": [1, {"b": None}]},
    "picture": PIL.Image.new("RGB", (2, 2)),
    "weather": weather,
}
REFERENCES = ["@df", "@df[größe]", "@series", "@number", "@text", "@settings", "@picture", "@data.csv", "@notes.txt",
              "@paper.pdf", "@photo.png", "@df:schema", "@df:head(1)", "@data.csv:full"]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with files of every kind that Google reads."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "data.csv").write_text("a;b\n1;2,5\n", encoding="utf-8")
    (folder / "notes.txt").write_text("Some notes.\n", encoding="utf-8")
    (folder / "paper.pdf").write_bytes(b"%PDF-1.4\n%%EOF\n")
    (folder / "photo.png").write_bytes(_png())
    return folder


QUESTIONS: st.SearchStrategy[Callable[[], Question]] = st.builds(
    lambda words, references, **asked: (
        lambda: Question(
            prompt=" ".join([words.replace("@", ""), *references, "?"]),
            place=Place(model="gemini-3-flash-preview", endpoint=Endpoint(base_url=GOOGLE, key=Secret("k"))),
            **asked,
        )
    ),
    st.text(min_size=1, max_size=20).filter(str.strip),
    st.lists(st.sampled_from(REFERENCES), max_size=4, unique_by=lambda written: written.split(":")[0]),
    policy=st.sampled_from([Policy(), parse_policy("schema"), parse_policy("head(1)"), parse_policy("full")]),
    tip=st.sampled_from(
        [
            None,
            Tip(interaction_id="v1_a", place="generativelanguage.googleapis.com", files=2),
            Tip(interaction_id="", place="generativelanguage.googleapis.com", history=HISTORY),
        ]
    ),
    code_execution=st.booleans(),
    search=st.booleans(),
    tools=st.sampled_from([(), ("weather",)]),
    thinking=st.sampled_from([None, "minimal", "low", "medium", "high", "xhigh"]),
    show_thoughts=st.booleans(),
    system=st.text(max_size=10),
    stream=st.booleans(),
    store=st.booleans(),
    background=st.booleans(),
)


def foreign(value: object, path: str = "body") -> list[str]:
    """Where Google's types met a field, a word or a block that they do not know."""
    if isinstance(value, UnrecognizedStr) or type(value).__name__.startswith("Unknown"):
        return [path]
    if isinstance(value, list):
        return [found for at, item in enumerate(value) for found in foreign(item, f"{path}[{at}]")]
    if not hasattr(type(value), "model_fields"):
        return []
    inner = [
        found for name in value.model_fields_set for found in foreign(getattr(value, name, None), f"{path}.{name}")
    ]
    return [*(f"{path}.{name}" for name in value.model_extra or {}), *inner]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(QUESTIONS)
def test_whatever_a_cell_asks_is_valid_by_googles_types(folder: Path, question: Callable[[], Question]) -> None:
    asked = question()
    try:
        course = Course(asked, NAMESPACE, folder)
    except GeminiExecError:
        # What does not go together is refused in one line, and nothing else is.
        assert not asked.store and (asked.background or (asked.tip and asked.tip.interaction_id))
        return
    body = encode_request(course.request)
    model = sdk.CreateModelInteraction.model_validate(body)
    assert [found for found in foreign(model) if found != "body.model"] == []
    assert model.model_dump(mode="json", by_alias=True, exclude_unset=True) == body
