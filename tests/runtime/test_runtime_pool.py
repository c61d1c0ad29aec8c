from __future__ import annotations

import gc
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from magic_ext.errors import GeminiExecError
from magic_ext.runtime import kernel as kernel_module
from magic_ext.runtime.errors import KernelFailed
from magic_ext.runtime.isolation import Isolation
from magic_ext.runtime.pool import Pool

NewPool = Callable[..., Pool]


@pytest.fixture
def new_pool(pool_of: Callable[[Isolation, int], Pool], best: Isolation) -> NewPool:
    return lambda max_kernels=2: pool_of(best, max_kernels)


def test_a_session_belongs_to_the_tip_it_was_given_back_under(new_pool: NewPool) -> None:
    with new_pool() as pool:
        first = pool.take(None, trusted=True)
        assert first.fresh
        first.run("x = 1")
        pool.give_back(first, "a")
        again = pool.take("a", trusted=True)
        assert again is first and not again.fresh
        assert again.run("x").output == "1\n"
        pool.give_back(again, "b")
        # The conversation has gone on to b: a branch from a starts anew and needs its code again.
        branch = pool.take("a", trusted=True)
        assert branch is not first and branch.fresh
        assert branch.run("x").status == "error"
        assert pool.take("b", trusted=True) is first


def test_the_longest_idle_session_goes_first(new_pool: NewPool) -> None:
    with new_pool(2) as pool:
        one, two = pool.take(None, trusted=True), pool.take(None, trusted=True)
        pool.give_back(one, "one")
        pool.give_back(two, "two")
        three = pool.take("three", trusted=True)
        assert three.fresh
        pool.give_back(three, "three")
        assert pool.take("two", trusted=True) is two
        assert pool.take("one", trusted=True).fresh
        assert eventually(lambda: not one.alive and not one.workdir.exists())


def test_a_discarded_or_dead_session_is_not_given_out_again(new_pool: NewPool) -> None:
    with new_pool(1) as pool:
        session = pool.take(None, trusted=True)
        pool.give_back(session, None)
        pool.give_back(session, None)
        assert eventually(lambda: not session.alive)
        second = pool.take(None, trusted=True)
        second.run("import os; os._exit(1)")
        pool.give_back(second, "tip")
        third = pool.take("tip", trusted=True)
        assert third.fresh and third.alive


def test_others_wait_their_turn(new_pool: NewPool) -> None:
    with new_pool(1) as pool:
        session = pool.take(None, trusted=True)
        told, taken = threading.Event(), threading.Event()

        def second() -> None:
            pool.give_back(pool.take("tip", trusted=True, waiting=told.set), None)
            taken.set()

        thread = threading.Thread(target=second)
        thread.start()
        assert told.wait(10)
        assert not taken.wait(0.3)
        pool.give_back(session, "tip")
        assert taken.wait(20)
        thread.join()


def test_a_spare_kernel_is_ready_after_the_first_use(new_pool: NewPool) -> None:
    with new_pool(2) as pool:
        first = pool.take(None, trusted=True)
        pool.give_back(first, "a")
        assert pool._spare is not None
        kernel = pool._spare.result(60)
        second = pool.take("b", trusted=True)
        assert second._kernel is kernel and second.fresh
        loaded = second.run("import sys\n'pandas' in sys.modules, 'matplotlib.pyplot' in sys.modules")
        assert loaded.output == "(True, True)\n"
        assert loaded.status == "ok"


def test_a_spare_is_culled(monkeypatch: pytest.MonkeyPatch, new_pool: NewPool) -> None:
    monkeypatch.setattr("magic_ext.runtime.pool.SPARE_SECONDS", 0.0)
    with new_pool(2) as pool:
        pool.give_back(pool.take(None, trusted=True), "a")
        assert eventually(lambda: pool._spare is None and len(pool._kernels._kernels) == 1)


def test_an_idle_session_is_culled(monkeypatch: pytest.MonkeyPatch, new_pool: NewPool) -> None:
    monkeypatch.setattr("magic_ext.runtime.pool.IDLE_SECONDS", 0.2)
    with new_pool(2) as pool:
        session = pool.take(None, trusted=True)
        pool.give_back(session, "a")
        assert eventually(lambda: not session.alive and not session.workdir.exists())
        assert pool.take("a", trusted=True).fresh


