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
    Columns,
    Correlation,
    Describe,
    Distribution,
    Group,
    Head,
    Measure,
    Missing,
    Question,
    Rank,
    Rows,
    Scatter,
    Unique,
)
from .refine import apply, settle
from .schema import is_numeric, is_time, is_year

__all__ = ["grammar"]

rule = grammar.rule
replace = msgspec.structs.replace

# --- the frame of a question: opener, core, modifiers -------------------------------------------------------------

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


# --- aggregates ----------------------------------------------------------------------------------------------------


@rule("amounts", "<measures>")
def _amounts(reader: Reader, measures: tuple[Measure, ...]) -> Aggregate:
    return Aggregate(measures)


@rule("amounts", "(number of|count of|how many) <noun>")
def _amounts_rows(reader: Reader, noun: Where) -> Aggregate:
    return Aggregate((Measure("rows"),), where=noun.conditions)


@rule("amounts", "[total] number of <noun>")
def _amounts_total(reader: Reader, noun: Where) -> Aggregate:
    return Aggregate((Measure("rows"),), where=noun.conditions)


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
def _core_period(reader: Reader, periodly: str, amounts: Aggregate) -> Aggregate | None:
    if periodly == "Y" and not reader.schema.dates and len(reader.schema.years) == 1:
        return replace(amounts, groups=(Group(reader.schema.years[0]),))
    return replace(amounts, groups=(Group(reader.schema.dates[0], periodly),)) if only_date(reader) else None


@rule("core", "[trend|development|evolution] of <amounts>", "[trend|development|evolution] of <open:amounts>")
def _core_trend(reader: Reader, amounts: Aggregate) -> Aggregate | None:
    times = reader.schema.dates or reader.schema.years
    if len(times) != 1:
        return reader.refuse("there is not exactly one column of dates or years")
    return replace(amounts, groups=(Group(times[0]),), trend=True, chart="line")


@rule("core", "how (did|does|has|have) <amounts> (change|changed|develop|developed|evolve|evolved)")
@rule("core", "how (did|does|has|have) <open:amounts> (change|changed|develop|developed|evolve|evolved)")
def _core_change(reader: Reader, amounts: Aggregate) -> Aggregate:
    return replace(amounts, trend=True, chart="line")


@rule("core", "compare <amounts>")
def _core_compare(reader: Reader, amounts: Aggregate) -> Aggregate:
    """"Compare" promises groups: values joined by "and" are compared with each other."""
    joined = [c.column for c in amounts.where if c.joined == "and"]
    return replace(amounts, groups=tuple(Group(column) for column in joined))


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
    n = _count(number)
    return Aggregate((Measure("rows"),), (Group(column),), rank=Rank(largest, n)) if n else None


# --- ranked groups: "which species has the highest mean body mass" ---------------------------------------------------


@rule("ranked", "<superlative> <measures>", "<superlative> <open:measures>")
def _ranked(reader: Reader, superlative: tuple[bool], measures: Any) -> tuple[bool, Aggregate]:
    return superlative[0], measures if isinstance(measures, Aggregate) else Aggregate(measures)


@rule("ranked", "(most|greatest number of|highest number of|largest number of) <noun>", largest=True)
@rule("ranked", "(fewest|least|lowest number of|smallest number of) <noun>", largest=False)
def _ranked_rows(reader: Reader, noun: Where, largest: bool) -> tuple[bool, Aggregate]:
    return largest, Aggregate((Measure("rows"),), where=noun.conditions)


@rule("core", "(which|what) [<number>] <group> (has|had|have|with|shows|show|saw) <ranked>")
@rule("core", "<number> <group> (with|that have|having) <ranked>", "<group> with <ranked>")
def _core_which(
    reader: Reader, group: Group, ranked: tuple[bool, Aggregate], number: float = 1
) -> Aggregate | None:
    n = _count(number)
    largest, amounts = ranked
    return replace(amounts, groups=(group,), rank=Rank(largest, n)) if n and len(amounts.measures) == 1 else None


@rule("core", "top <number> <group> (by|in) <amounts>", "top <number> <group> (by|in) <open:amounts>", largest=True)
@rule("core", "bottom <number> <group> (by|in) <amounts>", "bottom <number> <group> (by|in) <open:amounts>", largest=False)
def _core_top(
    reader: Reader, number: float, group: Group, amounts: Aggregate, largest: bool
) -> Aggregate | None:
    n = _count(number)
    return replace(amounts, groups=(group,), rank=Rank(largest, n)) if n and len(amounts.measures) == 1 else None


