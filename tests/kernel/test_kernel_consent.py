"""The first values that leave are shown and asked about, once a profile; without a person nothing leaves."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ASK = "%%gemini_exec -m gemini-3-flash-preview"
CANARY = "kanarienvogel"


def _state() -> Path:
    return Path(os.environ["XDG_STATE_HOME"]) / "gemini-exec" / "sending.json"


@pytest.fixture(autouse=True)
def _asking_anew(notebook: Any) -> Iterator[None]:
    _state().unlink(missing_ok=True)
    notebook.do(
        f"""
%config GeminiExecMagics.send = ''
import builtins
import pandas as pd
df = pd.DataFrame({{"secret": ["{CANARY}"]}})
asked = []
"""
    )
    yield
    _state().unlink(missing_ok=True)
    notebook.do("%config GeminiExecMagics.send = 'auto'")


@pytest.fixture
def server(asked_at: Callable[..., Any], faults: Any) -> Any:
    return asked_at(faults.FINE)


@pytest.mark.parametrize("prompt", ["Mean of @df?", "What is @n?", "See @fig", "Read @text", "@df:schema and @n"])
def test_without_a_person_nothing_leaves(notebook: Any, server: Any, prompt: str) -> None:
    notebook.do("from matplotlib.figure import Figure\nfig = Figure()\nn = 3\ntext = 'line\\n' * 3")
    line = notebook.refuses(f"{ASK}\n{prompt}")
    assert "nobody can be asked here" in line
    assert "GeminiExecMagics.send" in line and "127.0.0.1" in line
    assert server.seen == []


@pytest.mark.parametrize(
    "cell",
    [
        f"{ASK}\nHow are you?",
        f"{ASK}\nMean of @df:schema?",
        f"{ASK} --send schema\nMean of @df?",
        f"{ASK} --send auto\nMean of @df?",
        f"{ASK}\nMean of @df:full?",
        f"{ASK} @df:head(1)\nMean?",
    ],
)
def test_what_the_cell_itself_allows_is_not_asked_about(notebook: Any, server: Any, cell: str) -> None:
    assert notebook.run(cell).status == "ok"
    assert len(server.seen) == 1
    assert not _state().exists()
    assert "nobody can be asked" in notebook.refuses(f"{ASK}\nMean of @df?")


def test_a_dry_run_asks_nothing_but_one_that_counts_does(notebook: Any, server: Any) -> None:
    assert notebook.run(f"{ASK} --dry-run\nMean of @df?").status == "ok"
    assert "nobody can be asked" in notebook.refuses(f"{ASK} --dry-run=count\nMean of @df?")
    assert server.seen == []


@pytest.mark.parametrize("policy", ["auto", "schema", "head(1)"])
def test_a_setting_is_an_answer(notebook: Any, server: Any, policy: str) -> None:
    notebook.do(f"%config GeminiExecMagics.send = '{policy}'")
    assert notebook.run(f"{ASK}\nMean of @df?").status == "ok"
    assert len(server.seen) == 1


def _with_a_person(notebook: Any, answer: str, cell: str) -> Any:
    """Run a cell as a front end does that can ask; returns what ran, and the question if there was one."""
    client = notebook._client
    content = {"code": cell, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": True}
    message = client.session.msg("execute_request", content | {"stop_on_error": True})
    notebook._heard = []
    client.shell_channel.send(message)
    asked: list[str] = []
    while not client.shell_channel.msg_ready():
        with contextlib.suppress(queue.Empty):
            asked.append(client.get_stdin_msg(timeout=0.2)["content"]["prompt"])
            client.input(answer)
    return notebook.finish(str(message["header"]["msg_id"])), asked


def test_a_yes_is_asked_for_once_and_remembered(
    notebook: Any, open_notebook: Callable[..., Any], server: Any, key: str
) -> None:
    ran, [question] = _with_a_person(notebook, "yes", f"{ASK}\nMean of @df?")
    assert ran.status == "ok"
    assert CANARY.encode() not in server.seen[0].body  # base64
    for told in ("@df", "pandas DataFrame, full", "127.0.0.1", "the server keeps it", "[y]es"):
        assert told in question
    assert CANARY not in question
    assert notebook.run(f"{ASK}\nMean of @df?").status == "ok"
    assert stat.S_IMODE(_state().stat().st_mode) == 0o600
    assert list(json.loads(_state().read_text()).values()) == [{f"127.0.0.1:{server.port}": "yes"}]
    other = open_notebook(GEMINI_API_KEY=key, GOOGLE_GEMINI_BASE_URL=server.url)
    other.do("%load_ext magic_ext\nn = 3")
    assert other.run(f"{ASK}\nWhat is @n?").status == "ok"
    assert len(server.seen) == 3


def test_a_yes_for_one_server_is_none_for_another(
    notebook: Any, server: Any, asked_at: Callable[..., Any], faults: Any
) -> None:
    _with_a_person(notebook, "y", f"{ASK}\nMean of @df?")
    other = asked_at(faults.FINE)
    assert "nobody can be asked" in notebook.refuses(f"{ASK}\nMean of @df?")
    assert other.seen == []


@pytest.mark.parametrize("answer", ["no", "n", "", "perhaps"])
def test_a_no_sends_nothing_and_is_asked_again(notebook: Any, server: Any, answer: str) -> None:
    for _ in range(2):
        ran, asked = _with_a_person(notebook, answer, f"{ASK}\nMean of @df?")
        assert "Nothing was sent." in ran.red_line
        assert len(asked) == 1
    assert server.seen == [] and not _state().exists()


def test_always_schema_holds_from_this_cell_on(notebook: Any, server: Any, body_of: Any) -> None:
    ran, asked = _with_a_person(notebook, "s", f"{ASK}\nMean of @df?")
    assert ran.status == "ok" and len(asked) == 1
    assert "pandas DataFrame, schema" in ran.text
    assert notebook.run(f"{ASK}\nAnd @df?").status == "ok"
    for seen in server.seen:
        text = json.dumps(body_of(seen))
        assert "secret" in text and "document" not in text and CANARY not in text
    assert notebook.run(f"{ASK}\nAnd @df:full?").status == "ok"
    assert "document" in json.dumps(body_of(server.seen[-1]))


def test_forget_forgets_the_answer_too(notebook: Any, server: Any) -> None:
    _with_a_person(notebook, "yes", f"{ASK}\nMean of @df?")
    server.scripts[:] = [lambda to: to.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}")]
    ran, _ = _with_a_person(notebook, "yes", "%gemini forget")
    assert ran.status == "ok", ran.of("error")
    assert "nobody can be asked" in notebook.refuses(f"{ASK}\nMean of @df?")


def test_a_damaged_file_asks_again(notebook: Any, server: Any) -> None:
    _state().parent.mkdir(parents=True, exist_ok=True)
    _state().write_text("{not json")
    assert "nobody can be asked" in notebook.refuses(f"{ASK}\nMean of @df?")
    ran, _ = _with_a_person(notebook, "yes", f"{ASK}\nMean of @df?")
    assert ran.status == "ok"
    assert notebook.run(f"{ASK}\nMean of @df?").status == "ok"


def test_nothing_is_asked_where_nothing_leaves(notebook: Any, server: Any) -> None:
    ran = notebook.run("%%gemini_exec -m offline-planner\nHow many rows does @df have?")
    assert ran.status == "ok", ran.of("error")
    assert server.seen == []


def test_what_code_prints_here_is_asked_about_too(notebook: Any, server: Any) -> None:
    for place in ("local", "kernel"):
        assert "Values of @df would go to" in notebook.refuses(f"{ASK} --run {place}\nMean of @df?")
    assert server.seen == []
