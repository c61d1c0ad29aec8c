from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from magic_ext.runtime import choice, probe
from magic_ext.runtime.choice import find_isolation
from magic_ext.runtime.errors import NotIsolated
from magic_ext.runtime.isolation import Isolation
from magic_ext.runtime.limits import Limits
from magic_ext.runtime.pool import Pool
from magic_ext.runtime.session import Session

PoolOf = Callable[[Isolation], Pool]
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module")
def prisoner(sandbox: Isolation, pool_of: PoolOf) -> Iterator[Session]:
    with pool_of(sandbox) as pool:
        yield pool.take(None)


def test_sees_no_environment_but_its_own(prisoner: Session) -> None:
    code = """
        import glob, os
        seen = dict(os.environ).__repr__()
        for path in glob.glob('/proc/[0-9]*/environ'):
            try: seen += open(path).read()
            except OSError: pass
        print('GEMINI_TEST_KEY' in seen, 'PYTEST_CURRENT_TEST' in seen, 'MPLCONFIGDIR' in seen)
    """
    assert prisoner.run(textwrap.dedent(code)).output == "False False True\n"


def test_files_and_libraries_work(prisoner: Session) -> None:
    done = prisoner.run("import pandas as pd\npd.DataFrame({'a': [1, 2]}).to_csv('x.csv')\nlen(pd.read_csv('x.csv'))")
    assert done.output == "2\n", done.error
    assert prisoner.run("open('big', 'wb').write(b'x' * 300 * 2**20)").status == "error"


@linux
def test_a_detached_daemon_ends_with_the_session(tool: Isolation, pool_of: PoolOf) -> None:
    with pool_of(tool) as pool:
        session = pool.take(None, trusted=True)
        home = str(session.workdir.parent / "home")
        code = """
            import os, time
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    while True: time.sleep(0.05)
                os._exit(0)
            os.wait()
        """
        assert session.run(textwrap.dedent(code)).status == "ok"
        assert having_home(home)
        session.close()
        assert eventually_gone(home)
        assert not session.workdir.exists()


OWNER = """
import sys
from magic_ext.runtime.choice import candidates
from magic_ext.runtime.isolation import Isolation
from magic_ext.runtime.limits import Limits
from magic_ext.runtime.pool import Pool

class PoolOf(Pool):
    def isolation(self):
        wanted = [*candidates(self.limits), Isolation("none", self.limits)]
        return next(one for one in wanted if one.name == sys.argv[1])

pool = PoolOf(Limits())
session = pool.take(None, trusted=True)
print(session.workdir, flush=True)
session.run("print('busy')\\nwhile True: pass", on_output=lambda _: print("busy", flush=True))
"""


@linux
def test_a_killed_owner_leaves_no_process(tool: Isolation, pool_of: PoolOf) -> None:
    with subprocess.Popen([sys.executable, "-c", OWNER, tool.name], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        work = Path(owner.stdout.readline().strip())
        assert owner.stdout.readline() == "busy\n"
        home = str(work.parent / "home")
        assert having_home(home)
        owner.kill()
    assert eventually_gone(home)
    with pool_of(tool) as pool:
        pool.take(None, trusted=True)
        assert not work.parent.exists(), "the next pool sweeps the folder"


@pytest.mark.skipif(sys.platform == "win32", reason="nothing to probe there")
def test_the_probe_sees_every_leak(none: Isolation) -> None:
    found = set(probe.leaks(none))
    assert {"reads a file in the home folder", "reaches the network", "writes into the home folder"} <= found
    assert {"sends datagrams", "reaches sockets of other programs"} <= found
    if sys.platform == "linux":
        assert "reads this process's environment" in found


@linux
def test_a_tool_that_does_not_start_is_not_used(none: Isolation) -> None:
    (found,) = probe.leaks(Isolation("bwrap", none.limits, "/bin/false"))
    assert found.startswith("does not start")
    (found,) = probe.leaks(Isolation("bwrap", none.limits, "/nowhere/bwrap"))
    assert found.startswith("cannot be probed")


@pytest.fixture
def anew() -> Iterator[None]:
    """What holds here is looked for again, and again after the test."""
    choice._holding.cache_clear()
    yield
    choice._holding.cache_clear()


def test_the_best_working_tool_is_found_and_remembered(best: Isolation, monkeypatch: pytest.MonkeyPatch) -> None:
    found = find_isolation(best.limits)
    assert found == best
    monkeypatch.setattr(probe, "leaks", lambda tool: pytest.fail("it is tried once, whatever the limits"))
    assert find_isolation(Limits(processes=77)) == Isolation(best.name, Limits(processes=77), best.program)
    assert ("not isolated" in found.line) == (found.name == "none")


@linux
@pytest.mark.usefixtures("anew")
def test_the_next_tool_is_used_when_the_first_leaks(monkeypatch: pytest.MonkeyPatch, sandbox: Isolation) -> None:
    monkeypatch.setattr(choice, "candidates", lambda limits: [Isolation("none", limits), sandbox])
    assert find_isolation(sandbox.limits) == sandbox


@pytest.mark.usefixtures("anew")
def test_without_isolation_only_trusted_code_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choice, "candidates", lambda limits: [])
    with Pool(Limits(seconds=7)) as pool:
        with pytest.raises(NotIsolated) as raised:
            pool.take(None)
        assert "gemini-exec[local]" in raised.value.hint
        session = pool.take(None, trusted=True)
        assert session.isolation.line.startswith("not isolated")
        assert session.run("6 * 7").output == "42\n"


def readable_by_all() -> bool:
    paths = [Path(sys.base_prefix), Path(sys.prefix), Path(choice.__file__)]
    return all(parent.stat().st_mode & 0o005 for path in paths for parent in [path, *path.parents])


if sys.platform == "linux" and os.geteuid() == 0 and readable_by_all():  # only root can become somebody else

    def test_works_as_a_normal_user(sandbox: Isolation) -> None:
        demote = "import os, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534); os.environ['HOME'] = '/tmp'; "
        script = (
            demote + "from magic_ext.runtime import probe; from magic_ext.runtime.choice import candidates;"
            "from magic_ext.runtime.limits import Limits;"
            f"print([probe.leaks(one) for one in candidates(Limits()) if one.name == {sandbox.name!r}][0])"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd="/", check=False)
        assert done.stdout == "()\n", done.stderr


def having_home(home: str) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if f"HOME={home}".encode() in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
    return found


def eventually_gone(home: str) -> bool:
    limit = time.monotonic() + 20
    while having_home(home) and time.monotonic() < limit:
        time.sleep(0.05)
    return not having_home(home)
