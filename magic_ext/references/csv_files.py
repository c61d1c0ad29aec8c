"""A CSV file as a table: its cells go out as they are written, its rows are read as a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

import msgspec

from magic_ext.references.dialect import Dialect, detect, is_date, open_text, records
from magic_ext.references.sheet import Column, Sheet, field
from magic_ext.references.table import Saved, Table, choose

__all__ = ["CsvTable"]

_PROBE_ROWS = 1_000
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

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns of the header (numbers where there is none) with what their first 1,000 cells look like."""
        probe = list(islice(self._rows(), _PROBE_ROWS))
        labels = self._labels(probe)
        return tuple(
            Column(labels[at], self._type([row[at].strip() for row in probe if at < len(row)]))
            for at in (self._wanted or range(len(labels)))
        )

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
            load=f"{given}{self._dates(map(str, labels))}){numbered}",
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
        dates = self._dates(column.label for column in self.columns)
        return f"pd.read_csv({source}{given.arguments}{skip}{encoding}{dates}){self._suffix}"

    def save(self, folder: Path, stem: str) -> Saved:
        """The file itself."""
        return Saved(self._path, "text/csv", self.rows)

    def _dates(self, labels: Iterable[object]) -> str:
        dates = [label for label, column in zip(labels, self.columns, strict=True) if column.dtype == "date"]
        return f", parse_dates={dates!r}" if dates else ""

    def _rows(self) -> Iterator[list[str]]:
        with open_text(self._path, self._dialect.encoding) as file:
            yield from islice(records(file, self._dialect), 1 if self._dialect.header else 0, None)

    def _labels(self, probe: Sequence[Sequence[str]]) -> list[str] | list[int]:
        if not self._dialect.header:
            return list(range(max(map(len, probe), default=0)))
        with open_text(self._path, self._dialect.encoding) as file:
            return next(records(file, self._dialect), [])

    def _chosen(self, row: Sequence[str]) -> Sequence[str]:
        return [row[at] if at < len(row) else "" for at in self._wanted] if self._wanted else row

    def _line(self, cells: Sequence[str]) -> str:
        return self._dialect.delimiter.join(field(cell, self._dialect.delimiter) for cell in cells) or '""'

    def _type(self, cells: Sequence[str]) -> str:
        held = [cell for cell in cells if cell and cell not in ("NA", "NaN", "nan", "null", "NULL", "N/A")]
        if not held:
            return "empty"
        if all(map(is_date, held)):
            return "date"
        if {cell.lower() for cell in held} <= {"true", "false"}:
            return "boolean"
        numbers = [self._number(cell) for cell in held]
        if any(number is None for number in numbers):
            return "text"
        return "integer" if all(cell.lstrip("+-").isdigit() for cell in held) else "number"

    def _number(self, cell: str) -> float | None:
        plain = cell.replace(self._dialect.thousands, "") if self._dialect.thousands else cell
        try:
            return float(plain.replace(self._dialect.decimal, ".").replace("_", "x"))
        except ValueError:
            return None
