"""Completing a question: modifiers change a draft, and what is still open is settled or refused."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import Any, cast

import msgspec

from .grammar import Reader
from .lexicon import ADDITIVE
from .phrases import As, By, In, Nothing, OnAverage, Over, Pair, PerRow, Sort, There, Where
from .plan import (
    Aggregate,
    Chart,
    Columns,
    Condition,
    Correlation,
    Describe,
    Distribution,
    Flag,
    Group,
    Measure,
    Open,
    Question,
    Rank,
    Regression,
    Rolling,
    Rows,
    Scatter,
    conditions_of,
    groups_of,
)
from .schema import is_numeric, is_time, is_year, unit_of
from .tokens import singular, words

__all__ = ["apply", "settle"]

MAX_COLOURS = 12
_AGGREGATE_CHARTS = {"bar", "barh", "stacked", "pie", "line", "auto"}
_OVER_TIME = {"D", "W", "M", "Q", "Y", "h", "hour", "month", "quarter"}

replace = msgspec.structs.replace


def apply(reader: Reader, draft: Question | None, modifiers: Iterable[Any]) -> Question | None:
    """``draft`` with all modifiers taken in; None when one of them has no meaning for it."""
    for modifier in sorted(modifiers, key=lambda one: isinstance(one, OnAverage)):
        if draft is None:
            return None
        draft = _apply(reader, draft, modifier)
    return draft


def _apply(reader: Reader, draft: Question, modifier: Any) -> Question | None:
    match modifier:
        case Nothing() | There():
            return draft
        case Where(conditions):
            return _where(reader, draft, conditions)
        case By(groups):
            return _by(reader, draft, groups)
        case Over(group) if isinstance(draft, Aggregate):
            dated = any(have.column == group.column and (have == group or not group.period) for have in draft.groups)
            return replace(draft, groups=draft.groups if dated else (group, *draft.groups), trend=True)
        case Pair(group, conditions):
            paired = _by(reader, draft, (group,))
            return _where(reader, paired, conditions) if paired else None
        case OnAverage() | PerRow() | In() if isinstance(draft, Aggregate):
            return _measured(draft, modifier)
        case As(chart):
            return _as(draft, chart)
        case Sort(largest) if isinstance(draft, Rows) and draft.column and not draft.rank:
            return replace(draft, rank=Rank(largest))
        case Sort(largest) if isinstance(draft, Aggregate) and draft.groups and not draft.rank:
            return replace(draft, rank=Rank(largest))
        case _:
            return None


def _measured(draft: Aggregate, modifier: OnAverage | PerRow | In) -> Aggregate | None:
    match modifier:
        case OnAverage():
            return _on_average(draft)
        case PerRow() if all(m.how in {"", "mean"} for m in draft.measures):
            return replace(draft, measures=tuple(Measure("mean", m.column) for m in draft.measures))
        case In(unit):
            if unit == "pct" and all(measure.how in {"share", "percent", "part"} for measure in draft.measures):
                return draft
            same = all(measure.column and unit_of(measure.column) == unit for measure in draft.measures)
            return draft if same else None
    return None


def _on_average(draft: Aggregate) -> Aggregate | None:
    """“How many orders per customer on average”; of a column that is only named, its mean."""
    hows = {measure.how for measure in draft.measures}
    if hows <= {"", "mean"}:
        return replace(draft, measures=tuple(Measure("mean", measure.column) for measure in draft.measures))
    if hows <= {"rows", "nunique"} and len(draft.groups) == 1 and not draft.outer:
        return replace(draft, outer="mean")
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
    if isinstance(draft, Rows) and not (draft.column and draft.rank and len(groups) == 1 and not draft.groups):
        return None
    if isinstance(draft, Correlation) and (len(draft.columns) != 2 or len(groups) != 1):
        return None
    if isinstance(draft, Aggregate | Describe | Distribution | Scatter | Rows | Correlation):
        ranked = isinstance(draft, Aggregate) and draft.rank is not None and draft.rank.n is not None
        if isinstance(draft, Aggregate) and ranked and draft.groups:
            return _by_within(draft, groups)
        together = draft.groups + groups
        if len(set(together)) == len(together):
            return replace(draft, groups=together)
    return None


def _by_within(draft: Aggregate, groups: tuple[Group, ...]) -> Aggregate | None:
    """“Top 3 products by region": the rank counts in each region."""
    if len(groups) != 1 or len(draft.groups) != 1 or groups[0] == draft.groups[0] or draft.chart:
        return None
    return replace(draft, groups=groups + draft.groups, within=True)


