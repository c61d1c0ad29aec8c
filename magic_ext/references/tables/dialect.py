"""How a CSV file is written: its encoding, delimiter, decimal mark, and whether its first line is a header."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TextIO

import msgspec

from magic_ext.references.tables.notation import decimal_marks, is_date, is_grouped
from magic_ext.references.tables.sheet import TAKEN_FOR_MISSING

__all__ = ["Dialect", "decode", "detect", "open_text", "records"]

_PROBE_BYTES = 1 << 20
_PROBE_RECORDS = 200
_NUMBER_RECORDS = 10_000
_DELIMITERS = ",;\t|"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_WESTERN = "ÄÖÜäöüßÀÂÇÈÉÊËÎÏÔÙÛàâáãçèéêëíìîïñóòôõøúùûåæœÅÆØÑŒ€£§°µ²³«»„“”‘’–—…·×½"
_NOT_WESTERN = re.compile(rf"[^\x00-\x7f{_WESTERN}]|[^\x00-\x7f]{{4}}")


class Dialect(msgspec.Struct, frozen=True):
    """The form of a CSV file; ``skip`` counts lines before the table (Excel's ``sep=;``)."""

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    thousands: str = ""
    header: bool = True
    skip: int = 0

    @property
    def arguments(self) -> str:
        """The arguments of ``pandas.read_csv`` that it needs, encoding aside, each after a comma.

        >>> Dialect(delimiter=";", decimal=",").arguments
        ', sep=";", decimal=","'
        """
        tab = "\\t" if self.delimiter == "\t" else self.delimiter
        given = [
            f'sep="{tab}"' if self.delimiter != "," else "",
            f'decimal="{self.decimal}"' if self.decimal != "." else "",
            f'thousands="{self.thousands}"' if self.thousands else "",
            "" if self.header else "header=None",
        ]
        return "".join(f", {argument}" for argument in given if argument)

    @property
    def note(self) -> str:
        """What is unusual about it, in words; ``""`` for plain UTF-8 with commas."""
        delimiter = {",": "", ";": "semicolons", "\t": "tabs", "|": "bars"}[self.delimiter]
        facts = [
            f"separated by {delimiter}" if delimiter else "",
            "decimal comma" if self.decimal == "," else "",
            {"": "", ".": "thousands points", ",": "thousands commas"}[self.thousands],
            "" if self.encoding == "utf-8" else f"encoding {self.encoding}",
            "" if self.header else "no header line",
        ]
        return ", ".join(fact for fact in facts if fact)


def decode(path: Path) -> str:
    """The encoding of a text file, judged by its first megabyte: a byte order mark, else UTF-8, else the likeliest.

    Returns ``""`` for what is no text.
    """
    with path.open("rb") as file:
        probe = file.read(_PROBE_BYTES)
    for mark, encoding in _MARKS:
        if probe.startswith(mark):
            return encoding
    if b"\0" in probe:
        return ""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(probe, len(probe) < _PROBE_BYTES)
        return "utf-8"
    except UnicodeDecodeError:
        return _likeliest(probe)


def detect(path: Path) -> Dialect:
    """Look at the beginning of a CSV file; a ``.tsv`` or ``.tab`` file is separated by tabs."""
    encoding = decode(path) or "utf-8"
    with open_text(path, encoding) as file:
        probe = file.read(_PROBE_BYTES)
    first, _, rest = probe.partition("\n")
    announced = re.fullmatch(r'"?sep=(.)"?\r?', first)
    if announced and announced[1] in _DELIMITERS:
        return _numbers(Dialect(encoding, announced[1], skip=1), rest)
    tabs = path.suffix.lower() in (".tsv", ".tab")
    return _numbers(Dialect(encoding, "\t" if tabs else _delimiter(probe)), probe)


def open_text(path: Path, encoding: str) -> TextIO:
    """Open for the ``csv`` module: line ends as they are, bytes that do not fit the encoding replaced."""
    return path.open(encoding=encoding, errors="replace", newline="")


def records(lines: Iterable[str], dialect: Dialect) -> Iterator[list[str]]:
    """The records of a CSV, header included, blank lines left out."""
    csv.field_size_limit(1 << 30)
    reader = csv.reader(lines, delimiter=dialect.delimiter)
    for _ in range(dialect.skip):
        next(reader, None)
    return (record for record in reader if record)


def _likeliest(probe: bytes) -> str:
    if _is_western(probe):
        return "cp1252"
    import charset_normalizer

    best = charset_normalizer.from_bytes(probe).best()
    return str(best.encoding) if best else ""


def _is_western(probe: bytes) -> bool:
    # Statistics need more text than a small table has: accented letters among plain ones are Western Windows text.
    text = probe.decode("cp1252", "replace")
    return not _NOT_WESTERN.search(text)


def _probe(text: str, dialect: Dialect, most: int = _PROBE_RECORDS) -> list[list[str]]:
    lines = io.StringIO(text, newline="")
    found: list[list[str]] = []
    for record in records(lines, dialect):
        found.append(record)
        if len(found) >= most:
            return found
    return found[:-1] if len(text) >= _PROBE_BYTES else found


def _delimiter(text: str) -> str:
    return max(_DELIMITERS, key=lambda mark: _regularity(_probe(text, Dialect(delimiter=mark))))


def _regularity(found: Sequence[Sequence[str]]) -> tuple[float, int]:
    widths = [len(record) for record in found]
    usual = max(set(widths), key=widths.count, default=1)
    return (widths.count(usual) / len(widths), usual) if usual > 1 else (0.0, 0)


def _numbers(dialect: Dialect, text: str) -> Dialect:
    found = _probe(text, msgspec.structs.replace(dialect, skip=0), _NUMBER_RECORDS)
    columns = [set(map(str.strip, column)) - TAKEN_FOR_MISSING for column in zip_longest(*found[1:], fillvalue="")]
    # What a column is read with where only one decimal mark fits all its cells; "1.250" alone fits both.
    settled = [(marks, column) for column in columns if len(marks := decimal_marks(column)) == 1]
    grouping = {mark for mark, column in settled if is_grouped(column, mark)}
    decimal = "," if (grouping or {mark for mark, _ in settled}) == {","} else "."
    return msgspec.structs.replace(
        dialect,
        decimal=decimal,
        thousands={".": ",", ",": "."}[decimal] if decimal in grouping else "",
        header=not (found and _is_data(found[0])),
    )


def _is_data(record: Sequence[str]) -> bool:
    # Whole numbers may be names (years); decimals and dates are not, nor is a line of nothing but numbers.
    cells = [cell.strip() for cell in record if cell.strip()]
    if any(is_date(cell) or (decimal_marks([cell]) and ("." in cell or "," in cell)) for cell in cells):
        return True
    return bool(cells) and all(re.fullmatch(r"[-+]?\d+", cell) for cell in cells)
