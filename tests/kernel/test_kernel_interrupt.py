"""The stop button at every stage: the kernel is free, what had arrived is kept and marked, nothing goes on behind."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import psutil
import pytest

GEMINI = "%%gemini_exec -m gemini-3-flash-preview"
PLAIN = f"{GEMINI}\nWhat is 6 times 7?"
LARGE = b"%PDF-1.4\n" + bytes(range(256)) * 35_000  # 9 MB, of base64 12: more than the buffers of a connection hold
LARGER = LARGE + bytes(range(256)) * 13_000  # too large to stand in a request
SESSION = """
import os, threading, psutil
import pandas as pd
from magic_ext.engine.embedded import _only_engine
table = pd.DataFrame({"city": ["Kyiv", "Lviv"] * 1_000_000, "amount": range(2_000_000)})
def slow() -> int:
    print("it runs", flush=True)
    __import__("time").sleep(60)
def left():
    me = psutil.Process()
    connected = sorted(c.raddr.port for c in me.net_connections("inet") if c.raddr)
    pool = _only_engine().pool
    kept = len(pool._idle) + (pool._spare is not None)
    return [sorted(thread.name for thread in threading.enumerate()), connected, len(me.children()) - kept]
"""
ENDLESS = "n = 0\nprint('it', 'runs', flush=True)\nwhile True:\n    n += 1"
DEAF = """
try:
    print("it", "runs", flush=True)
    while True:
        pass
except KeyboardInterrupt:
    while True:
        pass
"""
BEGUN = {"event_type": "interaction.created", "interaction": {"id": "v1_a", "status": "in_progress"}}
CREATED = BEGUN | {"event_id": "e0"}


def start(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    step = {"type": kind} | fields
    return {"event_type": "step.start", "index": index, "step": step, "event_id": f"e{index}_start"}


def delta(index: int, kind: str, **fields: Any) -> dict[str, Any]:
    return {"event_type": "step.delta", "index": index, "delta": {"type": kind} | fields, "event_id": f"e{index}_delta"}


def stop(index: int) -> dict[str, Any]:
    return {"event_type": "step.stop", "index": index, "event_id": f"e{index}_stop"}


SAID = (CREATED, start(0, "model_output"), delta(0, "text", text="Half an "), delta(0, "text", text="answer"))
CODE = (CREATED, start(0, "code_execution_call", id="c1"))
WHOLE_CODE = {"code": "print(6 * 7)", "language": "python"}
CALLED = (
    BEGUN,
    start(0, "function_call", id="f1", name="slow", arguments={}),
    stop(0),
    {"event_type": "interaction.completed", "interaction": {"id": "v1_a", "status": "requires_action"}},
)


def calling(code: str) -> tuple[dict[str, Any], ...]:
    begun = start(0, "function_call", id="f1", name="run_python", arguments={"code": code})
    return CALLED[0], begun, *CALLED[2:]


def silent_after(f: SimpleNamespace, *events: dict[str, Any]) -> Any:
    """A stream that says this much, and then nothing until the reader has gone."""

    def script(to: Any) -> None:
        to.send(f.STREAM_HEAD + f.chunk(f.sse(*events)) if events else b"")
        to.gone = to.client_has_gone()
        assert to.gone

    return script


class Stage(NamedTuple):
    """A question, the server's scripts for it, what is shown once the stage has come, and what is kept after it."""

    scripts: Callable[[SimpleNamespace], list[Any]]
    shows: str
    ask: str = PLAIN
    kept: str = "There is no answer."
    cancelled: bool = True  # the server is told so
    live: bool = True


def never(f: SimpleNamespace) -> list[Any]:
    return [silent_after(f)]


def said(f: SimpleNamespace) -> list[Any]:
    return [silent_after(f, *SAID), f.reply(200, {})]


def upload(f: SimpleNamespace) -> list[Any]:
    begun = f.reply(200, {}, x_goog_upload_url="https://there/upload/v1beta/files?upload_id=u0")
    return [begun, silent_after(f)]


