"""Code into new cells: the payloads of a real kernel's reply, and the input of a terminal."""

from __future__ import annotations

from typing import Any

import pytest

from magic_ext.frontend.cells import Cell, joined, paste

ORIGIN = {"interaction_id": "v1_x", "place": "this computer"}


def _payloads(run: Any, blocks: list[str], cell_id: str = "") -> list[dict[str, Any]]:
    cells = f"[Cell(source, block=n) for n, source in enumerate({blocks!r}, 1)]"
    code = f"from magic_ext.frontend.cells import Cell, paste; paste(get_ipython(), {cells}, {ORIGIN!r})"
    reply = run(code, cell_id).reply
    assert reply["status"] == "ok", reply
    return [payload for payload in reply["payload"] if payload["source"] == "set_next_input"]


def test_jupyterlab_gets_one_payload_that_the_labextension_splits(run: Any) -> None:
    (payload,) = _payloads(run, ["a = 1", "b = 2\n"], "0b1c-cell")
    assert payload["text"] == "# %%\na = 1\n\n# %%\nb = 2"
    assert payload["replace"] is False
    assert payload["gemini_exec"] == {
        "cell_id": "0b1c-cell",
        "cells": [
            {"type": "code", "source": source, "metadata": {"gemini_exec": {**ORIGIN, "block": block}}}
            for block, source in enumerate(["a = 1", "b = 2"], 1)
        ],
    }


def test_vscode_gets_a_payload_a_cell_last_first(run: Any) -> None:
    payloads = _payloads(run, ["a = 1", "b = 2", "c = 3"], "vscode-notebook-cell:/x.ipynb#W0")
    assert [payload["text"] for payload in payloads] == ["c = 3", "b = 2", "a = 1"]


def test_a_front_end_without_cell_ids_gets_one_cell(run: Any) -> None:
    (payload,) = _payloads(run, ["a = 1"])
    assert payload["text"] == "a = 1"


def test_nothing_to_paste_is_no_payload(run: Any) -> None:
    assert _payloads(run, ["", " \n"], "0b1c") == []


def test_a_cell_magic_is_never_joined(run: Any) -> None:
    (payload,) = _payloads(run, ["a = 1", "%%time\nb = 2"], "0b1c")
    assert "\n%%" not in payload["text"]
    assert "%%time needs a cell of its own" in payload["text"]
    assert payload["gemini_exec"]["cells"][1]["source"] == "%%time\nb = 2"
    assert joined([{"type": "code", "source": "%%time\nb = 2"}]) == "%%time\nb = 2"


def test_a_heading_is_a_comment_where_there_are_only_code_cells(run: Any) -> None:
    cells = "[Cell('## Load', 'markdown'), Cell('a = 1')]"
    code = f"from magic_ext.frontend.cells import Cell, paste; paste(get_ipython(), {cells})"
    texts = [payload["text"] for payload in run(code, "vscode-notebook-cell:/x.ipynb#W0").reply["payload"]]
    assert texts == ["a = 1", "# ## Load"]
    (joined_text,) = [payload["text"] for payload in run(code, "0b1c").reply["payload"]]
    assert joined_text == "# %% [markdown]\n# ## Load\n\n# %%\na = 1"


def test_what_code_hides_is_spelled_out(run: Any) -> None:
    (payload,) = _payloads(run, ["x = 1 #\u202e\x1b[2K\ud800"], "0b1c")
    assert payload["text"] == "x = 1 #\\u202e\ufffd"


def test_a_terminal_gets_the_next_input(monkeypatch: pytest.MonkeyPatch) -> None:
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    paste(shell, [Cell("a = 1"), Cell("b = 2")])
    assert shell.rl_next_input == "# %%\na = 1\n\n# %%\nb = 2"
