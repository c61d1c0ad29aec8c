"""The limits of isolated code are settings of the magic; whatever such code does, the notebook is unharmed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

SLOW = "import time\nkept = 1\ntime.sleep(1.5)\nprint('slept')"
ASK = "%%gemini_exec -m scripted:talk.json -o answer\nGo on."
EVIL = """
import comm, os, sys
from IPython.display import HTML, Javascript
shell = get_ipython()
shell.set_next_input('evil()')
shell.payload_manager.write_payload({'source': 'set_next_input', 'text': 'evil()'})
comm.create_comm(target_name='evil', data={'evil': 1}).send({'evil': 1})
display(HTML('<script>evil()</script>'), Javascript('evil()'))
display({'text/html': '<img src=x onerror=evil()>', 'application/javascript': 'evil()'}, raw=True)
sys.stdout.write('\\x1b[31m\\x1b[2Jred\\n')
os.chdir('/')
os.environ['EVIL'] = '1'
print('done')
"""


@pytest.fixture
def says(notebook: Any) -> Callable[..., None]:
    """Lays out a model's dialogue: these blocks of code, one after the other, then a text."""

    def script(*blocks: str) -> None:
        turn = [*([{"code": block}] for block in blocks), [{"text": "Done."}]]
        (notebook.folder / "talk.json").write_text(json.dumps([turn]))

    return script


def test_seconds(notebook: Any, says: Callable[..., None]) -> None:
    says(SLOW, "print('still', kept)")
    notebook.do("%config GeminiExecMagics.run_seconds = 0.5")
    ran = notebook.run(ASK, live=True)
    assert ran.status == "ok", ran.of("error")
    assert "longer than 0.5 s. Variables were kept." in notebook.value("answer.results[0]")
    assert notebook.value("answer.results[1]") == "still 1\n"
    assert "(at most 0.5 s)" in json.dumps(ran.messages, default=str)
    notebook.do("%config GeminiExecMagics.run_seconds = 20.0")
    assert notebook.run(ASK).status == "ok"
    assert notebook.value("answer.results[0]") == "slept\n"
    notebook.do("%config GeminiExecMagics.run_seconds = None")
    ran = notebook.run(ASK, live=True)
    assert "(at most 30 s)" in json.dumps(ran.messages, default=str)


def test_seconds_of_code_that_gemini_writes(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    call = {"type": "function_call", "id": "f1", "name": "run_python", "arguments": {"code": SLOW}}
    end = {"type": "model_output"}, [{"type": "text", "text": "Done."}]
    server = asked_at(google((call, []), status="requires_action"), google(end, id="v1_b"))
    notebook.do("%config GeminiExecMagics.run_seconds = 0.5")
    ran = notebook.run("%%gemini_exec --run local -m gemini-3-flash-preview\nGo on.", live=True)
    notebook.do("%config GeminiExecMagics.run_seconds = None")
    assert ran.status == "ok", ran.of("error")
    [result] = body_of(server.seen[1])["input"]
    assert result["is_error"] and "longer than 0.5 s" in json.dumps(result)
    assert "(at most 0.5 s)" in json.dumps(ran.messages, default=str)


def test_memory_processes_and_output(notebook: Any, says: Callable[..., None]) -> None:
    says("print('x' * 5000)", "try: bytearray(2 * 2**30)\nexcept MemoryError: print('no memory')")
    notebook.do('%config GeminiExecMagics.run_output = "2KB"\n%config GeminiExecMagics.run_memory = "1GB"')
    notebook.do("%config GeminiExecMagics.run_processes = 99")
    assert "1 GB, 30 s" in notebook.do("%gemini doctor")
    assert notebook.run(ASK).status == "ok"
    cut, refused = notebook.value("answer.results")
    assert cut.endswith("[The output was cut here: more than 2 KB.]\n") and refused == "no memory\n"
    notebook.do('%config GeminiExecMagics.run_output = "1MB"\n%config GeminiExecMagics.run_memory = ""')
    assert notebook.run(ASK).status == "ok"
    assert notebook.value("[len(result) for result in answer.results]") == [5001, 0]
    notebook.do("%config GeminiExecMagics.run_processes = 150")


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("run_memory = 'lots'", "'lots' is no amount: write it as in 512MB or 2GB."),
        ("run_memory = '10MB'", "'10MB' is too little: 512 MB is the least."),
        ("run_output = '5'", "'5' is no amount"),
        ("run_processes = 3", "should not be less than 32"),
        ("run_seconds = 0.0", "should not be less than 0.1"),
    ],
)
def test_what_is_no_limit_is_refused_when_it_is_set(notebook: Any, setting: str, says: str) -> None:
    name = setting.split(maxsplit=1)[0]
    line = f"get_ipython().magics_manager.registry['GeminiExecMagics'].{name}"
    before = notebook.value(line)
    said = notebook.do(f"%config GeminiExecMagics.{setting}")
    assert name in said and says in said and said.strip().count("\n") == 0
    assert notebook.value(line) == before


def test_no_number_of_seconds(notebook: Any) -> None:
    notebook.do("%config GeminiExecMagics.run_seconds = float('nan')")
    assert "nan s is too little" in notebook.refuses("%%gemini_exec\nWhat is 2 + 3?")
    notebook.do("%config GeminiExecMagics.run_seconds = None")


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_the_notebook_is_unharmed(notebook: Any, says: Callable[..., None], live: bool) -> None:
    notebook.do("import os\nmine, where = 1, os.getcwd()")
    says(EVIL, "import os; os.kill(os.getpid(), 9)", "print('a new kernel')")
    ran = notebook.run(ASK, live=live)
    assert ran.status == "ok", ran.of("error")
    told = notebook.value("answer.results[0]")
    assert told.endswith("\nred\ndone\n") and "evil" not in told
    assert notebook.value("answer.results[2]") == "a new kernel\n"
    assert not ran.payload
    comms = [message for message in ran.messages if message["msg_type"].startswith("comm")]
    assert "evil" not in json.dumps([message["content"] for message in comms], default=str)
    shown = [{kind: text for kind, text in data.items() if kind != "text/plain"} for data in ran.outputs]
    assert not [data for data in shown if {"text/html", "application/javascript"} & set(data) and "evil" in str(data)]
    assert notebook.value("[mine, where == os.getcwd(), 'EVIL' in os.environ]") == [1, True, False]
