"""Phrases that say by what to group: columns, periods and parts of dates."""

from __future__ import annotations

from typing import Any

from ..base import Column
from .grammar import Reader
from .phrases import By, Over, doubtful_date, grammar, only_date
from .plan import Group, Period
from .schema import AMBIGUOUS, is_time

__all__ = ["grammar"]

rule = grammar.rule

MAX_NUMBER_GROUPS = 50
MAX_GROUPS = 4


@rule("group", "<column>")
def _group(reader: Reader, column: Column) -> Group | None:
    if column.kind == "other" or (column.kind == "number" and column.unique > MAX_NUMBER_GROUPS):
        reader.refuse(f"`{column.name}` has too many different values to group by")
        return None
    whole = all(str(bound)[10:] in {"", "T00:00:00"} for bound in (column.low, column.high, *column.values))
    if is_time(column) and not whole:
        reader.refuse(f"`{column.name}` has times of day; say by day, week, month, quarter or year")
        return None
    return Group(column)


@rule("group", "<period>")
def _group_period(reader: Reader, period: Any) -> Group | None:
    if period == "Y" and not reader.schema.dates and len(reader.schema.years) == 1:
        return Group(reader.schema.years[0])
    return Group(reader.schema.dates[0], period) if only_date(reader) else None


@rule("group", "<period> of <column>", "<dated:column> <period>", "<period> of <dated:column>")
def _group_period_of(reader: Reader, period: Any, column: Column) -> Group | None:
    if column.form == AMBIGUOUS:
        reader.refuse(doubtful_date(column.name))
    return Group(column, period) if is_time(column) else None


@rule("groups", "<group>")
def _groups_one(reader: Reader, group: Group) -> tuple[Group, ...]:
    return (group,)


@rule("groups", "<group> <and> [by|per] <groups>", "<group> (by|per) <groups>")
def _groups_more(reader: Reader, group: Group, groups: tuple[Group, ...], **_: Any) -> tuple[Group, ...] | None:
    return (group, *groups) if group not in groups and len(groups) < MAX_GROUPS else None


_BY = "(by|per|(for|in|on|at|within|of) (each|every)|(grouped|broken down|split|coloured|colored) by)"


@rule("modifier", f"{_BY} <groups>", "(each|every) <groups>", "(for|in|on|at|across|among) [the] different <groups>")
@rule("modifier", "(across|among|between) <groups>")
def _by(reader: Reader, groups: tuple[Group, ...]) -> By:
    return By(groups)


@rule("modifier", "over time", "through time", "with time", "across time")
def _over_time(reader: Reader) -> Over | None:
    times = reader.schema.dates or reader.schema.years
    if len(times) == 1:
        return Over(Group(times[0]))
    reader.refuse("there is not exactly one column of dates or years")
    return None


@rule("modifier", "(over|through|across) <period>")
def _over_years(reader: Reader, period: Period) -> Over | None:
    if period == "Y" and len(reader.schema.years) == 1 and not reader.schema.dates:
        return Over(Group(reader.schema.years[0]))
    return Over(Group(reader.schema.dates[0], period)) if only_date(reader) else None


@rule("modifier", "[that were|that was|who were] <dated:column> (by|per|each|every) <period>")
def _dated_by(reader: Reader, column: Column, period: Any) -> By:
    """“Hired per year”."""
    return By((Group(column, period),))
