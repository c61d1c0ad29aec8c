"""German questions, rewritten phrase by phrase into the words of the English grammar.

Names and values of the tables, numbers and quoted text stay as they are. Every other word must be in the lists of
:mod:`german_words`, or the question is declined by the words that are not: nothing is left out, as in English.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from ..base import Column, Table
from .german_order import numbers, ordered
from .german_words import ENDINGS, HEADS, MONTHS, NOUNS, SMALL, STEMS, fold
from .lexicon import IRREGULAR, PEOPLE
from .parse import Declined, parse
from .plan import Plan
from .questions import grammar
from .schema import Schema, unit_of
from .tokens import Token, tokenize, words

__all__ = ["english", "read"]

_ARTICLES = frozenset({"der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "eines"})
_GENITIVE = frozenset({"der", "des", "eines", "einer"})
_NEAR = frozenset(
    {"nach", "uber", "unter", "ab", "bis", "von", "vom", "grosser", "kleiner"}
)  # what they mean, what follows tells
_SHARED = frozenset({"was", "war", "die", "an", "am", "hat", "ab"})  # English words too: they make no question German
# Behind these an "of" is missing when a name follows: "Anzahl Zeilen".
_OF = ("number", "share", "percentage", "distribution", "chart", "plot", "histogram")
_PLURALS = {singular: plural for plural, singular in IRREGULAR.items()} | {"species": "species"}
_LONG = 600  # characters: nobody asks a table that much, and the order of words is found by searching
_LONGEST = 4  # words in a phrase of the lists


@dataclass(frozen=True)
class _Piece:
    """A phrase of the question in English; ``kind`` is what it was: name, head, word, article, number, mark, near.

    Of a near word what follows tells the meaning.
    """

    kind: str
    text: str
    said: str = ""


def read(text: str, tables: Sequence[Table], last: tuple[Plan, ...]) -> tuple[Plan, ...] | Declined | None:
    """The plans of a German question, or why it is declined, in its own words; None when it is not German."""
    found = english(text, tables)
    if found is None or isinstance(found, Declined):
        return found
    said, origin = found
    plans = parse(said, tables, last)
    if isinstance(plans, Declined):
        return Declined(
            tuple(origin.get(word, word) for word in plans.unknown),
            tuple(_in_german(reason, origin) for reason in plans.reasons),
            plans.readings,
        )
    return tuple(replace(plan, notes=tuple(_in_german(note, origin) for note in plan.notes)) for plan in plans)


def _in_german(sentence: str, origin: dict[str, str]) -> str:
    """Quote the question as it was written; of a rewritten order of words there is nothing to quote."""
    sentence = re.sub(r"(?<=not in this order), from “.*", "", sentence, flags=re.DOTALL)
    return re.sub(r"“([^”]*)”", lambda quoted: f"“{origin.get(quoted[1], quoted[1])}”", sentence)


def english(text: str, tables: Sequence[Table]) -> tuple[str, dict[str, str]] | Declined | None:
    """The question in English and which German word each translated one was; None for a question that is not German."""
    if len(text) > _LONG:
        return None
    text = ordered(numbers(text))
    reader = _Translator(text, tuple(Schema(table, text) for table in tables))
    pieces = list(reader.pieces())
    if not reader.german or reader.foreign:
        return None
    settled = [piece for piece in _settled(pieces) if piece.text]
    unknown = tuple(piece.said for piece in settled if piece.kind == "unknown")
    if unknown or reader.ambiguous:
        return Declined(unknown, tuple(reader.ambiguous))
    origin = {piece.text: piece.said for piece in settled if piece.said}
    return " ".join(piece.text for piece in settled), origin


# --- words ----------------------------------------------------------------------------------------------------------


class _Translator:
    """One question against the tables; notes whether it is German as it reads."""

    def __init__(self, text: str, schemas: tuple[Schema, ...]) -> None:
        self.text = text
        self.schemas = schemas
        self.tokens = tokenize(text)
        self.keys = [fold(token.text) for token in self.tokens]
        self.german = False
        self.foreign = False
        self.ambiguous: list[str] = []

    def pieces(self) -> Iterator[_Piece]:
        """The question, piece by piece: the tables' own words first, then the longest phrase of the lists."""
        at = 0
        while at < len(self.tokens):
            piece, at = self._piece(at)
            yield piece

    def _piece(self, at: int) -> tuple[_Piece, int]:
        token = self.tokens[at]
        listed = self._listed(at)
        end = self._own(at)
        if end > at and (not listed or end >= listed[1]):
            kind = "name" if end in self._columns(at) else "value"
            return _Piece(kind, self.text[token.start : self.tokens[end - 1].end]), end
        if listed:
            return listed
        if token.text == "-" and self.tokens[at + 1 :] and self.tokens[at + 1].kind == "number":
            return _Piece("number", self.text[token.start : self.tokens[at + 1].end]), at + 2
        if token.kind != "word":
            return _Piece("number" if token.kind in {"number", "date"} else "mark", self._written(token)), at + 1
        if self._numeral(token):
            return _Piece("number", token.text), at + 1
        return self._noun(at), at + 1

    def _written(self, token: Token) -> str:
        return self.text[token.start : token.end]

    def _numeral(self, token: Token) -> bool:
        return bool(re.fullmatch(r"\d+(th|k)|q[1-4]|p\d\d", token.key))

    def _own(self, at: int) -> int:
        """Where a name or a value of a table ends; a small word is one only exactly as it is written there."""
        token = self.tokens[at]
        if token.kind == "number":
            return at
        values = [schema.value(self.tokens, at) for schema in self.schemas]
        end = max([at, *self._columns(at), *(value.end for value in values if value)])
        small = self.keys[at] in {*SMALL, *_ARTICLES, *_NEAR}
        return at if end == at + 1 and small and not self._exactly(token.text) else end

    def _columns(self, at: int) -> set[int]:
        """Where the columns and tables that token ``at`` begins to name end."""
        found = [schema.column(self.tokens, at) for schema in self.schemas]
        rows = [end for one in self.schemas for end in (one.named(self.tokens, at), one.row_noun(self.tokens, at))]
        return {end for end in (*(one.end for one in found if one), *rows) if end}

    def _exactly(self, name: str) -> bool:
        columns = [column for schema in self.schemas for column in schema.table.columns]
        return any(name == column.name or name in column.values for column in columns)

    def _listed(self, at: int) -> tuple[_Piece, int] | None:
        for size in range(min(_LONGEST, len(self.tokens) - at), 0, -1):
            row = self.tokens[at : at + size]
            if any(token.kind != "word" for token in row):
                continue
            key = " ".join(self.keys[at : at + size])
            said = self.text[row[0].start : row[-1].end]
            kind = "head" if key in HEADS else "word" if key in SMALL else ""
            if kind or key in {*_ARTICLES, *_NEAR}:
                meant = HEADS.get(key, SMALL.get(key, ""))
                self._saw(key, meant)
                kind = "near" if key in _NEAR else "article" if key in _ARTICLES else kind
                return _Piece(kind, meant, said), at + size
            stem = next((stem for stem in _stems(key) if stem in STEMS), None) if size == 1 else None
            if stem:
                self._saw(key, STEMS[stem])
                return _Piece("word", STEMS[stem], said), at + 1
        return None

    def _saw(self, german: str, meant: str) -> None:
        self.german = self.german or german not in {*meant.split(), *_SHARED}

    def _noun(self, at: int) -> _Piece:
        """A German name of the tables in another form, or a noun of the lists that names something in them."""
        token = self.tokens[at]
        for prefix, meant in (("gesamt", "total"), ("durchschnitts", "mean")):
            rest = self.keys[at].removeprefix(prefix)
            if rest != self.keys[at] and len(rest) > 3 and (text := self._called(rest, at)):
                self.german = True
                return _Piece("name", f"{meant} {text}", token.text)
        if text := self._called(self.keys[at], at):
            row = tokenize(text)
            column = any(Schema(one.table, text).column(row, 0) for one in self.schemas)
            return _Piece("name" if column else "value", text, token.text)
        self.foreign = self.foreign or token.key in grammar.vocabulary
        return _Piece("unknown", token.text, token.text)

    def _called(self, key: str, at: int) -> str:
        stems = _stems(key)
        own = {name for schema in self.schemas for name in _names(schema) if _same(key, stems, fold(name))}
        if len({fold(name) for name in own}) > 1:
            self._either(at, own)
        if own:
            return min(own)
        base = next((stem for stem in stems if stem in NOUNS), None)
        if base is None:
            return ""
        self._saw(base, NOUNS[base])
        options = [option for option in NOUNS[base].split(" / ") if self._targets(option)]
        if len({target for option in options for target in self._targets(option)}) > 1:
            options = [option for option in options if self._whole(option)] or options
        targets = {target for option in options for target in self._targets(option)}
        if len(options) > 1 and len(targets) > 1:
            self._either(at, targets)
        plural = self._many(key, base, at) and not any("=" in name for name in targets)
        return (_plural(options[0]) if plural else options[0]) if options else ""

    def _either(self, at: int, names: set[str]) -> None:
        listed = " or ".join(f"`{name}`" for name in sorted(names))
        self.ambiguous.append(f"“{self.tokens[at].text}” could be {listed}")

    def _many(self, key: str, base: str, at: int) -> bool:
        # "Die ältesten Mitarbeiter" are several, "der älteste Mitarbeiter" is one.
        before = self.keys[at - 1] if at else ""
        if self.tokens[at].text.islower():
            return False
        if key == base and base.endswith(("er", "el")):
            return before.endswith("en") and any(stem in STEMS for stem in _stems(before))
        return key != base and not (key in {f"{base}s", f"{base}es"} and before in {"des", "eines"})

    def _targets(self, phrase: str) -> set[str]:
        """The columns, or else the values or the rows, that an English phrase names."""
        row = tokenize(phrase)
        columns: set[str] = set()
        others: set[str] = set()
        for schema in (Schema(one.table, phrase) for one in self.schemas):
            found = schema.column(row, 0)
            if found and found.end == len(row):
                columns |= {column.name for column, _ in found.candidates}
            value = schema.value(row, 0)
            if value and value.end == len(row):
                others |= {f"{column.name} = {name}" for column, name in value.candidates}
            people = phrase in PEOPLE and PEOPLE & {*words(schema.table.name), *words(schema.table.label)}
            if people or len(row) in {schema.named(row, 0), schema.row_noun(row, 0)}:
                others.add("rows")
            elif counted := schema.counted_by(phrase):
                others.add(counted.name)
        return columns or others

    def _whole(self, phrase: str) -> bool:
        row = tokenize(phrase)
        found = [Schema(one.table, phrase).column(row, 0) for one in self.schemas]
        return any(one and not one.partial and one.end == len(row) for one in found)


