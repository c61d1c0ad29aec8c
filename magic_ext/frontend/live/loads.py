"""The calls of a block that read an attached file, with what each becomes on the live data, or why it stays."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from magic_ext.frontend.live.exports import Export
from magic_ext.frontend.live.frames import Frames
from magic_ext.frontend.live.modules import Imports
from magic_ext.frontend.live.paths import Files, Paths
from magic_ext.frontend.live.retyped import Typed
from magic_ext.references.attach import Binding

__all__ = ["Load", "Loads"]

_PANDAS = frozenset(["pandas.read_csv", "pandas.read_table"])
_POLARS = frozenset(["polars.read_csv", "polars.scan_csv"])
_TEXT_READERS = frozenset(
    ["pandas.read_fwf", "pandas.read_json", "numpy.genfromtxt", "numpy.loadtxt", "numpy.recfromcsv"]
)
_BINARY_READERS = frozenset(["pyarrow.csv.read_csv", "pyarrow.csv.open_csv"])
_READERS = _PANDAS | _POLARS | _TEXT_READERS | _BINARY_READERS
_OPENERS = frozenset(["open", "io.open", "codecs.open"])
_PATH_READERS = frozenset(["read_text", "read_bytes", "open"])
_QUESTIONS = frozenset(["exists", "isfile", "is_file"])
# What may be done with the name of a file without looking into it.
_NAMING = frozenset(
    {"print", "str", "repr", "len", "list", "tuple", "set", "iter", "next", "sorted", "min", "max", "enumerate", "zip"}
    | {"map", "dict", "format", "join", "basename", "dirname", "splitext", "abspath", "realpath", "fspath", "Path"}
    | {"PurePath", "PosixPath", "append", "items", "values", "endswith", "startswith", "replace", "removesuffix"}
    | {"glob", "iglob", "rglob", "listdir", "isinstance", "title", "set_title", "suptitle", "display", "split", "lower"}
    | {"joinpath", "expanduser", "resolve", "absolute", "as_posix", "strip", "reversed", "info", "Series", "fnmatch"}
    | {"exit", "FileNotFoundError", "ValueError", "match", "search", "get", "normpath", "filter", "any", "all"}
)
_PATH_KEYWORDS = frozenset(["filepath_or_buffer", "source", "fname", "file", "input_file", "path_or_buf"])
_EMPTY: dict[type, str] = {ast.Constant: "''", ast.Dict: "{}", ast.List: "[]", ast.Tuple: "()"}


class Load(NamedTuple):
    """One place of the code: ``node`` becomes ``source``, or is left because of the ``obstacle``."""

    node: ast.expr
    source: str
    bindings: tuple[Binding, ...]
    obstacle: str = ""
    listing: bool = False


class Loads:
    """Finds the loads of a block, knowing what its expressions mean."""

    def __init__(self, bindings: Sequence[Binding], paths: Paths, literals: Paths, imports: Imports) -> None:
        self._bindings = bindings
        self._paths = paths
        self._literals = literals
        self._imports = imports

    def all_of(self, tree: ast.Module, typed: Sequence[Typed]) -> list[Load]:
        """All loads of the block, outer ones before those inside them; ``typed`` are the tables typed into it."""
        loads = list(self._calls(tree, typed))
        return [*loads, *self._typed(tree, typed, loads)]

    def _calls(self, tree: ast.Module, typed: Sequence[Typed]) -> Iterator[Load]:
        frames = Frames(tree, self._imports)
        literals = _named(tree, typed)
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if self._paths.searches(call):
                yield self._listed(call)
            elif (one := self._framed(call, literals)) is not None and (source := frames.of_columns(one)):
                yield Load(call, source, (one.binding,))
            elif (of_text := self._typed_load(call, frames)) is not None:
                yield of_text
            elif (found := self._reads(call)) is not None:
                yield self._load(call, *found, frames)
            elif (mapped := self._mapped(call)) is not None:
                reader, one_by_one, files = mapped
                load = self._load(one_by_one, one_by_one.args[0], files, frames)
                source = _called(one_by_one, one_by_one.args[0], load.node, load.source)
                yield load._replace(node=reader, source=f"lambda path: {source}")
            elif names := self._unclear(call):
                loaded = tuple(one for one in self._bindings if one.file in names)
                yield Load(call, "", loaded, f"{ast.unparse(call.func)} finds the file by itself")

    def _typed(self, tree: ast.Module, found: Sequence[Typed], loads: Sequence[Load]) -> Iterator[Load]:
        """What stands in the place of literals that hold a table whole; nothing, where the ``loads`` need none."""
        replaced = {id(node) for load in loads if not load.obstacle for node in ast.walk(load.node)}
        for one in found:
            export = Export(one.binding)
            if not one.whole or id(one.node) in replaced:
                continue
            uses = _uses(tree, one.node)
            if uses and all(id(use) in replaced for use in uses):
                yield Load(one.node, _EMPTY[type(one.node)], (one.binding,))
            elif isinstance(one.node, ast.Constant) and export.text and not export.place:
                yield Load(one.node, export.text, (one.binding,))

    def _typed_load(self, call: ast.Call, frames: Frames) -> Load | None:
        """A frame read from a text in the code that holds a table whole, where the live data can take its place."""
        name = self._imports.qualified(call.func)
        files = self._literals.of(call.args[0]) if call.args and name in _PANDAS | _POLARS else None
        if files is None or len(files.names) != 1:
            return None
        binding = next(one for one in self._bindings if one.file == files.names[0])
        library = frames.pandas if name in _PANDAS else frames.polars
        found = library(call, Export(binding))
        return Load(*found, (binding,)) if found else None

    def _framed(self, call: ast.Call, literals: Mapping[int | str, Typed]) -> Typed | None:
        """The literal of columns that a call makes a pandas frame of, and of nothing else."""
        if self._imports.qualified(call.func) != "pandas.DataFrame" or call.keywords or len(call.args) != 1:
            return None
        data = call.args[0]
        return literals.get(data.id if isinstance(data, ast.Name) else id(data))

    def _reads(self, call: ast.Call) -> tuple[ast.expr, Files] | None:
        """The path that a call is given, and the files that it may be."""
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if owner is not None and name in _PATH_READERS | _QUESTIONS and (files := self._paths.of(owner)):
            return owner, files
        named = [keyword.value for keyword in call.keywords if keyword.arg in _PATH_KEYWORDS]
        if name in _NAMING | self._paths.functions and self._imports.qualified(call.func) not in _READERS:
            return None
        return next(((arg, files) for arg in [*call.args, *named] if (files := self._paths.of(arg))), None)

    def _unclear(self, call: ast.Call) -> tuple[str, ...]:
        """The files that a call may read, where that is all that can be told."""
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        match call.args[:1]:
            case [ast.Name() as path] if self._paths.looped(path):
                return self._paths.files if self._imports.qualified(call.func) in _READERS else ()
            case [ast.Constant(value=str())] | [ast.List() | ast.Tuple()] if (
                name not in _NAMING and self._paths.of(call.args[0]) is None
            ):
                texts = [n.value for n in ast.walk(call.args[0]) if isinstance(n, ast.Constant)]
                named = (self._paths.mentioned(text) for text in texts if isinstance(text, str) and "\n" not in text)
                return tuple(dict.fromkeys(file for files in named for file in files))
            case _:
                return ()

    def _mapped(self, call: ast.Call) -> tuple[ast.expr, ast.Call, Files] | None:
        """A reader that is itself handed to ``map``, as the call that it comes to, for one file each."""
        match call:
            case ast.Call(func=ast.Name(id="map"), args=[reader, many]) if (
                files := self._paths.of(many)
            ) and files.many:
                if self._imports.qualified(reader) in _PANDAS | _POLARS | _OPENERS:
                    path = ast.copy_location(ast.Name("path", ast.Load()), reader)
                    one = ast.copy_location(ast.Call(reader, [path], []), reader)
                    return reader, one, Files(files.names)
        return None

    def _load(self, call: ast.Call, path: ast.expr, files: Files, frames: Frames) -> Load:
        bindings = tuple(one for name in files.names for one in self._bindings if one.file == name)
        if files.many:
            return Load(call, "", bindings, "several files at once")
        exports = {name: Export(next(one for one in bindings if one.file == name)) for name in files.names}
        outer: ast.expr = call
        sources: dict[str, str] = {}
        for name, export in exports.items():
            node, source, obstacle = self._one(call, path, export, frames, alone=len(exports) == 1)
            if obstacle:
                return Load(call, "", bindings, obstacle)
            outer, sources[name] = node, source if len(exports) == 1 else _called(call, path, node, source)
        if len(sources) == 1:
            return Load(outer, sources[files.names[0]], bindings)
        return Load(call, _chosen(sources, path), bindings)

    def _one(
        self, call: ast.Call, path: ast.expr, export: Export, frames: Frames, *, alone: bool
    ) -> tuple[ast.expr, str, str]:
        """The node, what it becomes for this file, and the obstacle if it can't."""
        name = self._imports.qualified(call.func)
        method = call.func.attr if isinstance(call.func, ast.Attribute) else ""
        if method in _QUESTIONS or name in {"os.path.exists", "os.path.isfile"}:
            return call, "True", ""
        if name in _PANDAS | _POLARS:
            library = frames.pandas if name in _PANDAS else frames.polars
            if found := library(call, export, chained=alone):
                return *found, ""
        if name == "numpy.load" and not export.binding.columns and "NumPy array" in export.binding.kind:
            return call, export.live, ""
        return self._as_text(call, path, export, name, method)

    def _as_text(
        self, call: ast.Call, path: ast.expr, export: Export, name: str, method: str
    ) -> tuple[ast.expr, str, str]:
        """A call that reads a file's text is given the text of the live data."""
        if method in _PATH_READERS and path is getattr(call.func, "value", None):
            return _handle(call, export, method)
        if name in _OPENERS:
            if export.place and not set(_mode(call)) & set("wax+"):
                return path, export.place, ""
            return _handle(call, export, name)
        if name not in _READERS:
            return call, "", f"{ast.unparse(call.func)} reads the file by itself"
        if reason := _strange(call, name):
            return call, "", reason
        if not export.opened:
            return call, "", "its text cannot be written again"
        if export.place:
            return path, export.place, ""
        given = export.opened
        if name in _BINARY_READERS:
            given = f"io.BytesIO({export.text}.encode())"
        return path, given, ""

    def _listed(self, call: ast.Call) -> Load:
        files = self._paths.of(call)
        names = files.names if files else ()
        bindings = tuple(one for one in self._bindings if one.file in names)
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        of_paths = self._imports.qualified(call.func) in {""} or (
            isinstance(owner, ast.Name) and self._imports.qualified(owner) not in {"glob", "os"}
        )
        entries = ", ".join(f"pathlib.Path({name!r})" if of_paths else repr(name) for name in names)
        return Load(call, f"[{entries}]", bindings, listing=True)


