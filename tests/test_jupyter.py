"""What the doctor finds out about Jupyter here: the labextension installed, disabled, and in the pages of servers."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from magic_ext import cli, jupyter

TOKEN = "a-token-nobody-may-see"


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Folders of this test alone: no configuration, no server."""
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))
        (tmp_path / name).mkdir()
    return tmp_path / "JUPYTER_CONFIG_DIR"


@pytest.fixture
def serving(config: Path) -> Iterator[Callable[[str], None]]:
    """Starts a mock of a Jupyter server of this user's: its file, and one page for who has its token."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def start(page: str, at: str = "/lab") -> None:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                allowed = self.headers["Authorization"] == f"token {TOKEN}"
                body = page.encode() if allowed and self.path == at else b""
                self.send_response(200 if body else 404 if allowed else 403)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told = {"url": f"http://127.0.0.1:{server.server_port}/", "token": TOKEN, "pid": os.getpid()}
        file = Path(os.environ["JUPYTER_RUNTIME_DIR"]) / f"jpserver-{os.getpid()}.json"
        file.write_text(json.dumps(told))

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def page(*extensions: str, disabled: tuple[str, ...] = ()) -> str:
    """A page as JupyterLab renders it (jupyterlab/static, index.html), as far as we read it."""
    told = {"federated_extensions": [{"name": name} for name in extensions], "disabledExtensions": list(disabled)}
    script = f'<script id="jupyter-config-data" type="application/json">{json.dumps(told)}</script>'
    return f"<!doctype html><html><head>{script}</head><body></body></html>"


@pytest.mark.parametrize(
    ("shown", "at", "said"),
    [
        (page("other", "gemini-exec"), "/lab", "the labextension is active"),
        (page("gemini-exec"), "/tree", "the labextension is active"),
        (page("other"), "/lab", "missing: pip install --no-deps gemini-exec where the server runs"),
        (page("gemini-exec", disabled=("gemini-exec",)), "/lab", "off: jupyter labextension enable gemini-exec"),
        ("<html>Password:</html>", "/lab", "is not known"),
    ],
    ids=["active", "Notebook 7 alone", "missing", "disabled", "a login page"],
)
def test_what_a_running_server_says(
    serving: Callable[..., None], monkeypatch: pytest.MonkeyPatch, shown: str, at: str, said: str
) -> None:
    serving(shown, at)
    [line] = jupyter.server_lines()
    assert "http://127.0.0.1:" in line and said in line and TOKEN not in line
    monkeypatch.setenv("JPY_PARENT_PID", str(os.getpid()))
    assert said in jupyter.own_server_line()


def test_a_server_that_has_ended_is_none(config: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    file = Path(os.environ["JUPYTER_RUNTIME_DIR"]) / f"jpserver-{ended.pid}.json"
    file.write_text(json.dumps({"url": "http://127.0.0.1:9/", "token": "", "pid": ended.pid}))
    (file.parent / "jpserver-1.json").write_text("{")
    assert list(jupyter.server_lines()) == ["no Jupyter server of yours runs on this computer"]
    assert jupyter.own_server_line() == ""


def test_the_command_that_it_names_mends_it(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = next(jupyter.installed_lines())
    assert "JupyterLab" in first and "the labextension is active (" in first
    (config / "labconfig").mkdir()
    (config / "labconfig" / "page_config.json").write_text('{"disabledExtensions": {"gemini-exec": true}}')
    assert cli.main(["doctor"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "labextension" in line)
    assert "off: jupyter labextension enable gemini-exec (or with --level=user)" in line
    command = [sys.executable, "-m", "jupyter", "labextension", "enable", "gemini-exec", "--level=user"]
    subprocess.run(command, check=True, capture_output=True)
    assert next(jupyter.installed_lines()) == first


def test_another_version_is_told(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "data" / "labextensions" / "gemini-exec"
    folder.mkdir(parents=True)
    package = {"name": "gemini-exec", "version": "0.0.1", "jupyterlab": {"_build": {"load": "static/x.js"}}}
    (folder / "package.json").write_text(json.dumps(package))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "data"))
    *_, line = jupyter.installed_lines()
    assert "of version 0.0.1" in line and "pip install --force-reinstall gemini-exec" in line


def test_without_jupyterlab_it_says_where_the_labextension_belongs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jupyterlab_server.config", None)
    [line] = jupyter.installed_lines()
    assert "not in this environment" in line and "pip install --no-deps gemini-exec" in line
