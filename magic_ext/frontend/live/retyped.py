"""Tables that a model typed into its code: the literals of a block compared with the rows that were sent."""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import NamedTuple

from magic_ext.frontend.live.exports import Export
from magic_ext.references.attach import Binding

__all__ = ["Typed", "rows_typed", "typed_in"]

_SHARE = 0.6  # of the rows of a literal that must be rows of the table
_COLUMN = 5  # values that a lone list must have in common with a column
_MISSING = frozenset({"", "nan", "NaN", "NA", "None", "null", "NULL", "<NA>", "N/A", "NaT"})

Cell = float | str | None
Row = tuple[Cell, ...]


class Typed(NamedTuple):
    """A literal that holds ``rows`` rows of what was sent; ``whole`` when it is all of it, column by column."""

    node: ast.expr
    binding: Binding
    rows: int
    whole: bool


class _Sent:
    """The rows of a binding as values that can be compared."""

    def __init__(self, binding: Binding) -> None:
        self.binding = binding
        self.export = Export(binding)
        self.headers = self.export.headers

    @property
    def rows(self) -> list[Row]:
        """The rows that were sent."""
        return _rows(self.binding.sheet.lines if self.binding.sheet else (), self.export.delimiter)

    @cached_property
    def text(self) -> str:
        """All of it as it was sent."""
        return "\n".join(self.binding.sheet.lines) if self.binding.sheet else ""

    def typed(self, node: ast.expr, headers: Sequence[str], rows: Sequence[Row]) -> Typed | None:
        """What a table of these rows is of this binding; columns are matched by their names."""
        wanted = [name for name in headers if name in self.headers]
        if not rows or not wanted or any(len(row) != len(headers) for row in rows):
            return None
        mine = [
            [row[self.headers.index(name)] for name in wanted] for row in self.rows if len(row) == len(self.headers)
        ]
        theirs = [[row[list(headers).index(name)] for name in wanted] for row in rows]
        there = set(map(tuple, mine))
        hits = sum(tuple(row) in there for row in theirs)
        whole = sorted(headers) == sorted(self.headers) and theirs == mine
        many = len(set(map(tuple, theirs))) > 1 and (len(wanted) > 1 or hits >= _COLUMN)
        if whole or (many and hits >= 2 and hits >= _SHARE * len(rows)):
            return Typed(node, self.binding, hits, whole)
        return None

    def column(self, node: ast.expr, values: Sequence[Cell]) -> Typed | None:
        """What a lone list is of this binding: a run of one of its columns."""
        if len(values) < _COLUMN or len(set(values)) < 3 or _counts(values):
            return None
        if not all(any(text in self.text for text in _texts(value)) for value in values):  # quick, and mostly so
            return None
        for column in zip(*self.rows, strict=False):
            run = _run(column, values)
            if run:
                return Typed(node, self.binding, run, whole=False)
        return None


@lru_cache(maxsize=2)  # an answer's blocks are read several times, and each may hold literals
def _rows(lines: tuple[str, ...], delimiter: str) -> list[Row]:
    return [tuple(map(_cell, row)) for row in csv.reader(lines, delimiter=delimiter) if row]


def typed_in(tree: ast.Module, bindings: Sequence[Binding]) -> list[Typed]:
    """The literals of a block that hold rows of what was sent, outer ones only."""
    sent = [_Sent(binding) for binding in bindings if binding.sheet is not None and binding.sheet.lines]
    found: list[Typed] = []
    inside: set[int] = set()
    for node in ast.walk(tree) if sent else ():
        if isinstance(node, ast.expr) and id(node) not in inside:
            typed = next((typed for one in sent for typed in [_compared(node, one)] if typed), None)
            if typed is not None:
                found.append(typed)
                inside |= {id(part) for part in ast.walk(node)}
    return found


