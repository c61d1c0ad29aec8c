"""Which column, value or table the words of a question name; maximal munch, and no guess between two."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from ..base import Column, Table
from .lexicon import ABBREVIATIONS, ANSWERS, ARTICLES, DURATIONS, IRREGULAR, NO, SEXES, SYNONYMS, UNITS, YES
from .tokens import Token, singular, words

__all__ = ["AMBIGUOUS", "Found", "Schema", "is_flag", "is_numeric", "is_time", "is_year", "truths", "unit_of"]

AMBIGUOUS = "ambiguous"
_ENTITY = {"id", "no", "nr", "key", "code", "name", "number"}
_LABELS = {"no", "nr", "code", "number"}  # what is written on a thing: flights of one number are several flights


def is_numeric(column: Column) -> bool:
    """Whether one can compute with the column."""
    return column.kind in {"integer", "number"}


def is_year(column: Column) -> bool:
    """Whether a column of integers holds years."""
    return column.kind == "integer" and words(column.name)[-1:] == ("year",)


def is_time(column: Column) -> bool:
    """Whether the column holds dates, or text that is all dates of one form."""
    return column.kind == "datetime" or column.form not in {"", AMBIGUOUS}


def is_flag(column: Column) -> bool:
    """Whether the column may say of every row if it is what the column is called, so that its kinds mean nothing.

    >>> is_flag(Column("smoker", "text", unique=3, values=("no", "yes", "not asked")))
    True
    >>> is_flag(Column("species", "text", unique=3, values=("Adelie", "Gentoo", "Chinstrap")))
    False
    """
    if column.kind != "text" or is_time(column):
        return column.kind == "boolean"
    if words(column.name)[-1:] and words(column.name)[-1] in _ENTITY:
        return False
    return column.unique <= 2 or any(str(value).strip().casefold() in ANSWERS for value in column.values)


def truths(column: Column, *, text: bool = False) -> tuple[bool | int | str, bool | int | str] | None:
    """What a column of only two values has for true and for false; with ``text`` a yes and a no count as well.

    >>> truths(Column("survived", "integer", unique=2, values=(0, 1)))
    (1, 0)
    """
    if column.kind == "boolean":
        return True, False
    if column.kind == "integer" and set(column.values) == {0, 1}:
        return 1, 0
    if text and column.kind == "text" and len(column.values) == 2:
        yes = [value for value in column.values if str(value).strip().casefold() in YES]
        no = [value for value in column.values if str(value).strip().casefold() in NO]
        return (yes[0], no[0]) if len(yes) == len(no) == 1 else None
    return None


@dataclass(frozen=True)
class Found:
    """Candidates that the tokens up to ``end`` name equally well."""

    candidates: tuple[tuple[Column, str | bool | None], ...]
    end: int
    partial: bool = False


@dataclass(frozen=True)
class Schema:
    """The columns and values of one table against the tokens of one question."""

    table: Table
    text: str

    def column(self, tokens: Sequence[Token], at: int) -> Found | None:
        """The columns named from token ``at``: as written, by its words, without its unit, by its last words."""
        best: Found | None = None
        columns = self.table.columns
        for ends in (
            [(column, None, self._as_written(column.name, tokens, at)) for column in columns],
            [(column, None, _by_words(words(column.name), tokens, at)) for column in columns],
            [(column, None, _by_words(_without_unit(column), tokens, at)) for column in columns],
            [(column, None, _by_words(row, tokens, at)) for column in columns for row in _spelled_out(column)],
            [(column, None, _by_words(self._entity(column), tokens, at)) for column in columns],
        ):
            best = _longer(best, _furthest(ends))
        for parts in (_tails, _heads, _synonyms):
            ends = [(c, None, _by_words(part, tokens, at)) for c in self.table.columns for part in parts(c)]
            partial = _furthest(ends)
            if partial and (best is None or partial.end > best.end):
                best = Found(partial.candidates, partial.end, partial=True)
        return best

    def row_noun(self, tokens: Sequence[Token], at: int) -> int | None:
        """Where a noun for the rows ends: one that a column without gaps or repetitions names ("country", "day")."""
        ends = [_by_words(self._key_noun(column), tokens, at) for column in self.table.columns if self.is_key(column)]
        found = [end for end in ends if end is not None]
        return max(found) if found else None

    def labelled_by(self, noun: str) -> Column | None:
        """The column with what is written on each ``noun``, such as its number, which may come again."""
        column = self.counted_by(noun)
        if column is None:
            return None
        nearly = column.unique >= 0.9 * self.table.rows  # a few rows twice: of "orders" most are rows
        return column if words(column.name)[-1] in _LABELS or nearly else None

    def is_key(self, column: Column) -> bool:
        """Whether every row has a value of its own."""
        if column.missing or column.unique != self.table.rows or self.table.rows < 2:
            return False
        if column.kind == "integer":  # amounts may all differ by chance; numbers of rows are named so, or have no gaps
            counted = isinstance(column.low, float) and column.high == column.low + column.unique - 1
            return counted or words(column.name)[-1:][:1] in {(word,) for word in _ENTITY}
        return column.kind in {"text", "datetime"}

    def pins(self, columns: Iterable[Column]) -> bool:
        """Whether one value of each of ``columns`` leaves at most about one row."""
        product = 1
        for column in set(columns):
            product *= max(column.unique, 1)
        return product >= self.table.rows

    def _entity(self, column: Column) -> tuple[str, ...]:
        # "By sensor" means sensor_id; where each row has an id of its own, sensors are the rows.
        row = words(column.name)
        named = len(row) > 1 and row[-1] in _ENTITY and column.kind in {"text", "integer"}
        named = named and not (row[-1] in _LABELS and _stems(words(self.table.name)) == _stems(row[:-1]))
        return row[:-1] if named and not self.is_key(column) else ()

    def _key_noun(self, column: Column) -> tuple[str, ...]:
        row = words(column.name)
        if is_time(column):
            daily = all(len(str(bound)) <= 10 or str(bound)[10:] == "T00:00:00" for bound in (column.low, column.high))
            return ("day",) if (daily and column.low is not None) or column.kind == "text" else ()
        if row[-1:] == ("name",):
            return ()
        return row[:-1] if len(row) > 1 and row[-1] in _ENTITY else row

    def value(self, tokens: Sequence[Token], at: int, only: Column | None = None) -> Found | None:
        """The values of text columns (of column ``only``) named from token ``at``."""
        columns = [only] if only else list(self.table.columns)
        pairs = [(column, value) for column in columns for value in column.values if isinstance(value, str)]
        if at < len(tokens) and tokens[at].kind == "quoted":
            exact = _furthest((c, v, self._as_written(v, tokens, at, folded=False)) for c, v in pairs)
            if exact:
                return exact
        ends = [(c, v, self._as_written(v, tokens, at)) for c, v in pairs]
        said = SEXES.get(tokens[at].key) if at < len(tokens) and tokens[at].kind == "word" else None
        ends += [(c, v, at + 1) for c, v in pairs if said and _is_sex(said, v, c)]
        return _furthest(ends + [(c, v, _by_words(words(v), tokens, at)) for c, v in pairs])

    def named(self, tokens: Sequence[Token], at: int) -> int | None:
        """Where the table's own name or label, named at token ``at``, ends."""
        names = {self.table.name, self.table.label, self.table.label.split("[")[0]}
        stems = {name.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0] for name in names}
        ends = [self._as_written(name, tokens, at) for name in (names | stems) if name]
        ends += [_by_words(words(name), tokens, at) for name in (names | stems) if name]
        found = [end for end in ends if end is not None]
        return max(found) if found else None

    def columns_ending(self, tails: Iterable[tuple[str, ...]]) -> tuple[Column, ...]:
        """Numeric columns whose words, without the unit, end in one of ``tails``."""
        ends = tuple(tails)
        return tuple(
            column
            for column in self.table.columns
            if is_numeric(column)
            and any(
                _stems(row)[-len(end) :] == _stems(end)
                for end in ends
                for row in (_without_unit(column), *_spelled_out(column), *_heads(column))
            )
        )

    def counted_by(self, noun: str) -> Column | None:
        """A column that tells ``noun`` apart ("sensor_id" of sensors), unless each row has an id of its own."""
        wanted = _singulars(words(noun))
        naming = [
            column
            for column in self.table.columns
            if _within(wanted, _singulars(words(column.name))) and not is_time(column) and column.kind != "number"
        ]
        own = [c for c in naming if _singulars(words(c.name)) == (*wanted, "id") and not c.missing]
        return None if any(c.unique == self.table.rows for c in own) else next(iter(naming), None)

    @cached_property
    def dates(self) -> tuple[Column, ...]:
        """The columns of dates."""
        return tuple(column for column in self.table.columns if is_time(column))

    @cached_property
    def years(self) -> tuple[Column, ...]:
        """The integer columns of years."""
        return tuple(column for column in self.table.columns if is_year(column))

    def keeps(self, token: Token) -> bool:
        """Whether an article must stay because a value or column of the table is called the same."""
        names = [column.name for column in self.table.columns]
        names += [value for column in self.table.columns for value in column.values if isinstance(value, str)]
        return token.key in {name.casefold() for name in names}

    def without_articles(self, tokens: Sequence[Token]) -> tuple[Token, ...]:
        """The tokens without articles and "please"."""
        kept: list[Token] = []
        for place, token in enumerate(tokens):
            if not self._article(token, place):
                kept.append(token)
            elif token.key in {"please", "pls", "plz"} and kept and kept[-1].text == ",":
                kept.pop()
        return tuple(kept)

    def _article(self, token: Token, place: int) -> bool:
        # A capital A in mid-sentence may be a grade, and the a of "a_b" is part of a name.
        alone = self.text[token.end : token.end + 1] not in {"_", "-", "(", "'"}
        written = token.text.islower() or place == 0
        return token.kind == "word" and token.key in ARTICLES and alone and written and not self.keeps(token)

    def _as_written(self, name: str, tokens: Sequence[Token], at: int, *, folded: bool = True) -> int | None:
        if at >= len(tokens) or not name:
            return None
        first = tokens[at]
        if first.kind == "quoted":
            same = first.text == name or (folded and first.key == name.casefold())
            return at + 1 if same else None
        stop = first.start + len(name)
        written = self.text[first.start : stop]
        if written != name and not (folded and written.casefold() == name.casefold()):
            return None
        return next((i + 1 for i in range(at, len(tokens)) if tokens[i].end == stop), None)


