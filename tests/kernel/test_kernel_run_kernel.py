"""``--run kernel``: a model's code in the user's own kernel, after a yes; with a Google-like server and a script."""

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
people = pd.DataFrame({"name": ["canary-Ada", "canary-Bob"], "age": [36, 41]})
far = {"away": 7}
"""
ASK = "%%gemini_exec --run kernel -o answer"


@pytest.fixture(scope="module", autouse=True)
def _session(notebook: Any) -> None:
    notebook.do(SESSION)


@pytest.fixture
def unasked(notebook: Any) -> Any:
    """Code runs without a question."""
    notebook.do("%config GeminiExecMagics.run_unasked = True")
    yield
    notebook.do("%config GeminiExecMagics.run_unasked = False")


def _runs(code: str, id: str = "f1") -> Step:
    start = {"type": "function_call", "id": id, "name": "run_python", "arguments": {}, "signature": "c2ln"}
    return start, [{"type": "arguments_delta", "arguments": json.dumps({"code": code})}]


def _asks(google: Callable[..., Any], *codes: str, text: str = "Done.") -> list[Any]:
    """A dialogue: one block of code after the other, then a text."""
    calls = [
        google(_runs(code, f"f{number}"), id=f"v1_{number}", status="requires_action")
        for number, code in enumerate(codes)
    ]
    return [*calls, google(({"type": "model_output"}, [{"type": "text", "text": text}]), id="v1_end")]


def _told(body: dict[str, Any]) -> str:
    [step] = body["input"]
    return "".join(block.get("text", "") for block in step["result"])


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_a_yes_runs_the_code_beside_the_users_variables(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any, live: bool
) -> None:
    code = (
        "far['near'] = 1\npeople['old'] = people['age'] > 40\ntotal = people['age'].sum() + far['away']\nprint(total)"
    )
    server = asked_at(*_asks(google, code, text="It is 84."))
    ran = notebook.run(f"{ASK}\nSum the ages in @people.", live=live, answers=["y"])
    assert ran.status == "ok", ran.of("error")
    first, second = map(body_of, server.seen)
    assert [tool.get("name", tool["type"]) for tool in first["tools"]] == ["run_python"]
    assert "user's own kernel" in first["system_instruction"]
    assert b"canary" not in server.seen[0].body + server.seen[1].body
    assert "`people`: pandas DataFrame, 2 rows x 2 columns" in first["input"]
    assert _told(second) == "84\n"
    [question] = notebook.asked
    assert question.endswith("Run this in your kernel? [y]es/[n]o/[a]lways in this session: ")
    assert (code in question) != live  # live, it stands above
    assert any(code in data.get("text/markdown", "") for data in ran.outputs)
    assert notebook.value("answer.results") == ["84\n"] and notebook.value("answer.place") == "your kernel"
    assert "your kernel · all 2 rows" in ran.outputs[-1]["text/plain"]
    assert "| (output of run 1) | text |" in ran.outputs[0]["text/markdown"]
    # its names stay its own, and so do pandas' frames; what is changed in place is changed
    assert notebook.value("'total' in globals() or 'old' in people") is False
    assert notebook.value("far.pop('near')") == 1


def test_what_is_asked_stands_above_before_the_answer(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    asked_at(*_asks(google, "print(41 + 1)"))
    cell = notebook.begin(f"{ASK}\nCompute.", live=True, answers=["n"])
    heard = ""
    while "print(41 + 1)" not in heard:  # stdin is a channel of its own, so only the order of the outputs tells
        heard = json.dumps(notebook.hear(cell)["content"], default=str)
    assert "text/markdown" in heard and "did not allow" not in heard
    assert notebook.finish(cell).status == "ok"


def test_a_no_is_told_to_the_model(notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any) -> None:
    server = asked_at(*_asks(google, "print(people)", text="As you like."))
    ran = notebook.run(f"{ASK}\nShow @people.", answers=["n"])
    assert ran.status == "ok", ran.of("error")
    [result] = body_of(server.seen[1])["input"]
    assert result["is_error"] is True and _told({"input": [result]}) == "The user did not allow this code to run."
    assert "did not allow" in notebook.value("answer.results[0]") and "As you like." in ran.text


def test_always_is_asked_once_in_a_session(
    open_notebook: Callable[..., Any], serve: Callable[..., Any], google: Any, faults: SimpleNamespace, key: str
) -> None:
    notebook = open_notebook(GEMINI_API_KEY=key)
    notebook.do("%load_ext magic_ext")
    gone = faults.reply(200, {})
    server = serve(*_asks(google, "x = 1", "print(x)"), *_asks(google, "print(2)"), gone, gone, *_asks(google, "3"))
    notebook.do(f"import os; os.environ['GOOGLE_GEMINI_BASE_URL'] = {server.url!r}")
    ran = notebook.run(f"{ASK}\nCompute.", answers=["a"])
    assert ran.status == "ok" and len(notebook.asked) == 1
    ran = notebook.run(f"{ASK}\nCompute.", answers=[])
    assert ran.status == "ok" and notebook.asked == [] and notebook.value("answer.results") == ["2\n"]
    assert notebook.run("%gemini forget", answers=["y"]).status == "ok"
    ran = notebook.run(f"{ASK}\nCompute.", answers=["n"])
    assert ran.status == "ok" and len(notebook.asked) == 1


def test_where_nobody_can_be_asked_nothing_is_sent(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(*_asks(google, "print(1)"))
    ran = notebook.fails(f"{ASK}\nCompute.")
    assert "GeminiExecMagics.run_unasked" in ran.red_line and server.seen == []


@pytest.mark.usefixtures("unasked")
def test_errors_are_repaired_and_told_as_python_shows_them(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    broken = "def half(x):\n    return x / 0\n\nhalf(1)"
    server = asked_at(*_asks(google, broken, "if:", "raise SystemExit(3)", "half.__name__"))
    ran = notebook.run(f"{ASK}\nTry.")
    assert ran.status == "ok", ran.of("error")
    first, second, third, last = (_told(body_of(seen)) for seen in server.seen[1:])
    assert first == (
        "Traceback (most recent call last):\n"
        '  File "<run_python 1>", line 4, in <module>\n    half(1)\n'
        '  File "<run_python 1>", line 2, in half\n    return x / 0\n           ~~^~~\n'
        "ZeroDivisionError: division by zero"
    )
    assert "/magic_ext/" not in first + second + third
    assert "SyntaxError" in second and third.endswith("SystemExit: 3") and last == "'half'\n"
    assert notebook.value("[a.failed for a in answer.attempts]") == [True, True, True, False]


@pytest.mark.usefixtures("unasked")
def test_prints_displays_and_figures_are_caught(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    code = (
        "import sys, logging\nimport matplotlib.pyplot as plt\nfrom IPython.display import display, HTML\n"
        "print('out'); print('err', file=sys.stderr)\ndisplay(people.head(1))\ndisplay(HTML('<b>bold</b>'))\n"
        "plt.figure(); plt.plot([1]); plt.show()\nplt.figure(); plt.plot([2])\npeople['age'].max()"
    )
    server = asked_at(*_asks(google, code))
    notebook.do("import matplotlib.pyplot as plt; mine = plt.figure()")
    ran = notebook.run(f"{ASK}\nDraw.")
    assert ran.status == "ok", ran.of("error")
    told = _told(body_of(server.seen[1]))
    assert (
        told.startswith("out\nerr\n") and "canary-Ada" in told and "<b>" not in told and told.endswith("np.int64(41)\n")
    )
    images = [block for block in body_of(server.seen[1])["input"][0]["result"] if block["type"] == "image"]
    assert [base64.b64decode(image["data"])[:4] for image in images] == [b"\x89PNG"] * 2
    assert notebook.value("len(answer.images)") == 2
    assert ran.of("stream") == [] and len([data for data in ran.outputs if "image/png" in data]) == 2
    assert not any("text/html" in data for data in ran.outputs)


@pytest.mark.parametrize("where", ["kernel", "local"])
@pytest.mark.usefixtures("unasked")
def test_what_is_printed_is_shown_while_the_code_runs(
    notebook: Any, asked_at: Callable[..., Any], google: Any, where: str
) -> None:
    asked_at(*_asks(google, "print('so', 'far', flush=True)\nimport time\nfor _ in range(600):\n    time.sleep(0.1)"))
    cell = notebook.begin(f"{ASK} --run {where}\nTake your time.".replace("--run kernel ", "", 1), live=True)
    while "so far" not in json.dumps(notebook.hear(cell)["content"].get("data", "")):
        pass
    notebook.interrupt()
    ran = notebook.finish(cell)
    assert [error["ename"] for error in ran.of("error")] == ["KeyboardInterrupt"]


@pytest.mark.usefixtures("unasked")
def test_a_flood_is_cut(notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any) -> None:
    server = asked_at(*_asks(google, "for _ in range(3000):\n    print('x' * 1000)"))
    assert notebook.run(f"{ASK}\nFlood.").status == "ok"
    assert len(_told(body_of(server.seen[1]))) < 21_000
    assert notebook.value("len(answer.results[0])") < 1_100_000


@pytest.mark.usefixtures("unasked")
def test_under_schema_no_value_goes_back(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    codes = [
        "top = people.head(1)\nn = len(people)\nprint(top)\ntop",
        "first = people['name'][0]\nraise KeyError(first)",
        "raise type(people['name'][0], (Exception,), {})()",
        "import asyncio\nraise asyncio.CancelledError(people['name'][0])",
    ]
    server = asked_at(*_asks(google, *codes))
    ran = notebook.run(f"{ASK} --send schema\nLook at @people.")
    assert ran.status == "ok", ran.of("error")
    assert not any(b"canary" in seen.body for seen in server.seen)
    assert [_told(body_of(seen)) for seen in server.seen[1:]] == [
        "It worked.\ntop: DataFrame, 1 x 2",
        "It failed: KeyError in line 2.",
        "It failed: an error in line 1.",
        "It failed: an error in line 2.",
    ]
    assert "canary-Ada" in ran.text


@pytest.mark.usefixtures("unasked")
def test_a_block_has_its_time(notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any) -> None:
    notebook.do("%config GeminiExecMagics.run_seconds = 0.5")
    server = asked_at(*_asks(google, "kept = 5\nimport time\ntime.sleep(60)", "while True: pass", "print(kept)"))
    ran = notebook.run(f"{ASK}\nWait.")
    notebook.do("%config GeminiExecMagics.run_seconds = 300.0")
    assert ran.status == "ok", ran.of("error")
    sleeps, spins, works = (_told(body_of(seen)) for seen in server.seen[1:])
    assert "DEADLINE_EXCEEDED" in sleeps and "DEADLINE_EXCEEDED" in spins and works == "5\n"
    assert notebook.value("6 * 7") == 42


@pytest.mark.usefixtures("unasked")
def test_the_stop_button_ends_code_and_cell(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(*_asks(google, "begun = True\nwhile True: pass"))
    cell = notebook.begin(f"{ASK}\nTake your time.", live=True)
    while "while True" not in json.dumps(notebook.hear(cell)["content"], default=str):
        pass
    notebook.interrupt()
    ran = notebook.finish(cell)
    assert [error["ename"] for error in ran.of("error")] == ["KeyboardInterrupt"]
    assert "not the whole answer" in ran.text and len([seen for seen in server.seen if seen.body]) == 1
    assert notebook.do("print('as before')") == "as before\n"


@pytest.mark.usefixtures("unasked")
def test_a_conversation_keeps_what_its_code_made(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    asked_at(*_asks(google, "old = people['age'].max()\npeople = None"), *_asks(google, "print(old, len(people))"))
    assert notebook.run(f"{ASK}\nHow old is the oldest in @people?").status == "ok"
    assert notebook.run(f"{ASK} -c\nAnd how many?").status == "ok"
    assert notebook.value("answer.results") == ["41 2\n"]


@pytest.mark.usefixtures("unasked")
def test_all_that_the_kernel_has_can_be_referred_to(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    notebook.do("import polars, pyarrow\npl = polars.DataFrame({'x': [1, 2]})\nat = pyarrow.table({'y': [5]})")
    notebook.do("lazy = pl.lazy()\nframes = {'train': people}\nlimit = 40\ndef f(x):\n    return x + 1")
    (notebook.folder / "prices.csv").write_text("article,price\ncanary-tea,3.5\n")
    code = (
        "print(pl['x'].sum(), at['y'], lazy.collect().height, frames['train'].shape, f(1))\n"
        "import pandas as pd\nprint(len(pd.read_csv('prices.csv')))"
    )
    server = asked_at(*_asks(google, code))
    ran = notebook.run(f'{ASK}\nUse @pl, @at, @lazy, @frames["train"], @far, @prices.csv above @limit.')
    assert ran.status == "ok", ran.of("error")
    asked = body_of(server.seen[0])["input"]
    assert "`pl`: polars DataFrame, 2 rows x 1 column" in asked and "`lazy`: polars LazyFrame" in asked
    assert "frames['train']" in asked and "above 40." in asked and "pd.read_csv('prices.csv'" in asked
    assert b"canary" not in server.seen[0].body
    told = _told(body_of(server.seen[1]))
    assert told.startswith("3 ") and told.endswith("2 (2, 2) 2\n1\n")


def test_a_script_runs_its_code_in_the_kernel(notebook: Any) -> None:
    script = [
        [[{"text": "I look. "}, {"code": "print(len(people), far['away'])"}], [{"code": "1 / 0"}], [{"text": "Two."}]],
        [[{"code": "print(people.shape)"}], [{"text": "Still."}]],
    ]
    (notebook.folder / "talk.json").write_text(json.dumps(script))
    ran = notebook.run(f"{ASK} -m scripted:talk.json\nHow many are in @people?", answers=["y", "yes"])
    assert ran.status == "ok", ran.of("error")
    assert notebook.value("answer.text") == "I look. \n\nTwo."
    assert notebook.value("answer.results[0]") == "2 7\n" and "ZeroDivisionError" in notebook.value("answer.results[1]")
    assert notebook.value("answer.place") == "your kernel"
    assert "nothing left this computer" in ran.outputs[-1]["text/plain"]
    assert "Receipt: nothing leaves this computer" in ran.text and "output of run" not in ran.text
    ran = notebook.run(f"{ASK} -c -m scripted:talk.json\nAnd now?", answers=["y"])
    assert ran.status == "ok", ran.of("error")
    assert notebook.value("answer.results") == ["(2, 2)\n"] and "Still." in ran.text


def test_a_chat_model_runs_its_code_in_the_kernel(
    notebook: Any, serve: Callable[..., Any], faults: SimpleNamespace, body_of: Any
) -> None:
    def says(text: str) -> Any:
        return faults.reply(200, {"choices": [{"message": {"content": text}, "finish_reason": "stop"}]})

    blocks = ["print(people['age'].sum(), far['away'])", "print(1 / 0)"]
    server = serve(*(says(f"I look.\n```python\n{code}\n```") for code in blocks), says("It is 77."))
    notebook.do(f"import os; os.environ['OPENAI_BASE_URL'] = '{server.url}/v1'")
    ran = notebook.run(f"{ASK} -m openai:small --send schema\nSum the ages in @people.", answers=["y", "y"])
    assert ran.status == "ok", ran.of("error")
    assert notebook.value("answer.results[0]") == "77 7\n" and "It is 77." in ran.text
    first, *_, last = map(body_of, server.seen)
    assert "`people`: pandas DataFrame, 2 rows" in first["messages"][-1]["content"] and "tools" not in first
    said = [message["content"] for message in last["messages"]]
    assert any(text == "Output:\n77 7" for text in said) and any("ZeroDivisionError" in text for text in said)
    assert all(message["role"] in {"system", "user", "assistant"} for message in last["messages"])


def test_the_planner_runs_its_code_in_the_kernel(notebook: Any) -> None:
    ran = notebook.run(f"{ASK} -m offline-planner\nWhat is the mean age in @people?", answers=["y"])
    assert ran.status == "ok", ran.of("error")
    assert "38.5" in ran.text and "people" in notebook.asked[0]
    assert notebook.value("answer.place") == "your kernel"


def test_the_planner_declines_what_its_code_would_not_find(notebook: Any) -> None:
    (notebook.folder.parent / "prices.csv").write_text("article,price\ntea,1\n")
    (notebook.folder / "prices.csv").write_text("article,price\ntea,3\n")
    notebook.do("import polars, numpy\nlazy = polars.LazyFrame({'x': [1, 2]})\ngrid = numpy.ones((3, 2))")
    for name, why in (
        ("lazy", "@lazy is a polars LazyFrame"),
        ("../prices.csv", "prices.csv does not lie"),
    ):
        assert why in notebook.refuses(f"{ASK} -m offline-planner\nHow many rows are in @{name}?")
    ran = notebook.run(f"{ASK} -m offline-planner\nWhat is the mean price in @prices.csv?", answers=["y"])
    assert ran.status == "ok", ran.of("error")
    assert "3.0" in ran.text
    ran = notebook.run(f"{ASK} -m offline-planner\nHow many rows are in @grid?", answers=["y"])
    assert ran.status == "ok" and "3" in notebook.value("answer.results[0]")
