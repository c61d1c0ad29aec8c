"""``store = False``: the server keeps nothing, a conversation carries its whole history, and the footer says so."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ASK = "%%gemini_exec -m gemini-3-flash-preview"
CALL = {"type": "code_execution_call", "id": "c1", "signature": "c2ln+/=="}
RESULT = {"type": "code_execution_result", "call_id": "c1"}
STEPS = (
    ({"type": "thought", "summary": []}, [{"type": "thought_signature", "signature": "b3BhcXVl"}]),
    (CALL, [{"type": "code_execution_call", "arguments": {"code": "print('ü')", "language": "python", "new": [1]}}]),
    (RESULT, [{"type": "code_execution_result", "result": "ü\n", "is_error": False, "signature": "cmVz"}]),
    ({"type": "novelty", "depth": {"x": None}, "signature": ""}, []),
    ({"type": "model_output"}, [{"type": "text", "text": "It is "}, {"type": "text", "text": "ü \U0001f600."}]),
)
AS_THEY_CAME = [
    {"type": "thought", "summary": [], "signature": "b3BhcXVl"},
    CALL | {"arguments": {"code": "print('ü')", "language": "python", "new": [1]}},
    RESULT | {"result": "ü\n", "is_error": False, "signature": "cmVz"},
    {"type": "novelty", "depth": {"x": None}, "signature": ""},
    {"type": "model_output", "content": [{"type": "text", "text": "It is ü \U0001f600."}]},
]


@pytest.fixture(autouse=True)
def _nothing_kept(notebook: Any) -> Iterator[None]:
    notebook.do("%config GeminiExecMagics.store = False")
    yield
    notebook.do("%config GeminiExecMagics.store = True")


def said(text: str) -> dict[str, Any]:
    return {"type": "user_input", "content": [{"type": "text", "text": text}]}


def test_a_conversation_carries_its_history(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    server = asked_at(google(*STEPS, id="v1_a"), google(*STEPS, id=""), google(*STEPS))
    for options, prompt in (("", "One?"), ("-c", "Two?"), ("-c", "Three?")):
        assert notebook.run(f"{ASK} {options}\n{prompt}").status == "ok"
    bodies = [body_of(seen) for seen in server.seen]
    assert bodies[0]["input"] == "One?"
    assert bodies[1]["input"] == [said("One?"), *AS_THEY_CAME, said("Two?")]
    assert bodies[2]["input"] == [*bodies[1]["input"], *AS_THEY_CAME, said("Three?")]
    for body in bodies:
        assert body["store"] is False
        assert "previous_interaction_id" not in body


def test_a_question_without_c_begins_anew(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    server = asked_at(google(*STEPS))
    for _ in range(2):
        notebook.run(f"{ASK}\nOne?")
    assert [body_of(seen)["input"] for seen in server.seen] == ["One?", "One?"]


def test_the_footer_says_what_is_kept(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    asked_at(google(*STEPS))
    assert "; the server keeps nothing" in notebook.run(f"{ASK}\nOne?").text
    notebook.do("%config GeminiExecMagics.store = True")
    assert "; the server keeps it" in notebook.run(f"{ASK}\nOne?").text


def test_a_conversation_that_the_server_keeps_is_not_gone_on_with(
    notebook: Any, asked_at: Callable[..., Any], google: Any
) -> None:
    server = asked_at(google(*STEPS))
    notebook.do("%config GeminiExecMagics.store = True")
    notebook.run(f"{ASK}\nOne?")
    notebook.do("%config GeminiExecMagics.store = False")
    assert "Leave out -c" in notebook.refuses(f"{ASK} -c\nTwo?")
    assert len(server.seen) == 1


def test_a_history_may_be_given_to_a_server_that_keeps_it_from_now_on(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    server = asked_at(google(*STEPS, id="v1_a"), google(*STEPS, id="v1_b"), google(*STEPS, id="v1_c"))
    notebook.run(f"{ASK}\nOne?")
    notebook.do("%config GeminiExecMagics.store = True")
    for prompt in ("Two?", "Three?"):
        assert notebook.run(f"{ASK} -c\n{prompt}").status == "ok"
    second, third = (body_of(seen) for seen in server.seen[1:])
    assert second["input"] == [said("One?"), *AS_THEY_CAME, said("Two?")]
    assert "store" not in second and "previous_interaction_id" not in second
    assert (third["input"], third["previous_interaction_id"]) == ("Three?", "v1_b")


def test_results_of_functions_go_with_the_whole_history(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    notebook.do('def twice(n: int) -> int:\n    """Double."""\n    return 2 * n')
    asking = ({"type": "function_call", "id": "f1", "name": "twice", "arguments": {"n": 4}, "signature": "Zg=="}, [])
    server = asked_at(google(asking, status="requires_action"), google(*STEPS))
    assert notebook.run(f"{ASK} --tool twice\nTwice 4?").status == "ok"
    first, call, result = body_of(server.seen[1])["input"]
    assert (first, call) == (said("Twice 4?"), asking[0])
    assert (result["type"], result["call_id"]) == ("function_result", "f1")
    assert "8" in json.dumps(result["result"])
    assert "previous_interaction_id" not in body_of(server.seen[1])


def test_a_conversation_on_this_computer(notebook: Any, penguins_csv: Path) -> None:
    notebook.do(f"import pandas as pd; penguins = pd.read_csv({str(penguins_csv)!r})")
    first = notebook.run("%%gemini_exec -m offline-planner\nWhat is the mean body_mass_g in @penguins by species?")
    assert (first.status, "5076" in first.text) == ("ok", True)
    second = notebook.run("%%gemini_exec -m offline-planner -c\nBy island instead?")
    assert (second.status, "Torgersen" in second.text) == ("ok", True), second.text