def polled(f: SimpleNamespace) -> list[Any]:
    thought = [{"type": "model_output", "content": [{"type": "text", "text": "Half an answer"}]}]
    return [f.reply(200, {"id": "v1_a", "status": "in_progress", "steps": thought}), f.reply(200, {})]


def running(f: SimpleNamespace) -> list[Any]:
    return [silent_after(f, *CODE, delta(0, "code_execution_call", arguments=WHOLE_CODE), stop(0)), f.reply(200, {})]


def calls(*events: dict[str, Any]) -> Callable[[SimpleNamespace], list[Any]]:
    return lambda f: [f.streamed(*(f.sse(event) for event in events), f.DONE)]


def chats(*pieces: str) -> Callable[[SimpleNamespace], list[Any]]:
    """A local model's server, which writes these pieces and then thinks for ever."""

    def documents(f: SimpleNamespace) -> bytes:
        said = ({"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces)
        return b"".join(f.chunk(f"data: {json.dumps(document)}\n\n".encode()) for document in said)

    def script(f: SimpleNamespace) -> Any:
        def talk(to: Any) -> None:
            to.send(f.STREAM_HEAD + documents(f) if pieces else b"")
            assert to.client_has_gone()

        return talk

    return lambda f: [script(f)]


STAGES = {
    "uploading": Stage(upload, "uploading, 0 of 12 MB", f"{GEMINI}\nWhat does @larger.pdf say?", cancelled=False),
    "waiting for the first byte": Stage(never, "waiting for 127.0.0.1", cancelled=False),
    "waiting, shown when it is whole": Stage(never, "", cancelled=False, live=False),
    "thinking": Stage(
        lambda f: [silent_after(f, CREATED, start(0, "thought")), f.reply(200, {})], "thinking", kept="not the whole"
    ),
    "writing": Stage(said, "Half an answer", kept="Half an answer"),
    "writing, shown when it is whole": Stage(said, "", kept="Half an answer", live=False),
    "writing code": Stage(
        lambda f: [silent_after(f, *CODE), f.reply(200, {})], "writing code", kept="not the whole"
    ),
    "running code elsewhere": Stage(running, "running the code (at most 30 s)", kept="print(6 * 7)"),
    "told to come later": Stage(
        lambda f: [f.reply(503, {"error": {"code": "service_unavailable", "message": "Later."}}, retry_after="50")],
        "trying again in 50 s",
        cancelled=False,
    ),
    "taking a lost connection up": Stage(
        lambda f: [f.streamed(f.sse(*SAID), end=b""), silent_after(f), f.reply(200, {})],
        "going on where it broke",
        kept="Half an answer",
    ),
    "looking for a background answer": Stage(
        polled, "Half an answer", f"{GEMINI} --background\nWhat is 6 times 7?", kept="Half an answer"
    ),
    "a function": Stage(
        calls(*CALLED), "it runs", f"{GEMINI} --tool slow\nTake your time.", "[slow()]", cancelled=False
    ),
    "code of Gemini, isolated": Stage(
        calls(*calling(ENDLESS)), "it runs", f"{GEMINI} --run local\nCount.", "n += 1", cancelled=False
    ),
    "code that will not stop": Stage(
        calls(*calling(DEAF)), "it runs", f"{GEMINI} --run local\nWait.", "except KeyboardInterrupt", cancelled=False
    ),
    "code in this kernel": Stage(
        calls(*calling(ENDLESS)), "it runs", f"{GEMINI} --run kernel\nCount.", "n += 1", cancelled=False
    ),
    "code of the engine": Stage(
        lambda f: [], "it runs", "%%gemini_exec -m scripted:endless.json\nCount.", "I count for ever.", cancelled=False
    ),
    "code of the engine, shown when it is whole": Stage(
        lambda f: [], "", "%%gemini_exec -m scripted:endless.json\nCount.", "I count for ever.", False, live=False
    ),
    "the planner": Stage(
        lambda f: [], "working", "%%gemini_exec -m offline-planner\nWhat is the mean amount by city in @table?",
        cancelled=False,
    ),
    "a model on this computer that writes": Stage(
        chats("Half an ", "answer"), "Half an answer", "%%gemini_exec -m openai:small\nHi.", "Half an answer", False
    ),
    "a model on this computer that is silent": Stage(
        chats(), "working", "%%gemini_exec -m openai:small\nHi.", cancelled=False
    ),
}  # fmt: skip


def prepare(notebook: Any) -> None:
    """A session that has asked before: the engine keeps a thread and warm kernels from its first question on."""
    notebook.do(SESSION)
    (notebook.folder / "large.pdf").write_bytes(LARGE)
    (notebook.folder / "larger.pdf").write_bytes(LARGER)
    endless = [[[{"text": "I count for ever."}, {"code": ENDLESS}]]]
    (notebook.folder / "endless.json").write_text(json.dumps(endless))
    ran = notebook.run("%%gemini_exec -m offline-planner\nWhat is the sum of the first 50 prime numbers?", live=True)
    assert "5117" in ran.text
    notebook.do("%config GeminiExecMagics.run_unasked = True")


@pytest.fixture(scope="module", autouse=True)
def _session(notebook: Any) -> None:
    prepare(notebook)


@pytest.fixture
def nothing_is_left(notebook: Any) -> Iterator[None]:
    """No thread, no connection, and no kernel but those that the engine keeps warm."""
    before = notebook.value("left()")
    yield
    assert notebook.comes_true(f"left() == {before!r}"), (before, notebook.value("left()"))


class Asked:
    """A question under way, and a cell that is queued behind it."""

    def __init__(self, notebook: Any, ask: str, **how: Any) -> None:
        self._notebook = notebook
        self._begun = notebook.begin(ask, **how)
        self._queued = notebook.queue("after = 'has run'")
        self.heard = ""

    def until(self, sign: str) -> None:
        """Hear the cell until it shows this."""
        while sign not in self.heard:
            self.heard += json.dumps(self._notebook.hear(self._begun)["content"], default=str, ensure_ascii=False)

    def ended(self) -> Any:
        """Press stop; what the cell leaves, once the kernel is idle."""
        self._notebook.interrupt()
        ran = self._notebook.finish(self._begun)
        assert [error["ename"] for error in ran.of("error")] == ["KeyboardInterrupt"]
        assert self._notebook.fate(self._queued) == "aborted"
        return ran

    def stopped(self) -> Any:
        """The same of a question: it ends in one red line, what is queued is dropped, and the next cell runs."""
        notebook, ran = self._notebook, self.ended()
        assert [error["traceback"] for error in ran.of("error")] == [["\x1b[31mInterrupted.\x1b[0m"]]
        assert notebook.value("'after' in globals() or 6 * 7") == 42
        return ran


def reached(stage: Stage, notebook: Any, server: Any) -> Asked:
    """The question, once its stage has come."""
    if server is not None:
        urls = {"GOOGLE_GEMINI_BASE_URL": server.url, "OPENAI_BASE_URL": f"{server.url}/v1"}
        notebook.do(f"os.environ.update({urls!r})")
    asked = Asked(notebook, stage.ask, live=stage.live)
    if stage.live:
        asked.until(stage.shows)
    else:
        time.sleep(1.5)
    return asked


@pytest.mark.usefixtures("nothing_is_left")
@pytest.mark.parametrize("stage", STAGES.values(), ids=STAGES)
def test_stop(notebook: Any, serve: Callable[..., Any], faults: SimpleNamespace, stage: Stage) -> None:
    scripts = stage.scripts(faults)
    server = serve(*scripts) if scripts else None
    ran = reached(stage, notebook, server).stopped()
    receipt, *_, footer = ran.outputs
    assert "Receipt" in receipt["text/plain"] and "widget" not in str([*receipt]), "it has taken the progress's slot"
    assert stage.kept in ran.text
    assert stage.kept == "There is no answer." or "This is not the whole answer." in ran.text
    assert stage.shows != "it runs" or "--tool" in stage.ask or "it runs" in ran.text, "what was printed stays"
    assert "nterrupted" not in ran.text, "the red line says it"
    assert "follow-up" not in str([*footer])
    if server is None:
        return
    told = [seen.target for seen in server.seen if seen.target.endswith("/cancel")]
    assert told == ["/v1beta/interactions/v1_a/cancel"] * stage.cancelled
    server.close()  # every script has seen its reader go
    assert not any(thread.is_alive() for thread in server._threads)


class Mute:
    """A server that takes nothing in: it is not even asked to accept a connection."""

    def __init__(self, *, full: bool) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=0 if full else 8)
        self.address = self._listening.getsockname()
        self._waiting: list[socket.socket] = []
        while full:
            self._waiting.append(socket.socket())
            self._waiting[-1].settimeout(0.3)
            try:
                self._waiting[-1].connect(self.address)
            except TimeoutError:
                break

    def is_left(self) -> bool:
        """Whether the one who came has gone."""
        self._listening.settimeout(20)
        came, _ = self._listening.accept()
        with came:
            came.settimeout(20)
            with contextlib.suppress(ConnectionResetError):
                while came.recv(1 << 20):
                    pass
        return True

    def close(self) -> None:
        for one in (*self._waiting, self._listening):
            one.close()


@pytest.mark.usefixtures("nothing_is_left")
@pytest.mark.parametrize(
    ("scheme", "full", "question", "shows"),
    [
        ("http", True, "What is 6 times 7?", "sending 0."),
        ("https", False, "What is 6 times 7?", "sending 0."),
        ("http", False, "What does @large.pdf say?", "sending, 2 of 12 MB"),
    ],
    ids=["connecting", "agreeing on encryption", "sending"],
)
def test_stop_before_anything_is_taken(notebook: Any, scheme: str, full: bool, question: str, shows: str) -> None:
    with contextlib.closing(Mute(full=full)) as server:
        host, port = server.address
        notebook.do(f"os.environ['GOOGLE_GEMINI_BASE_URL'] = '{scheme}://{host}:{port}'")
        kernel = psutil.Process(notebook.value("os.getpid()"))
        asked = Asked(notebook, f"{GEMINI}\n{question}", live=True)
        asked.until(shows)
        while not any(one.raddr and one.raddr.port == port for one in kernel.net_connections("inet")):
            time.sleep(0.02)
        ran = asked.stopped()
        assert "There is no answer." in ran.text
        assert full or server.is_left()


@pytest.mark.usefixtures("nothing_is_left")
def test_stop_while_the_user_is_asked(notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace) -> None:
    server = asked_at(*calls(*calling("print(1)"))(faults))
    notebook.do("%config GeminiExecMagics.run_unasked = False")
    asked = Asked(notebook, f"{GEMINI} --run kernel\nCompute.", live=True, answers=[])
    asked.until("waiting for you: may this code run?")
    notebook.is_asked()
    assert "running the code" not in asked.heard
    ran = asked.stopped()
    notebook.do("%config GeminiExecMagics.run_unasked = True")
    assert "print(1)" in ran.text and len(server.seen) == 1
    assert "interrupted when it asked 'Compute.', ← last)" in notebook.do("%gemini history")


@pytest.mark.usefixtures("nothing_is_left")
def test_a_server_that_does_not_take_the_cancellation_keeps_nobody(
    notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace
) -> None:
    told = threading.Event()

    def deaf(to: Any) -> None:
        told.set()
        assert to.client_has_gone()

    asked_at(silent_after(faults, *SAID), deaf)
    asked = Asked(notebook, PLAIN, live=True)
    asked.until("Half an answer")
    asked.stopped()
    assert told.is_set()


def test_a_question_after_an_interrupted_one(notebook: Any) -> None:
    ran = notebook.run("%%gemini_exec -m offline-planner\nWhat is the sum of the first 50 prime numbers?")
    assert ran.status == "ok"
    assert "5117" in ran.text
