"""Questions about the table itself: its size, columns, first rows, gaps, distinct values, correlations."""

from __future__ import annotations

from typing import Any

import msgspec

from ..base import Column
from .filters import Conditions
from .grammar import Reader
from .phrases import grammar, only_date
from .plan import (
    Aggregate,
    Columns,
    Correlation,
    Describe,
    Group,
    Head,
    Measure,
    Missing,
    Open,
    Question,
    Unique,
)
from .questions import whole_number
from .refine import apply, settle
from .schema import is_flag, is_numeric

__all__ = ["grammar"]

rule = grammar.rule
replace = msgspec.structs.replace


@rule("core", "(describe|summarise|summarize|profile|explore) [<table>]", "describe what is in <table>")
@rule("core", "[(quick|short|brief)] (summary|overview|profile|description|summary statistics) [of <table>]")
@rule("core", "what is in <table>", "in <table>", "what does <table> (contain|look like)")
def _describe(reader: Reader, **_: Any) -> Describe:
    return Describe()


@rule("core", "(describe|summarise|summarize) <columns>", "(summary|summary statistics) (of|for) <columns>")
@rule("core", "(statistics|descriptive statistics) (of|for) <columns>")
@rule("core", "<columns> (summary|statistics|summary statistics)")
def _describe_columns(reader: Reader, columns: tuple[Column, ...]) -> Describe | None:
    numeric = all(is_numeric(column) for column in columns)
    return Describe(columns) if numeric or len(columns) == 1 else None


@rule("core", "(shape|size|dimensions) [of <table>]", "how (big|large) is <table>", what="shape")
@rule("core", "(how many|number of) rows and columns", "how many columns and rows", what="shape")
@rule("core", "how many columns", "number of columns", what="number")
@rule("core", "[all] columns [of <table>]", "column names [of <table>]", what="columns")
@rule("core", "names of [all] columns [of <table>]", what="columns")
@rule("core", "(what|which) columns [(are there|does <table> have|are in <table>)]", what="columns")
@rule("core", "(data types|dtypes|types|column types) [of (columns|<table>|all columns)]", what="types")
@rule("core", "(data type|dtype|type) of each column", what="types")
def _about(reader: Reader, what: str, **_: Any) -> Columns:
    return Columns(what)  # type: ignore[arg-type]  # one of the four above


@rule(
    "core",
    "(what|which) (time span|timespan|period|time period|date range|time range|dates) (does|do) "
    "<table> (cover|span|contain)",
)
@rule("core", "(time span|timespan|date range|time range|time period) [(of|in|covered by) <table>]")
@rule("core", "(first and last|earliest and latest|minimum and maximum|min and max) (date|day|timestamp)")
def _span(reader: Reader, **_: Any) -> Aggregate | None:
    """“What time span does it cover?”"""
    dates = reader.schema.dates
    return Aggregate((Measure("min", dates[0]), Measure("max", dates[0]))) if only_date(reader) else None


@rule("core", "(head|preview) [of <table>]", "first rows", "first few rows")
def _head(reader: Reader, **_: Any) -> Head:
    return Head()


@rule("core", "first <number> <of_rows>", "<number> first <of_rows>", last=False)
@rule("core", "last <number> <of_rows>", "<number> last <of_rows>", last=True)
def _first(reader: Reader, number: float, of_rows: tuple[str, Conditions], last: bool) -> Head | None:
    n = whole_number(number)
    return Head(n, last, of_rows[1]) if n else None


@rule("core", "tail [of <table>]", "last rows", "last few rows")
def _tail(reader: Reader, **_: Any) -> Head:
    return Head(last=True)


@rule("each_column", "(per|by|in each|for each|of each|in every) column", "in all columns")
def _each_column(reader: Reader) -> str:
    return "each"


@rule("gaps", "<missingness> [values|data|entries|answers|cells]")
def _gaps(reader: Reader, **_: Any) -> str:
    return "missing"


@rule("core", "[how many|number of|count|count of|count all] <gaps> [are there] [<each_column>]")
@rule("core", "how many values are missing [<each_column>]", "are there any <gaps>")
@rule("core", "(what|which) columns (have|contain) [any] <gaps>", "is there any <gaps>", "are any values missing")
def _missing(reader: Reader, **_: Any) -> Missing:
    return Missing()


@rule("core", "[how many|number of] <gaps> (in|of|for) [column] <columns>")
@rule("core", "how many <gaps> are there in <columns>", "how many <gaps> does <columns> have")
@rule(
    "core",
    "how many values are missing in <columns>",
    "how many values of <columns> are missing",
    "how many <columns> [values] are missing",
)
@rule("core", "are there any <gaps> in <columns>")
def _missing_in(reader: Reader, columns: tuple[Column, ...], **_: Any) -> Missing:
    return Missing(columns)


@rule("core", "(how many|number of) <of_rows> (have|with|contain) [any|at least one] <gaps>")
@rule("core", "(how many|number of) <of_rows> are incomplete")
@rule("core", "(how many|number of) <of_rows> have (any|at least one) missing value")
def _missing_rows(reader: Reader, of_rows: tuple[str, Conditions], **_: Any) -> Missing:
    return Missing(rows=True, where=of_rows[1])


