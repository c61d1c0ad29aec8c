"""Code into new cells below the one that runs: as a payload of its reply, so that nothing is run by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from magic_ext.frontend.shells import cell_id, has_kernel
from magic_ext.markdown import visible

__all__ = ["joined", "paste"]

_VSCODE = "vscode-notebook-cell"


def paste(shell: Any, blocks: Sequence[str]) -> None:
    """Put the blocks into new cells below the running cell, once it has ended.

    JupyterLab and Notebook 7 honour one ``set_next_input`` payload and make one cell of it; with the labextension they
    turn the same payload's ``gemini_exec`` into a cell each, in one undo step. VS Code makes a cell of every payload,
    each directly below the running one, so it gets them last first. A terminal gets the joined text as the next input.
    Characters that make code read differently from how it runs are spelled out.
    """
    cells = [visible(block).strip("\n") for block in blocks if block.strip()]
    if not cells:
        return
    if not has_kernel(shell):
        shell.set_next_input(joined(cells))
        return
    cell = cell_id(shell)
    payloads = shell.payload_manager
    if cell.startswith(_VSCODE):
        for source in reversed(cells):
            payloads.write_payload(_payload(source), single=False)
        return
    upgrade = {"cell_id": cell, "cells": [{"type": "code", "source": source} for source in cells]}
    payloads.write_payload({**_payload(joined(cells)), "gemini_exec": upgrade})


def joined(cells: Sequence[str]) -> str:
    """One cell that holds all blocks, ``# %%`` between them.

    A cell magic has to be the first line of its cell, so such a block is only named here, unless it is the only one.

    >>> print(joined(["a = 1", "b = 2"]))
    # %%
    a = 1
    <BLANKLINE>
    # %%
    b = 2
    """
    if len(cells) == 1:
        return cells[0]
    return "\n\n".join("# %%\n" + (_magic_named(cell) if cell.lstrip().startswith("%%") else cell) for cell in cells)


def _magic_named(cell: str) -> str:
    magic = cell.split(maxsplit=1)[0]
    return f"# Left out: a block that begins with {magic} needs a cell of its own. Put it there with %gemini paste N."


def _payload(text: str) -> dict[str, Any]:
    return {"source": "set_next_input", "text": text, "replace": False}
