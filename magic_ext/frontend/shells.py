"""Which front end is behind a shell: told by what stands in the request, and by what a front end leaves behind."""

from __future__ import annotations

import os
from typing import Any, Literal

__all__ = ["FrontEnd", "cell_id", "front_end", "has_kernel", "is_live", "notebook_name"]

FrontEnd = Literal["terminal", "jupyter", "vscode", "colab", "unknown"]

_VSCODE_CELL = "vscode-notebook-cell"
_VSCODE_FILE = "__vsc_ipynb_file__"


def has_kernel(shell: Any) -> bool:
    """Whether the shell runs in a kernel (else it is IPython in a terminal, or a test's shell)."""
    return getattr(shell, "kernel", None) is not None


def front_end(shell: Any) -> FrontEnd:
    """The front end that asks now; ``unknown`` for one that does not name its cells, such as nbclient.

    VS Code's cell ids begin with ``vscode-notebook-cell`` (vscode-jupyter, ``cellExecutionMessageHandler.ts``); Colab's
    requests name the cell under ``colab`` (colabtools, ``google/colab/_history.py``), and its machines have
    ``COLAB_RELEASE_TAG``. Both were read in the source, not run.
    """
    if not has_kernel(shell):
        return "terminal"
    if "colab" in _request(shell) or os.environ.get("COLAB_RELEASE_TAG"):
        return "colab"
    cell = cell_id(shell)
    if cell.startswith(_VSCODE_CELL) or (not cell and _VSCODE_FILE in shell.user_ns):
        return "vscode"
    return "jupyter" if cell else "unknown"


def is_live(shell: Any) -> bool:
    """Whether the front end shows outputs as they change: those that name their cells do, Colab has not been tried."""
    return bool(_request(shell).get("cellId"))


def cell_id(shell: Any) -> str:
    """The id of the cell being run; ``""`` where the front end sends none.

    JupyterLab, Notebook 7, VS Code (``vscode-notebook-cell:...``) and Colab send one; nbclient, nbval, papermill and a
    terminal do not (measured).
    """
    request = _request(shell)
    return str(request.get("cellId") or (request.get("colab") or {}).get("cell_id") or "")


def notebook_name(shell: Any) -> str:
    """The notebook's path, as its server (``JPY_SESSION_NAME``) or VS Code tells it; its id at Colab; else ``""``."""
    told = os.environ.get("JPY_SESSION_NAME", "") or str(shell.user_ns.get(_VSCODE_FILE, ""))
    return told or os.environ.get("COLAB_NOTEBOOK_ID", "")


def _request(shell: Any) -> dict[str, Any]:
    """The metadata of the request that is being answered."""
    if not has_kernel(shell):
        return {}
    parent = shell.kernel.get_parent("shell") or {}
    return dict(parent.get("metadata") or {})
