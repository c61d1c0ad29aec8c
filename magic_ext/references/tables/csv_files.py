"""A CSV file as a table: its cells go out as they are written, its rows are read as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

import msgspec

from magic_ext.references.tables.dialect import Dialect, detect, open_text, records
from magic_ext.references.tables.notation import Form, form_of
from magic_ext.references.tables.sheet import Column, Sheet, field, quoted
from magic_ext.references.tables.table import Saved, Table, choose

__all__ = ["CsvTable"]

_PROBE_ROWS, _PROBE_CELLS = 1_000, 500_000  # the types of columns are told by both, if there are that many
_COUNTED_BYTES = 256 << 20  # the rows of a larger file are not counted
_HEAD_ROWS = 100_000  # what can be sent of such a file


class CsvTable(Table):
    """A CSV or TSV file on disk; ``suffix`` chooses columns in the frame that it is read as."""

    def __init__(
        self, path: Path, dialect: Dialect | None = None, wanted: Sequence[int] = (), suffix: str = ""
    ) -> None:
        self._path = path
        self._dialect = dialect or detect(path)
        self._wanted = list(wanted)
        self._suffix = suffix

    @property
    def kind(self) -> str:
        """What it is, with what is unusual about its form."""
        return f"CSV file ({self._dialect.note})" if self._dialect.note else "CSV file"

    @cached_property
    def rows(self) -> int | None:
        """Its records without the header; not counted beyond 256 MB."""
        if self._path.stat().st_size > _COUNTED_BYTES:
            return None
        return sum(1 for _ in self._rows())

    @property
    def available(self) -> int:
        """All rows; of a huge file the first 100,000."""
        return _HEAD_ROWS if self.rows is None else self.rows

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the header (numbers where there is none), typed by their first 1,000 cells or more."""
        return tuple(Column(label, form.dtype) for label, form in self._forms)

    @cached_property
    def _forms(self) -> tuple[tuple[str | int, Form], ...]:
        cells = self._cells()
        labels = self._labels(len(cells))
        cells += [set() for _ in labels[len(cells) :]]
        decimal, thousands = self._dialect.decimal, self._dialect.thousands
        return tuple(
            (labels[at], form_of(cells[at], decimal, thousands)) for at in (self._wanted or range(len(labels)))
        )

    def _cells(self) -> list[set[str]]:
        columns: list[set[str]] = []
        read = 0
        for number, row in enumerate(self._rows()):
            if number >= _PROBE_ROWS and read >= _PROBE_CELLS:
                break
            columns += [set() for _ in row[len(columns) :]]
            for column, cell in zip(columns, row, strict=False):
                column.add(cell.strip())
            read += len(row)
        return columns

    def sheet(self, positions: Sequence[int]) -> Sheet:
        """The records at ``positions`` with the file's own delimiter and number format, in UTF-8."""
        wanted = set(positions) if not isinstance(positions, range) else positions
        last = max(positions, default=-1)
        rows = (row for at, row in enumerate(islice(self._rows(), last + 1)) if at in wanted)
        labels = [column.label for column in self.columns]
        # Without a header the file gets one here, so that read_csv needs no argument that changes what it returns.
        numbered = "" if self._dialect.header else f'.set_axis({labels!r}, axis="columns")'
        given = msgspec.structs.replace(self._dialect, header=True).arguments
        return Sheet(
            header=self._line(list(map(str, labels))),
            lines=tuple(self._line(self._chosen(row)) for row in rows),
            load=f"{given}{self._types(map(str, labels))}){numbered}",
            notes=self._notes,
        )

    def select(self, names: Sequence[str]) -> Table:
        """The columns by the header."""
        labels = [column.label for column in self.columns]
        chosen = choose(names, labels, self._path.name)
        return CsvTable(self._path, self._dialect, chosen, f"[{[labels[at] for at in chosen]!r}]")

    def live(self, source: str) -> str:
        """The expression that reads the file here; ``source`` is the source of its path."""
        given = self._dialect
        encoding = "" if given.encoding == "utf-8" else f', encoding="{given.encoding}"'
        skip = f", skiprows={given.skip}" if given.skip else ""
        types = self._types(column.label for column in self.columns)
        return f"pd.read_csv({source}{given.arguments}{skip}{encoding}{types}){self._suffix}"

    def save(self, folder: Path, stem: str) -> Saved:
        """The file itself."""
        return Saved(self._path, "text/csv", self.rows, self._notes)

    @property
    def _notes(self) -> tuple[str, ...]:
        return tuple(f"{quoted(label)}: {form.note}" for label, form in self._forms if form.note)

    def _types(self, labels: Iterable[str | int]) -> str:
        # A column without a label is called by its position in pandas.
        names = [label if label != "" else f"Unnamed: {at}" for at, label in enumerate(labels)]
        forms = [(name, form) for name, (_, form) in zip(names, self._forms, strict=True)]
        casts = ", ".join(f"{name!r}: {form.cast}" for name, form in forms if form.cast)
        dates = [name for name, form in forms if form.dtype == "date"]
        formats = {name: form.date_format for name, form in forms if form.date_format}
        given = [
            f"dtype={{{casts}}}" if casts else "",
            f"parse_dates={dates!r}" if dates else "",
            f"date_format={formats!r}" if formats else "",
        ]
        return "".join(f", {argument}" for argument in given if argument)

    def _rows(self) -> Iterator[list[str]]:
        with open_text(self._path, self._dialect.encoding) as file:
            yield from islice(records(file, self._dialect), 1 if self._dialect.header else 0, None)

    def _labels(self, width: int) -> list[str] | list[int]:
        if not self._dialect.header:
            return list(range(width))
        with open_text(self._path, self._dialect.encoding) as file:
            return next(records(file, self._dialect), [])

    def _chosen(self, row: Sequence[str]) -> Sequence[str]:
        return [row[at] if at < len(row) else "" for at in self._wanted] if self._wanted else row

    def _line(self, cells: Sequence[str]) -> str:
        return self._dialect.delimiter.join(field(cell, self._dialect.delimiter) for cell in cells) or '""'