def _by_words(wanted: tuple[str, ...], tokens: Sequence[Token], at: int) -> int | None:
    row = tokens[at : at + len(wanted)]
    if not wanted or len(row) < len(wanted) or any(token.kind in {"symbol", "quoted"} for token in row):
        if len(row) > 0 and row[0].kind == "quoted" and wanted and _stems(words(row[0].text)) == _stems(wanted):
            return at + 1
        return None
    return at + len(wanted) if _stems(token.key for token in row) == _stems(wanted) else None


def _stems(parts: Iterable[str]) -> tuple[str, ...]:
    row = tuple(parts)
    return (*row[:-1], IRREGULAR.get(row[-1], singular(row[-1]))) if row else ()


def _singulars(parts: Iterable[str]) -> tuple[str, ...]:
    return tuple(IRREGULAR.get(part, singular(part)) for part in parts)


def _within(wanted: tuple[str, ...], row: tuple[str, ...]) -> bool:
    # "sensorid" and "sensorname" are about sensors too, "category" is not about cats.
    joined = {f"{wanted[-1]}{end}" for end in ("id", "name", "no", "nr", "number", "code", "key")} if wanted else ()
    starts = range(len(row) - len(wanted) + 1)
    return bool(wanted) and any(
        row[at : at + len(wanted)] == wanted
        or (row[at : at + len(wanted) - 1] == wanted[:-1] and row[at + len(wanted) - 1] in joined)
        for at in starts
    )


