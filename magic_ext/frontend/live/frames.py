"""A call that reads the file into a frame: the live frame itself, where that is the same frame."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from magic_ext.frontend.live.exports import Export, arguments_of, copied, native, step_of
from magic_ext.frontend.live.modules import Imports
from magic_ext.frontend.live.retyped import Typed

__all__ = ["Frames"]

_CHOOSING = ("usecols", "index_col", "nrows")
_TYPING = ("dtype", "parse_dates")


class _Reading(NamedTuple):
    """How a call reads: which columns how, and all else that it is told."""

    columns: dict[str, str]
    rest: dict[str, str]


class Frames:
    """Tells of one block's read calls whether the live data can stand in their place."""

    def __init__(self, tree: ast.Module, imports: Imports) -> None:
        self._imports = imports
        self._tree = tree
        calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
        self._behind = {id(call.func.value): call for call in calls if isinstance(call.func, ast.Attribute)}

    def pandas(self, call: ast.Call, export: Export, *, chained: bool = True) -> tuple[ast.expr, str] | None:
        """The node to replace and the expression of the very frame it gives; ``None`` where types or rows differ.

        The steps with which the export gives the frame its index and labels back go away with the call (``chained``).
        """
        if not export.known or len(call.args) > 1:
            return None
        choosing = {k.arg: k.value for k in call.keywords if k.arg and k.arg in _CHOOSING}
        headers = export.headers
        used = _columns(choosing.get("usecols"), headers) if "usecols" in choosing else headers
        if used is None or not _plain(choosing, headers):
            return None
        index = _column(choosing.get("index_col"), used)
        keywords = [keyword for keyword in call.keywords if keyword.arg not in (*_CHOOSING, "filepath_or_buffer")]
        given = _reading(arguments_of(_with_index_dates(keywords, index)), headers)
        meant = _reading(export.arguments, headers)
        if self._imports.qualified(call.func) == "pandas.read_table":
            given.rest.setdefault("sep", "'\\t'")
            given = given._replace(rest={k: v for k, v in given.rest.items() if (k, v) != ("sep", "','")})
        dates = set(self._dated_later(call))
        for column, how in meant.columns.items():
            if how == "date" and column in dates:
                given.columns.setdefault(column, how)
        if headers and not set(given.columns) <= set(headers):
            return None
        wanted = {column: how for column, how in meant.columns.items() if column in used or not headers}
        if given.rest != meant.rest or given.columns != wanted:
            return None
        outer = self._restored(call, export) if chained and not choosing else None
        if outer is not None:
            return outer, export.live
        if any(step.startswith("assign") for step in export.steps):
            return None
        return call, _narrowed(export, used, index, choosing)

    def polars(self, call: ast.Call, export: Export, *, chained: bool = True) -> tuple[ast.expr, str] | None:
        """The same for polars; a frame of another library is converted."""
        if export.binding.sheet is None or len(call.args) > 1 or export.steps:
            return None
        given = arguments_of(keyword for keyword in call.keywords if keyword.arg != "source")
        parses_dates = given.pop("try_parse_dates", "False") == "True"
        meant = _reading(export.arguments, export.headers)
        if given or meant.rest or not set(meant.columns.values()) <= ({"date"} if parses_dates else set()):
            return None
        if any(column.dtype.lower().startswith("bool") for column in export.binding.columns):
            return None  # "True" is text for polars
        module = ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else "pl"
        own = native(export.binding)
        source = own or f"{module}.from_pandas({export.flat})"
        if own and not own.endswith(".collect()"):
            source = f"{own}.clone()"
        lazy = self._imports.qualified(call.func) == "polars.scan_csv"
        return call, source.removesuffix(".clone()") + ".lazy()" if lazy else source

    def of_columns(self, typed: Typed) -> str:
        """The live data as a frame of the columns that a literal holds, with the types that literals give."""
        export = Export(typed.binding)
        first = typed.node.elts[0] if isinstance(typed.node, ast.List | ast.Tuple) else typed.node
        names = [key.value for key in getattr(first, "keys", ()) if isinstance(key, ast.Constant)]
        meant = _reading(export.arguments, export.headers)
        if not meant.columns and not meant.rest:
            source = export.flat
        elif export.opened:
            texts = {column: how for column, how in meant.columns.items() if how == "str"}
            given = [*([f"dtype={{{', '.join(f'{name!r}: str' for name in texts)}}}"] if texts else [])]
            given += [f"{name}={value}" for name, value in meant.rest.items()]
            source = f"pd.read_csv({', '.join([export.opened, *given])})"
        else:
            return ""
        chosen = "" if names == export.headers else f"[{names!r}]"
        return copied(source + chosen)

    def _restored(self, call: ast.Call, export: Export) -> ast.expr | None:
        """The call with all the steps of the export behind it."""
        node: ast.Call = call
        for step in export.steps:
            behind = self._behind.get(id(node))
            if behind is None or step_of(behind) != step:
                return None
            node = behind
        return node

    def _dated_later(self, call: ast.Call) -> Iterable[str]:
        """Columns that the code makes dates of before it does anything else with them."""
        after = (call.end_lineno or call.lineno, call.end_col_offset or 0)
        mentions: dict[str, tuple[int, int]] = {}
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                at = (node.lineno, node.col_offset)
                if at >= after and at < mentions.get(node.value, (1 << 30, 0)):
                    mentions[node.value] = at
        for node in ast.walk(self._tree):
            match node:
                case ast.Assign(
                    targets=[ast.Subscript(slice=ast.Constant(value=str(column)) as first)],
                    value=ast.Call(func=function, args=[ast.Subscript(slice=ast.Constant(value=str(same))), *_]),
                ) if column == same and self._imports.qualified(function) == "pandas.to_datetime":
                    if mentions.get(column) == (first.lineno, first.col_offset):
                        yield column


