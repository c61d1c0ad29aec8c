"""A small grammar: rules are written as text, and every reading of a sentence is found.

A pattern is a row of words and references: ``how many <rows> [are there]``, ``(of|for) <column>``. Brackets are
optional, bars separate alternatives, ``<name>`` refers to other rules (``<name:key>`` binds it under another key), and
``<name*>`` to any number of them. A rule's action gets what its references matched and returns the rule's value, or
None to refuse. Nothing is skipped: a sentence is understood when a rule covers all of its tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from .schema import Schema
from .tokens import Token

__all__ = ["MOST_STEPS", "Grammar", "Reader", "TooLong"]

MOST_IN_A_ROW = 8  # phrases of one kind: nobody says more conditions and groups at once
MOST_STEPS = 50_000  # matches of rules: a usual question takes some hundred

Bindings = dict[str, Any]
Match = tuple[Bindings, int]
Action = Callable[..., Any]
Declared = TypeVar("Declared", bound=Callable[..., Any])
Terminal = Callable[["Reader", int], Iterator[tuple[Any, int]]]


class TooLong(Exception):
    """A sentence has more readings than anybody means."""


@dataclass(frozen=True)
class _Word:
    key: str

    def match(self, reader: Reader, at: int, bound: Bindings) -> Iterator[Match]:
        if at < len(reader.tokens) and reader.tokens[at].key == self.key and reader.tokens[at].kind != "quoted":
            yield bound, reader.reached(at + 1)


@dataclass(frozen=True)
class _Reference:
    name: str
    key: str
    many: bool

    def match(self, reader: Reader, at: int, bound: Bindings) -> Iterator[Match]:
        found = reader.many(self.name, at) if self.many else reader.find(self.name, at)
        for value, end in found:
            yield {**bound, self.key: value}, end


@dataclass(frozen=True)
class _Choice:
    options: tuple[_Row, ...]

    def match(self, reader: Reader, at: int, bound: Bindings) -> Iterator[Match]:
        for option in self.options:
            yield from option.match(reader, at, bound)


@dataclass(frozen=True)
class _Row:
    items: tuple[_Word | _Reference | _Choice, ...]

    def match(self, reader: Reader, at: int, bound: Bindings) -> Iterator[Match]:
        if not self.items:
            yield bound, at
            return
        for inner, end in self.items[0].match(reader, at, bound):
            yield from self.rest.match(reader, end, inner)

    @cached_property
    def rest(self) -> _Row:
        """The row behind its first item."""
        return _Row(self.items[1:])

    @cached_property
    def first(self) -> frozenset[str] | None:
        """The words with which it must begin; None where it may begin otherwise, or be empty."""
        if not self.items or isinstance(self.items[0], _Reference):
            return None
        if isinstance(self.items[0], _Word):
            return frozenset([self.items[0].key])
        firsts = [option.first if option.items else self.rest.first for option in self.items[0].options]
        return None if None in firsts else frozenset().union(*(first for first in firsts if first))


class Grammar:
    """Rules and terminals by name, and the words that occur in them."""

    def __init__(self) -> None:
        self.rules: dict[str, list[tuple[_Row, Action]]] = {}
        self.terminals: dict[str, Terminal] = {}
        self.vocabulary: set[str] = set()

    def rule(self, name: str, /, *patterns: str, **fixed: Any) -> Callable[[Declared], Declared]:
        """Declare that each of ``patterns`` is a ``name``; its action also gets ``fixed``."""

        def declare(action: Declared) -> Declared:
            for pattern in patterns:
                self.add(name, pattern, lambda reader, **bound: action(reader, **{**fixed, **bound}))
            return action

        return declare

    def add(self, name: str, pattern: str, action: Action) -> None:
        """Declare one rule."""
        row = _Pattern(pattern, self.vocabulary).row()
        self.rules.setdefault(name, []).append((row, action))

    def words(self, name: str, table: Mapping[str, Any]) -> None:
        """Declare a rule for each phrase of ``table``; its value is the entry."""
        for phrase, value in table.items():
            self.add(name, phrase, lambda reader, value=value: value)

    def terminal(self, name: str) -> Callable[[Terminal], Terminal]:
        """Declare a function that finds ``name`` at a token by other means than words."""

        def declare(find: Terminal) -> Terminal:
            self.terminals[name] = find
            return find

        return declare


class Reader:
    """One sentence being read against one table's schema."""

    def __init__(self, grammar: Grammar, tokens: tuple[Token, ...], schema: Schema) -> None:
        self.grammar = grammar
        self.tokens = tokens
        self.schema = schema
        self.furthest = 0
        self.refusals: dict[str, int] = {}
        self.partial: dict[str, str] = {}  # a column's name by the words that were taken for it
        self.steps = 0
        self._found: dict[tuple[str, int], list[tuple[Any, int]]] = {}
        self._rows: dict[tuple[str, int, int], list[tuple[tuple[Any, ...], int]]] = {}

    def reached(self, at: int) -> int:
        """Remember how far any reading came."""
        self.furthest = max(self.furthest, at)
        return at

    def refuse(self, reason: str) -> None:
        """Say why a reading that fits the grammar is not taken; returns None, as an action does to refuse."""
        self.refusals.setdefault(reason, self.furthest)

    def whole(self, name: str) -> list[Any]:
        """Every reading of the whole sentence as ``name``, each once."""
        return [value for value, end in self.find(name, 0) if end == len(self.tokens)]

    def find(self, name: str, at: int) -> list[tuple[Any, int]]:
        """Every way to read ``name`` from token ``at``: its value and the token after it."""
        if (name, at) not in self._found:
            self._found[name, at] = []
            self._found[name, at] = self._search(name, at)
        return self._found[name, at]

    def many(self, name: str, at: int, most: int = MOST_IN_A_ROW) -> list[tuple[tuple[Any, ...], int]]:
        """Up to ``most`` times ``name`` one after another, the longest row first."""
        if (name, at, most) not in self._rows:
            row: list[tuple[tuple[Any, ...], int]] = []
            for value, end in self.find(name, at) if most else ():
                for rest, last in self.many(name, end, most - 1) if end > at else ():
                    self._step()
                    row.append(((value, *rest), last))
            self._rows[name, at, most] = [*row, ((), at)]
        return self._rows[name, at, most]

    def _step(self) -> None:
        """Count a match; raises TooLong when there are more than any question needs."""
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TooLong

    def _search(self, name: str, at: int) -> list[tuple[Any, int]]:
        found: list[tuple[Any, int]] = []
        if name in self.grammar.terminals:
            for value, end in self.grammar.terminals[name](self, at):
                found.append((value, self.reached(end)))
        word = self.tokens[at].key if at < len(self.tokens) else ""
        for row, action in self.grammar.rules.get(name, ()):
            if row.first is not None and word not in row.first:
                continue
            for bound, end in row.match(self, at, {}):
                self._step()
                value = action(self, **bound)
                if value is not None and (value, end) not in found:
                    found.append((value, end))
        return found


