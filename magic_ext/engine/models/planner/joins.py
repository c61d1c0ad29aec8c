"""Two or more tables as one: found by a key that they share, and only where no row of the first comes twice.

A joined table has the rows of its first table, each with the one row of every other table that has the same key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from msgspec.structs import replace

from ..base import Column, Table
from .cell import literal
from .lexicon import DATE_WORDS
from .plan import Aggregate, Condition, Flag, Plan, Question, Rows, columns_of, conditions_of
from .schema import Schema, is_time
from .titles import code_span
from .tokens import singular, tokenize, words

__all__ = ["Joined", "joined_tables"]


@dataclass(frozen=True)
class _Key:
    """The column of one table, and that of the other where its values are unique."""

    left: Column
    right: Column


@dataclass(frozen=True)
class Joined:
    """A table joined from several, and what the sentence says of it."""

    table: Table
    text: str
    note: str
    others: frozenset[Column]
    asks: bool = False  # whether it only tells which rows the other table has

    def takes(self, question: Question) -> bool:
        """Whether the question needs the other tables, and adds up nothing of theirs, which comes again and again."""
        used = set(columns_of(question))
        if not used & self.others:
            return False
        if self.asks:
            tests = [test for test in conditions_of(question) if test.column in self.others]
            return bool(tests) and isinstance(question, Aggregate | Rows) and self._asked(tests[0])
        if isinstance(question, Aggregate):
            measured = {c for m in question.measures for c in (m.column, m.of) if c and not isinstance(c, Flag)}
            return not measured & self.others
        return isinstance(question, Rows) and question.column not in self.others

    def _asked(self, test: Condition) -> bool:
        name = re.escape(test.column.name)
        having = rf"\b(have|has|had|with|having)\s+(any\s+|some\s+|made\s+|at\s+least\s+one\s+)?{name}\b"
        return test.values == (False,) or re.search(having, self.text, re.IGNORECASE) is not None

    def noted(self, plan: Plan) -> Plan:
        """The plan, with a word on how the tables were joined."""
        return replace(plan, notes=(*plan.notes, self.note))


def joined_tables(text: str, tables: Sequence[Table]) -> Iterator[Joined]:
    """Every way to join ``tables`` so that the rows of one of them stay what they are."""
    different = list({table.name: table for table in tables}.values())
    for left in different:
        keys = {right.name: key for right in different if right != left and (key := _key(left, right))}
        rights = [right for right in different if right.name in keys]
        for size in range(1, len(rights) + 1):
            for some in combinations(rights, size):
                yield _star(text, left, [(right, keys[right.name]) for right in some], different)
        for right in different:
            if right != left and (key := _key(right, left)):
                yield _with_or_without(text, left, right, key, different)


def _key(left: Table, right: Table) -> _Key | None:
    """The one pair of columns by which each row of ``left`` has at most one row of ``right``."""
    noun = singular(words(right.label or right.name)[-1]) if words(right.label or right.name) else ""
    found = [
        _Key(one, other)
        for one in left.columns
        for other in right.columns
        if one.kind == other.kind
        and one.kind in {"integer", "text"}
        and (one.name == other.name or (words(other.name) == ("id",) and words(one.name) == (noun, "id")))
        and other.unique == right.rows
        and not other.missing
        and one.name != "id"
    ]
    return found[0] if len(found) == 1 else None


def _star(text: str, left: Table, rights: list[tuple[Table, _Key]], tables: Sequence[Table]) -> Joined:
    name = _free("joined", tables)
    columns, loads, notes, source = list(left.columns), [left.load], [], left.name
    others: set[Column] = set()
    dated = any(is_time(column) for column in left.columns)
    for right, key in rights:
        ending = f"_{right.name}"
        taken = {column.name for column in columns}
        added = [
            replace(column, name=column.name + ending if column.name in taken else column.name)
            for column in right.columns
            if column != key.right and not (dated and is_time(column) and not _mentions(text, column))
        ]
        on = f"on={literal(key.left.name)}"
        if key.left.name != key.right.name:
            on = f"left_on={literal(key.left.name)}, right_on={literal(key.right.name)}"
        more = f'how="left", validate="many_to_one", suffixes=("", {literal(ending)})'
        loads += [right.load, f"{name} = {source}.merge({right.name}, {on}, {more})"]
        notes.append(f"Each row has its row of {_said(right)} with the same {code_span(key.right.name)}")
        columns += added
        others |= set(added)
        source = name
    load = "\n".join(dict.fromkeys(line for line in loads if line))
    table = Table(name, left.rows, tuple(columns), load, left.label or left.name)
    return Joined(table, _plain(text, [left, *(right for right, _ in rights)]), "; ".join(notes), frozenset(others))


def _with_or_without(text: str, left: Table, right: Table, key: _Key, tables: Sequence[Table]) -> Joined:
    """The rows of ``left``, and whether ``right`` has any for each: "customers without orders"."""
    name = _free("known", tables)
    flag = Column(right.label or right.name, "boolean", unique=2)
    there = f"{left.name}[{literal(key.right.name)}].isin({right.name}[{literal(key.left.name)}])"
    loads = [left.load, right.load, f"{name} = {left.name}.assign(**{{{literal(flag.name)}: {there}}})"]
    table = Table(name, left.rows, (*left.columns, flag), "\n".join(filter(None, loads)), left.label or left.name)
    note = f"{code_span(flag.name)} says whether {_said(right)} has the same {code_span(key.left.name)}"
    said = re.sub(r"\b(anything|something)\b", flag.name, text)
    return Joined(table, said, note, frozenset([flag]), asks=True)


def _free(wanted: str, tables: Sequence[Table]) -> str:
    while any(table.name == wanted for table in tables):
        wanted += "_"
    return wanted


def _mentions(text: str, column: Column) -> bool:
    """Whether a word of the column's name, other than "date", is in the text."""
    said = {token.key.removesuffix("ed").removesuffix("up") for token in tokenize(text)}
    own = {word.removesuffix("ed").removesuffix("up") for word in words(column.name)} - DATE_WORDS
    return bool(said & own)


