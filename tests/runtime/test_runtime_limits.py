"""The limits are settings: a lower one holds, a higher one allows; each with small numbers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from magic_ext.runtime import pool as pool_module
from magic_ext.runtime import processes
from magic_ext.runtime.isolation import Isolation
from magic_ext.runtime.kernels import Kernels
from magic_ext.runtime.limits import LEAST_MEMORY, Limits, amount, in_words, limits_of
from magic_ext.runtime.pool import Pool
from magic_ext.runtime.session import Session

MIB = 1024**2


@pytest.fixture(scope="module")
def kernels() -> Iterator[Kernels]:
    kernels = Kernels()
    yield kernels
    kernels.close()


@pytest.fixture
def under(kernels: Kernels, best: Isolation) -> Iterator[Callable[[Limits], Session]]:
    """A new kernel under these limits."""
    started: list[Session] = []

    def start(limits: Limits) -> Session:
        kernel = kernels.start(msgspec.structs.replace(best, limits=limits), preload=False).result(60)
        started.append(Session(kernel, kernels))
        return started[-1]

    yield start
    for session in started:
        session.close()


def test_what_people_write() -> None:
    assert limits_of() == Limits()
    chosen = limits_of(seconds=60, memory="2GB", processes=64, output="200 kb")
    assert chosen == Limits(seconds=60, memory_bytes=2048 * MIB, processes=64, output_bytes=200 * 1024)
    for text, least in (("lots", 1), ("", 1), ("2", 1), ("-2GB", 1), ("1TB", 1), ("nanGB", 1), ("1GB 2GB", 1)):
        with pytest.raises(ValueError, match="write it as in 512MB or 2GB"):
            amount(text, least)
    for wrong in (
        {"memory": "100MB"},
        {"output": "0KB"},
        {"seconds": 0.0},
        {"seconds": float("nan")},
        {"processes": 3},
    ):
        with pytest.raises(ValueError, match="is the least"):
            limits_of(**wrong)  # type: ignore[arg-type]
    for number in (1024, 200 * 1024, 512 * MIB, 4096 * MIB):
        assert amount(in_words(number), 1) == number


def test_seconds(under: Callable[[Limits], Session]) -> None:
    session = under(Limits(seconds=0.5))
    done = session.run("kept = 1\nimport time; time.sleep(1.5)\nprint('slept')")
    assert (done.status, done.state_lost) == ("timeout", False)
    assert "longer than 0.5 s" in done.error
    assert session.adopt(msgspec.structs.replace(session.isolation, limits=Limits(seconds=20)))
    assert session.run("time.sleep(1.5)\nprint('slept', kept)").output == "slept 1\n"


def test_memory_of_one_process(under: Callable[[Limits], Session]) -> None:
    code = "kept = 1\nblock = bytearray(800 * 2**20)\nprint(len(block))"
    session = under(Limits(memory_bytes=LEAST_MEMORY))
    done = session.run(code)
    assert (done.status, done.exception) == ("error", "MemoryError")
    assert session.run("kept").output == "1\n"
    assert under(Limits(memory_bytes=2048 * MIB)).run(code).output == f"{800 * MIB}\n"


MANY = """
import os, time
kept = 1
for _ in range(4):
    if os.fork() == 0:
        block = bytearray(b'x') * (200 * 2**20)
        time.sleep(5)
        os._exit(0)
time.sleep({seconds})
print('nothing happened')
"""


def test_memory_of_all_processes_together(under: Callable[[Limits], Session], best: Isolation) -> None:
    if best.name == "none":
        pytest.skip("nothing isolates here")
    done = under(Limits(memory_bytes=LEAST_MEMORY, seconds=20)).run(MANY.format(seconds=15))
    assert (done.status, done.state_lost) == ("dead", True)
    assert done.error.startswith("The code used more than 512 MB of memory, all its processes together.")
    done = under(Limits(memory_bytes=2048 * MIB, seconds=20)).run(MANY.format(seconds=1.5))
    assert done.output == "nothing happened\n", done.error


def test_what_processes_share_counts_once(under: Callable[[Limits], Session]) -> None:
    code = """
import os, time
block = bytearray(b'x') * (150 * 2**20)
for _ in range(5):
    if os.fork() == 0:
        time.sleep(1.5)
        os._exit(0)
time.sleep(1)
print('shared')
"""
    assert under(Limits(memory_bytes=LEAST_MEMORY)).run(code).output == "shared\n"


def test_without_proc_psutil_looks(under: Callable[[Limits], Session], monkeypatch: pytest.MonkeyPatch) -> None:
    """As on macOS."""
    monkeypatch.setattr(processes, "PROC", Path("/nowhere"))
    done = under(Limits(memory_bytes=LEAST_MEMORY, seconds=20)).run(MANY.format(seconds=15))
    assert done.status == "dead" and "all its processes together" in done.error


def test_processes(under: Callable[[Limits], Session], best: Isolation) -> None:
    if best.name == "none":
        pytest.skip("nothing isolates here")
    code = """
import os, time
for _ in range(60):
    if os.fork() == 0:
        time.sleep({seconds})
        os._exit(0)
time.sleep({seconds})
print('60 more')
"""
    # They are counted now and then, on a busy machine seldom: what is too many lives until it is seen.
    done = under(Limits(processes=40)).run(code.format(seconds=20))
    assert done.status in {"dead", "error"} and "60 more" not in done.output
    assert under(Limits(processes=120)).run(code.format(seconds=1)).output == "60 more\n"


def test_output(under: Callable[[Limits], Session]) -> None:
    done = under(Limits(output_bytes=2048)).run("print('x' * 5000)")
    assert done.output == "x" * 2048 + "\n[The output was cut here: more than 2 KB.]\n"
    assert under(Limits(output_bytes=8192)).run("print('x' * 5000)").output == "x" * 5000 + "\n"


def test_a_conversation_under_other_limits_gets_a_fresh_kernel(
    best: Isolation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is bound to a process can't be changed; seconds can, and cost no variable."""
    monkeypatch.setattr(pool_module, "find_isolation", lambda limits: msgspec.structs.replace(best, limits=limits))
    pool = Pool()

    def under(limits: Limits) -> Session:
        pool.limits = limits
        return pool.take("tip", trusted=True)

    session = under(Limits(output_bytes=4096))
    pool.give_back(session, "tip")
    again = under(Limits(output_bytes=4096, seconds=60))
    assert again is session and not again.fresh and again.isolation.limits.seconds == 60
    pool.give_back(again, "tip")
    other = under(Limits(output_bytes=8192))
    assert other is not session and other.fresh and other.isolation.limits.output_bytes == 8192
    pool.close()


def test_an_idle_kernel_is_watched_too(under: Callable[[Limits], Session], best: Isolation) -> None:
    if best.name == "none":
        pytest.skip("nothing isolates here")
    session = under(Limits(memory_bytes=LEAST_MEMORY))
    code = MANY.replace("time.sleep({seconds})\n", "").replace("time.sleep(5)", "time.sleep(60)")
    assert session.run(f"import threading\nthreading.Timer(0.5, lambda: exec({code!r})).start()").status == "ok"
    limit = time.monotonic() + 30
    while session.alive and time.monotonic() < limit:
        threading.Event().wait(0.1)
    assert not session.alive
    assert "all its processes together" in session.run("1").error