def test_the_pool_tells_what_its_kernels_take(new_pool: NewPool) -> None:
    with new_pool(2) as pool:
        assert pool.line == ""
        session = pool.take(None, trusted=True)
        assert re.fullmatch(r"1 isolated kernel running: [\d.]+ MB of memory", pool.line)
        pool.give_back(session, "a")
        assert pool._spare is not None
        pool._spare.result(60)
        assert re.fullmatch(r"2 isolated kernels running, one of them as a spare: [\d.]+ MB of memory", pool.line)


def test_close_leaves_nothing_behind(new_pool: NewPool) -> None:
    before = set(threading.enumerate())
    pool = new_pool(2)
    idle, busy = pool.take(None, trusted=True), pool.take(None, trusted=True)
    pool.give_back(idle, "a")  # and a spare is starting
    results = []
    runner = threading.Thread(target=lambda: results.append(busy.run("print(1)\nwhile True: pass", on_output=go)))
    running = threading.Event()

    def go(piece: object) -> None:
        running.set()

    runner.start()
    assert running.wait(20)
    pool.close()
    pool.close()
    runner.join(10)
    assert [result.status for result in results] == ["dead"]
    assert set(threading.enumerate()) == before
    assert not idle.alive and not busy.alive
    assert not idle.workdir.parent.exists() and not busy.workdir.parent.exists()
    with pytest.raises(GeminiExecError, match="closed"):
        pool.take(None, trusted=True)


def test_a_forgotten_pool_is_closed(new_pool: NewPool) -> None:
    before = set(threading.enumerate())
    pool = new_pool(1)
    session = pool.take(None, trusted=True)
    pool.give_back(session, "a")
    del pool
    gc.collect()
    assert eventually(lambda: not session.alive and set(threading.enumerate()) == before)


def test_an_interrupted_start_leaves_nothing(monkeypatch: pytest.MonkeyPatch, new_pool: NewPool) -> None:
    def interrupted(future: object) -> None:
        raise KeyboardInterrupt

    with new_pool(1) as pool:
        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr("magic_ext.runtime.pool.wait_for", interrupted)
            pool.take(None, trusted=True)
        session = pool.take(None, trusted=True)
        assert eventually(lambda: pool._kernels._kernels == {session._kernel})


def test_a_process_that_just_ends_leaves_nothing() -> None:
    code = (
        "from magic_ext.runtime.pool import Pool\npool = Pool()\ns = pool.take(None, trusted=True)\n"
        "pool.give_back(s, 'a')\ns = pool.take(None, trusted=True)\nprint(s.workdir.parent)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == ""
    assert not Path(done.stdout.strip()).exists()


def test_a_kernel_that_cannot_start_says_why(
    monkeypatch: pytest.MonkeyPatch, pool_of: NewPool, none: Isolation
) -> None:
    before = set(threading.enumerate())
    monkeypatch.setattr(kernel_module.sys, "executable", str(Path(sys.prefix, "nowhere")))
    with pool_of(none, 1) as pool:
        for _ in range(2):  # a failed start frees its place
            with pytest.raises(KernelFailed, match="nowhere"):
                pool.take(None, trusted=True)
    monkeypatch.undo()
    monkeypatch.setattr(Isolation, "prefix", lambda self, workspace: [sys.executable, "-c", "raise OSError('no luck')"])
    with pool_of(none, 1) as pool, pytest.raises(KernelFailed, match="no luck"):
        pool.take(None, trusted=True)
    assert set(threading.enumerate()) == before


def test_import_is_light() -> None:
    heavy = "{'jupyter_client', 'zmq', 'pandas', 'matplotlib', 'IPython', 'psutil'}"
    code = f"import sys, magic_ext.runtime.pool\nprint({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def eventually(condition: object) -> bool:
    assert callable(condition)
    limit = time.monotonic() + 20
    while not condition() and time.monotonic() < limit:
        time.sleep(0.05)
    return bool(condition())
