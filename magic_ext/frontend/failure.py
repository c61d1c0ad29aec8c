"""A failure in a cell: red, one line, what to do next.

IPython's ``UsageError`` would look like it, but sends no ``error`` message: nbval stays green, *Run All* goes on. An
exception with a ``_render_traceback_`` of its own is a real error and decides what is shown.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterable
from typing import TypeVar

from magic_ext.errors import GeminiExecError
from magic_ext.markdown import visible

__all__ = ["CellFailure", "in_one_line", "without_secrets"]

T = TypeVar("T")

_KEYS = re.compile(r"AIza[\w-]{10,}+|\b(?:AQ\.|ya29\.|sk-)[\w.-]{10,}+")
_HEADERS = re.compile(
    r"(?i)(x-goog-api-key|authorization|api[-_]?key)"
    r"((?:[\"']?\s*+[:=]|[\"']\s*+,)\s*+(?:b(?=[\"']))?[\"']?(?:bearer\s++)?)[^\s\"',)}]++"  # a comma only in a repr
)


class CellFailure(GeminiExecError):
    r"""What a user sees of an error: its message and its hint in one red line.

    ``debug`` shows the whole traceback of ``error`` instead. Keys, and every value in ``secrets``, are taken out of
    both.

    >>> failure = CellFailure(GeminiExecError("No answer.", hint="Try again."))
    >>> failure._render_traceback_()[0].removeprefix("\x1b[31m").removesuffix("\x1b[0m")
    'No answer. Try again.'
    """

    def __init__(self, error: BaseException, *, debug: bool = False, secrets: Iterable[str] = ()) -> None:
        hidden = tuple(secrets)
        hint = getattr(error, "hint", "")
        super().__init__(_one_line(error, hidden), hint=without_secrets(str(hint), hidden))
        self._lines: list[str] = []
        if debug:
            text = "".join(traceback.format_exception(error))
            self._lines = without_secrets(visible(text), hidden).rstrip("\n").split("\n")

    def _render_traceback_(self) -> list[str]:
        line = " ".join(" ".join([str(self), self.hint]).split())
        return [*self._lines, f"\x1b[31m{line}\x1b[0m"]


def in_one_line(work: Callable[[], T], *, debug: bool = False, secrets: Iterable[str] = ()) -> T:
    """Call ``work``; an error it raises comes out as a :class:`CellFailure`.

    Only our own errors are one line; any other is a fault of this package and shows where it happened. An interrupt
    stays one, without the traceback of what it interrupted. Both are raised anew, outside the handler: with the
    original as its context IPython would print a group of exceptions in its own way, secrets and all.
    """
    failure: BaseException
    try:
        return work()
    except CellFailure:
        raise
    except KeyboardInterrupt as stop:
        _let_go(stop)
        failure = KeyboardInterrupt()
        failure._render_traceback_ = lambda: ["\x1b[31mInterrupted.\x1b[0m"]  # type: ignore[attr-defined]
    except Exception as error:
        failure = CellFailure(error, debug=debug or not isinstance(error, GeminiExecError), secrets=secrets)
    raise failure


def _let_go(stop: BaseException) -> None:
    """Let go of all that an interrupt has met on its way: a connection that was half made is closed by that alone."""
    met: BaseException | None = stop
    while met is not None:
        traceback.clear_frames(met.__traceback__)
        met = met.__context__


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the given values, without what looks like a key, and without the values of key headers.

    >>> without_secrets("key AIzaSyA1234567890 in x-goog-api-key: hunter2", ["hunter"])
    'key *** in x-goog-api-key: ***'
    """
    for secret in sorted({s for s in secrets if len(s) >= 4}, key=len, reverse=True):
        text = text.replace(secret, "***")
    return _HEADERS.sub(r"\1\2***", _KEYS.sub("***", text))


def _one_line(error: BaseException, secrets: Iterable[str]) -> str:
    text = str(error) if isinstance(error, GeminiExecError) else f"{type(error).__name__}: {error}"
    return " ".join(without_secrets(visible(text), secrets).split())
