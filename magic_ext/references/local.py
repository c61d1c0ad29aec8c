"""Attachments for the embedded engine: data are handed over whole, by files in a folder of this computer."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from magic_ext.references.errors import BadReferenceError
from magic_ext.references.manifest import Entry
from magic_ext.references.prepared import Binding, Named, Part, called, columns_line, shape
from magic_ext.references.schemas import schema_part
from magic_ext.references.screened import told_withheld
from magic_ext.references.tables.table import Saved, Table
from magic_ext.references.things import Database, OtherFile, Picture, Scalar, TextFile, Value
from magic_ext.wire.content import ARROW, Document, Image

__all__ = ["local_parts"]

_TEXT_TYPES = {".json": "application/json", ".jsonl": "application/x-ndjson", ".ndjson": "application/x-ndjson"}


def local_parts(named: Sequence[Named], folder: Path) -> list[Part]:
    """One part a referent; what has no file of its own is written into ``folder``."""
    parts = []
    places = _places(named)
    for number, (one, place) in enumerate(zip(named, places, strict=True)):
        try:
            parts.append(_part(one, folder.resolve(), number, place))
        except BadReferenceError as error:
            raise type(error)(f"@{one.referent.reference.written}: {error}", hint=error.hint) from error
    return parts


def _places(named: Sequence[Named]) -> list[str]:
    """Where the code finds each file: at the path as written, or by its name where that leads out of the folder."""
    taken: dict[str, str] = {}
    places = []
    for one in named:
        path = PurePosixPath(one.referent.label.replace("\\", "/"))
        out = path.is_absolute() or ".." in path.parts or str(path)[:1] == "~" or ":" in str(path)
        place = path.name if out else str(path)
        source = str(one.referent.path)
        if taken.setdefault(place, source) != source:
            place = f"{one.name}{path.suffix}"
        places.append(place)
    return places


def _part(named: Named, folder: Path, number: int, place: str) -> Part:
    thing = named.referent.thing
    stem = f"{number}_{named.name[:60]}"
    match thing:
        case Scalar():
            entry = Entry(name=named.written, kind=thing.kind, policy="full", note="written into the sentence")
            return Part(words=thing.text, entry=entry)
        case Picture():
            return _picture(named, thing)
        case Value():
            return _value(named, thing, folder / f"{stem}{'.txt' if thing.kind == 'text' else '.json'}")
        case TextFile():
            return _file(
                named, thing.path, _TEXT_TYPES.get(thing.path.suffix.lower(), "text/plain"), "text file", place
            )
        case OtherFile():
            return _file(named, thing.path, thing.mime_type, f"file ({thing.mime_type})", place)
        case Database():
            return schema_part(named, thing)
        case Table():
            return _table(named, thing, thing.save(folder, stem), place)


def _table(named: Named, table: Table, saved: Saved, place: str) -> Part:
    columns = table.columns
    width = sum(not column.index for column in columns)
    load = ""
    if saved.mime_type != ARROW:
        place = place if named.referent.path else f"{named.name}.npy"
        load = f"{named.name} = {table.live(repr(place)) if named.referent.path else f'np.load({place!r})'}"
    note = "; ".join(filter(None, (*saved.notes, told_withheld(table))))
    lines = [
        f"{called(named)}: {table.kind}, {shape(table.rows, width)}"
        f"{'' if load else ', loaded already as a pandas DataFrame'}",
        columns_line(columns, index=True),
        columns_line(columns, index=False),
        f"  load: {load}" if load else "",
        f"  note: {note}" if note else "",
    ]
    is_csv = bool(named.referent.path)
    document = Document(
        uri=saved.path.as_uri(),
        mime_type=saved.mime_type,
        name=place if load else named.name,
        load=load if is_csv else None,
    )
    return Part(
        words=f"`{document.name if is_csv else named.name}`",
        contents=(document,),
        lines=tuple(filter(None, lines)),
        entry=Entry(
            name=named.written,
            kind=table.kind,
            policy="full" if saved.rows == table.rows else f"head({saved.rows})",
            rows=table.rows,
            columns=width,
            rows_sent=saved.rows,
            columns_sent=width,
            bytes=saved.path.stat().st_size,
            file=saved.path.name,
            note=note,
        ),
        binding=Binding(
            file=PurePosixPath(place).name if load else saved.path.name,
            name=named.name,
            expression=table.live(named.referent.expression),
            rows=table.rows,
            rows_sent=saved.rows,
            kind=table.kind,
        ),
    )


def _value(named: Named, value: Value, path: Path) -> Part:
    path.write_text(value.text, encoding="utf-8")
    if value.kind == "text":
        return _file(named, path, "text/plain", "text", f"{named.name}.txt")
    return _file(named, path, "application/json", f"{value.kind}, as JSON", f"{named.name}.json")


def _file(named: Named, path: Path, mime_type: str, kind: str, place: str) -> Part:
    size = path.stat().st_size
    return Part(
        words=f"`{place if named.referent.path else named.name}`",
        contents=(Document(uri=path.as_uri(), mime_type=mime_type, name=place),),
        lines=(f"{called(named)}: {kind}, {size:,} bytes, in the file {place}",),
        entry=Entry(name=named.written, kind=kind, policy="full", bytes=size, file=path.name),
        binding=None
        if named.referent.path
        else Binding(file=place, name=named.name, expression=named.referent.expression, kind=kind),
    )


def _picture(named: Named, picture: Picture) -> Part:
    size = f", {picture.size[0]} x {picture.size[1]} pixels" if picture.size else ""
    data = base64.b64encode(picture.data).decode("ascii")
    return Part(
        words=f"`{named.shown}`",
        contents=(Image(data=data, mime_type=picture.mime_type, name=named.shown),),
        lines=(f"{called(named)}: {picture.kind}{size}",),
        entry=Entry(name=named.written, kind=picture.kind, policy="full", bytes=len(picture.data)),
    )
