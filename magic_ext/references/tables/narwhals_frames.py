"""polars and pyarrow, behind narwhals; of a lazy frame only the head is ever computed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from magic_ext.references.tables.cells import Kind, missing
from magic_ext.references.tables.sheet import Column, Sheet, build
from magic_ext.references.tables.table import Saved, Table, choose

__all__ = ["LAZY_ROWS", "NarwhalsTable"]

LAZY_ROWS = 10_000
_MAX_LEVELS = 100


class NarwhalsTable(Table):
    """A frame behind narwhals. ``live_suffix`` is the source that makes a pandas DataFrame of the user's object."""

    def __init__(self, frame: Any, kind: str, live_suffix: str) -> None:
        self._frame = frame
        self._kind = kind
        self._suffix = live_suffix

    @classmethod
    def of(cls, native: Any, kind: str) -> NarwhalsTable:
        """Wrap a native frame."""
        import narwhals as nw

        frame = nw.from_native(native)
        return cls(frame, kind, ".collect().to_pandas()" if _is_lazy(frame) else ".to_pandas()")

    @classmethod
    def of_series(cls, native: Any, name: str, kind: str) -> NarwhalsTable:
        """Wrap a native series as a frame of one column, called ``name`` if the series has no name."""
        import narwhals as nw

        series = nw.from_native(native, series_only=True)
        label = series.name or name
        return cls(series.alias(label).to_frame(), kind, f".to_frame({label!r}).to_pandas()")

    @property
    def kind(self) -> str:
        """The library's name for it."""
        return self._kind

    @property
    def rows(self) -> int | None:
        """Its length; unknown for a lazy frame."""
        return None if _is_lazy(self._frame) else len(self._frame)

    @property
    def available(self) -> int:
        """All rows; of a lazy frame the first 10,000."""
        return len(self._head)

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns by the schema, which a lazy frame knows without being run."""
        schema = self._frame.collect_schema() if _is_lazy(self._frame) else self._frame.schema
        return tuple(_column(label, dtype) for label, dtype in schema.items())

    def sheet(self, positions: Sequence[int]) -> Sheet:
        """The rows as CSV, read back by pandas."""
        values = [self._cells(column.label, list(positions)) for column in self.columns]
        return build(self.columns, values, whole=len(positions) == self.rows)

    def select(self, names: Sequence[str]) -> Table:
        """The columns by name."""
        labels = [column.label for column in self.columns]
        wanted = [labels[at] for at in choose(names, labels)]
        return NarwhalsTable(self._frame.select(wanted), self._kind, f".select({wanted!r}){self._suffix}")

    def live(self, source: str) -> str:
        """The object as a pandas DataFrame."""
        return source + self._suffix

    def save(self, folder: Path, stem: str) -> Saved:
        """An Arrow file of the pandas DataFrame that :meth:`live` gives; of a lazy frame its head."""
        from magic_ext.references.tables.pandas_frames import PandasTable

        saved = PandasTable(self._head.to_pandas()).save(folder, stem)
        if self.rows is not None:
            return saved
        note = f"only the first {saved.rows:,} rows; collect it to hand over all"
        return msgspec.structs.replace(saved, notes=(*saved.notes, note))

    def _cells(self, label: str, positions: list[int]) -> list[object]:
        import narwhals as nw

        column = self._head[label]
        if column.dtype == nw.Object:  # polars 1.9 deadlocks when it picks rows of Python objects
            cells = column.to_list()
            return [_value(cells[position]) for position in positions]
        return [_value(cell) for cell in column[positions].to_list()]

    @cached_property
    def _head(self) -> Any:
        import narwhals as nw

        head = self._frame.head(LAZY_ROWS).collect() if _is_lazy(self._frame) else self._frame
        if head.implementation is not nw.Implementation.POLARS:
            return head
        # polars makes datetimes of dates when it makes a pandas DataFrame, and so must whatever else does.
        dates = [name for name, dtype in head.schema.items() if dtype == nw.Date]
        return head.with_columns(nw.col(*dates).cast(nw.Datetime("ms"))) if dates else head


def _is_lazy(frame: Any) -> bool:
    import narwhals as nw

    return isinstance(frame, nw.LazyFrame)


def _dtype(dtype: Any) -> str:
    # By hand: the text of an Enum lists its categories, which are values.
    name = type(dtype).__name__ if not isinstance(dtype, type) else dtype.__name__
    if (inner := getattr(dtype, "inner", None)) is not None:
        return f"{name}({_dtype(inner)})"
    if fields := getattr(dtype, "fields", None):
        return f"{name}({', '.join(f'{part.name!r}: {_dtype(part.dtype)}' for part in fields)})"
    zone = _zone(dtype)
    return f"{name}({zone})" if zone else name


def _column(label: str, dtype: Any) -> Column:
    name = type(dtype).__name__
    levels = tuple(getattr(dtype, "categories", ()))
    if len(levels) > _MAX_LEVELS:
        levels = ()
    cast = '"category"' if name in ("Categorical", "Enum") else ""
    kinds: dict[str, Kind] = {"Datetime": "datetime", "Date": "datetime", "Duration": "timedelta", "String": "text"}
    kind = kinds.get(name, "empty")
    return Column(label, _dtype(dtype), kind=kind, cast=cast, zone=_zone(dtype), levels=levels, ordered=bool(levels))


def _zone(dtype: Any) -> str:
    return str(getattr(dtype, "time_zone", None) or "")


def _value(value: object) -> object:
    return None if missing(value) else value
