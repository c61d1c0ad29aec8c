"""Jupyter on this computer: whether the labextension is installed, which servers run, and whether they load it."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

__all__ = ["installed_lines", "own_server_line", "server_lines"]

State = Literal["active", "missing", "disabled", "unknown"]

_NAME = "gemini-exec"
_PATIENCE = 5.0  # seconds; the servers are on this computer
_CONFIG = re.compile(r'<script[^>]* id="jupyter-config-data"[^>]*>(.*?)</script>', re.DOTALL)
_SAID: dict[State, str] = {
    "active": "the labextension is active",
    "missing": f"the labextension is missing: pip install --no-deps {_NAME} where the server runs; then reload",
    "disabled": f"the labextension is off: jupyter labextension enable {_NAME} (or with --level=user), then reload",
    "unknown": "whether the labextension is there is not known, for the server lets nobody look (a password?)",
}


def installed_lines() -> Iterator[str]:
    """Whether the servers that are started in this environment will load the labextension, and what mends it."""
    try:
        from jupyterlab_server.config import get_page_config
    except ImportError:
        yield (
            "JupyterLab is not in this environment; where its server runs, the labextension has to be: "
            f"pip install --no-deps {_NAME}"
        )
        return
    from jupyter_core.paths import jupyter_path

    folders = jupyter_path("labextensions")
    state = _state(get_page_config(folders))
    packages = (Path(folder) / _NAME / "package.json" for folder in folders)
    found = next((package for package in packages if package.is_file()), None)
    where = f" ({found.parent})" if found else ""
    yield f"{_fronts()} in this environment: {_SAID[state]}{where}"
    version, ours = _version_in(found), _version(_NAME)
    if found and ours and version != ours:
        yield f"the labextension is of version {version}, the package of {ours}: pip install --force-reinstall {_NAME}"


def server_lines() -> Iterator[str]:
    """The Jupyter servers of this user that run, and whether each loads the labextension."""
    from jupyter_core.paths import jupyter_runtime_dir

    files = sorted(Path(jupyter_runtime_dir()).glob("jpserver-*.json"))
    running = [server for file in files if (server := _server(file)) and _runs(server)]
    for server in running:
        yield f"Jupyter server at {server['url']}: {_SAID[_served(server)]}"
    if not running:
        yield "no Jupyter server of yours runs on this computer"


def own_server_line() -> str:
    """Whether the server that started this process loads the labextension; ``""`` where it is not to be found.

    A server leaves a file for its children, named after itself (jupyter_server, ``serverapp.py``).
    """
    from jupyter_core.paths import jupyter_runtime_dir

    server = _server(Path(jupyter_runtime_dir()) / f"jpserver-{os.environ.get('JPY_PARENT_PID', '')}.json")
    return _SAID[_served(server)] if server else ""


def _state(page: dict[str, Any]) -> State:
    """What the configuration of a page says of the labextension; a server gives names where a file has marks."""
    disabled = page.get("disabledExtensions") or {}
    if _NAME not in {str(extension.get("name")) for extension in page.get("federated_extensions") or ()}:
        return "missing"
    off = disabled.get(_NAME) if isinstance(disabled, dict) else _NAME in disabled
    return "disabled" if off else "active"


def _served(server: dict[str, Any]) -> State:
    """What a running server says, in the page of JupyterLab or else of Notebook 7."""
    for page in ("lab", "tree"):
        found = _CONFIG.search(_page(server, page))
        if found:
            try:
                return _state(json.loads(found[1]))
            except ValueError:
                break
    return "unknown"


def _page(server: dict[str, Any], path: str) -> str:
    url = urllib.parse.urljoin(str(server["url"]), path)
    request = urllib.request.Request(url, headers={"Authorization": f"token {server.get('token', '')}"})  # noqa: S310
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=_PATIENCE) as response:
            return str(response.read().decode("utf-8", "replace"))
    except (OSError, ValueError):
        return ""


def _server(file: Path) -> dict[str, Any] | None:
    try:
        server = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return server if isinstance(server, dict) and "url" in server else None


def _runs(server: dict[str, Any]) -> bool:
    import psutil

    pid = server.get("pid")
    return isinstance(pid, int) and psutil.pid_exists(pid)


def _fronts() -> str:
    named = {"JupyterLab": _version("jupyterlab"), "Notebook": _version("notebook")}
    return " and ".join(f"{name} {version}" for name, version in named.items() if version) or "Jupyter"


def _version_in(package: Path | None) -> str:
    try:
        return str(json.loads(package.read_text(encoding="utf-8")).get("version", "")) if package else ""
    except (OSError, ValueError):
        return ""


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
