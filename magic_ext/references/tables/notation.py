"""How the cells of a CSV column are written: numbers with a decimal point or comma, dates, codes that only look so.

``1.250`` and ``1,250`` are a thousand in one country and little more than one in another: nothing here guesses.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime

import msgspec

from magic_ext.references.tables.sheet import TAKEN_FOR_MISSING

__all__ = ["Form", "decimal_marks", "form_of", "is_date", "is_grouped"]

_UNCLEAR = "numbers with separators are read as text; say how to convert"
_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?)?")
_GERMAN_DATE = re.compile(r"\d{1,2}\.\d{1,2}\.\d{4}( \d{1,2}:\d\d(:\d\d)?)?")
_GERMAN_FORMATS = ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S")
_CODE = re.compile(r"0\d+")
_WHOLE = re.compile(r"[-+]?\d+")
_THOUSANDS = {".": ",", ",": "."}


def _number(decimal: str) -> re.Pattern[str]:
    point, group = re.escape(decimal), re.escape(_THOUSANDS[decimal])
    digits = rf"[1-9]\d{{0,2}}(?:{group}\d{{3}})+(?:{point}\d*)?|\d+(?:{point}\d*)?|{point}\d+"
    return re.compile(rf"[-+]?(?:(?:{digits})(?:e[-+]?\d+)?|inf|infinity)", re.IGNORECASE)


_NUMBERS = {mark: _number(mark) for mark in _THOUSANDS}


class Form(msgspec.Struct, frozen=True):
    """What a column holds, in a word, and what ``read_csv`` must be told so that it comes out as that."""

    dtype: str
    cast: str = ""
    date_format: str = ""
    note: str = ""


def decimal_marks(cells: Collection[str]) -> str:
    """The decimal marks with which all the cells are numbers, thousands in groups of three allowed.

    >>> decimal_marks(["3.5", "10.25"]), decimal_marks(["1.250,50"]), decimal_marks(["1.250", "950"])
    ('.', ',', '.,')
    """
    return "".join(mark for mark, number in _NUMBERS.items() if all(map(number.fullmatch, cells)))


def is_grouped(cells: Collection[str], decimal: str) -> bool:
    """Whether any of the numbers has thousands in groups, given their decimal mark."""
    return any(_THOUSANDS[decimal] in cell for cell in cells)


def is_date(text: str) -> bool:
    """Whether a cell is an ISO date or datetime, or a German date.

    >>> is_date("2024-12-31"), is_date("31.12.2024"), is_date("31.13.2024")
    (True, True, False)
    """
    return bool(_DATE.fullmatch(text)) or bool(_german_format([text]))


def form_of(cells: Collection[str], decimal: str, thousands: str) -> Form:
    """The form of a column in a file that is read with these marks (``thousands`` may be ``""``).

    >>> form_of(["31.12.2024"], ",", ".")
    Form(dtype='date', cast='', date_format='%d.%m.%Y', note='')
    >>> form_of(["1.1.0"], ",", "."), form_of(["1.1.0"], ".", "")
    (Form(dtype='text', cast='str', date_format='', note=''), Form(dtype='text', cast='', date_format='', note=''))
    """
    held = {cell for cell in cells if cell not in TAKEN_FOR_MISSING}
    if not held:
        return Form("empty")
    if all(map(_DATE.fullmatch, held)):
        return Form("date")
    if date_format := _german_format(held):
        return Form("date", date_format=date_format)
    if {cell.lower() for cell in held} <= {"true", "false"}:
        return Form("boolean")
    if any(map(_CODE.fullmatch, held)) and all(map(_WHOLE.fullmatch, held)):
        return Form("text", cast="str")
    return _number_form(held, decimal, thousands)


def _number_form(held: Collection[str], decimal: str, thousands: str) -> Form:
    marks = decimal_marks(held)
    if not marks:
        # One cell is enough: pandas reads a large file in pieces, and a piece may hold nothing but such cells.
        damaged = thousands and any(_is_damaged(cell, decimal, thousands) for cell in held)
        return Form("text", cast="str" if damaged else "")
    separated = any(mark in cell for cell in held for mark in _THOUSANDS)
    settled = decimal in marks if thousands else marks == decimal and not is_grouped(held, decimal)
    if separated and not settled:
        return Form("text", cast="str", note=_UNCLEAR)
    whole = all(_WHOLE.fullmatch(cell.replace(thousands, "") if thousands else cell) for cell in held)
    return Form("integer" if whole else "number")


def _is_damaged(cell: str, decimal: str, thousands: str) -> bool:
    plain = cell.replace(thousands, "")
    return plain != cell and (not plain or bool(_NUMBERS[decimal].fullmatch(plain)))


def _german_format(cells: Collection[str]) -> str:
    if not all(map(_GERMAN_DATE.fullmatch, cells)):
        return ""
    for form in _GERMAN_FORMATS:
        with suppress(ValueError):
            for cell in cells:
                datetime.strptime(cell, form)
            return form
    return ""
