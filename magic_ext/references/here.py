"""References of a question whose code runs on this computer: a model is told names, types and shapes; the data stay.

Pictures, PDF files and short values go to the model as they would anyway: it has to see them itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from magic_ext.references.errors import UnsendableError
from magic_ext.references.local import local_parts
from magic_ext.references.manifest import Entry
from magic_ext.references.policy import Policy
from magic_ext.references.prepared import Binding, Named, Part, columns_line, shape
from magic_ext.references.remote import remote_parts
from magic_ext.references.schemas import schema_part
from magic_ext.references.screen import Screen
from magic_ext.references.tables.table import Table
from magic_ext.references.things import Database, OtherFile, Picture, Scalar, TextFile, Value

__all__ = ["here_head", "in_kernel", "isolated", "withheld"]

_PDF = "application/pdf"


def isolated(
    named: Sequence[Named], policies: Sequence[Policy | None], default: Policy, folder: Path, screen: Screen
) -> list[Part]:
    """One part a referent, for code in an isolated kernel: its data are written into ``folder`` and handed over whole.

    ``policies`` say of pictures, PDF files and short values whether the model gets them.
    """
    parts = []
    for one, policy, local in zip(named, policies, local_parts(named, folder), strict=True):
        told = _told(one, policy or default, screen)
        kept = msgspec.structs.replace(local, contents=(), here=local.contents, entry=_nothing_of(local.entry))
        parts.append(kept if told is None else msgspec.structs.replace(told, here=local.contents))
    return parts


def here_head(parts: Sequence[Part], *, secret: bool) -> Iterator[str]:
    """The lines before the description: where the data are, and with ``secret`` what comes back of them."""
    if any(part.lines for part in parts):
        yield "The data are where your code runs, under the names below, whole unless a note says less."
        yield "You are told names and types only."
    if secret:
        yield "What your code prints and draws is shown to the user, never to you: you learn whether it worked,"
        yield "the type and line of an error, and the shapes of what it made. Let it print the whole answer."


def in_kernel(named: Sequence[Named], policies: Sequence[Policy | None], default: Policy, screen: Screen) -> list[Part]:
    """One part a referent, for code in the user's kernel, where everything is already: nothing is handed over."""
    chosen = zip(named, policies, strict=True)
    return [_told(one, policy or default, screen) or _lying_there(one) for one, policy in chosen]


def withheld(policies: Sequence[Policy | None], default: Policy) -> bool:
    """Whether nothing that the code prints may go to the model: one value of data under ``schema`` would be one."""
    return default.kind == "schema" or any(policy is not None and policy.kind == "schema" for policy in policies)


def _told(named: Named, policy: Policy, screen: Screen) -> Part | None:
    """What the model gets of a thing that it has to see itself; ``None`` for data, which code reads."""
    thing = named.referent.thing
    if isinstance(thing, Database):
        return schema_part(named, thing)
    seen = isinstance(thing, Scalar | Picture) or (isinstance(thing, OtherFile) and thing.mime_type == _PDF)
    chosen = policy if policy.kind == "schema" else None
    return remote_parts([named], [chosen], Policy(), 0, screen)[0] if seen else None


def _nothing_of(entry: Entry) -> Entry:
    table = entry.columns is not None
    return Entry(
        name=entry.name,
        kind=entry.kind,
        policy="schema",
        rows=entry.rows,
        columns=entry.columns,
        rows_sent=0 if table else None,
        columns_sent=0 if table else None,
        note="; ".join(filter(None, ["it stays on this computer", entry.note])),
    )


def _lying_there(named: Named) -> Part:
    referent = named.referent
    thing = referent.thing
    written = referent.label if referent.path else referent.expression
    binding = None
    load = ""
    columns: int | None = None
    rows: int | None = None
    match thing:
        case Table():
            rows, columns = thing.rows, sum(not column.index for column in thing.columns)
            lines = [f"`{written}`: {thing.kind}, {shape(rows, columns)}"]
            lines += [columns_line(thing.columns, index=True), columns_line(thing.columns, index=False)]
            load = f"  load: {named.name} = {thing.live(referent.expression)}" if referent.path else ""
            kind = thing.kind
            if kind == "pandas DataFrame" and not referent.path:
                binding = Binding(name=written, expression=written, rows=rows, rows_sent=rows, kind=kind)
        case Value():
            lines, kind = [f"`{written}`: {thing.kind}"], thing.kind
        case TextFile() | OtherFile():
            kind = "text file" if isinstance(thing, TextFile) else f"file ({thing.mime_type})"
            lines = [f"`{written}`: {kind}, {_size(named, thing.path):,} bytes"]
        case _:
            raise AssertionError(f"{thing!r} is shown to the model")
    entry = Entry(name=named.written, kind=kind, rows=rows, columns=columns)
    return Part(
        words=f"`{written}`",
        lines=tuple(filter(None, [*lines, load])),
        entry=_nothing_of(entry),
        binding=binding,
    )


def _size(named: Named, path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        raise UnsendableError(f"@{named.written}: it can't be read ({error}).", hint="Is it still there?") from error
