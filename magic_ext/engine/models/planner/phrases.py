"""Phrases that questions are made of: columns, values, measures, and the modifiers that may follow."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from ..base import Column
from .grammar import Grammar, Reader
from .lexicon import (
    ADJECTIVES,
    CHARTS,
    DATE_WORDS,
    DATED,
    HOWS,
    LASTING,
    NUMBER_WORDS,
    PARTS,
    PEOPLE,
    PERIOD_ADJECTIVES,
    PERIODS,
    SUPERLATIVES,
)
from .plan import Condition, Group
from .schema import AMBIGUOUS, Found
from .tokens import singular, words

__all__ = [
    "As",
    "By",
    "In",
    "Nothing",
    "OnAverage",
    "Over",
    "Pair",
    "PerRow",
    "Sort",
    "There",
    "Where",
    "doubtful_date",
    "grammar",
    "only_date",
    "undated",
]

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


class Pair(msgspec.Struct, frozen=True):
    """A modifier: two kinds of rows beside each other, and the group that tells them apart."""

    group: Group
    conditions: tuple[Condition, ...] = ()


class OnAverage(msgspec.Struct, frozen=True):
    """A modifier: "on average" of what is still open, or of counts over the groups."""


class As(msgspec.Struct, frozen=True):
    """A modifier: draw it."""

    chart: str


class Sort(msgspec.Struct, frozen=True):
    """A modifier: in this order."""

    largest: bool


class In(msgspec.Struct, frozen=True):
    """A modifier: in this unit, which must be the column's own."""

    unit: str


class There(msgspec.Struct, frozen=True):
    """A modifier without a meaning of its own that stands behind: "are there"."""


class PerRow(msgspec.Struct, frozen=True):
    """A modifier: per row, which is what a mean is of."""


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


@rule("column", "<named>")
def _column_of_series(reader: Reader, named: str) -> Column | None:
    """A series is called as its one column of numbers."""
    numbers = [column for column in reader.schema.table.columns if column.kind in {"integer", "number"}]
    return numbers[0] if len(numbers) == 1 and len(reader.schema.table.columns) <= 2 else None


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
        elif re.fullmatch(r"\d+k", token.key):
            yield int(token.key[:-1]) * 1000, at + 1
        elif token.text in {"-", "−"}:  # "below -5"
            behind = reader.tokens[at + 1 : at + 2]
            if behind and behind[0].kind == "number" and behind[0].start == token.end:
                yield -behind[0].number, at + 2


@grammar.terminal("how")
def _percentile(reader: Reader, at: int) -> Iterator[tuple[tuple[str, ...], int]]:
    """“90th percentile”, "p90", "90% quantile", "0.9 quantile"."""
    said = " ".join(token.key for token in reader.tokens[at : at + 3])
    found = re.match(r"(\d+(?:\.\d+)?)(?:st|nd|rd|th)? ?(%)? (percentile|quantile)\b", said)
    if short := re.match(r"p(\d\d)(?= |$)", said):
        yield (f"q{int(short[1]) / 100}",), at + 1
    elif found and (0 < float(found[1]) < 100):
        share = float(found[1]) if found[3] == "quantile" and not found[2] else float(found[1]) / 100
        if share < 1:
            yield (f"q{round(share, 6)}",), at + 2 + bool(found[2])


@grammar.terminal("keynoun")
def _keynoun(reader: Reader, at: int) -> Iterator[tuple[str, int]]:
    end = reader.schema.row_noun(reader.tokens, at)
    if end is not None:
        yield _said(reader, at, end), end


@grammar.terminal("people")
def _people(reader: Reader, at: int) -> Iterator[tuple[str, int]]:
    """“People” of a table called staff."""
    named = {*words(reader.schema.table.name), *words(reader.schema.table.label)} & PEOPLE
    if any(reader.schema.counted_by(noun) for noun in PEOPLE):
        return  # each may have several rows
    if named and at < len(reader.tokens) and reader.tokens[at].key in PEOPLE:
        yield reader.tokens[at].key, at + 1


@grammar.terminal("dated")
def _dated(reader: Reader, at: int) -> Iterator[tuple[Column, int]]:
    """“Hire" and "hired" of hire_date, "created" of created_at: what happened on that date."""
    for column in reader.schema.dates:
        row = words(column.name)
        small = len(row) == 2 and (row[1] in DATE_WORDS or row[1] in {"at", "on"})
        stem = row[0].removesuffix("e") if row else ""
        if len(row) == 1 and at < len(reader.tokens) and reader.tokens[at].key == row[0] and row[0].endswith("ed"):
            yield column, at + 1  # "joined in 2022" of a column joined
        if small and at < len(reader.tokens) and reader.tokens[at].key in {row[0], f"{stem}ed"}:
            yield column, at + 1