class _Pattern:
    """The reader of a pattern's text."""

    def __init__(self, text: str, vocabulary: set[str]) -> None:
        self.parts: list[str] = re.findall(r"<[^<>\s]+>|[\[\]()|]|[^\s<>\[\]()|]+|[<>]=?", text)
        self.vocabulary = vocabulary
        self.at = 0

    def row(self) -> _Row:
        """The items up to the next bar or closing bracket."""
        items: list[_Word | _Reference | _Choice] = []
        while self.at < len(self.parts) and self.parts[self.at] not in {"]", ")", "|"}:
            items.append(self._item())
        return _Row(tuple(items))

    def _item(self) -> _Word | _Reference | _Choice:
        part = self._next()
        if part in {"[", "("}:
            options = self._options()
            return _Choice((*options, _Row(()))) if part == "[" else _Choice(options)
        reference = re.fullmatch(r"<(\w+)(\*?)(?::(\w+))?>", part)
        if reference:
            name, star, key = reference.groups()
            return _Reference(name, key or name, bool(star))
        self.vocabulary.add(part)
        return _Word(part)

    def _options(self) -> tuple[_Row, ...]:
        options = [self.row()]
        while self._next() == "|":
            options.append(self.row())
        return tuple(options)

    def _next(self) -> str:
        self.at += 1
        return self.parts[self.at - 1]
