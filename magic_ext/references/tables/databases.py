"""Connections to sqlite and duckdb: their tables' names and types, and one of the tables as a table."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar

import msgspec

from magic_ext.references.errors import UnsendableError
from magic_ext.references.libraries import is_a
from magic_ext.references.tables.partial import PartialTable
from magic_ext.references.tables.plain import ColumnsTable
from magic_ext.references.tables.sheet import Column
from magic_ext.references.tables.table import Table, choose
from magic_ext.references.things import Database

__all__ = ["SqliteTable", "StoredTable", "database_of", "is_connection", "table_in"]

_ENUM = re.compile(r"ENUM\((?:'(?:[^']|'')*'(?:, )?)+\)")  # its text lists values
_COUNTED_ROWS = 1_000_000  # of a larger table of sqlite the rows are not counted
_T = TypeVar("_T")


class StoredTable(msgspec.Struct, frozen=True):
    """A table or view of a sqlite connection."""

    connection: Any
    name: str


class SqliteTable(PartialTable):
    """A table of a sqlite connection; ``wanted`` are the columns chosen of it."""

    def __init__(self, stored: StoredTable, wanted: Sequence[str] = ()) -> None:
        self._stored = stored
        self._wanted = wanted

    @property
    def kind(self) -> str:
        """What it is."""
        return "sqlite table"

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns with the types that they were declared with."""
        all_of_it = _columns_in_sqlite(self._stored.connection, self._stored.name)
        return tuple(column for column in all_of_it if not self._wanted or column.label in self._wanted)

    def counted(self) -> int | None:
        """Its rows up to a million, which takes some milliseconds."""
        some = f"SELECT 1 FROM {_quoted(self._stored.name)} LIMIT {_COUNTED_ROWS + 1}"  # noqa: S608 - quoted
        [[count]] = self._rows_of(f"SELECT count(*) FROM ({some})")  # noqa: S608 - quoted
        return count if count <= _COUNTED_ROWS else None

    def first(self, count: int) -> Table:
        """The first rows, as sqlite gives them."""
        labels = [column.label for column in self.columns]
        rows = self._rows_of(f"{self._query} LIMIT {count}")
        return ColumnsTable({label: [row[at] for row in rows] for at, label in enumerate(labels)}, self.kind)

    def select(self, names: Sequence[str]) -> Table:
        """The columns by name."""
        labels = [column.label for column in self.columns]
        chosen = choose(names, labels, self._stored.name)
        return SqliteTable(self._stored, [labels[at] for at in sorted(chosen)])

    def live(self, source: str) -> str:
        """The whole of it as a pandas DataFrame, which :func:`table_in` says already."""
        return f"{source}[{self._wanted!r}]" if self._wanted else source

    @property
    def _query(self) -> str:
        wanted = ", ".join(_quoted(column.label) for column in self.columns)
        return _select(self._stored.name, wanted)

    def _rows_of(self, query: str) -> list[tuple[Any, ...]]:
        return _asked_of_sqlite(self._stored.connection, query)


def is_connection(value: Any) -> bool:
    """Whether it is a connection to sqlite or duckdb."""
    return is_a(value, "sqlite3", "Connection") or is_a(value, "duckdb", "DuckDBPyConnection")


def database_of(connection: Any) -> Database:
    """The tables and views of a connection; raises :class:`UnsendableError` for one that is closed or busy."""
    if is_a(connection, "sqlite3", "Connection"):
        names = _tried(lambda: _names_in_sqlite(connection))
        return Database("sqlite connection", tuple((name, _columns_in_sqlite(connection, name)) for name in names))
    found = _tried(lambda: _tables_in_duckdb(connection))
    return Database("duckdb connection", tuple((".".join(path), columns) for path, columns in found))


def table_in(connection: Any, name: str, expression: str) -> tuple[Any, str] | None:
    """The table ``name`` of a connection, and its source given the connection's; ``None`` if there is none.

    Letter case does not matter, as in SQL.
    """
    if is_a(connection, "sqlite3", "Connection"):
        named = next((known for known in _tried(lambda: _names_in_sqlite(connection)) if _same(known, name)), None)
        if named is None:
            return None
        return StoredTable(connection, named), f"pd.read_sql_query({_select(named)!r}, {expression})"
    path = next(
        (path for path, _ in _tried(lambda: _tables_in_duckdb(connection)) if _same(".".join(path), name)), None
    )
    if path is None:
        return None
    written = ".".join(part if part.isidentifier() else _quoted(part) for part in path)
    return connection.table(written), f"{expression}.table({written!r})"


def _same(name: str, other: str) -> bool:
    return name.casefold() == other.casefold()


def _tried(question: Callable[[], _T]) -> _T:
    try:
        return question()
    except Exception as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        hint = "Open it again, or fetch what it still holds."
        raise UnsendableError(f"The connection does not answer: {said}", hint=hint) from error


def _select(table: str, wanted: str = "*") -> str:
    return f"SELECT {wanted} FROM {_quoted(table)}"  # noqa: S608 - quoted


def _names_in_sqlite(connection: Any) -> list[str]:
    query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
    return [row[0] for row in _asked_of_sqlite(connection, query)]


def _columns_in_sqlite(connection: Any, name: str) -> tuple[Column, ...]:
    rows = _tried(lambda: _asked_of_sqlite(connection, f"PRAGMA table_xinfo({_quoted(name)})"))
    return tuple(Column(row[1], row[2] or "any type") for row in rows if row[6] != 1)  # 1: hidden


def _asked_of_sqlite(connection: Any, query: str) -> list[tuple[Any, ...]]:
    cursor = connection.cursor()
    cursor.row_factory = None  # rows as tuples, whatever the user's own rows are
    try:
        return list(cursor.execute(query))
    finally:
        cursor.close()


def _tables_in_duckdb(connection: Any) -> list[tuple[list[str], tuple[Column, ...]]]:
    [here] = connection.sql("SELECT current_database(), current_schema()").fetchall()
    found = []
    for database, schema, name, labels, types, *_ in connection.sql("FROM (SHOW ALL TABLES)").fetchall():
        path = [name] if (database, schema) == here else [database, schema, name]
        found.append(
            (path, tuple(Column(label, _ENUM.sub("ENUM", dtype)) for label, dtype in zip(labels, types, strict=True)))
        )
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
