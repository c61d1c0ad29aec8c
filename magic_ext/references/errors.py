"""Errors of references: raised before anything is sent."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from magic_ext.errors import GeminiExecError

__all__ = ["BadPolicyError", "BadReferenceError", "UnknownReferenceError", "UnsendableError", "nearest"]


class BadReferenceError(GeminiExecError):
    """A reference in a cell that cannot be followed or sent."""


class UnknownReferenceError(BadReferenceError):
    """A reference to a variable, attribute, key, column or file that is not there."""


class UnsendableError(BadReferenceError):
    """A reference to something that is there but cannot go out (a module, a folder, a binary file)."""


class BadPolicyError(BadReferenceError):
    """A policy that is misspelt or does not fit what it stands at."""


def nearest(word: str, candidates: Iterable[str], count: int = 3) -> list[str]:
    """The candidates that look most like ``word``, best first; letter case does not matter.

    >>> nearest("slaes", ["sales", "costs", "Sale"])
    ['sales', 'Sale']
    """
    spelled = {candidate.lower(): candidate for candidate in sorted(candidates, reverse=True)}
    return [spelled[match] for match in get_close_matches(word.lower(), spelled, n=count, cutoff=0.6)]
