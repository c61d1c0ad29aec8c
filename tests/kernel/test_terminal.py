"""IPython in a terminal, as somebody types into it: asked, interrupted, pasted into, left."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

pexpect = pytest.importorskip("pexpect", reason="a terminal of this kind is there on POSIX alone")

TABLE = "city,amount\nKyiv,3\nLviv,4\nKyiv,5\n"
SLOW = [[[{"text": "This takes a while."}, {"code": "import time\nprint('it', 'runs', flush=True)\ntime.sleep(60)"}]]]
_CONTROL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[=>()][A-Z0-9]?)|\r|\x07")
ENTER = "\r"


class Terminal:
    """IPython in a pseudoterminal; what it writes is read without the codes that move the cursor."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1", "NO_COLOR": "1", "COLUMNS": "200"}
        options = ["--no-banner", "--no-confirm-exit", "--colors=nocolor", "--HistoryManager.enabled=False"]
        self.process: Any = pexpect.spawn(
            sys.executable,
            ["-m", "IPython", *options],
            cwd=str(folder),
            env=environment,
            dimensions=(60, 200),
            encoding="utf-8",
            timeout=90,
        )
        self._raw = ""
        self._read = 0
        self.number = 1
        self.until("In [1]:")

    def until(self, sign: str) -> str:
        """What is written between what was read last and the end of this."""
        while (at := (said := _CONTROL.sub("", self._raw)).find(sign, self._read)) < 0:
            self.process.expect(r".+")
            self._raw += self.process.after
        began, self._read = self._read, at + len(sign)
        return said[began : self._read]

    def run(self, cell: str) -> str:
        """Paste a cell, as a terminal does, and press Enter; all that comes until the next prompt."""
        self.begin(cell)
        return self.prompted()

    def begin(self, cell: str) -> None:
        self.process.send(f"\x1b[200~{cell}\x1b[201~")
        self.process.send("\x1b" + ENTER)

    def prompted(self) -> str:
        self.number += 1
        return self.until(f"In [{self.number}]:")


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    folder = tmp_path_factory.mktemp("terminal")
    (folder / "sales.csv").write_text(TABLE)
    (folder / "slow.json").write_text(json.dumps(SLOW))
    opened = Terminal(folder)
    said = opened.run("%load_ext magic_ext\nimport pandas as pd; sales = pd.read_csv('sales.csv')")
    assert "Error" not in said
    yield opened
    opened.process.close(force=True)


def test_an_answer_is_plain_text(terminal: Terminal) -> None:
    said = terminal.run("%%gemini_exec -m offline-planner\nTotal amount by city in @sales")
    assert "Receipt: nothing leaves this computer" in said
    assert "--- python ---" in said and 'sales.groupby("city"' in said
    assert re.search(r"Kyiv +8\n", said) and "--- result ---" in said
    assert "nothing left this computer" in said
    assert "<" not in said.replace("<module>", "") and "gemini-exec-progress" not in said


def test_ctrl_c_ends_it(terminal: Terminal) -> None:
    terminal.begin("%%gemini_exec -m scripted:slow.json\nWait.")
    terminal.until("time.sleep(60)")
    before = time.monotonic()
    terminal.process.sendintr()
    said = terminal.prompted()
    assert time.monotonic() - before < 30, "it did not wait for the code's end"
    assert "This is not the whole answer." in said and said.count("Interrupted.") == 1
    assert "Traceback" not in said
    assert "42" in terminal.run("6 * 7")


def test_pasted_code_is_the_next_input(terminal: Terminal) -> None:
    said = terminal.run("%%gemini_exec --paste -m offline-planner\nTotal amount by city in @sales")
    assert "Kyiv" in said
    terminal.until('sales.groupby("city"')  # behind the prompt, to be run or changed
    terminal.process.send("\x1b" + ENTER)
    assert re.search(r"Kyiv +8\n", terminal.prompted())


def test_a_failure_is_one_line(terminal: Terminal) -> None:
    said = terminal.run("%%gemini_exec -m offline-planner\nTotal amount by city in @sails")
    *_, typed, line, _ = [line for line in said.splitlines() if line.strip()]
    assert "Total amount by city in @sails" in typed
    assert "sails" in line and "sales" in line and "..." not in line


def test_history_and_leaving(terminal: Terminal) -> None:
    said = terminal.run("%gemini history")
    assert "Total amount by city" in said
    children = psutil.Process(terminal.process.pid).children(recursive=True)
    assert children, "the warm kernels"
    terminal.process.send("exit")
    terminal.process.send(ENTER)
    terminal.process.expect(pexpect.EOF)
    terminal.process.close()
    assert terminal.process.exitstatus == 0
    _, alive = psutil.wait_procs(children, timeout=30)
    assert alive == []
