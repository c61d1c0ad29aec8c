"""What is computed: ways to aggregate, columns, and what two columns make together."""

from __future__ import annotations

from typing import Any

from ..base import Column
from .grammar import Reader
from .lexicon import YES
from .phrases import grammar, only_date
from .plan import Derived, Measure
from .schema import is_flag, is_numeric, is_time, is_year
from .titles import plain
from .tokens import words

__all__ = ["grammar", "is_amount"]

rule = grammar.rule


def is_amount(column: Column) -> bool:
    """Whether one can add up or average the column: years are only looked at."""
    return is_numeric(column) and not is_year(column)


_DIFFERENCE = "difference (between|of) <column:left> and <column:right>"


@rule("quantity", "<column>")
def _quantity(reader: Reader, column: Column) -> Column:
    return column


@rule(
    "computed",
    "ratio (of|between) <column:left> (to|and) <column:right>",
    "<column:left> / <column:right>",
    operator="/",
)
@rule("computed", "<column:left> to <column:right> ratio", operator="/")
@rule("computed", _DIFFERENCE, "<column:left> (-|minus) <column:right>", operator="-")
@rule("computed", "<column:left> (+|plus) <column:right>", operator="+")
@rule("computed", "<column:left> * <column:right>", "product of <column:left> and <column:right>", operator="*")
@rule("inner", "<column:left> divided by <column:right>", operator="/")
@rule("inner", "<column:left> times <column:right>", operator="*")
def _computed(reader: Reader, left: Column, right: Column, operator: Any) -> Derived | None:
    if left == right or not (is_numeric(left) and is_numeric(right)):
        return None
    missing = max(left.missing, right.missing)
    return Derived(
        f"{left.name} {operator} {right.name}", "number", missing=missing, unique=reader.schema.table.rows,
        left=left, operator=operator, right=right,
    )  # fmt: skip


@rule("quantity", "<computed>")
def _quantity_computed(reader: Reader, computed: Derived) -> Column:
    return computed


@rule("quantities", "<quantity>")
def _quantities_one(reader: Reader, quantity: Column) -> tuple[Column, ...]:
    return (quantity,)


@rule("quantities", "<quantity> <and> <quantities>")
def _quantities_more(reader: Reader, quantity: Column, quantities: tuple[Column, ...], **_: Any) -> tuple[Column, ...]:
    return (quantity, *quantities)


# --- measures -------------------------------------------------------------------------------------------------------


@rule("measure", "<hows> [value|values] [of|for] <quantities:columns>")
def _measure(reader: Reader, hows: tuple[str, ...], columns: tuple[Column, ...]) -> tuple[Measure, ...] | None:
    for column in columns:
        if not is_numeric(column) and not (set(hows) <= {"min", "max"} and is_time(column)):
            reader.refuse(f"`{column.name}` is not a column of numbers")
            return None
        if "sum" in hows and "per" in words(column.name) and "per" not in words(reader.partial.get(column.name, "per")):
            reader.refuse(f"a total of `{column.name}` adds up what is per something else; name the column in full")
            return None
    return tuple(Measure(how, column) for column in columns for how in hows)


@rule("measure", "difference between <how:first> and <how:second> [of] <column>")
def _measure_spread(
    reader: Reader, first: tuple[str, ...], second: tuple[str, ...], column: Column
) -> tuple[Measure, ...] | None:
    ends = {first, second} == {("max",), ("min",)}
    return (Measure("spread", column),) if ends and is_numeric(column) else None


@rule("measure", "(how many|number of) <column> (in total|altogether|overall)", "total number of <column>")
def _measure_number_total(reader: Reader, column: Column) -> tuple[Measure, ...] | None:
    """“How many sick days in total”: what is counted in a column is added up."""
    counts = column.kind == "integer" and column not in reader.schema.years and not reader.schema.is_key(column)
    return (Measure("sum", column),) if counts and isinstance(column.low, float) and column.low >= 0 else None


@rule("measure", "(average|mean) number of <column>", how="mean")
@rule("measure", "median number of <column>", how="median")
@rule("measure", "maximum number of <column>", how="max")
def _measure_number(reader: Reader, column: Column, how: str) -> tuple[Measure, ...] | None:
    """“Average number of sick days”: of what a column counts."""
    counts = column.kind == "integer" and is_amount(column) and not reader.schema.is_key(column)
    return (Measure(how, column),) if counts else None


@rule("measure", "<hows> of <inner>")
def _measure_inner(reader: Reader, hows: tuple[str, ...], inner: Derived) -> tuple[Measure, ...]:
    return tuple(Measure(how, inner) for how in hows)


