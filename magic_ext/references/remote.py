"""Attachments for a remote endpoint: policies say what leaves this computer."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence

from msgspec import structs

from magic_ext.references.errors import BadPolicyError, BadReferenceError, UnsendableError
from magic_ext.references.manifest import Entry
from magic_ext.references.policy import Policy
from magic_ext.references.portions import Excerpt, excerpt, share, tokens
from magic_ext.references.prepared import Binding, Named, Part, called, columns_line, shape
from magic_ext.references.schemas import schema_part
from magic_ext.references.screen import Screen, counted
from magic_ext.references.screened import told_withheld
from magic_ext.references.tables.table import Table
from magic_ext.references.things import Database, OtherFile, Picture, Scalar, TextFile, Value
from magic_ext.wire.content import Document, Image, Text

__all__ = ["remote_head", "remote_parts"]

_MAX_PDF = 50 << 20  # wire.md section 5.4
_PICTURE_TOKENS = 258  # a small one; a larger picture counts once a tile
_LOADERS = {".parquet": "pd.read_parquet", ".feather": "pd.read_feather", ".arrow": "pd.read_feather"}
_LOADERS |= {".xlsx": "pd.read_excel", ".xls": "pd.read_excel", ".npy": "np.load"}


def remote_parts(
    named: Sequence[Named], policies: Sequence[Policy | None], default: Policy, first: int, screen: Screen
) -> list[Part]:
    """One part a referent, in their order; files are numbered from ``first`` on, tables before all others.

    ``policies`` are those written at the references; where there is none, ``default`` holds. ``screen`` cleans texts;
    tables are seen through it already.
    """
    # The sandbox numbers its input files; with tables first their numbers hold whether it counts pictures or not.
    order = sorted(range(len(named)), key=lambda at: not isinstance(named[at].referent.thing, Table))
    parts: dict[int, Part] = {}
    for at in order:
        try:
            part = _part(named[at], policies[at], default, first, screen)
        except BadReferenceError as error:
            written = f"@{named[at].referent.reference.written}"
            if str(error).startswith(written):
                raise
            raise type(error)(f"{written}: {error}", hint=error.hint) from error
        first += sum(isinstance(content, Document | Image) for content in part.contents)
        parts[at] = part
    return [parts[at] for at in range(len(named))]


def remote_head(parts: Sequence[Part]) -> Iterator[str]:
    """The lines before the description of tables that code can load."""
    loads = [text for part in parts for text in part.lines if text.startswith("  load: ")]
    if loads:
        used = [name for name in ("datetime", "decimal", "json") if any(f"{name}." in load for load in loads)]
        imports = ", ".join([*used, "glob", "pandas as pd"])
        yield f"Attached tables are files in the working directory of the code. Begin with: import {imports}"
        yield "Load each by its load line and never type rows into code; rows that are not attached are unknown to you."
    if any(part.entry.file and part.entry.rows_sent != part.entry.rows for part in parts):
        yield "Where only some of the rows are attached, say of every result that it is computed on these only."


def _part(named: Named, written: Policy | None, default: Policy, number: int, screen: Screen) -> Part:
    thing = named.referent.thing
    policy = written or default
    if isinstance(thing, Table):
        return _table(named, thing, policy, number)
    if isinstance(thing, Database):
        return schema_part(named, thing)
    if isinstance(thing, TextFile) or (isinstance(thing, Value) and thing.kind == "text"):
        return _text(named, thing, policy, screen)
    if written is not None and written.kind in ("head", "sample"):
        raise BadPolicyError(f"It has no rows, so {written} means nothing.", hint="Use :schema or :full.")
    policy = Policy() if policy.kind in ("head", "sample") else policy
    if isinstance(thing, Value):
        return _text(named, thing, policy, screen)
    schema = policy.kind == "schema"
    if isinstance(thing, Scalar):
        return _scalar(named, thing, schema, screen)
    return _picture(named, thing, schema) if isinstance(thing, Picture) else _file(named, thing, schema)


def _table(named: Named, table: Table, policy: Policy, number: int) -> Part:
    given = share(table, policy)
    file = f"input_file_{number}.csv" if given.sheet else ""
    data = given.sheet.data if given.sheet else b""
    columns = table.columns
    width = sum(not column.index for column in columns)
    withheld = told_withheld(table)
    note = "; ".join(filter(None, (given.note, withheld, *(given.sheet.notes if given.sheet else ()))))
    lines = [
        f"{called(named)}: {table.kind}, {shape(table.rows, width)}; {_extent(table, given.how, given.rows, file)}",
        columns_line(columns, index=True),
        columns_line(columns, index=False),
        f"  load: {named.name} = {given.sheet.expression(_glob(number))}" if given.sheet else "",
        f"  note: {note}" if note else "",
    ]
    return Part(
        words=f"`{named.shown}`",
        contents=(Document(data=_base64(data), mime_type="text/csv"),) if given.sheet else (),
        lines=tuple(filter(None, lines)),
        entry=Entry(
            name=named.written,
            kind=table.kind,
            policy=given.how,
            rows=table.rows,
            columns=width,
            rows_sent=given.rows,
            columns_sent=width if given.sheet else 0,
            bytes=len(data),
            tokens=tokens(len(data)),
            file=file,
            note=note,
        ),
        binding=Binding(
            file=file,
            name=named.name,
            expression=table.live(named.referent.expression),
            rows=table.rows,
            rows_sent=given.rows,
            sampled=given.how == "sample" and given.rows != table.rows,
            kind=table.kind,
            columns=tuple(structs.replace(column, levels=()) for column in columns) if given.sheet else (),
            sheet=given.sheet,
        ),
    )


def _extent(table: Table, how: str, rows: int, file: str) -> str:
    if not file:
        return "no row of it is sent, only names and types"
    if rows == table.rows:
        return f"all rows are attached as {file}"
    total = f"{table.rows:,}" if table.rows is not None else "an unknown number of"
    source = f" from the first {table.available:,}" if table.available != table.rows and how == "sample" else ""
    manner = f"drawn at random{source}, in their order" if how == "sample" else "the first ones"
    return f"{rows:,} of {total} rows, {manner}, are attached as {file}"


def _text(named: Named, thing: Value | TextFile, policy: Policy, screen: Screen) -> Part:
    if isinstance(thing, Value):
        size = len(thing.text.encode("utf-8", "replace"))
        kind, language = thing.kind, "" if thing.kind == "text" else "json"
        given = excerpt(thing.text.splitlines(keepends=True), size, policy)
    else:
        size = thing.path.stat().st_size
        kind, language = f"text file ({thing.path.suffix or 'no suffix'})", thing.path.suffix[1:].lower()
        with thing.path.open(encoding=thing.encoding, errors="replace") as file:  # one kind of line end goes out
            given = excerpt(file, size, policy)
    given = _cleaned(given, screen)
    block = _fenced(named.shown, language, given.text)
    sent = len(block.encode("utf-8", "replace"))
    extent = (
        f"its content follows{f' ({given.note})' if given.note else ''}" if given.text else "its content is not sent"
    )
    return Part(
        words=f"`{named.shown}`",
        contents=(Text(block),) if given.text else (),
        lines=(f"{called(named)}: {kind}, {size:,} bytes; {extent}",),
        entry=Entry(
            name=named.written,
            kind=kind,
            policy=given.how,
            bytes=sent if given.text else 0,
            tokens=tokens(sent) if given.text else 0,
            note=given.note,
        ),
        binding=None
        if named.referent.path
        else Binding(name=named.name, expression=named.referent.expression, kind=kind),
    )


def _scalar(named: Named, scalar: Scalar, schema: bool, screen: Screen) -> Part:
    if schema:
        entry = Entry(name=named.written, kind=scalar.kind, policy="schema", note="value not sent")
        return Part(
            words=f"`{named.shown}`", lines=(f"{called(named)}: a {scalar.kind}; its value is not sent",), entry=entry
        )
    cleaned = screen.clean(scalar.text)
    note = "; ".join(filter(None, ("written into the sentence", counted(cleaned.found))))
    return Part(words=cleaned.text, entry=Entry(name=named.written, kind=scalar.kind, policy="full", note=note))


def _cleaned(given: Excerpt, screen: Screen) -> Excerpt:
    cleaned = screen.clean(given.text)
    return Excerpt(given.how, cleaned.text, "; ".join(filter(None, (given.note, counted(cleaned.found)))))


def _picture(named: Named, picture: Picture, schema: bool) -> Part:
    size = f", {picture.size[0]} x {picture.size[1]} pixels" if picture.size else ""
    extent = "it is not sent" if schema else "it is attached as an image"
    return Part(
        words=f"`{named.shown}`",
        contents=() if schema else (Image(data=_base64(picture.data), mime_type=picture.mime_type),),
        lines=(f"{called(named)}: {picture.kind}{size}; {extent}",),
        entry=Entry(
            name=named.written,
            kind=picture.kind,
            policy="schema" if schema else "full",
            bytes=0 if schema else len(picture.data),
            tokens=0 if schema else _PICTURE_TOKENS,
            note="" if schema else "at least 258 tokens, more for a large picture",
        ),
    )


def _file(named: Named, file: OtherFile, schema: bool) -> Part:
    size = file.path.stat().st_size
    if file.mime_type != "application/pdf":
        loader = _LOADERS.get(file.path.suffix.lower())
        hint = (
            f"Load it first: data = {loader}(...), then refer to @data." if loader else "Refer to data in the session."
        )
        raise UnsendableError("It is a binary file that Google does not read.", hint=hint)
    if size > _MAX_PDF and not schema:
        raise UnsendableError(f"A PDF of {size / (1 << 20):,.0f} MB is too large.", hint="At most 50 MB can be sent.")
    data = b"" if schema else file.path.read_bytes()
    extent = "it is not sent" if schema else "it is attached"
    return Part(
        words=f"`{named.shown}`",
        contents=() if schema else (Document(data=_base64(data), mime_type=file.mime_type),),
        lines=(f"{called(named)}: PDF file, {size:,} bytes; {extent}",),
        entry=Entry(
            name=named.written,
            kind="PDF file",
            policy="schema" if schema else "full",
            bytes=len(data),
            tokens=0 if schema else _PICTURE_TOKENS,
            note="" if schema else "at least 258 tokens, that many for each page",
        ),
    )


def _glob(number: int) -> str:
    # A prefix or another suffix in the sandbox does no harm; min() takes input_file_1.csv before input_file_10.csv.
    return f'min(glob.glob("*input_file_{number}*"))'


def _fenced(name: str, language: str, text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"Content of `{name}`:\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
