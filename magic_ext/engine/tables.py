"""What the attached tables look like, found out by code that runs beside them, in the same isolated kernel.

The engine's own process never loads a table: it sees names, kinds and bounds as JSON, nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from magic_ext.engine.models.base import Column, Table
from magic_ext.errors import GeminiExecError

__all__ = ["TableSource", "describe_code", "read_description"]

_MARK = "gemini-exec tables "


class TableSource(msgspec.Struct, frozen=True, kw_only=True):
    """A table that code can reach: after ``load`` (``""`` where nothing is to do) it is bound to ``name``."""

    name: str
    load: str = ""
    label: str = ""


_DESCRIBE = """
def _describe(frame):
    import pandas as pd
    head = frame.head(100_000)
    columns = []
    for name in frame.columns:
        series, seen = frame[name], head[name]
        if not isinstance(name, str) or not isinstance(series, pd.Series):  # not to be had by one plain name
            columns.append({"name": str(name), "kind": "other"})
            continue
        cast = _cast(series, seen)
        series, seen = _converted(series, cast), _converted(seen, cast)
        kind = _kind(series, seen)
        column = {"name": name, "kind": kind, "missing": int(series.isna().sum()), "cast": cast}
        if kind != "other":
            counts = seen.dropna().value_counts()
            column["unique"] = len(counts)
            if kind in ("text", "boolean", "integer") and len(counts) <= 200:
                plain = {"text": str, "boolean": bool, "integer": int}[kind]
                column["values"] = [plain(value) for value in counts.index]
            if kind in ("integer", "number", "datetime") and len(counts):
                column["low"], column["high"] = _bound(series.min()), _bound(series.max())
            if kind == "text" and len(counts):
                column.update(_dated(series))
        columns.append(column)
    return {"rows": len(frame), "columns": columns}

def _dated(series):
    # How all values write dates; day or month first only where some value leaves no doubt.
    import re
    import pandas as pd
    values = pd.Series(series.dropna().unique(), dtype=object)
    if all(re.fullmatch(r"\\d{4}-\\d{2}-\\d{2}([T ]\\d{2}:\\d{2}.*)?", value) for value in values):
        forms = ["ISO8601"]
    else:
        mark = re.fullmatch(r"\\d{1,2}([/.-])\\d{1,2}\\1\\d{4}( \\d{1,2}:\\d{2}(:\\d{2})?)?", values[0])
        if not mark:
            return {}
        clock = (" %H:%M:%S" if mark[3] else " %H:%M") if mark[2] else ""
        forms = [mark[1].join(parts) + clock for parts in (("%d", "%m", "%Y"), ("%m", "%d", "%Y"))]
    found = {}
    for form in forms:
        try:
            found[form] = pd.to_datetime(values, format=form)
        except (ValueError, TypeError, OverflowError):
            continue
    if len(found) != 1:
        return {"form": "ambiguous"} if found else {}
    (form, dates), = found.items()
    bounds = {"form": form, "low": _bound(dates.min()), "high": _bound(dates.max())}
    return bounds if form == "ISO8601" else {**bounds, "values": []}  # not to be compared with dates as text

def _cast(series, seen):
    import datetime, decimal
    import pandas as pd
    if pd.api.types.is_timedelta64_dtype(series):
        return "hours"
    values = seen.dropna() if series.dtype == object else ()
    if len(values) and all(isinstance(value, decimal.Decimal) for value in values):
        return "float"
    return "datetime" if len(values) and all(type(value) is datetime.date for value in values) else ""

def _converted(series, cast):
    import pandas as pd
    try:
        if cast == "hours":
            return series.dt.total_seconds() / 3600
        return series.astype(float) if cast == "float" else pd.to_datetime(series) if cast else series
    except (ValueError, TypeError, OverflowError):
        return series

def _bound(value):
    import math
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return float(value) if math.isfinite(value) else None

def _kind(series, seen):
    import pandas as pd
    types = pd.api.types
    if types.is_bool_dtype(series):
        return "boolean"
    if types.is_integer_dtype(series):
        return "integer"
    if types.is_float_dtype(series):
        return "number"
    if types.is_datetime64_any_dtype(series):
        return "datetime"
    values = seen.dropna()
    texts = isinstance(series.dtype, pd.CategoricalDtype) or types.is_string_dtype(series) or series.dtype == object
    return "text" if texts and all(isinstance(value, str) for value in values) else "other"
"""


def describe_code(sources: Sequence[TableSource]) -> str:
    """Code that prints one line of JSON about the tables and leaves no name behind."""
    calls = "\n".join(f"    _found.append(_try({source.load!r}, {source.name!r}))" for source in sources)
    return f"""
def _tables():
    import json
{_indented(_DESCRIBE)}
    def _try(line, name):
        import pandas as pd
        scope = {{**globals(), "pd": pd}}
        try:
            exec(line, scope)
            return _describe(scope[name])
        except Exception as error:
            return {{"error": f"{{type(error).__name__}}: {{error}}"}}
    _found = []
{calls}
    print({_MARK!r} + json.dumps(_found))
_tables()
del _tables
"""


def read_description(printed: str, sources: Sequence[TableSource]) -> tuple[Table, ...]:
    """The tables from what :func:`describe_code` printed.

    Raises :class:`GeminiExecError` for a table that could not be read, and for a report that is none.
    """
    lines = [line for line in printed.splitlines() if line.startswith(_MARK)]
    try:
        found = msgspec.json.decode(lines[0].removeprefix(_MARK), type=list[_Described])
    except (IndexError, msgspec.DecodeError):
        last = printed.strip().rpartition("\n")[2][:200]
        raise GeminiExecError(f"The attached tables could not be looked at. {last}".strip()) from None
    for source, described in zip(sources, found, strict=False):
        if described.error:
            raise GeminiExecError(
                f"{source.label or source.name} can't be read as a table ({described.error[:200]}).",
                hint="Load it in a cell, look at it, and refer to the variable.",
            )
    return tuple(
        Table(source.name, described.rows, tuple(described.columns), source.load, source.label)
        for source, described in zip(sources, found, strict=False)
    )


class _Described(msgspec.Struct):
    rows: int = 0
    columns: list[Column] = []
    error: str = ""


def _indented(code: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in code.splitlines())