# --- single rows: "the five heaviest penguins" -----------------------------------------------------------------------


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


@rule("core", "[which|what] [<number>] <of_rows> (with|has|have|had) (<superlative> <column>|<adjective>)")
def _core_row_with(
    reader: Reader,
    of_rows: tuple[str, Conditions],
    superlative: tuple[bool] = (True,),
    column: Column | None = None,
    adjective: tuple[Column, bool] | None = None,
    number: float = 0,
) -> Rows | None:
    if adjective:
        return _extreme(adjective[0], adjective[1], of_rows, number)
    return _extreme(column, superlative[0], of_rows, number) if column else None


@rule("core", "(which|what) <of_rows> (is|are) <adjective>")
def _core_which_row(
    reader: Reader, of_rows: tuple[str, Conditions], adjective: tuple[Column, bool]
) -> Rows | None:
    return _extreme(adjective[0], adjective[1], of_rows, 0)


@rule("of_rows", "<row>")
def _of_rows(reader: Reader, row: str) -> tuple[str, Conditions]:
    return row, ()


@rule("of_rows", "<values> <row>")
def _of_rows_values(reader: Reader, values: Conditions, row: str) -> tuple[str, Conditions]:
    return row, values


def _extreme(column: Column, largest: bool, of_rows: tuple[str, Conditions], number: float) -> Rows | None:
    """"The heaviest penguin" is one, "the heaviest penguins" are nobody knows how many."""
    row, where = of_rows
    n = _count(number) if number else (1 if row == "one" else None)
    return Rows(column, Rank(largest, n), where) if n and (is_numeric(column) or is_time(column)) else None


def _count(number: float) -> int | None:
    return int(number) if number == int(number) and 1 <= number <= 1_000_000 else None


# --- figures -----------------------------------------------------------------------------------------------------------


@rule("figure", "<chart> (of|for|showing|with) <amounts>", "<chart> (of|for|showing|with) <open:amounts>")
@rule("figure", "<anychart:chart> (of|for|showing) <amounts>")
def _figure(reader: Reader, chart: str, amounts: Aggregate) -> Question | None:
    return apply(reader, amounts, (As(chart),)) if chart in {"bar", "line", "auto"} else None


@rule("figure", "<chart> (of|for|showing) <periodly> <amounts>", "<chart> (of|for|showing) <periodly> <open:amounts>")
def _figure_period(reader: Reader, chart: str, periodly: str, amounts: Aggregate) -> Question | None:
    draft = _core_period(reader, periodly, amounts)
    return apply(reader, draft, (As(chart),)) if draft and chart in {"bar", "line"} else None


@rule("figure", "<chart> (of|for|showing) <column>", "<column> <chart>")
def _figure_column(reader: Reader, chart: str, column: Column) -> Question | None:
    if chart in {"hist", "box"} and is_numeric(column):
        return Distribution(column, "hist" if chart == "hist" else "box")
    if chart in {"bar", "hist"} and column.kind in {"text", "boolean"}:
        return Aggregate((Measure("rows"),), (Group(column),), rank=Rank(), chart="bar")
    return None


@rule("figure", "distribution (of|for) <column>", "<column> distribution")
@rule("core", "how is <column> distributed", "how are <column> distributed")
def _distribution(reader: Reader, column: Column) -> Question | None:
    return _figure_column(reader, "hist", column)


@rule("xy", "<column:y> (against|vs|versus|over) <column:x>", "<column:x> (and|with) <column:y>")
def _xy(reader: Reader, x: Column, y: Column) -> Scatter | None:
    if x == y or not (is_numeric(y) and (is_numeric(x) or is_time(x))):
        return None
    return Scatter(x, y)


@rule("figure", "<chart> (of|for|showing|with) <xy>", "(relationship|relation) (between|of) <xy>")
def _figure_scatter(reader: Reader, xy: Scatter, chart: str = "scatter") -> Scatter | None:
    return xy if chart == "scatter" else None


@rule("figure", "<column:y> (against|vs|versus) <column:x>")
def _figure_against(reader: Reader, x: Column, y: Column) -> Scatter | None:
    return _xy(reader, x, y)


# --- the table itself ---------------------------------------------------------------------------------------------------


@rule("core", "(describe|summarise|summarize|profile|explore) [<table>]", "describe what is in <table>")
@rule("core", "[(quick|short|brief)] (summary|overview|profile|description|summary statistics) [of <table>]")
@rule("core", "what is in <table>", "in <table>", "what does <table> (contain|look like)")
def _describe(reader: Reader, **_: Any) -> Describe:
    return Describe()