def _as(draft: Question, chart: str) -> Question | None:
    match draft:
        case Aggregate() if chart in _AGGREGATE_CHARTS and draft.chart in {"", "auto", chart}:
            return replace(draft, chart=cast(Chart, chart if draft.chart in {"", "auto"} else draft.chart))
        case Aggregate() if chart == "auto":
            return draft
        case Distribution() if chart in {draft.chart, "auto"}:
            return draft
        case Scatter() if chart in {"scatter", "auto"}:
            return draft
        case Regression() if chart in {"scatter", "auto"}:
            return draft
        case Rolling() if chart in {"line", "auto"}:
            return draft
        case Correlation() if chart in {"heat", "auto"} and not draft.columns:
            return replace(draft, chart="heat")
        case _:
            return None


def settle(reader: Reader, draft: Question | None) -> Question | Open | None:
    """A draft without anything open; what it could mean, when a person would have to ask back; None with a reason."""
    match draft:
        case None:
            return None
        case Aggregate():
            return _settle_aggregate(reader, draft)
        case Distribution() | Scatter() if not _few_groups(reader, draft.groups, 1):
            return None
        case Describe() if draft.groups and (len(draft.columns) != 1 or not is_numeric(draft.columns[0])):
            return None
        case Rows() if draft.groups and any(group.period for group in draft.groups):
            return None
    return draft if _joined(reader, draft) else None


def _settle_aggregate(reader: Reader, draft: Aggregate) -> Question | Open | None:
    if draft.running and not draft.groups and len(reader.schema.dates) == 1:
        draft = replace(draft, groups=(Group(reader.schema.dates[0]),))
    looked_up = _looked_up(reader, draft)
    if looked_up:
        return looked_up
    choices = [_ways(reader, draft, measure) for measure in draft.measures]
    if not all(choices):
        return None
    if all(len(ways) == 1 for ways in choices):
        return _settled(reader, replace(draft, measures=tuple(ways[0] for ways in choices)))
    longest = max(len(ways) for ways in choices)
    measures = [tuple(ways[min(n, len(ways) - 1)] for ways in choices) for n in range(longest)]
    options = [_settled(reader, replace(draft, measures=row)) for row in measures]
    return Open(tuple(option for option in options if option)) if any(options) else None


def _looked_up(reader: Reader, draft: Aggregate) -> Rows | None:
    """“Life expectancy in Germany in 2007", "which country had the highest one in 2007": one row has the answer."""
    measure = draft.measures[0]
    if len(draft.measures) != 1 or measure.how or not measure.column or draft.chart or draft.trend:
        return None
    exact = [test for test in draft.where if test.operator == "==" and not test.part and not test.either]
    groups = [group.column for group in draft.groups]
    if len(exact) < len(draft.where) or any(group.period not in {"", "D"} for group in draft.groups):
        return None
    if draft.within and reader.schema.pins([groups[1], *(test.column for test in exact)]):
        return Rows(measure.column, draft.rank, draft.where, draft.groups[:1])
    if len(groups) > 1:
        return None
    pinned = reader.schema.pins([*groups, *(test.column for test in exact)])
    if not pinned or bool(draft.rank and draft.rank.n) != bool(groups) or not _joined(reader, draft):
        return None
    show = tuple(dict.fromkeys([*groups, *(test.column for test in exact), measure.column]))
    return Rows(measure.column if groups else None, draft.rank, draft.where, (), show)


