"""Questions that are answered by a figure: charts of amounts, distributions, scatter plots."""

from __future__ import annotations

from typing import Any

from ..base import Column
from .filters import Conditions
from .grammar import Reader
from .phrases import As, grammar
from .plan import Aggregate, Distribution, Group, Measure, Period, Question, Rank, Scatter
from .questions import by_period
from .refine import apply, settle
from .schema import is_numeric, is_time

__all__ = ["grammar"]

rule = grammar.rule
_AMOUNTS = {"bar", "barh", "stacked", "pie", "line", "auto"}


@rule("figure", "<chart> (of|for|showing|with) <amounts>", "<chart> (of|for|showing|with) <open:amounts>")
@rule("figure", "<anychart:chart> (of|for|showing) <amounts>")
def _figure(reader: Reader, chart: str, amounts: Aggregate) -> Question | None:
    return apply(reader, amounts, (As(chart),)) if chart in _AMOUNTS else None


@rule("figure", "<chart> (of|for|showing) <row>", "<chart> (of|for|showing) [all] <values>")
def _figure_rows(reader: Reader, chart: str, row: str = "", values: Conditions = ()) -> Question | None:
    """“Pie chart of orders by region”."""
    return _figure(reader, chart, Aggregate((Measure("rows"),), where=values))


@rule("figure", "<chart> (of|for|showing) <periodly> <amounts>", "<chart> (of|for|showing) <periodly> <open:amounts>")
def _figure_period(reader: Reader, chart: str, periodly: Period, amounts: Aggregate) -> Question | None:
    draft = by_period(reader, periodly, amounts)
    return apply(reader, draft, (As(chart),)) if draft and chart in _AMOUNTS else None


@rule("figure", "<chart> (of|for|showing) <column>", "<column> <chart>", "<chart> <column>")
def _figure_column(reader: Reader, chart: str, column: Column) -> Question | None:
    if chart in {"hist", "box"} and is_numeric(column):
        return Distribution(column, "hist" if chart == "hist" else "box")
    if chart in {"bar", "hist", "barh", "pie"} and column.kind in {"text", "boolean"}:
        drawn: Any = "bar" if chart == "hist" else chart
        return Aggregate((Measure("rows"),), (Group(column),), rank=Rank(), chart=drawn)
    return None


@rule("figure", "histogram (of|for|showing) <column> with <number> bins")
def _histogram(reader: Reader, column: Column, number: float) -> Distribution | None:
    whole = number == int(number) and 2 <= number <= 500
    return Distribution(column, bins=int(number)) if is_numeric(column) and whole else None


@rule("figure", "distribution (of|for) <column>", "<column> distribution")
@rule("core", "how is <column> distributed", "how are <column> distributed")
def _distribution(reader: Reader, column: Column) -> Question | None:
    return _figure_column(reader, "hist", column)


@rule("xy", "<column:y> (against|vs|versus|over) <column:x>", "<column:x> (and|with) <column:y>")
def _xy(reader: Reader, x: Column, y: Column) -> Scatter | None:
    if x == y or not (is_numeric(y) and (is_numeric(x) or is_time(x))):
        return None
    return Scatter(x, y)


@rule("figure", "<chart> (of|for|showing|with) <xy>", "<xy> <chart>", "(relationship|relation) (between|of) <xy>")
def _figure_scatter(reader: Reader, xy: Scatter, chart: str = "scatter") -> Scatter | None:
    return xy if chart == "scatter" else None


@rule("question", "(scatter|scatterplot) <xy> <modifiers>", "(scatter|scatterplot) <column:y> <column:x> <modifiers>")
def _scatter_it(
    reader: Reader,
    modifiers: tuple[Any, ...],
    xy: Scatter | None = None,
    x: Column | None = None,
    y: Column | None = None,
) -> Any:
    drawn = xy or (_xy(reader, x, y) if x and y else None)
    return settle(reader, apply(reader, drawn, modifiers))


@rule("figure", "<column:y> (against|vs|versus) <column:x>")
def _figure_against(reader: Reader, x: Column, y: Column) -> Scatter | None:
    return _xy(reader, x, y)