def _named(tree: ast.Module, typed: Sequence[Typed]) -> dict[int | str, Typed]:
    """Literals of columns that hold a table whole, by themselves and by the one name that each is given."""
    whole = [one for one in typed if one.whole and not isinstance(one.node, ast.Constant)]
    found: dict[int | str, Typed] = {id(one.node): one for one in whole}
    stored = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if id(value) in found and stored.count(name) == 1:
                found[name] = found[id(value)]
    return found


def _uses(tree: ast.Module, value: ast.expr) -> list[ast.Name]:
    """All reads of the name that the value is given."""
    names = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and node.value is value
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return [n for n in ast.walk(tree) if isinstance(n, ast.Name) and n.id in names and isinstance(n.ctx, ast.Load)]


def _handle(call: ast.Call, export: Export, kind: str) -> tuple[ast.expr, str, str]:
    mode = _mode(call)
    if kind not in {"read_text", "read_bytes"} and set(mode) & set("wax+"):
        return call, "", "it writes"
    if not export.text:
        return call, "", "its text cannot be written again"
    if kind == "read_text":
        return call, export.text, ""
    if kind == "read_bytes":
        return call, f"{_bracketed(export.text)}.encode()", ""
    return call, f"io.BytesIO({_bracketed(export.text)}.encode())" if "b" in mode else export.opened, ""


