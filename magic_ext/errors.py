"""The root of every error that a user of this package can see."""

from __future__ import annotations

__all__ = ["GeminiExecError", "Offline"]


class GeminiExecError(Exception):
    """Something went wrong that the user can do something about.

    ``str(error)`` says in one line what went wrong, ``error.hint`` what to do next.

    >>> error = GeminiExecError("There is no variable 'slaes'.", hint="Did you mean @sales?")
    >>> print(error, error.hint)
    There is no variable 'slaes'. Did you mean @sales?
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class Offline(GeminiExecError):
    """A connection was asked for that ``GEMINI_EXEC_OFFLINE`` forbids."""
