"""A CSV with the expression that loads it back: columns, types, index and labels as they were."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import msgspec

from magic_ext.references.errors import UnsendableError
from magic_ext.references.tables.cells import Kind, Reading, kind_of, reading_of, texts_of

__all__ = ["TAKEN_FOR_MISSING", "Column", "Sheet", "build", "field", "quoted", "source"]

# What read_csv takes for missing by default (pandas.io.parsers, ``na_values``).
TAKEN_FOR_MISSING = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA"}
    | {"NULL", "NaN", "None", "n/a", "nan", "null"}
)
_ZONE = re.compile(r"[\w+:/-]+")
_NAME_LENGTH = 80


class Column(msgspec.Struct, frozen=True):
    """One column, or one level of the index, of a table.

    ``dtype`` is its type in words; ``kind`` what its cells are where there is none to show it; ``cast`` the source of
    the ``dtype`` that ``read_csv`` needs in any case, ``nullable`` of that which it needs where cells are missing;
    ``zone`` the time zone of datetimes; ``levels`` the categories of a categorical, all of them text or all of them
    integers.
    """

    label: Any
    dtype: str = ""
    index: bool = False
    kind: Kind = "empty"
    cast: str = ""
    nullable: str = ""
    zone: str = ""
    levels: tuple[Any, ...] = ()
    ordered: bool = False
    note: str = ""


class Sheet(msgspec.Struct, frozen=True):
    """The text of a CSV, line by line, and what follows the file in the ``pd.read_csv(FILE`` that loads it."""

    header: str
    lines: tuple[str, ...]
    load: str = ")"
    notes: tuple[str, ...] = ()

    @property
    def data(self) -> bytes:
        """The CSV as UTF-8."""
        return "\n".join([*([self.header] if self.header else []), *self.lines, ""]).encode("utf-8", "replace")

    def expression(self, file: str) -> str:
        """The expression that loads the CSV from ``file``, itself an expression.

        >>> Sheet("a", ("1",)).expression('"a.csv"')
        'pd.read_csv("a.csv")'
        """
        return f"pd.read_csv({file}{self.load}"


class _Written(msgspec.Struct, frozen=True):
    column: Column
    header: str
    texts: list[str | None]
    reading: Reading


def build(
    columns: Sequence[Column],
    values: Sequence[Sequence[object]],
    *,
    whole: bool,
    axis_names: Sequence[Any] = (),
    finish: str = "",
) -> Sheet:
    """Write ``values`` (one sequence a column, ``None`` for missing) as a CSV.

    ``whole`` says that these are all rows: only then are categories named that do not occur. ``axis_names`` are the
    names of the column axis; ``finish`` is source appended to the load expression.
    """
    written = [
        _write(column, header, cells, whole)
        for column, header, cells in zip(columns, _headers(columns), values, strict=True)
    ]
    marker, arguments = _missing_marker(text for part in written for text in part.texts)
    steps = _after(written) + _labels(written, axis_names) + finish
    return Sheet(
        header=",".join(field(part.header) for part in written),
        lines=tuple(_line(row, marker) for row in zip(*(part.texts for part in written), strict=True)),
        load="".join(f", {argument}" for argument in [*_arguments(written), *arguments]) + ")" + steps,
        notes=tuple(f"{quoted(part.column.label)}: {part.reading.note}" for part in written if part.reading.note),
    )


def _write(column: Column, header: str, cells: Sequence[object], whole: bool) -> _Written:
    kind = kind_of(cells)
    kind = column.kind if kind == "empty" else kind
    texts = texts_of(kind, cells)
    return _Written(column, header, texts, _with_type(column, reading_of(kind, texts), cells, whole))


def _arguments(written: Sequence[_Written]) -> Iterator[str]:
    if dtypes := [f"{part.header!r}: {part.reading.dtype}" for part in written if part.reading.dtype]:
        yield f"dtype={{{', '.join(dtypes)}}}"
    if dates := [part.header for part in written if part.reading.date]:
        yield f"parse_dates={dates!r}"


def quoted(label: Any) -> str:
    r"""A column label for a line of prose: as Python writes it, without control characters, cut at 80 characters.

    >>> print(quoted("a\nb"), len(quoted("x" * 1000)))
    'a\nb' 81
    """
    text = repr(str(label) if type(label).__module__ == "numpy" else label)
    text = text if text.isprintable() else ascii(text)
    return text if len(text) <= _NAME_LENGTH else text[:_NAME_LENGTH] + "…"


def field(text: str, delimiter: str = ",") -> str:
    """One field of a CSV, quoted where it must be.

    >>> print(field("a"), field("x,y"))
    a "x,y"
    """
    if not any(mark in text for mark in (delimiter, '"', "\n", "\r")):
        return text
    return '"' + text.replace('"', '""') + '"'


def source(label: Any) -> str:
    """The Python source of a column label; raises :class:`UnsendableError` for one that has none.

    >>> source("unit price"), source((2024, "a"))
    ("'unit price'", "(2024, 'a')")
    """
    if type(label).__module__ == "numpy" and hasattr(label, "item"):
        label = label.item()
    match label:
        case None | bool() | int() | str():
            return repr(label)
        case float():
            return repr(label) if label - label == 0 else f'float("{label}")'
        case tuple():
            return f"({', '.join(map(source, label))}{',' if len(label) == 1 else ''})"
        case dt.datetime():
            return f"pd.Timestamp({label.isoformat()!r})"
        case dt.date():
            return f"pd.Timestamp({label.isoformat()!r}).date()"
    hint = "Give the columns names: df.columns = df.columns.astype(str)."
    raise UnsendableError(f"A column is labelled by a {type(label).__name__}, which cannot be written down.", hint=hint)


def _with_type(column: Column, reading: Reading, values: Sequence[object], whole: bool) -> Reading:
    note = column.note or reading.note
    if column.levels:
        # Categories that do not occur in what is sent are values too: only a whole table may name them.
        present = set(column.levels if whole else values)
        levels = [level for level in column.levels if level in present]
        dtype = f"pd.CategoricalDtype({levels!r}, ordered={column.ordered})"
        return Reading(dtype, note="" if whole else "only categories that occur are named")
    if column.nullable and None in values:
        return Reading(column.nullable, note=note)
    if column.cast:
        return Reading(column.cast, note=note)
    if column.zone:
        known = _ZONE.fullmatch(column.zone)
        convert = f".dt.tz_convert({column.zone!r})" if known and column.zone != "UTC" else ""
        return Reading("object", after=f"pd.to_datetime(COLUMN, utc=True){convert}", note=note if known else "in UTC")
    return msgspec.structs.replace(reading, note=note)


def _headers(columns: Sequence[Column]) -> Iterator[str]:
    taken = {column.label for column in columns if isinstance(column.label, str)}
    seen: set[str] = set()
    for number, column in enumerate(columns):
        header = column.label
        if not (isinstance(header, str) and header and header.isprintable() and header not in seen):
            header = next(name for name in _numbered(number) if name not in taken)
        header = str(header)
        seen.add(header)
        taken.add(header)
        yield header


def _numbered(number: int) -> Iterator[str]:
    name = f"c{number}"
    while True:
        yield name
        name += "_"


def _missing_marker(texts: Iterable[str | None]) -> tuple[str, list[str]]:
    confused = {text for text in texts if text in TAKEN_FOR_MISSING}
    if not confused:
        return "", []
    marker = next(name for name in chain(("", "NA", "<NA>", "NULL"), _numbered(0)) if name not in confused)
    return marker, ["keep_default_na=False", f"na_values=[{marker!r}]"]


def _line(row: Sequence[str | None], marker: str) -> str:
    line = ",".join(field(marker if text is None else text) for text in row)
    return line or '""'  # read_csv skips blank lines


def _after(written: Sequence[_Written]) -> str:
    steps = [
        f"{part.header!r}: lambda d: {part.reading.after.replace('COLUMN', f'd[{part.header!r}]')}"
        for part in written
        if part.reading.after
    ]
    return f".assign(**{{{', '.join(steps)}}})" if steps else ""


def _labels(written: Sequence[_Written], axis_names: Sequence[Any]) -> str:
    steps = ""
    if index := [part for part in written if part.column.index]:
        steps += f".set_index({[part.header for part in index]!r})"
        if any(part.column.label != part.header for part in index):
            steps += f".rename_axis(index=[{', '.join(source(part.column.label) for part in index)}])"
    data = [part for part in written if not part.column.index]
    sources = f"[{', '.join(source(part.column.label) for part in data)}]"
    if len(axis_names) > 1:
        names = f"[{', '.join(map(source, axis_names))}]"
        return steps + f'.set_axis(pd.MultiIndex.from_tuples({sources}, names={names}), axis="columns")'
    if any(part.column.label != part.header for part in data):
        steps += f'.set_axis({sources}, axis="columns")'
    if axis_names and axis_names[0] is not None:
        steps += f".rename_axis(columns={source(axis_names[0])})"
    return steps