@grammar.terminal("named")
def _named(reader: Reader, at: int) -> Iterator[tuple[str, int]]:
    end = reader.schema.named(reader.tokens, at)
    if end is not None:
        yield _said(reader, at, end), end


@grammar.terminal("adjective")
def _adjective(reader: Reader, at: int) -> Iterator[tuple[tuple[Column, bool], int]]:
    """“Longest bill length”, "longest bill", "heaviest": the column and whether the largest come first."""
    keys = [token.key for token in reader.tokens[at : at + 2]]
    size = 2 if len(keys) == 2 and " ".join(keys) in ADJECTIVES else 1
    if not keys or " ".join(keys[:size]) not in ADJECTIVES:
        return
    largest, nouns = ADJECTIVES[" ".join(keys[:size])]
    start = at + size
    said = [token.key for token in reader.tokens[start : start + 3] if token.kind == "word"]
    for length in range(len(said), 0, -1):
        of = words(" ".join(said[:length]))
        lasting = LASTING if "duration" in nouns else ()
        own = reader.schema.columns_ending(
            [of] if of[-1] in (*nouns, *lasting) else [(*_one(of), noun) for noun in nouns]
        )
        if len(own) == 1:
            reader.partial.setdefault(own[0].name, _said(reader, at, start + length))
            yield (own[0], largest), start + length
            return
    columns = reader.schema.columns_ending([(noun,) for noun in nouns])
    if len(columns) == 1:
        reader.partial.setdefault(columns[0].name, " ".join(keys[:size]))
        yield (columns[0], largest), start
    elif columns:
        _either(reader, " ".join(keys[:size]), [column.name for column in columns])


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


PLURALS = frozenset({"people", "staff", "personnel", "children", "men", "women", "data", "series", "species", "df"})

# --- small words ----------------------------------------------------------------------------------------------------

grammar.words("how", HOWS)
grammar.words("superlative", {word: (largest,) for word, largest in SUPERLATIVES.items()})
grammar.words("periodly", PERIOD_ADJECTIVES)
grammar.words("period", PERIODS | {f"{word}s": code for word, code in PERIODS.items()} | PARTS)
grammar.words("dateword", {word: (last,) for word, last in DATED.items()})
grammar.words("row", {"row": "one", "rows": "many"})
grammar.words(
    "rowlike",
    {
        noun: noun
        for noun in ("record", "entry", "observation", "line", "data point", "case", "reading", "sample", "measurement")
    },
)
grammar.words(
    "rowlike",
    {
        noun: noun
        for noun in (
            "records",
            "entries",
            "observations",
            "lines",
            "data points",
            "cases",
            "readings",
            "samples",
            "measurements",
        )
    },
)
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


@rule("row", "<keynoun:named>", "<people:named>")
def _row_key(reader: Reader, named: str) -> str:
    """The nouns that name rows whatever the table is called."""
    return "one" if named.casefold() == singular(named.casefold()) and named.casefold() not in PLURALS else "many"


@rule("entity", "<named>")
def _entity(reader: Reader, named: str) -> tuple[str, Column] | None:
    """“Flights” of a table called so where a column has their numbers, which come again: rows, unless counted."""
    column = reader.schema.labelled_by(named)
    said = named.casefold()
    return (("one" if said == singular(said) and said not in PLURALS else "many"), column) if column else None


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


def only_date(reader: Reader) -> bool:
    """Whether the table has exactly one column of dates; says so otherwise."""
    if len(reader.schema.dates) == 1:
        return True
    names = [column.name for column in reader.schema.dates]
    if names:
        _either(reader, "the date", names)
    else:
        reader.refuse(undated(reader))
    return False


def undated(reader: Reader) -> str:
    """Why a table has no column of dates."""
    doubtful = [column.name for column in reader.schema.table.columns if column.form == AMBIGUOUS]
    return doubtful_date(doubtful[0]) if doubtful else "there is no column of dates"


def doubtful_date(name: str) -> str:
    """Why a column of text is no column of dates."""
    return f"no value of `{name}` tells whether the day or the month comes first; make it a datetime column"