def _ways(reader: Reader, draft: Aggregate, measure: Measure) -> list[Measure]:
    """What an open measure could be: several where only a person can tell."""
    if measure.how not in {"", "kinds", "entity"}:
        return [measure]
    assert measure.column is not None
    name = measure.column.name
    if measure.how == "entity":
        return [Measure("rows"), Measure("nunique", measure.column)]
    if measure.how == "kinds":
        exact = [test.column for test in draft.where if test.operator == "==" and not test.part]
        if not draft.where or reader.schema.pins([measure.column, *exact]):
            return [Measure("nunique", measure.column)]
        reader.refuse(f"with a condition, “how many {name}” could be rows; say “rows” or “different {name}”")
        return [Measure("rows"), Measure("nunique", measure.column)]
    additive = singular(words(name)[-1]) in ADDITIVE if words(name) else False
    if draft.groups and (additive or draft.trend):
        return [Measure("sum" if additive else "mean", measure.column)]
    reader.refuse(f"say what to compute of `{name}`, such as its mean or its total")
    return [Measure(how, measure.column) for how in ("mean", "sum", "max")]


def _settled(reader: Reader, draft: Aggregate) -> Aggregate | None:
    measures = draft.measures
    if len(set(measures)) < len(measures) or len(draft.groups) > 2:
        return None
    flagged = {test.column for m in measures if isinstance(m.column, Flag) for test in m.column.tests}
    if any((m.column == g.column or g.column in flagged) and not g.period for m in measures for g in draft.groups):
        reader.refuse("a column is not grouped by itself")
        return None
    single = len(measures) == 1 and draft.groups
    if (draft.within or draft.outer or draft.having or draft.running) and not single:
        return None
    fewest = draft.rank and not draft.rank.largest and draft.where and measures[0].how in {"rows", "sum"}
    if fewest:
        reader.refuse("groups without any such row would be missing, and they are the smallest")
        return None
    if any(measure.how == "share" for measure in measures) and len(draft.groups) != 1:
        reader.refuse("say by what to divide, once: “share of … by …”")
        return None
    return _settle_chart(reader, draft) if _joined(reader, draft) else None


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
        over_time = first.period in _OVER_TIME or (
            not first.period and (is_time(first.column) or is_year(first.column))
        )
        draft = replace(draft, chart="line" if over_time and not (draft.rank and draft.rank.n) else "bar")
    if draft.chart == "pie" and (
        len(draft.groups) > 1 or len(draft.measures) > 1 or not _few_groups(reader, draft.groups, 1)
    ):
        return None
    if draft.chart == "pie" and draft.measures[0].how not in {"rows", "sum", "share"}:
        reader.refuse("only counts and totals are parts of a whole, as a pie chart shows them")
        return None
    if (draft.chart == "stacked" and len(draft.groups) != 2) or draft.outer:
        return None
    if not _few_groups(reader, draft.groups[1:], 1):
        return None
    return draft


def _different(group: Group) -> int:
    """How many groups there are at most, as far as the table's profile tells."""
    if not group.period:
        return group.column.unique
    if group.period in {"weekday", "weekend", "quarter", "month", "hour"}:
        return {"weekend": 2, "quarter": 4, "weekday": 7, "month": 12, "hour": 24}[group.period]
    bounds = [str(bound) for bound in (group.column.low, group.column.high) if bound is not None]
    bounds = bounds or sorted(str(value) for value in group.column.values)
    try:
        first, last = (datetime.date.fromisoformat(bound[:10]) for bound in (bounds[0], bounds[-1]))
    except (IndexError, ValueError):
        return group.column.unique
    days = {"Y": 365, "Q": 91, "M": 30, "W": 7, "D": 1}.get(group.period, 1)
    return (last - first).days // days + 2 if days > 1 else group.column.unique


def _few_groups(reader: Reader, groups: tuple[Group, ...], most: int) -> bool:
    if len(groups) > most:
        reader.refuse("there are more groups than one figure shows")
        return False
    for group in groups:
        if _different(group) > MAX_COLOURS:
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
