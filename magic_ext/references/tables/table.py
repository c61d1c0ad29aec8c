"""What every table can do, whatever library it comes from: say what it is, write rows as CSV, be saved whole."""

from __future__ import annotations

import abc
import random
from collections.abc import Sequence
from pathlib import Path

import msgspec

from magic_ext.references.errors import UnknownReferenceError, nearest
from magic_ext.references.tables.sheet import Column, Sheet

__all__ = ["SEED", "Saved", "Table", "choose", "draw"]

SEED = 0


class Saved(msgspec.Struct, frozen=True):
    """A file that holds a table whole, or as much as ``rows`` says."""

    path: Path
    mime_type: str
    rows: int | None
    notes: tuple[str, ...] = ()


class Table(abc.ABC):
    """A table that a reference names. Nothing here changes the user's object."""

    @property
    @abc.abstractmethod
    def kind(self) -> str:
        """What it is, such as ``pandas DataFrame``."""

    @property
    @abc.abstractmethod
    def rows(self) -> int | None:
        """Its number of rows; ``None`` where only running a query or reading a huge file would tell."""

    @property
    @abc.abstractmethod
    def available(self) -> int:
        """How many of its rows, from the first on, can be sent."""

    @property
    @abc.abstractmethod
    def columns(self) -> tuple[Column, ...]:
        """Its columns, levels of an index first, without any value."""

    @abc.abstractmethod
    def sheet(self, positions: Sequence[int]) -> Sheet:
        """The rows at ``positions`` (ascending) as a CSV."""

    @abc.abstractmethod
    def select(self, names: Sequence[str]) -> Table:
        """Only these columns; raises :class:`UnknownReferenceError`."""

    @abc.abstractmethod
    def save(self, folder: Path, stem: str) -> Saved:
        """Write it whole into ``folder`` as ``stem`` and a suffix, or name the file it is."""

    @abc.abstractmethod
    def live(self, source: str) -> str:
        """The expression for the frame that code sees, given the one for the object in the user's session."""


def choose(names: Sequence[str], labels: Sequence[object], written: str = "the table") -> list[int]:
    """Positions of the labels that ``names`` name: exactly, as text, or by the first level of a label of several.

    >>> choose(["city", "2019"], ["id", "city", 2019])
    [1, 2]
    """
    texts = [str(label[0] if isinstance(label, tuple) and label else label) for label in labels]
    positions = []
    for name in names:
        found = [at for at, label in enumerate(labels) if label == name]
        found = found or [at for at, text in enumerate(texts) if text == name or str(labels[at]) == name]
        if not found:
            close = nearest(name, texts)
            hint = (
                f"Did you mean {' or '.join(map(repr, close))}?" if close else f"Its columns: {', '.join(texts[:20])}."
            )
            raise UnknownReferenceError(f"There is no column {name!r} in {written}.", hint=hint)
        positions += found
    return list(dict.fromkeys(positions))


def draw(available: int, count: int) -> Sequence[int]:
    """``count`` of ``available`` row positions, drawn with a fixed seed, in their own order.

    >>> draw(10, 3) == draw(10, 3), draw(2, 3)
    (True, range(0, 2))
    """
    if count >= available:
        return range(available)
    return sorted(random.Random(SEED).sample(range(available), count))
