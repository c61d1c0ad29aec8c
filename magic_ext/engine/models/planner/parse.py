"""From a question's text to plans: every word is used, and there is one reading, or there is no plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from ..base import Table
from . import compared, drawings, inventory, near, ranked, shares, trends  # noqa: F401  # declare their rules
from .defining import defined
from .doubts import meanings
from .followups import revise
from .grammar import Reader
from .joins import joined_tables
from .lexicon import ADJECTIVES, COMPARATIVES, NUMBER_WORDS
from .phrases import As
from .plan import Aggregate, Open, Plan, Question, Rows, columns_of, conditions_of, groups_of
from .questions import grammar
from .schema import Schema
from .titles import plain
from .tokens import Token, sentences, tokenize

__all__ = ["Declined", "parse"]

VERBS = {
    "show",
    "give",
    "tell",
    "print",
    "list",
    "display",
    "find",
    "get",
    "calculate",
    "compute",
    "determine",
    "report",
    "name",
    "plot",
    "draw",
    "chart",
    "graph",
    "visualise",
    "visualize",
    "make",
    "create",
    "describe",
    "summarise",
    "summarize",
    "what",
    "which",
    "how",
}
KNOWN = {*NUMBER_WORDS, *ADJECTIVES, *COMPARATIVES, "true", "false"}

rule = grammar.rule
Asked = tuple[Question | Open, ...]


class Declined(msgspec.Struct, frozen=True):
    """Why there is no plan: words that nobody knows, reasons, or several plans that would fit as well."""

    unknown: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    readings: tuple[Plan, ...] = ()


@grammar.terminal("command")
def _command(reader: Reader, at: int) -> Iterator[tuple[Question, int]]:
    """A question that begins with a verb or a question word: only such a one starts anew after "and"."""
    if at < len(reader.tokens) and reader.tokens[at].key in VERBS:
        yield from reader.find("question", at)


@rule(
    "two",
    "<question> [,] (and|then|and then) <drawing:second>",
    "<question> , <drawing:second>",
    "<question> [,] (and|and then|then) <command:second>",
)
def _two(reader: Reader, question: Question | Open, second: As | Question | Open) -> tuple[Question, ...] | None:
    if isinstance(question, Open) or isinstance(second, Open):
        return None
    if isinstance(second, As):
        drawn = revise(reader, question, second)
        return (drawn,) if drawn and not isinstance(drawn, Open) else None
    # "... and show the mean for males": whose rows? Only asks without filters, grouped before the "and", stand alone.
    filtered = conditions_of(question) or conditions_of(second)
    grouped = groups_of(question) or not groups_of(second)
    return None if filtered or not grouped else (question, second)


@rule("courtesy", "thanks", "thank you", "hi", "hello", "hey")
@rule("courtesy", "[(can|could) you] (generate|write) and (run|execute) [python] code")
def _courtesy(reader: Reader) -> str:
    return "courtesy"


def parse(text: str, tables: Sequence[Table], last: tuple[Plan, ...] = ()) -> tuple[Plan, ...] | Declined:
    """Read ``text`` as questions about one of ``tables``, or as a change of the ``last`` plan."""
    quoted = {token.text for token in tokenize(text) if token.kind == "quoted"}
    meant = [table for table in tables if quoted & {table.name, table.label}]
    results = [_parse(text, table, last) for table in (meant or tables)]
    if len(tables) > 1 and (len(meant) > 1 or all(isinstance(one, Declined) and not _open(one) for one in results)):
        joined = _joined(text, meant if len(meant) > 1 else tables, last)
        if joined:
            return joined
    plans = [result for result in results if not isinstance(result, Declined)]
    if len(plans) > 1:
        named = [plan for plan in plans if _mentions(text, plan[0].table)]
        plans = named or [plan for plan in plans if last and plan[0].table == last[-1].table] or plans
    if len(meant) > 1:
        if next(joined_tables(text, meant), None):
            return Declined(reasons=("I can join these tables, but not read what you ask of them together",))
        return Declined(reasons=("no key that these tables have in common joins them",))
    if len(plans) == 1:
        return plans[0]
    if plans:
        names = " or ".join(f"`{plan[0].table.label or plan[0].table.name}`" for plan in plans)
        return Declined(reasons=(f"this could be about {names}; name one of them",))
    return _merged([result for result in results if isinstance(result, Declined)])


def _open(why: Declined) -> bool:
    """Whether one table has all the words, and several meanings for them."""
    return bool(why.readings) and not why.unknown


def _joined(text: str, tables: Sequence[Table], last: tuple[Plan, ...]) -> tuple[Plan, ...] | Declined | None:
    """The question about tables that are joined, if there is one way to join them for it."""
    found: dict[tuple[Plan, ...], None] = {}
    for joined in joined_tables(text, tables):
        plans = _parse(joined.text, joined.table, tuple(replace(plan, notes=()) for plan in last))
        if not isinstance(plans, Declined) and all(joined.takes(plan.question) for plan in plans):
            found[tuple(joined.noted(plan) for plan in plans)] = None
    smallest = min((len(plans[0].table.columns) for plans in found), default=0)
    best = [plans for plans in found if len(plans[0].table.columns) == smallest]
    if len(best) > 1:
        return Declined(readings=tuple(plans[0] for plans in best)[:3])
    return best[0] if best else None


def _mentions(text: str, table: Table) -> bool:
    schema, tokens = Schema(table, text), tokenize(text)
    return any(schema.named(tokens, at) for at in range(len(tokens)))


def _parse(text: str, table: Table, last: tuple[Plan, ...]) -> tuple[Plan, ...] | Declined:
    """The text against one table; slips of the fingers in the grammar's own words are mended, and told."""
    if definition := defined(text, table):
        rest, wider, note = definition
        plans = _parse(rest, wider, last)
        if isinstance(plans, Declined):
            return replace(plans, readings=tuple(replace(plan, table=table) for plan in plans.readings))
        return tuple(replace(plan, table=table, notes=(note, *plan.notes)) for plan in plans)
    read = _exactly(text, table, last)
    if not isinstance(read, Declined) or not read.unknown:
        return read
    schema = Schema(table, text)
    own = {said: "" if near.of_table(said.casefold(), schema) else _mended(said) for said in read.unknown}
    if all(own.values()):
        again = _exactly(near.replaced(text, own), table, last)
        notes = tuple(f"“{plain(said)}” is read as “{word}”" for said, word in own.items())
        if not isinstance(again, Declined):
            return tuple(replace(plan, notes=(*notes, *plan.notes)) for plan in again)
    return _meant(text, table, last, read)


