"""However a part of it is killed, nothing of an isolated kernel is left: no process and no folder."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty

import psutil
import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

import magic_ext.runtime.scripts
from magic_ext.runtime.isolation import Isolation
from magic_ext.runtime.pool import Pool
from magic_ext.runtime.session import Session

SCRIPT = Path(magic_ext.runtime.scripts.__file__).with_name("kernel.py")


def test_a_kernel_ends_with_the_pipe_from_its_parent(tmp_path: Path) -> None:
    file, info = write_connection_file(str(tmp_path / "connection.json"))
    limits = {"memory_bytes": 4 << 30, "file_bytes": 1 << 20}
    options = {"connection_file": file, "limits": limits, "output_bytes": 1000}
    process = subprocess.Popen([sys.executable, str(SCRIPT), json.dumps(options)], stdin=subprocess.PIPE, cwd=tmp_path)
    client = BlockingKernelClient()
    try:
        client.load_connection_info(info)
        client.start_channels()
        _wait_until_it_answers(client)
        printed: list[str] = []
        client.execute_interactive(
            "import sys; print(repr(sys.stdin.read()), end='')",
            timeout=60,
            allow_stdin=False,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
        assert "''" in "".join(printed), "the code itself reads nothing"
        assert process.poll() is None and process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0
    finally:
        client.stop_channels()
        process.kill()
        process.wait()


def _wait_until_it_answers(client: BlockingKernelClient) -> None:
    """Without heartbeats, which a busy machine misses."""
    for _ in range(120):
        client.kernel_info()
        with contextlib.suppress(Empty):
            client.get_shell_msg(timeout=0.5)
            client.get_iopub_msg(timeout=0.5)
            return


NewPool = Callable[..., Pool]
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        while True: time.sleep(0.05)
    os._exit(0)
os.wait()
"""
KILLED: dict[str, Callable[[psutil.Process], psutil.Process]] = {
    "what supervises it": lambda outermost: outermost,
    "the kernel": lambda outermost: _innermost(outermost),
}


@pytest.fixture
def pool(tool: Isolation, pool_of: NewPool) -> Iterator[Pool]:
    with pool_of(tool) as pool:
        yield pool


@linux
def test_killed_while_nothing_runs(pool: Pool) -> None:
    session = pool.take(None, trusted=True)
    assert session.run(DAEMON).status == "ok"
    home = _home(session)
    assert len(_having(home)) >= 2
    _kill(_outermost(session))
    assert _nothing_has(home)
    done = session.run("1")
    assert (done.status, done.state_lost) == ("dead", True)
    pool.give_back(session, "tip")
    assert pool.take("tip", trusted=True).run("6 * 7").output == "42\n"


@linux
@pytest.mark.parametrize("part", KILLED)
def test_killed_while_code_runs(pool: Pool, part: str) -> None:
    session = pool.take(None, trusted=True)

    def kill(piece: object) -> None:
        _kill(KILLED[part](_outermost(session)))

    done = session.run(f"{DAEMON}\nprint('busy', flush=True)\nwhile True: pass", on_output=kill)
    assert (done.status, done.state_lost) == ("dead", True)
    assert _nothing_has(_home(session))


@linux
def test_a_killed_spare_is_not_given_out(pool: Pool) -> None:
    pool.give_back(pool.take(None, trusted=True), None)
    assert pool._spare is not None
    spare = pool._spare.result(60)
    assert spare._process is not None
    _kill(psutil.Process(spare._process.pid))
    assert _nothing_has(str(spare.workspace.home))
    while spare.alive:
        time.sleep(0.01)
    session = pool.take(None, trusted=True)
    assert session._kernel is not spare and session.run("6 * 7").output == "42\n"


def _outermost(session: Session) -> psutil.Process:
    process = session._kernel._process
    assert process is not None
    return psutil.Process(process.pid)


def _innermost(outermost: psutil.Process) -> psutil.Process:
    """The process that serves the kernel, below whatever isolates it: the one with the most threads."""
    found = [outermost, *outermost.children(recursive=True)]
    return max((process for process in found if "kernel.py" in " ".join(process.cmdline())), key=_threads)


def _threads(process: psutil.Process) -> int:
    return int(process.num_threads())


def _kill(process: psutil.Process) -> None:
    os.kill(process.pid, signal.SIGKILL)


def _home(session: Session) -> str:
    return str(session.workdir.parent / "home")


def _having(home: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"HOME={home}".encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def _nothing_has(home: str) -> bool:
    until = time.monotonic() + 20
    while (left := _having(home)) and time.monotonic() < until:
        time.sleep(0.05)
    return not left
