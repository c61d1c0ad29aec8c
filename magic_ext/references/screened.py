"""A table as far as a screen lets it out: columns left out, cells without what matches a pattern."""

from __future__ import annotations

import ast
import csv
import io
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path

import msgspec

from magic_ext.references.errors import BadReferenceError, UnsendableError
from magic_ext.references.grammar import Attribute
from magic_ext.references.screen import Screen, counted
from magic_ext.references.tables.dialect import open_text
from magic_ext.references.tables.sheet import Column, Sheet, field, quoted
from magic_ext.references.tables.table import Saved, Table
from magic_ext.references.things import Database, Referent, TextFile, Thing, Value

__all__ = ["ScreenedTable", "screened", "told_withheld"]

_WITHHELD = "[withheld]"
_KEY = re.compile(r"""(["'])((?:(?!\1)[^\\]|\\.){1,200})\1\s*:""")
_FILE = "pd.read_csv(FILE"
_FIELDS = {".json", ".jsonl", ".ndjson", ".geojson", ".ipynb"}
_READ = 64 << 20


class ScreenedTable(Table):
    """A table seen through a screen, whatever library it comes from.

    Columns are left out where their name is denied or is itself something to be redacted; levels of the index too. A
    level without a name can hold names of columns, as in a row taken out of a frame: the rows of denied ones are left
    out. A cell of fields (a dict, a struct) that holds a denied one is replaced as a whole.
    """

    def __init__(self, table: Table, screen: Screen) -> None:
        self._whole = table
        self._screen = screen
        self._gone = [column for column in table.columns if _withheld(column, screen)]
        self._table = table
        data = [column for column in table.columns if not column.index]
        kept = [column for column in data if column not in self._gone]
        if data and not kept:
            raise UnsendableError(
                "Every column of it is withheld by GeminiExecMagics.deny_columns or redact.",
                hint="Refer to other columns, or change that setting.",
            )
        if len(kept) < len(data):
            self._table = table.select([str(column.label) for column in kept])

    @property
    def kind(self) -> str:
        """The library's name for it."""
        return self._table.kind

    @property
    def rows(self) -> int | None:
        """Its rows, as far as they are known."""
        return self._table.rows

    @property
    def available(self) -> int:
        """Those that can be sent."""
        return self._table.available

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """Those that are not withheld."""
        return tuple(column for column in self._table.columns if not _withheld(column, self._screen))

    @property
    def withheld(self) -> str:
        """How many columns and levels of the index stay here, in words; their names stay here too."""
        count = len(self._gone)
        return f"{count:,} column{' is' if count == 1 else 's are'} withheld" if count else ""

    def sheet(self, positions: Sequence[int]) -> Sheet:
        """The rows as CSV, without what is withheld, and with the load expression that fits."""
        return _Cleaning(self._table, self._screen, self._table.sheet(positions)).sheet()

    def select(self, names: Sequence[str]) -> Table:
        """The columns by name; raises :class:`UnsendableError` for one that is withheld."""
        return ScreenedTable(self._whole.select(names), self._screen)

    def save(self, folder: Path, stem: str) -> Saved:
        """The table without the columns that are withheld; raises :class:`UnsendableError` where that can't be."""
        if not self._gone:
            return self._table.save(folder, stem)
        saved = self._table.save(folder, stem)
        if any(column.index for column in self._gone) or saved.path.parent != folder:
            raise UnsendableError(
                "Of this table GeminiExecMagics.deny_columns can't be kept from code that runs here.",
                hint="Load it without those columns, as in safe = table.drop(columns=[...]), then refer to @safe.",
            )
        return saved

    def live(self, source: str) -> str:
        """The frame that code sees, without what is withheld."""
        live = self._table.live(source)
        levels = [at for at, column in enumerate(c for c in self._table.columns if c.index) if column in self._gone]
        if not levels:
            return live
        return f"{live}.reset_index({levels!r}, drop=True)"


def screened(referent: Referent, screen: Screen) -> Referent:
    """The referent as the screen lets it out; texts are cleaned when it is known how much of them goes out.

    Raises :class:`BadReferenceError` where the reference asks for what ``deny_columns`` names.
    """
    if not screen:
        return referent
    reference = referent.reference
    asked = [*reference.columns, *(step.name if isinstance(step, Attribute) else step.key for step in reference.chain)]
    for name in asked:
        if screen.names(name):
            raise BadReferenceError(
                f"@{reference.written} asks for {name!r}, which GeminiExecMagics.deny_columns withholds.",
                hint="Refer to something else, or change that setting.",
            )
    try:
        thing = _screened(referent.thing, screen)
    except UnsendableError as error:
        raise UnsendableError(f"@{reference.written}: {error}", hint=error.hint) from error
    return msgspec.structs.replace(referent, thing=thing)


