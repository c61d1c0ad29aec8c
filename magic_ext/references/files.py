"""Files: what a path leads to, told by content first and by the name where content says nothing."""

from __future__ import annotations

from pathlib import Path

from magic_ext.references.errors import UnknownReferenceError, UnsendableError, nearest
from magic_ext.references.pictures import mime_type_of, size_of
from magic_ext.references.tables.dialect import decode
from magic_ext.references.things import OtherFile, Picture, TextFile, Thing

__all__ = ["KNOWN_SUFFIXES", "find_file", "open_file"]

_TABLES = frozenset({".csv", ".tsv", ".tab"})
_BINARY = {
    ".parquet": "application/vnd.apache.parquet",
    ".feather": "application/vnd.apache.arrow.file",
    ".arrow": "application/vnd.apache.arrow.file",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xls": "application/vnd.ms-excel",
    ".npy": "application/x-npy",
}
KNOWN_SUFFIXES = frozenset(
    {".txt", ".md", ".json", ".ndjson", ".jsonl", ".log", ".py", ".sql", ".xml", ".html", ".yaml", ".yml", ".toml"}
    | {".pdf", ".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tiff", ".gz", ".zip", ".db", ".sqlite", ".pkl"}
    | _TABLES
    | set(_BINARY)
)
_MAX_PICTURE = 20 << 20


def find_file(written: str, cwd: Path) -> Path:
    """The regular file at ``written``, seen from ``cwd``, ``~`` expanded.

    Raises :class:`UnknownReferenceError` with near names where there is none, :class:`UnsendableError` for a folder or
    a device.
    """
    try:
        path = (cwd / Path(written).expanduser()).resolve()
        missing = not path.exists()
    except (OSError, RuntimeError, ValueError) as error:
        raise UnknownReferenceError(f"There is no file {written!r}.", hint=_hint(written, cwd)) from error
    if missing:
        raise UnknownReferenceError(f"There is no file {written!r} in {cwd}.", hint=_hint(written, cwd))
    if path.is_dir():
        names = sorted(entry.name for entry in path.iterdir() if entry.is_file())[:5]
        hint = f"Refer to a file in it: {', '.join(names)}." if names else "Refer to a file."
        raise UnsendableError(f"{written!r} is a folder.", hint=hint)
    if not path.is_file():
        raise UnsendableError(f"{written!r} is no regular file.", hint="Refer to a file on disk.")
    return path


def open_file(path: Path, written: str) -> Thing:
    """What the file holds; raises :class:`UnsendableError` for one that is empty or cannot be read."""
    try:
        with path.open("rb") as file:
            start = file.read(64)
        if not start:
            raise UnsendableError(f"The file {written!r} is empty.", hint="Refer to a file with content.")
        return _thing(path, start, written)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise UnsendableError(
            f"The file {written!r} cannot be read: {reason}.", hint="Check its permissions."
        ) from error


def _thing(path: Path, start: bytes, written: str) -> Thing:
    suffix = path.suffix.lower()
    if mime_type := mime_type_of(start):
        return _picture(path, mime_type, written)
    if start.startswith(b"%PDF"):
        return OtherFile(path, "application/pdf")
    if suffix in _BINARY:
        return OtherFile(path, _BINARY[suffix])
    encoding = decode(path)
    if not encoding:
        return OtherFile(path, "application/octet-stream")
    if suffix in _TABLES:
        from magic_ext.references.tables.csv_files import CsvTable

        return CsvTable(path)
    return TextFile(path, encoding)


def _picture(path: Path, mime_type: str, written: str) -> Picture:
    size = path.stat().st_size
    if size > _MAX_PICTURE:
        hint = "Make it smaller, at most 20 MB."
        raise UnsendableError(f"The picture {written!r} has {size / (1 << 20):,.0f} MB.", hint=hint)
    data = path.read_bytes()
    return Picture(f"{mime_type.removeprefix('image/').upper()} file", data, mime_type, size_of(data))


def _hint(written: str, cwd: Path) -> str:
    name = Path(written).name
    try:
        folder = (cwd / Path(written).expanduser()).parent
        present = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    except (OSError, RuntimeError, ValueError):
        present = []
    close = nearest(name, present)
    near = f"Did you mean {' or '.join(close)}? " if close else ""
    return f"{near}A literal @ is written @@."