def _mended(said: str) -> str:
    return near.mended(said.casefold(), grammar.vocabulary)


def _meant(text: str, table: Table, last: tuple[Plan, ...], read: Declined) -> Declined:
    """What was perhaps meant by misspelt names: asked back, with the plan that it would be."""
    schema = Schema(table, text)
    meant = {said: near.of_table(said.casefold(), schema) or _mended(said) for said in read.unknown}
    if not any(meant.values()):
        return read
    asked = ", ".join(f"“{word}” for “{plain(said)}”" for said, word in meant.items() if word)
    again = _exactly(near.replaced(text, meant), table, last) if all(meant.values()) else Declined()
    plans = again.readings if isinstance(again, Declined) else again
    return Declined(read.unknown, (f"did you mean {asked}?", *read.reasons), plans or read.readings)


def _exactly(text: str, table: Table, last: tuple[Plan, ...]) -> tuple[Plan, ...] | Declined:
    """All sentences against one table. A drawing replaces what it draws; any other ask stands beside the first."""
    schema = Schema(table, text)
    plans: list[Plan] = []
    for sentence in sentences(text, tokenize(text)):
        reader = Reader(grammar, schema.without_articles(sentence), schema)
        if reader.whole("courtesy"):
            continue
        before = plans or [plan for plan in last if plan.table == table]
        new, revised = _read(reader, before[-1].question if before else None)
        questions = revised or new
        certain = [asked for asked in questions if not any(isinstance(one, Open) for one in asked)]
        if len(certain) != 1:
            return _why(reader, _readings(table, reader, certain or questions))
        questions = certain
        if (doubted := _doubted(table, reader, questions[0])) is not None:
            return doubted
        drawn = plans and not new and reader.whole("drawing")
        plans = (plans[:-1] if drawn else plans) + [
            _plan(table, question, reader) for question in questions[0] if not isinstance(question, Open)
        ]
    return tuple(plans) or Declined()


def _readings(table: Table, reader: Reader, asked: list[Asked]) -> tuple[Plan, ...]:
    """What the sentence could mean, each once."""
    options: list[Question] = []
    for first, *_ in asked:
        for option in first.options if isinstance(first, Open) else (first,):
            options += meanings(reader, option)
    return tuple(_plan(table, question, reader) for question in dict.fromkeys(options))


