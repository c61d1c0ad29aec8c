"""How much of this computer the code may use."""

from __future__ import annotations

import contextlib
from pathlib import Path

import msgspec

__all__ = ["Limits"]

GIB = 1024**3
CGROUP_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def cgroup_memory() -> int | None:
    """Return the memory limit of the container in bytes, or None.

    Reads cgroup v2, then v1; a v1 without a limit reports a number near 2**63, which no computer has.
    """
    for name in CGROUP_FILES:
        with contextlib.suppress(OSError, ValueError):
            return int(Path(name).read_text())
    return None


def default_memory() -> int:
    """Return 4 GiB, or half of the container's limit if that is less."""
    limit = cgroup_memory()
    return 4 * GIB if limit is None else min(4 * GIB, limit // 2)


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one session may use; ``memory_bytes`` and ``file_bytes`` count per process and per file.

    >>> Limits(seconds=5).processes
    150
    """

    seconds: float = 30.0
    memory_bytes: int = msgspec.field(default_factory=default_memory)
    processes: int = 150
    file_bytes: int = 256 * 1024**2
    output_bytes: int = 1_000_000