def unit_of(column: Column) -> str:
    """The unit at the end of the column's name, as ``UNITS`` calls it, else ``""``."""
    row = words(column.name)
    if not is_numeric(column) or len(row) < 2 or (row[-1] == "min" and row[-2] not in DURATIONS):
        return ""
    return next((unit for unit, said in UNITS.items() if row[-1] == unit or (row[-1] in said and len(row[-1]) > 1)), "")


def _without_unit(column: Column) -> tuple[str, ...]:
    row = words(column.name)
    if not unit_of(column):
        return row
    return row[:-2] if len(row) > 2 and row[-2] == "in" else row[:-1]


def _spelled_out(column: Column) -> list[tuple[str, ...]]:
    """Other words for the same name: "temperature" of temp_c, "response time" of response_ms."""
    row = _without_unit(column)
    full = tuple(word for part in row for word in ABBREVIATIONS.get(part, (part,)))
    timed = [(*row, "time")] if unit_of(column) in {"ms", "s", "min", "h"} else []
    return ([full] if full != row else []) + timed


def _tails(column: Column) -> list[tuple[str, ...]]:
    # English puts the noun last: "mass" may stand for "body mass", "revenue" not for "revenue growth".
    row = _without_unit(column)
    full = next(iter(_spelled_out(column)), row)
    starts = [row[start:] for start in range(1, len(row))] + [full[start:] for start in range(1, len(full))]
    return [tail for tail in starts if not tail[0].isdigit() and not _SMALL & {*row, tail[0]}]


