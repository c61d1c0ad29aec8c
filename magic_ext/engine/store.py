"""Interactions in SQLite: what a conversation, a poll or a resumed stream can come back to (design section 5).

A row is there from an interaction's first moment, with the process that works on it as its owner; head and log are
written in one transaction when it has ended. So a process killed in between loses nothing that had ended, and what it
was working on is reported as failed.
"""

from __future__ import annotations

import contextlib
import math
import os
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.wire.content import Json

__all__ = ["Retention", "Store", "StoredInteraction", "data_folder", "retention_from"]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS turns (
    id TEXT PRIMARY KEY,
    previous TEXT NOT NULL,
    begun TEXT NOT NULL,
    owner TEXT NOT NULL,
    input BLOB NOT NULL,
    head BLOB NOT NULL,
    log BLOB
)
"""


_SETTINGS = {
    "GEMINI_EXEC_KEEP_DAYS": "days",
    "GEMINI_EXEC_KEEP_MB": "megabytes",
    "GEMINI_EXEC_FILES_MB": "file_megabytes",
}
_SWEPT_EVERY = 600.0  # seconds, in a process that keeps running


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """How long interactions are kept, and how much of them: the oldest go first.

    ``file_megabytes`` is the room for uploaded files, which are refused when it is full.
    """

    days: float = 7.0
    megabytes: float = 1024.0
    file_megabytes: float = 20_000.0  # Google's limit for a project


class StoredInteraction(msgspec.Struct, frozen=True, kw_only=True):
    """One interaction: the steps that came in, its document without steps, and its events."""

    id: str
    previous: str = ""
    input: tuple[Json, ...] = ()
    head: Json
    log: tuple[Json, ...] = ()
    owner: str = ""  # the process that still works on it; "" when it has ended


def data_folder() -> Path:
    """Where the engine keeps what it keeps for this user."""
    import platformdirs

    return Path(platformdirs.user_data_dir("gemini-exec", appauthor=False))


def retention_from(environ: Mapping[str, str]) -> Retention:
    """The retention that ``GEMINI_EXEC_KEEP_DAYS``, ``GEMINI_EXEC_KEEP_MB`` and ``GEMINI_EXEC_FILES_MB`` ask for.

    >>> retention_from({"GEMINI_EXEC_KEEP_DAYS": "1"}).days
    1.0
    """
    given: dict[str, float] = {}
    for name, field in _SETTINGS.items():
        try:
            given[field] = float(environ.get(name) or getattr(Retention(), field))
        except ValueError:
            given[field] = math.nan
        if not 0 <= given[field] < math.inf:
            raise GeminiExecError(f"{name} is {environ[name]!r}, not a number.", hint="Correct or unset it.") from None
    return Retention(**given)


class Store:
    """The interactions of one user on this computer; safe to share between threads and processes.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(Path(folder) / "i.sqlite")
    ...     store.put(StoredInteraction(id="v1_a", head={"status": "completed"}))
    ...     [turn.id for turn in store.chain("v1_a")], store.get("v1_b")
    (['v1_a'], None)
    """

    def __init__(self, path: Path, retention: Retention = Retention()) -> None:  # noqa: B008 - a frozen value
        self.path = path
        self.retention = retention
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        with self._connection() as connection:
            connection.execute("PRAGMA auto_vacuum = FULL")
            connection.execute(_SCHEMA)
        self.sweep()

    def put(self, turn: StoredInteraction) -> None:
        """Keep an interaction; one that is there already is replaced in the same moment."""
        row = (
            turn.id,
            turn.previous,
            _stamp(datetime.now(UTC)),
            turn.owner,
            msgspec.json.encode(turn.input),
            msgspec.json.encode(turn.head),
            msgspec.json.encode(turn.log),
        )
        with self._connection() as connection:
            connection.execute("INSERT OR REPLACE INTO turns VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def note(self, id: str, log: tuple[Json, ...]) -> None:
        """Write how far an interaction has come; one that has ended or was deleted is left as it is."""
        with self._connection() as connection:
            query = "UPDATE turns SET log = ? WHERE id = ? AND owner != ''"
            connection.execute(query, (msgspec.json.encode(log), id))

    def end(self, id: str, head: Json, log: tuple[Json, ...]) -> None:
        """Write how an interaction ended; one that was deleted while it ran stays deleted."""
        with self._connection() as connection:
            connection.execute(
                "UPDATE turns SET owner = '', head = ?, log = ? WHERE id = ?",
                (msgspec.json.encode(head), msgspec.json.encode(log), id),
            )
        if time.monotonic() - self._swept > _SWEPT_EVERY:
            self.sweep()

    def get(self, id: str) -> StoredInteraction | None:
        """The interaction of that id, or ``None`` where it is not (or no longer) kept."""
        query = "SELECT previous, owner, input, head, log FROM turns WHERE id = ?"
        with self._connection() as connection:
            row = connection.execute(query, (id,)).fetchone()
        if row is None:
            return None
        previous, owner, *documents = row
        sent, head, log = (msgspec.json.decode(document) for document in documents)
        return StoredInteraction(id=id, previous=previous, owner=owner, input=tuple(sent), head=head, log=tuple(log))

    def delete(self, id: str) -> bool:
        """Forget an interaction; returns whether it was there."""
        with self._connection() as connection:
            query = "DELETE FROM turns WHERE id = ?"
            return connection.execute(query, (id,)).rowcount > 0

    def chain(self, id: str) -> tuple[StoredInteraction, ...]:
        """The conversation that ends with ``id``, oldest first; it begins where an ancestor is no longer kept."""
        turns: list[StoredInteraction] = []
        wanted = id
        while wanted and (turn := self.get(wanted)) is not None and all(seen.id != wanted for seen in turns):
            turns.append(turn)
            wanted = turn.previous
        return tuple(reversed(turns))

    @property
    def size(self) -> tuple[int, int]:
        """How many interactions are kept, and in how many bytes of file."""
        with self._connection() as connection:
            (count,) = connection.execute("SELECT count(*) FROM turns").fetchone()
        return count, self.path.stat().st_size

    def clear(self) -> int:
        """Forget all interactions; returns how many there were."""
        with self._connection() as connection:
            return connection.execute("DELETE FROM turns").rowcount

    def sweep(self) -> None:
        """Forget what is older than the retention, and the oldest where the file has grown too large."""
        self._swept = time.monotonic()
        oldest = _stamp(datetime.now(UTC) - timedelta(days=self.retention.days))
        with self._connection() as connection:
            connection.execute("DELETE FROM turns WHERE begun < ?", (oldest,))
            sizes = connection.execute(
                "SELECT id, length(input) + length(head) + length(log) FROM turns ORDER BY begun DESC, rowid DESC"
            ).fetchall()
            room = self.retention.megabytes * 1e6
            for found, size in sizes:
                room -= size
                if room < 0:
                    connection.execute("DELETE FROM turns WHERE id = ?", (found,))

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        # One short connection a call: no file handle is left for a fork, another thread or Windows to trip over.
        with self._lock, contextlib.closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
            yield connection


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
