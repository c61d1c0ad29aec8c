"""``GEMINI_EXEC_OFFLINE``: no connection but to this computer, and no name looked up for one."""

from __future__ import annotations

import ast
import socket
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import magic_ext
from magic_ext.client.endpoint import GOOGLE
from magic_ext.errors import GeminiExecError, Offline
from magic_ext.http import OFFLINE


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(OFFLINE, "1")


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The names that were looked up; looking one up fails, so that no test ever leaves this computer."""
    names: list[Any] = []

    def look_up(host: Any, *_: Any, **__: Any) -> Any:
        names.append(host)
        raise socket.gaierror("no names in tests")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return names


@pytest.mark.parametrize("proxy", ["", "http://proxy.example.com:3128"])
def test_google_is_not_asked(
    connect: Callable[..., Any], looked_up: list[Any], monkeypatch: pytest.MonkeyPatch, proxy: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    client = connect(GOOGLE)
    for ask in (lambda: list(client.stream({"input": "hi"})), lambda: client.get("v1_a"), client.models):
        with pytest.raises(Offline, match=r"No connection to generativelanguage\.googleapis\.com is opened") as refused:
            ask()
        assert "offline-planner" in refused.value.hint
    assert looked_up == []


def test_without_it_the_name_is_looked_up(
    connect: Callable[..., Any], looked_up: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the test above would see if nothing held the connection back."""
    monkeypatch.setenv(OFFLINE, "0")
    with pytest.raises(GeminiExecError, match="can't be reached"):
        list(connect(GOOGLE).stream({"input": "hi"}))
    assert looked_up


def test_a_server_on_this_computer_is_asked(
    connect: Callable[..., Any], serve: Callable[..., Any], faults: SimpleNamespace
) -> None:
    server = serve(faults.FINE)
    assert list(connect(server).stream({"input": "hi", "stream": True}))
    assert len(server.seen) == 1


def test_clients_of_the_network_are_made_in_one_place() -> None:
    package = Path(magic_ext.__file__).parent
    made = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in {"Client", "AsyncClient", "HTTPTransport", "stream", "get", "post", "request"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "httpx"
    }
    # connection.py makes clients whose transport is given: those answer in this process.
    assert made == {"http.py", "client/connection.py"}
