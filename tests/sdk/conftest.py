"""A server as a user starts it, and pictures from disk."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import pytest

collect_ignore_glob = ["samples/*"]
TOKEN = "a-token-for-tests"


class Served(NamedTuple):
    url: str
    token: str
    output: str


@contextlib.contextmanager
def _serve(model: str, folder: Path, token: str = TOKEN) -> Iterator[Served]:
    command = [sys.executable, "-m", "magic_ext.cli", "serve", "--port", "0", "--model", model]
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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server with its default model."""
    with _serve("offline-planner", tmp_path_factory.mktemp("server")) as served:
        yield served
