"""Words that mean two things in one table: what else a question that has one reading could mean."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ..base import Column
from .grammar import Reader
from .lexicon import MONTHS, WEEKDAYS
from .plan import Aggregate, Columns, Condition, Derived, Flag, Group, Measure, Operator, Part, Question, conditions_of
from .schema import is_numeric, is_year
from .tokens import singular, words

__all__ = ["meanings"]

replace = msgspec.structs.replace

_COUNTING = frozenset({"count", "number", "total", "sum", "row", "record"})
_LEAVING = frozenset({"without", "except", "excluding", "exclude", "besides", "ignoring", "leaving", "apart", "drop"})
_LINKS = frozenset({"is", "are", "was", "were", "=", "==", "!=", "not", "isn't", "aren't", "equals", "of", "or", "and"})
_CALENDAR = frozenset({"season", "month", "day", "weekday", "dow", "quarter", "date", "time"})
_FEW = 20  # different values of a number that people group by
_SEASONS = {"spring": (3, 4, 5), "summer": (6, 7, 8), "autumn": (9, 10, 11), "fall": (9, 10, 11), "winter": (12, 1, 2)}
_TIMES: dict[str, tuple[Part, tuple[int, ...]]] = {
    **{word: ("month", months) for word, months in _SEASONS.items()},
    **{word[:size]: ("month", (n,)) for word, n in MONTHS.items() for size in (3, 20)},
    **{word[:size]: ("weekday", (n,)) for word, n in WEEKDAYS.items() for size in (3, 20)},
}


def meanings(reader: Reader, question: Question) -> tuple[Question, ...]:
    """What ``question`` and the words it was read from could mean, likelier ones first; itself alone if clear."""
    if isinstance(question, Columns):
        return (question,)
    for others in (_amounts(reader, question), _ratios(reader, question), _values(reader, question)):
        if found := tuple(dict.fromkeys(others)):
            return found
    return tuple(_with_gaps(reader, question)) or (question,)


# --- columns that are called as what is computed --------------------------------------------------------------------


def _amounts(reader: Reader, question: Question) -> Iterator[Question]:
    """“Products by count" where a column is called count."""
    if not isinstance(question, Aggregate) or {measure.how for measure in question.measures} != {"rows"}:
        return
    for at, token in enumerate(reader.tokens):
        if singular(token.key) in _COUNTING and not _of_rows(reader, at) and (column := _number(reader, at, at + 1)):
            for how in ("sum", "max"):
                yield replace(question, measures=(Measure(how, column),))
            yield question


def _of_rows(reader: Reader, at: int) -> bool:
    """Whether the neighbours say what is counted: "count of trips", "how many rows"."""
    before = reader.tokens[at - 1].key if at else ""
    behind = reader.tokens[at + 1].key if at + 1 < len(reader.tokens) else ""
    return before in {"many", "of", "all", "total"} or behind == "of" or bool(reader.find("noun", at + 1))


def _number(reader: Reader, at: int, end: int) -> Column | None:
    """The column of numbers that just these words name."""
    found = reader.schema.column(reader.tokens, at)
    if found is None or found.end != end or found.partial or len(found.candidates) > 1:
        return None
    column = found.candidates[0][0]
    return column if is_numeric(column) else None


def _ratios(reader: Reader, question: Question) -> Iterator[Question]:
    """“Cost per hour" where a column has hours: of the totals, or for each value of the column."""
    if not isinstance(question, Aggregate):
        return
    for group in question.groups:
        if group.period or not is_numeric(group.column) or is_year(group.column) or not _per(reader, group.column):
            continue
        rest = tuple(other for other in question.groups if other != group)
        measure = question.measures[0]
        if len(question.measures) == 1 and measure.how in {"sum", "mean"} and measure.column:
            yield _quotient(question, measure.column, group.column, rest)
            if measure.how == "mean":
                yield replace(question, groups=rest, measures=(Measure("mean", _rate(measure.column, group)),))
        yield question


def _quotient(question: Aggregate, column: Column, per: Column, groups: tuple[Group, ...]) -> Aggregate:
    """Of the rows that have both."""
    known = tuple(Condition(one, "notna") for one in (column, per) if one.missing)
    return replace(question, groups=groups, measures=(Measure("quotient", column, per),), where=question.where + known)