@rule(
    "measure",
    "ratio of [total|overall] <column:left> to total <column:right>",
    "ratio of total <column:left> to <column:right>",
)
@rule("measure", "total <column:left> (divided by|over|/|per|by) total <column:right>")
@rule("measure", "total <column:left> divided by [total] <column:right>")
def _measure_quotient(reader: Reader, left: Column, right: Column) -> tuple[Measure, ...] | None:
    """“Ratio of total amount to total quantity”: of the sums, not the mean of the ratios."""
    fits = left != right and is_amount(left) and is_amount(right) and not (left.missing or right.missing)
    return (Measure("quotient", left, right),) if fits else None


@rule("measure", "<column> quartiles", hows=("q0.25", "q0.5", "q0.75"))
@rule("measure", "<column> (standard deviation|std)", hows=("std",))
@rule("measure", "<column> variance", hows=("var",))
@rule("measure", "<column> (interquartile range|iqr)", hows=("iqr",))
@rule("measure", "<column> average", hows=("mean",))
def _measure_behind(reader: Reader, column: Column, hows: tuple[str, ...]) -> tuple[Measure, ...] | None:
    return tuple(Measure(how, column) for how in hows) if is_numeric(column) else None


@rule("measure", "<datewords> <column>")
def _measure_date(reader: Reader, datewords: tuple[bool, ...], column: Column) -> tuple[Measure, ...] | None:
    """“Latest order date”, "latest year", "earliest and latest date"."""
    if not (is_time(column) or column in reader.schema.years):
        return None
    return tuple(Measure("max" if last else "min", column) for last in datewords)


@rule("measure", "<datewords> date")
def _measure_only_date(reader: Reader, datewords: tuple[bool, ...]) -> tuple[Measure, ...] | None:
    return _measure_date(reader, datewords, reader.schema.dates[0]) if only_date(reader) else None


@rule("datewords", "<dateword>")
def _datewords_one(reader: Reader, dateword: tuple[bool]) -> tuple[bool, ...]:
    return dateword


@rule("datewords", "<dateword> and <datewords>")
def _datewords_more(reader: Reader, dateword: tuple[bool], datewords: tuple[bool, ...]) -> tuple[bool, ...]:
    return dateword + datewords


@rule("measure", "<adjective>")
def _measure_adjective(reader: Reader, adjective: tuple[Column, bool]) -> tuple[Measure, ...]:
    column, largest = adjective
    return (Measure("max" if largest else "min", column),)


@rule("measure", "(number of|count of) (different|distinct|unique) <column>")
@rule("measure", "how many (different|distinct|unique) <column>")
def _measure_distinct(reader: Reader, column: Column) -> tuple[Measure, ...]:
    return (Measure("nunique", column),)


@rule("measure", "number of <column>", "how many <column>")
def _measure_kinds(reader: Reader, column: Column) -> tuple[Measure, ...] | None:
    """“How many species” counts kinds; “how many smokers” does not, and of a number it could be a total."""
    if is_flag(column):
        some = column.values[0] if column.values else "..."
        yes = plain(str(next((value for value in column.values if str(value).casefold() in YES), some)))
        reader.refuse(
            f"“how many {column.name}” could be the rows with one value of `{column.name}` or its different values; "
            f"say “how many rows where `{column.name}` is `{yes}`” or “how many different `{column.name}`”"
        )
        return None
    if reader.schema.is_key(column):
        return None  # as many as rows: read as such
    if column.kind in {"text", "datetime"} or column in reader.schema.years:
        return (Measure("kinds", column),)
    reader.refuse(f"“how many {column.name}” could be a total or a count")
    return None


@rule("measure", "count of [known] <column>")
def _measure_count(reader: Reader, column: Column) -> tuple[Measure, ...] | None:
    if is_numeric(column):
        return (Measure("count", column),)
    reader.refuse(f"“count of {column.name}” could be the number of rows or of distinct values")
    return None


@rule("measures", "<measure>")
def _measures_one(reader: Reader, measure: tuple[Measure, ...]) -> tuple[Measure, ...]:
    return measure


@rule("measures", "<measure> <and> <measures>")
def _measures_more(
    reader: Reader, measure: tuple[Measure, ...], measures: tuple[Measure, ...], **_: Any
) -> tuple[Measure, ...]:
    return measure + measures


@rule("measure", "(number|count) <alone>", "(number|count) of <row>", "how many <row>")
def _measure_rows(reader: Reader, **_: Any) -> tuple[Measure, ...]:
    return (Measure("rows"),)
