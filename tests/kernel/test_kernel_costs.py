"""Costs in a real kernel: a dry run tells them, a budget refuses before sending, the ledger sums them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

TEXT = ({"type": "model_output"}, [{"type": "text", "text": "It is **55**."}])
USAGE = {"total_input_tokens": 1_000, "total_output_tokens": 500, "total_tool_use_tokens": 500, "total_tokens": 2_000}
LONG = "word " * 2_000  # about 2,500 tokens


@pytest.fixture(autouse=True)
def _as_it_was(notebook: Any) -> Iterator[None]:
    yield
    notebook.do("%config GeminiExecMagics.budget = ''\n%config GeminiExecMagics.session_budget = '5M'")


def test_a_dry_run_shows_request_tokens_and_cost(notebook: Any, asked_at: Callable[..., Any]) -> None:
    server = asked_at()
    ran = notebook.run(f"%%gemini_exec --dry-run\n{LONG}")
    assert ran.status == "ok" and server.seen == []
    markdown = ran.outputs[-1]["text/markdown"]
    assert '"model": "gemini-3-flash-preview"' in markdown and "code_execution" in markdown
    assert "estimated, four bytes a token" in markdown
    assert "Cost: from $0.0013 to about $0.20" in ran.text


def test_google_counts_when_it_is_asked_to(notebook: Any, asked_at: Callable[..., Any], faults: Any) -> None:
    server = asked_at(faults.reply(200, {"totalTokens": 4_321}))
    ran = notebook.run("%%gemini_exec --dry-run=count\nhow many")
    assert "Input: 4,321 tokens (counted by 127.0.0.1" in ran.text
    [seen] = server.seen
    assert seen.target == "/v1beta/models/gemini-3-flash-preview:countTokens"
    assert json.loads(seen.body)["contents"][0]["parts"][-1] == {"text": "how many"}


def test_an_unknown_price_is_unknown(notebook: Any, asked_at: Callable[..., Any]) -> None:
    asked_at()
    assert "Cost: unknown" in notebook.run("%%gemini_exec --dry-run -m gemini-9\nhi").text
    assert "price of this model is not known" in notebook.run("%%gemini_exec --budget 1usd -m gemini-9\nhi").red_line


@pytest.mark.parametrize("budget", ["2k", "0.0001usd"])
def test_a_question_over_its_budget_is_not_sent(notebook: Any, asked_at: Callable[..., Any], budget: str) -> None:
    server = asked_at()
    ran = notebook.run(f"%%gemini_exec --budget {budget}\n{LONG}")
    assert "left: it is not sent. Send less" in ran.red_line and server.seen == []
    assert "status: not sent" in ran.text
    dry = notebook.run(f"%%gemini_exec --dry-run --budget {budget}\n{LONG}").text
    refused = next(line for line in dry.splitlines() if line.startswith("Refused: "))
    assert ran.red_line == refused.removeprefix("Refused: "), "the dry run says what the cell would say"


def test_a_budget_bounds_the_answer(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Callable[[Any], Any]
) -> None:
    server = asked_at(google(TEXT, usage=USAGE), google(TEXT, usage=USAGE))
    assert notebook.run("%%gemini_exec --budget 20k\nhi").status == "ok"
    assert 19_000 < body_of(server.seen[0])["generation_config"]["max_output_tokens"] < 20_000
    assert notebook.run("%%gemini_exec\nhi").status == "ok"
    assert "generation_config" not in body_of(server.seen[1]), "a budget that is far away says nothing"


def test_what_the_server_remembers_counts(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Callable[[Any], Any]
) -> None:
    server = asked_at(google(TEXT, usage=USAGE))
    notebook.run("%%gemini_exec\nhi")
    assert "1,500 of them the conversation so far" in notebook.run("%%gemini_exec -c --dry-run\nand now?").text
    assert notebook.run("%%gemini_exec -c --budget 1.5k\nand now?").status == "error"
    assert len(server.seen) == 1


def test_rounds_of_functions_stay_within_the_budget(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    call = ({"type": "function_call", "id": "c", "name": "weather", "arguments": {}}, [])
    server = asked_at(google(call, status="requires_action", usage=USAGE))
    notebook.do("def weather() -> str:\n    'The weather.'\n    return 'rain'")
    ran = notebook.run("%%gemini_exec --tool weather --budget 2.2k\nHow is the weather?")
    assert "the budget has" in ran.red_line and "left: it is not sent" in ran.red_line
    assert len(server.seen) == 1


def test_a_session_has_a_budget(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(google(TEXT, usage=USAGE))
    assert notebook.value("get_ipython().magics_manager.registry['GeminiExecMagics'].session_budget") == "5M"
    notebook.run("%%gemini_exec\nhi")
    notebook.do("%config GeminiExecMagics.session_budget = '1k'")
    ran = notebook.run("%%gemini_exec\nhi")
    assert "session's budget" in ran.red_line
    assert len(server.seen) == 1


def test_usage_is_told_by_cell_and_model(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    asked_at(google(TEXT, usage=USAGE))
    ran = notebook.run("%%gemini_exec\nhi", live=True)
    assert "2,000 tokens, about $0.0022" in ran.text
    table = notebook.do("%gemini usage")
    assert "cell [" in table and "all  gemini-3-flash-preview" in table
    assert "$0.0022" in table and "list prices as read on" in table


def test_a_budget_that_is_none_is_told_before_anything(notebook: Any, asked_at: Callable[..., Any]) -> None:
    server = asked_at()
    ran = notebook.run("%%gemini_exec --budget much\nhi")
    assert "'much' is not a budget" in ran.red_line and server.seen == []
