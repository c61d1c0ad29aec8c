"""Which front end stands before this kernel, and whether its server has the labextension; for the doctor."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .shells import cell_id, has_kernel

__all__ = ["front_end_lines"]

_ENTRY = "lab/extensions/gemini-exec/static/remoteEntry.js"
_MISSING = "pip install --no-deps gemini-exec, where the Jupyter server runs; then reload the page"
_PATIENCE = 2.0  # seconds; the server is on this computer


def front_end_lines(shell: Any) -> Iterator[str]:
    """What the doctor says of the front end; a problem stands with the command that mends it."""
    cell = cell_id(shell)
    if not has_kernel(shell):
        yield "front end: IPython in a terminal; pasted code is the next input"
    elif cell.startswith("vscode-notebook-cell"):
        yield "front end: VS Code; pasted code is a cell a block, without buttons"
    elif not cell:
        yield "front end: one that does not name its cells (nbclient, papermill, Colab); answers come whole"
    else:
        yield f"front end: JupyterLab or Notebook 7; {_labextension()}"


def _labextension() -> str:
    server = _server()
    if server is None:
        return f"its server is not on this computer. If answers have no buttons: {_MISSING}"
    found = _status(server)
    if found is None:
        return "its server does not answer, so whether the labextension is there is not known"
    return "the labextension is active" if found == 200 else f"the labextension is missing: {_MISSING}"


def _server() -> dict[str, Any] | None:
    """The server that started this kernel, by its file for its children (jupyter_server, serverapp.py)."""
    from jupyter_core.paths import jupyter_runtime_dir

    file = Path(jupyter_runtime_dir()) / f"jpserver-{os.environ.get('JPY_PARENT_PID', '')}.json"
    try:
        server = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return server if isinstance(server, dict) and "url" in server else None


def _status(server: dict[str, Any]) -> int | None:
    """How the server answers to a request for the labextension; ``None`` where it does not answer."""
    url = urllib.parse.urljoin(str(server["url"]), _ENTRY)
    request = urllib.request.Request(url, headers={"Authorization": f"token {server.get('token', '')}"})  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_PATIENCE) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return None
