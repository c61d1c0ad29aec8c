"""What came of running a piece of code."""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["Execution"]


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one run.

    - ``status``: ``ok``; ``error``: the code raised, or was interrupted; ``timeout``; ``dead``: the kernel ended.
    - ``output``: what was printed, on stdout and stderr, and the last expression as plain text, in order.
    - ``images``: PNG files, in order.
    - ``error``: a plain traceback, or one line that says what happened; empty if all went well.
    - ``exception``, ``line``: the type of the exception, and the line of the code that it came from, where known.
    - ``state_lost``: the kernel is gone, and with it all variables.
    """

    status: Literal["ok", "error", "timeout", "dead"]
    output: str = ""
    images: tuple[bytes, ...] = ()
    error: str = ""
    exception: str = ""
    line: int | None = None
    seconds: float = 0.0
    state_lost: bool = False
