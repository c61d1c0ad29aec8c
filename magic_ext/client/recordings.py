"""Recorded answers in a folder, a file each: what a question that was asked before is answered from.

A file holds the answer and digests of what was asked, no attachment, no header, no key. It is written under another
name and then renamed, so that several kernels can share a folder; one that can't be read counts as not there.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.private import write_private
from magic_ext.wire.content import Json

__all__ = ["FORMAT", "Key", "Recording", "Recordings", "user_recordings"]

FORMAT = 1  # a recording of another format counts as not there
KEEP_DAYS = 90.0
KEEP_BYTES = 500_000_000


class Key(msgspec.Struct, frozen=True):
    """What a question is found by: ``question`` digests prompt, references and the conversation before; ``full`` also
    the model and the options.
    """

    question: str
    full: str


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One answer as it was: ``interaction`` is the server's document with its steps as they came, signatures included.

    ``references`` are digests of what went along. ``prompt`` is there for people who look into the file; ``place`` says
    where the code ran, ``recorded`` when.
    """

    key: Key
    prompt: str
    references: tuple[str, ...] = ()
    model: str
    place: str
    interaction: Json
    recorded: str = ""
    format: int = FORMAT


class Recordings(msgspec.Struct, frozen=True):
    """The recordings in ``folder``, which need not exist. In the user's own (``swept``) the oldest go after a while.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     recordings, key = Recordings(Path(folder) / "r"), Key("q", "f")
    ...     recordings.keep(Recording(key=key, prompt="hi", model="m", place="here", interaction={"id": "v1_a"}))
    ...     recordings.find(key).interaction, recordings.find(Key("q", "g")), recordings.size[0]
    ({'id': 'v1_a'}, None, 1)
    """

    folder: Path
    swept: bool = False

    def find(self, key: Key) -> Recording | None:
        """The answer to this very question, by the same model with the same options."""
        found = self._read(self._path(key))
        return found if found is not None and found.key == key else None

    def find_any(self, key: Key) -> Recording | None:
        """The latest answer to the same prompt and references, by whatever model with whatever options."""
        found = map(self._read, self.folder.glob(f"{_short(key.question)}-*.json"))
        answers = [one for one in found if one is not None and one.key.question == key.question]
        return max(answers, key=lambda one: one.recorded, default=None)

    def keep(self, recording: Recording) -> None:
        """Write a recording; raises :class:`GeminiExecError` where the folder can't be written."""
        written = msgspec.structs.replace(recording, recorded=datetime.now(UTC).isoformat(timespec="seconds"))
        try:
            write_private(self._path(recording.key), msgspec.json.encode(written))
            if self.swept:
                self._sweep()
        except OSError as error:
            raise GeminiExecError(
                f"The answer can't be recorded in {str(self.folder)!r}: {error.strerror or type(error).__name__}.",
                hint="Make the folder writable, or choose another with GeminiExecMagics.cache_dir.",
            ) from error

    @property
    def empty(self) -> bool:
        """Whether there is none."""
        return next(self._files(), None) is None

    @property
    def size(self) -> tuple[int, int]:
        """How many recordings there are, and in how many bytes."""
        sizes = [size for _, size, _ in self._files()]
        return len(sizes), sum(sizes)

    def clear(self) -> int:
        """Delete all recordings; returns how many there were."""
        return sum(_deleted(path) for path, _, _ in list(self._files()))

    def _read(self, path: Path) -> Recording | None:
        try:
            recording = _decoder.decode(path.read_bytes())
        except (OSError, msgspec.DecodeError, ValueError, RecursionError):
            return None
        if recording.format != FORMAT:
            return None
        if self.swept:
            with contextlib.suppress(OSError):
                os.utime(path)  # what is used stays
        return recording

    def _path(self, key: Key) -> Path:
        return self.folder / f"{_short(key.question)}-{_short(key.full)}.json"

    def _files(self) -> Iterator[tuple[Path, int, float]]:
        """Path, size and time of last use of every recording."""
        for path in self.folder.glob("*-*.json"):
            with contextlib.suppress(OSError):  # another kernel has just deleted it
                status = path.stat()
                yield path, status.st_size, status.st_mtime

    def _sweep(self) -> None:
        """Delete what nobody has used for long, and the oldest where it is too much."""
        oldest, room = time.time() - KEEP_DAYS * 86_400, KEEP_BYTES
        for path, size, used in sorted(self._files(), key=lambda file: -file[2]):
            room -= size
            if room < 0 or used < oldest:
                _deleted(path)


def user_recordings() -> Recordings:
    """The user's own recordings: kept 90 days after their last use, 500 MB at most."""
    import platformdirs

    folder = platformdirs.user_cache_dir("gemini-exec", appauthor=False)
    return Recordings(Path(folder) / "recordings", swept=True)


def _deleted(path: Path) -> bool:
    try:
        path.unlink()
    except OSError:
        return False
    return True


def _short(digest: str) -> str:
    return digest[:32]


_decoder = msgspec.json.Decoder(Recording)
