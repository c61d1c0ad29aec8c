"""What a question asks for, as values: every plan says completely what will be computed."""

from __future__ import annotations

from typing import Literal

import msgspec

from ..base import Column, Table

__all__ = [
    "Aggregate",
    "Columns",
    "Condition",
    "Correlation",
    "Derived",
    "Describe",
    "Distribution",
    "Duplicates",
    "Flag",
    "Group",
    "Head",
    "Measure",
    "Missing",
    "Open",
    "Operator",
    "Outliers",
    "Part",
    "Period",
    "Plan",
    "Question",
    "Rank",
    "Regression",
    "Rolling",
    "Rows",
    "Scatter",
    "Unique",
    "columns_of",
    "conditions_of",
    "groups_of",
    "opposites",
    "tested",
    "unknown_of",
]

Operator = Literal[
    "==", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "isna", "notna", "contains", "startswith", "endswith"
]
Chart = Literal["", "auto", "bar", "barh", "stacked", "line", "pie"]
Period = Literal["", "D", "W", "M", "Q", "Y", "h", "weekday", "weekend", "hour", "month", "quarter"]
Part = Literal["", "weekday", "month", "quarter", "hour", "year"]


class Condition(msgspec.Struct, frozen=True):
    """Rows to keep.

    ``part`` takes the weekday (0 is Monday), month, quarter, hour or year of a date; ``joined`` is the word between
    several values; ``either`` are conditions of which one is enough as well.
    """

    column: Column
    operator: Operator
    values: tuple[str | int | float | bool | Column, ...] = ()
    part: Part = ""
    joined: str = ""
    either: tuple[Condition, ...] = ()


class Derived(Column, frozen=True, kw_only=True):
    """A column that the code computes from two others; it is called as it is computed, such as ``tip / total_bill``."""

    left: Column
    operator: Literal["+", "-", "*", "/"]
    right: Column


class Flag(Column, frozen=True, kw_only=True):
    """A column that the code computes: whether all of ``tests`` hold."""

    tests: tuple[Condition, ...]


class Measure(msgspec.Struct, frozen=True):
    """One number: ``how`` is a pandas method, ``"rows"`` counts rows, ``""`` and ``"kinds"`` are still open.

    ``"share"`` is the percentage of all rows or of the column's total, ``"percent"`` the percentage of rows with a
    flag, ``"part"`` what the rows with a flag have of the total ``of`` a column, in percent, ``"quotient"`` the total
    of the column over that ``of`` another, ``"iqr"`` the distance of the quartiles.
    """

    how: str
    column: Column | None = None
    of: Column | None = None


class Group(msgspec.Struct, frozen=True):
    """One column to group by; ``period`` rounds dates down (D, W, M, Q, Y, h) or takes a part of them."""

    column: Column
    period: Period = ""


class Rank(msgspec.Struct, frozen=True):
    """Sort by the first measure; keep ``n`` rows (all when None), ties at the end included."""

    largest: bool = True
    n: int | None = None


class Aggregate(msgspec.Struct, frozen=True):
    """Measures, overall or by group.

    ``trend`` marks "over time"; ``within`` ranks inside each first group; ``outer`` aggregates the groups' values once
    more; ``having`` keeps groups by their value; ``running`` turns the series into a running total or its growth;
    ``contrast`` takes the value of the second of two groups from that of the first, or divides by it.
    """

    measures: tuple[Measure, ...]
    groups: tuple[Group, ...] = ()
    where: tuple[Condition, ...] = ()
    rank: Rank | None = None
    chart: Chart = ""
    trend: bool = False
    within: bool = False
    outer: Literal["", "mean", "median", "min", "max"] = ""
    having: tuple[Operator, float] | None = None
    running: Literal["", "cumsum", "growth"] = ""
    contrast: Literal["", "-", "/"] = ""


class Rows(msgspec.Struct, frozen=True):
    """Rows: all, or those with the largest or smallest values of ``column`` (in each group); ``show`` picks columns."""

    column: Column | None = None
    rank: Rank | None = None
    where: tuple[Condition, ...] = ()
    groups: tuple[Group, ...] = ()
    show: tuple[Column, ...] = ()


class Head(msgspec.Struct, frozen=True):
    """The first or last rows."""

    n: int = 5
    last: bool = False
    where: tuple[Condition, ...] = ()


class Columns(msgspec.Struct, frozen=True):
    """The table itself: its size, its columns and their types."""

    what: Literal["shape", "columns", "types", "number"]


class Describe(msgspec.Struct, frozen=True):
    """A profile of the whole table or summary statistics of columns."""

    columns: tuple[Column, ...] = ()
    groups: tuple[Group, ...] = ()
    where: tuple[Condition, ...] = ()


class Missing(msgspec.Struct, frozen=True):
    """Missing values: per column, of one column, or the rows that have any."""

    columns: tuple[Column, ...] = ()
    rows: bool = False
    where: tuple[Condition, ...] = ()


class Unique(msgspec.Struct, frozen=True):
    """The distinct values of a column."""

    column: Column
    where: tuple[Condition, ...] = ()


