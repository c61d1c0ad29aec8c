"""Counting and ending the processes of a kernel from outside."""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path

__all__ = ["end_by_home", "in_namespace_below"]

PROC = Path("/proc")


def in_namespace_below(pid: int) -> int:
    """Return how many processes live in the pid namespace of the first child of ``pid``, 0 if it has none."""
    child = _first_child(pid)
    space = _namespace(child) if child else None
    if space is None:
        return 0
    return sum(_namespace(entry.name) == space for entry in PROC.glob("[0-9]*"))


def end_by_home(home: Path) -> None:
    """Kill every process whose environment names ``home`` as its home: what a kernel started and nothing contains."""
    psutil = importlib.import_module("psutil")

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get("HOME") == str(home):
                process.kill()


def _first_child(pid: int) -> str:
    with contextlib.suppress(OSError):
        return (PROC / f"{pid}/task/{pid}/children").read_text().partition(" ")[0]
    return ""


def _namespace(pid: str) -> int | None:
    with contextlib.suppress(OSError):
        return (PROC / pid / "ns/pid").stat().st_ino
    return None
