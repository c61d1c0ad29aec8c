"""Whole questions: each rule drafts one kind of plan, and the modifiers around it complete the draft."""

from __future__ import annotations

from typing import Any

import msgspec

from ..base import Column
from . import filters  # noqa: F401  # declares the phrases that filter
from .filters import Conditions
from .grammar import Reader
from .phrases import As, Where, grammar, only_date
from .plan import (
    Aggregate,
    Group,
    Measure,
    Question,
    Rank,
    Rows,
)
from .refine import apply, settle
from .schema import is_numeric, is_time, is_year

__all__ = ["by_period", "grammar", "whole_number"]

rule = grammar.rule
replace = msgspec.structs.replace

# --- the frame of a question: opener, core, modifiers ---------------------------------------------------------------

_ASK = (
    "what (is|are|was|were)",
    "[(can|could|would|will) you] (show|give|tell|print|list|display|find|get|calculate|compute|determine|report"
    "|return|provide|output|name) [me|us]",
    "(i|we) (want|need|would like) [to (see|know|have|get|find)]",
    "let (me|us) see",
    "",
)
_DRAW = (
    "[(can|could|would|will) you] (plot|draw|chart|graph|visualise|visualize)",
    "(i|we) (want|need|would like) to (plot|draw|chart|graph|visualise|visualize)",
)
_MAKE = ("[(can|could|would|will) you] (make|create|generate|produce|build) [me|us]",)


@rule("opener", *_ASK, draw="")
@rule("opener", *_DRAW, draw="auto")
def _opener(reader: Reader, draw: str) -> str:
    return draw


@rule("question", "<modifiers:before> [,] <opener> <core> <modifiers:after>")
def _question(
    reader: Reader, before: tuple[Any, ...], opener: str, core: Question, after: tuple[Any, ...]
) -> Question | None:
    drawn = (As(opener),) if opener else ()
    return settle(reader, apply(reader, core, before + after + drawn))


for _make in _MAKE:
    grammar.add("makes", _make, lambda reader: "make")


@rule("question", "<makes> <figure> <modifiers>")
def _make_figure(reader: Reader, figure: Question, modifiers: tuple[Any, ...], **_: Any) -> Question | None:
    return settle(reader, apply(reader, figure, modifiers))


@rule("core", "<figure>")
def _core_figure(reader: Reader, figure: Question) -> Question:
    return figure


# --- aggregates -----------------------------------------------------------------------------------------------------


@rule("amounts", "<measures>")
def _amounts(reader: Reader, measures: tuple[Measure, ...]) -> Aggregate:
    return Aggregate(measures)


@rule("amounts", "(number of|count of|count|how many) <noun>")
def _amounts_rows(reader: Reader, noun: Where) -> Aggregate:
    return Aggregate((Measure("rows"),), where=noun.conditions)


@rule("amounts", "total number of <noun>", "<row:noun> count")
def _amounts_total(reader: Reader, noun: Where | str) -> Aggregate:
    return Aggregate((Measure("rows"),), where=noun.conditions if isinstance(noun, Where) else ())


@rule("open", "<columns>")
def _open(reader: Reader, columns: tuple[Column, ...]) -> Aggregate | None:
    """Columns without a word such as "mean": the modifiers must settle what is meant."""
    if not all(is_numeric(column) and not is_year(column) for column in columns):
        return None
    return Aggregate(tuple(Measure("", column) for column in columns))


@rule("core", "<amounts>", "<open:amounts>")
def _core_amounts(reader: Reader, amounts: Aggregate) -> Aggregate:
    return amounts


@rule("core", "<periodly> <amounts>", "<periodly> <open:amounts>")
def by_period(reader: Reader, periodly: str, amounts: Aggregate) -> Aggregate | None:
    """Amounts by month or another period of the table's only date; by year also of a column of years."""
    if periodly == "Y" and not reader.schema.dates and len(reader.schema.years) == 1:
        return replace(amounts, groups=(Group(reader.schema.years[0]),))
    return replace(amounts, groups=(Group(reader.schema.dates[0], periodly),)) if only_date(reader) else None


@rule("core", "(trend|development|evolution) of <amounts>", "(trend|development|evolution) of <open:amounts>")
@rule("core", "<open:amounts> trend")
def _core_trend(reader: Reader, amounts: Aggregate) -> Aggregate | None:
    times = reader.schema.dates or reader.schema.years
    if len(times) != 1:
        reader.refuse("there is not exactly one column of dates or years")
        return None
    return replace(amounts, groups=(Group(times[0]),), trend=True, chart="line")


@rule("core", "how (did|does|has|have) <amounts> (change|changed|develop|developed|evolve|evolved)")
@rule("core", "how (did|does|has|have) <open:amounts> (change|changed|develop|developed|evolve|evolved)")
def _core_change(reader: Reader, amounts: Aggregate) -> Aggregate:
    return replace(amounts, trend=True, chart="line")


@rule("question", "[can you|could you] compare <amounts> <modifiers>")
def _compare(reader: Reader, amounts: Aggregate, modifiers: tuple[Any, ...]) -> Question | None:
    """“Compare” promises groups: values joined by "and" are compared with each other."""
    draft = apply(reader, amounts, modifiers)
    if not isinstance(draft, Aggregate):
        return None
    groups = {group.column for group in draft.groups}
    joined = [c.column for c in draft.where if c.joined == "and" and c.column not in groups]
    compared = (*draft.groups, *(Group(column) for column in joined))
    return settle(reader, replace(draft, groups=compared)) if compared else None


