"""Whole questions: each rule drafts one kind of plan, and the modifiers around it complete the draft."""

from __future__ import annotations

from typing import Any

import msgspec

from ..base import Column
from . import comparatives, filters, flags, groupings, modifying, negations  # noqa: F401  # declare their phrases
from .grammar import Reader
from .measures import is_amount  # declares the phrases that say what is computed
from .phrases import As, There, Where, grammar, only_date
from .plan import (
    Aggregate,
    Condition,
    Group,
    Measure,
    Open,
    Period,
    Question,
    Rank,
    conditions_of,
)
from .refine import apply, settle

__all__ = ["by_period", "grammar", "whole_number"]

rule = grammar.rule
replace = msgspec.structs.replace

# --- the frame of a question: opener, core, modifiers ---------------------------------------------------------------

_ASK = (
    "what (is|are|was|were)",
    "[(can|could|would|will) you] (show|give|tell|print|list|display|find|get|calculate|compute|determine|report"
    "|return|provide|output|name) [me|us] [all]",
    "(and|now|so) what (is|are|was|were)",
    "(i|we) (want|need|would like) [to (see|know|have|get|find)]",
    "let (me|us) see",
    "",
)
_DRAW = (
    "(show|give) [me|us] a plot of",
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
) -> Question | Open | None:
    if any(isinstance(modifier, There) for modifier in before):
        return None
    drawn = (As(opener),) if opener else ()
    return settle(reader, apply(reader, core, before + after + drawn))


for _make in _MAKE:
    grammar.add("makes", _make, lambda reader: "make")


@rule("question", "<makes> <figure> <modifiers>")
def _make_figure(reader: Reader, figure: Question, modifiers: tuple[Any, ...], **_: Any) -> Question | Open | None:
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


@rule("amounts", "(number of|count of|count|how many) [<values>] <entity>")
def _amounts_entity(reader: Reader, entity: tuple[str, Column], values: tuple[Condition, ...] = ()) -> Aggregate:
    """“How many flights”: rows, or different numbers of flights?"""
    return Aggregate((Measure("entity", entity[1]),), where=values)


@rule("open", "<quantities:columns>")
def _open(reader: Reader, columns: tuple[Column, ...]) -> Aggregate | None:
    """Columns without a word such as "mean": the modifiers must settle what is meant."""
    if not all(is_amount(column) for column in columns):
        return None
    return Aggregate(tuple(Measure("", column) for column in columns))


@rule("question", "[and|so] how many [of them|of those] <modifiers>")
def _how_many(reader: Reader, modifiers: tuple[Any, ...]) -> Question | Open | None:
    """“How many were returned?”: rows, where something tells which."""
    draft = apply(reader, Aggregate((Measure("rows"),)), modifiers)
    return settle(reader, draft) if draft and conditions_of(draft) else None


@rule("core", "<amounts>", "<open:amounts>")
def _core_amounts(reader: Reader, amounts: Aggregate) -> Aggregate:
    return amounts


@rule("core", "<periodly> <amounts>", "<periodly> <open:amounts>")
def by_period(reader: Reader, periodly: Period, amounts: Aggregate) -> Aggregate | None:
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
def _compare(reader: Reader, amounts: Aggregate, modifiers: tuple[Any, ...]) -> Question | Open | None:
    """“Compare” promises groups: values joined by "and" are compared with each other."""
    draft = apply(reader, amounts, modifiers)
    if not isinstance(draft, Aggregate):
        return None
    groups = {group.column for group in draft.groups}
    joined = [c.column for c in draft.where if c.joined == "and" and c.column not in groups]
    compared = (*draft.groups, *(Group(column) for column in joined))
    return settle(reader, replace(draft, groups=compared)) if compared else None


@rule("core", "(distinct|different|unique) <column> (per|by|for each|in each) <groups>")
def _core_distinct(reader: Reader, column: Column, groups: tuple[Group, ...]) -> Aggregate:
    return Aggregate((Measure("nunique", column),), groups)


@rule("core", "(value counts|frequency|frequencies|counts) (of|for|in) <column>")
@rule(
    "core",
    "how often (does|is|was|did|do) each <column> (occur|appear|used|chosen|happen)",
    "how common is each <column>",
)
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


def whole_number(number: float) -> int | None:
    """A number of rows or groups to show."""
    return int(number) if number == int(number) and 1 <= number <= 1_000_000 else None
