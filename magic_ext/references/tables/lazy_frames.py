"""Lazy and distributed frames: polars, duckdb, ibis, pyspark and sqlframe behind narwhals, dask by its own means."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import msgspec

from magic_ext.references.tables.narwhals_frames import NarwhalsTable, columns_of
from magic_ext.references.tables.pandas_frames import PandasTable
from magic_ext.references.tables.partial import PartialTable
from magic_ext.references.tables.sheet import Column, source
from magic_ext.references.tables.table import Table, choose

__all__ = ["LIBRARIES", "DaskTable", "LazyTable"]

_SCANS = {"SEQ_SCAN", "PARQUET_SCAN", "READ_PARQUET", "ARROW_SCAN", "PANDAS_SCAN", "COLUMN_DATA_SCAN", "PROJECTION"}


class _Library(msgspec.Struct, frozen=True):
    """What is particular of a library.

    ``collected`` is the source that makes a pandas DataFrame of the user's object, ``chosen`` the source that chooses
    columns of it first, ``counted`` gives the number of rows of a native frame if that costs nothing.
    """

    collected: str
    chosen: Callable[[Sequence[str]], str]
    counted: Callable[[Any], int | None] = lambda native: None


class LazyTable(PartialTable):
    """A lazy frame behind narwhals; ``wanted`` are the columns chosen of it."""

    def __init__(self, frame: Any, kind: str, library: str, wanted: Sequence[str] = ()) -> None:
        self._frame = frame
        self._kind = kind
        self._library = library
        self._wanted = wanted

    @classmethod
    def of(cls, native: Any, kind: str, library: str) -> LazyTable:
        """Wrap a native frame of one of :data:`LIBRARIES`."""
        import narwhals as nw

        return cls(nw.from_native(native), kind, library)

    @property
    def kind(self) -> str:
        """The library's name for it."""
        return self._kind

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns by the schema, which is known without running anything."""
        return self._asked(lambda: columns_of(self._frame.collect_schema()))

    def counted(self) -> int | None:
        """Its rows where they are a file's or a table's own."""
        return LIBRARIES[self._library].counted(self._frame.to_native())

    def first(self, count: int) -> Table:
        """The first rows, in memory as polars or pyarrow has them."""
        return NarwhalsTable(self._frame.head(count).collect(), self._kind, "")

    def select(self, names: Sequence[str]) -> Table:
        """The columns by name; the engine leaves the others alone."""
        labels = [column.label for column in self.columns]
        wanted = [labels[at] for at in choose(names, labels)]
        return LazyTable(self._frame.select(wanted), self._kind, self._library, wanted)

    def live(self, source: str) -> str:
        """The whole of it as a pandas DataFrame."""
        library = LIBRARIES[self._library]
        return source + (library.chosen(self._wanted) if self._wanted else "") + library.collected


class DaskTable(PartialTable):
    """A dask DataFrame; ``suffix`` is the source that makes this one of the user's object."""

    def __init__(self, frame: Any, kind: str = "dask DataFrame", suffix: str = "") -> None:
        self._frame = frame
        self._kind = kind
        self._suffix = suffix

    @classmethod
    def of_series(cls, series: Any, name: str) -> DaskTable:
        """The series as a frame; without a name of its own its column is called ``name``."""
        label = name if series.name is None else series.name
        return cls(series.to_frame(label), "dask Series", f".to_frame({source(label)})")

    @property
    def kind(self) -> str:
        """The library's name for it, with its number of partitions."""
        return f"{self._kind} in {self._frame.npartitions:,} partition{'s' * (self._frame.npartitions != 1)}"

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns by the empty frame that dask keeps to know them."""
        return PandasTable(_unnumbered(self._frame._meta)).columns

    def counted(self) -> int | None:
        """The lengths of the partitions, where files or frames in memory tell them."""
        expression = self._frame.optimize(fuse=False).expr
        lengths = expression._get_lengths() if hasattr(expression, "_get_lengths") else None
        return None if lengths is None else int(sum(lengths))

    def first(self, count: int) -> Table:
        """The first rows, of as few partitions as hold them."""
        import pandas as pd

        pieces: list[Any] = []
        held, done, step = 0, 0, 1
        while held < count and done < self._frame.npartitions:
            block = self._frame.partitions[done : done + step].map_partitions(_top, count, meta=self._frame._meta)
            # Left to a cluster's scheduler, this very plan is lost and its result waited for (distributed 2026.8).
            pieces.append(block.optimize().compute()[: count - held])
            held += len(pieces[-1])
            done, step = done + step, step * 2
        return PandasTable(_unnumbered(pd.concat(pieces)), self._kind)

    def select(self, names: Sequence[str]) -> Table:
        """The columns by label; the index stays."""
        labels = list(self._frame.columns)
        wanted = [labels[at] for at in choose(names, labels)]
        return DaskTable(self._frame[wanted], self._kind, f"{self._suffix}[[{', '.join(map(source, wanted))}]]")

    def live(self, source: str) -> str:
        """The whole of it as a pandas DataFrame."""
        return f"{source}{self._suffix}.compute()"


def _top(partition: Any, count: int) -> Any:
    return partition[:count]


def _unnumbered(frame: Any) -> Any:
    # Each partition of a file numbers its rows anew.
    is_numbering = frame.index.nlevels == 1 and frame.index.name is None and frame.index.dtype.kind in "iu"
    return frame.reset_index(drop=True) if is_numbering else frame


def _counted_by_polars(native: Any) -> int | None:
    import polars as pl

    plan = native.explain()
    is_scan = plan.startswith(("Parquet SCAN", "IPC SCAN", "DF ["))
    if not is_scan or any(word in plan for word in ("SELECTION", "SLICE", "FILTER")):
        return None
    return int(native.select(pl.len()).collect().item())


def _counted_by_duckdb(native: Any) -> int | None:
    try:
        operators = json.loads(native.explain(format="json"))
    except (TypeError, ValueError):  # before duckdb 2 it explains in pictures only
        return None
    while operators:
        [operator] = operators if len(operators) == 1 else [{"name": "several"}]
        if operator["name"].strip() not in _SCANS or "Filters" in operator["extra_info"]:
            return None
        operators = operator["children"]
    return int(native.count("*").fetchall()[0][0])


def _counted_by_ibis(native: Any) -> int | None:
    is_table = type(native.op()).__name__ in ("DatabaseTable", "InMemoryTable")
    return int(native.count().execute()) if is_table and native.get_backend().name == "duckdb" else None


def _listed(names: Sequence[str]) -> str:
    return f".select({', '.join(map(repr, names))})"


def _quoted(names: Sequence[str]) -> str:
    identifiers = ('"' + name.replace('"', '""') + '"' for name in names)
    return f".select({', '.join(map(repr, identifiers))})"


LIBRARIES = {
    "polars": _Library(".collect().to_pandas()", _listed, _counted_by_polars),
    "duckdb": _Library(".df()", _quoted, _counted_by_duckdb),
    "ibis": _Library(".to_pandas()", _listed, _counted_by_ibis),
    "pyspark": _Library(".toPandas()", _listed),
    "sqlframe": _Library(".toPandas()", _listed),
}
