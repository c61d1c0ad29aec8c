"""Tables that are computed later or elsewhere: lazy and distributed frames, tables of a database.

Such a table is never collected whole. Its engine computes the first rows, as many as are needed.
"""

from __future__ import annotations

import abc
import warnings
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import msgspec

from magic_ext.references.errors import BadReferenceError, UnsendableError
from magic_ext.references.tables.sheet import Sheet
from magic_ext.references.tables.table import Saved, Table

__all__ = ["HANDED_BYTES", "HANDED_ROWS", "HEAD_ROWS", "PartialTable", "save_first"]

HEAD_ROWS = 10_000  # those that a sample is drawn from
HANDED_ROWS = 1_000_000  # those that code on this computer gets, unless they are wide
HANDED_BYTES = 256 << 20
_T = TypeVar("_T")


class PartialTable(Table):
    """A table of which only the first rows are fetched; its columns are known without that."""

    _seen: int | None = None  # the number of its rows, once a fetch came to their end

    @abc.abstractmethod
    def counted(self) -> int | None:
        """Its number of rows where its engine knows that without going through them, else ``None``."""

    @abc.abstractmethod
    def first(self, count: int) -> Table:
        """Its first rows, ``count`` at most, computed by its engine. Any exception may come out."""

    @property
    def rows(self) -> int | None:
        """Its number of rows, where the engine knows it or a fetch has come to the end."""
        return self._count if self._seen is None else self._seen

    @property
    def available(self) -> int:
        """The first 10,000 rows, which are computed to tell."""
        return min(self._head.available, HEAD_ROWS)

    def sheet(self, positions: Sequence[int]) -> Sheet:
        """The rows as CSV; those behind the first 10,000 are computed when they are asked for."""
        last = max(positions, default=-1)
        return (self._head if last < HEAD_ROWS else self._fetched(last + 1)).sheet(positions)

    def save(self, folder: Path, stem: str) -> Saved:
        """An Arrow file of its first million rows, of wide ones fewer."""
        return save_first(self._fetched, self._head, folder, stem, lambda: self.rows)

    @cached_property
    def _count(self) -> int | None:
        return self._asked(self.counted)

    @cached_property
    def _head(self) -> Table:
        return self._fetched(HEAD_ROWS + 1)  # the one more tells whether there are more

    def _fetched(self, count: int) -> Table:
        table = self._asked(lambda: self.first(count))
        if table.available < count:
            self._seen = table.available
        return table

    def _asked(self, question: Callable[[], _T]) -> _T:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what the libraries warn each other of is not about the question
                return question()
        except BadReferenceError:
            raise
        except Exception as error:
            said = (str(error).strip() or "no reason given").splitlines()[0][:300]
            hint = f"Compute it in a cell to see the whole error ({type(error).__name__})."
            raise UnsendableError(f"The {self.kind} could not be computed: {said}", hint=hint) from error


def save_first(
    first: Callable[[int], Table], head: Table, folder: Path, stem: str, rows: Callable[[], int | None]
) -> Saved:
    """Save as many of the first rows as code on this computer gets, and say in a note how many of ``rows`` they are.

    ``head`` are some of the first rows: all of them, or enough to tell how much room a row takes.
    """
    saved = head.save(folder, stem)
    if rows() == saved.rows:
        return saved
    width = max(1, saved.path.stat().st_size // max(1, head.available))
    saved = first(min(HANDED_ROWS, max(HEAD_ROWS, HANDED_BYTES // width))).save(folder, stem)
    if (total := rows()) == saved.rows:
        return saved
    of = "an unknown number of" if total is None else f"{total:,}"
    note = f"only the first {saved.rows:,} of {of} rows; with --run kernel the code runs on all, where they are"
    return msgspec.structs.replace(saved, notes=(*saved.notes, note))