_SMALL = frozenset({"of", "per", "in", "at", "on", "to", "by", "for"})
_COUNTS = frozenset(
    {"number", "count", "no", "num", "n", "nr", "rate", "share", "percent", "percentage", "date", "time"}
)
_ASIDE = frozenset({"is", "has", "was", "did", "n", "num", "no", "nr"})


def _heads(column: Column) -> list[tuple[str, ...]]:
    """What stands before "per" or "of": "price" of price_per_night; what stands behind "is": "active" of is_active."""
    row = _without_unit(column)
    row = next(iter(_spelled_out(column)), row) if row[:1] == ("num",) else row
    at = next((place for place, word in enumerate(row) if word in _SMALL), 0)
    heads = [row[:at]] if at and not _COUNTS & {*row[:at]} else []
    if row[:1] in {(word,) for word in _ASIDE} and len(row) > 1:
        heads.append(row[1:])
    if row[:2] == ("number", "of") or (row[:1] == ("number",) and len(row) > 1):
        heads.append(row[2:] if row[1] == "of" else row[1:])
    return [head for head in heads if head]


def _synonyms(column: Column) -> list[tuple[str, ...]]:
    """Other words for its last word: "body weight" and "weight" of body_mass_g, "gender" of sex."""
    row = _without_unit(column)
    others = SYNONYMS.get(row[-1], ()) if row else ()
    return [(*row[start:-1], other) for other in others for start in range(len(row))]


def _is_sex(said: str, value: str, column: Column) -> bool:
    """Whether a value means the sex: it says it, or is its letter in a column of F and M."""
    letters = {str(other).casefold() for other in column.values}
    return value.casefold() == said or (letters == {"f", "m"} and value.casefold() == said[0])


def _furthest(ends: Iterable[tuple[Column, str | None, int | None]]) -> Found | None:
    hits = [(column, value, end) for column, value, end in ends if end is not None]
    if not hits:
        return None
    last = max(end for _, _, end in hits)
    return Found(tuple(dict.fromkeys((column, value) for column, value, end in hits if end == last)), last)


def _longer(one: Found | None, other: Found | None) -> Found | None:
    if one is None or other is None:
        return one or other
    return other if other.end > one.end else one
