"""The stop button: the kernel is free at once, what had arrived is kept and marked, nothing goes on behind."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

ASK = "%%gemini_exec -m gemini-3-flash-preview\nWhat is 6 times 7?"
THREADS = "sorted(one.name for one in __import__('threading').enumerate())"
SCRIPT = [[[{"text": "I count for ever."}, {"code": "n = 0\nprint('begun')\nwhile True:\n    n += 1"}]]]


@pytest.fixture(scope="module", autouse=True)
def _warm(notebook: Any) -> None:
    """The engine keeps one thread for its kernels, from its first question on."""
    ran = notebook.run("%%gemini_exec -m offline-planner\nWhat is the sum of the first 50 prime numbers?")
    assert "5117" in ran.text


@pytest.fixture(autouse=True)
def _no_thread_is_left(notebook: Any) -> Iterator[None]:
    before = notebook.value(THREADS)
    yield
    assert notebook.comes_true(f"{THREADS} == {before}"), (before, notebook.value(THREADS))


def stopped(notebook: Any, begun: str) -> Any:
    """Press stop; the cell must end by a KeyboardInterrupt, and the next one run."""
    notebook.interrupt()
    ran = notebook.finish(begun)
    assert [error["ename"] for error in ran.of("error")] == ["KeyboardInterrupt"]
    assert notebook.value("6 * 7") == 42
    return ran


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_while_waiting_for_headers(notebook: Any, asked_at: Callable[..., Any], live: bool) -> None:
    asked = threading.Event()
    gone: list[bool] = []

    def script(to: Any) -> None:
        asked.set()
        gone.append(to.client_has_gone())

    server = asked_at(script)
    begun = notebook.begin(ASK, live=live)
    assert asked.wait(30)
    ran = stopped(notebook, begun)
    assert "Interrupted" in ran.text
    server.close()
    assert gone == [True], "the connection is closed, so that the server can stop"
    assert len(server.seen) == 1


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_in_a_silent_stream(notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, live: bool) -> None:
    sent = threading.Event()

    def script(to: Any) -> None:
        faults.streamed(faults.sse(faults.CREATED, faults.START), end=b"")(to)
        time.sleep(0.3)  # a front end gets ten messages a second
        to.send(faults.chunk(faults.sse(faults.DELTA)))
        sent.set()
        assert to.client_has_gone()

    server = asked_at(script)
    begun = notebook.begin(ASK, live=live)
    assert sent.wait(30)
    if live:
        while "Grüße" not in json.dumps(notebook.hear(begun)["content"], default=str, ensure_ascii=False):
            pass
    else:
        time.sleep(0.5)
    ran = stopped(notebook, begun)
    assert "Grüße" in ran.text
    assert "Interrupted; this is not the whole answer." in ran.text
    assert "status: interrupted" in ran.text
    assert [seen.target for seen in server.seen[1:]] == ["/v1beta/interactions/v1_a/cancel"]


def test_while_a_request_waits_for_its_next_try(
    notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace
) -> None:
    error = {"error": {"code": "service_unavailable", "message": "Later."}}
    server = asked_at(faults.reply(503, error, retry_after="50"))
    begun = notebook.begin(ASK, live=True)
    while "trying again in 50 s" not in json.dumps(notebook.hear(begun)["content"], default=str):
        pass
    stopped(notebook, begun)
    assert len(server.seen) == 1


def seconds_used(kernel: int) -> float:
    """The processor time of all that the kernel has started."""
    used = 0.0
    for process in psutil.Process(kernel).children(recursive=True):
        try:
            used += sum(process.cpu_times()[:2])
        except psutil.NoSuchProcess:
            continue
    return used


def uses(kernel: int, *, busy: bool) -> bool:
    """Wait until what the kernel has started is busy for a while, or is not; ``False`` if that never happens."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        before = seconds_used(kernel)
        time.sleep(1.0)
        if (seconds_used(kernel) - before > 0.2) == busy:
            return True
    return False


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_while_code_runs_on_this_computer(notebook: Any, live: bool) -> None:
    (notebook.folder / "endless.json").write_text(json.dumps(SCRIPT))
    kernel = notebook.value("__import__('os').getpid()")
    begun = notebook.begin("%%gemini_exec -m scripted:endless.json\nCount.", live=live)
    if live:
        while "begun" not in json.dumps(notebook.hear(begun)["content"], default=str):
            pass
    assert uses(kernel, busy=True)
    ran = stopped(notebook, begun)
    assert "I count for ever." in ran.text
    assert "n += 1" in ran.text
    assert "Interrupted; this is not the whole answer." in ran.text
    assert uses(kernel, busy=False), "the code goes on behind"


def test_a_question_after_an_interrupted_one(notebook: Any) -> None:
    ran = notebook.run("%%gemini_exec -m offline-planner\nWhat is the sum of the first 50 prime numbers?")
    assert ran.status == "ok"
    assert "5117" in ran.text
