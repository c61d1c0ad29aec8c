"""Every stream of the corpus in a real kernel: shown whole, or what came of it above one red line."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

CORPUS = {path.stem: path for path in sorted((Path(__file__).parent.parent / "wire" / "corpus").glob("*.sse"))}
NUMBERS = itertools.count(1)
WELL = {"completed", "incomplete", "enlightened"}


@pytest.fixture
def told(asked_at: Callable[..., Any], notebook: Any, faults: SimpleNamespace) -> Callable[..., Any]:
    """Asks a server that answers with a stream of the corpus; what the front end got."""

    def ask(name: str, *, live: bool = False, options: str = "--show-thoughts") -> Any:
        asked_at(faults.reply(200, CORPUS[name].read_bytes(), content_type="text/event-stream"))
        # No question twice: a recorded answer would do for it.
        cell = f"%%gemini_exec -m gemini-3-flash-preview {options}\nQuestion {next(NUMBERS)}: what does {name} say?"
        return notebook.run(cell, live=live)

    return ask


def texts(steps: list[dict[str, Any]]) -> list[str]:
    """The model's words, as an answer has them: without what changes on a page."""
    blocks = [block for step in steps if step["type"] == "model_output" for block in step.get("content", ())]
    return [block["text"] for block in blocks if isinstance(block, dict) and block.get("type") == "text"]


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
@pytest.mark.parametrize("name", CORPUS)
def test_a_stream_is_shown(told: Callable[..., Any], name: str, live: bool) -> None:
    expected = json.loads(CORPUS[name].with_suffix(".json").read_text(encoding="utf-8"))
    ran = told(name, live=live)
    if expected["end"] in WELL:
        assert ran.status == "ok", ran.of("error")
    else:
        assert ran.red_line
        note = "This is not the whole answer." if expected["steps"] else "There is no answer."
        assert note in ran.text
    shown = re.sub(r"\[[¹²³⁴⁵⁶⁷⁸⁹⁰]+\]", "", ran.text)  # the marks of citations
    for text in texts(expected["steps"]):
        assert all(word in shown for word in text.split()), ran.text


def test_thoughts_and_their_pictures(told: Callable[..., Any]) -> None:
    assert "[Thoughts]\nI look at it.\n\nDone." in told("thought-with-picture").text
    assert "[Thoughts]\n**Plan**" in told("thinking").text


def test_code_its_results_and_pictures(told: Callable[..., Any], notebook: Any) -> None:
    ran = told("several-results")
    assert ran.text.count("ZeroDivisionError: division by zero") == 1
    assert notebook.value("len(_gemini.code)") == 1
    assert notebook.value("_gemini.results[0]").startswith("1\ndivision by zero")
    assert notebook.value("len(_gemini.images)") == 2
    told("code-execution")
    assert notebook.value("[_gemini.code, _gemini.results, len(_gemini.images), _gemini.text]") == [
        ["print(sum(range(1, 11)))"],
        ["55\n"],
        1,
        "The sum is 55.",
    ]


def test_what_nobody_knows_is_folded(told: Callable[..., Any]) -> None:
    folded = [data["text/markdown"] for data in told("unknown").outputs if "telepathy" in str(data)]
    assert len(folded) == 1 and folded[0].startswith("<details><summary>Step: telepathy</summary>")
    assert '"me"' in folded[0]


def test_no_code_was_executed(told: Callable[..., Any]) -> None:
    assert "No code was executed." in told("no-done").text
    assert "No code was executed." not in told("code-execution").text
