"""Percentages, and aggregates of aggregates: "share of rows by day", "average number of orders per customer"."""

from __future__ import annotations

from typing import Any

import msgspec

from ..base import Column
from .filters import Conditions
from .grammar import Reader
from .phrases import Where, grammar
from .plan import Aggregate, Flag, Group, Measure
from .schema import is_numeric, is_year
from .titles import condition_title

__all__ = ["grammar"]

rule = grammar.rule
replace = msgspec.structs.replace

_SHARE = "(share|percentage|percent|per cent|proportion|fraction|%)"


@rule("amounts", f"{_SHARE} of <values>", f"{_SHARE} of [all] <values> <row>")
def _rate_of_values(reader: Reader, values: Conditions, **_: Any) -> Aggregate | None:
    """“Percentage of males”: of all rows, or of all rows of each group."""
    return _rate(values, ())


@rule("core", f"[what|which] {_SHARE} of [all] <of_rows> <modifier:test>")
def _core_rate(reader: Reader, of_rows: tuple[str, Conditions], test: Any) -> Aggregate | None:
    """“Share of staff who are in Sales”. With a condition before the noun, that is whose share it is."""
    if not isinstance(test, Where) or not test.conditions:
        return None
    columns = {condition.column for condition in of_rows[1]}
    if columns & {condition.column for condition in test.conditions}:
        return None
    return _rate(test.conditions, of_rows[1])


def _rate(tests: Conditions, where: Conditions) -> Aggregate | None:
    if any(test.joined == "and" for test in tests):
        return None
    tests = tuple(replace(test, joined="") for test in tests)
    flag = Flag(" and ".join(condition_title(test) for test in tests), "boolean", tests=tests)
    return Aggregate((Measure("percent", flag),), where=where)


@rule("amounts", f"{_SHARE} of [total] <column>", "[total] <column> (share|percentage|%)")
@rule("amounts", f"{_SHARE} of <row>", f"{_SHARE} of number of <row>")
def _share(reader: Reader, column: Column | None = None, **_: Any) -> Aggregate | None:
    """The parts of a total, or of all rows: by what is said later."""
    if column is None:
        return Aggregate((Measure("share"),))
    return Aggregate((Measure("share", column),)) if _adds_up(reader, column) else None


def _adds_up(reader: Reader, column: Column) -> bool:
    return is_numeric(column) and not is_year(column) and not reader.schema.is_key(column)


@rule("core", f"{_SHARE} of each <group>", f"{_SHARE} of each <group> in [total] <column>")
@rule("core", f"[total] <column> {_SHARE} of each <group>")
def _core_share_of_each(reader: Reader, group: Group, column: Column | None = None) -> Aggregate | None:
    if column is not None and not _adds_up(reader, column):
        return None
    return Aggregate((Measure("share", column),), (group,))


# --- aggregates of aggregates ---------------------------------------------------------------------------------------

_OUTER = {"mean": "mean", "average": "mean", "median": "median", "maximum": "max", "minimum": "min"}
grammar.words("outer", _OUTER)


@rule("core", "<outer> (number of|count of) <noun> (per|by|for each|of each) <group>")
def _core_nested_rows(reader: Reader, outer: Any, noun: Where, group: Group) -> Aggregate:
    return Aggregate((Measure("rows"),), (group,), where=noun.conditions, outer=outer)


@rule("core", "<outer> number of [different|distinct|unique] <column> (per|by|for each|of each) <group>")
def _core_nested_kinds(reader: Reader, outer: Any, column: Column, group: Group) -> Aggregate | None:
    if column.kind not in {"text", "datetime"} or reader.schema.is_key(column):
        return None
    return Aggregate((Measure("nunique", column),), (group,), outer=outer)


@rule("core", "<outer> total <column> (per|by|for each|of each) <group>")
def _core_nested_total(reader: Reader, outer: Any, column: Column, group: Group) -> Aggregate | None:
    return Aggregate((Measure("sum", column),), (group,), outer=outer) if is_numeric(column) else None
