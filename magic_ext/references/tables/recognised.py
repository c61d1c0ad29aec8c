"""Which objects are tables. No library is imported to tell: that of an object is loaded already."""

from __future__ import annotations

import sys
from typing import Any

from magic_ext.references.errors import UnsendableError
from magic_ext.references.libraries import is_a, library_of
from magic_ext.references.pictures import picture_of
from magic_ext.references.tables.table import Table

__all__ = ["table_of"]


def table_of(value: Any, name: str) -> Table | None:
    """The table that ``value`` is; ``None`` for anything else. Nothing is computed or collected to tell.

    ``name`` is what a series, or an array of one dimension, without a name of its own is called.
    """
    if any(is_a(value, "pandas", kind) for kind in ("DataFrame", "Series", "Index")):
        return _geopandas(value, name) or _pandas(value, name)
    if is_a(value, "numpy", "ndarray"):
        return _array(value, name)
    match library_of(value):
        case "polars" | "pyarrow" as library:
            return _frame(value, name, library)
        case "duckdb" | "_duckdb" | "ibis" | "pyspark" | "sqlframe":
            return _lazy(value)
        case "dask" | "modin" | "scipy" | "xarray" as library:
            return _MAKERS[library](value, name)
        case "magic_ext":
            return _stored(value)
    return _plain(value)


def _pandas(value: Any, name: str) -> Table:
    from magic_ext.references.tables.pandas_frames import PandasTable

    if is_a(value, "pandas", "Index"):
        return PandasTable.of_index(value, name)
    if value.ndim == 1:
        return PandasTable.of_series(value, name)
    if not len(value.columns):
        raise UnsendableError(f"{name} has no columns.", hint="There is nothing to send.")
    return PandasTable(value)


def _geopandas(value: Any, name: str) -> Table | None:
    if is_a(value, "geopandas", "GeoSeries"):
        label = value.name or name
        return _geopandas_frame(value.to_frame(label), f".to_frame({label!r})")
    return _geopandas_frame(value, "") if is_a(value, "geopandas", "GeoDataFrame") else None


def _geopandas_frame(frame: Any, suffix: str) -> Table:
    from magic_ext.references.tables.picked import of_geopandas

    return of_geopandas(frame, suffix)


def _array(value: Any, name: str) -> Table | None:
    from magic_ext.references.tables.plain import ArrayTable, RecordsTable

    if value.ndim == 0:
        return None
    if value.dtype.names:
        labels = list(value.dtype.names)
        records = [dict(zip(labels, row, strict=True)) for row in value.ravel().tolist()]
        return RecordsTable(records, labels, "NumPy structured array")
    if value.dtype == object and value.size and picture_of(value) is not None:
        return None
    return ArrayTable(value, name)


def _frame(value: Any, name: str, library: str) -> Table | None:
    from magic_ext.references.tables.lazy_frames import LazyTable
    from magic_ext.references.tables.narwhals_frames import NarwhalsTable

    class_name = type(value).__name__
    kind = f"{library} {class_name}"
    match class_name:
        case "Series" | "ChunkedArray":
            return NarwhalsTable.of_series(value, name, kind)
        case "LazyFrame":
            return LazyTable.of(value, kind, library)
        case "RecordBatch":
            return NarwhalsTable.of(sys.modules["pyarrow"].Table.from_batches([value]), kind)
        case "DataFrame" | "Table":
            return NarwhalsTable.of(value, kind)
    return None


def _lazy(value: Any) -> Table | None:
    from magic_ext.references.tables.lazy_frames import LazyTable

    class_name = type(value).__name__
    if is_a(value, "duckdb", "DuckDBPyRelation"):
        return LazyTable.of(value, "duckdb relation", "duckdb")
    if is_a(value, "ibis.expr.types", "Table"):
        return LazyTable.of(value, "ibis table", "ibis")
    if library_of(value) in ("pyspark", "sqlframe") and class_name.endswith("DataFrame") and hasattr(value, "toPandas"):
        return LazyTable.of(value, f"{library_of(value)} DataFrame", library_of(value))
    return None


def _dask(value: Any, name: str) -> Table | None:
    from magic_ext.references.tables.lazy_frames import DaskTable

    if is_a(value, "dask.dataframe", "DataFrame"):
        return DaskTable(value)
    return DaskTable.of_series(value, name) if is_a(value, "dask.dataframe", "Series") else None


def _modin(value: Any, name: str) -> Table | None:
    from magic_ext.references.tables.picked import of_modin

    if is_a(value, "modin.pandas", "DataFrame"):
        return of_modin(value)
    if not is_a(value, "modin.pandas", "Series"):
        return None
    label = value.name or name
    return of_modin(value.to_frame(label), "modin Series", f".to_frame({label!r})")


def _scipy(value: Any, name: str) -> Table | None:
    from magic_ext.references.tables.picked import of_sparse

    is_matrix = any(is_a(value, "scipy.sparse", kind) for kind in ("sparray", "spmatrix"))
    return of_sparse(value) if is_matrix and value.ndim == 2 else None


def _xarray(value: Any, name: str) -> Table | None:
    from magic_ext.references.tables.picked import of_xarray

    is_array = any(is_a(value, "xarray", kind) for kind in ("Dataset", "DataArray"))
    return of_xarray(value, name) if is_array else None


def _stored(value: Any) -> Table | None:
    from magic_ext.references.tables.databases import SqliteTable, StoredTable

    return SqliteTable(value) if isinstance(value, StoredTable) else None


def _plain(value: Any) -> Table | None:
    from magic_ext.references.tables.plain import ColumnsTable, RecordsTable

    if isinstance(value, list) and value and all(map(_is_record, value)):
        return RecordsTable.of(value)
    if isinstance(value, dict) and len(value) > 1 and _is_record(value):
        columns = list(value.values())
        is_table = all(map(_is_column, columns)) and len({len(column) for column in columns}) == 1 and len(columns[0])
        return ColumnsTable(value) if is_table else None
    return None


def _is_record(item: object) -> bool:
    return isinstance(item, dict) and bool(item) and all(isinstance(key, str) for key in item)


def _is_column(item: object) -> bool:
    return isinstance(item, list | tuple) and not any(isinstance(cell, list | tuple | dict) for cell in item)


_MAKERS = {"dask": _dask, "modin": _modin, "scipy": _scipy, "xarray": _xarray}
