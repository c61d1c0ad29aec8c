"""pandas: a DataFrame or Series with its index, its labels and its types."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from magic_ext.references.errors import UnsendableError
from magic_ext.references.tables.cells import Kind, kind_of, missing, utf8
from magic_ext.references.tables.sheet import Column, Sheet, build, source
from magic_ext.references.tables.table import Saved, Table, choose
from magic_ext.wire.content import ARROW

__all__ = ["PandasTable"]

_MAX_LEVELS = 100  # a categorical with more is read back with the categories that occur
_PROBE = 200  # rows looked at to name what an object column holds


class PandasTable(Table):
    """A pandas DataFrame; a Series is a frame of one column, ``suffix`` the source that makes it one.

    ``of`` is the number of rows of the table that it is a part of, if it is one.
    """

    def __init__(self, frame: Any, kind: str = "pandas DataFrame", suffix: str = "", *, of: int | None = None) -> None:
        self._frame = frame
        self._kind = kind
        self._suffix = suffix
        self._of = len(frame) if of is None else of

    @classmethod
    def of_series(cls, series: Any, name: str) -> PandasTable:
        """The series as a frame; without a name of its own its column is called ``name``."""
        label = name if series.name is None else series.name
        suffix = f".to_frame({source(name)})" if series.name is None else ".to_frame()"
        return cls(series.to_frame(label), "pandas Series", suffix)

    @classmethod
    def of_index(cls, index: Any, name: str) -> PandasTable:
        """The index as a frame with a column for each level."""
        if index.nlevels > 1:
            return cls(index.to_frame(index=False), "pandas MultiIndex", ".to_frame(index=False)")
        label = name if index.name is None else index.name
        suffix = f".to_frame(index=False, name={source(label)})"
        return cls(index.to_frame(index=False, name=label), "pandas Index", suffix)

    @property
    def kind(self) -> str:
        """The library's name for it."""
        return self._kind

    @property
    def rows(self) -> int:
        """Its length."""
        return len(self._frame)

    @property
    def available(self) -> int:
        """All rows."""
        return len(self._frame)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Levels of an index that is not plain numbering, then the columns."""
        return tuple(
            _column(label, values, is_index) for label, values, is_index in self._parts(self._frame.head(_PROBE))
        )

    def sheet(self, positions: Sequence[int]) -> Sheet:
        """The rows as CSV with index, labels and types to be restored."""
        part = self._frame if len(positions) == len(self._frame) else self._frame.iloc[positions]
        values = [_values(cells) for _, cells, _ in self._parts(part)]
        whole = len(positions) == self._of
        return build(self.columns, values, whole=whole, axis_names=tuple(self._frame.columns.names))

    def select(self, names: Sequence[str]) -> Table:
        """The columns by label; the index stays."""
        labels = list(self._frame.columns)
        chosen = choose(names, labels)
        wanted = dict.fromkeys(labels[at] for at in chosen)
        suffix = f"{self._suffix}[[{', '.join(map(source, wanted))}]]"
        return PandasTable(self._frame.iloc[:, chosen], self._kind, suffix)

    def live(self, source: str) -> str:
        """The object itself, or what its columns are chosen by."""
        return source + self._suffix

    def save(self, folder: Path, stem: str) -> Saved:
        """An Arrow file whose pandas metadata bring back index, categories and time zones."""
        import pyarrow as pa

        path = folder / f"{stem}.arrow"
        table, notes = _arrow(self._frame)
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        return Saved(path, ARROW, self.rows, notes)

    def _parts(self, part: Any) -> Iterator[tuple[Any, Any, bool]]:
        index = part.index
        if not _is_numbering(self._frame.index):
            for level, name in enumerate(index.names):
                yield name, index.get_level_values(level), True
        for position, label in enumerate(part.columns):
            yield label, part.iloc[:, position], False


def _is_numbering(index: Any) -> bool:
    return type(index).__name__ == "RangeIndex" and index.name is None and index.start == 0 and index.step == 1


def _column(label: Any, values: Any, is_index: bool) -> Column:
    dtype = values.dtype
    name = type(dtype).__name__
    if name == "CategoricalDtype":
        return _categorical(label, dtype, is_index)
    if name == "SparseDtype":  # its name holds the fill value
        return Column(label, f"Sparse[{dtype.subtype}]", is_index, note="sparse, sent dense")
    if name == "DatetimeTZDtype":
        return Column(label, str(dtype), is_index, zone=str(dtype.tz))
    if name == "PeriodDtype":
        return Column(label, str(dtype), is_index, cast=repr(str(dtype)))
    if name == "IntervalDtype":
        return Column(label, str(dtype), is_index, note="intervals, sent as text")
    if name == "ObjectDType":
        held = kind_of(_values(values))
        return Column(label, "object" if held in ("empty", "mixed") else f"object ({held})", is_index)
    return Column(label, str(dtype), is_index, kind=_kind(str(dtype)), cast=_cast(str(dtype)))


def _kind(dtype: str) -> Kind:
    kinds: dict[str, Kind] = {"datetime": "datetime", "timedelta": "timedelta", "str": "text"}
    return next((kind for start, kind in kinds.items() if dtype.startswith(start)), "empty")


def _cast(dtype: str) -> str:
    # read_csv finds int64, float64, bool, text and dates by itself. pyarrow is not in Google's sandbox.
    if dtype in ("int64", "float64", "bool", "object", "str") or dtype.startswith(("datetime", "timedelta", "complex")):
        return ""
    if dtype.endswith("[pyarrow]"):
        return '"Int64"' if dtype.startswith(("int", "uint")) else ""
    if dtype.startswith("string"):
        return '"string"'
    known = dtype.lower().startswith(("int", "uint", "float", "boolean"))
    return f'"{dtype}"' if known else ""


def _categorical(label: Any, dtype: Any, is_index: bool) -> Column:
    categories = dtype.categories
    few = len(categories) <= _MAX_LEVELS
    levels = tuple(categories.tolist()) if few else ()
    if levels and kind_of(levels) in ("text", "integer"):
        return Column(label, "category", is_index, levels=levels, ordered=bool(dtype.ordered))
    note = "categories, read back as text without their order" if len(categories) else ""
    return Column(label, "category", is_index, cast='"category"', note=note)


def _values(cells: Any) -> list[object]:
    import numpy as np

    return [None if missing(value) else _plain(value) for value in np.asarray(cells, dtype=object).tolist()]


def _plain(value: Any) -> object:
    if type(value).__module__ == "numpy":
        return value.tolist()
    return value


def _arrow(frame: Any) -> tuple[Any, tuple[str, ...]]:
    labels = list(frame.columns)
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        hint = "Give each column a name of its own, then ask again."
        raise UnsendableError(f"The table has more than one column {twice!r}.", hint=hint)
    bare = frame.copy(deep=False)
    bare.attrs = {}  # attributes of the frame are nobody's data here, and need not be JSON
    for position, dtype in enumerate(frame.dtypes):
        if type(dtype).__name__ == "SparseDtype":  # Arrow has none
            bare.isetitem(position, frame.iloc[:, position].sparse.to_dense())
    table, notes = _converted(bare)
    restored = table.schema.empty_table().to_pandas()
    if list(restored.columns) != labels:
        hint = "Give the columns names: df.columns = df.columns.astype(str)."
        raise UnsendableError("The column labels of the table cannot be kept in an Arrow file.", hint=hint)
    return table, notes


def _converted(frame: Any) -> tuple[Any, tuple[str, ...]]:
    import pyarrow as pa

    try:
        return _table(frame), ()
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        pass
    notes = []
    for position, label in enumerate(frame.columns):
        if not _fits(frame.iloc[:, position]):
            frame.isetitem(position, _as_text(frame.iloc[:, position]))
            notes.append(f"{source(label)}: values of mixed types, handed over as text")
    try:
        return _table(frame), tuple(notes)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        hint = "Try it without its index: df.reset_index(drop=True)."
        raise UnsendableError("The index of the table cannot be kept in an Arrow file.", hint=hint) from error


def _table(frame: Any) -> Any:
    import pyarrow as pa

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pa.Table.from_pandas(frame)


def _fits(series: Any) -> bool:
    import pyarrow as pa

    try:
        pa.Array.from_pandas(series)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return False
    return True


def _as_text(series: Any) -> Any:
    to_text: Callable[[Any], Any] = lambda value: None if missing(value) else utf8(str(value))  # noqa: E731
    return series.astype(object).map(to_text)
