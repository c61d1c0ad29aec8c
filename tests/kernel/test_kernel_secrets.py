"""What looks like a key stops the cell, by name of its place, and is shown nowhere; ``--allow-secrets`` lets it go."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

ASK = "%%gemini_exec -m gemini-3-flash-preview"
TOKEN = "ghp_" + "vT8qLx2ZbN5wK7dRm4Yc9JfHs3GpQ6uEa1Xo"
HIDDEN = TOKEN[4:]
SETUP = """
import pandas as pd
token = "ghp_" + "vT8qLx2ZbN5w" "K7dRm4Yc9JfH" "s3GpQ6uEa1Xo"
df = pd.DataFrame({"city": ["Rome", "Oslo"], "note": ["x, y", f"use {token}"], "n": [1, 2]})
named = pd.DataFrame({token: [1]})
indexed = df.set_index("note")
text = "first\\nsecond " + token + "\\nthird"
d = {"a": {"b": token}}
short = token
def lookup(city: str) -> str:
    return "the key of " + city + " is " + token
def documented(city: str) -> str:
    return city
documented.__doc__ = "Uses " + token
open("keys.csv", "w").write("id;key\\n1;\\n2;" + token + "\\n")
open("keys.txt", "w").write("a\\nb\\n" + token + "\\n")
"""


@pytest.fixture(scope="module", autouse=True)
def _things(notebook: Any) -> None:
    notebook.do(SETUP)


@pytest.fixture
def server(asked_at: Callable[..., Any], faults: Any) -> Any:
    return asked_at(faults.FINE)


@pytest.fixture(autouse=True)
def _plain(notebook: Any) -> Iterator[None]:
    yield
    notebook.do("%config GeminiExecMagics.redact = []\n%config GeminiExecMagics.store = True\n")


@pytest.mark.parametrize(
    ("cell", "place"),
    [
        ("\nSee @df.", "@df has what looks like a key (github pat) in row 2, column 'note'"),
        ("\nSee @indexed.", "@indexed has what looks like a key (github pat) in row 2, column 'note'"),
        ("\nSee @named.", "@named has what looks like a key (github pat) in the name of column 1"),
        ("\nSee @named:schema.", "The description of what is attached"),
        ("\nSee @text.", "@text has what looks like a key (github pat) in line 2"),
        ("\nSee @d.", "@d has what looks like a key (github pat) in line 1"),
        ("\none\ntwo @short.", "The prompt has what looks like a key (github pat) in line 2"),
        ("\nSee @keys.csv.", "@keys.csv has what looks like a key (github pat) in row 2, column 'key'"),
        ("\nSee @keys.txt.", "@keys.txt has what looks like a key (github pat) in line 3"),
        (" --tool documented\nHello.", "The description of documented()"),
    ],
)
def test_the_place_is_named_and_the_key_is_not(notebook: Any, server: Any, cell: str, place: str) -> None:
    for options in ("", " --dry-run"):
        ran = notebook.fails(f"{ASK}{options}{cell}")
        assert place in ran.red_line
        assert "--allow-secrets" in ran.red_line and "not sent" in ran.red_line
        assert HIDDEN not in json.dumps([m for m in ran.messages if m["msg_type"] != "execute_input"], default=str)
    assert server.seen == []


def test_prompt_and_instruction(notebook: Any, server: Any) -> None:
    assert "The prompt" in notebook.refuses(f"{ASK}\nWhat is {TOKEN} for?")
    assert "The instruction" in notebook.refuses(f"{ASK} --system 'Use {TOKEN}.'\nHello.")
    assert server.seen == []


def test_the_key_of_the_server_itself(notebook: Any, server: Any, key: str) -> None:
    notebook.do("import os; mine = 'it is ' + os.environ['GEMINI_API_KEY']")
    assert "The prompt has what looks like a key (your own key" in notebook.refuses(f"{ASK}\nWhat is @mine?")
    assert server.seen == []


def test_a_result_of_a_function(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    call = {"type": "function_call", "id": "f1", "name": "lookup", "arguments": {"city": "Rome"}}
    server = asked_at(google((call, []), status="requires_action"))
    ran = notebook.fails(f"{ASK} --tool lookup\nWhat is the key of Rome?")
    assert "What lookup() returned has what looks like a key (github pat) in line 1" in ran.red_line
    assert HIDDEN not in json.dumps([m for m in ran.messages if m["msg_type"] != "execute_input"], default=str)
    assert len(server.seen) == 1


def test_what_code_prints_here(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    call = {"type": "function_call", "id": "f1", "name": "run_python", "arguments": {"code": "print(token)"}}
    server = asked_at(google((call, []), status="requires_action"))
    notebook.do("%config GeminiExecMagics.run_unasked = True")
    ran = notebook.fails(f"{ASK} --run kernel\nPrint it.")
    assert "What run_python() returned has what looks like a key (github pat)" in ran.red_line
    assert len(server.seen) == 1


def test_a_conversation_that_is_sent_again(notebook: Any, server: Any) -> None:
    notebook.do("%config GeminiExecMagics.store = False")
    assert notebook.run(f"{ASK} --allow-secrets\nSee @short.").status == "ok"
    assert "The conversation so far" in notebook.refuses(f"{ASK} -c\nAnd now?")
    assert notebook.run(f"{ASK} -c --allow-secrets\nAnd now?").status == "ok"
    assert all(HIDDEN.encode() in seen.body for seen in server.seen)
    assert len(server.seen) == 2


def test_allowed_by_option_and_by_setting(notebook: Any, server: Any) -> None:
    assert notebook.run(f"{ASK} --allow-secrets\nSee @d.").status == "ok"
    notebook.do("%config GeminiExecMagics.allow_secrets = True")
    assert notebook.run(f"{ASK}\nSee @d.").status == "ok"
    notebook.do("%config GeminiExecMagics.allow_secrets = False")
    assert "@d has" in notebook.refuses(f"{ASK}\nSee @d.")
    assert [HIDDEN.encode() in seen.body for seen in server.seen] == [True, True]


def test_redacted_instead(notebook: Any, server: Any) -> None:
    notebook.do("%config GeminiExecMagics.redact = ['key']")
    ran = notebook.run(f"{ASK}\nSee @d, @text, @short and @df.")
    assert ran.status == "ok", ran.of("error")
    assert HIDDEN.encode() not in server.seen[0].body
    assert ran.text.count("1 replaced (1 key)") >= 3


def test_nothing_is_searched_where_nothing_leaves(notebook: Any, server: Any) -> None:
    ran = notebook.run("%%gemini_exec -m offline-planner\nHow many rows does @df have?")
    assert ran.status == "ok", ran.of("error")
    assert "2" in ran.text and server.seen == []


def test_headers_are_not_listed(notebook: Any) -> None:
    notebook.do("%config GeminiExecMagics.headers = {'x-gateway': 'Bearer ' + 'abc' * 9}")
    for line in ("%config GeminiExecMagics", "%config GeminiExecMagics.headers"):
        ran = notebook.run(line)
        said = json.dumps([m["content"] for m in ran.messages if m["msg_type"] != "execute_input"], default=str)
        assert "abcabc" not in said and "x-gateway" in said
    notebook.do("%config GeminiExecMagics.headers = {}")
