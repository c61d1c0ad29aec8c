"""Series and lines: rolling and running values, growth, regression, outliers, repeated rows."""

from __future__ import annotations

from typing import Any

import msgspec

from ..base import Column
from .filters import Conditions
from .grammar import Reader
from .phrases import grammar, only_date
from .plan import Aggregate, Duplicates, Measure, Outliers, Period, Regression, Rolling, Scatter
from .questions import by_period, whole_number
from .schema import is_numeric

__all__ = ["grammar"]

rule = grammar.rule
replace = msgspec.structs.replace

_SPANS = {"hour": "h", "day": "D", "week": "W"}
grammar.words("span_unit", _SPANS | {f"{word}s": unit for word, unit in _SPANS.items()})


@rule("figure", "<number> <span_unit> (rolling|moving|running) <how> of <column>")
@rule("figure", "(rolling|moving) <how> of <column> over <number> <span_unit>")
@rule("figure", "(rolling|moving) <number> <span_unit> <how> of <column>")
def _rolling(reader: Reader, number: float, span_unit: str, how: tuple[str, ...], column: Column) -> Rolling | None:
    """Of the rows in the order of the only date; rows of several things at once make no one series."""
    n = whole_number(number)
    if not n or not is_numeric(column) or how[0] not in {"mean", "median", "sum", "min", "max", "std"}:
        return None
    if len(how) != 1 or not only_date(reader):
        return None
    n, unit = (n * 7, "D") if span_unit == "W" else (n, span_unit)
    return Rolling(column, how[0], n, unit, reader.schema.dates[0])


@rule(
    "core",
    "(cumulative|running) [total|sum] [of] <column>",
    "(cumulative|running) [total|sum] [of] <periodly> <column>",
)
@rule("figure", "(cumulative|running) [total|sum] [of] <column>")
def _running(reader: Reader, column: Column, periodly: Period = "") -> Aggregate | None:
    if not is_numeric(column):
        return None
    draft = Aggregate((_total(column),), running="cumsum")
    return by_period(reader, periodly, draft) if periodly else draft


@rule("core", "<periodly> growth of [total] <column>", "<periodly> [total] <column> growth")
@rule("core", "<period> over <period:again> (growth|change|growth rate) (of|in) [total] <column>")
@rule("core", "(percentage|percent|relative|%) (change|growth) (of|in) [total] <column> (by|per|from|each) <period>")
@rule("core", "(percentage|percent|relative) (change|growth) (of|in) [total] <column> from <period> to <period:again>")
@rule("core", "growth rate (of|in) [total] <column> (by|per) <period>", "growth rate of <periodly> [total] <column>")
def _growth(
    reader: Reader, column: Column, periodly: Period = "", period: Period = "", again: Period = ""
) -> Aggregate | None:
    if not is_numeric(column) or (again and period != again):
        return None
    draft = by_period(reader, periodly or period, Aggregate((_total(column),)))
    return (
        replace(draft, running="growth") if draft and draft.groups[0].period in {"", "D", "W", "M", "Q", "Y"} else None
    )


def _total(column: Column) -> Measure:
    return Measure("sum", column)


@rule("figure", "[linear|simple] regression of <column:y> (on|against|vs|versus|over|by|from) <column:x>")
@rule("core", "[linear|simple] regression (between|of) <column:x> and <column:y>")
@rule("figure", "fit line (to|through) <column:y> (against|vs|versus) <column:x>")
@rule("figure", "trend line of <column:y> (against|vs|versus) <column:x>")
def _regression(reader: Reader, x: Column, y: Column) -> Regression | None:
    return Regression(x, y) if x != y and is_numeric(x) and is_numeric(y) else None


@rule("question", "fit [linear] regression of <column:y> (on|against) <column:x>", "regress <column:y> on <column:x>")
def _fit(reader: Reader, x: Column, y: Column) -> Regression | None:
    return _regression(reader, x, y)


@rule("figure", "<chart> (of|for|showing|with) <xy> with [linear] (regression|trend|fitted) line")
@rule("figure", "<xy> with [linear] (regression|trend|fitted) line")
def _scatter_line(reader: Reader, xy: Scatter, chart: str = "scatter") -> Regression | None:
    return Regression(xy.x, xy.y) if chart == "scatter" and is_numeric(xy.x) else None


# --- outliers, repeated rows ----------------------------------------------------------------------------------------


@rule("core", "outliers (in|of|for) <column>", "<column> outliers", "<of_rows> with outliers in <column>", count=False)
@rule("core", "(how many|number of) outliers [are there|are] (in|of|for) <column>", count=True)
@rule("core", "(how many|number of) <column> outliers [are there]", "how many outliers does <column> have", count=True)
@rule("core", "are there [any] outliers (in|of|for) <column>", count=True)
@rule("core", "(which|what) <of_rows> (are|were) [the] outliers (in|of|for|by) <column>", count=False)
def _outliers(reader: Reader, column: Column, count: bool, **_: Any) -> Outliers | None:
    return Outliers(column, count) if is_numeric(column) else None


_REPEATED = "(duplicate|duplicated|duplicates|repeated)"


@rule("core", f"{_REPEATED} [<of_rows>]", f"[all] <of_rows> that are {_REPEATED}", count=False)
@rule("core", f"(how many|number of) {_REPEATED} [<of_rows>] [are there]", count=True)
@rule("core", f"(are there|is there|does <table> (have|contain)) [any] {_REPEATED} [<of_rows>]", count=True)
@rule("core", f"(how many|number of) <of_rows> are {_REPEATED}", f"are any <of_rows> {_REPEATED}", count=True)
def _duplicates(
    reader: Reader, count: bool, of_rows: tuple[str, Conditions] = ("many", ()), **_: Any
) -> Duplicates | None:
    return Duplicates((), count) if not of_rows[1] else None


@rule("core", f"{_REPEATED} [values (of|in)] <columns>", "duplicates (in|of|by) <columns>", count=False)
@rule("core", f"(how many|number of) {_REPEATED} [values (of|in)] <columns> [are there]", count=True)
@rule(
    "core",
    "how many duplicates are there in <columns>",
    "(how many|number of) duplicates (in|of) <columns>",
    count=True,
)
@rule("core", f"(are there|is there) [any] {_REPEATED} [values (of|in)|in] <columns>", count=True)
def _duplicates_of(reader: Reader, count: bool, columns: tuple[Column, ...], **_: Any) -> Duplicates:
    return Duplicates(columns, count)
