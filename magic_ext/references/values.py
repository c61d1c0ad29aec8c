"""Objects of the session: which of them is a table, a picture, a scalar or a plain value, and which cannot be sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any
from uuid import UUID

import msgspec

from magic_ext.references.errors import UnsendableError
from magic_ext.references.libraries import library_of
from magic_ext.references.pictures import picture_of
from magic_ext.references.tables.cells import utf8
from magic_ext.references.tables.databases import database_of, is_connection
from magic_ext.references.tables.recognised import table_of
from magic_ext.references.things import Scalar, Thing, Value

__all__ = ["represented", "thing_of"]

_SHORT = 200  # characters of a text that is still written into the sentence
# Frames that nothing here reads: how the user makes one that is read.
_ELSEWHERE = {"cudf": "to_pandas", "daft": "to_pandas", "datafusion": "to_pandas"}


def thing_of(value: Any, name: str, written: str = "") -> Thing:
    """What ``value`` is sent as; ``name`` is what a series without a name of its own is called.

    ``written`` is the reference as the user wrote it, for advice.
    Raises :class:`UnsendableError` for what holds no data: a module, a function, a generator.
    """
    if is_connection(value):
        return database_of(value)
    return table_of(value, name) or picture_of(value) or _scalar(value) or _plain(value, written or name)


def represented(value: Any) -> Any:
    """What an object says it is sent as, by its class's method ``_repr_gemini_``; without one, or ``None``, itself.

    Raises :class:`UnsendableError` for a method that raises anything.

    >>> class Model:
    ...     def _repr_gemini_(self):
    ...         return {"layers": 3}
    >>> represented(Model())
    {'layers': 3}
    """
    method = getattr(type(value), "_repr_gemini_", None)
    if method is None or isinstance(value, type):
        return value
    try:
        found = method(value)
    except Exception as error:
        said = (str(error).strip() or "no reason given").splitlines()[0][:300]
        what = f"The _repr_gemini_ of this {type(value).__name__} failed: {type(error).__name__}: {said}"
        raise UnsendableError(what, hint="Call it in a cell to see the whole error.") from error
    return value if found is None else found


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


def _plain(value: Any, written: str) -> Value:
    if isinstance(value, str):
        return Value("text", utf8(value))
    kind = type(value).__name__
    hint = "Refer to data: a table, an array, a picture, a number, a text, a dict or a list."
    if (maker := _ELSEWHERE.get(library_of(value))) is not None:
        hint = f"Make it a local frame first: data = {written}.{maker}(), then refer to @data."
    if isinstance(value, type | bytes | bytearray | memoryview):  # msgspec would make base64 of bytes
        raise UnsendableError(f"A {'class' if isinstance(value, type) else kind} cannot be sent.", hint=hint)
    if isinstance(value, Mapping) and (
        tables := [key for key, item in value.items() if table_of(item, "x") is not None]
    ):
        key = f'"{tables[0]}"' if isinstance(tables[0], str) else str(tables[0])
        hint = f"Refer to its parts, as in @{written}[{key}]." if isinstance(tables[0], str | int) else hint
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
