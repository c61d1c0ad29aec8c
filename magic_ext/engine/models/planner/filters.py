"""Phrases that say which rows: values, comparisons, years and months."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any, cast

import msgspec

from ..base import Column
from .grammar import Reader
from .lexicon import COMPARATIVES, MONTHS, UNITS
from .phrases import Where, grammar, only_date
from .plan import Condition, Operator
from .schema import is_numeric
from .tokens import words

rule = grammar.rule

Conditions = tuple[Condition, ...]

# --- values: "male", "Adelie or Gentoo", "male Gentoo penguins" -----------------------------------------------------


@rule("sameness", "<value>")
def _value(reader: Reader, value: Condition) -> Condition:
    return value


@rule("sameness", "<value> <and:joined> <sameness>", "<value> <or:joined> <sameness>")
def _values(reader: Reader, value: Condition, joined: str, sameness: Condition) -> Condition | None:
    """Several values of one column; "and" and "or" are not mixed, but a comma follows what comes after it."""
    if value.column != sameness.column or sameness.joined not in {"", joined}:
        comma = joined == "and" and sameness.joined == "or" and value.column == sameness.column
        if not comma:
            return None
        joined = "or"
    return Condition(value.column, "in", value.values + sameness.values, joined=joined)


@rule("values", "<sameness>")
def _kinds_one(reader: Reader, sameness: Condition) -> Conditions:
    return (sameness,)


@rule("values", "<sameness> <values>")
def _kinds_more(reader: Reader, sameness: Condition, values: Conditions) -> Conditions | None:
    if any(condition.column == sameness.column for condition in values):
        return None
    return (sameness, *values)


@rule("noun", "[all] <row>")
def _noun_rows(reader: Reader, **_: Any) -> Where:
    return Where(())


@rule("noun", "<values>", "[all] <values> <row>")
def _noun_values(reader: Reader, values: Conditions, **_: Any) -> Where:
    return Where(values)


@rule("modifier", "(of|for|among|in|on|from|at) <noun> [only]")
@rule("modifier", "(that|who|which) (are|is|were|was) <noun>", "(are|is|were|was) [in|on|at|from] <noun>")
def _of(reader: Reader, noun: Where) -> Where:
    return noun


@rule("modifier", "(of|for|in|on|at) [the] <column> <values>")
def _of_column(reader: Reader, column: Column, values: Conditions) -> Where | None:
    """“For the species Gentoo”: the column must be that of the value."""
    return Where(values) if all(condition.column == column for condition in values) else None


# --- predicates: "body mass over 5000", "island is Biscoe" ----------------------------------------------------------


@rule("over", "(over|above|exceeding|exceeds|exceed|>)", operator=">")
@rule("over", "(more|greater|higher|larger|bigger) than", operator=">")
@rule("over", "(at least|>=|no less than)", operator=">=")
@rule("over", "(under|below|<)", operator="<")
@rule("over", "(less|lower|smaller|fewer) than", operator="<")
@rule("over", "(at most|<=|up to|no more than)", operator="<=")
@rule("over", "(=|==|equal to|exactly)", operator="==")
def _over(reader: Reader, operator: str) -> str:
    return operator


@grammar.terminal("unit")
def _unit(reader: Reader, at: int) -> Iterator[tuple[str, int]]:
    key = reader.tokens[at].key if at < len(reader.tokens) else ""
    for unit, names in UNITS.items():
        if key in names:
            yield unit, at + 1


@grammar.terminal("is_value")
def _is_value(reader: Reader, at: int) -> Iterator[tuple[Condition, int]]:
    """“Island is Biscoe”, "species Gentoo": the value is looked for in that column only."""
    for column, after in reader.find("column", at):
        start = after
        if start < len(reader.tokens) and reader.tokens[start].key in {"is", "are", "was", "were", "=", "==", "equals"}:
            start += 1
        found = reader.schema.value(reader.tokens, start, only=column)
        if found and len(found.candidates) == 1:
            yield Condition(column, "==", (cast(str, found.candidates[0][1]),)), found.end
        key = reader.tokens[start].key if start < len(reader.tokens) else ""
        if column.kind == "boolean" and start > after and key in {"true", "false"}:
            yield Condition(column, "==", (key == "true",)), start + 1


@rule("predicate", "<is_value>")
def _predicate_value(reader: Reader, is_value: Condition) -> Condition:
    return is_value


@rule("predicate", "<column> [is|are|was|were|of] <over> <number> [<unit>]")
@rule("predicate", "<over> <number> [<unit>] <column>", "<column> <is_word> <number> [<unit>]", over="==")
def _predicate_number(
    reader: Reader, column: Column, over: str, number: float, unit: str = "", **_: Any
) -> Condition | None:
    if not _fits(reader, column, unit):
        return None
    return Condition(column, cast(Operator, over), (number,))


@rule("is_word", "(is|equals|of)")
def _is_word(reader: Reader) -> str:
    return "is"


@rule("predicate", "<column> [is|are|of] between <number:low> and <number:high> [<unit>]")
def _predicate_between(reader: Reader, column: Column, low: float, high: float, unit: str = "") -> Condition | None:
    if low > high or not _fits(reader, column, unit):
        return None
    return Condition(column, "between", (low, high))


@grammar.terminal("heavier")
def _heavier(reader: Reader, at: int) -> Iterator[tuple[tuple[str, Column], int]]:
    """“Heavier than” where exactly one column holds a mass or a weight."""
    keys = [token.key for token in reader.tokens[at : at + 2]]
    if len(keys) == 2 and keys[0] in COMPARATIVES and keys[1] == "than":
        operator, nouns = COMPARATIVES[keys[0]]
        columns = reader.schema.columns_ending([(noun,) for noun in nouns])
        if len(columns) == 1:
            reader.partial.setdefault(columns[0].name, keys[0])
            yield (operator, columns[0]), at + 2
        else:
            reader.refuse(f"“{keys[0]} than” fits {'several columns' if columns else 'no column'}")


@rule("modifier", "[that are|which are|who are|are|is] <heavier> <number> [<unit>]")
def _heavier_than(reader: Reader, heavier: tuple[str, Column], number: float, unit: str = "") -> Where | None:
    operator, column = heavier
    return Where((Condition(column, cast(Operator, operator), (number,)),)) if _fits(reader, column, unit) else None


@rule("modifier", "(that|which|who) weigh <over> <number> [<unit>]", "weigh <over> <number> [<unit>]")
def _weigh(reader: Reader, over: str, number: float, unit: str = "") -> Where | None:
    columns = reader.schema.columns_ending([("mass",), ("weight",)])
    if len(columns) != 1 or not _fits(reader, columns[0], unit):
        return None
    reader.partial.setdefault(columns[0].name, "weigh")
    return Where((Condition(columns[0], cast(Operator, over), (number,)),))


@rule("predicates", "<predicate>")
def _predicates_one(reader: Reader, predicate: Condition) -> Conditions:
    return (predicate,)


@rule("predicates", "<predicate> and [with|where|whose|have|has] <predicates>")
def _predicates_more(reader: Reader, predicate: Condition, predicates: Conditions) -> Conditions:
    return (predicate, *predicates)


@rule("modifier", "(with|where|whose|having|have|has|when|for which|if) <predicates>")
@rule("modifier", "(that|which|who) (have|has|had) <predicates>")
def _where(reader: Reader, predicates: Conditions) -> Where:
    return Where(predicates)


@rule("modifier", "(have|has|with) (no|missing|unknown) <column>", "[where|whose] <column> (is|are) (missing|unknown)")
def _without(reader: Reader, column: Column) -> Where:
    return Where((Condition(column, "isna"),))


def _fits(reader: Reader, column: Column, unit: str) -> bool:
    """Whether one can compare the column with a number given in ``unit``."""
    if not is_numeric(column):
        reader.refuse(f"`{column.name}` is not a column of numbers")
        return False
    own = words(column.name)[-1:]
    if unit and own != (unit,):
        reader.refuse(f"`{column.name}` does not say that it is in {unit}, and units are not converted")
        return False
    return True


# --- times: "in 2008", "since March 2024", "before 2024-07-01" ------------------------------------------------------


class Moment(msgspec.Struct, frozen=True):
    """A year, a month of a year, or a day."""

    year: int
    month: int = 0
    day: int = 0


grammar.words("month", MONTHS)


@grammar.terminal("moment")
def _moment(reader: Reader, at: int) -> Iterator[tuple[Moment, int]]:
    token = reader.tokens[at] if at < len(reader.tokens) else None
    if token and token.whole is not None and 1000 <= token.whole <= 2999 and len(token.text) == 4:
        yield Moment(token.whole), at + 1
    elif token and token.kind == "date":
        year, month, *day = (int(part) for part in token.text.split("-"))
        if 1 <= month <= 12 and (not day or 1 <= day[0] <= 31):
            yield Moment(year, month, *day), at + 1


@rule("time", "[year] <moment>")
def _time(reader: Reader, moment: Moment) -> Moment:
    return moment


@rule("time", "<month> [,] <moment>")
def _time_month(reader: Reader, month: int, moment: Moment) -> Moment | None:
    return None if moment.month else Moment(moment.year, month)


@rule("modifier", "on <time>")
def _on(reader: Reader, time: Moment) -> Where | None:
    return timed(reader, time, time) if time.day else None


@rule("modifier", "(in|for|during) <time:first>")
@rule("modifier", "from <time:first> (to|until|through) <time:last>", "between <time:first> and <time:last>")
def _in(reader: Reader, first: Moment, last: Moment | None = None) -> Where | None:
    return timed(reader, first, last or first)


@rule("modifier", "since <time>", "from <time> (on|onwards)")
def _since(reader: Reader, time: Moment) -> Where | None:
    return timed(reader, time, None)


@rule("modifier", "before <time>")
def _before(reader: Reader, time: Moment) -> Where | None:
    return timed(reader, None, time, inclusive=False)


@rule("modifier", "after <time>")
def _after(reader: Reader, time: Moment) -> Where | None:
    return timed(reader, time, None, inclusive=False)


@rule("modifier", "(until|up to) <time>")
def _until(reader: Reader, time: Moment) -> Where | None:
    """Inclusive for a column of years; of dates it could mean either, so it is refused."""
    return timed(reader, None, time) if reader.schema.years else None


def timed(reader: Reader, first: Moment | None, last: Moment | None, *, inclusive: bool = True) -> Where | None:
    """The rows between two moments, of the only column of years or dates."""
    years = reader.schema.years
    if len(years) + len(reader.schema.dates) > 1:
        reader.refuse("there are several columns of dates or years")
        return None
    if not all(_covered(reader, column, time) for column in (*years, *reader.schema.dates) for time in (first, last)):
        return None
    if years and not any(time and time.month for time in (first, last)):
        return Where((_years(years[0], first, last, inclusive),))
    if years or not only_date(reader):
        return None
    try:
        return Where(tuple(_days(reader.schema.dates[0], first, last, inclusive)))
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
    return datetime.date(time.year, time.month or 1, time.day or 1).isoformat()


def _following(time: Moment) -> Moment:
    if time.day:
        following = datetime.date(time.year, time.month, time.day) + datetime.timedelta(days=1)
        return Moment(following.year, following.month, following.day)
    if time.month:
        return Moment(time.year + time.month // 12, time.month % 12 + 1)
    return Moment(time.year + 1)