@rule("core", "(value counts|frequency|frequencies|counts) (of|for|in) <column>")
@rule("core", "how often does each <column> (occur|appear)", "how common is each <column>")
@rule("core", "count (of|for) each <column>", "<column> counts", "counts (by|per) <column>")
def _core_frequency(reader: Reader, column: Column) -> Aggregate:
    return Aggregate((Measure("rows"),), (Group(column),), rank=Rank())


@rule("core", "[<number>] most (common|frequent) <column> [value|values]", largest=True)
@rule("core", "[<number>] least (common|frequent) <column> [value|values]", largest=False)
@rule("core", "(which|what) <column> (is|are) [the] most (common|frequent)", largest=True)
@rule("core", "(which|what) <column> (is|are) [the] least (common|frequent)", largest=False)
def _core_common(reader: Reader, column: Column, largest: bool, number: float = 1) -> Aggregate | None:
    n = whole_number(number)
    return Aggregate((Measure("rows"),), (Group(column),), rank=Rank(largest, n)) if n else None


# --- ranked groups: "which species has the highest mean body mass" --------------------------------------------------


@rule("ranked", "<superlative> <measures>", "<superlative> <open:measures>")
def _ranked(reader: Reader, superlative: tuple[bool], measures: Any) -> tuple[bool, Aggregate]:
    return superlative[0], measures if isinstance(measures, Aggregate) else Aggregate(measures)


@rule("ranked", "(most|greatest number of|highest number of|largest number of) <noun>", largest=True)
@rule("ranked", "(fewest|least|lowest number of|smallest number of) <noun>", largest=False)
def _ranked_rows(reader: Reader, noun: Where, largest: bool) -> tuple[bool, Aggregate]:
    return largest, Aggregate((Measure("rows"),), where=noun.conditions)


@rule("core", "(which|what) [<number>] <group> (has|had|have|with|shows|show|saw) <ranked>")
@rule("core", "<number> <group> (with|that have|having) <ranked>", "<group> with <ranked>")
def _core_which(reader: Reader, group: Group, ranked: tuple[bool, Aggregate], number: float = 1) -> Aggregate | None:
    n = whole_number(number)
    largest, amounts = ranked
    return replace(amounts, groups=(group,), rank=Rank(largest, n)) if n and len(amounts.measures) == 1 else None


@rule("core", "top <number> <group> (by|in) <amounts>", "top <number> <group> (by|in) <open:amounts>", largest=True)
@rule(
    "core", "bottom <number> <group> (by|in) <amounts>", "bottom <number> <group> (by|in) <open:amounts>", largest=False
)
def _core_top(reader: Reader, number: float, group: Group, amounts: Aggregate, largest: bool) -> Aggregate | None:
    n = whole_number(number)
    return replace(amounts, groups=(group,), rank=Rank(largest, n)) if n and len(amounts.measures) == 1 else None


# --- single rows: "the five heaviest penguins" ----------------------------------------------------------------------


@rule("core", "[<number>] <adjective> <of_rows>", "<adjective> <number> <of_rows>")
def _core_rows(
    reader: Reader, adjective: tuple[Column, bool], of_rows: tuple[str, Conditions], number: float = 0
) -> Rows | None:
    column, largest = adjective
    return _extreme(column, largest, of_rows, number)


@rule("core", "top <number> <of_rows> (by|in) <column>", largest=True)
@rule("core", "bottom <number> <of_rows> (by|in) <column>", largest=False)
def _core_top_rows(
    reader: Reader, number: float, of_rows: tuple[str, Conditions], column: Column, largest: bool
) -> Rows | None:
    return _extreme(column, largest, of_rows, number)


@rule("extreme", "<adjective>")
def _extreme_adjective(reader: Reader, adjective: tuple[Column, bool]) -> tuple[Column, bool]:
    return adjective


@rule("extreme", "<superlative> <column>")
def _extreme_column(reader: Reader, superlative: tuple[bool], column: Column) -> tuple[Column, bool]:
    return column, superlative[0]


@rule("core", "[which|what] [<number>] <of_rows> (with|has|have|had) <extreme>")
@rule("core", "(which|what) <of_rows> (is|are) <adjective:extreme>")
def _core_row_with(
    reader: Reader, of_rows: tuple[str, Conditions], extreme: tuple[Column, bool], number: float = 0
) -> Rows | None:
    column, largest = extreme
    return _extreme(column, largest, of_rows, number)


@rule("of_rows", "<row>")
def _of_rows(reader: Reader, row: str) -> tuple[str, Conditions]:
    return row, ()


@rule("of_rows", "<values> <row>")
def _of_rows_values(reader: Reader, values: Conditions, row: str) -> tuple[str, Conditions]:
    return row, values


def _extreme(column: Column, largest: bool, of_rows: tuple[str, Conditions], number: float) -> Rows | None:
    """“The heaviest penguin” is one, "the heaviest penguins" are nobody knows how many."""
    row, where = of_rows
    n = whole_number(number) if number else (1 if row == "one" else None)
    return Rows(column, Rank(largest, n), where) if n and (is_numeric(column) or is_time(column)) else None


def whole_number(number: float) -> int | None:
    """A number of rows or groups to show."""
    return int(number) if number == int(number) and 1 <= number <= 1_000_000 else None