def _doubted(table: Table, reader: Reader, asked: Asked) -> Declined | None:
    """What the one reading could mean as well, if a word of it has two meanings in the table."""
    for question in asked:
        if not isinstance(question, Open) and meanings(reader, question) != (question,):
            return _why(reader, _readings(table, reader, [(question,)]))
    return None


def _read(reader: Reader, base: Question | None) -> tuple[list[Asked], list[Asked]]:
    """The readings as a new question, else as a change of ``base``; each once."""
    asked = reader.whole("question")
    narrow = [one for one in asked if isinstance(one, Rows) and one.show and replace(one, show=()) in asked]
    new: list[Asked] = [(one,) for one in asked if one not in narrow] or reader.whole("two")
    rates = [asked for asked in new if isinstance(asked[0], Aggregate) and asked[0].measures[0].how == "percent"]
    others = [asked[0] for asked in new if asked not in rates]
    if len(rates) == 1 and all(isinstance(other, Aggregate) and other.where for other in others):
        new = (
            rates  # "percentage of rows with status 500 by path" is of each path's rows, no division of those with 500
        )
    revised: list[Asked] = []
    if base is not None and all(isinstance(first, Open) for first, *_ in new):
        for change in reader.whole("followup"):
            question = revise(reader, base, change)
            if question is not None and (question,) not in revised:
                revised.append((question,))
    return new, revised


def _plan(table: Table, question: Question, reader: Reader) -> Plan:
    notes = tuple(
        f"“{said}” is taken for `{column.name}`"
        for column in columns_of(question)
        if (said := reader.partial.get(column.name))
    )
    return Plan(table, question, notes)


def _why(reader: Reader, readings: tuple[Plan, ...]) -> Declined:
    if readings:
        return Declined(reasons=tuple(reader.refusals)[:1], readings=readings)
    unknown = tuple(_unknown(reader))
    if unknown:
        return Declined(unknown=unknown, readings=_without(reader, unknown))
    late = sorted(reader.refusals, key=lambda reason: -reader.refusals[reason])
    if late:
        return Declined(reasons=tuple(late[:2]))
    at = min(reader.furthest, len(reader.tokens) - 1)
    rest = reader.schema.text[reader.tokens[at].start : reader.tokens[-1].end] if reader.tokens else ""
    return Declined(reasons=(f"each word is known, but not in this order, from “{rest}” on",))


_BEFORE = {"in", "of", "for", "on", "at", "with", "by", "from", "and", "or", ",", "to", "than", "per", "who", "that"}


def _without(reader: Reader, unknown: tuple[str, ...]) -> tuple[Plan, ...]:
    """What is left of the sentence without its strange words, when that is one question."""
    kept: list[Token] = []
    for token in reader.tokens:
        if token.text not in unknown:
            kept.append(token)
        while token.text in unknown and kept and kept[-1].key in _BEFORE:
            kept.pop()
    rest = Reader(grammar, tuple(kept), reader.schema)
    asked = _readings(reader.schema.table, rest, _read(rest, None)[0]) if kept else ()
    return asked if len(asked) == 1 else ()


def _unknown(reader: Reader) -> Iterator[str]:
    """The words that are neither the grammar's nor a name, a value or a number."""
    at = 0
    while at < len(reader.tokens):
        token = reader.tokens[at]
        ends = [
            found.end
            for found in (reader.schema.column(reader.tokens, at), reader.schema.value(reader.tokens, at))
            if found
        ]
        ends += [end] if (end := reader.schema.named(reader.tokens, at)) else []
        ends += [end] if (end := reader.schema.row_noun(reader.tokens, at)) else []
        ends += [
            end for name in ("dated", "unit", "verb", "did", "how_heavy", "by_whom") for _, end in reader.find(name, at)
        ]
        if ends:
            at = max(ends)
            continue
        known = token.key in KNOWN or token.key in grammar.vocabulary or token.kind in {"number", "date"}
        if not known:
            yield token.text
        at += 1


def _merged(declined: list[Declined]) -> Declined:
    """One refusal for all tables: a word is unknown only when no table knows it."""
    if not declined:
        return Declined()
    best = min(declined, key=lambda one: (len(one.unknown), not one.readings, not one.reasons))
    unknown = [set(one.unknown) for one in declined]
    common = tuple(word for word in best.unknown if all(word in words for words in unknown))
    reasons = best.reasons if best.reasons or common or best.readings else ("no single table has all of this",)
    return Declined(common, reasons, best.readings)
