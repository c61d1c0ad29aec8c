"""Follow-ups: short sentences that change the last plan, such as "by island instead" or "as a bar chart"."""

from __future__ import annotations

from typing import Any

import msgspec

from ..base import Column
from .filters import Conditions
from .grammar import Reader
from .negations import negated
from .phrases import As, By, Sort, Where, grammar
from .plan import (
    Aggregate,
    Columns,
    Describe,
    Distribution,
    Group,
    Measure,
    Open,
    Outliers,
    Question,
    Rank,
    Rolling,
    Rows,
    Scatter,
    groups_of,
)
from .refine import apply, settle
from .schema import is_numeric
from .times import Moment, Span, timed

__all__ = ["revise"]

rule = grammar.rule
replace = msgspec.structs.replace


class How(msgspec.Struct, frozen=True):
    """A change: aggregate in this way."""

    hows: tuple[str, ...]


class Of(msgspec.Struct, frozen=True):
    """A change: the same of these columns."""

    columns: tuple[Column, ...]


class Also(msgspec.Struct, frozen=True):
    """A change: by these groups too."""

    groups: tuple[Group, ...]


class Top(msgspec.Struct, frozen=True):
    """A change: only the first so many."""

    rank: Rank


_SHOW = "(plot|draw|show|display|visualise|visualize|make|present)"
_IT = "(it|that|this|them|these|result|results)"


@rule("followup", "[now|then|ok|okay|and now] [,] <change> [instead] [now]")
def _followup(reader: Reader, change: Any) -> Any:
    return change


@rule("followup", "and [,] <change> [instead]")
def _followup_and(reader: Reader, change: Any) -> Any:
    """“And by city” adds a group, "and for males" changes the rows."""
    return None if isinstance(change, By) else change


@rule("followup", "[and] [then] <drawing>")
def _followup_drawing(reader: Reader, drawing: As) -> As:
    return drawing


@rule("drawing", "(plot|draw|chart|graph|visualise|visualize) " + _IT, chart="auto")
@rule("drawing", f"{_SHOW} {_IT} (as|in|with|using|on) <chart>", f"{_SHOW} {_IT} <chart>", f"{_SHOW} <chart>")
@rule("drawing", f"{_SHOW} {_IT} (as|in|with|using|on) <anychart:chart>", f"{_SHOW} <anychart:chart> [of {_IT}]")
@rule("drawing", f"{_SHOW} <chart> (of|for) {_IT}", f"turn {_IT} into <chart>", "(as|in|with) <chart>")
@rule("drawing", "(as|in|with) <anychart:chart>", "use <chart>")
def _drawing(reader: Reader, chart: str) -> As:
    return As(chart)


@rule("change", "<drawing>", "<chart:drawing>")
def _change_drawing(reader: Reader, drawing: As | str) -> As:
    return As(drawing) if isinstance(drawing, str) else drawing


@rule("change", "[show|group|split] [it|that|this|them] (by|per|for each|grouped by) <groups>")
@rule("change", "(what|how) about (by|per) <groups>", "(by|per|for each) <groups> instead")
def _change_groups(reader: Reader, groups: tuple[Group, ...]) -> By:
    return By(groups)


@rule("followup", "(and|also|and also|now also) [split|grouped] (by|per|for each) <groups> [too|as well]")
@rule(
    "followup", "(by|per|for each) <groups> (too|as well|also)", "(add|split by|split it by|break it down by) <groups>"
)
def _followup_also(reader: Reader, groups: tuple[Group, ...]) -> Also:
    return Also(groups)


@rule("change", "(not|without|except|excluding|leave out|exclude|drop|ignore) [for|in|on|of|from] <noun>")
def _change_not(reader: Reader, noun: Where) -> Where | None:
    conditions = negated(reader, noun.conditions) if noun.conditions else None
    return Where(conditions) if conditions else None


@rule("change", "(not|without|except|excluding|exclude) [in] <time>")
def _change_not_time(reader: Reader, time: Moment) -> Where | None:
    found = [value for value, end in reader.find("modifier", 0) if end == len(reader.tokens)]
    return next((value for value in found if isinstance(value, Where)), None)


@rule(
    "change",
    "(only|just) [for|in|on|of|from] <noun>",
    "[now|only] (for|in|on|of|from) <noun> [only]",
    "[show] <noun> only",
)
@rule("change", "(what|how) about [for|in|on] <noun>", "(and|same) [for] <noun>", "(same|do same) (for|on|in) <noun>")
@rule("change", "[show] (only|just) [for|in|on|of|from] <noun>")
def _change_noun(reader: Reader, noun: Where) -> Where | None:
    return noun if noun.conditions else None


@rule(
    "change", "(only|just|same) [for|in|during] <time>", "(for|in|during) <time> [only]", "(what|how) about [in] <time>"
)
def _change_time(reader: Reader, time: Moment) -> Where | None:
    return timed(reader, Span(time, time))


@rule("change", "[only|just|same] <span>")
def _change_span(reader: Reader, span: Span) -> Where | None:
    return timed(reader, span)


@rule(
    "change",
    "[only|just] (where|with|whose|those with|when) <predicates>",
    "only (if|when) <predicates>",
    "only <predicates>",
)
def _change_where(reader: Reader, predicates: Conditions) -> Where:
    return Where(predicates)


