"""A question as tokens: words, numbers, quoted names, symbols, each with its place in the text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

__all__ = ["Token", "same_root", "sentences", "singular", "tokenize", "words"]

TokenKind = Literal["word", "number", "quoted", "date", "symbol"]

_TOKEN = re.compile(
    r"""
    (?P<quoted> `[^`\n]+` | "[^"\n]+" | “[^”\n]+” | (?<![^\W_])'[^'\n]+'(?![^\W_]) )
  | (?P<date> (?<![\w.-]) \d{4}-\d{2} (?:-\d{2})? (?![\w-]) )
  | (?P<number> (?: (?<![\w)]) (?<!\w\s) - )? (?: \d{1,3} (?:,\d{3})+ | \d+ ) (?:\.\d+)? (?![\w]) )
  | (?P<word> [^\W_]+ (?: ['’] [^\W\d_]+ )? )
  | (?P<symbol> <= | >= | == | != | \S )
    """,
    re.VERBOSE,
)
_HUMP = re.compile(r"(?<=[^\W_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][^\W\d_A-Z])")
_APART = {"what's": "is", "which's": "is", "that's": "is", "i'd": "would", "let's": "us"}


@dataclass(frozen=True)
class Token:
    """One token: ``text`` as written (without quotes), ``key`` folded for comparison, its span in the question."""

    kind: TokenKind
    text: str
    key: str
    start: int
    end: int

    @property
    def number(self) -> float:
        """The value of a number token."""
        return float(self.text.replace(",", ""))

    @property
    def whole(self) -> int | None:
        """The value of a number token without decimals, else None."""
        return int(self.number) if self.kind == "number" and "." not in self.text else None


def tokenize(text: str) -> tuple[Token, ...]:
    """Cut ``text`` into tokens; an apostrophe s of "what's" becomes "is".

    >>> [token.key for token in tokenize("What's the mean of `body mass` over 5,000?")]
    ['what', 'is', 'the', 'mean', 'of', 'body mass', 'over', '5,000', '?']
    """
    return tuple(token for match in _TOKEN.finditer(text) for token in _tokens(match, text))


def _tokens(match: re.Match[str], text: str) -> Iterator[Token]:
    kind: TokenKind = match.lastgroup  # type: ignore[assignment]  # the groups are named after the kinds
    raw, start, end = match.group(), match.start(), match.end()
    if kind == "quoted":
        raw = raw[1:-1]
    key = raw.casefold().replace("’", "'")
    if key in _APART:
        cut = start + raw.replace("’", "'").index("'")
        yield Token("word", text[start:cut], key.split("'")[0], start, cut)
        yield Token("word", text[cut:end], _APART[key], cut, end)
    elif kind == "symbol" and raw in "_-" and 0 < start < len(text) - 1 and _inside(text, start):
        return
    else:
        yield Token(kind, raw, key, start, end)


def _inside(text: str, at: int) -> bool:
    # A hyphen or underscore within a word only joins it: "box-plot", "body_mass_g".
    return text[at - 1].isalnum() and text[at + 1].isalnum() and not (text[at - 1].isdigit() and text[at + 1].isdigit())


def sentences(text: str, tokens: tuple[Token, ...]) -> list[tuple[Token, ...]]:
    """Split at ``.``, ``?``, ``!``, ``;`` that end a sentence, and at blank lines; the marks themselves are dropped."""
    found: list[list[Token]] = [[]]
    for token in tokens:
        if found[-1] and "\n\n" in text[found[-1][-1].end : token.start]:
            found.append([])
        ends = token.kind == "symbol" and token.text in {".", "?", "!", ";"}
        if ends and (token.end == len(text) or not text[token.end].isalnum()):
            found.append([])
        else:
            found[-1].append(token)
    return [tuple(sentence) for sentence in found if sentence]


@lru_cache(maxsize=20_000)
def words(name: str) -> tuple[str, ...]:
    """The words of a column's name or of a value, folded; letters and digits stay together as the tokens have them.

    >>> words("bodyMass_g"), words("Unit price (EUR)")
    (('body', 'mass', 'g'), ('unit', 'price', 'eur'))
    """
    humps = _HUMP.sub(" ", name)
    return tuple(part.casefold() for part in re.findall(r"[^\W_]+(?:['’][^\W\d_]+)?", humps))


def singular(word: str) -> str:
    """A word without its plural ending, well enough to compare with another word treated the same.

    >>> singular("penguins"), singular("cities"), singular("boxes"), singular("species"), singular("glass")
    ('penguin', 'city', 'box', 'species', 'glass')
    """
    if word in {"ids", "ips", "movies", "cookies", "zombies", "calories"}:
        return word[:-1]
    if word in {"species", "series", "is", "was", "has", "this", "as"} or len(word) < 4:
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes", "zzes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word


_ENDINGS = frozenset(
    [
        "",
        "s",
        "es",
        "e",
        "ed",
        "d",
        "ing",
        "led",
        "ling",
        "lation",
        "al",
        "ation",
        "ion",
        "ance",
        "ment",
        "er",
        "ers",
        "or",
        "ors",
    ]
)


def same_root(said: str, name: tuple[str, ...]) -> bool:
    """Whether ``said`` is a form of the one word of ``name``.

    >>> same_root("pass", ("passed",)), same_root("survival", ("survived",)), same_root("score", ("second",))
    (True, True, False)
    """
    word = name[0] if name else ""
    common = next((n for n, (a, b) in enumerate(zip(said, word, strict=False)) if a != b), min(len(said), len(word)))
    if common < 4:
        return False
    starts = (common, common - 1) if common > 4 else (common,)
    return any({said[start:], word[start:]} <= _ENDINGS for start in starts)
