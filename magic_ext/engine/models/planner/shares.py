"""Percentages, and aggregates of aggregates: "share of rows by day", "average number of orders per customer"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ..base import Column
from .filters import Conditions
from .grammar import Reader
from .phrases import Where, grammar
from .plan import Aggregate, Condition, Flag, Group, Measure
from .refine import apply
from .schema import is_numeric, is_year
from .titles import condition_title

__all__ = ["grammar"]

rule = grammar.rule
replace = msgspec.structs.replace

_SHARE = "(share|percentage|percent|per cent|proportion|fraction|%)"


@rule("amounts", f"{_SHARE} of <values>", f"{_SHARE} of [all] <values> <row>")
def _rate_of_values(reader: Reader, values: Conditions, **_: Any) -> Aggregate | None:
    """“Percentage of males”: of all rows, or of all rows of each group; "of males who ..." is of males."""
    return None if _spoken(reader) else _rate(values, ())


def _spoken(reader: Reader) -> bool:
    """Whether a verb in the sentence says whose share it is, so that what stands before it is the whole."""
    return any(reader.find("clause", at) for at in range(len(reader.tokens)))


@rule("core", f"[what|which] {_SHARE} of [all] <of_rows> <modifier:test>")
def _core_rate(reader: Reader, of_rows: tuple[str, Conditions], test: Any) -> Aggregate | None:
    """“Share of staff in Sales”. With a condition before the noun, that is whose share it is."""
    return None if _spoken(reader) else _core_clause(reader, of_rows, test)


@rule("core", f"[what|which] {_SHARE} of [all] <values:whole> <modifier*:before> <clause:test>")
def _core_clause_of(reader: Reader, whole: Conditions, test: Any, before: tuple[Any, ...] = ()) -> Aggregate | None:
    """“Percentage of survivors who were female”."""
    return _core_clause(reader, ("many", whole), test, before)


@rule("core", f"[what|which] {_SHARE} of [all] <things:of_rows> <modifier*:before> <clause:test>")
def _core_clause(
    reader: Reader, of_rows: tuple[str, Conditions], test: Any, before: tuple[Any, ...] = ()
) -> Aggregate | None:
    """“What share of exams in 2023 was passed”: what stands before the verb says of which rows."""
    if not isinstance(test, Where) or not test.conditions:
        return None
    columns = {condition.column for condition in of_rows[1]}
    if columns & {condition.column for condition in test.conditions}:
        return None
    draft = apply(reader, _rate(test.conditions, of_rows[1]), before)
    return draft if isinstance(draft, Aggregate) else None


@grammar.terminal("clause")
def _clause(reader: Reader, at: int) -> Iterator[tuple[Where, int]]:
    """A modifier with a verb: "was passed", "have a rating below 5"; "that are in Sales" if no such one follows."""
    if at == len(reader.tokens):
        return
    behind = at > 0 and reader.tokens[at - 1].key not in {"of", "all"} and not reader.find("row", at + 1)
    spoken = behind and reader.tokens[at].key.endswith("ed") and reader.find("done", at)
    if not (spoken or reader.tokens[at].key in _VERBS):
        return
    relative = reader.tokens[at].key in _RELATIVE
    for found, end in reader.find("modifier", at):
        later = relative and any(
            reader.tokens[then].key not in _RELATIVE and reader.find("clause", then)
            for then in range(end, len(reader.tokens))
        )
        if isinstance(found, Where) and not later:
            yield found, end


_RELATIVE = {"that", "who", "which", "where"}


_VERBS = {
    *("is", "are", "was", "were", "got", "get", "have", "has", "had", "that", "who", "which", "where", "did", "do"),
    *("come", "comes", "came", "didn't", "don't", "doesn't", "does", "wasn't", "weren't", "isn't", "aren't", "haven't"),
    *("exceed", "exceeds", "exceeded"),
}


@rule("core", f"[what|which] {_SHARE} of <column> [values|entries|data] (is|are) (missing|unknown|null|nan|empty)")
@rule("core", f"{_SHARE} of (missing|unknown|null|nan|empty) [values in|entries in|values of] <column>")
def _core_gaps(reader: Reader, column: Column) -> Aggregate | None:
    return _rate((Condition(column, "isna"),), ())


@rule("ranked", "(highest|largest|biggest|greatest|best) <did> (rate|quota)", largest=True)
@rule("ranked", "(lowest|smallest|worst) <did> (rate|quota)", largest=False)
def _ranked_rate(reader: Reader, did: Condition, largest: bool) -> tuple[bool, Aggregate] | None:
    rate = _rate((did,), ())
    return (largest, rate) if rate else None


@rule("amounts", "<did> (rate|quota)")
def _rate_of_flag(reader: Reader, did: Condition) -> Aggregate | None:
    """“Pass rate”, where a column says of every row whether it passed."""
    return _rate((did,), ())


@rule("amounts", f"({_SHARE[1:-1]}|rate) of <did>")
def _share_of_flag(reader: Reader, did: Condition) -> Aggregate | None:
    """“Share of smokers”."""
    return None if _spoken(reader) else _rate((did,), ())


_FROM = "[is|are|was|were|comes|come|came|made] (from|by|in|for|of|on|at|with)"


@rule("core", f"[what|which|how much] {_SHARE} of [all|overall|total] <column> {_FROM} <noun>")
def _core_part(reader: Reader, column: Column, noun: Where) -> Aggregate | None:
    """“What percentage of the total amount comes from the North?”"""
    if not noun.conditions or not _adds_up(reader, column) or (isinstance(column.low, float) and column.low < 0):
        return None
    rate = _rate(noun.conditions, ())
    return replace(rate, measures=(Measure("part", rate.measures[0].column, column),)) if rate else None


def _rate(tests: Conditions, where: Conditions) -> Aggregate | None:
    if any(test.joined == "and" for test in tests):
        return None
    tests = tuple(replace(test, joined="") for test in tests)
    flag = Flag(" and ".join(condition_title(test) for test in tests), "boolean", tests=tests)
    return Aggregate((Measure("percent", flag),), where=where)


@rule("amounts", f"{_SHARE} of [total] <column>", "[total] <column> (share|percentage|%)")
@rule("amounts", f"{_SHARE} of <row>", f"{_SHARE} of number of <row>")
def _share(reader: Reader, column: Column | None = None, **_: Any) -> Aggregate | None:
    """The parts of a total, or of all rows: by what is said later."""
    if column is None:
        return Aggregate((Measure("share"),))
    return Aggregate((Measure("share", column),)) if _adds_up(reader, column) else None


def _adds_up(reader: Reader, column: Column) -> bool:
    return is_numeric(column) and not is_year(column) and not reader.schema.is_key(column)


@rule("core", f"{_SHARE} of each <group>", f"{_SHARE} of each <group> in [total] <column>")
@rule("core", f"[total] <column> {_SHARE} of each <group>")
def _core_share_of_each(reader: Reader, group: Group, column: Column | None = None) -> Aggregate | None:
    if column is not None and not _adds_up(reader, column):
        return None
    return Aggregate((Measure("share", column),), (group,))


# --- aggregates of aggregates ---------------------------------------------------------------------------------------

_OUTER = {"mean": "mean", "average": "mean", "median": "median", "maximum": "max", "minimum": "min"}
grammar.words("outer", _OUTER)


@rule("core", "<outer> (number of|count of) <noun> (per|by|for each|of each) <group>")
def _core_nested_rows(reader: Reader, outer: Any, noun: Where, group: Group) -> Aggregate:
    return Aggregate((Measure("rows"),), (group,), where=noun.conditions, outer=outer)


@rule("core", "<outer> number of [different|distinct|unique] <column> (per|by|for each|of each) <group>")
def _core_nested_kinds(reader: Reader, outer: Any, column: Column, group: Group) -> Aggregate | None:
    if column.kind not in {"text", "datetime"} or reader.schema.is_key(column):
        return None
    return Aggregate((Measure("nunique", column),), (group,), outer=outer)


@rule("core", "<outer> total <column> (per|by|for each|of each) <group>")
def _core_nested_total(reader: Reader, outer: Any, column: Column, group: Group) -> Aggregate | None:
    return Aggregate((Measure("sum", column),), (group,), outer=outer) if is_numeric(column) else None
