"""``--run local`` with a Gemini model: its code runs isolated on this computer, on the whole data, by calls."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

Step = tuple[dict[str, Any], list[dict[str, Any]]]

SESSION = """
import pandas as pd
people = pd.DataFrame({"name": ["canary-Ada", "canary-Bob", "canary-Eve"], "age": [36, 41, 29]})
towns = pd.DataFrame({"name": ["canary-Ada", "canary-Eve"], "town": ["Bonn", "Kyiv"]})
"""


@pytest.fixture(scope="module", autouse=True)
def _session(notebook: Any) -> None:
    notebook.do(SESSION)


def _runs(code: str, id: str = "f1") -> Step:
    """A call of ``run_python`` as Google streams it (wire.md section 3.3)."""
    text = json.dumps({"code": code})
    start = {"type": "function_call", "id": id, "name": "run_python", "arguments": {}, "signature": "c2ln"}
    return start, [{"type": "arguments_delta", "arguments": piece} for piece in (text[:9], text[9:])]


def _said(text: str) -> Step:
    return {"type": "model_output"}, [{"type": "text", "text": text}]


def _asks(google: Callable[..., Any], *codes: str, text: str = "Done.", end: str = "v1_end") -> list[Any]:
    """A dialogue: one block of code after the other, then a text."""
    calls = [
        google(_runs(code, f"f{number}"), id=f"v1_{number}", status="requires_action")
        for number, code in enumerate(codes)
    ]
    return [*calls, google(_said(text), id=end)]


def _told(body: dict[str, Any]) -> str:
    [step] = body["input"]
    return "".join(block.get("text", "") for block in step["result"])


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_code_runs_here_on_the_whole_data(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any, live: bool
) -> None:
    server = asked_at(*_asks(google, "print(people['age'].sum(), len(towns))", text="It is 106."))
    ran = notebook.run("%%gemini_exec --run local -o answer\nSum the ages in @people; count @towns.", live=live)
    assert ran.status == "ok", ran.of("error")
    first, second = map(body_of, server.seen)
    assert [tool.get("name", tool["type"]) for tool in first["tools"]] == ["run_python"]
    assert first["tools"] == second["tools"]
    assert b"canary" not in server.seen[0].body and "people" in first["input"] and "age" in first["input"]
    [result] = second["input"]
    assert result == {
        "type": "function_result",
        "call_id": "f0",
        "name": "run_python",
        "result": [{"type": "text", "text": "106 2\n"}],
        "is_error": False,
    }
    assert second["previous_interaction_id"] == "v1_0"
    assert notebook.value("answer.code") == ["print(people['age'].sum(), len(towns))"]
    assert notebook.value("answer.results") == ["106 2\n"]
    assert notebook.value("answer.place") == "this computer, isolated"
    assert {"text/plain": "106 2"} in ran.outputs
    assert "this computer, isolated" in ran.outputs[-1]["text/plain"]
    assert "all 3 rows of people, all 2 rows of towns" in ran.outputs[-1]["text/plain"]
    assert "No code was executed" not in ran.text and "Function: run_python" not in str(ran.outputs)
    assert "| (output of run 1) | text |" in ran.outputs[0]["text/markdown"]
    sizes = notebook.value("{e.name: e.bytes for e in answer.sent.entries}")
    assert sizes["(output of run 1)"] == len("106 2\n")
    assert notebook.value("[e.policy for e in answer.sent.entries][:2]") == ["schema", "schema"]


def test_an_error_is_repaired_in_the_same_variables(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    server = asked_at(*_asks(google, "old = people['age'].max()\nprint(1 / 0)", "print(old)"))
    ran = notebook.run("%%gemini_exec --run local -o answer\nHow old is the oldest in @people?")
    assert ran.status == "ok", ran.of("error")
    failed, worked = (body_of(seen)["input"][0] for seen in server.seen[1:])
    assert failed["is_error"] is True and "ZeroDivisionError: division by zero" in failed["result"][0]["text"]
    assert worked["is_error"] is False and worked["result"][0]["text"] == "41\n"
    assert notebook.value("[a.failed for a in answer.attempts]") == [True, False]
    assert "1 failed attempt" in ran.text


def test_five_failures_are_enough(notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any) -> None:
    server = asked_at(*_asks(google, *["1 / 0"] * 6, text="I can't."))
    ran = notebook.run("%%gemini_exec --run local -o answer\nTry @people.")
    assert ran.status == "ok", ran.of("error")
    told = [_told(body_of(seen)) for seen in server.seen[1:]]
    assert ["Run no more" in text for text in told] == [False] * 4 + [True] * 2
    assert "ZeroDivisionError" not in told[5]
    server = asked_at(*_asks(google, *["1 / 0"] * 9))
    ran = notebook.fails("%%gemini_exec --run local\nTry @people.")
    assert "ran code 5 times without an answer" in ran.red_line and len(server.seen) == 7


def test_figures_go_back_as_images(notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any) -> None:
    code = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.title('Rising')\nplt.show()"
    server = asked_at(*_asks(google, code))
    ran = notebook.run("%%gemini_exec --run local -o answer\nDraw.")
    assert ran.status == "ok", ran.of("error")
    *_, image = body_of(server.seen[1])["input"][0]["result"]
    assert image["type"] == "image" and image["mime_type"] == "image/png"
    assert base64.b64decode(image["data"]).startswith(b"\x89PNG")
    assert notebook.value("len(answer.images)") == 1
    assert any("image/png" in data for data in ran.outputs)
    assert "with 1 figure" in ran.outputs[0]["text/markdown"]


@pytest.mark.parametrize("asks", ["--send schema\nLook at @people.", "\nLook at @people:schema and @towns."])
def test_under_schema_no_value_goes_back(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any, asks: str
) -> None:
    codes = [
        "top = people.head(2)\nprint(top)\ntop",
        "first = people['name'][0]\nraise KeyError(first)",
        "raise type(people['name'][0], (Exception,), {})()",
        "import matplotlib.pyplot as plt\nplt.plot([1])\nplt.title(people['name'][0])\nplt.show()",
        "people[people['name'][1]]",
    ]
    server = asked_at(*_asks(google, *codes), *_asks(google, "print(people['name'][0])"))
    ran = notebook.run(f"%%gemini_exec --run local -o answer {asks}")
    assert ran.status == "ok", ran.of("error")
    assert not any(b"canary" in seen.body for seen in server.seen)
    assert [_told(body_of(seen)) for seen in server.seen[1:]] == [
        "It worked.\ntop: DataFrame, 2 x 2",
        "It failed: KeyError in line 2.",
        "It failed: an error in line 1.",
        "It worked.",
        "It failed: KeyError in line 1.",
    ]
    assert all(len(body_of(seen)["input"][0]["result"]) == 1 for seen in server.seen[1:])
    assert "canary-Ada" in notebook.value("answer.results[0]")
    assert "canary-Ada" in ran.text and notebook.value("len(answer.images)") == 1
    ran = notebook.run("%%gemini_exec -c --run local\nAnd the first?")
    assert ran.status == "ok", ran.of("error")
    assert _told(body_of(server.seen[-1])) == "It worked." and "canary-Ada" in ran.text
    assert not any(b"canary" in seen.body for seen in server.seen)


def test_what_the_sandbox_forges_is_no_value(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    name = "people['name'][0]"
    codes = [
        f"import json, sys\ntop = 1\ndef print(_): sys.stdout.write('gemini-exec shapes ' + json.dumps({forged}))"
        for forged in (
            f"{{{name}: ['DataFrame', [1]]}}",
            f"{{'top': [{name}, [1]]}}",
            f"{{'top': ['DataFrame', [{name}]]}}",
            name,
        )
    ]
    codes.append(f"class DataFrame:\n    shape = ({name},)\ntop = DataFrame()")
    codes.append(f"class KeyError(Exception):\n    pass\nKeyError.__name__ = {name}\nraise KeyError")
    server = asked_at(*_asks(google, *codes))
    assert notebook.run("%%gemini_exec --run local\nLook at @people:schema").status == "ok"
    assert not any(b"canary" in seen.body for seen in server.seen)
    told = [_told(body_of(seen)) for seen in server.seen[1:]]
    assert told == ["It worked."] * 5 + ["It failed: an error in line 4."]


def test_a_conversation_goes_on_with_its_variables(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    first, again = "oldest = people['age'].max()", "print(oldest, len(people))"
    asked_at(*_asks(google, first, end="v1_first"), *_asks(google, again), *_asks(google, again))
    assert notebook.run("%%gemini_exec --run local -c=ages\nHow old is the oldest in @people?").status == "ok"
    for name in ("ages", "v1_first"):  # the second is a branch: the kernel went with the other one
        ran = notebook.run(f"%%gemini_exec --run local -c={name} -o answer\nAgain?")
        assert ran.status == "ok", ran.of("error")
        assert notebook.value("answer.results") == ["41 3\n"]


def test_without_a_store_the_conversation_goes_along(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    notebook.do("%config GeminiExecMagics.store = False")
    server = asked_at(*_asks(google, "print(len(people))"))
    ran = notebook.run("%%gemini_exec --run local -o answer\nCount @people.")
    notebook.do("%config GeminiExecMagics.store = True")
    assert ran.status == "ok", ran.of("error")
    body = body_of(server.seen[1])
    assert body["store"] is False and "previous_interaction_id" not in body
    assert [step["type"] for step in body["input"]] == ["user_input", "function_call", "function_result"]
    assert body["input"][1]["signature"] == "c2ln" and body["input"][1]["arguments"] == {"code": "print(len(people))"}
    assert notebook.value("answer.results") == ["3\n"]


def test_no_network_and_no_key_reach_the_code(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    code = "import os, socket\nprint([name for name in os.environ if 'KEY' in name])\n"
    code += "socket.create_connection(('127.0.0.1', %d))"
    server = asked_at(google(_said("No.")))
    server = asked_at(*_asks(google, code % server.port))
    notebook.run("%%gemini_exec --run local\nTry.")
    told = _told(body_of(server.seen[1]))
    assert told.startswith("[]\n") and "Error" in told


def test_the_stop_button_reaches_the_code(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(*_asks(google, "print('begun', flush=True)\nwhile True: pass"))
    cell = notebook.begin("%%gemini_exec --run local\nTake your time.", live=True)
    while "while True" not in json.dumps(notebook.hear(cell)["content"], default=str):
        pass
    notebook.interrupt()
    ran = notebook.finish(cell)
    assert [error["ename"] for error in ran.of("error")] == ["KeyboardInterrupt"]
    assert "not the whole answer" in ran.text and len([seen for seen in server.seen if seen.body]) == 1
    assert notebook.value("6 * 7") == 42


def test_where_nothing_isolates_nothing_is_sent(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(google(_said("No.")))
    notebook.do(
        "import magic_ext.ask.isolated as _isolated\nfrom types import SimpleNamespace\n"
        "_best, _isolated.best_isolation = _isolated.best_isolation, lambda limits: SimpleNamespace(name='none')"
    )
    ran = notebook.fails("%%gemini_exec --run local\nCount.")
    notebook.do("_isolated.best_isolation = _best")
    assert "No sandbox works" in ran.red_line and server.seen == []


def test_other_frames_and_files_are_there_too(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    (notebook.folder / "prices.csv").write_text("article,price\ncanary-tea,3.5\n")
    notebook.do("import polars, pyarrow\npl = polars.DataFrame({'x': [1, 2]})\nat = pyarrow.table({'y': [5]})")
    server = asked_at(
        *_asks(
            google, "import pandas as pd\nprint(pl_df['x'].sum(), at_df['y'].sum())\nprint(open('prices.csv').read())"
        )
    )
    ran = notebook.run("%%gemini_exec --run local -o answer\nSum @pl, @at and @prices.csv")
    assert ran.status == "ok", ran.of("error")
    assert b"canary" not in server.seen[0].body
    assert "pd.read_csv('prices.csv'" in body_of(server.seen[0])["input"]
    assert notebook.value("answer.results[0]").startswith("3 5\narticle,price\ncanary-tea")


def test_a_dry_run_shows_that_names_and_types_go_out(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(google(_said("No.")))
    ran = notebook.run("%%gemini_exec --dry-run --run local\nCount @people")
    assert server.seen == [] and "it stays on this computer" in ran.text and "canary" not in ran.text


def test_functions_of_the_user_are_called_beside_it(
    notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, google: Any, body_of: Any
) -> None:
    notebook.do("def rate(currency: str) -> float:\n    return 2.0")
    call = {"type": "function_call", "id": "g1", "name": "rate", "arguments": {"currency": "EUR"}}
    server = asked_at(google(_runs("print(1)"), (call, []), status="requires_action"), google(_said("2"), id="v1_b"))
    ran = notebook.run("%%gemini_exec --run local --tool rate -o answer\nConvert.")
    assert ran.status == "ok", ran.of("error")
    assert [tool["name"] for tool in body_of(server.seen[0])["tools"]] == ["run_python", "rate"]
    assert [step["result"][0]["text"] for step in body_of(server.seen[1])["input"]] == ["1\n", "2.0"]
    assert notebook.value("answer.results") == ["1\n"]
    notebook.do("def run_python(code: str) -> str:\n    return code")
    assert "another name" in notebook.refuses("%%gemini_exec --run local --tool run_python\nConvert.")


def test_no_code_means_no_tool(notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any) -> None:
    server = asked_at(google(_said("No.")))
    assert notebook.run("%%gemini_exec --run local --no-code\nHi.").status == "ok"
    assert "tools" not in body_of(server.seen[0])


def test_in_the_background(notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, body_of: Any) -> None:
    def reading(id: str, status: str, *steps: dict[str, Any]) -> Any:
        return faults.reply(200, {"id": id, "status": status, "steps": list(steps)})

    call = {"type": "function_call", "id": "f1", "name": "run_python", "arguments": {"code": "print(6 * 7)"}}
    text = {"type": "model_output", "content": [{"type": "text", "text": "42."}]}
    server = asked_at(
        reading("v1_a", "in_progress"),
        reading("v1_a", "requires_action", call),
        reading("v1_b", "in_progress"),
        reading("v1_b", "completed", text),
    )
    ran = notebook.run("%%gemini_exec --background --run local -o answer\nCompute.")
    assert ran.status == "ok", ran.of("error")
    assert _told(body_of(server.seen[2])) == "42\n"
    assert notebook.value("answer.results") == ["42\n"]
