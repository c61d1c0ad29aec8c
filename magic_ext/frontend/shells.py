"""Which front end is behind a shell: told by what stands in the execute request."""

from __future__ import annotations

from typing import Any

__all__ = ["cell_id", "has_kernel"]


def has_kernel(shell: Any) -> bool:
    """Whether the shell runs in a kernel (else it is IPython in a terminal, or a test's shell)."""
    return getattr(shell, "kernel", None) is not None


def cell_id(shell: Any) -> str:
    """The id of the cell being run; ``""`` where the front end sends none.

    JupyterLab, Notebook 7 and VS Code send one (``vscode-notebook-cell:...``); nbclient, nbval, papermill and a
    terminal do not (measured).
    """
    if not has_kernel(shell):
        return ""
    parent = shell.kernel.get_parent("shell") or {}
    return str((parent.get("metadata") or {}).get("cellId") or "")