def _compared(node: ast.expr, sent: _Sent) -> Typed | None:
    match node:
        case ast.Constant(value=str(text)) if text.count("\n") >= 1:
            return _compared_text(node, text, sent)
        case ast.Dict(keys=keys, values=values):
            names = [key.value for key in keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
            columns = [_values(value) for value in values]
            known = [(name, column) for name, column in zip(names, columns, strict=False) if column is not None]
            if len(names) != len(keys) or not known or len({len(column) for _, column in known}) > 1:
                return None
            return sent.typed(node, [name for name, _ in known], list(zip(*(c for _, c in known), strict=True)))
        case ast.List(elts=parts) | ast.Tuple(elts=parts) if parts:
            return _compared_list(node, parts, sent)
        case _:
            return None


def _compared_text(node: ast.expr, text: str, sent: _Sent) -> Typed | None:
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    rows = list(csv.reader(lines, delimiter=sent.export.delimiter))
    titled = rows and {cell.strip() for cell in rows[0]} & set(sent.headers)
    headers = [cell.strip() for cell in rows[0]] if titled else sent.headers
    return sent.typed(node, headers, [tuple(map(_cell, row)) for row in rows[1 if titled else 0 :]])


def _compared_list(node: ast.expr, parts: Sequence[ast.expr], sent: _Sent) -> Typed | None:
    if all(isinstance(part, ast.Dict) for part in parts):
        records = [_record(part) for part in parts if isinstance(part, ast.Dict)]
        names = list(dict.fromkeys(name for record in records for name in record))
        return sent.typed(node, names, [tuple(record.get(name) for name in names) for record in records])
    rows = [_values(part) for part in parts]
    if all(row is not None for row in rows):
        tuples = [tuple(row) for row in rows if row is not None]
        index = sum(column.index for column in sent.binding.columns)
        for headers in (sent.headers, sent.headers[index:]):
            typed = sent.typed(node, headers, tuples)
            if typed is not None:
                return typed._replace(whole=False)
        return None
    values = _values(node)
    return sent.column(node, values) if values is not None else None


def _record(node: ast.Dict) -> dict[str, Cell]:
    items = zip(node.keys, node.values, strict=True)
    return {
        str(key.value): _cell(_literal(value))
        for key, value in items
        if isinstance(key, ast.Constant) and _literal(value) is not _UNKNOWN
    }


def _values(node: ast.expr) -> list[Cell] | None:
    """The cells of a list of literals; ``None`` where anything in it is none."""
    if not isinstance(node, ast.List | ast.Tuple):
        return None
    values = [_literal(part) for part in node.elts]
    return None if any(value is _UNKNOWN for value in values) else [_cell(value) for value in values]


_UNKNOWN = object()


def _literal(node: ast.expr) -> object:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.Attribute(attr="nan" | "NaN" | "NA" | "NaT"):
            return None
        case ast.Call(func=ast.Name(id="float"), args=[ast.Constant(value="nan")]):
            return None
        case _:
            return _UNKNOWN


def _cell(value: object) -> Cell:
    if isinstance(value, bool):
        return str(value)
    text = "" if value is None else str(value).strip()
    if text in _MISSING:
        return None
    try:
        return float(text)
    except ValueError:
        return text


def _texts(value: Cell) -> Iterator[str]:
    """How a value may be written in a CSV."""
    yield "" if value is None else str(value)
    if isinstance(value, float) and value.is_integer():
        yield str(int(value))


def _counts(values: Sequence[Cell]) -> bool:
    """Whether the values are mere numbering: 0, 1, 2 or 2020, 2021, 2022."""
    numbers = [value for value in values if isinstance(value, float)]
    steps = {later - earlier for earlier, later in pairwise(numbers)}
    return len(numbers) == len(values) and len(steps) == 1


def _run(column: Sequence[Cell], values: Sequence[Cell]) -> int:
    """How long a list is, if it stands in the column just so."""
    wanted, length = list(values), len(values)
    starts = (at for at, cell in enumerate(column[: len(column) - length + 1]) if cell == wanted[0])
    return length if any(list(column[at : at + length]) == wanted for at in starts) else 0


def rows_typed(found: Sequence[Typed]) -> Iterator[tuple[Binding, int]]:
    """Each binding that has been typed in, with the number of its rows."""
    for binding in {id(one.binding): one.binding for one in found}.values():
        yield binding, max(one.rows for one in found if one.binding is binding)