def told_withheld(table: Table) -> str:
    """What the model and the receipt are told of columns that stay here; ``""`` where none does."""
    return table.withheld if isinstance(table, ScreenedTable) else ""


def _screened(thing: Thing, screen: Screen) -> Thing:
    match thing:
        case Table():
            return ScreenedTable(thing, screen)
        case Database():
            tables = (
                (name, tuple(column for column in columns if not _withheld(column, screen)))
                for name, columns in thing.tables
                if not screen.withholds(name)
            )
            return Database(thing.kind, tuple(tables))
        case Value(kind=kind, text=text) if screen.columns and kind != "text":
            return Value(kind, msgspec.json.encode(screen.without_keys(msgspec.json.decode(text))).decode())
        case Value(text=text):
            _refuse_fields(text, screen)
        case TextFile(path=path, encoding=encoding) if path.suffix.lower() in _FIELDS:
            with open_text(path, encoding) as file:
                _refuse_fields(file.read(_READ), screen)
    return thing


def _refuse_fields(text: str, screen: Screen) -> None:
    """Raise :class:`UnsendableError` for a text with a field that is to be withheld: it can't be taken out."""
    fields = _KEY.finditer(text) if screen.columns else ()
    named = next((found[2] for found in fields if screen.names(found[2])), None)
    if named is not None:
        raise UnsendableError(
            f"It has a field {named!r}, which GeminiExecMagics.deny_columns withholds.",
            hint="Load it, and refer to the variable: fields can be left out of that.",
        )


def _withheld(column: Column, screen: Screen) -> bool:
    """Whether a column stays here; the type of a struct names its fields."""
    fields = (match[2] for match in _KEY.finditer(column.dtype))
    return screen.withholds("" if column.label is None else column.label) or any(map(screen.names, fields))


class _Cleaning:
    """One sheet on its way through a screen."""

    def __init__(self, table: Table, screen: Screen, sheet: Sheet) -> None:
        self._screen = screen
        self._given = sheet
        self._tree = ast.parse(f"{_FILE}{sheet.load}", mode="eval")
        self._delimiter = _delimiter(self._tree)
        self._columns = table.columns
        self._headers = self._cells(sheet.header)
        self._found: Counter[str] = Counter()
        self._touched: dict[str, int] = {}
        self._named = [at for at, column in enumerate(self._columns) if column.index and column.label is None]
        self._gone = [at for at, column in enumerate(self._columns) if _withheld(column, screen)]

    def sheet(self) -> Sheet:
        rows = [cells for cells in map(self._cells, self._given.lines) if not self._names_denied(cells)]
        left_out = len(self._given.lines) - len(rows)
        lines = [self._line(self._cleaned(cells)) for cells in rows]
        for header, levels in _levels(self._tree):
            if self._screen.clean(levels).found:
                self._touched.setdefault(header, 0)
        gone = [self._headers[at] for at in self._gone]
        tree = _Loading(set(self._touched), gone, self._screen).visit(self._tree)
        notes = [
            note
            for note in (counted(self._found), f"{left_out:,} row{'s' * (left_out != 1)} withheld" if left_out else "")
            if note
        ]
        notes += [f"{quoted(header)}: read as text, for values were replaced" for header in self._touched]
        return Sheet(
            header=self._line(self._headers),
            lines=tuple(lines),
            load=ast.unparse(tree).removeprefix(_FILE),
            notes=(*self._given.notes, *notes),
        )

    def _cells(self, line: str) -> list[str]:
        return next(csv.reader(io.StringIO(line, newline=""), delimiter=self._delimiter, strict=False), [""])

    def _line(self, cells: Sequence[str]) -> str:
        kept = [cell for at, cell in enumerate(cells) if at not in self._gone]
        return self._delimiter.join(field(cell, self._delimiter) for cell in kept) or '""'

    def _names_denied(self, cells: Sequence[str]) -> bool:
        return any(self._screen.names(cells[at]) for at in self._named if at < len(cells))

    def _cleaned(self, cells: Sequence[str]) -> list[str]:
        cleaned: list[str] = []
        for at, cell in enumerate(cells):
            text, found = self._of(cell)
            if found and at not in self._gone and at < len(self._headers):
                self._touched[self._headers[at]] = self._touched.get(self._headers[at], 0) + found.total()
                self._found += found
            cleaned.append(text)
        return cleaned

    def _of(self, cell: str) -> tuple[str, Counter[str]]:
        if self._screen.columns and any(self._screen.names(match[2]) for match in _KEY.finditer(cell)):
            return _WITHHELD, Counter(withheld=1)
        cleaned = self._screen.clean(cell)
        return cleaned.text, cleaned.found


