"""Finished interactions in SQLite, so that a conversation can go on in another process (design section 5).

A row is written once, when its interaction has ended: a process killed in between leaves no half answer behind.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from magic_ext.wire.content import Json

__all__ = ["KEPT", "Store", "StoredInteraction", "default_path"]

KEPT = timedelta(days=7)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS interactions (
    id TEXT PRIMARY KEY,
    previous TEXT NOT NULL,
    ended TEXT NOT NULL,
    input BLOB NOT NULL,
    document BLOB NOT NULL
)
"""


class StoredInteraction(msgspec.Struct, frozen=True, kw_only=True):
    """One ended interaction: the steps that came in, and the document that went out."""

    id: str
    previous: str
    input: tuple[Json, ...]
    document: Json


def default_path() -> Path:
    """Where the interactions of this user lie."""
    import platformdirs

    return Path(platformdirs.user_data_dir("gemini-exec", appauthor=False)) / "interactions.sqlite"


class Store:
    """The interactions of one user on this computer; safe to share between threads and processes.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(Path(folder) / "i.sqlite")
    ...     store.put(StoredInteraction(id="v1_a", previous="", input=(), document={"id": "v1_a"}))
    ...     [turn.id for turn in store.chain("v1_a")], store.get("v1_b")
    (['v1_a'], None)
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with self._connection() as connection:
            connection.execute(_SCHEMA)
            connection.execute("DELETE FROM interactions WHERE ended < ?", (_stamp(datetime.now(UTC) - KEPT),))

    def put(self, turn: StoredInteraction) -> None:
        """Keep an ended interaction."""
        row = (
            turn.id,
            turn.previous,
            _stamp(datetime.now(UTC)),
            msgspec.json.encode(turn.input),
            msgspec.json.encode(turn.document),
        )
        with self._connection() as connection:
            connection.execute("INSERT OR REPLACE INTO interactions VALUES (?, ?, ?, ?, ?)", row)

    def get(self, id: str) -> StoredInteraction | None:
        """The interaction of that id, or ``None`` where it is not (or no longer) kept."""
        with self._connection() as connection:
            row = connection.execute(
                "SELECT previous, input, document FROM interactions WHERE id = ?", (id,)
            ).fetchone()
        if row is None:
            return None
        return StoredInteraction(
            id=id,
            previous=row[0],
            input=tuple(msgspec.json.decode(row[1])),
            document=msgspec.json.decode(row[2]),
        )

    def delete(self, id: str) -> bool:
        """Forget an interaction; returns whether it was there."""
        with self._connection() as connection:
            return connection.execute("DELETE FROM interactions WHERE id = ?", (id,)).rowcount > 0

    def chain(self, id: str) -> tuple[StoredInteraction, ...]:
        """The conversation that ends with ``id``, oldest first; it begins where an ancestor is no longer kept."""
        turns: list[StoredInteraction] = []
        wanted = id
        while wanted and (turn := self.get(wanted)) is not None and all(seen.id != wanted for seen in turns):
            turns.append(turn)
            wanted = turn.previous
        return tuple(reversed(turns))

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        # One short connection a call: no file handle is left for a fork, another thread or Windows to trip over.
        with self._lock, contextlib.closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
            yield connection


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
