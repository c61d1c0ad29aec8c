"""``deny_columns`` and ``redact`` in a notebook: on every way to a server, and nowhere on this computer."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

ASK = "%%gemini_exec -m gemini-3-flash-preview"
CANARY, MAIL = "kanarienvogel", "ada@example.org"
SETUP = f"""
import pandas as pd
people = pd.DataFrame({{"name": ["Ada", "Bob"], "Salary": ["{CANARY}"] * 2, "mail": ["{MAIL}", "-"], "n": [1, 2]}})
contact = "{MAIL}"
def look(name: str) -> pd.DataFrame:
    "Look somebody up."
    return people[people["name"] == name]
def say(name: str) -> str:
    "Say it."
    raise ValueError("{MAIL} is unknown")
"""


@pytest.fixture(scope="module", autouse=True)
def _things(notebook: Any) -> None:
    notebook.do(SETUP)


@pytest.fixture(autouse=True)
def _settings(notebook: Any) -> Iterator[None]:
    notebook.do("%config GeminiExecMagics.deny_columns = ['salary']\n%config GeminiExecMagics.redact = ['email']")
    yield
    notebook.do(
        "%config GeminiExecMagics.deny_columns = []\n%config GeminiExecMagics.redact = []\n"
        "%config GeminiExecMagics.run_unasked = False\n%config GeminiExecMagics.store = True"
    )


def bodies(server: Any) -> Iterator[str]:
    """Every body, with its documents decoded."""
    for seen in server.seen:
        body = json.loads(seen.body)
        documents = [
            base64.b64decode(block["data"]).decode()
            for step in (body["input"] if isinstance(body["input"], list) else [])
            for block in step.get("content", ())
            if block["type"] == "document"
        ]
        yield "\n".join([json.dumps(body), *documents])


def said(text: str) -> Any:
    return {"type": "model_output"}, [{"type": "text", "text": text}]


def call(name: str, id: str, /, **arguments: Any) -> Any:
    return {"type": "function_call", "id": id, "name": name, "arguments": arguments}, []


@pytest.mark.parametrize("store", [True, False])
def test_on_every_way(notebook: Any, asked_at: Callable[..., Any], google: Any, store: bool) -> None:
    notebook.do(f"%config GeminiExecMagics.store = {store}")
    calls = [call("look", "f1", name="Ada"), call("say", "f2", name="Ada")]
    server = asked_at(google(*calls, status="requires_action"), google(said("Well.")), google(said("And.")))
    ran = notebook.run(f"{ASK} --tool look --tool say\nWrite to @contact about @people.")
    assert ran.status == "ok", ran.of("error")
    assert notebook.run(f"{ASK} -c\nAnd @people:head(1)?").status == "ok"
    sent = list(bodies(server))
    assert len(sent) == 3
    for body in sent:
        assert CANARY not in body and MAIL not in body and "salary" not in body.lower()
    assert "Write to [email] about" in sent[0] and "1 column is withheld" in sent[0] and "Ada,[email],1" in sent[0]
    assert "[email] is unknown" in sent[1]
    receipt = ran.outputs[0]["text/plain"]
    assert "1 column is withheld; 1 replaced (1 email)" in receipt
    assert receipt.count("1 replaced (1 email)") == 4


def test_to_ask_for_it_is_refused(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(google(said("Well.")))
    for reference in ("@people[Salary]", "@people.Salary", '@people["Salary"]:schema'):
        line = notebook.refuses(f"{ASK}\nMean of {reference}?")
        assert "asks for 'Salary', which GeminiExecMagics.deny_columns withholds" in line
    assert server.seen == []


def test_code_that_runs_isolated_here(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    code = "print(list(people_df.columns), people_df['mail'].iloc[0])"
    server = asked_at(google(call("run_python", "f1", code=code), status="requires_action"), google(said("Well.")))
    ran = notebook.run(f"{ASK} --run local\nSee @people.")
    assert ran.status == "ok", ran.of("error")
    first, second = bodies(server)
    assert CANARY not in first + second and MAIL not in first + second
    assert "['name', 'mail', 'n'] [email]" in second
    assert MAIL in ran.text, "the user sees what was printed"
    assert "1 replaced (1 email)" in ran.outputs[0]["text/plain"]
    [payload] = notebook.run("%gemini paste").payload
    assert "# The answer was computed on all 2 rows of people." in payload["text"], "the user's name, not the code's"


@pytest.mark.parametrize(
    "asks",
    ["\nSee @people.", "--send schema\nSee @people.", "--send full\nSee @people.", "\nSee @people:schema", "\nLook."],
)
def test_code_in_this_kernel_is_refused_whatever_may_leave(
    notebook: Any, asked_at: Callable[..., Any], google: Any, asks: str
) -> None:
    notebook.do("%config GeminiExecMagics.run_unasked = True")
    server = asked_at()
    line = notebook.refuses(f"{ASK} --run kernel {asks}")
    assert "deny_columns can't be kept from code that runs in your kernel" in line
    assert "--run local" in line and "schema" not in line
    assert server.seen == []


def test_isolated_code_under_schema_lacks_the_columns_too(
    notebook: Any, asked_at: Callable[..., Any], google: Any
) -> None:
    code = (
        "import numpy as np\nprint(sorted(people_df.columns))\nlength = np.zeros(people_df['n'].max() + 5)\n"
        "found = [n for n, v in list(globals().items()) if 'Salary' in getattr(v, 'columns', ())]\nprint(found)"
    )
    server = asked_at(google(call("run_python", "f1", code=code), status="requires_action"), google(said("Well.")))
    ran = notebook.run(f"{ASK} --run local --send schema -o answer\nSee @people.")
    assert ran.status == "ok", ran.of("error")
    assert notebook.value("answer.results") == ["['mail', 'n', 'name']\n[]\n"]
    first, second = bodies(server)
    assert "salary" not in (first + second).lower() and "1 column is withheld" in first
    [result] = json.loads(server.seen[1].body)["input"]
    assert [block["text"] for block in result["result"]] == ["It worked.\nlength: ndarray, 7"]
    receipt = ran.outputs[0]["text/plain"]
    assert "1 column is withheld" in receipt and "told: It worked. / length: ndarray, 7" in receipt


def test_on_this_computer_nothing_is_held_back(notebook: Any) -> None:
    ran = notebook.run("%%gemini_exec -m offline-planner\nHow many different values does Salary have in @people?")
    assert ran.status == "ok", ran.of("error")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("redact = ['emial']", "Did you mean email?"),
        ("redact = ['re:(']", "'re:(' in redact is no regular expression"),
        ("send = 'schem'", "schema"),
    ],
)
def test_a_setting_that_is_none_is_told(
    notebook: Any, asked_at: Callable[..., Any], google: Any, setting: str, told: str
) -> None:
    server = asked_at(google(said("Well.")))
    notebook.do(f"%config GeminiExecMagics.{setting}")
    assert told in notebook.refuses(f"{ASK}\nSee @people.")
    notebook.do("%config GeminiExecMagics.send = 'auto'")
    assert server.seen == []


def test_a_conversation_that_begins_says_so(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    asked_at(google(said("Well.")))
    first = notebook.run(f"{ASK} -c=sales\nHello.")
    assert "begins the conversation 'sales'" in first.outputs[-1]["text/plain"]
    assert "begins" not in notebook.run(f"{ASK} -c=sales\nHello.").outputs[-1]["text/plain"]
    assert "begins the conversation 'slaes'" in notebook.run(f"{ASK} -c=slaes\nHello.").outputs[-1]["text/plain"]


def test_a_sample_is_called_one_to_the_user_and_to_the_model(
    notebook: Any, asked_at: Callable[..., Any], google: Any
) -> None:
    notebook.do("import pandas as pd; large = pd.DataFrame({'n': range(3_412_118)})")
    server = asked_at(google(said("Well.")))
    ran = notebook.run(f"{ASK}\nMean of @large?")
    [body] = bodies(server)
    [told] = re.findall(r"([\d,]+ of 3,412,118 rows), drawn at random", body)
    assert f"{told}, sampled" in ran.outputs[-1]["text/plain"]
    assert "say of every result that it is computed on these only" in body
    notebook.do("del large")
