"""Tables that are no dataframes: lists of records, NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from magic_ext.references.cells import kind_of, missing
from magic_ext.references.errors import UnsendableError
from magic_ext.references.sheet import Column, Sheet, build
from magic_ext.references.table import ARROW, Saved, Table, choose

__all__ = ["NPY", "ArrayTable", "RecordsTable"]

NPY = "application/x-npy"


class RecordsTable(Table):
    """A list of dicts, row by row; code sees it as a pandas DataFrame."""

    def __init__(
        self, records: Sequence[Mapping[str, Any]], labels: Sequence[str], kind: str, suffix: str = ""
    ) -> None:
        self._records = records
        self._labels = labels
        self._kind = kind
        self._suffix = suffix

    @classmethod
    def of(cls, records: Sequence[Mapping[str, Any]]) -> RecordsTable:
        """Wrap a list of dicts with text keys, in the order in which keys first occur."""
        return cls(records, list(dict.fromkeys(key for record in records for key in record)), "list of records")

    @property
    def kind(self) -> str:
        """What it is."""
        return self._kind

    @property
    def rows(self) -> int:
        """Its number of records."""
        return len(self._records)

    @property
    def available(self) -> int:
        """All records."""
        return len(self._records)

    @property
    def columns(self) -> tuple[Column, ...]:
        """The keys, with what the first 200 records hold."""
        probe = self._records[:200]
        return tuple(Column(label, kind_of(self._cells(label, probe))) for label in self._labels)

    def sheet(self, positions: Sequence[int]) -> Sheet:
        """The records as CSV; a key that a record lacks is missing."""
        records = [self._records[position] for position in positions]
        values = [self._cells(label, records) for label in self._labels]
        return build(self.columns, values, whole=len(positions) == self.rows)

    def select(self, names: Sequence[str]) -> Table:
        """The columns by key."""
        wanted = [self._labels[at] for at in choose(names, self._labels)]
        return RecordsTable(self._records, wanted, self._kind, f"[{wanted!r}]")

    def live(self, source: str) -> str:
        """A DataFrame of the records."""
        return f"pd.DataFrame({source}){self._suffix}"

    def save(self, folder: Path, stem: str) -> Saved:
        """An Arrow file; columns of mixed types as text."""
        import pyarrow as pa

        arrays, notes = [], []
        for label in self._labels:
            cells = self._cells(label, self._records)
            try:
                arrays.append(pa.array(cells))
            except (pa.ArrowException, TypeError, OverflowError):
                arrays.append(pa.array([None if cell is None else str(cell) for cell in cells]))
                notes.append(f"{label!r}: values of mixed types, handed over as text")
        table = pa.Table.from_arrays(arrays, names=list(self._labels))
        path = folder / f"{stem}.arrow"
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        return Saved(path, ARROW, self.rows, tuple(notes))

    def _cells(self, label: str, records: Sequence[Mapping[str, Any]]) -> list[object]:
        cells = (record.get(label) for record in records)
        return [None if missing(cell) else cell for cell in cells]


class ArrayTable(Table):
    """A NumPy array of one or two dimensions as a CSV; of any dimension as a file of NumPy's own."""

    def __init__(self, array: Any, suffix: str = "") -> None:
        self._array = array
        self._suffix = suffix

    @property
    def kind(self) -> str:
        """With its type and shape."""
        shape = " x ".join(f"{length:,}" for length in self._array.shape)
        return f"NumPy array {shape} of {self._array.dtype.name}"

    @property
    def rows(self) -> int:
        """Its first dimension."""
        return len(self._array)

    @property
    def available(self) -> int:
        """All rows."""
        return len(self._array)

    @property
    def columns(self) -> tuple[Column, ...]:
        """One for a vector, numbered ones for a matrix, none beyond."""
        if self._array.ndim > 2:
            return ()
        width = 1 if self._array.ndim == 1 else self._array.shape[1]
        return tuple(Column(f"c{number}", self._array.dtype.name) for number in range(width))

    def sheet(self, positions: Sequence[int]) -> Sheet:
        """The rows as CSV; raises :class:`UnsendableError` for more than two dimensions."""
        if self._array.ndim > 2:
            hint = "Refer to a slice of it, or send its type and shape only, as in @name:schema."
            raise UnsendableError(f"An array of {self._array.ndim} dimensions is no table.", hint=hint)
        part = self._array[list(positions)]
        matrix = part.reshape(len(part), -1)
        values = [_cells(matrix[:, number]) for number in range(matrix.shape[1])]
        finish = "['c0'].to_numpy()" if self._array.ndim == 1 else ".to_numpy()"
        return build(self.columns, values, whole=len(positions) == self.rows, finish=finish)

    def select(self, names: Sequence[str]) -> Table:
        """An array has no named columns: always raises :class:`UnsendableError`."""
        raise UnsendableError(
            "An array has no named columns.", hint="Refer to a slice of it: part = array[:, 0], then @part."
        )

    def live(self, source: str) -> str:
        """The array itself."""
        return source

    def save(self, folder: Path, stem: str) -> Saved:
        """A ``.npy`` file; raises :class:`UnsendableError` for an array of Python objects."""
        import numpy as np

        if self._array.dtype.hasobject:
            raise UnsendableError(
                "An array of Python objects cannot be handed over.", hint="Make it a DataFrame first."
            )
        path = folder / f"{stem}.npy"
        np.save(path, self._array, allow_pickle=False)
        return Saved(path, NPY, self.rows)


def _cells(column: Any) -> list[object]:
    if column.dtype.kind in "mM":
        column = column.astype(column.dtype.str[:2] + "8[us]")
    return [None if missing(cell) else cell for cell in column.tolist()]
