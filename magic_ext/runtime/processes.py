"""Looking at the processes of a kernel from outside: what they use together, and their end."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable
from pathlib import Path

from magic_ext.runtime.limits import Limits, in_words

__all__ = ["end_by_home", "excess", "memory_of"]

PROC = Path("/proc")
STOPPED_AT = 4096  # a tree larger than that is looked at no further


def excess(pid: int, limits: Limits) -> str:
    """Return what the processes below ``pid`` use too much of, in words; ``""`` if they keep to the limits.

    The system's own limits hold for one process, and it does not count the processes of root.
    """
    if not PROC.exists():
        return _excess_elsewhere(pid, limits)
    pids = below(pid)
    if len(pids) > limits.processes:
        return _crowded(limits)
    # Counting shared memory once is costly, so it is done only where counting it for each is too much.
    if resident(pids) > limits.memory_bytes and proportional(pids) > limits.memory_bytes:
        return _greedy(limits)
    return ""


def _excess_elsewhere(pid: int, limits: Limits) -> str:
    """The same by psutil: macOS sets no limit to memory, nor to the processes of one sandbox."""
    psutil = importlib.import_module("psutil")

    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        family = [root, *root.children(recursive=True)]
        if len(family) - 1 > limits.processes:
            return _crowded(limits)
        if sum(process.memory_info().rss for process in family) > limits.memory_bytes:
            own = sum(process.memory_full_info().uss for process in family)
            return _greedy(limits) if own > limits.memory_bytes else ""
    return ""


def _crowded(limits: Limits) -> str:
    return f"started more than {limits.processes} processes"


def _greedy(limits: Limits) -> str:
    return f"used more than {in_words(limits.memory_bytes)} of memory, all its processes together"


def below(pid: int) -> list[int]:
    """Return the processes that ``pid`` started, and those that these started."""
    found: list[int] = []
    todo = [pid]
    while todo and len(found) < STOPPED_AT:
        children = [child for task in _tasks(todo.pop()) for child in _numbers(task / "children")]
        found += children
        todo += children
    return found


def resident(pids: Iterable[int]) -> int:
    """Return the bytes that the processes hold in memory; what they share is counted for each."""
    pages = (_numbers(PROC / str(pid) / "statm")[1:2] for pid in pids)
    return sum(sum(found) for found in pages) * 4096


def proportional(pids: Iterable[int]) -> int:
    """Return the same with what they share counted once (``Pss`` of proc(5))."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError, ValueError, IndexError):
            lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()
            total += next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def memory_of(pid: int) -> int:
    """Return the bytes that a process and those below it hold in memory, 0 where that can't be seen."""
    return resident((pid, *below(pid)))


def end_by_home(home: Path) -> None:
    """Kill every process whose environment names ``home`` as its home: what a kernel started and nothing contains."""
    psutil = importlib.import_module("psutil")

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("HOME") == str(home):
                process.kill()


def _tasks(pid: int) -> list[Path]:
    with contextlib.suppress(OSError):
        return list((PROC / str(pid) / "task").iterdir())
    return []


def _numbers(path: Path) -> list[int]:
    with contextlib.suppress(OSError, ValueError):
        return [int(number) for number in path.read_text().split()]
    return []