class Distribution(msgspec.Struct, frozen=True):
    """A histogram (``bins`` 0: a usual number) or box plot of a number, overall or by group."""

    column: Column
    chart: Literal["hist", "box"] = "hist"
    groups: tuple[Group, ...] = ()
    where: tuple[Condition, ...] = ()
    bins: int = 0


class Scatter(msgspec.Struct, frozen=True):
    """One number against another, coloured by group."""

    x: Column
    y: Column
    groups: tuple[Group, ...] = ()
    where: tuple[Condition, ...] = ()


class Correlation(msgspec.Struct, frozen=True):
    """Pearson correlation of two columns (by group), or the matrix of all numbers when none is named."""

    columns: tuple[Column, ...] = ()
    where: tuple[Condition, ...] = ()
    groups: tuple[Group, ...] = ()
    chart: Literal["", "heat"] = ""


class Regression(msgspec.Struct, frozen=True):
    """The line of least squares, drawn through the points."""

    x: Column
    y: Column
    where: tuple[Condition, ...] = ()


class Outliers(msgspec.Struct, frozen=True):
    """Rows more than 1.5 interquartile ranges outside the quartiles, or how many they are."""

    column: Column
    count: bool = False
    where: tuple[Condition, ...] = ()


class Duplicates(msgspec.Struct, frozen=True):
    """Rows that occur before (by ``columns``, else as a whole), or how many they are."""

    columns: tuple[Column, ...] = ()
    count: bool = False
    where: tuple[Condition, ...] = ()


class Rolling(msgspec.Struct, frozen=True):
    """A rolling aggregate over ``n`` days, weeks or hours (``unit`` is D, W or h) of the dates in ``over``."""

    column: Column
    how: str
    n: int
    unit: str
    over: Column
    where: tuple[Condition, ...] = ()
    chart: Chart = "line"


Question = (
    Aggregate
    | Rows
    | Head
    | Columns
    | Describe
    | Missing
    | Unique
    | Distribution
    | Scatter
    | Correlation
    | Regression
    | Outliers
    | Duplicates
    | Rolling
)


class Open(msgspec.Struct, frozen=True):
    """A question that could mean any of these."""

    options: tuple[Question, ...]


class Plan(msgspec.Struct, frozen=True):
    """A question about one table; ``notes`` say which words were taken for which column."""

    table: Table
    question: Question
    notes: tuple[str, ...] = ()


def columns_of(question: Question) -> tuple[Column, ...]:
    """Every column that the question touches, each once; computed ones after those they are computed from."""
    found: list[Column] = []
    for column in _named(question):
        found += _sources(column)
        found.append(column)
    return tuple(dict.fromkeys(found))


def _named(question: Question) -> list[Column]:
    found: list[Column] = []
    match question:
        case Aggregate(measures):
            found += [column for measure in measures for column in (measure.column, measure.of) if column]
        case Scatter(x, y) | Regression(x, y):
            found += [x, y]
        case Rows(column):
            found += [*([column] if column else []), *question.show]
        case Rolling():
            found += [question.column, question.over]
        case Unique(column) | Distribution(column) | Outliers(column):
            found.append(column)
        case Describe(columns) | Missing(columns) | Correlation(columns) | Duplicates(columns):
            found += columns
    found += [group.column for group in groups_of(question)]
    return found + [column for condition in conditions_of(question) for column in tested(condition)]


def _sources(column: Column) -> list[Column]:
    match column:
        case Derived():
            return [column.left, column.right]
        case Flag():
            return [source for test in column.tests for source in tested(test)]
    return []


def tested(condition: Condition) -> list[Column]:
    """The columns that a condition looks at."""
    others = [value for value in condition.values if isinstance(value, Column)]
    return [condition.column, *others, *(column for one in condition.either for column in tested(one))]


def groups_of(question: Question) -> tuple[Group, ...]:
    """What the question groups by; nothing where grouping has no meaning."""
    if isinstance(question, Aggregate | Describe | Distribution | Scatter | Rows | Correlation):
        return question.groups
    return ()


def conditions_of(question: Question) -> tuple[Condition, ...]:
    """Which rows the question is about; nothing for the table's columns."""
    return () if isinstance(question, Columns) else question.where


def opposites(question: Question) -> tuple[Column, ...]:
    """The columns with gaps of which all rows but some are asked for: a gap is neither."""
    return tuple(
        dict.fromkeys(
            one.column
            for one in conditions_of(question)
            if one.column.missing and not one.either and (one.operator in {"!=", "not in"} or _is_no(one))
        )
    )


def _is_no(condition: Condition) -> bool:
    """Whether the condition takes the false ones of a column of yes and no."""
    if condition.operator != "==" or not condition.values:
        return False
    return str(condition.values[0]).casefold() in {"false", "no", "n", "0"} and condition.column.unique == 2


def unknown_of(question: Question) -> tuple[Column, ...]:
    """The columns with gaps whose values decide of a percentage of rows."""
    if not isinstance(question, Aggregate):
        return ()
    tests = [
        test for m in question.measures if m.how == "percent" and isinstance(m.column, Flag) for test in m.column.tests
    ]
    valued = [test for test in tests if test.operator not in {"isna", "notna"}]
    return tuple(dict.fromkeys(column for test in valued for column in tested(test) if column.missing))
