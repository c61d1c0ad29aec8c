"""Modifiers that say how, not which: "as a bar chart", "highest first", "on average", "are there"."""

from __future__ import annotations

from typing import Any

from .grammar import Reader
from .phrases import As, Nothing, OnAverage, PerRow, Sort, There, grammar
from .tokens import words

__all__ = ["grammar"]

rule = grammar.rule


@rule("modifier", "(as|in|with|using|on) <chart>", "(as|in|with|using|on) <anychart:chart>")
def _as(reader: Reader, chart: str) -> As:
    return As(chart)


@rule("modifier", "(sorted|ordered|ranked) [by value] [in] (descending|decreasing) [order]", "descending", largest=True)
@rule("modifier", "(sorted|ordered|ranked) [by value] [in] (ascending|increasing) [order]", largest=False)
@rule("modifier", "[sorted|ordered|ranked] from (highest|largest) to (lowest|smallest)", largest=True)
@rule("modifier", "[sorted|ordered|ranked] from (lowest|smallest) to (highest|largest)", largest=False)
@rule("modifier", "(highest|largest|biggest|most|longest) first", largest=True)
@rule("modifier", "(lowest|smallest|fewest|least|shortest) first", largest=False)
def _sort(reader: Reader, largest: bool) -> Sort:
    return Sort(largest)


@rule("modifier", "(are|is|were|was) there", "there (are|were)", "do we have", "did we have", "exist", "in total")
def _there(reader: Reader) -> There:
    return There()


@rule(
    "modifier",
    "(in|of|from|for|on) <table>",
    "using <table>",
    "does <table> (have|contain)",
    "overall",
    "altogether",
    "in all",
)
@rule("modifier", "are in <table>", "are there in <table>")
def _nothing(reader: Reader, **_: object) -> Nothing:
    return Nothing()


@rule("modifier", "on average")
def _on_average(reader: Reader) -> OnAverage:
    return OnAverage()


_NEUTRAL = (
    "(placed|made|recorded|taken|listed|logged|registered|entered|observed|measured|collected|given|found|counted)"
)


@rule("modifier", f"[that|which] (was|were|are|is|have been|has been|been) {_NEUTRAL}", f"{_NEUTRAL} [there]")
@rule(
    "modifier",
    "(do|did) (we|they|you) (have|get|make|see|sell|record|list|serve|offer|count)",
    "did happen",
    "happened",
)
@rule("modifier", "(do|does|did) (it|<table>) (have|contain|include|hold|list|cover)", "took place")
def _neutral(reader: Reader, **_: Any) -> There | None:
    """“How many orders were placed”: a verb that says no more than "there are"."""
    keys = {token.key for token in reader.tokens}
    columns = {word for column in reader.schema.table.columns for word in words(column.name)}
    return There() if not keys & columns & set(_NEUTRAL[1:-1].split("|")) else None


@rule("modifier", "(per|for each|of each) <row>")
def _per_row(reader: Reader, row: str) -> PerRow | None:
    return PerRow() if row == "one" else None


@rule("modifiers", "<modifier*>")
def _modifiers(reader: Reader, modifier: tuple[Any, ...]) -> tuple[Any, ...]:
    return modifier


@rule("modifier", ", <modifier>")
def _after_comma(reader: Reader, modifier: object) -> object:
    return modifier