@rule("change", "[use|take|show|with|as] <hows>", "(what|how) about <hows>", "<hows> rather than <hows:old>")
def _change_how(reader: Reader, hows: tuple[str, ...], **_: Any) -> How:
    return How(hows)


@rule(
    "change", "(for|of|with) <columns>", "(what|how) about [for] <columns>", "[do] same [thing] (for|with|of) <columns>"
)
@rule("change", "<columns>")
def _change_columns(reader: Reader, columns: tuple[Column, ...]) -> Of:
    return Of(columns)


@rule("change", "[only|just|show] [only|just] top <number>", largest=True)
@rule("change", "[only|just|show] [only|just] bottom <number>", largest=False)
def _change_top(reader: Reader, number: float, largest: bool) -> Top | None:
    return Top(Rank(largest, int(number))) if number == int(number) and number >= 1 else None


@rule("change", "(which|what) [one|<column>] (is|was|has) [the] (highest|largest|biggest|most)", largest=True)
@rule("change", "(which|what) [one|<column>] (is|was|has) [the] (lowest|smallest|least|fewest)", largest=False)
def _change_best(reader: Reader, largest: bool, **_: Any) -> Top:
    return Top(Rank(largest, 1))


@rule("change", "[as|in|show as|show it as] (percentages|percent|percentage|shares|share|proportions|%)")
def _change_share(reader: Reader) -> How:
    return How(("share",))


@rule(
    "change", "[sort|order|rank|sorted|ordered] [it|that|this|them] [in] (descending|decreasing) [order]", largest=True
)
@rule(
    "change", "[sort|order|rank|sorted|ordered] [it|that|this|them] [in] (ascending|increasing) [order]", largest=False
)
def _change_order(reader: Reader, largest: bool) -> Sort:
    return Sort(largest)


def revise(reader: Reader, question: Question, change: Any) -> Question | Open | None:
    """``question`` after a follow-up's change; None when the change has no meaning for it."""
    match change:
        case By(groups):
            return _regroup(reader, question, groups)
        case Also(groups):
            return _regroup(reader, question, (*groups_of(question), *groups))
        case Where(conditions):
            return _refilter(reader, question, conditions)
        case How(("share",)):
            return _shares(reader, question)
        case How(hows) if isinstance(question, Aggregate):
            columns = list(dict.fromkeys(m.column for m in question.measures if m.column))
            measures = tuple(Measure(how, column) for column in columns for how in hows if is_numeric(column))
            return settle(reader, replace(question, measures=measures)) if measures else None
        case Of(columns):
            return _of(reader, question, columns)
        case Top(rank) if isinstance(question, Aggregate) and question.groups and len(question.measures) == 1:
            return replace(question, rank=rank)
        case Top(rank) if isinstance(question, Rows) and question.rank:
            return replace(question, rank=rank)
        case Sort(largest) if isinstance(question, Aggregate) and question.groups:
            return replace(question, rank=Rank(largest, question.rank.n if question.rank else None))
        case As():
            return settle(reader, apply(reader, _undrawn(question), (change,)))
        case _:
            return None


def _shares(reader: Reader, question: Question) -> Question | Open | None:
    if not isinstance(question, Aggregate) or any(m.how not in {"sum", "rows"} for m in question.measures):
        return None
    measures = tuple(Measure("share", measure.column) for measure in question.measures)
    return settle(reader, replace(question, measures=measures))


def _undrawn(question: Question) -> Question:
    return replace(question, chart="") if isinstance(question, Aggregate) else question


def _regroup(reader: Reader, question: Question, groups: tuple[Group, ...]) -> Question | Open | None:
    if not isinstance(question, Aggregate | Describe | Distribution | Scatter):
        return None
    if isinstance(question, Aggregate):
        chart = "auto" if question.chart else ""
        question = replace(question, chart=chart, trend=False, within=False)
        if question.outer or (question.rank and question.rank.n):
            return None
    return settle(reader, apply(reader, replace(question, groups=()), (By(groups),)))


def _refilter(reader: Reader, question: Question, conditions: Conditions) -> Question | Open | None:
    if isinstance(question, Columns):
        return None
    columns = {condition.column for condition in conditions}
    kept = tuple(condition for condition in question.where if condition.column not in columns or condition.either)
    return settle(reader, replace(question, where=kept + conditions))


def _of(reader: Reader, question: Question, columns: tuple[Column, ...]) -> Question | Open | None:
    if not all(is_numeric(column) for column in columns):
        return None
    match question:
        case Aggregate():
            hows = list(dict.fromkeys(measure.how for measure in question.measures))
            if any(
                measure.column is None or measure.how in {"nunique", "", "percent"} for measure in question.measures
            ):
                return None
            measures = tuple(Measure(how, column) for column in columns for how in hows)
            return settle(reader, replace(question, measures=measures))
        case Distribution() | Outliers() | Rolling() if len(columns) == 1:
            return replace(question, column=columns[0])
        case Rows() if len(columns) == 1 and question.rank and not question.show:
            return replace(question, column=columns[0])
        case Describe() if question.columns:
            return settle(reader, replace(question, columns=columns))
        case _:
            return None
