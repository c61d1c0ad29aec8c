"""Comparisons that name no column: "heavier than 5000", "60 or older", "who earn more than 80000"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from ..base import Column
from .filters import fits
from .grammar import Reader
from .lexicon import COMPARATIVES, HOW_MUCH, VERBS
from .phrases import Where, grammar
from .plan import Aggregate, Condition, Measure, Operator
from .tokens import words

__all__ = ["grammar"]

rule = grammar.rule


@grammar.terminal("how_heavy")
def _how_heavy(reader: Reader, at: int) -> Iterator[tuple[Column, int]]:
    """“How heavy" where exactly one column holds a mass or a weight."""
    keys = [token.key for token in reader.tokens[at : at + 2]]
    columns = reader.schema.columns_ending([(noun,) for noun in HOW_MUCH.get(keys[-1], ())]) if len(keys) == 2 else ()
    if len(columns) == 1 and keys[0] == "how":
        reader.partial.setdefault(columns[0].name, keys[1])
        yield columns[0], at + 2


@rule("core", "<how_heavy> (is|are|was|were) <noun_any:noun> on average")
@rule(
    "core", "<how_heavy> (is|are|was|were) average <noun_any:noun>", "on average <how_heavy> (is|are) <noun_any:noun>"
)
def _core_how_heavy(reader: Reader, how_heavy: Column, noun: Where) -> Aggregate:
    """“How heavy are Gentoo penguins on average?”"""
    return Aggregate((Measure("mean", how_heavy),), where=noun.conditions)


@rule("core", "<how_heavy> (is|are|was|were) <adjective> <noun_any:noun>")
def _core_how_extreme(
    reader: Reader, how_heavy: Column, adjective: tuple[Column, bool], noun: Where
) -> Aggregate | None:
    """“How heavy is the heaviest penguin?”"""
    if adjective[0] != how_heavy:
        return None
    return Aggregate((Measure("max" if adjective[1] else "min", how_heavy),), where=noun.conditions)


@grammar.terminal("by_whom")
def _by_whom(reader: Reader, at: int) -> Iterator[tuple[Condition, int]]:
    """“Directed by Larsen" of a column director."""
    keys = [token.key for token in reader.tokens[at : at + 2]]
    if len(keys) < 2 or keys[1] != "by" or not keys[0].endswith("ed"):
        return
    for value, end in reader.find("value", at + 2):
        name = words(value.column.name)[-1:]
        if name and len(keys[0]) > 5 and name[0].startswith(keys[0][:-2][:6]):
            yield value, end


@rule("modifier", "[that|which] [is|are|was|were] <by_whom>")
def _done_by(reader: Reader, by_whom: Condition) -> Where:
    return Where((by_whom,))


@grammar.terminal("heavier")
def _heavier(reader: Reader, at: int) -> Iterator[tuple[tuple[str, Column], int]]:
    """“Heavier than” where exactly one column holds a mass or a weight."""
    keys = [token.key for token in reader.tokens[at : at + 2]]
    if len(keys) == 2 and keys[0] in COMPARATIVES and keys[1] == "than":
        operator, nouns = COMPARATIVES[keys[0]]
        columns = reader.schema.columns_ending([(noun,) for noun in nouns])
        if len(columns) == 1:
            reader.partial.setdefault(columns[0].name, keys[0])
            yield (operator, columns[0]), at + 2
        else:
            reader.refuse(f"“{keys[0]} than” fits {'several columns' if columns else 'no column'}")


_WHO = "[that are|which are|who are|that were|who were|are|is|were|was]"


@rule("modifier", f"{_WHO} <heavier> <number> [<unit>]")
def _heavier_than(reader: Reader, heavier: tuple[str, Column], number: float, unit: str = "") -> Where | None:
    operator, column = heavier
    return Where((Condition(column, cast(Operator, operator), (number,)),)) if fits(reader, column, unit) else None


@grammar.terminal("or_heavier")
def _or_heavier(reader: Reader, at: int) -> Iterator[tuple[Condition, int]]:
    """“60 or older” where exactly one column holds an age."""
    for number, end in reader.find("number", at):
        keys = [token.key for token in reader.tokens[end : end + 2]]
        if len(keys) == 2 and keys[0] in {"or", "and"} and keys[1] in COMPARATIVES:
            operator, nouns = COMPARATIVES[keys[1]]
            columns = reader.schema.columns_ending([(noun,) for noun in nouns])
            if len(columns) == 1:
                reader.partial.setdefault(columns[0].name, keys[1])
                yield Condition(columns[0], cast(Operator, f"{operator}="), (number,)), end + 2


@rule("modifier", f"{_WHO} [aged] <or_heavier>", "(with|having) <or_heavier>")
def _heavier_or_equal(reader: Reader, or_heavier: Condition) -> Where:
    return Where((or_heavier,))


@rule("modifier", f"{_WHO} [aged] <test> years old", f"{_WHO} aged <test>")
@rule("modifier", f"{_WHO} [aged] between <number:low> and <number:high> years old")
@rule("modifier", f"{_WHO} aged between <number:low> and <number:high>")
def _aged(reader: Reader, test: Any = None, low: float = 0, high: float = 0) -> Where | None:
    columns = reader.schema.columns_ending([("age",)])
    if len(columns) != 1:
        return None
    if test:
        return None if test[2] else Where((Condition(columns[0], test[0], (test[1],)),))
    return Where((Condition(columns[0], "between", (low, high)),)) if low <= high else None


@grammar.terminal("verb")
def _verb(reader: Reader, at: int) -> Iterator[tuple[Column, int]]:
    key = reader.tokens[at].key if at < len(reader.tokens) else ""
    columns = reader.schema.columns_ending([(noun,) for noun in VERBS.get(key, ())])
    if len(columns) == 1:
        reader.partial.setdefault(columns[0].name, key)
        yield columns[0], at + 1


@rule("modifier", "[that|which|who] <verb> <test>")
def _weigh(reader: Reader, verb: Column, test: tuple[str, float, str]) -> Where | None:
    operator, number, unit = test
    return Where((Condition(verb, cast(Operator, operator), (number,)),)) if fits(reader, verb, unit) else None