def _same(key: str, stems: tuple[str, ...], name: str) -> bool:
    return name in stems or key in _stems(name)


def _names(schema: Schema) -> Iterator[str]:
    """The tables' names of one word: columns, values, the table itself."""
    table = schema.table
    values = [value for column in table.columns for value in column.values if isinstance(value, str)]
    for name in (*(column.name for column in table.columns), *values, table.name):
        if len(words(name)) == 1:
            yield name
    yield from (words(column.name)[0] for column in table.columns if _measured(column))


def _measured(column: Column) -> bool:
    # "Größen" of a column Größe_cm
    return bool(unit_of(column)) and len(words(column.name)) == 2


def _stems(key: str) -> tuple[str, ...]:
    """A folded word, then without each ending, the longest rest first; also with ae, oe, ue as they are read.

    >>> _stems("stadte")
    ('stadte', 'stadt')
    """
    plain = re.sub(r"([ao])e|(?<![aeq])ue", lambda found: found[1] or "u", key)
    found = [key, plain]
    for word in dict.fromkeys((key, plain)):
        found += [word.removesuffix(end) for end in ENDINGS if word.endswith(end) and len(word) - len(end) > 2]
    return tuple(sorted(dict.fromkeys(found), key=len, reverse=True))


def _plural(noun: str) -> str:
    *before, word = noun.split(" ")
    if word.endswith(("s", "x", "ch")):
        ending = word if word == "species" else f"{word}es"
    elif word.endswith("y") and word[-2:-1] not in "aeou":
        ending = f"{word[:-1]}ies"
    else:
        ending = _PLURALS.get(word, f"{word}s")
    return " ".join([*before, ending])


