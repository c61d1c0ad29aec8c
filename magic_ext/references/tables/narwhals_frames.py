"""Frames in memory behind narwhals: polars and pyarrow."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from magic_ext.references.tables.cells import Kind, missing
from magic_ext.references.tables.sheet import Column, Sheet, build
from magic_ext.references.tables.table import Saved, Table, choose

__all__ = ["NarwhalsTable", "columns_of"]

_MAX_LEVELS = 100
_KINDS: dict[str, Kind] = {
    "Datetime": "datetime", "Date": "datetime", "Duration": "timedelta", "String": "text", "Time": "time",
}  # fmt: skip
_SMALL = frozenset({"Int8", "Int16", "Int32", "UInt8", "UInt16", "UInt32", "UInt64", "Float32"})
# pandas has a type that holds them besides missing ones; without it they would become floats or objects.
_NULLABLE = frozenset({"Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Boolean"})


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

        return cls(nw.from_native(native, eager_only=True), kind, ".to_pandas()")

    @classmethod
    def of_series(cls, native: Any, name: str, kind: str) -> NarwhalsTable:
        """Wrap a native series as a frame of one column, called ``name`` if the series has no name."""
        import narwhals as nw

        series = nw.from_native(native, series_only=True)
        label = series.name or name
        of_arrow = kind.startswith("pyarrow")  # it makes no frame by itself
        suffix = f".to_pandas().to_frame({label!r})" if of_arrow else f".to_frame({label!r}).to_pandas()"
        return cls(series.alias(label).to_frame(), kind, suffix)

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
        """The columns by the schema."""
        return columns_of(self._frame.schema)

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
        """An Arrow file of the pandas DataFrame that :meth:`live` gives, missing integers and booleans as such."""
        from magic_ext.references.tables.pandas_frames import PandasTable

        frame = self._with_datetimes()
        nullable = [name for name, dtype in frame.schema.items() if str(dtype) in _NULLABLE]
        nullable = [name for name in nullable if frame[name].null_count()]
        converted = frame.to_pandas()
        for name in nullable:
            converted[name] = _masked(frame[name])
        return PandasTable(converted).save(folder, stem)

    def _with_datetimes(self) -> Any:
        import narwhals as nw

        dates = [name for name, dtype in self._frame.schema.items() if dtype == nw.Date] if self._is_polars else []
        return self._frame.with_columns(nw.col(*dates).cast(nw.Datetime("ms"))) if dates else self._frame

    @property
    def _is_polars(self) -> bool:
        # polars makes datetimes of dates when it makes a pandas DataFrame, and so must whatever else does.
        return bool(self._frame.implementation.is_polars())

    def _cells(self, label: str, positions: list[int]) -> list[object]:
        import narwhals as nw

        column = self._frame[label]
        if column.implementation.is_pyarrow():
            return [_value(cell) for cell in _picked(column.to_native(), positions)]
        if column.dtype == nw.Object:  # polars 1.9 deadlocks when it picks rows of Python objects
            cells = column.to_list()
            return [_value(cells[position]) for position in positions]
        cells = [_value(cell) for cell in column[positions].to_list()]
        if self._is_polars and column.dtype == nw.Date:
            return [dt.datetime.combine(cell, dt.time()) if cell is not None else None for cell in cells]
        return cells


def columns_of(schema: Mapping[str, Any]) -> tuple[Column, ...]:
    """The columns of a narwhals schema."""
    return tuple(_column(label, dtype) for label, dtype in schema.items())


def _picked(column: Any, positions: Sequence[int]) -> list[object]:
    import pyarrow as pa

    cells: list[object] = []
    start = 0
    for chunk in column.chunks:  # the column as a whole would be copied into one piece first
        within = positions[bisect_left(positions, start) : bisect_left(positions, start + len(chunk))]
        cells += chunk.take(pa.array([position - start for position in within], pa.int64())).to_pylist()
        start += len(chunk)
    return cells


def _masked(series: Any) -> Any:
    import pandas as pd

    kind = str(series.dtype)
    filled = series.fill_null(False if kind == "Boolean" else 0).to_numpy()
    array: Any = pd.array(filled, dtype="boolean" if kind == "Boolean" else kind)
    array[series.is_null().to_numpy()] = pd.NA
    return array


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
    column = Column(label, _dtype(dtype), kind=_KINDS.get(name, "empty"), zone=_zone(dtype))
    if name in ("Categorical", "Enum"):
        levels = levels if len(levels) <= _MAX_LEVELS else ()
        return msgspec.structs.replace(column, cast='"category"', levels=levels, ordered=bool(levels))
    cast = f'"{name.lower()}"' if name in _SMALL else ""
    nullable = ('"boolean"' if name == "Boolean" else f'"{name}"') if name in _NULLABLE else ""
    return msgspec.structs.replace(column, cast=cast, nullable=nullable)


def _zone(dtype: Any) -> str:
    return str(getattr(dtype, "time_zone", None) or "")


def _value(value: object) -> object:
    return None if missing(value) else value