def _mode(call: ast.Call) -> str:
    given = [keyword.value for keyword in call.keywords if keyword.arg == "mode"]
    first = call.args[0:1] if isinstance(call.func, ast.Attribute) and call.func.attr == "open" else call.args[1:2]
    for node in [*given, *first]:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
    return "r"


def _strange(call: ast.Call, name: str) -> str:
    """An argument that may be about the file itself, or that nobody knows."""
    for keyword in call.keywords:
        if keyword.arg is None:
            return "**"
        compressed = keyword.arg == "compression" and ast.unparse(keyword.value) not in {"None", "'infer'"}
        if compressed or keyword.arg in {"storage_options", "file_cache_ttl", "credential_provider"}:
            return keyword.arg
        if name in _PANDAS and keyword.arg not in _KNOWN:
            return keyword.arg
    return "a second positional argument" if name in _PANDAS and len(call.args) > 1 else ""


def _called(call: ast.Call, path: ast.expr, node: ast.expr, source: str) -> str:
    """The source of the whole call, where only its path is replaced."""
    if node is not path:
        return source
    given = ast.parse(source, mode="eval").body
    args = [given if arg is path else arg for arg in call.args]
    keywords = [ast.keyword(k.arg, given if k.value is path else k.value) for k in call.keywords]
    return ast.unparse(ast.Call(call.func, args, keywords))


def _chosen(sources: Mapping[str, str], path: ast.expr) -> str:
    """Which of several files is read turns out only when the code runs."""
    parts = ", ".join(f"{name!r}: lambda: {source}" for name, source in sources.items())
    return f"{{{parts}}}[os.path.basename({ast.unparse(path)})]()"


def _bracketed(source: str) -> str:
    return source if isinstance(ast.parse(source, mode="eval").body, ast.Call | ast.Name) else f"({source})"


# The arguments of pandas.read_csv that are about what the text means (its documentation, pandas 2.2 and 3.1).
_KNOWN = frozenset(
    {"filepath_or_buffer", "sep", "delimiter", "header", "names", "index_col", "usecols", "dtype", "engine"}
    | {"true_values", "false_values", "skipinitialspace", "skiprows", "skipfooter", "nrows", "na_values"}
    | {"keep_default_na", "na_filter", "verbose", "skip_blank_lines", "parse_dates", "infer_datetime_format"}
    | {"keep_date_col", "date_format", "dayfirst", "cache_dates", "iterator", "chunksize", "thousands", "decimal"}
    | {"lineterminator", "quotechar", "quoting", "doublequote", "escapechar", "comment", "encoding", "compression"}
    | {"encoding_errors", "dialect", "on_bad_lines", "delim_whitespace", "low_memory", "memory_map", "float_precision"}
    | {"dtype_backend", "converters", "date_parser", "squeeze"}
)
