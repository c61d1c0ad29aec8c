"""Attachments for the embedded engine: data are handed over whole, by files in a folder of this computer."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from magic_ext.references.errors import BadReferenceError
from magic_ext.references.manifest import Entry
from magic_ext.references.prepared import Binding, Named, Part, columns_line, shape
from magic_ext.references.table import Table
from magic_ext.references.things import OtherFile, Picture, Scalar, TextFile, Value
from magic_ext.wire.content import Document, Image

__all__ = ["local_parts"]

_TEXT_TYPES = {".json": "application/json", ".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson"}


def local_parts(named: Sequence[Named], folder: Path) -> list[Part]:
    """One part a referent; what has no file of its own is written into ``folder``."""
    parts = []
    for number, one in enumerate(named):
        try:
            parts.append(_part(one, folder.resolve(), number))
        except BadReferenceError as error:
            raise type(error)(f"@{one.referent.reference.written}: {error}", hint=error.hint) from error
    return parts


def _part(named: Named, folder: Path, number: int) -> Part:
    thing = named.referent.thing
    stem = f"{number}_{named.name[:60]}"
    match thing:
        case Scalar():
            entry = Entry(name=named.shown, kind=thing.kind, policy="full", note="written into the sentence")
            return Part(words=thing.text, entry=entry)
        case Picture():
            return _picture(named, thing)
        case Value():
            plain = thing.kind == "text"
            path = folder / f"{stem}{'.txt' if plain else '.json'}"
            path.write_text(thing.text, encoding="utf-8")
            return _file(named, path, thing.kind, "text/plain" if plain else "application/json")
        case TextFile():
            return _file(named, thing.path, "text file", _TEXT_TYPES.get(thing.path.suffix.lower(), "text/plain"))
        case OtherFile():
            return _file(named, thing.path, f"file ({thing.mime_type})", thing.mime_type)
        case Table():
            return _table(named, thing, folder, stem)


def _table(named: Named, table: Table, folder: Path, stem: str) -> Part:
    saved = table.save(folder, stem)
    columns = table.columns
    width = sum(not column.index for column in columns)
    note = "; ".join(saved.notes)
    lines = [
        f"`{named.shown}`: {table.kind}, {shape(table.rows, width)}; bound to {named.name}",
        columns_line(columns, index=True),
        columns_line(columns, index=False),
        f"  note: {note}" if note else "",
    ]
    return Part(
        words=f"`{named.shown}`",
        contents=(Document(uri=saved.path.as_uri(), mime_type=saved.mime_type, name=named.shown),),
        lines=tuple(filter(None, lines)),
        entry=Entry(
            name=named.shown,
            kind=table.kind,
            policy="full",
            rows=table.rows,
            columns=width,
            rows_sent=saved.rows,
            columns_sent=width,
            bytes=saved.path.stat().st_size,
            file=saved.path.name,
            note=note,
        ),
        binding=Binding(
            file=saved.path.name,
            name=named.name,
            expression=table.live(named.referent.expression),
            rows=table.rows,
            rows_sent=saved.rows,
        ),
    )


def _file(named: Named, path: Path, kind: str, mime_type: str) -> Part:
    size = path.stat().st_size
    return Part(
        words=f"`{named.shown}`",
        contents=(Document(uri=path.as_uri(), mime_type=mime_type, name=named.shown),),
        lines=(f"`{named.shown}`: {kind}, {size:,} bytes, handed over as a file",),
        entry=Entry(name=named.shown, kind=kind, policy="full", bytes=size, file=path.name),
        binding=None if named.referent.path else Binding(name=named.name, expression=named.referent.expression),
    )


def _picture(named: Named, picture: Picture) -> Part:
    size = f", {picture.size[0]} x {picture.size[1]} pixels" if picture.size else ""
    data = base64.b64encode(picture.data).decode("ascii")
    return Part(
        words=f"`{named.shown}`",
        contents=(Image(data=data, mime_type=picture.mime_type, name=named.shown),),
        lines=(f"`{named.shown}`: {picture.kind}{size}",),
        entry=Entry(name=named.shown, kind=picture.kind, policy="full", bytes=len(picture.data)),
    )