def _said(table: Table) -> str:
    return code_span(table.label or table.name)


def _plain(text: str, tables: Sequence[Table]) -> str:
    """The question without "in orders and customers", and with "city" for "customer city"."""
    names = "|".join(re.escape(name) for table in tables for name in {table.name, table.label} if name)
    both = rf"\s+(?:in|from|of|using|with|across|for)\s+`?(?:{names})`?(?:\s*(?:,|and|with|,\s*and)\s*`?(?:{names})`?)+"
    text = re.sub(both, "", text)
    for table in tables[1:]:
        schema, tokens = Schema(table, text), tokenize(text)
        noun = singular(words(table.label or table.name)[-1]) if words(table.label or table.name) else ""
        for at, token in reversed(list(enumerate(tokens[:-1]))):
            own = schema.column(tokens, at)
            behind = schema.column(tokens, at + 1)
            longer = own is not None and behind is not None and own.end >= behind.end
            if singular(token.key.removesuffix("'s")) == noun and behind and not longer:
                text = text[: token.start] + text[tokens[at + 1].start :]
        text = _of_values(text, table, noun, tables[0])
    return text


def _of_values(text: str, table: Table, noun: str, rows: Table) -> str:
    """“Corporate" for "Corporate customers", and the rows' own noun in "of customers from the North"."""
    schema, tokens = Schema(table, text), tokenize(text)
    ends = {found.end for at in range(len(tokens)) if (found := schema.value(tokens, at))}
    for at, token in reversed(list(enumerate(tokens))):
        before = tokens[at - 1].key if at else ""
        behind = tokens[at + 1].key if at + 1 < len(tokens) else ""
        if singular(token.key) != noun:
            continue
        if at in ends:
            text = text[: token.start].rstrip() + text[token.end :]
        elif before in {"of", "for", "from", "by"} and behind in {"from", "in", "with", "who", "that", "whose", "on"}:
            text = text[: token.start] + (rows.label or rows.name) + text[token.end :]
    return text