@rule("core", "(describe|summarise|summarize) <columns>", "(summary|summary statistics) (of|for) <columns>")
@rule("core", "(statistics|descriptive statistics) (of|for) <columns>")
def _describe_columns(reader: Reader, columns: tuple[Column, ...]) -> Describe | None:
    numeric = all(is_numeric(column) for column in columns)
    return Describe(columns) if numeric or len(columns) == 1 else None


@rule("core", "(shape|size|dimensions) [of <table>]", "how (big|large) is <table>", what="shape")
@rule("core", "(how many|number of) rows and columns", "how many columns and rows", what="shape")
@rule("core", "how many columns", "number of columns", what="number")
@rule("core", "[column|all] (names|columns) [of <table>]", what="columns")
@rule("core", "(what|which) columns [(are there|does <table> have|are in <table>)]", what="columns")
@rule("core", "(data types|dtypes|types|column types) [of (columns|<table>|all columns)]", what="types")
@rule("core", "(data type|dtype|type) of each column", what="types")
def _about(reader: Reader, what: str, **_: Any) -> Columns:
    return Columns(what)  # type: ignore[arg-type]  # one of the four above


@rule("core", "(head|preview) [of <table>]", "first rows", "first few rows")
def _head(reader: Reader, **_: Any) -> Head:
    return Head()


@rule("core", "first <number> <of_rows>", "<number> first <of_rows>", last=False)
@rule("core", "last <number> <of_rows>", "<number> last <of_rows>", last=True)
def _first(reader: Reader, number: float, of_rows: tuple[str, Conditions], last: bool) -> Head | None:
    n = _count(number)
    return Head(n, last, of_rows[1]) if n else None


@rule("core", "tail [of <table>]", "last rows", "last few rows")
def _tail(reader: Reader, **_: Any) -> Head:
    return Head(last=True)


@rule("gaps", "<missingness> [values|data|entries]")
def _gaps(reader: Reader, **_: Any) -> str:
    return "missing"


@rule("core", "[how many|number of|count|count of|count all] <gaps> [(per|by|in each|for each|of each|in every) column]")
@rule("core", "how many values are missing [(per|by|in each|for each|in every) column]", "are there any <gaps>")
@rule("core", "(what|which) columns (have|contain) [any] <gaps>", "is there any <gaps>", "are any values missing")
def _missing(reader: Reader, **_: Any) -> Missing:
    return Missing()


@rule("core", "[how many|number of] <gaps> (in|of|for) [column] <columns>")
@rule("core", "how many <gaps> are there in <columns>", "how many <gaps> does <columns> have")
@rule("core", "how many values (are missing in|of) <columns> [are missing]", "how many <columns> [values] are missing")
@rule("core", "are there any <gaps> in <columns>")
def _missing_in(reader: Reader, columns: tuple[Column, ...], **_: Any) -> Missing:
    return Missing(columns)


@rule("core", "(how many|number of) <of_rows> (have|with|contain) [any|at least one] <gaps>")
@rule("core", "(how many|number of) <of_rows> are incomplete")
@rule("core", "(how many|number of) <of_rows> have (any|at least one) missing value")
def _missing_rows(reader: Reader, of_rows: tuple[str, Conditions], **_: Any) -> Missing:
    return Missing(rows=True, where=of_rows[1])


@rule("core", "(unique|distinct|different) <column>", "(unique|distinct|different) values (of|in|for) <column>")
@rule("core", "all (unique|distinct|different) <column>", "values of <column>", "all values of <column>")
def _unique(reader: Reader, column: Column) -> Unique:
    return Unique(column)


@rule("core", "<column>", "(which|what) [different] <column> (are there|exist|occur)", "all <column>")
def _kinds(reader: Reader, column: Column) -> Unique | None:
    return Unique(column) if column.kind == "text" else None


@rule("core", "correlation (between|of) <column:x> (and|with) <column:y>")
@rule("core", "how [strongly] (are|is) <column:x> (and|with) <column:y> correlated")
@rule("core", "how [strongly] (does|do|is) <column:x> (correlate|correlated) with <column:y>")
def _correlation(reader: Reader, x: Column, y: Column) -> Correlation | None:
    return Correlation((x, y)) if x != y and is_numeric(x) and is_numeric(y) else None


@rule("core", "(correlation matrix|correlations|correlation table) [(of|for|between) (<table>|all columns)]")
def _correlations(reader: Reader, **_: Any) -> Correlation:
    return Correlation()
