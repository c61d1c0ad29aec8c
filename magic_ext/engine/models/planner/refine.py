"""Completing a question: modifiers change a draft, and what is still open is settled or refused."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import msgspec

from .grammar import Reader
from .lexicon import ADDITIVE
from .phrases import As, By, Nothing, Over, Sort, Where
from .plan import (
    Aggregate,
    Chart,
    Columns,
    Condition,
    Describe,
    Distribution,
    Group,
    Measure,
    Question,
    Rank,
    Scatter,
    conditions_of,
    groups_of,
)
from .schema import is_numeric, is_time, is_year
from .tokens import singular, words

__all__ = ["apply", "settle"]

MAX_COLOURS = 12

replace = msgspec.structs.replace


def apply(reader: Reader, draft: Question | None, modifiers: Iterable[Any]) -> Question | None:
    """``draft`` with all modifiers taken in; None when one of them has no meaning for it."""
    for modifier in modifiers:
        if draft is None:
            return None
        draft = _apply(reader, draft, modifier)
    return draft


def _apply(reader: Reader, draft: Question, modifier: Any) -> Question | None:
    match modifier:
        case Nothing():
            return draft
        case Where(conditions):
            return _where(reader, draft, conditions)
        case By(groups):
            return _by(reader, draft, groups)
        case Over(group) if isinstance(draft, Aggregate):
            dated = any(have.column == group.column and (have == group or not group.period) for have in draft.groups)
            return replace(draft, groups=draft.groups if dated else (group, *draft.groups), trend=True)
        case As(chart):
            return _as(draft, chart)
        case Sort(largest) if isinstance(draft, Aggregate) and draft.groups and not draft.rank:
            return replace(draft, rank=Rank(largest))
        case _:
            return None


def _where(reader: Reader, draft: Question, conditions: tuple[Condition, ...]) -> Question | None:
    if not conditions:
        return draft
    if isinstance(draft, Columns):
        reader.refuse("the columns of a table are the same in all rows")
        return None
    have = draft.where
    for condition in conditions:
        both_ends = {condition.operator, *(c.operator for c in have if c.column == condition.column)}
        if any(c.column == condition.column for c in have) and not both_ends <= {"<", "<=", ">", ">="}:
            reader.refuse(f"there are two conditions on `{condition.column.name}`")
            return None
    return replace(draft, where=have + conditions)


def _by(reader: Reader, draft: Question, groups: tuple[Group, ...]) -> Question | None:
    if isinstance(draft, Aggregate | Describe | Distribution | Scatter):
        together = draft.groups + groups
        if len(set(together)) == len(together):
            return replace(draft, groups=together)
    return None


def _as(draft: Question, chart: str) -> Question | None:
    match draft:
        case Aggregate() if chart in {"bar", "line", "auto"} and draft.chart in {"", "auto", chart}:
            return replace(draft, chart=cast(Chart, chart if draft.chart in {"", "auto"} else draft.chart))
        case Aggregate() if chart == "auto":
            return draft
        case Distribution() if chart in {draft.chart, "auto"}:
            return draft
        case Scatter() if chart in {"scatter", "auto"}:
            return draft
        case _:
            return None


def settle(reader: Reader, draft: Question | None) -> Question | None:
    """A draft without anything open; None, with a reason, when a person would have to ask back."""
    match draft:
        case None:
            return None
        case Aggregate():
            settled = _settle_measures(reader, draft)
            return settled and _settle_chart(reader, settled)
        case Distribution() | Scatter() if not _few_groups(reader, draft.groups, 1):
            return None
        case Describe() if draft.groups and (len(draft.columns) != 1 or not is_numeric(draft.columns[0])):
            return None
    return draft if _joined(reader, draft) else None


def _settle_measures(reader: Reader, draft: Aggregate) -> Aggregate | None:
    measures = []
    for measure in draft.measures:
        if measure.how not in {"", "kinds"}:
            measures.append(measure)
            continue
        assert measure.column is not None
        name = measure.column.name
        if measure.how == "kinds":
            if draft.where:
                reader.refuse(f"with a condition, “how many {name}” could be rows; say “rows” or “different {name}”")
                return None
            measures.append(Measure("nunique", measure.column))
            continue
        additive = singular(words(name)[-1]) in ADDITIVE if words(name) else False
        if not draft.groups or not (additive or draft.trend):
            reader.refuse(f"say what to compute of `{name}`, such as its mean or its total")
            return None
        measures.append(Measure("sum" if additive else "mean", measure.column))
    if len(set(measures)) < len(measures) or len(draft.groups) > 2:
        return None
    if any(m.column == g.column and not g.period for m in measures for g in draft.groups):
        reader.refuse("a column is not grouped by itself")
        return None
    fewest = draft.rank and not draft.rank.largest and draft.where and measures[0].how in {"rows", "sum"}
    if fewest:
        reader.refuse("groups without any such row would be missing, and they are the smallest")
        return None
    settled = replace(draft, measures=tuple(measures))
    return settled if _joined(reader, settled) else None


def _settle_chart(reader: Reader, draft: Aggregate) -> Aggregate | None:
    if not draft.chart:
        return draft
    if not draft.groups:
        reader.refuse("a single number makes no figure; say by what to group")
        return None
    if len(draft.groups) + (len(draft.measures) > 1) > 2:
        reader.refuse("there are more groups and numbers than one figure shows")
        return None
    if draft.chart == "auto":
        first = draft.groups[0]
        over_time = bool(first.period) or is_time(first.column) or is_year(first.column)
        draft = replace(draft, chart="line" if over_time and not (draft.rank and draft.rank.n) else "bar")
    if not _few_groups(reader, draft.groups[1:], 1):
        return None
    return draft


def _few_groups(reader: Reader, groups: tuple[Group, ...], most: int) -> bool:
    if len(groups) > most:
        reader.refuse("there are more groups than one figure shows")
        return False
    for group in groups:
        if group.period or group.column.unique > MAX_COLOURS:
            reader.refuse(f"`{group.column.name}` has more values than colours can tell apart")
            return False
    return True


def _joined(reader: Reader, question: Question) -> bool:
    """“Males and females” may mean them together or each; only a grouping tells."""
    groups = {group.column for group in groups_of(question)}
    for condition in conditions_of(question):
        if condition.joined == "and" and condition.column not in groups:
            name = condition.column.name
            reader.refuse(f"say whether these values of `{name}` are taken together (“or”) or each (“by {name}”)")
            return False
    return True
