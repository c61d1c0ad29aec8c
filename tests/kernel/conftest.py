"""A user's notebook: a real kernel, driven over ZMQ as a front end does, one a module; and a Google-like server."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from queue import Empty
from types import SimpleNamespace
from typing import Any

import pytest
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager

KEY = "corporate-gateway:7f3a-nobody-may-see-this"  # like no key of Google's: no pattern can find it
PATIENCE = 120.0  # seconds until a test that hangs gives up; no result depends on it
_RED = re.compile(r"\x1b\[31m(?P<line>[^\x1b\n]+)\x1b\[0m")


class Ran:
    """What a front end got for one cell."""

    def __init__(self, messages: list[dict[str, Any]], reply: dict[str, Any]) -> None:
        self.messages = messages
        self.status: str = reply["status"]
        self.payload: list[dict[str, Any]] = reply.get("payload") or []

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """The contents of the messages of these types."""
        return [message["content"] for message in self.messages if message["msg_type"] in kinds]

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """The mime bundles below the cell in the end: updates applied, cleared ones gone."""
        shown: list[dict[str, Any]] = []
        for message in self.messages:
            content = message["content"]
            match message["msg_type"]:
                case "display_data" | "execute_result":
                    shown.append(dict(content))
                case "update_display_data":
                    for one in shown:
                        if one.get("transient", {}).get("display_id") == content["transient"]["display_id"]:
                            one |= {"data": content["data"], "metadata": content["metadata"]}
                case "clear_output":
                    shown.clear()
        return [one["data"] for one in shown]

    @property
    def text(self) -> str:
        """All plain text below the cell."""
        plain = [str(data.get("text/plain", "")) for data in self.outputs]
        return "\n".join([*plain, *(stream["text"] for stream in self.of("stream"))])

    @property
    def red_line(self) -> str:
        """The one line of the one error; fails where there is anything else."""
        [error] = self.of("error")
        assert self.status == "error"
        [line] = error["traceback"]
        match = _RED.fullmatch(line)
        assert match, f"not one red line: {line!r}"
        assert not [stream for stream in self.of("stream") if stream["name"] == "stderr"]
        assert match["line"].endswith((".", "?", "...")), "the line ends in what to do next"
        return match["line"]


class Notebook:
    """A kernel and the front end before it. Every message is searched for the key."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        self._manager = KernelManager(kernel_name="python3")
        self._manager.start_kernel(cwd=str(folder), env={**os.environ, **environment})
        self._client: BlockingKernelClient = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=PATIENCE)
        self.requests: Callable[[str], dict[str, Any]] = lambda cell: {"cellId": cell}
        self._heard: list[dict[str, Any]] = []
        self._answers: list[str] = []
        self.asked: list[str] = []

    def close(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._manager.cleanup_resources()

    def run(self, code: str, *, live: bool = False, answers: Sequence[str] | None = None, cell: str = "a-cell") -> Ran:
        """Run a cell to its end; ``live`` names it, as JupyterLab does; ``answers`` are typed when it asks."""
        return self.finish(self.begin(code, live=live, answers=answers, cell=cell))

    def begin(
        self, code: str, *, live: bool = False, answers: Sequence[str] | None = None, cell: str = "a-cell"
    ) -> str:
        """Send a cell and don't wait; with ``answers`` somebody can be asked, and ``asked`` holds the questions."""
        self._answers, self.asked = list(answers or ()), []
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}}
        content["allow_stdin"] = answers is not None
        metadata = self.requests(cell) if live else {}
        message = self._client.session.msg("execute_request", content | {"stop_on_error": True}, metadata=metadata)
        self._client.shell_channel.send(message)
        self._heard = []
        return str(message["header"]["msg_id"])

    def hear(self, begun: str) -> dict[str, Any]:
        """The cell's next message."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            self._answer()
            try:
                message = self._client.get_iopub_msg(timeout=0.1)
            except Empty:
                continue
            if message["msg_type"] != "execute_input":  # what the user wrote is shown as it is written
                assert KEY not in json.dumps(message, default=str)
            if message["parent_header"].get("msg_id") == begun:
                self._heard.append(message)
                return dict(message)
        raise TimeoutError("The kernel says nothing.")

    def _answer(self) -> None:
        with contextlib.suppress(Empty):
            message = self._client.get_stdin_msg(timeout=0)
            self.asked.append(message["content"]["prompt"])
            if self._answers:
                self._client.input(self._answers.pop(0))

    def is_asked(self) -> None:
        """Wait until the cell asks; where no answers are left, the question stays open."""
        until = time.monotonic() + PATIENCE
        while not self.asked and time.monotonic() < until:
            self._answer()
            time.sleep(0.02)
        assert self.asked

    def finish(self, begun: str) -> Ran:
        """Everything until the cell has ended."""
        while True:
            message = self.hear(begun)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
        while True:
            reply = self._client.get_shell_msg(timeout=PATIENCE)
            assert KEY not in json.dumps(reply, default=str)
            if reply["parent_header"].get("msg_id") == begun:
                return Ran(self._heard, reply["content"])

    def queue(self, code: str) -> str:
        """Send a cell behind the one that runs."""
        return str(self._client.execute(code))

    def fate(self, queued: str) -> str:
        """What has become of a queued cell: ``ok``, ``error`` or ``aborted``."""
        while (reply := self._client.get_shell_msg(timeout=PATIENCE))["parent_header"].get("msg_id") != queued:
            pass
        return str(reply["content"]["status"])

    def interrupt(self) -> None:
        """The stop button."""
        self._manager.interrupt_kernel()

    def do(self, code: str) -> str:
        """Run plain code, which must work; what it printed."""
        ran = self.run(code)
        assert ran.status == "ok", ran.of("error")
        return "".join(stream["text"] for stream in ran.of("stream"))

    def value(self, expression: str) -> Any:
        """What an expression is worth in the kernel; it has to be JSON."""
        return json.loads(self.do(f"import json as _json; print(_json.dumps({expression}))"))

    def comes_true(self, expression: str) -> bool:
        """Whether an expression becomes true before patience ends."""
        until = time.monotonic() + 30
        while not (true := self.value(f"bool({expression})")) and time.monotonic() < until:
            time.sleep(0.2)
        return bool(true)

    def complete(self, code: str) -> dict[str, Any]:
        """What the front end gets for Tab where ``|`` stands in the code."""
        before, _, after = code.partition("|")
        asked = self._client.complete(before + after, len(before))
        while (reply := self._client.get_shell_msg(timeout=PATIENCE))["parent_header"].get("msg_id") != asked:
            pass
        return dict(reply["content"])

    def inspect(self, code: str) -> str:
        """What the front end shows for ``NAME?`` and ``NAME??``, and as contextual help, in plain text."""
        asked = self._client.inspect(code.rstrip("?"), detail_level=int(code.endswith("??")))
        while (reply := self._client.get_shell_msg(timeout=PATIENCE))["parent_header"].get("msg_id") != asked:
            pass
        assert reply["content"]["found"]
        return re.sub(r"\x1b\[[0-9;]*m", "", reply["content"]["data"]["text/plain"])

    def fails(self, code: str, *, live: bool = False) -> Ran:
        """Run a cell that must fail in one red line, and leave a kernel that runs the next one."""
        ran = self.run(code, live=live)
        assert ran.red_line
        assert self.value("6 * 7") == 42
        return ran

    def refuses(self, code: str) -> str:
        """Run a cell that must be refused before anything is shown or sent; its red line."""
        ran = self.fails(code)
        assert ran.outputs == []
        return ran.red_line


@pytest.fixture(scope="module")
def open_notebook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Notebook]]:
    """Opens notebooks, each in a folder of its own; the environment's additions are given by name."""
    opened: list[Notebook] = []

    def start(**environment: str) -> Notebook:
        opened.append(Notebook(tmp_path_factory.mktemp("notebook"), environment))
        return opened[-1]

    yield start
    for notebook in opened:
        notebook.close()


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., Notebook]) -> Notebook:
    """The module's notebook: a key in the environment, the extension loaded, values allowed to leave."""
    opened = open_notebook(GEMINI_API_KEY=KEY)
    opened.do("%load_ext magic_ext\n%config GeminiExecMagics.send = 'auto'")
    return opened


