"""Code into new cells below the one that runs: as a payload of its reply, so that nothing is run by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import msgspec

from magic_ext.frontend.shells import cell_id, front_end
from magic_ext.markdown import legible

__all__ = ["Cell", "joined", "nbformat_of", "paste"]


class Cell(msgspec.Struct, frozen=True):
    """A cell to be: its text, its type, and the number of the answer's block that it holds (0 for a heading)."""

    source: str
    type: Literal["code", "markdown"] = "code"
    block: int = 0


def nbformat_of(cell: Cell, origin: Mapping[str, Any]) -> dict[str, Any]:
    """The cell as the labextension takes it; ``origin`` says in its metadata which answer it comes from.

    Characters that cannot be seen, or make code read differently from how it runs, are spelled out.
    """
    told = {**origin, "block": cell.block} if cell.block else {**origin}
    return {"type": cell.type, "source": legible(cell.source).strip("\n"), "metadata": {"gemini_exec": told}}


def paste(shell: Any, cells: Sequence[Cell], origin: Mapping[str, Any] | None = None) -> None:
    """Put the cells below the running cell, once it has ended.

    JupyterLab and Notebook 7 honour one ``set_next_input`` payload and make one cell of it; with the labextension they
    turn the same payload's ``gemini_exec`` into a cell each, in one undo step. VS Code makes a cell of every payload,
    each directly below the running one, so it gets them last first. Colab makes one of it, as all others do; a terminal
    gets the joined text as the next input.
    """
    made = [nbformat_of(cell, origin or {}) for cell in cells if cell.source.strip()]
    if not made:
        return
    match front_end(shell):
        case "terminal":
            shell.set_next_input(joined(made))
        case "vscode":
            for cell in reversed(made):
                shell.payload_manager.write_payload(_payload(_as_code(cell)), single=False)
        case _:
            told = {"cell_id": cell_id(shell), "cells": made}
            shell.payload_manager.write_payload({**_payload(joined(made)), "gemini_exec": told})


def joined(cells: Sequence[Mapping[str, Any]]) -> str:
    """One cell that holds all of them, ``# %%`` between them.

    A cell magic has to be the first line of its cell, so such a block is only named here, unless it is the only one.

    >>> print(joined([{"type": "markdown", "source": "## Load"}, {"type": "code", "source": "a = 1"}]))
    # %% [markdown]
    # ## Load
    <BLANKLINE>
    # %%
    a = 1
    """
    if len(cells) == 1:
        return _as_code(cells[0])
    return "\n\n".join(_marked(cell) for cell in cells)


def _marked(cell: Mapping[str, Any]) -> str:
    if cell["type"] == "markdown":
        return f"# %% [markdown]\n{_as_code(cell)}"
    source = cell["source"]
    return "# %%\n" + (_magic_named(source) if source.lstrip().startswith("%%") else source)


def _as_code(cell: Mapping[str, Any]) -> str:
    if cell["type"] == "code":
        return str(cell["source"])
    return "\n".join(f"# {line}".rstrip() for line in cell["source"].splitlines())


def _magic_named(cell: str) -> str:
    magic = cell.split(maxsplit=1)[0]
    return f"# Left out: a block that begins with {magic} needs a cell of its own. Put it there with %gemini paste N."


def _payload(text: str) -> dict[str, Any]:
    return {"source": "set_next_input", "text": text, "replace": False}
