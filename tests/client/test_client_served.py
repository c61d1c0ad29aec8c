"""The client against ``gemini-exec serve``: a whole service over sockets, through a line that may break."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest

from magic_ext.client.endpoint import Endpoint, Secret
from magic_ext.client.errors import NotFound
from magic_ext.client.files import Uploads
from magic_ext.client.interactions import Client
from magic_ext.wire.assembly import Assembly

TOKEN = "a-token-for-the-served-engine"
DIALOGUE = """[
  [[{"thought": "Add."}, {"text": "I add them up. "}, {"code": "print(sum(range(101)))"}],
   [{"text": "It is "}, {"text": "**5050**."}]],
  [[{"text": "Wait for it."}, {"code": "import time\\nprint('begun')\\ntime.sleep(25)"}], [{"text": "Over."}]]
]"""
FIRST = {"model": "gemini-3-flash-preview", "input": "Add 1 to 100.", "tools": [{"type": "code_execution"}]}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server with a scripted model."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "dialogue.json").write_text(DIALOGUE)
    command = [sys.executable, "-m", "magic_ext.cli", "serve", "--port", "0", "--token", TOKEN]
    command += ["--model", "scripted:dialogue.json"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder, env=environment) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            yield line.split(" at ")[1].strip()
        finally:
            process.terminate()
            process.wait(20)


@pytest.fixture
def ask(served: str, connect: Callable[..., Any]) -> Callable[..., Any]:
    """Makes clients of the server, or of a line to it."""
    return lambda at=served: connect(at, key=Secret(TOKEN))


def line_to(served: str, budgets: list[int]) -> Callable[[Any], None]:
    """A script that passes requests on; of each reply it lets through as many bytes as the next budget allows."""
    to_server = urlsplit(served)

    def script(to: Any) -> None:
        budget = budgets.pop(0) if budgets else sys.maxsize
        with socket.create_connection((str(to_server.hostname), to_server.port or 80), 60) as line:
            headers = to.seen.headers | {"connection": "close"}
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            line.sendall(f"{to.seen.method} {to.seen.target} HTTP/1.1\r\n{head}\r\n".encode() + to.seen.body)
            while budget and (data := line.recv(min(budget, 65536))):
                to.send(data)
                budget -= len(data)

    return script


def assembled(events: Any) -> tuple[Any, ...]:
    assembly = Assembly()
    for event in events:
        assembly.apply(event)
    return assembly.raw_steps


def plain(steps: tuple[Any, ...]) -> str:
    """The steps without the ids that differ from run to run."""
    return repr([{name: value for name, value in step.items() if name not in {"id", "call_id"}} for step in steps])


@pytest.fixture(scope="module")
def whole(served: str) -> tuple[Any, ...]:
    """The steps of the first question's answer, undisturbed."""
    with Client(Endpoint(base_url=served, key=Secret(TOKEN))) as client:
        steps = assembled(client.stream(FIRST | {"stream": True}))
    assert "5050" in plain(steps)
    return steps


@pytest.mark.slow
@pytest.mark.parametrize("kept", [700, 1600, 2600])
def test_a_line_that_breaks_costs_nothing(
    served: str, ask: Any, serve: Callable[..., Any], whole: tuple[Any, ...], kept: int
) -> None:
    line = serve(line_to(served, [kept, 400, 300]))
    assert plain(assembled(ask(line.url).stream(FIRST | {"stream": True}))) == plain(whole)
    methods = [seen.method for seen in line.seen]
    assert methods[:2] == ["POST", "GET"]
    assert methods.count("POST") == 1


def test_an_answer_in_the_background(ask: Any, whole: tuple[Any, ...]) -> None:
    assert plain(assembled(ask().background(FIRST | {"background": True}))) == plain(whole)


def test_what_is_left_is_cancelled(
    served: str, ask: Any, serve: Callable[..., Any], faults: SimpleNamespace, pause: Any
) -> None:
    first = ask().create(FIRST)
    line = serve(line_to(served, []))
    events = ask(line.url).stream(FIRST | {"previous_interaction_id": first.id, "stream": True})
    created = next(events).interaction
    for event in events:
        if "begun" in repr(event):  # the code sleeps now
            break
    events.close()
    assert line.seen[-1].target.endswith(f"/{created.id}/cancel")
    until = time.monotonic() + faults.PATIENCE
    while (status := ask().get(created.id).status) == "in_progress" and time.monotonic() < until:
        pause(0.1)
    assert status == "cancelled"


def test_get_and_delete(ask: Any) -> None:
    made = ask().create(FIRST)
    assert ask().get(made.id).raw["steps"] == made.raw["steps"]
    ask().delete(made.id)
    with pytest.raises(NotFound):
        ask().get(made.id)


def test_an_uploaded_file_is_at_the_server(ask: Any, penguins_csv: Path) -> None:
    data = penguins_csv.read_bytes() * 700  # three chunks
    uploads = Uploads()
    uri = uploads.uri(ask(), data, "text/csv")
    file = ask().send("GET", uri).json()
    assert (int(file["sizeBytes"]), file["mimeType"]) == (len(data), "text/csv")
    assert uploads.uri(ask(), data, "text/csv") == uri
    document = {"type": "document", "uri": uri, "mime_type": "text/csv"}
    content = [document, {"type": "text", "text": "Add 1 to 100."}]
    asked = FIRST | {"input": [{"type": "user_input", "content": content}], "stream": True}
    assert "5050" in plain(assembled(ask().stream(asked)))
