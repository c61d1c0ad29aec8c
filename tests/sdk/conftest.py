"""Servers as a user starts them, Google's SDKs in environments of their own, and a picture."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

collect_ignore_glob = ["samples/*", "checks/*"]
TOKEN = "a-token-for-tests"
HERE = Path(__file__).parent


class Served(NamedTuple):
    url: str
    token: str
    output: str


@contextlib.contextmanager
def _serve(model: str, folder: Path, token: str = TOKEN, arguments: Sequence[str] = ()) -> Iterator[Served]:
    command = [sys.executable, "-m", "magic_ext.cli", "serve", "--port", "0", "--model", model, *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if token:
        command += ["--token", token]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment) as process:
        assert process.stdout is not None
        try:
            lines: list[str] = []
            while not lines or "Point a client" not in lines[-1]:
                line = process.stdout.readline()
                assert line, f"the server did not start: {lines}"
                lines.append(line)
            yield Served(lines[0].split(" at ")[1].strip(), token, "".join(lines))
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="session")
def serve() -> Callable[..., AbstractContextManager[Served]]:
    """Start ``gemini-exec serve`` for a model; the token may be left to the server."""
    return _serve


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Served]]:
    """The server of a model or of a script's name, started when first asked for."""
    running: dict[str, Served] = {}
    with contextlib.ExitStack() as stack:

        def of(name: str) -> Served:
            if name not in running:
                script = HERE / "scripts" / f"{name}.json"
                model = f"scripted:{script}" if script.exists() else name
                running[name] = stack.enter_context(_serve(model, tmp_path_factory.mktemp("server")))
            return running[name]

        yield of


@pytest.fixture(scope="session")
def server(served: Callable[[str], Served]) -> Served:
    """The server with its default model."""
    return served("offline-planner")


@pytest.fixture(scope="session")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real JPEG of four pedals: four dark bars on a light ground."""
    from PIL import Image

    image = Image.new("RGB", (640, 480), "white")
    for pedal in range(4):
        image.paste((30, 30, 30), (60 + 140 * pedal, 200, 140 + 140 * pedal, 420))
    path = tmp_path_factory.mktemp("picture") / "pedals.jpg"
    image.save(path)
    return path


@pytest.fixture(scope="session")
def run() -> Callable[..., str]:
    """Run a command, as a client of a server if one is given; returns what it printed. It must succeed."""

    def run(command: Sequence[str | Path], server: Served | None = None, text: str | None = None, **given: Any) -> str:
        environment = {**os.environ, "PYTHONUTF8": "1", "NO_PROXY": "127.0.0.1"}
        if server is not None:
            environment |= {"GEMINI_API_KEY": server.token, "GOOGLE_GEMINI_BASE_URL": server.url}
        environment |= given.pop("environment", {})
        done = subprocess.run(
            command, input=text, env=environment, capture_output=True, encoding="utf-8", timeout=150, **given
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run