# --- what depends on the neighbours ---------------------------------------------------------------------------------


def _settled(pieces: list[_Piece]) -> Iterator[_Piece]:
    before = _Piece("", "")
    copula = False
    for at, piece in enumerate(pieces):
        placed = _placed(piece, before, pieces[:at], pieces[at + 1 :])
        if placed.text in {"where", "whose"} and placed.kind == "word":
            copula = True
        elif copula and placed.kind == "name":
            copula = False
            placed = _Piece("name", f"{placed.text} is", placed.said)
        yield placed
        before = placed if placed.text else before


def _placed(piece: _Piece, before: _Piece, done: list[_Piece], rest: list[_Piece]) -> _Piece:
    """The piece as its neighbours have it: "der" is an "of" behind a noun, nothing elsewhere."""
    if piece.kind == "article":
        of = fold(piece.said) in _GENITIVE and before.kind in {"head", "name", "value"} and rest
        return _Piece("word", "of" if of else "")
    if piece.kind == "near":
        return _near(piece, done, rest)
    if piece.kind == "head" and piece.text.endswith(_OF) and rest and _counted(rest[0]):
        return _Piece("head", f"{piece.text} of", piece.said)
    if fold(piece.said) == "am" and rest and _superlative(rest[0]):
        return _Piece("word", "")
    bare = piece.kind == "number" and before.kind in {"name", "value"} and re.fullmatch(r"[12]\d{3}", piece.text)
    if bare and not any(one.text in {"with", "where", "whose", "have"} for one in done):
        return _Piece("number", f"in {piece.text}")  # "Umsatz 2023"
    return piece


