"""A connection to a database: the names and types of its tables go out, to wherever; no row does."""

from __future__ import annotations

from collections.abc import Iterator

from magic_ext.references.manifest import Entry
from magic_ext.references.prepared import Binding, Named, Part, called, columns_line
from magic_ext.references.tables.sheet import quoted
from magic_ext.references.things import Database

__all__ = ["schema_part"]

_MAX_TABLES = 100


def schema_part(named: Named, database: Database) -> Part:
    """What a connection contributes to a question."""
    count = len(database.tables)
    tables = f"{count:,} table{'s' * (count != 1)}"
    return Part(
        words=f"`{named.shown}`",
        lines=(f"{called(named)}: {database.kind} with {tables}; no row of them is sent", *_lines(database)),
        entry=Entry(
            name=named.written,
            kind=database.kind,
            policy="schema",
            note=f"names and types of {tables}; rows of one: @{named.written}.NAME",
        ),
        binding=Binding(name=named.name, expression=named.referent.expression),
    )


def _lines(database: Database) -> Iterator[str]:
    for name, columns in database.tables[:_MAX_TABLES]:
        yield f"  table {quoted(name)}, {columns_line(columns, index=False).strip()}"
    if (more := len(database.tables) - _MAX_TABLES) > 0:
        yield f"  and {more:,} more tables"
