"""Cells as text: how values are written into a CSV, and what ``pandas.read_csv`` must be told to read them back."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Literal

import msgspec

__all__ = ["Kind", "Reading", "kind_of", "missing", "reading_of", "texts_of", "utf8"]

Kind = Literal[
    "empty", "text", "boolean", "integer", "huge integer", "number", "complex", "decimal", "date", "datetime",
    "time", "timedelta", "nested", "bytes", "mixed",
]  # fmt: skip


class Reading(msgspec.Struct, frozen=True):
    """How one column of a CSV is read back: arguments of ``read_csv``, then an expression over ``COLUMN``.

    ``dtype`` and ``after`` are Python source; ``note`` says in words what does not come back.
    """

    dtype: str = ""
    date: bool = False
    after: str = ""
    note: str = ""


_KINDS: tuple[tuple[type | tuple[type, ...], Kind], ...] = (
    (str, "text"),
    (float, "number"),
    (complex, "complex"),
    (Decimal, "decimal"),
    (dt.datetime, "datetime"),
    (dt.date, "date"),
    (dt.timedelta, "timedelta"),
    ((bytes, bytearray, memoryview), "bytes"),
)
_READINGS: dict[str, Reading] = {
    "huge integer": Reading("object", after='COLUMN.map(int, na_action="ignore")'),
    "complex": Reading("object", after='COLUMN.map(complex, na_action="ignore")'),
    "decimal": Reading("object", after='COLUMN.map(decimal.Decimal, na_action="ignore")'),
    "date": Reading(date=True, after="COLUMN.dt.date"),
    "datetime": Reading(date=True),
    "time": Reading("object", after='COLUMN.map(datetime.time.fromisoformat, na_action="ignore")'),
    "timedelta": Reading("object", after="pd.to_timedelta(COLUMN)"),
    "nested": Reading("object", after='COLUMN.map(json.loads, na_action="ignore")'),
    "bytes": Reading("str", note="binary values are not sent, only their sizes"),
    "mixed": Reading("str", note="values of mixed types, sent as text"),
}


def utf8(text: str) -> str:
    r"""The text as UTF-8 can hold it: half a surrogate pair, as ``errors="surrogateescape"`` leaves it, becomes ``?``.

    >>> utf8("Zür\udcffich")
    'Zür?ich'
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def missing(value: object) -> bool:
    """Whether a value counts as missing: ``None``, NaN, NaT, ``pandas.NA``.

    >>> [missing(value) for value in (None, float("nan"), 0, "")]
    [True, True, False, False]
    """
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, float) and math.isnan(value)


def kind_of(values: Sequence[object]) -> Kind:
    """The kind of the values that are not ``None``.

    >>> kind_of([1, 2.5, None]), kind_of(["a", 1])
    ('number', 'mixed')
    """
    kinds = {_kind(value) for value in values if value is not None}
    if kinds == {"integer", "number"}:
        return "number"
    if kinds == {"integer", "huge integer"}:
        return "huge integer"
    if len(kinds) > 1:
        return "mixed"
    kind: Kind = kinds.pop() if kinds else "empty"
    if kind == "datetime" and len({value.tzinfo is None for value in values if isinstance(value, dt.datetime)}) > 1:
        return "mixed"
    return kind


def _kind(value: object) -> Kind:
    match value:
        case bool():
            return "boolean"
        case int():
            return "integer" if -(2**63) <= value < 2**63 else "huge integer"
        case dt.time():
            return "time" if value.tzinfo is None else "mixed"
        case list() | dict():
            return "nested" if _is_json(value) else "mixed"
    return next((kind for known, kind in _KINDS if isinstance(value, known)), "mixed")


def texts_of(kind: Kind, values: Sequence[object]) -> list[str | None]:
    """The text of each value; ``None`` stays ``None``. Datetimes of one column are all written in one form.

    >>> texts_of("number", [1, 0.1, None])
    ['1', '0.1', None]
    """
    writer = _datetime_writer(values) if kind == "datetime" else _WRITERS.get(kind, str)
    return [None if value is None else writer(value) for value in values]


def reading_of(kind: Kind, texts: Sequence[str | None]) -> Reading:
    """What brings the written texts back as the values they were."""
    if kind == "integer" and None in texts:  # read_csv would make floats of them, and of large ones other numbers
        return Reading('"Int64"')
    if kind == "text" and (not any(texts) or any(map(_looks_like_another_type, texts))):
        return Reading("str")
    return _READINGS.get(kind, Reading())


def _looks_like_another_type(text: str | None) -> bool:
    if text is None:
        return False
    if text.strip().lower() in ("true", "false"):
        return True
    try:
        complex(text)
    except ValueError:
        return False
    return True


def _is_json(value: object) -> bool:
    match value:
        case None | str() | bool() | int() | float():
            return True
        case list():
            return all(map(_is_json, value))
        case dict():
            return all(isinstance(key, str) and _is_json(item) for key, item in value.items())
        case _:
            return False


def _number(value: Any) -> str:
    # NumPy's float64 is a float, but its own repr names its type.
    return float.__repr__(value) if isinstance(value, float) else str(value)


def _timedelta(value: Any) -> str:
    if hasattr(value, "nanoseconds"):  # pandas keeps nanoseconds and reads its own text
        return str(value)
    return f"{value // dt.timedelta(microseconds=1)}us"


def _size(value: Any) -> str:
    return f"<{len(value)} bytes>"


_WRITERS: dict[str, Callable[[Any], str]] = {
    "number": _number,
    "date": dt.date.isoformat,
    "time": dt.time.isoformat,
    "timedelta": _timedelta,
    "nested": json.dumps,
    "bytes": _size,
}


def _datetime_writer(values: Sequence[object]) -> Callable[[Any], str]:
    # read_csv takes the form of the first datetime for all of a column, so one form must fit all; with a time zone it
    # is UTC, since offsets that change with the season would not parse as one column.
    stamps = [value for value in values if isinstance(value, dt.datetime)]
    aware = any(stamp.tzinfo for stamp in stamps)
    if any(getattr(stamp, "nanosecond", 0) for stamp in stamps):
        unit = "nanoseconds"
    elif any(stamp.microsecond for stamp in stamps):
        unit = "microseconds"
    else:
        unit = "seconds"
    days = not aware and unit == "seconds" and all(stamp.time() == dt.time() for stamp in stamps)

    def write(stamp: Any) -> str:
        if days:
            return str(stamp.date().isoformat())
        stamp = stamp.astimezone(dt.UTC) if aware else stamp
        return str(stamp.isoformat(" ", timespec=unit))

    return write
