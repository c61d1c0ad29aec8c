"""What a reference can turn out to be, besides a table."""

from __future__ import annotations

from pathlib import Path

import msgspec

from magic_ext.references.grammar import Reference
from magic_ext.references.tables.sheet import Column
from magic_ext.references.tables.table import Table

__all__ = ["Database", "OtherFile", "Picture", "Referent", "Scalar", "TextFile", "Thing", "Value"]


class Scalar(msgspec.Struct, frozen=True):
    """A number, date or short text that is written into the sentence."""

    kind: str
    text: str


class Value(msgspec.Struct, frozen=True):
    """A plain Python value; ``text`` is it as JSON, or itself when it is text."""

    kind: str
    text: str


class Picture(msgspec.Struct, frozen=True):
    """An image; ``size`` in pixels, width first, where it is known."""

    kind: str
    data: bytes
    mime_type: str
    size: tuple[int, int] | None = None


class TextFile(msgspec.Struct, frozen=True):
    """A text file that is no table."""

    path: Path
    encoding: str


class OtherFile(msgspec.Struct, frozen=True):
    """A file that is handed over as it is: a PDF, or on this computer any other kind."""

    path: Path
    mime_type: str


class Database(msgspec.Struct, frozen=True):
    """The tables of an open connection by name, with their columns; only they go out, and no row."""

    kind: str
    tables: tuple[tuple[str, tuple[Column, ...]], ...]


Thing = Table | Database | Scalar | Value | Picture | TextFile | OtherFile


class Referent(msgspec.Struct, frozen=True, kw_only=True):
    """What a reference names.

    ``label`` is what the user called it (a chain or a path); ``expression`` the Python source for it in the user's
    session, of a file the source of its path; ``path`` is set for a file.
    """

    reference: Reference
    thing: Thing
    label: str
    expression: str
    path: Path | None = None
