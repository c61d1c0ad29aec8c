"""What a question becomes before it is sent, and the words in which the attachments are described to a model."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable, Sequence
from itertools import count

import msgspec

from magic_ext.references.manifest import Entry
from magic_ext.references.tables.sheet import Column, Sheet, quoted
from magic_ext.references.tables.table import Table
from magic_ext.references.things import Referent
from magic_ext.wire.content import Content

__all__ = [
    "PREFIX",
    "Binding",
    "Named",
    "Part",
    "Prepared",
    "assemble",
    "called",
    "columns_line",
    "line",
    "name_all",
    "shape",
]

PREFIX = "[gemini-exec] "
_MAX_COLUMNS = 300
_MAX_DTYPE = 80
_RESERVED = frozenset({"pd", "np", "plt", "glob", "json", "decimal", "datetime"})


class Binding(msgspec.Struct, frozen=True, kw_only=True):
    """How code that ran on an attachment is made to run on the live object.

    ``file`` is the attachment's name (``""`` when none was sent), ``name`` the variable that the code uses,
    ``expression`` the live object, ``rows`` how many it has, ``rows_sent`` how many the code saw, and with ``sampled``
    they were drawn at random. ``unbound`` is a policy of rows that was written where code sees all of them: it says
    what leaves. ``kind`` says what it is;
    of a table that went out as CSV, ``columns`` and ``sheet`` say in which form.
    """

    file: str = ""
    name: str
    expression: str
    rows: int | None = None
    rows_sent: int | None = None
    sampled: bool = False
    unbound: str = ""
    kind: str = ""
    columns: tuple[Column, ...] = ()
    sheet: Sheet | None = None


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A question ready to go: sentence, payloads, description for the model, entries of the manifest, bindings.

    ``owners`` are the references that the payloads belong to, as they are written.

    Where the code of a model runs on this computer, ``here`` is what is handed to its kernel, and with ``withheld``
    nothing that it prints goes to the model.
    """

    prompt: str
    contents: tuple[Content, ...] = ()
    owners: tuple[str, ...] = ()
    description: str = ""
    entries: tuple[Entry, ...] = ()
    bindings: tuple[Binding, ...] = ()
    here: tuple[Content, ...] = ()
    withheld: bool = False


class Named(msgspec.Struct, frozen=True):
    """A referent with the variable that code calls it by, unique within a question."""

    referent: Referent
    name: str

    @property
    def shown(self) -> str:
        """How the sentence names it: a file by its path, all else by the variable."""
        return self.referent.label if self.referent.path else self.name

    @property
    def written(self) -> str:
        """What the user wrote, for the manifest."""
        return self.referent.reference.written


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """What one referent contributes; ``words`` stand in the sentence in its place.

    ``here`` is what a kernel of this computer gets of it, where that is not what goes to the model.
    """

    words: str
    contents: tuple[Content, ...] = ()
    here: tuple[Content, ...] = ()
    lines: tuple[str, ...] = ()
    entry: Entry
    binding: Binding | None = None


def assemble(prompt: str, parts: Sequence[Part], head: Iterable[str] = ()) -> Prepared:
    """Put the parts of a question together; ``head`` are lines that stand before the description."""
    lines = [*head, *(text for part in parts for text in part.lines)]
    return Prepared(
        prompt=prompt,
        contents=tuple(content for part in parts for content in part.contents),
        owners=tuple(part.entry.name for part in parts for _ in part.contents),
        description="\n".join(map(line, lines)),
        entries=tuple(part.entry for part in parts),
        bindings=tuple(part.binding for part in parts if part.binding),
    )


def called(named: Named) -> str:
    """The name that code and sentence use, with what it is in the session where that is another."""
    if named.referent.path or named.referent.label == named.name:
        return f"`{named.shown}`"
    return f"`{named.name}` (in the session: {named.referent.label})"


def line(text: str) -> str:
    r"""One line of the description: prefixed, and without control characters that could begin another.

    >>> line("a\nb")
    '[gemini-exec] a\\nb'
    """
    return PREFIX + "".join(mark if mark.isprintable() else ascii(mark)[1:-1] for mark in text)


def shape(rows: int | None, columns: int) -> str:
    """Rows and columns in words.

    >>> shape(3412118, 12)
    '3,412,118 rows x 12 columns'
    """
    counted = "an unknown number of" if rows is None else f"{rows:,}"
    return f"{counted} row{'s' * (rows != 1)} x {columns:,} column{'s' * (columns != 1)}"


def columns_line(columns: Sequence[Column], *, index: bool) -> str:
    """The columns, or the levels of the index, with their types; ``""`` when there are none."""
    wanted = [column for column in columns if column.index == index]
    named = [f"{quoted(column.label)} {column.dtype[:_MAX_DTYPE]}" for column in wanted[:_MAX_COLUMNS]]
    more = f" and {len(wanted) - _MAX_COLUMNS:,} more" if len(wanted) > _MAX_COLUMNS else ""
    return f"  {'index' if index else 'columns'}: {', '.join(named)}{more}" if wanted else ""


def name_all(referents: Sequence[Referent], live: Collection[str] = ()) -> list[Named]:
    """Give each referent its variable: its own name where code sees the very object, else one made of what it is.

    A frame made of a variable (a selection of columns, a polars frame as pandas) must not take the variable's name: the
    code is to run in the user's session too, and would replace the variable there. Nor must a file take the name of any
    variable in ``live``, the names of the session: ``sales.csv`` becomes ``sales_csv`` beside ``sales``.
    """
    own = {referent.label for referent in referents if _is_itself(referent)}
    taken: set[str] = set()
    named = []
    for referent in referents:
        wanted = _identifier(referent)
        spared = own | set(live) if referent.path else own
        if referent.path and wanted in spared:
            wanted = re.sub(r"\W+", "_", f"{wanted}_{referent.path.suffix[1:].lower() or 'file'}")
        if wanted in taken or (wanted in spared and not _is_itself(referent)):
            wanted = next(name for n in count(2) if (name := f"{wanted}_{n}") not in spared | taken)
        taken.add(wanted)
        named.append(Named(referent, wanted))
    return named


def _is_itself(referent: Referent) -> bool:
    made = isinstance(referent.thing, Table) and referent.thing.live(referent.label) != referent.label
    itself = referent.path is None and referent.expression == referent.label
    return itself and referent.label.isidentifier() and not made


def _identifier(referent: Referent) -> str:
    if _is_itself(referent):
        return referent.label
    text = referent.path.name.partition(".")[0] if referent.path else referent.label
    name = re.sub(r"\W+", "_", text).strip("_") or "data"
    name = f"_{name}" if name[0].isdigit() else name
    if name == referent.label:
        return f"{name}_df"
    return f"{name}_" if keyword.iskeyword(name) or name in _RESERVED else name