class _Loading(ast.NodeTransformer):
    """Makes a load expression read the columns ``touched`` as text and do without those ``gone``.

    It knows what :mod:`magic_ext.references.tables` writes: arguments of ``read_csv`` by header, then ``assign``,
    ``set_index`` and ``rename_axis``.
    """

    def __init__(self, touched: Collection[str], gone: Collection[str], screen: Screen) -> None:
        self._touched = touched
        self._dropped = {*touched, *gone}
        self._gone = set(gone)
        self._screen = screen
        self._levels: list[int] = []

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        match node.func:
            case ast.Attribute(attr="read_csv"):
                node.keywords = list(self._arguments(node.keywords))
            case ast.Attribute(attr="assign", value=inner):
                [steps] = node.keywords
                steps.value = self._without(steps.value)
                return node if getattr(steps.value, "keys", None) else inner
            case ast.Attribute(attr="set_index", value=inner):
                headers = [ast.literal_eval(item) for item in _items(node.args[0])]
                self._levels = [at for at, header in enumerate(headers) if header not in self._gone]
                node.args[0] = ast.List([ast.Constant(headers[at]) for at in self._levels], ast.Load())
                return node if self._levels else inner
            case ast.Attribute(attr="rename_axis", value=inner):
                for keyword in node.keywords:
                    if keyword.arg == "index":
                        items = _items(keyword.value)
                        keyword.value = ast.List([items[at] for at in self._levels], ast.Load())
                node.keywords = [one for one in node.keywords if one.arg != "index" or _items(one.value)]
                return node if node.keywords else inner
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, str):
            return ast.Constant(self._screen.clean(node.value).text)
        return node

    def _arguments(self, keywords: Sequence[ast.keyword]) -> Iterator[ast.keyword]:
        types = {one.arg: one for one in keywords}
        dtype = types.pop("dtype", ast.keyword("dtype", ast.Dict([], [])))
        assert isinstance(dtype.value, ast.Dict)
        kept = self._without(dtype.value)
        for header in self._touched:
            kept.keys.append(ast.Constant(header))
            kept.values.append(ast.Constant("str"))
        if kept.keys:
            yield ast.keyword("dtype", kept)
        for name, one in types.items():
            if name == "parse_dates":
                one.value = ast.List([item for item in _items(one.value) if not self._is_dropped(item)], ast.Load())
            if name == "date_format" and isinstance(one.value, ast.Dict):
                one.value = self._without(one.value)
            yield one

    def _without(self, value: ast.expr) -> ast.Dict:
        assert isinstance(value, ast.Dict)
        pairs = [(key, item) for key, item in zip(value.keys, value.values, strict=True) if not self._is_dropped(key)]
        return ast.Dict([key for key, _ in pairs], [item for _, item in pairs])

    def _is_dropped(self, key: ast.expr | None) -> bool:
        return isinstance(key, ast.Constant) and key.value in self._dropped


def _items(node: ast.expr) -> list[ast.expr]:
    assert isinstance(node, ast.List)
    return node.elts


def _read_csv(tree: ast.AST) -> ast.Call:
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    return next(node for node in calls if isinstance(node.func, ast.Attribute) and node.func.attr == "read_csv")


def _delimiter(tree: ast.AST) -> str:
    given = [one.value for one in _read_csv(tree).keywords if one.arg == "sep"]
    return str(ast.literal_eval(given[0])) if given else ","


def _levels(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """The headers of categorical columns, with the source of their categories: values, even where none is sent."""
    for one in _read_csv(tree).keywords:
        if one.arg == "dtype" and isinstance(one.value, ast.Dict):
            for key, value in zip(one.value.keys, one.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Call):
                    yield (
                        str(key.value),
                        "\n".join(str(node.value) for node in ast.walk(value) if isinstance(node, ast.Constant)),
                    )