@pytest.fixture(scope="session")
def key() -> str:
    """The key in the notebook's environment."""
    return KEY


@pytest.fixture
def asked_at(notebook: Notebook, serve: Callable[..., Any]) -> Callable[..., Any]:
    """Puts a server with these scripts behind the notebook's Gemini models."""

    def start(*scripts: Any) -> Any:
        server = serve(*scripts)
        notebook.do(f"import os; os.environ['GOOGLE_GEMINI_BASE_URL'] = {server.url!r}")
        return server

    return start


@pytest.fixture
def body_of() -> Callable[[Any], dict[str, Any]]:
    """The JSON that a recorded request carried."""
    return lambda seen: dict(json.loads(seen.body))


@pytest.fixture
def google(faults: SimpleNamespace) -> Callable[..., Any]:
    """A script that answers like Google: ``google(steps...)``, each a start and its deltas (wire.md section 3.1)."""

    def answering(*steps: tuple[dict[str, Any], list[dict[str, Any]]], **interaction: Any) -> Any:
        head = {"id": "v1_a", "object": "interaction", "model": "gemini-3-flash-preview"} | interaction
        events = [{"event_type": "interaction.created", "interaction": head | {"status": "in_progress"}}]
        for index, (start, deltas) in enumerate(steps):
            events.append({"event_type": "step.start", "index": index, "step": start})
            events += [{"event_type": "step.delta", "index": index, "delta": delta} for delta in deltas]
            events.append({"event_type": "step.stop", "index": index})
        completed = {"status": "completed"} | head
        events.append({"event_type": "interaction.completed", "interaction": completed})
        return faults.streamed(*(faults.sse(event) for event in events), faults.DONE)

    return answering
