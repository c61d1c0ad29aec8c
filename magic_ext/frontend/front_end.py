"""What the doctor says of the front end before this kernel, and whether conversations outlive the kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from magic_ext.jupyter import installed_lines, own_server_line, server_lines

from .kept import kept_file
from .shells import FrontEnd, front_end, notebook_name

__all__ = ["front_end_lines"]

_SAID: dict[FrontEnd, str] = {
    "terminal": "IPython in a terminal; pasted code is the next input",
    "jupyter": "JupyterLab or Notebook 7",
    "vscode": "VS Code; pasted code is a cell a block, without buttons",
    "colab": "Colab; answers come whole, pasted code is one cell",
    "unknown": "one that does not name its cells, such as nbclient; answers come whole, pasted code is one cell",
}


def front_end_lines(shell: Any) -> Iterator[str]:
    """What stands before this kernel; a problem stands with the command that mends it."""
    kind = front_end(shell)
    served = own_server_line() if kind == "jupyter" else ""
    yield f"front end: {'; '.join(filter(None, (_SAID[kind], served)))}"
    if kind == "jupyter" and not served:
        yield "its server is not on this computer, or is not known; what is:"
        yield from installed_lines()
        yield from server_lines()
    if kept_file(notebook_name(shell)) is None:
        yield "conversations end with this kernel: the front end does not tell the notebook's name, as Jupyter's do"
    else:
        yield f"conversations are kept for {notebook_name(shell)}"
