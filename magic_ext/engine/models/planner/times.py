"""Phrases that say when: "in 2008", "since March 2024", "before 2024-07-01", "in Q1 2023", "on Mondays"."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import msgspec

from ..base import Column
from .grammar import Reader
from .lexicon import MONTHS, WEEKDAYS
from .phrases import Where, grammar, only_date, undated
from .plan import Condition, Part
from .schema import is_time, is_year

__all__ = ["Moment", "Span", "spanned", "timed"]

rule = grammar.rule


class Moment(msgspec.Struct, frozen=True):
    """A year, a quarter or month of a year, or a day."""

    year: int
    month: int = 0
    day: int = 0
    quarter: int = 0


class Span(msgspec.Struct, frozen=True):
    """From ``first`` to ``last``, both included unless ``inclusive`` is False; None is open."""

    first: Moment | None
    last: Moment | None
    inclusive: bool = True


grammar.words("month", MONTHS | {word[:3]: n for word, n in MONTHS.items()} | {"sept": 9})
grammar.words("weekday", {word: (n,) for word, n in WEEKDAYS.items()} | {f"{w}s": (n,) for w, n in WEEKDAYS.items()})
grammar.words("quarter", {"q1": 1, "q2": 2, "q3": 3, "q4": 4})
for _n, _ordinal in enumerate(("first", "second", "third", "fourth"), start=1):
    grammar.add("quarter", f"{_ordinal} quarter [of]", lambda reader, n=_n: n)
grammar.add("quarter", "(last|final) quarter of", lambda reader: 4)


@grammar.terminal("moment")
def _moment(reader: Reader, at: int) -> Iterator[tuple[Moment, int]]:
    token = reader.tokens[at] if at < len(reader.tokens) else None
    if token and token.whole is not None and 1000 <= token.whole <= 2999 and len(token.text) == 4:
        yield Moment(token.whole), at + 1
    elif token and token.kind == "date":
        year, month, *day = (int(part) for part in token.text.split("-"))
        if 1 <= month <= 12 and (not day or 1 <= day[0] <= 31):
            yield Moment(year, month, *day), at + 1


@grammar.terminal("dayno")
def _dayno(reader: Reader, at: int) -> Iterator[tuple[int, int]]:
    token = reader.tokens[at] if at < len(reader.tokens) else None
    digits = token.key.rstrip("stndrh") if token else ""
    if digits.isdigit() and 1 <= int(digits) <= 31:
        yield int(digits), at + 1


@rule("time", "[year] <moment>")
def _time(reader: Reader, moment: Moment) -> Moment:
    return moment


@rule("time", "<month> [,|of] <moment>")
def _time_month(reader: Reader, month: int, moment: Moment) -> Moment | None:
    return None if moment.month else Moment(moment.year, month)


@rule("time", "<month> <dayno> [,] <moment>", "<dayno> [of] <month> [,] <moment>")
def _time_day(reader: Reader, month: int, dayno: int, moment: Moment) -> Moment | None:
    return None if moment.month else Moment(moment.year, month, dayno)


@rule("time", "<quarter> [,] <moment>")
def _time_quarter(reader: Reader, quarter: int, moment: Moment) -> Moment | None:
    return None if moment.month else Moment(moment.year, quarter=quarter)


@rule("span", "(in|for|during|within) <time:first>")
@rule("span", "from <time:first> (to|until|through) <time:last>", "between <time:first> and <time:last>")
def _in(reader: Reader, first: Moment, last: Moment | None = None) -> Span:
    return Span(first, last or first)


@rule("span", "(in|for|during|over|within) <half:halves>")
def _in_half(reader: Reader, halves: tuple[Moment, Moment]) -> Span:
    return Span(*halves)


@rule("half", "(first half|1st half) of <moment>", "h1 <moment>", first=1)
@rule("half", "(second half|2nd half|last half) of <moment>", "h2 <moment>", first=7)
def _half(reader: Reader, moment: Moment, first: int) -> tuple[Moment, Moment] | None:
    return None if moment.month else (Moment(moment.year, first), Moment(moment.year, first + 5))


@rule("span", "(from|between) <month:begin> (and|to|until|through) <month> [of] <moment>")
def _months(reader: Reader, begin: int, month: int, moment: Moment) -> Span | None:
    """“Between June and August 2023”."""
    return None if moment.month or begin > month else Span(Moment(moment.year, begin), Moment(moment.year, month))


@rule("span", "on <time>")
def _on(reader: Reader, time: Moment) -> Span | None:
    return Span(time, time) if time.day else None


@rule("span", "since <time>", "from <time> (on|onwards)")
def _since(reader: Reader, time: Moment) -> Span:
    return Span(time, None)


@rule("span", "before <time>")
def _before(reader: Reader, time: Moment) -> Span:
    return Span(None, time, inclusive=False)


@rule("span", "after <time>")
def _after(reader: Reader, time: Moment) -> Span:
    return Span(time, None, inclusive=False)


_MADE = "(made|built|recorded|measured|observed|taken|collected|logged|dated|from|happened|occurred)"


@rule("modifier", "<span>", f"[that|which|who] [was|were|is|are] {_MADE} <span>")
def _span(reader: Reader, span: Span) -> Where | None:
    return timed(reader, span)


@rule("modifier", "[that|which|who] [was|were|is|are] <dated:column> <span>")
@rule("modifier", "(where|whose|with) <column> [is|was|are|were] <span>")
def _span_of(reader: Reader, column: Column, span: Span) -> Where | None:
    """“Hired in 2020”, "where hire date is after 2022"."""
    return spanned(reader, column, span) if is_time(column) or is_year(column) else None


@rule("modifier", "(until|up to) <time>")
def _until(reader: Reader, time: Moment) -> Where | None:
    """Inclusive for a column of years; of dates it could mean either, so it is refused."""
    return timed(reader, Span(None, time)) if reader.schema.years else None


@rule("modifier", "(not in|not during|excluding|except|except in|except for|without) <time>")
def _not_in(reader: Reader, time: Moment) -> Where | None:
    """All years but one; of a part of a year or a day as well."""
    found = timed(reader, Span(time, time))
    if not found or time.month or time.quarter:
        return None
    return Where((Condition(found.conditions[0].column, "!=", (time.year,), part=_year_part(found)),))


@rule(
    "modifier", "(in|for) (<month>|<quarter>)", "on <weekday>", "in [all] <month> (months|of every year|of each year)"
)
def _part(reader: Reader, month: int = 0, quarter: int = 0, weekday: tuple[int] | None = None) -> Where | None:
    """“In December” of any year, "on Mondays"."""
    part: Part = "month" if month else "quarter" if quarter else "weekday"
    value = month or quarter or (weekday[0] if weekday else 0)
    return Where((Condition(reader.schema.dates[0], "==", (value,), part=part),)) if only_date(reader) else None


@rule("modifier", "(on|at) (weekend|weekends)", operator=">=")
@rule("modifier", "on (weekdays|workdays|working days)", operator="<")
def _weekend(reader: Reader, operator: str) -> Where | None:
    if not only_date(reader):
        return None
    return Where((Condition(reader.schema.dates[0], ">=" if operator == ">=" else "<", (5,), part="weekday"),))


@rule("modifier", "in <time:first> or <time:last>")
def _in_either(reader: Reader, first: Moment, last: Moment) -> Where | None:
    if first.month or last.month or first.quarter or last.quarter or first == last:
        return None
    found = [timed(reader, Span(year, year)) for year in (first, last)]
    if not found[0] or not found[1]:
        return None
    column = found[0].conditions[0].column
    return Where((Condition(column, "in", (first.year, last.year), part=_year_part(found[0]), joined="or"),))


def _year_part(found: Where) -> Part:
    return "" if is_year(found.conditions[0].column) else "year"


def timed(reader: Reader, span: Span) -> Where | None:
    """The rows within ``span``, of the only column of years or dates."""
    columns = (*reader.schema.years, *reader.schema.dates)
    if len(columns) != 1:
        reader.refuse("there are several columns of dates or years" if columns else undated(reader))
        return None
    return spanned(reader, columns[0], span)


def spanned(reader: Reader, column: Column, span: Span) -> Where | None:
    """The rows whose ``column`` is within ``span``."""
    first, last, inclusive = span.first, span.last, span.inclusive
    if not all(_covered(reader, column, time) for time in (first, last)):
        return None
    if is_year(column):
        finer = any(time and (time.month or time.quarter) for time in (first, last))
        return None if finer else Where((_years(column, first, last, inclusive),))
    try:
        return Where(tuple(_days(column, first, last, inclusive)))
    except ValueError:  # there is no such day
        return None


def _covered(reader: Reader, column: Column, time: Moment | None) -> bool:
    """Whether the table has that year; else the number may mean something else, such as an amount."""
    bounds = [column.low, column.high] if column.low is not None else [str(value) for value in column.values]
    years = [int(bound) if isinstance(bound, float) else int(bound[:4]) for bound in bounds if bound is not None]
    if time is None or not years or min(years) <= time.year <= max(years):
        return True
    reader.refuse(f"`{column.name}` goes from {min(years)} to {max(years)}, without {time.year}")
    return False


def _years(column: Column, first: Moment | None, last: Moment | None, inclusive: bool) -> Condition:
    if first and last:
        same = first == last
        return Condition(column, "==", (first.year,)) if same else Condition(column, "between", (first.year, last.year))
    if first:
        return Condition(column, ">=" if inclusive else ">", (first.year,))
    return Condition(column, "<=" if inclusive else "<", (last.year if last else 0,))


def _days(column: Column, first: Moment | None, last: Moment | None, inclusive: bool) -> Iterator[Condition]:
    """Half-open: from a first day on, before the day after the last."""
    if first:
        yield Condition(column, ">=", (_day(first if inclusive else _following(first)),))
    if last:
        yield Condition(column, "<", (_day(_following(last) if inclusive else last),))


def _day(time: Moment) -> str:
    month = time.month or (time.quarter * 3 - 2 if time.quarter else 1)
    return datetime.date(time.year, month, time.day or 1).isoformat()


def _following(time: Moment) -> Moment:
    if time.day:
        following = datetime.date(time.year, time.month, time.day) + datetime.timedelta(days=1)
        return Moment(following.year, following.month, following.day)
    last = time.month or time.quarter * 3
    if last:
        return Moment(time.year + last // 12, last % 12 + 1)
    return Moment(time.year + 1)
