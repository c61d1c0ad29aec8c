"""Who works on an interaction: this process, told apart from a later one that got the same number."""

from __future__ import annotations

import functools
import os

__all__ = ["is_alive", "this_process"]


@functools.cache
def this_process() -> str:
    """Our own process as a lease: its number and the moment it began.

    >>> is_alive(this_process()), is_alive("1:0"), is_alive("nonsense")
    (True, False, False)
    """
    return _lease(os.getpid())


def is_alive(owner: str) -> bool:
    """Whether the process that holds a lease still runs on this computer."""
    number = owner.partition(":")[0]
    return number.isdecimal() and _lease(int(number)) == owner


def _lease(pid: int) -> str:
    import psutil

    try:
        return f"{pid}:{psutil.Process(pid).create_time():.2f}"
    except (psutil.Error, OverflowError):
        return ""
