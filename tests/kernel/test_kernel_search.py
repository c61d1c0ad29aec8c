"""``--search`` in a real kernel: asked for, shown with its citations, refused where nothing can search."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

TEXT = "Zürich hat **443 037** Einwohner. So steht es dort."
CITED = len("Zürich hat **443 037** Einwohner.".encode())
CHIPS = (
    '<style>.c{color:red}</style><script>alert(1)</script><div class="c">'
    '<a class="chip" href="https://www.google.com/search?q=z%C3%BCrich">Einwohner <b>Zürich</b></a>'
    '<a href="javascript:alert(2)">evil</a></div>'
)
DAMAGED = {"search_suggestions": "<![x[y"}
# As a real stream was recorded (wire.md section 3.3): the text first, its annotations, then the search's steps.
SEARCHED = (
    (
        {"type": "model_output"},
        [
            {"type": "text", "text": TEXT},
            {
                "type": "text_annotation_delta",
                "annotations": [
                    {
                        "type": "url_citation",
                        "start_index": 0,
                        "end_index": CITED,
                        "url": "https://www.stadt-zuerich.ch/zahlen",
                        "title": "stadt-zuerich.ch",
                    },
                    {
                        "type": "url_citation",
                        "start_index": 7,
                        "end_index": 99999,
                        "url": "https://b.example",
                        "title": "B",
                    },
                ],
            },
        ],
    ),
    (
        {"id": "7xveqyd2", "signature": "", "type": "google_search_call"},
        [{"type": "google_search_call", "arguments": {"queries": ["Einwohner Zürich", "<b>2"]}, "signature": "c2ln"}],
    ),
    (
        {"call_id": "7xveqyd2", "signature": "", "type": "google_search_result"},
        [{"type": "google_search_result", "result": [{"search_suggestions": CHIPS}], "signature": "c2ln"}],
    ),
)


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_a_searched_answer_shows_its_sources(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any, live: bool
) -> None:
    server = asked_at(google(*SEARCHED))
    ran = notebook.run("%%gemini_exec --search --no-code -o answer\nWie viele Einwohner hat Zürich?", live=live)
    assert ran.status == "ok", ran.of("error")
    assert body_of(server.seen[0])["tools"] == [{"type": "google_search"}]
    markdown = [data.get("text/markdown", "") for data in ran.outputs]
    assert "Zürich hat **443 037** Einwohner.[¹] So steht es dort." in markdown
    [pages] = [one for one in markdown if one.startswith("Sources:")]
    assert pages.split("\n\n")[1].split("\n") == [
        "1. [stadt-zuerich.ch](https://www.stadt-zuerich.ch/zahlen)",
        "2. [B](https://b.example)",
    ]
    [asked] = [one for one in markdown if "Searched the web" in one]
    assert asked.startswith("<details>") and "Einwohner Zürich" in asked and "<b>" not in asked
    [chips] = [one for one in markdown if "Search suggestions" in one]
    assert "[Einwohner Zürich](https://www.google.com/search?q=z%C3%BCrich)" in chips
    shown = "\n".join(markdown)
    assert not any(word in shown for word in ("<script", "<style", "javascript:", "<div", "text/html"))
    assert all("text/html" not in data for data in ran.outputs)
    assert notebook.value("answer.text") == TEXT


def test_search_code_and_functions_go_together(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    notebook.do("def f(x: int) -> int: return x")
    server = asked_at(google(*SEARCHED))
    assert notebook.run("%%gemini_exec --search --tool f\nHow many?").status == "ok"
    assert [tool["type"] for tool in body_of(server.seen[0])["tools"]] == [
        "code_execution",
        "google_search",
        "function",
    ]


@pytest.mark.parametrize("model", ["offline-planner", "scripted:talk.json"])
def test_an_engine_here_says_that_it_cannot_search(notebook: Any, model: str) -> None:
    (notebook.folder / "talk.json").write_text("[]")
    assert f"{model} can't search the web." in notebook.refuses(f"%%gemini_exec --search -m {model}\nhi")


def test_a_search_that_failed_or_is_odd_takes_nothing_with_it(
    notebook: Any, asked_at: Callable[..., Any], google: Any
) -> None:
    odd: list[Any] = [
        ({"type": "google_search_call", "id": "1"}, [{"type": "google_search_call", "arguments": {"queries": "x"}}]),
        ({"type": "google_search_call", "id": "2"}, []),
        ({"type": "google_search_result", "call_id": "1", "result": {"a": 1}}, []),
        (
            {
                "type": "google_search_result",
                "call_id": "1",
                "result": [7, {"search_suggestions": 7}, {"search_suggestions": "<![x[y"}],
            },
            [],
        ),
        ({"type": "google_search_result", "call_id": "2", "is_error": True}, []),
    ]
    asked_at(google(*odd, SEARCHED[0]))
    ran = notebook.run("%%gemini_exec --search\nHow many?")
    assert ran.status == "ok", ran.of("error")
    assert "The web search failed" in ran.text and "Einwohner.[¹]" in ran.text
