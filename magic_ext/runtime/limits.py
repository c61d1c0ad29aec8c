"""How much of this computer the code may use."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import msgspec

__all__ = [
    "LEAST_MEMORY",
    "LEAST_OUTPUT",
    "LEAST_PROCESSES",
    "LEAST_SECONDS",
    "Limits",
    "amount",
    "in_words",
    "limits_of",
]

GIB = 1024**3
# With less of it a kernel that has pandas, pyarrow and matplotlib loaded does not start (measured: 320 MB, 14 threads).
LEAST_MEMORY, LEAST_PROCESSES, LEAST_OUTPUT, LEAST_SECONDS = 512 * 1024**2, 32, 1024, 0.1
UNITS = {"KB": 1024, "MB": 1024**2, "GB": GIB}
AMOUNT = re.compile(r"(\d+(?:\.\d+)?) *([KMG]B)", re.IGNORECASE)
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
    """What one session may use.

    ``memory_bytes`` counts for each process and for all of them together, ``file_bytes`` for each file,
    ``output_bytes`` for the text of one run.

    >>> Limits(seconds=5).processes
    150
    """

    seconds: float = 30.0
    memory_bytes: int = msgspec.field(default_factory=default_memory)
    processes: int = 150
    file_bytes: int = 256 * 1024**2
    output_bytes: int = 1024**2


def limits_of(
    *, seconds: float | None = None, memory: str = "", processes: int | None = None, output: str = ""
) -> Limits:
    """Return the limits as people set them, the usual ones for what is not set.

    Raises ValueError, with a reason for people.

    >>> limits_of(memory="1 GB").memory_bytes == 1024**3
    True
    """
    if seconds is not None and not seconds >= LEAST_SECONDS:
        raise ValueError(f"{seconds:g} s is too little: {LEAST_SECONDS:g} s is the least")
    if processes is not None and processes < LEAST_PROCESSES:
        raise ValueError(f"{processes} processes are too few: {LEAST_PROCESSES} is the least, a kernel's threads count")
    usual = Limits()
    return Limits(
        seconds=usual.seconds if seconds is None else seconds,
        memory_bytes=amount(memory, LEAST_MEMORY) if memory else usual.memory_bytes,
        processes=usual.processes if processes is None else processes,
        output_bytes=amount(output, LEAST_OUTPUT) if output else usual.output_bytes,
    )


def amount(text: str, least: int) -> int:
    """Return the bytes that a text like ``2GB`` or ``512 MB`` means; raises ValueError, with a reason for people.

    >>> amount("1.5 MB", 1024)
    1572864
    """
    found = AMOUNT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no amount: write it as in 512MB or 2GB")
    number = int(float(found[1]) * UNITS[found[2].upper()])
    if number < least:
        raise ValueError(f"{text!r} is too little: {in_words(least)} is the least")
    return number


def in_words(number: int) -> str:
    """Return an amount of bytes as people write it.

    >>> in_words(4 * 1024**3), in_words(512 * 1024**2), in_words(1024)
    ('4 GB', '512 MB', '1 KB')
    """
    unit = next((unit for unit in ("GB", "MB") if number >= UNITS[unit]), "KB")
    return f"{number / UNITS[unit]:.3g} {unit}"
