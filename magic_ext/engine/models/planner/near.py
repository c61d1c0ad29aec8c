"""Misspelt words: which word of the grammar or of the table was meant, if only one can be."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .schema import Schema
from .tokens import words

__all__ = ["mended", "nearest", "of_table", "replaced"]

_SHORTEST = 4
_LONG = 7  # from here on another letter is no other word


def nearest(word: str, known: Iterable[str]) -> str:
    """The one known word that differs from ``word`` by one letter, or by two neighbours in each other's place; else "".

    >>> nearest("mnay", ["many", "mean"]), nearest("qantity", ["quantity"]), nearest("cat", ["bat"])
    ('many', 'quantity', '')
    """
    found = {one for one in known if len(one) >= _SHORTEST <= len(word) and _distance_one(word, one)}
    return found.pop() if len(found) == 1 else ""


def mended(word: str, vocabulary: Iterable[str]) -> str:
    """The word of the grammar that ``word`` surely is: a slip of the fingers, not another word.

    >>> mended("mnay", ["many"]), mended("histogramm", ["histogram"]), mended("meal", ["mean"])
    ('many', 'histogram', '')
    """
    one = nearest(word, vocabulary)
    swapped = len(one) == len(word) and sorted(one) == sorted(word)
    return one if swapped or len(word) >= _LONG else ""


def of_table(word: str, schema: Schema) -> str:
    """The word of a column's name or of a value that ``word`` may be."""
    columns = schema.table.columns
    names = {part for column in columns for part in words(column.name)}
    values = {part for column in columns for value in column.values if isinstance(value, str) for part in words(value)}
    known = names | values
    return "" if {word, f"{word}s"} & known else nearest(word, known)


def _distance_one(one: str, other: str) -> bool:
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    if len(one) == len(other):
        differ = [n for n, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        swapped = len(differ) == 2 and differ[1] == differ[0] + 1
        return len(differ) == 1 or (
            swapped and one[differ[0]] == other[differ[1]] and one[differ[1]] == other[differ[0]]
        )
    short, long = sorted((one, other), key=len)
    return any(long[:n] + long[n + 1 :] == short for n in range(len(long)))


def replaced(text: str, meant: dict[str, str]) -> str:
    """``text`` with other words in the place of some."""
    for said, word in meant.items():
        text = re.sub(rf"(?<!\w){re.escape(said)}(?!\w)", word, text)
    return text
