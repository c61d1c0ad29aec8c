"""What a function returned, as content for a model: text, JSON, a table as CSV, or a picture; never without bound."""

from __future__ import annotations

import base64
from typing import Any

import msgspec

from magic_ext.references.budget import LIMIT_TOKENS, share
from magic_ext.references.errors import UnsendableError
from magic_ext.references.pictures import picture_of
from magic_ext.references.policy import Policy
from magic_ext.references.screen import Screen
from magic_ext.references.screened import ScreenedTable
from magic_ext.references.tables.recognised import table_of
from magic_ext.references.tables.table import Table
from magic_ext.references.values import represented
from magic_ext.wire.content import Content, Image, Text

__all__ = ["content_of"]

_LONGEST = 4 * LIMIT_TOKENS  # characters of one result


def content_of(value: Any, policy: Policy, screen: Screen = Screen()) -> tuple[Content, ...]:  # noqa: B008 - frozen
    """The content that tells a model of ``value``: of a table as much as ``policy`` lets out, and nothing of it that
    ``screen`` holds back. Under ``schema`` it is type and shape, whatever the value is.

    >>> content_of({"city": "Kyiv", "degrees": -3}, Policy())
    (Text(text='{"city":"Kyiv","degrees":-3}', annotations=()),)
    """
    value = represented(value)
    if policy.kind == "schema":
        return (Text(_described(value, policy, screen)),)
    if isinstance(value, str):
        return (Text(_bounded(value)),)
    try:
        picture = picture_of(value)
    except UnsendableError:
        picture = None
    if picture is not None:
        encoded = base64.b64encode(picture.data).decode("ascii")
        return (Text(f"a {picture.kind}"), Image(data=encoded, mime_type=picture.mime_type))
    if not isinstance(value, list) and (table := table_of(value, "result")) is not None:
        return (Text(_table(_seen(table, screen), policy)),)
    return (Text(_bounded(_json(value, screen))),)


def _described(value: Any, policy: Policy, screen: Screen) -> str:
    if not isinstance(value, list) and (table := table_of(value, "result")) is not None:
        return _table(_seen(table, screen), policy)
    size = f" of {len(value):,}" if isinstance(value, str | bytes | list | tuple | dict | set | frozenset) else ""
    return f"{type(value).__name__}{size}; its value is not sent"


def _seen(table: Table, screen: Screen) -> Table:
    return ScreenedTable(table, screen) if screen else table


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


def _table(table: Table, policy: Policy) -> str:
    given = share(table, policy)
    columns = ", ".join(f"{column.label} ({column.dtype})" for column in table.columns)
    rows = "an unknown number of" if table.rows is None else f"{table.rows:,}"
    lines = [f"{table.kind}, {rows} rows; columns: {columns}"]
    if given.sheet is not None:
        lines += [f"{given.rows:,} of them as CSV:", given.sheet.data.decode("utf-8", "replace")]
    return "\n".join([*lines, given.note] if given.note else lines)


def _bounded(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    return f"{text[:_LONGEST]}\n... cut here: {len(text):,} characters in all"
