"""Tables that are no dataframes: lists of records, dicts of columns, NumPy arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from magic_ext.references.errors import UnsendableError
from magic_ext.references.tables.cells import kind_of, missing, utf8
from magic_ext.references.tables.sheet import Column, Sheet, build, quoted
from magic_ext.references.tables.table import Saved, Table, choose
from magic_ext.wire.content import ARROW

__all__ = ["NPY", "ArrayTable", "ColumnsTable", "RecordsTable"]

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

    @cached_property
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
        columns = [self._cells(label, self._records) for label in self._labels]
        path = folder / f"{stem}.arrow"
        return Saved(path, ARROW, self.rows, _write_arrow(path, self._labels, columns))

    def _cells(self, label: str, records: Sequence[Mapping[str, Any]]) -> list[object]:
        return _known([record.get(label) for record in records])


class ColumnsTable(Table):
    """A dict of columns, each a sequence of as many cells; code sees it as a pandas DataFrame."""

    def __init__(self, cells: Mapping[str, Sequence[Any]], kind: str = "dict of columns", suffix: str = "") -> None:
        self._held = cells
        self._kind = kind
        self._suffix = suffix

    @property
    def kind(self) -> str:
        """What it is."""
        return self._kind

    @property
    def rows(self) -> int:
        """The length of its columns."""
        return len(next(iter(self._held.values()), ()))

    @property
    def available(self) -> int:
        """All rows."""
        return self.rows

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The keys, with what the first 200 cells of each hold."""
        return tuple(Column(label, kind_of(_known(cells[:200]))) for label, cells in self._held.items())

    def sheet(self, positions: Sequence[int]) -> Sheet:
        """The rows as CSV."""
        values = [_known([cells[position] for position in positions]) for cells in self._held.values()]
        return build(self.columns, values, whole=len(positions) == self.rows)

    def select(self, names: Sequence[str]) -> Table:
        """The columns by key."""
        labels = list(self._held)
        wanted = [labels[at] for at in choose(names, labels)]
        return ColumnsTable({label: self._held[label] for label in wanted}, self._kind, f"[{wanted!r}]")

    def live(self, source: str) -> str:
        """A DataFrame of the columns."""
        return f"pd.DataFrame({source}){self._suffix}"

    def save(self, folder: Path, stem: str) -> Saved:
        """An Arrow file; columns of mixed types as text."""
        path = folder / f"{stem}.arrow"
        columns = [_known(cells) for cells in self._held.values()]
        return Saved(path, ARROW, self.rows, _write_arrow(path, list(self._held), columns))


class ArrayTable(Table):
    """A NumPy array: of one or two dimensions a table, beyond only a shape, and whole a file of NumPy's own."""

    def __init__(self, array: Any, name: str) -> None:
        self._array = array
        self._name = name

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

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """One for a vector, ``c0``, ``c1``, ... for a matrix, none beyond."""
        dtype = self._array.dtype
        cast = f'"{dtype.name}"' if dtype.kind in "iuf" and dtype.itemsize < 8 else ""
        return tuple(Column(label, dtype.name, cast=cast) for label in self._labels)

    def sheet(self, positions: Sequence[int]) -> Sheet:
        """The rows as CSV; raises :class:`UnsendableError` for more than two dimensions."""
        if self._array.ndim > 2:
            hint = "Refer to a slice of it, or send its type and shape only, as in @name:schema."
            raise UnsendableError(f"An array of {self._array.ndim} dimensions is no table.", hint=hint)
        values = [_cells(column) for column in self._columns(self._array[list(positions)])]
        return build(self.columns, values, whole=len(positions) == self.rows)

    def select(self, names: Sequence[str]) -> Table:
        """An array has no named columns: always raises :class:`UnsendableError`."""
        hint = "Refer to a slice of it: part = array[:, 0], then @part."
        raise UnsendableError("An array has no named columns.", hint=hint)

    def live(self, source: str) -> str:
        """A DataFrame of the array; beyond two dimensions itself."""
        if self._array.ndim > 2:
            return source
        vector = self._array.ndim == 1
        return f"pd.DataFrame({{{self._name!r}: {source}}})" if vector else f'pd.DataFrame({source}).add_prefix("c")'

    def save(self, folder: Path, stem: str) -> Saved:
        """An Arrow file, beyond two dimensions a ``.npy`` file.

        Raises :class:`UnsendableError` for Python objects in more than two dimensions.
        """
        import numpy as np

        if self._array.ndim <= 2:
            path = folder / f"{stem}.arrow"
            return Saved(path, ARROW, self.rows, _write_arrow(path, self._labels, self._columns(self._array)))
        if self._array.dtype.hasobject:
            hint = "Make it an array of numbers first."
            raise UnsendableError(
                "An array of Python objects in more than two dimensions cannot be handed over.", hint=hint
            )
        path = folder / f"{stem}.npy"
        np.save(path, self._array, allow_pickle=False)
        return Saved(path, NPY, self.rows)

    @property
    def _labels(self) -> list[str]:
        if self._array.ndim == 1:
            return [self._name]
        return [f"c{number}" for number in range(self._array.shape[1])] if self._array.ndim == 2 else []

    def _columns(self, part: Any) -> list[Any]:
        if part.dtype.kind in "mM":  # hours and months have no counterpart elsewhere
            part = part.astype(part.dtype.str[:2] + "8[us]")
        return [part] if part.ndim == 1 else [part[:, number] for number in range(part.shape[1])]


def _cells(column: Any) -> list[object]:
    return _known(column.tolist())


def _known(cells: Sequence[Any]) -> list[object]:
    return [None if missing(cell) else cell for cell in cells]


def _write_arrow(path: Path, labels: Sequence[str], columns: Sequence[Any]) -> tuple[str, ...]:
    import pyarrow as pa

    arrays, notes = [], []
    for label, cells in zip(labels, columns, strict=True):
        try:
            arrays.append(pa.array(cells))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            texts = [None if missing(cell) else utf8(str(cell)) for cell in cells]
            arrays.append(pa.array(texts, pa.string()))
            notes.append(f"{quoted(label)}: values of mixed types, handed over as text")
    table = pa.Table.from_arrays(arrays, names=list(labels))
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return tuple(notes)