def _rate(column: Column, group: Group) -> Derived:
    name, missing = f"{column.name} / {group.column.name}", max(column.missing, group.column.missing)
    return Derived(
        name, "number", missing=missing, unique=group.column.unique, left=column, operator="/", right=group.column
    )


def _per(reader: Reader, column: Column) -> bool:
    """Whether the words could divide by a column of many numbers: "per hour", "by hour" of hours."""
    if column.kind == "integer" and column.unique <= _FEW:
        return False
    for at, token in enumerate(reader.tokens[1:], start=1):
        found = reader.schema.column(reader.tokens, at)
        if found and any(one == column for one, _ in found.candidates):
            one = token.key != column.name.casefold() and singular(column.name.casefold()) == token.key
            if reader.tokens[at - 1].key in {"per", "each", "every"} or one:
                return True
    return False


# --- values that are called as a column or a time -------------------------------------------------------------------


def _values(reader: Reader, question: Question) -> Iterator[Question]:
    """“The most docks" where a district is called Docks, "in spring" where a coupon is."""
    flags = (
        [m.column for m in question.measures if isinstance(m.column, Flag)] if isinstance(question, Aggregate) else []
    )
    for condition in (*conditions_of(question), *(test for flag in flags for test in flag.tests)):
        for at, end in _said(reader, condition):
            if number := _number(reader, at, end):
                yield from _of_number(question, condition, number)
                yield question
            elif (said := _TIMES.get(reader.tokens[at].key)) and end == at + 1 and reader.schema.dates:
                yield question
                yield from _in_time(reader, question, condition, said)


def _said(reader: Reader, condition: Condition) -> Iterator[tuple[int, int]]:
    """Where the condition's values are said without their column."""
    pairs = {(condition.column, value) for value in condition.values if isinstance(value, str)}
    if set(words(condition.column.name)) & _CALENDAR:
        return
    for at in range(len(reader.tokens)):
        found = reader.schema.value(reader.tokens, at)
        if found and pairs & set(found.candidates) and not _with_column(reader, condition.column, at, found.end):
            yield at, found.end


def _with_column(reader: Reader, column: Column, at: int, end: int) -> bool:
    """Whether the column is named before the value, or behind it as in "SPRING coupon"."""
    behind = reader.tokens[end].key if end < len(reader.tokens) else ""
    if behind and singular(behind) in {singular(word) for word in words(column.name)}:
        return True
    for start in range(max(0, at - 6), at):
        found = reader.schema.column(reader.tokens, start)
        if found and any(one == column for one, _ in found.candidates) and found.end <= at:
            between = {token.key for token in reader.tokens[found.end : at]}
            others = {str(value).casefold() for value in column.values}
            if between <= _LINKS | others:
                return True
    return False


def _of_number(question: Question, condition: Condition, number: Column) -> Iterator[Question]:
    counted = isinstance(question, Aggregate) and {measure.how for measure in question.measures} == {"rows"}
    if isinstance(question, Aggregate) and counted:
        where = tuple(one for one in question.where if one != condition)
        for how in ("sum", "max"):
            yield replace(question, measures=(Measure(how, number),), where=where)


def _in_time(
    reader: Reader, question: Question, condition: Condition, said: tuple[Part, tuple[int, ...]]
) -> Iterator[Question]:
    part, values = said
    where = conditions_of(question)
    if len(reader.schema.dates) == 1 and condition in where and condition.operator in {"==", "!="}:
        operator: Operator = "in" if condition.operator == "==" else "not in"
        dated = Condition(reader.schema.dates[0], operator, values, part=part, joined="or")
        changed = tuple(dated if one == condition else one for one in where)
        yield _filtered(question, changed)


# --- rows without a value -------------------------------------------------------------------------------------------


def _with_gaps(reader: Reader, question: Question) -> Iterator[Question]:
    """“Without the coupon": the rows with another one, or also those with none."""
    if not _LEAVING & {token.key for token in reader.tokens}:
        return
    where = conditions_of(question)
    wider = tuple(
        replace(one, either=(Condition(one.column, "isna"),))
        if one.operator in {"!=", "not in"} and one.column.missing and not one.either and not one.part
        else one
        for one in where
    )
    if wider != where:
        yield _filtered(question, wider)
        yield question


def _filtered(question: Question, where: tuple[Condition, ...]) -> Question:
    return question if isinstance(question, Columns) else replace(question, where=where)
