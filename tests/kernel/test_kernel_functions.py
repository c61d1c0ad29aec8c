"""``--tool`` in a real kernel: the user's functions called by a Google-like server and by the engine in the kernel."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

SESSION = """
def weather(city: str, day: int = 0) -> dict:
    "The weather in a city; day counts from today."
    return {"city": city, "degrees": -3 + day}

def broken(city: str) -> str:
    password = "tulip-in-a-local"
    raise RuntimeError(f"no line to {city}")

def table():
    import pandas as pd
    return pd.DataFrame({"city": ["Kyiv", "Bonn"], "degrees": [-3, 8]})
"""


@pytest.fixture(scope="module", autouse=True)
def _session(notebook: Any) -> None:
    notebook.do(SESSION)


def _call(id: str, name: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A call as Google streams it (wire.md section 3.3): empty at first, the arguments as pieces of JSON."""
    text = json.dumps(arguments)
    pieces = [{"type": "arguments_delta", "arguments": piece} for piece in (text[:5], text[5:])]
    start = {"type": "function_call", "id": id, "name": name, "arguments": {}, "signature": "c2ln"}
    return start, pieces


def _said(text: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return {"type": "model_output"}, [{"type": "text", "text": text}]


THOUGHT = (
    {"type": "thought"},
    [{"type": "thought_signature", "signature": "c2ln"}],
)
RAN = (
    (
        {"type": "code_execution_call", "id": "code1"},
        [{"type": "code_execution_call", "arguments": {"code": "print(6*7)"}}],
    ),
    ({"type": "code_execution_result", "call_id": "code1"}, [{"type": "code_execution_result", "result": "42\n"}]),
)


def _results(body: dict[str, Any]) -> dict[str, str]:
    return {step["call_id"]: step["result"][0]["text"] for step in body["input"]}


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_the_model_asks_and_is_answered(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any, live: bool
) -> None:
    usage = {"usage": {"total_tokens": 10}}
    server = asked_at(
        google(THOUGHT, *RAN, _call("f1", "weather", {"city": "Kyiv"}), id="v1_a", status="requires_action", **usage),
        google(_said("It is **-3** degrees."), id="v1_b", **usage),
    )
    ran = notebook.run("%%gemini_exec --tool weather -o answer\nHow cold is it in Kyiv?", live=live)
    assert ran.status == "ok", ran.of("error")
    first, second = map(body_of, server.seen)
    declared = {
        "type": "function",
        "name": "weather",
        "description": "The weather in a city; day counts from today.",
        "parameters": {
            "title": "weather",
            "type": "object",
            "properties": {"city": {"type": "string"}, "day": {"type": "integer"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    }
    assert first["tools"] == second["tools"] == [{"type": "code_execution"}, declared]
    assert second["previous_interaction_id"] == "v1_a"
    assert second["system_instruction"] == first["system_instruction"]
    [result] = second["input"]
    assert result == {
        "type": "function_result",
        "call_id": "f1",
        "name": "weather",
        "result": [{"type": "text", "text": '{"city":"Kyiv","degrees":-3}'}],
        "is_error": False,
    }
    [folded] = [data for data in ran.outputs if "weather(city" in data.get("text/markdown", "")]
    assert folded["text/markdown"].startswith("<details><summary>Function: weather(city=&quot;Kyiv&quot;)</summary>")
    assert '{"city":"Kyiv","degrees":-3}' in folded["text/markdown"]
    assert folded["text/plain"] == '[weather(city="Kyiv")] {"city":"Kyiv","degrees":-3}'
    assert ("weather() 0." in ran.outputs[-1]["text/plain"]) == live
    receipt = ran.outputs[0]["text/markdown"]
    assert "| weather() | function |" in receipt and "| weather() | function result |" in receipt
    assert {"text/plain": "42"} in ran.outputs
    assert notebook.value("answer.text") == "It is **-3** degrees."
    assert notebook.value("[(c.name, c.arguments, c.result, c.failed) for c in answer.calls]") == [
        ["weather", {"city": "Kyiv"}, '{"city":"Kyiv","degrees":-3}', False]
    ]
    assert notebook.value("[0 <= c.seconds < answer.seconds for c in answer.calls]") == [True]
    assert notebook.value("answer.usage.total_tokens") == 20
    assert notebook.value("[(e.name, e.kind) for e in answer.sent.entries]") == [
        ["weather()", "function"],
        ["(instructions)", "text"],
        ["weather()", "function result"],
        ["(sent again)", "instructions, functions, conversation"],
    ]
    assert notebook.value("answer.sent.entries[2].bytes") == len('{"city":"Kyiv","degrees":-3}')


def test_several_calls_are_answered_together_whatever_becomes_of_them(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    calls = [
        _call("f1", "weather", {"city": "Kyiv", "day": "2"}),
        _call("f2", "broken", {"city": "Bonn"}),
        _call("f3", "format_disk", {}),
        _call("f4", "weather", {"town": "Riga"}),
        _call("f5", "table", {}),
    ]
    server = asked_at(google(*calls, status="requires_action"), google(_said("Done."), id="v1_b"))
    ran = notebook.run("%%gemini_exec --tool weather --tool=broken --tool table\nCompare.")
    assert ran.status == "ok", ran.of("error")
    second = body_of(server.seen[1])
    told = _results(second)
    assert told["f1"] == '{"city":"Kyiv","degrees":-1}'
    assert told["f2"] == "RuntimeError: no line to Bonn"
    assert told["f3"] == "LookupError: there is no function 'format_disk'; declared: weather, broken, table"
    assert "missing required field `city`" in told["f4"] or "unknown field `town`" in told["f4"]
    assert "city,degrees" in told["f5"] and "Bonn,8" in told["f5"]
    assert [step["is_error"] for step in second["input"]] == [False, True, True, True, False]
    assert b"tulip" not in server.seen[1].body
    assert "Function failed: broken(" in str(ran.outputs)
    assert notebook.value("[c.failed for c in _gemini.calls]") == [False, True, True, True, False]
    assert notebook.value("_gemini.calls[1].result") == "RuntimeError: no line to Bonn"


def test_a_model_that_only_calls_is_stopped(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    notebook.do("calls = []\ndef again(n: int) -> int:\n    calls.append(n)\n    return n")
    server = asked_at(google(_call("f1", "again", {"n": 1}), status="requires_action"))
    ran = notebook.fails("%%gemini_exec --tool again\nGo on for ever.")
    assert "asked for functions 10 times without an answer" in ran.red_line
    assert len(server.seen) == 11
    assert notebook.value("len(calls)") == 10


def test_a_question_without_functions_still_ends_where_one_is_asked_for(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    server = asked_at(google(_call("f1", "weather", {}), status="requires_action"), google(_said("Well.")))
    assert notebook.run("%%gemini_exec\nHow cold is it?").status == "ok"
    assert _results(body_of(server.seen[1]))["f1"] == "LookupError: there is no function 'weather'; declared: none"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--tool wether", "Did you mean weather?"),
        ("--tool", "needs a value"),
        ("--tool answer_to_all", "Run the cell that defines it first."),
        ("--tool weather -m offline-planner", "offline-planner calls no functions."),
    ],
)
def test_what_cannot_be_a_tool_is_refused_before_anything_is_sent(
    notebook: Any, asked_at: Callable[..., Any], google: Any, line: str, says: str
) -> None:
    server = asked_at(google(_said("No.")))
    assert says in notebook.refuses(f"%%gemini_exec {line}\nHow cold is it?")
    assert server.seen == []


def test_a_dry_run_shows_what_is_told_of_a_function(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(google(_said("No.")))
    ran = notebook.run("%%gemini_exec --dry-run --tool weather\nHow cold is it?")
    assert "weather()  function" in ran.text and server.seen == []


def test_the_engine_in_the_kernel_calls_them_too(notebook: Any) -> None:
    calls = [{"function_call": {"name": "weather", "arguments": {"city": city}}} for city in ("Kyiv", "Bonn")]
    code = [{"code": "print(6 * 7)"}]
    script = [[[{"text": "I look. "}, *calls], code, [calls[0]], [{"text": "Cold."}]], [[{"text": "Still."}]]]
    (notebook.folder / "talk.json").write_text(json.dumps(script))
    ran = notebook.run("%%gemini_exec --tool weather -m scripted:talk.json -o answer\nHow cold is it?")
    assert ran.status == "ok", ran.of("error")
    assert notebook.value("answer.text") == "I look. \n\nCold."
    assert notebook.value("answer.results") == ["42\n"]
    assert ran.text.count('weather(city="Kyiv")') == 2 and ran.text.count('weather(city="Bonn")') == 1
    assert "nothing left this computer" in ran.outputs[-1]["text/plain"]
    ran = notebook.run("%%gemini_exec -c -m scripted:talk.json\nAnd now?")
    assert "Still." in ran.text


def test_functions_can_be_a_setting(notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any) -> None:
    server = asked_at(google(_said("No.")))
    notebook.do("%config GeminiExecMagics.tools = ['weather']")
    notebook.run("%%gemini_exec --no-code --tool table\nHow cold is it?")
    notebook.do("%config GeminiExecMagics.tools = []")
    assert [tool["name"] for tool in body_of(server.seen[0])["tools"]] == ["weather", "table"]


def test_functions_are_called_in_the_background_too(
    notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, body_of: Any
) -> None:
    def reading(id: str, status: str, *steps: dict[str, Any]) -> Any:
        return faults.reply(200, {"id": id, "status": status, "steps": list(steps)})

    call = {"type": "function_call", "id": "f1", "name": "weather", "arguments": {"city": "Kyiv"}}
    cold = {"type": "model_output", "content": [{"type": "text", "text": "Cold."}]}
    server = asked_at(
        reading("v1_a", "in_progress"),
        reading("v1_a", "requires_action", call),
        reading("v1_b", "in_progress"),
        reading("v1_b", "completed", cold),
    )
    ran = notebook.run("%%gemini_exec --background --tool weather -o answer\nHow cold is it?")
    assert ran.status == "ok", ran.of("error")
    assert [(seen.method, seen.target.rpartition("/")[2].partition("?")[0]) for seen in server.seen] == [
        ("POST", "interactions"),
        ("GET", "v1_a"),
        ("POST", "interactions"),
        ("GET", "v1_b"),
    ]
    again = body_of(server.seen[2])
    assert again["background"] is True and again["previous_interaction_id"] == "v1_a"
    assert _results(again) == {"f1": '{"city":"Kyiv","degrees":-3}'}
    assert notebook.value("answer.text") == "Cold."


def test_the_stop_button_reaches_a_function(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    notebook.do("import time\ndef slow() -> int:\n    print('begun', flush=True)\n    time.sleep(60)")
    server = asked_at(google(_call("f1", "slow", {}), status="requires_action"), google(_said("Too late.")))
    cell = notebook.begin("%%gemini_exec --tool slow\nTake your time.")
    while "begun" not in json.dumps(notebook.hear(cell)["content"], default=str):
        pass
    notebook.interrupt()
    ran = notebook.finish(cell)
    assert [error["ename"] for error in ran.of("error")] == ["KeyboardInterrupt"]
    assert "not the whole answer" in ran.text and "[slow()]" in ran.text
    assert len(server.seen) == 1
    assert notebook.value("6 * 7") == 42