def _counted(piece: _Piece) -> bool:
    return piece.kind in {"name", "value", "head"} or piece.text == "different"


def _superlative(piece: _Piece) -> bool:
    return piece.kind == "word" and piece.text in STEMS.values()


def _near(piece: _Piece, done: list[_Piece], rest: list[_Piece]) -> _Piece:
    """“Nach 2008" and "nach Stadt", "von 2007 bis 2008" and "von Umsatz", "über 5" and "über die Zeit"."""
    behind = next((one for one in rest if one.kind != "article"), _Piece("", ""))
    number = behind.kind == "number"
    timed = _is_time(behind, rest)
    word = fold(piece.said)
    match word:
        case "nach":
            meant = "after" if timed else "to" if behind.kind == "value" else "by"
        case "von" | "vom":
            span = (number or timed) and any(fold(one.said) == "bis" for one in rest)
            meant = "from" if span else "on" if re.fullmatch(r"\d{4}-\d\d-\d\d", behind.text) else "of"
        case "bis":
            meant = "to" if any(fold(one.said) in {"von", "vom"} for one in done) else "until"
        case "grosser" | "kleiner":
            meant = "" if not number else "greater than" if word == "grosser" else "less than"
        case "ab":
            meant = "since" if timed else ""
        case "uber":
            meant = "over" if number else ""
        case _:
            meant = "under" if number else "among" if behind.kind in {"name", "value"} else ""
    return _Piece("word", meant, piece.said) if meant else _Piece("unknown", piece.said, piece.said)


def _is_time(piece: _Piece, rest: list[_Piece]) -> bool:
    if piece.kind == "number":
        return bool(re.fullmatch(r"[12]\d{3}(-\d\d){0,2}|q[1-4]", piece.text.casefold())) or any(
            fold(one.said) in MONTHS for one in rest[1:2]
        )
    if piece.text == "year" and piece.kind == "head":
        return any(one.kind == "number" for one in rest[1:3])
    return fold(piece.said) in MONTHS
