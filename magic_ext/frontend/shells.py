"""Which front end is behind a shell: told by what stands in the execute request."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["cell_id", "has_kernel", "notebook_name"]


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


def notebook_name(shell: Any) -> str:
    """The path of the notebook, as the server (``JPY_SESSION_NAME``) or VS Code tells it; ``""`` where nobody does."""
    return os.environ.get("JPY_SESSION_NAME", "") or str(shell.user_ns.get("__vsc_ipynb_file__", ""))
