"""Code in an isolated kernel that waits with its libraries loaded, against a cold process and a bare kernel.

Ratios of one run are asserted, times are printed (``pytest tests/bench -s``): a ratio holds on a slow machine too.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from jupyter_client.manager import start_new_kernel

from magic_ext.engine.asked import Asked
from magic_ext.engine.embedded import close_embedded_engine, embedded_engine
from magic_ext.engine.service import Engine
from magic_ext.references.attach import Local, prepare
from magic_ext.runtime.limits import Limits
from magic_ext.runtime.session import Session
from magic_ext.wire.steps import UserInput

TURNS = 7
LOAD = "import numpy as np, pandas as pd, matplotlib.pyplot as plt\n"
TABLE = (
    "rng = np.random.default_rng(0)\n"
    "table = pd.DataFrame({'k': rng.integers(0, 50, 20_000).astype(str), 'v': rng.random(20_000)})\n"
)
WORK = {
    "`1 + 1`": "1 + 1",
    "groupby on 20,000 rows": "print(table.groupby('k').v.mean())",
    "plot to PNG": "plt.plot(range(100)); plt.show()",
}
FIRST, FRAME_IN, MEMORY = "ask to first result", "1,000,000 x 8 frame in", "memory"
TARGETS = {FIRST: 50, "`1 + 1`": 15, "groupby on 20,000 rows": 30, "plot to PNG": 150, FRAME_IN: 500}
COLD = {
    **{name: f"{LOAD}{TABLE}{code}" for name, code in WORK.items()},
    "`1 + 1`": f"{LOAD}print(1 + 1)",
    "plot to PNG": f"{LOAD}plt.switch_backend('agg'); plt.plot(range(100)); plt.savefig(sys.stdout.buffer)",
}
Times = dict[str, float]


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return pd.DataFrame(np.random.default_rng(0).random((1_000_000, 8)), columns=list("abcdefgh"))


def least(work: Callable[[], Any], turns: int = TURNS) -> float:
    """The milliseconds of the fastest turn: what else the machine does makes the others longer."""
    times = []
    for _ in range(turns):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times) * 1e3


def megabytes(process: psutil.Process) -> float:
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True))) / 2**20


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    yield embedded_engine(Limits())
    close_embedded_engine()


class Ours:
    """The engine's pool, with a spare kernel waiting as it does after the first use."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        engine.pool.give_back(engine.pool.take(None, trusted=True), None)

    def measure(self, frame: pd.DataFrame, folder: Path) -> Times:
        times = {FIRST: min(self._with_spare(self._first) for _ in range(3))}
        times[FRAME_IN] = min(self._with_spare(lambda: self._frame_in(frame, folder)) for _ in range(3))
        self._wait()
        session = self._engine.pool.take(None, trusted=True)
        assert session.run(LOAD + TABLE).status == "ok"
        for name, code in WORK.items():
            times[name] = least(lambda code=code: ok(session, code))  # type: ignore[misc]
        process = session._kernel._process
        assert process is not None
        times[MEMORY] = megabytes(psutil.Process(process.pid))
        self._engine.pool.give_back(session, None)
        return times

    def _wait(self) -> None:
        assert self._engine.pool._spare is not None
        self._engine.pool._spare.result(60)

    def _with_spare(self, work: Callable[[], None]) -> float:
        self._wait()
        return least(work, 1)

    def _first(self) -> None:
        session = self._engine.pool.take(None, trusted=True)
        ok(session, LOAD + "1 + 1")
        self._engine.pool.give_back(session, None)

    def _frame_in(self, frame: pd.DataFrame, folder: Path) -> None:
        prepared, _ = prepare("@frame", (), {"frame": frame}, folder, Local(folder))
        bench = self._engine.workbench(Asked(model="", steps=(UserInput(prepared.contents),)), (), lambda: None)
        done = bench.run("len(frame)", trusted=True, on_output=lambda _: None)
        assert done.output == "1000000\n", done.error
        bench.give_back(None)


def ok(session: Session, code: str) -> None:
    done = session.run(code)
    assert done.status == "ok", done.error


def cold(frame: pd.DataFrame, folder: Path) -> Times:
    """A new process each time."""

    def run(code: str) -> None:
        subprocess.run([sys.executable, "-c", "import sys\n" + code], check=True, capture_output=True)

    def frame_in() -> None:
        frame.to_pickle(folder / "frame.pkl")
        run(f"import pandas as pd\nprint(len(pd.read_pickle({str(folder / 'frame.pkl')!r})))")

    times = {name: least(lambda code=code: run(code), 1) for name, code in COLD.items()}  # type: ignore[misc]
    waiting = f"{COLD['plot to PNG']}\nsys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", "import sys\n" + waiting], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stdout.read(1)
        time.sleep(0.2)
        times[MEMORY] = megabytes(psutil.Process(process.pid))
        process.stdin.close()  # type: ignore[union-attr]
        process.stdout.read()
    return {FIRST: times["`1 + 1`"], FRAME_IN: least(frame_in, 1), **times}


def bare(frame: pd.DataFrame, folder: Path) -> Times:
    """A kernel as Jupyter starts it: nothing isolates it, nothing is loaded."""
    manager, client = start_new_kernel(kernel_name="python3")

    def run(code: str, client: Any = client) -> None:
        reply = client.execute_interactive(code, timeout=60, allow_stdin=False, output_hook=lambda _: None)
        assert reply["content"]["status"] == "ok", reply["content"]

    def first() -> None:
        other, its_client = start_new_kernel(kernel_name="python3")
        run(LOAD + "1 + 1", its_client)
        its_client.stop_channels()
        other.shutdown_kernel(now=True)

    def frame_in() -> None:
        frame.to_pickle(folder / "frame.pkl")
        run(f"frame = pd.read_pickle({str(folder / 'frame.pkl')!r})")

    run(LOAD + TABLE)
    times = {name: least(lambda code=code: run(code)) for name, code in WORK.items()}  # type: ignore[misc]
    times[MEMORY] = megabytes(psutil.Process(manager.provisioner.process.pid))
    times[FRAME_IN] = least(frame_in, 1)
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    return times | {FIRST: least(first, 2)}


@pytest.mark.slow
def test_a_warm_isolated_kernel(engine: Engine, frame: pd.DataFrame, tmp_path: Path) -> None:
    ours, process, kernel = Ours(engine).measure(frame, tmp_path), cold(frame, tmp_path), bare(frame, tmp_path)
    row = "{:26}{:>12}{:>9}{:>14}{:>13}".format
    print(f"\n{engine.pool.isolation().line}\n{row('', 'isolated', 'target', 'cold process', 'bare kernel')}")
    for name in (*TARGETS, MEMORY):
        unit, target = ("MB", "") if name == MEMORY else ("ms", f"{TARGETS[name]} ms")
        cells = (f"{times[name]:,.1f} {unit}" for times in (ours, process, kernel))
        print(row(name, next(cells), target, *cells))
    assert ours[FIRST] < process[FIRST] / 3 and ours[FIRST] < kernel[FIRST] / 3
    for name in WORK:
        assert ours[name] < process[name] / 2, name
        assert ours[name] < kernel[name] * 5, name
    assert ours[FRAME_IN] < process[FRAME_IN] * 2 and ours[FRAME_IN] < kernel[FRAME_IN] * 10
    assert ours[MEMORY] < kernel[MEMORY] * 1.5
