"""What a function returned, as content for a model: text, JSON, a table as CSV, or a picture; never without bound."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from magic_ext.references.errors import UnsendableError
from magic_ext.references.pictures import picture_of
from magic_ext.references.policy import Policy
from magic_ext.references.portions import LIMIT_TOKENS, share
from magic_ext.references.screen import Screen
from magic_ext.references.screened import ScreenedTable, told_withheld
from magic_ext.references.tables.recognised import table_of
from magic_ext.references.tables.table import Table
from magic_ext.references.values import represented
from magic_ext.wire.content import Content, Image, Text

__all__ = ["Told", "told_of"]

_LONGEST = 4 * LIMIT_TOKENS  # characters of one result


class Told(msgspec.Struct, frozen=True):
    """What a model is told; ``note`` says of a table what was left out or replaced in it."""

    content: tuple[Content, ...]
    note: str = ""


def told_of(value: Any, policy: Policy, screen: Screen = Screen()) -> Told:  # noqa: B008 - frozen
    """What a model is told of ``value``: of a table as much as ``policy`` lets out, and nothing of it that ``screen``
    holds back. Under ``schema`` it is type and shape, whatever the value is.

    >>> told_of({"city": "Kyiv", "degrees": -3}, Policy()).content
    (Text(text='{"city":"Kyiv","degrees":-3}', annotations=()),)
    """
    value = represented(value)
    if isinstance(value, str) and policy.kind != "schema":
        return Told((Text(_bounded(value)),))
    try:
        picture = picture_of(value) if policy.kind != "schema" else None
    except UnsendableError:
        picture = None
    if picture is not None:
        encoded = base64.b64encode(picture.data).decode("ascii")
        return Told((Text(f"a {picture.kind}"), Image(data=encoded, mime_type=picture.mime_type)))
    if not isinstance(value, list | dict) and (table := table_of(value, "result")) is not None:
        return _table(ScreenedTable(table, screen) if screen else table, policy)
    if policy.kind == "schema":
        return Told((Text(_described(value)),))
    return Told((Text(_bounded(_json(value, screen))),))


def _described(value: Any) -> str:
    size = f" of {len(value):,}" if isinstance(value, str | bytes | list | tuple | dict | set | frozenset) else ""
    return f"{type(value).__name__}{size}; its value is not sent"


def _json(value: Any, screen: Screen) -> str:
    try:
        text = msgspec.json.encode(value, enc_hook=_plain)
        if screen.columns:
            text = msgspec.json.encode(screen.without_keys(msgspec.json.decode(text)))
        return text.decode()
    except (TypeError, ValueError, RecursionError):
        return f"a {type(value).__name__}" if screen.columns else str(value)  # fields of a text can't be told apart


def _plain(value: Any) -> Any:
    """What stands for an object that JSON has no word for: a NumPy scalar's number, else its text."""
    return value.item() if hasattr(value, "item") and not getattr(value, "ndim", 1) else str(value)


def _table(table: Table, policy: Policy) -> Told:
    given = share(table, policy)
    columns = ", ".join(f"{column.label} ({column.dtype})" for column in table.columns)
    rows = "an unknown number of" if table.rows is None else f"{table.rows:,}"
    lines = [f"{table.kind}, {rows} rows; columns: {columns}"]
    if given.sheet is not None:
        lines += [f"{given.rows:,} of them as CSV:", given.sheet.data.decode("utf-8", "replace")]
    notes = [given.note, told_withheld(table), *(given.sheet.notes if given.sheet else ())]
    note = "; ".join(filter(None, notes))
    return Told((Text("\n".join([*lines, note] if note else lines)),), note)


def _bounded(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}\n... cut here: {len(text):,} characters in all"