def _reading(arguments: dict[str, str], headers: Sequence[str]) -> _Reading:
    columns: dict[str, str] = {}
    rest = dict(arguments)
    for name in _TYPING:
        match ast.parse(rest.get(name, "None"), mode="eval").body:
            case ast.Dict(keys=keys, values=values) if name == "dtype":
                found = [(_column(key, headers), value) for key, value in zip(keys, values, strict=True)]
                if all(column is not None for column, _ in found):
                    columns |= {str(column): ast.unparse(value).strip("'") for column, value in found}
                    del rest[name]
            case ast.List(elts=parts) if name == "parse_dates":
                dates = [_column(part, headers) for part in parts]
                if None not in dates:
                    columns |= {str(column): "date" for column in dates}
                    del rest[name]
    return _Reading(columns, rest)


def _with_index_dates(keywords: Sequence[ast.keyword], index: str | None) -> list[ast.keyword]:
    """``parse_dates=True`` means the index."""
    if index is None:
        return list(keywords)
    dates = ast.List([ast.Constant(index)], ast.Load())
    return [
        ast.keyword(keyword.arg, dates)
        if (keyword.arg, ast.unparse(keyword.value)) == ("parse_dates", "True")
        else keyword
        for keyword in keywords
    ]


def _narrowed(export: Export, used: Sequence[str], index: str | None, choosing: dict[str, ast.expr]) -> str:
    """The flat frame with fewer columns or rows, or another index."""
    levels = [name for name, column in zip(export.headers, export.binding.columns, strict=False) if column.index]
    source = export.flat
    if "usecols" not in choosing and index is not None and levels == [index]:
        source = export.binding.expression  # it is the index already
        unnamed = next(column.label for column in export.binding.columns if column.index) != index
        source += f".rename_axis({index!r})" if unnamed else ""
        index = None
    if "usecols" in choosing:
        source += f"[{list(used)!r}]"
    if "nrows" in choosing:
        source += f".head({ast.unparse(choosing['nrows'])})"
    if index is not None:
        source += f".set_index({index!r})"
    return copied(source)


def _plain(choosing: dict[str, ast.expr], headers: Sequence[str]) -> bool:
    rows = choosing.get("nrows")
    index = choosing.get("index_col")
    no_index = index is None or (isinstance(index, ast.Constant) and index.value in (None, False))
    fits = no_index or _column(index, headers) is not None
    return fits and (rows is None or (isinstance(rows, ast.Constant) and isinstance(rows.value, int)))


def _columns(node: ast.expr | None, headers: Sequence[str]) -> list[str] | None:
    """The columns that ``usecols`` names, in the order of the file."""
    if not isinstance(node, ast.List | ast.Tuple):
        return None
    wanted = [_column(part, headers) for part in node.elts]
    if None in wanted or not set(wanted) <= set(headers):
        return None
    return [name for name in headers if name in wanted]


def _column(node: ast.expr | None, headers: Sequence[str]) -> str | None:
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=str(name)):
            return name
        case ast.Constant(value=int(at)) if at < len(headers):
            return headers[at]
        case _:
            return None
