"""Phrases that questions are made of: columns, values, measures, and the modifiers that may follow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ..base import Column
from .grammar import Grammar, Reader
from .lexicon import ADJECTIVES, CHARTS, HOWS, NUMBER_WORDS, PERIOD_ADJECTIVES, PERIODS, SUPERLATIVES
from .plan import Condition, Group, Measure
from .schema import Found, is_flag, is_numeric
from .titles import plain
from .tokens import singular, words

__all__ = ["As", "By", "Nothing", "Over", "Sort", "Where", "grammar"]

grammar = Grammar()
rule = grammar.rule


class Where(msgspec.Struct, frozen=True):
    """A modifier: only these rows."""

    conditions: tuple[Condition, ...]


class By(msgspec.Struct, frozen=True):
    """A modifier: one result for each group."""

    groups: tuple[Group, ...]


class Over(msgspec.Struct, frozen=True):
    """A modifier: over time."""

    group: Group


class As(msgspec.Struct, frozen=True):
    """A modifier: draw it."""

    chart: str


class Sort(msgspec.Struct, frozen=True):
    """A modifier: in this order."""

    largest: bool


class Nothing(msgspec.Struct, frozen=True):
    """A modifier without a meaning of its own: "are there", "in the table"."""


# --- terminals ------------------------------------------------------------------------------------------------------


@grammar.terminal("column")
def _column(reader: Reader, at: int) -> Iterator[tuple[Column, int]]:
    found = reader.schema.column(reader.tokens, at)
    if found and _unique(reader, at, found):
        column = found.candidates[0][0]
        if found.partial:
            reader.partial[column.name] = _said(reader, at, found.end)
        yield column, found.end


@grammar.terminal("value")
def _value(reader: Reader, at: int) -> Iterator[tuple[Condition, int]]:
    found = reader.schema.value(reader.tokens, at)
    if found and _unique(reader, at, found):
        column, value = found.candidates[0]
        if value is not None:
            yield Condition(column, "==", (value,)), found.end


@grammar.terminal("number")
def _number(reader: Reader, at: int) -> Iterator[tuple[int | float, int]]:
    if at < len(reader.tokens):
        token = reader.tokens[at]
        if token.kind == "number":
            yield token.number if token.whole is None else token.whole, at + 1
        elif token.kind == "word" and token.key in NUMBER_WORDS:
            yield NUMBER_WORDS[token.key], at + 1


@grammar.terminal("named")
def _named(reader: Reader, at: int) -> Iterator[tuple[str, int]]:
    end = reader.schema.named(reader.tokens, at)
    if end is not None:
        yield _said(reader, at, end), end


@grammar.terminal("adjective")
def _adjective(reader: Reader, at: int) -> Iterator[tuple[tuple[Column, bool], int]]:
    """“Longest bill length”, "longest bill", "heaviest": the column and whether the largest come first."""
    if at >= len(reader.tokens) or reader.tokens[at].key not in ADJECTIVES:
        return
    largest, nouns = ADJECTIVES[reader.tokens[at].key]
    said = [token.key for token in reader.tokens[at + 1 : at + 4] if token.kind == "word"]
    for length in range(len(said), 0, -1):
        of = words(" ".join(said[:length]))
        own = reader.schema.columns_ending([of] if of[-1] in nouns else [(*_one(of), noun) for noun in nouns])
        if len(own) == 1:
            reader.partial.setdefault(own[0].name, _said(reader, at, at + 1 + length))
            yield (own[0], largest), at + 1 + length
            return
    columns = reader.schema.columns_ending([(noun,) for noun in nouns])
    if len(columns) == 1:
        reader.partial.setdefault(columns[0].name, reader.tokens[at].key)
        yield (columns[0], largest), at + 1
    elif columns:
        _either(reader, reader.tokens[at].key, [column.name for column in columns])


def _one(of: tuple[str, ...]) -> tuple[str, ...]:
    # "longest flippers" means the flipper length.
    return (*of[:-1], singular(of[-1]))


@grammar.terminal("alone")
def _alone(reader: Reader, at: int) -> Iterator[tuple[str, int]]:
    # "Number of sensors" names what is counted: it is no number of rows of the table called sensor.
    if at == len(reader.tokens) or reader.tokens[at].key != "of":
        yield "alone", at


def _said(reader: Reader, at: int, end: int) -> str:
    return reader.schema.text[reader.tokens[at].start : reader.tokens[end - 1].end].strip("`\"'")


def _unique(reader: Reader, at: int, found: Found) -> bool:
    if len(found.candidates) == 1:
        return True
    names = [c.name if v is None else f"{c.name} = {v!r}" for c, v in found.candidates]
    _either(reader, _said(reader, at, found.end), names)
    return False


def _either(reader: Reader, said: str, names: list[str]) -> None:
    listed = ", ".join(f"`{name}`" for name in names[:-1])
    reader.refuse(f"“{said}” could be {listed} or `{names[-1]}`")


YES = frozenset({"yes", "y", "true", "ja", "oui"})
PLURALS = frozenset({"people", "staff", "personnel", "children", "men", "women", "data", "series", "species", "df"})

# --- small words ----------------------------------------------------------------------------------------------------

grammar.words("how", HOWS)
grammar.words("superlative", {word: (largest,) for word, largest in SUPERLATIVES.items()})
grammar.words("periodly", PERIOD_ADJECTIVES)
grammar.words("period", PERIODS | {f"{word}s": code for word, code in PERIODS.items()} | {"calendar month": "M"})
grammar.words("row", {"row": "one", "rows": "many"})
grammar.words("rowlike", {noun: noun for noun in ("record", "entry", "observation", "line", "data point")})
grammar.words("rowlike", {noun: noun for noun in ("records", "entries", "observations", "lines", "data points")})
grammar.words("tablenoun", dict.fromkeys(("table", "data", "dataset", "data set", "dataframe", "data frame"), "one"))
grammar.words("and", dict.fromkeys(("and", ", and", ",", "&"), "and"))
grammar.words("or", dict.fromkeys(("or", ", or"), "or"))
grammar.words("missingness", dict.fromkeys(("missing", "null", "nan", "na"), "missing"))

for _chart_word, _chart in CHARTS.items():
    for _noun in ("", " chart", " plot", " graph", " diagram"):
        grammar.add("chart", _chart_word + _noun, lambda reader, chart=_chart: chart)
grammar.words("anychart", dict.fromkeys(("chart", "plot", "graph", "figure", "diagram"), "auto"))


@rule("table", "[this|my|our] <named> [<tablenoun>]", "(this|my|our|these) <tablenoun>", "<tablenoun>", "it")
def _table(reader: Reader, **_: Any) -> str:
    return "table"


@rule("row", "<named>", "<rowlike:named>")
def _row_named(reader: Reader, named: str) -> str | None:
    """The rows of a table called penguins are penguins, unless a column tells which penguin a row is about."""
    column = reader.schema.counted_by(named)
    if column is not None:
        reader.refuse(f"“{named}” could be the rows or what `{column.name}` names; say “rows”, or name the column")
        return None
    said = named.casefold()
    return "one" if said == singular(said) and said not in PLURALS else "many"


@rule("columns", "<column>")
def _columns_one(reader: Reader, column: Column) -> tuple[Column, ...]:
    return (column,)


@rule("columns", "<column> <and> <columns>")
def _columns_more(reader: Reader, column: Column, columns: tuple[Column, ...], **_: Any) -> tuple[Column, ...]:
    return (column, *columns)


@rule("hows", "<how>")
def _hows_one(reader: Reader, how: tuple[str, ...]) -> tuple[str, ...]:
    return how


@rule("hows", "<how> <and> <hows>")
def _hows_more(reader: Reader, how: tuple[str, ...], hows: tuple[str, ...], **_: Any) -> tuple[str, ...]:
    return how + hows


# --- measures -------------------------------------------------------------------------------------------------------


@rule("measure", "<hows> [value|values] [of|for] <columns>")
def _measure(reader: Reader, hows: tuple[str, ...], columns: tuple[Column, ...]) -> tuple[Measure, ...] | None:
    for column in columns:
        if not is_numeric(column) and not (set(hows) <= {"min", "max"} and column.kind == "datetime"):
            reader.refuse(f"`{column.name}` is not a column of numbers")
            return None
    return tuple(Measure(how, column) for column in columns for how in hows)


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


# --- groups ---------------------------------------------------------------------------------------------------------

MAX_NUMBER_GROUPS = 50


@rule("group", "<column>")
def _group(reader: Reader, column: Column) -> Group | None:
    if column.kind == "other" or (column.kind == "number" and column.unique > MAX_NUMBER_GROUPS):
        reader.refuse(f"`{column.name}` has too many different values to group by")
        return None
    if column.kind == "datetime" and not all(
        str(bound)[10:] in {"", "T00:00:00"} for bound in (column.low, column.high)
    ):
        reader.refuse(f"`{column.name}` has times of day; say by day, week, month, quarter or year")
        return None
    return Group(column)


@rule("group", "<period>")
def _group_period(reader: Reader, period: str) -> Group | None:
    return Group(reader.schema.dates[0], period) if only_date(reader) else None


@rule("groups", "<group>")
def _groups_one(reader: Reader, group: Group) -> tuple[Group, ...]:
    return (group,)


@rule("groups", "<group> <and> [by|per] <groups>", "<group> (by|per) <groups>")
def _groups_more(reader: Reader, group: Group, groups: tuple[Group, ...], **_: Any) -> tuple[Group, ...]:
    return (group, *groups)


def only_date(reader: Reader) -> bool:
    """Whether the table has exactly one column of dates; says so otherwise."""
    if len(reader.schema.dates) == 1:
        return True
    names = [column.name for column in reader.schema.dates]
    if names:
        _either(reader, "the date", names)
    else:
        reader.refuse("there is no column of dates")
    return False


_BY = "(by|per|(for|in|on|at|within) each|for every|(grouped|broken down|split|coloured|colored) by)"


@rule("modifier", f"{_BY} <groups>")
def _by(reader: Reader, groups: tuple[Group, ...]) -> By:
    return By(groups)


@rule("modifier", "over time", "through time", "with time", "across time")
def _over_time(reader: Reader) -> Over | None:
    times = reader.schema.dates or reader.schema.years
    if len(times) == 1:
        return Over(Group(times[0]))
    reader.refuse("there is not exactly one column of dates or years")
    return None


@rule("modifier", "(over|through|across) <period>")
def _over_years(reader: Reader, period: str) -> Over | None:
    if period == "Y" and len(reader.schema.years) == 1 and not reader.schema.dates:
        return Over(Group(reader.schema.years[0]))
    return Over(Group(reader.schema.dates[0], period)) if only_date(reader) else None


@rule("modifier", "(as|in|with|using|on) <chart>", "(as|in|with|using|on) <anychart:chart>")
def _as(reader: Reader, chart: str) -> As:
    return As(chart)


@rule("modifier", "(sorted|ordered|ranked) [by value] [in] (descending|decreasing) [order]", largest=True)
@rule("modifier", "(sorted|ordered|ranked) [by value] [in] (ascending|increasing) [order]", largest=False)
@rule("modifier", "[sorted|ordered|ranked] from (highest|largest) to (lowest|smallest)", largest=True)
@rule("modifier", "[sorted|ordered|ranked] from (lowest|smallest) to (highest|largest)", largest=False)
@rule("modifier", "(highest|largest) first", largest=True)
@rule("modifier", "(lowest|smallest) first", largest=False)
def _sort(reader: Reader, largest: bool) -> Sort:
    return Sort(largest)


@rule("modifier", "(are|is|were|was) there", "there (are|were)", "do we have", "did we have", "exist", "in total")
@rule("modifier", "(in|of|from|for|on) <table>", "using <table>", "does <table> (have|contain)")
@rule("modifier", "are in <table>", "are there in <table>")
def _nothing(reader: Reader, **_: object) -> Nothing:
    return Nothing()


@rule("modifiers", "<modifier*>")
def _modifiers(reader: Reader, modifier: tuple[Any, ...]) -> tuple[Any, ...]:
    return modifier


@rule("modifier", ", <modifier>")
def _after_comma(reader: Reader, modifier: object) -> object:
    return modifier
