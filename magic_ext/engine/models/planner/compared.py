"""Comparisons: "Gentoo vs Adelie", "the difference between them", "are males heavier than females?"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ..base import Column
from .grammar import Reader
from .lexicon import COMPARATIVES
from .phrases import Pair, grammar, only_date
from .plan import Aggregate, Condition, Group, Measure, Open, Question
from .refine import apply, settle
from .schema import is_year
from .times import Moment

__all__ = ["grammar"]

rule = grammar.rule
replace = msgspec.structs.replace


_VERSUS = "(vs|versus|vs .|compared to|compared with|against|and|or|to|than)"


@rule("pair", f"<value:left> [<row>] {_VERSUS} [for|in|on|from|of] <value:right>")
@rule("pair", f"<kind:left> {_VERSUS} [for|in|on|from|of] <kind:right>")
def _pair_values(reader: Reader, left: Condition, right: Condition, **_: Any) -> Pair | None:
    if left.column != right.column or left.values == right.values:
        return None
    both = Condition(left.column, "in", left.values + right.values, joined="and")
    return Pair(Group(left.column), (both,))


@rule("pair", f"<flag:left> [<row>] {_VERSUS} (not|non) <flag:right>")
@rule("pair", f"(not|non) <flag:left> {_VERSUS} <flag:right>")
def _pair_flag(reader: Reader, left: Condition, right: Condition | None = None, **_: Any) -> Pair | None:
    """“Returned and not returned orders”."""
    return Pair(Group(left.column)) if right is None or left.column == right.column else None


@rule("pair", f"(weekend|weekends) {_VERSUS} [on] (weekday|weekdays|workdays)")
@rule("pair", f"(weekday|weekdays|workdays) {_VERSUS} [on] (weekend|weekends)")
def _pair_weekend(reader: Reader) -> Pair | None:
    return Pair(Group(reader.schema.dates[0], "weekend")) if only_date(reader) else None


@rule("pair", f"<moment:left> {_VERSUS} [in] <moment:right>")
def _pair_years(reader: Reader, left: Moment, right: Moment) -> Pair | None:
    """“2023 vs 2024”."""
    columns = (*reader.schema.years, *reader.schema.dates)
    if left.month or right.month or left == right or len(columns) != 1:
        return None
    year = is_year(columns[0])
    both = Condition(columns[0], "in", (left.year, right.year), part="" if year else "year")
    return Pair(Group(columns[0], "" if year else "Y"), (both,))


@grammar.terminal("versus")
def _versus(reader: Reader, at: int) -> Iterator[tuple[Pair, int]]:
    """A pair that is said to be one by its word: "vs", not "and"."""
    for pair, end in reader.find("pair", at):
        if any(token.key in {"vs", "versus", "compared"} for token in reader.tokens[at:end]):
            yield pair, end


@rule("modifier", "[of|for|in|on|at|from|among|between|by] <versus> [<noun_row>]")
def _against(reader: Reader, versus: Pair, **_: Any) -> Pair:
    return versus


@rule("noun_row", "<row>", "<bearer:row>")
def _noun_row(reader: Reader, row: str) -> str:
    return row


# --- differences ----------------------------------------------------------------------------------------------------

_BETWEEN = "(between|of|for|from) <pair> [<noun_row>]"


@rule("core", f"difference (in|of) <amounts> {_BETWEEN}", contrast="-")
@rule("core", "difference between <amounts> (of|for|from|in|on) <pair> [<noun_row>]", contrast="-")
@rule("core", f"<amounts> difference {_BETWEEN}", contrast="-")
@rule("core", f"ratio of <amounts> {_BETWEEN}", contrast="/")
def _contrast(reader: Reader, amounts: Aggregate, pair: Pair, contrast: Any, **_: Any) -> Aggregate | None:
    """One number less the other, of the two in the order in which they are said."""
    if len(amounts.measures) != 1 or amounts.groups or not pair.conditions or pair.group.period:
        return None
    draft = replace(amounts, groups=(pair.group,), where=amounts.where + pair.conditions)
    return replace(draft, contrast=contrast)


@rule("core", "ratio of <pair> [<noun_row>]", contrast="/")
def _contrast_rows(reader: Reader, pair: Pair, contrast: Any, **_: Any) -> Aggregate | None:
    """“Ratio of males to females” is one of counts."""
    return _contrast(reader, Aggregate((Measure("rows"),)), pair, contrast)


# --- "compare ..." --------------------------------------------------------------------------------------------------


@rule(
    "question",
    "[can you|could you] compare <amounts> (of|for|in|on|from|between|at|by) <pair> [<noun_row>] <modifiers>",
)
@rule("question", "[can you|could you] compare <amounts> <versus:pair> <modifiers>")
@rule("question", "[can you|could you] compare <pair> [<noun_row>] (by|in|on) <amounts> <modifiers>")
def _compare_pair(
    reader: Reader, amounts: Aggregate, pair: Pair, modifiers: tuple[Any, ...], **_: Any
) -> Question | Open | None:
    draft = apply(reader, replace(amounts, groups=(pair.group,), where=amounts.where + pair.conditions), modifiers)
    return settle(reader, draft) if isinstance(draft, Aggregate) else None


@rule("question", "[can you|could you] compare <quantity:column> (of|for|in|on|from|between|at) <pair> [<noun_row>]")
@rule("question", "[can you|could you] compare <pair> [<noun_row>] (by|in|on) <quantity:column>")
def _compare_means(reader: Reader, column: Column, pair: Pair, **_: Any) -> Question | Open | None:
    """Without a word such as "total" a comparison is one of means."""
    return _means(reader, column, pair)


def _means(reader: Reader, column: Column, pair: Pair) -> Question | Open | None:
    if column.kind not in {"integer", "number"}:
        return None
    return settle(reader, Aggregate((Measure("mean", column),), (pair.group,), pair.conditions))


@grammar.terminal("comparative")
def _comparative(reader: Reader, at: int) -> Iterator[tuple[Column, int]]:
    """“Heavier", "more expensive": the column that tells."""
    keys = [token.key for token in reader.tokens[at : at + 2]]
    for size in (2, 1):
        if " ".join(keys[:size]) in COMPARATIVES:
            _, nouns = COMPARATIVES[" ".join(keys[:size])]
            columns = reader.schema.columns_ending([(noun,) for noun in nouns])
            if len(columns) == 1:
                reader.partial.setdefault(columns[0].name, " ".join(keys[:size]))
                yield columns[0], at + size
            return


_AVERAGE = "[on average|usually|typically|generally]"
_DONE = "(are|is|do|does|did|was|were)"


@rule(
    "question",
    f"{_DONE} <value:left> [<noun_row>] {_AVERAGE} <comparative> than <value:right> [<noun_row:again>] {_AVERAGE}",
)
@rule(
    "question",
    f"{_DONE} <value:left> [<noun_row>] {_AVERAGE} have [a] (higher|lower|larger|smaller|more|longer|shorter) "
    f"{_AVERAGE[:-1]}|average|mean] <column:comparative> than <value:right> [<noun_row:again>] {_AVERAGE}",
)
def _are_heavier(
    reader: Reader, left: Condition, right: Condition, comparative: Column, **_: Any
) -> Question | Open | None:
    """“Are males heavier than females?”: the means of both; the reader sees which is higher."""
    pair = _pair_values(reader, left, right)
    return _means(reader, comparative, pair) if pair else None
