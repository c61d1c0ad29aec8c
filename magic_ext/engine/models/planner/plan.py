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
    "Describe",
    "Distribution",
    "Group",
    "Head",
    "Measure",
    "Missing",
    "Plan",
    "Rank",
    "Rows",
    "Scatter",
    "Unique",
    "columns_of",
    "conditions_of",
    "groups_of",
]

Operator = Literal["==", "<", "<=", ">", ">=", "in", "between", "isna"]
Chart = Literal["", "auto", "bar", "line"]


class Condition(msgspec.Struct, frozen=True):
    """Rows to keep. ``part`` takes the year or month of a date; ``joined`` is the word between several values."""

    column: Column
    operator: Operator
    values: tuple[str | int | float | bool, ...] = ()
    part: Literal["", "year", "month"] = ""
    joined: str = ""


class Measure(msgspec.Struct, frozen=True):
    """One number: ``how`` is a pandas method, ``"rows"`` counts rows, ``""`` and ``"kinds"`` are still open."""

    how: str
    column: Column | None = None


class Group(msgspec.Struct, frozen=True):
    """One column to group by; ``period`` (D, W, M, Q, Y) rounds dates down."""

    column: Column
    period: str = ""


class Rank(msgspec.Struct, frozen=True):
    """Sort by the first measure; keep ``n`` rows (all when None), ties at the end included."""

    largest: bool = True
    n: int | None = None


class Aggregate(msgspec.Struct, frozen=True):
    """Measures, overall or by group; ``trend`` marks "over time"."""

    measures: tuple[Measure, ...]
    groups: tuple[Group, ...] = ()
    where: tuple[Condition, ...] = ()
    rank: Rank | None = None
    chart: Chart = ""
    trend: bool = False


class Rows(msgspec.Struct, frozen=True):
    """Rows with the largest or smallest value of a column."""

    column: Column
    rank: Rank
    where: tuple[Condition, ...] = ()


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
    """A histogram or box plot of a number, overall or by group."""

    column: Column
    chart: Literal["hist", "box"] = "hist"
    groups: tuple[Group, ...] = ()
    where: tuple[Condition, ...] = ()


class Scatter(msgspec.Struct, frozen=True):
    """One number against another, coloured by group."""

    x: Column
    y: Column
    groups: tuple[Group, ...] = ()
    where: tuple[Condition, ...] = ()


class Correlation(msgspec.Struct, frozen=True):
    """Pearson correlation of two columns, or the matrix of all numbers when none is named."""

    columns: tuple[Column, ...] = ()
    where: tuple[Condition, ...] = ()


Question = Aggregate | Rows | Head | Columns | Describe | Missing | Unique | Distribution | Scatter | Correlation


class Plan(msgspec.Struct, frozen=True):
    """A question about one table; ``notes`` say which words were taken for which column."""

    table: Table
    question: Question
    notes: tuple[str, ...] = ()


def columns_of(question: Question) -> tuple[Column, ...]:
    """Every column that the question touches, each once."""
    found: list[Column] = []
    if isinstance(question, Aggregate):
        found += [measure.column for measure in question.measures if measure.column]
    elif isinstance(question, Scatter):
        found += [question.x, question.y]
    elif isinstance(question, Rows | Unique | Distribution):
        found.append(question.column)
    elif isinstance(question, Describe | Missing | Correlation):
        found += question.columns
    found += [group.column for group in groups_of(question)]
    found += [condition.column for condition in conditions_of(question)]
    return tuple(dict.fromkeys(found))


def groups_of(question: Question) -> tuple[Group, ...]:
    """What the question groups by; nothing where grouping has no meaning."""
    return question.groups if isinstance(question, Aggregate | Describe | Distribution | Scatter) else ()


def conditions_of(question: Question) -> tuple[Condition, ...]:
    """Which rows the question is about; nothing for the table's columns."""
    return () if isinstance(question, Columns) else question.where