@rule("core", "(unique|distinct|different) <column>", "(unique|distinct|different) values (of|in|for) <column>")
@rule("core", "all (unique|distinct|different) <column>")
@rule("core", "(which|what) (unique|distinct|different) <column> (are there|exist|occur)")
def _unique(reader: Reader, column: Column) -> Unique:
    return Unique(column)


@rule("core", "(which|what) <column> (are there|exist|occur)")
def _kinds(reader: Reader, column: Column) -> Unique | None:
    if is_flag(column):
        reader.refuse(f"“{column.name}” could be rows or the values of `{column.name}`; say “different {column.name}”")
        return None
    return Unique(column) if column.kind == "text" and not reader.schema.is_key(column) else None


@rule("question", "(what are|list|show|show me|name|print|give me|tell me) [all] <column> <modifiers>")
def _list_kinds(reader: Reader, column: Column, modifiers: tuple[Any, ...]) -> Question | Open | None:
    return settle(reader, apply(reader, _kinds(reader, column), modifiers))


@rule("question", "(which|what) <column> <modifiers>")
def _which_kinds(reader: Reader, column: Column, modifiers: tuple[Any, ...]) -> Question | Open | None:
    """“Which customers are in the North?”"""
    found = settle(reader, apply(reader, _kinds(reader, column), modifiers))
    return found if isinstance(found, Unique) and found.where else None


_LINK = "(correlation|relationship|relation|link|connection|association|dependence)"
_AFFECT = (
    "(affect|influence|correlate with|depend on|increase with|rise with|grow with|go with|lead to|mean|go along with)"
)


@rule("core", "[pearson] correlation (between|of) <column:x> (and|with|to) <column:y>")
@rule(
    "core",
    "how [strongly|much] (are|is) <column:x> (and|with) <column:y> correlated",
    "correlate <column:x> (and|with) <column:y>",
)
@rule("core", "how [strongly|much] (does|do|is) <column:x> (correlate|correlated) with <column:y>")
@rule("core", f"(is there|was there) [a|any] {_LINK} between <column:x> and <column:y>")
@rule(
    "core",
    f"(does|do|did) [higher|lower|more|larger|longer] <column:x> {_AFFECT} "
    "[higher|lower|more|longer|larger] <column:y>",
)
@rule("core", "(is|are) <column:x> and <column:y> (correlated|related|linked|associated)")
@rule("core", "(is|are) <column:x> (correlated|related|linked|associated) (with|to) <column:y>")
@rule("core", "how [strongly|closely] (is|are) <column:x> (related|linked|associated) (to|with) <column:y>")
@rule("core", "how (does|do|did) <column:x> (affect|influence|depend on|relate to) <column:y>")
def _correlation(reader: Reader, x: Column, y: Column) -> Correlation | None:
    return Correlation((x, y)) if x != y and is_numeric(x) and is_numeric(y) else None


_NUMBERS = "[all] (<table>|columns|numeric columns|numerical columns|numbers|numeric variables|variables)"
_MATRIX = "(correlation matrix|correlations|correlation table)"


@rule("core", f"{_MATRIX} [(of|for|between|among) {_NUMBERS}] [in <table>]", chart="")
@rule("core", f"correlate {_NUMBERS}", f"correlations of {_NUMBERS} with each other", chart="")
@rule(
    "figure",
    f"(correlation heatmap|correlation heat map|heatmap of correlations) [(of|for|between) {_NUMBERS}]",
    chart="heat",
)
@rule("figure", f"(heatmap|heat map) of {_MATRIX}", chart="heat")
def _correlations(reader: Reader, chart: Any, **_: Any) -> Correlation:
    return Correlation(chart=chart)


@rule(
    "core",
    "(crosstab|cross tab|cross tabulation|cross table|contingency table) [of] <group> "
    "(and|by|with|vs|against|x|×) <group:other>",
)
def _crosstab(reader: Reader, group: Group, other: Group) -> Aggregate | None:
    return Aggregate((Measure("rows"),), (group, other)) if group != other else None


@rule(
    "core",
    "pivot [table] [(of|by|with|for|from)] <group> (vs|by|and|x|against|versus|,) <group:other> "
    "(with|showing|of|for|using) <amounts>",
    "pivot [table] [(of|by|with|for)] <group> (vs|by|and|x|against|versus) <group:other> "
    "(with|showing|of|for) <open:amounts>",
    "pivot [table] (with|of) <group> as (rows|index) and <group:other> as columns "
    "(with|and|showing|of) <amounts> [as values]",
    "pivot [table] [:] <group> in rows , <group:other> in columns [,] [and|with|showing] <amounts> [as values]",
)
def _pivot_by(reader: Reader, group: Group, other: Group, amounts: Aggregate) -> Aggregate | None:
    return replace(amounts, groups=(group, other)) if group != other and not amounts.groups else None


@rule(
    "core", "(pivot table of|pivot|pivot table with) <amounts>", "pivot table of <open:amounts>", "pivot <open:amounts>"
)
def _pivot(reader: Reader, amounts: Aggregate) -> Aggregate:
    return amounts
