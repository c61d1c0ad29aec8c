"""Objects of the session: which of them is a table, a picture, a scalar or a plain value, and which cannot be sent."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any
from uuid import UUID

import msgspec

from magic_ext.references.errors import UnsendableError
from magic_ext.references.pictures import picture_of
from magic_ext.references.tables.cells import utf8
from magic_ext.references.tables.table import Table
from magic_ext.references.things import Scalar, Thing, Value

__all__ = ["table_of", "thing_of"]

_SHORT = 200  # characters of a text that is still written into the sentence
# Frames that live elsewhere or in parts: how the user makes a local one.
_ELSEWHERE = {
    "cudf": "to_pandas",
    "dask": "compute",
    "dask_expr": "compute",
    "duckdb": "df",
    "ibis": "execute",
    "modin": "modin.to_pandas",
    "pyspark": "toPandas",
}


def thing_of(value: Any, name: str) -> Thing:
    """What ``value`` is sent as; ``name`` is what the user calls it, and a series without a name of its own.

    Raises :class:`UnsendableError` for what holds no data: a module, a function, an open connection, a generator.
    """
    return table_of(value, name) or picture_of(value) or _scalar(value) or _plain(value, name)


def table_of(value: Any, name: str) -> Table | None:
    """The table that ``value`` is; ``None`` for anything else. A library is looked up, never imported, to tell."""
    if any(_is_a(value, "pandas", kind) for kind in ("DataFrame", "Series", "Index")):
        return _pandas(value, name)
    if _is_a(value, "numpy", "ndarray"):
        return _array(value, name)
    library = type(value).__module__.partition(".")[0]
    if library in ("polars", "pyarrow"):
        return _frame(value, name, library)
    if isinstance(value, list) and value and all(_is_record(item) for item in value):
        from magic_ext.references.tables.plain import RecordsTable

        return RecordsTable.of(value)
    return None


def _pandas(value: Any, name: str) -> Table:
    from magic_ext.references.tables.pandas_frames import PandasTable

    if _is_a(value, "pandas", "Index"):
        return PandasTable.of_index(value, name)
    if value.ndim == 1:
        return PandasTable.of_series(value, name)
    if not len(value.columns):
        raise UnsendableError(f"{name} has no columns.", hint="There is nothing to send.")
    return PandasTable(value)


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
    from magic_ext.references.tables.narwhals_frames import NarwhalsTable

    class_name = type(value).__name__
    kind = f"{library} {class_name}"
    if class_name in ("Series", "ChunkedArray"):
        return NarwhalsTable.of_series(value, name, kind)
    if class_name == "RecordBatch":
        value = sys.modules["pyarrow"].Table.from_batches([value])
    return NarwhalsTable.of(value, kind) if class_name in ("DataFrame", "LazyFrame", "Table", "RecordBatch") else None


def _scalar(value: Any) -> Scalar | None:
    if type(value).__module__ == "numpy" and hasattr(value, "item") and not getattr(value, "ndim", 0):
        value = value.item()
    kind = type(value).__name__
    match value:
        case str():
            short = len(value) <= _SHORT and value.isprintable() and bool(value.strip())
            return Scalar("text", value) if short else None
        case None | bool() | int() | float() | complex() | Decimal() | Fraction():
            return Scalar(kind, str(value))
        case dt.date() | dt.time():
            return Scalar(kind, value.isoformat())
        case dt.timedelta() | UUID() | PurePath():
            return Scalar(kind, str(value))
    return None


def _plain(value: Any, name: str) -> Value:
    if isinstance(value, str):
        return Value("text", utf8(value))
    kind = type(value).__name__
    hint = "Refer to data: a table, an array, a picture, a number, a text, a dict or a list."
    if (maker := _ELSEWHERE.get(type(value).__module__.partition(".")[0])) is not None:
        hint = f"Make it a local frame first: data = {name}.{maker}(), then refer to @data."
    if isinstance(value, type | bytes | bytearray | memoryview):  # msgspec would make base64 of bytes
        raise UnsendableError(f"A {'class' if isinstance(value, type) else kind} cannot be sent.", hint=hint)
    if isinstance(value, Mapping) and (
        tables := [key for key, item in value.items() if table_of(item, "x") is not None]
    ):
        hint = f"Refer to its parts, as in @{name}[{tables[0]!r}]." if isinstance(tables[0], str | int) else hint
        raise UnsendableError(f"A {kind} of tables cannot be sent as one.", hint=hint)
    try:
        text = msgspec.json.encode(
            value, enc_hook=_encodable, order="deterministic" if isinstance(value, set) else None
        )
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise UnsendableError(f"A {kind} cannot be sent.", hint=hint) from error
    length = f" of {len(value):,}" if isinstance(value, Mapping | Sequence | set | frozenset) else ""
    return Value(f"{kind}{length}", text.decode())


def _encodable(value: Any) -> Any:
    module = type(value).__module__
    if module == "numpy" and hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, complex | Fraction | range):
        return list(value) if isinstance(value, range) else str(value)
    raise TypeError(f"{type(value).__name__} is no plain value")


def _is_record(item: object) -> bool:
    return isinstance(item, dict) and bool(item) and all(isinstance(key, str) for key in item)


def _is_a(value: object, module: str, name: str) -> bool:
    known = getattr(sys.modules.get(module), name, None)
    return isinstance(known, type) and isinstance(value, known)
