"""Generated code made to run on the live data: where it loaded what was sent, it now takes the variable itself.

The source is edited at the byte offsets of its syntax tree, never written anew: comments and layout stay as they are.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from magic_ext.frontend.needed import names_of, with_needed_blocks
from magic_ext.frontend.sources import Edit, applied, faithful, parsed, span_of
from magic_ext.markdown import visible

__all__ = ["Binding", "bind", "bind_all", "with_needed_blocks"]


class Binding(Protocol):
    """What was sent under a file's name, and the expression that gives the whole of it here.

    ``file`` is its name where the code ran (``input_file_0.csv``; ``""`` for none), ``name`` the variable there
    (``sales``); ``expression`` gives a frame of the library that the code uses; ``rows`` and ``rows_sent`` count rows.
    """

    @property
    def file(self) -> str:
        """The name in the sandbox."""

    @property
    def name(self) -> str:
        """The variable."""

    @property
    def expression(self) -> str:
        """Python source."""

    @property
    def rows(self) -> int | None:
        """Rows of the object, if it has any."""

    @property
    def rows_sent(self) -> int | None:
        """Rows that were sent."""


# Arguments that only say how the text is to be read: the live data has its types already.
_READING = frozenset(
    [
        "sep",
        "delimiter",
        "separator",
        "header",
        "has_header",
        "encoding",
        "encoding_errors",
        "engine",
        "low_memory",
        "memory_map",
        "compression",
        "dtype",
        "dtypes",
        "schema_overrides",
        "parse_dates",
        "try_parse_dates",
        "date_format",
        "dayfirst",
        "date_parser",
        "infer_datetime_format",
        "cache_dates",
        "infer_schema_length",
        "keep_default_na",
        "na_values",
        "null_values",
        "na_filter",
        "thousands",
        "decimal",
        "float_precision",
        "quotechar",
        "quoting",
        "doublequote",
        "escapechar",
        "skipinitialspace",
        "on_bad_lines",
    ]
)
_GLOBS = frozenset(["glob", "iglob"])
_SEARCHES = _GLOBS | frozenset(["Path", "iter", "join", "list", "max", "min", "next", "sorted", "str"])
_PLAIN_HEADER = (0, "infer", True)
_READERS = frozenset(["read_csv", "read_table", "read_parquet", "read_feather", "read_json", "read_ipc", "read_ndjson"])
_SCANNERS = frozenset(["scan_csv", "scan_parquet", "scan_ipc", "scan_ndjson"])


class _Load(NamedTuple):
    """One load call: what to replace, by what; or why not."""

    binding: Binding
    node: ast.expr
    source: str
    obstacle: str = ""


def bind(code: str, bindings: Sequence[Binding]) -> str:
    """The code with its load calls of sent files replaced by copies of the live data.

    ``df = pd.read_csv("input_file_0.csv")`` becomes ``df = sales.copy()``. A call with an argument that changes which
    data comes out is left, with a comment above it. Where the code found the data loaded already, a line in front
    gives it the name, unless that means the same here and is only read. Comments in front say what was changed, and on
    how many rows the answer was computed.
    """
    return bind_all([code], bindings)[0]


def bind_all(blocks: Sequence[str], bindings: Sequence[Binding]) -> list[str]:
    """Blocks that run one after the other, each bound as :func:`bind` does: a name is given its data only once."""
    bound: list[str] = []
    there: set[str] = set()
    for block in blocks:
        names = names_of(block)
        bound.append(_bound(visible(block), bindings, frozenset(there)))
        there |= names.binds | names.needs
    return bound


def _bound(code: str, bindings: Sequence[Binding], there: frozenset[str]) -> str:
    tree = parsed(code)
    if tree is None:
        return code if not bindings else f"# This block could not be read as Python: it is as it was written.\n{code}"
    paths = _paths(tree, bindings)
    found = _loads(tree, bindings, {name: binding for name, (binding, _) in paths.items()})
    loads = [load if faithful(code, load.node) else load._replace(obstacle="a formatted string") for load in found]
    loads = [load for load in loads if ast.get_source_segment(code, load.node) != load.source]  # it fits as it stands
    edits = [Edit(*span_of(code, load.node), load.source) for load in loads if not load.obstacle]
    # A path that glob looks for is not here: the name stays, as plain text.
    edits += [
        Edit(*span_of(code, value), repr(binding.file))
        for binding, value in paths.values()
        if any(getattr(node, "attr", getattr(node, "id", "")) in _GLOBS for node in ast.walk(value))
    ]
    edits += _marks(code, tree, [load for load in loads if load.obstacle])
    header = [*_changes(code, loads), *_rows(tree, bindings, loads), *_given(code, bindings, loads, there)]
    lines = applied(code, edits).split("\n")
    first = 1 if code.startswith("%%") else 0  # a cell magic has to stay in front
    return "\n".join([*lines[:first], *header, *lines[first:]])


def _loads(tree: ast.Module, bindings: Sequence[Binding], paths: dict[str, Binding]) -> Iterator[_Load]:
    polars = _names_of(tree, "polars") | {"pl"}
    known = _names_of(tree, "pandas") | {"pd", "pandas", "polars"} | polars
    hidden = _shadowed(tree)
    chained = {id(owner): call for call, owner in _restoring(tree)}
    for call in ast.walk(tree):
        match call:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=module), attr=reader), args=[first, *more], keywords=keywords
            ) if module in known and reader in _READERS | _SCANNERS:
                binding = _file_of(first, bindings, paths)
                if binding is None:
                    continue
                outer: ast.expr = call
                while id(outer) in chained:
                    outer = chained[id(outer)]
                copy = "lazy" if reader in _SCANNERS else "clone" if module in polars or module == "polars" else "copy"
                source = _copied(_reached(binding.expression, hidden.get(id(call), set())), copy)
                yield _Load(binding, outer, source, _obstacle(more, keywords))


def _copied(expression: str, copy: str) -> str:
    """The expression copied, where it is not fresh already."""
    node = ast.parse(expression, mode="eval").body
    if isinstance(node, ast.Call) and copy != "lazy":
        return expression
    simple = isinstance(node, ast.Name | ast.Attribute | ast.Subscript | ast.Call)
    return f"{expression}.{copy}()" if simple else f"({expression}).{copy}()"


def _obstacle(more: Sequence[ast.expr], keywords: Sequence[ast.keyword]) -> str:
    if more:
        return "a second positional argument"
    strange = [keyword.arg or "**" for keyword in keywords if not _only_reads(keyword)]
    return ", ".join(strange)


def _only_reads(keyword: ast.keyword) -> bool:
    if keyword.arg in {"header", "has_header"}:
        return isinstance(keyword.value, ast.Constant) and keyword.value.value in _PLAIN_HEADER
    return keyword.arg in _READING


def _restoring(tree: ast.Module) -> Iterator[tuple[ast.Call, ast.expr]]:
    """The calls that the export appends to give the frame its index and labels back, with what they are called on.

    Only in the shape the export has: ``.set_index([...])``, not a ``.set_index("date")`` of the model's own.
    """
    for node in ast.walk(tree):
        match node:
            case (
                ast.Call(
                    func=ast.Attribute(value=owner, attr="assign"),
                    args=[],
                    keywords=[ast.keyword(arg=None, value=ast.Dict())],
                )
                | ast.Call(func=ast.Attribute(value=owner, attr="set_index"), args=[ast.List()], keywords=[])
                | ast.Call(
                    func=ast.Attribute(value=owner, attr="rename_axis"),
                    args=[],
                    keywords=[ast.keyword(arg="index" | "columns")],
                )
                | ast.Call(
                    func=ast.Attribute(value=owner, attr="set_axis"), args=[_], keywords=[ast.keyword(arg="axis")]
                )
            ):
                yield node, owner


def _file_of(node: ast.expr, bindings: Sequence[Binding], paths: dict[str, Binding]) -> Binding | None:
    """The attachment that a path expression means: a literal, a name for one, or a search by ``glob``."""
    match node:
        case ast.Name(id=name):
            return paths.get(name)
        case ast.Constant(value=str(text)) if text:
            return next((binding for binding in bindings if _means(text, binding.file)), None)
        case ast.Call(func=ast.Name(id=search) | ast.Attribute(attr=search), args=args) if search in _SEARCHES:
            return next(filter(None, (_file_of(arg, bindings, paths) for arg in args)), None)
        case ast.Subscript(value=found):
            return _file_of(found, bindings, paths)
        case _:
            return None


def _means(text: str, file: str) -> bool:
    name = text.replace("\\", "/").rpartition("/")[2].strip("*")
    stem = file.rpartition(".")[0] or file
    return bool(file) and name in {file, stem, f"{stem}.", f"{stem}.*"}


def _paths(tree: ast.Module, bindings: Sequence[Binding]) -> dict[str, tuple[Binding, ast.expr]]:
    """Names that are given the path of an attachment, and nothing else."""
    found: dict[str, tuple[Binding, ast.expr]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                binding = _file_of(value, bindings, {})
                if binding is not None:
                    found[name] = (binding, value)
    stored = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    return {name: what for name, what in found.items() if stored.count(name) == 1}


def _names_of(tree: ast.Module, module: str) -> set[str]:
    imports = (alias for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names)
    return {alias.asname or alias.name for alias in imports if alias.name == module}


def _shadowed(tree: ast.Module) -> dict[int, set[str]]:
    """For each call inside a function, the names that are local there: they hide the variable of the same name."""
    hidden: dict[int, set[str]] = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            inside = list(ast.walk(function))
            names = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
            names |= {n.arg for n in inside if isinstance(n, ast.arg)}
            for node in inside:
                if isinstance(node, ast.Call):
                    hidden[id(node)] = hidden.get(id(node), set()) | names
    return hidden


def _reached(expression: str, hidden: set[str]) -> str:
    names = [node for node in ast.walk(ast.parse(expression, mode="eval")) if isinstance(node, ast.Name)]
    edits = [Edit(*span_of(expression, name), f"globals()[{name.id!r}]") for name in names if name.id in hidden]
    return applied(expression, edits)


def _changes(code: str, loads: Sequence[_Load]) -> list[str]:
    lines = []
    for load in loads:
        start, end = span_of(code, load.node)
        before = _one_line(code.encode()[start:end].decode())
        if not load.obstacle:
            lines.append(f"# Bound to the live data: {before} is now {load.source}")
    return list(dict.fromkeys(lines))


def _given(code: str, bindings: Sequence[Binding], loads: Sequence[_Load], there: frozenset[str]) -> Iterator[str]:
    """Lines that stand for what the engine had loaded before the code ran; ``there`` are names given before."""
    names = names_of(code)
    for binding in bindings:
        loaded = any(load.binding is binding for load in loads)
        means_the_same = binding.expression == binding.name and binding.name not in names.changes
        if binding.name in names.needs - there and not loaded and not means_the_same:
            copied = binding.expression if binding.rows is None else _copied(binding.expression, "copy")
            yield f"{binding.name} = {copied}"


def _rows(tree: ast.Module, bindings: Sequence[Binding], loads: Sequence[_Load]) -> list[str]:
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used = [binding for binding in bindings if binding.name in names or any(load.binding is binding for load in loads)]
    lines = []
    for binding in used:
        rows, sent = binding.rows, binding.rows_sent
        if rows is None or sent is None:
            continue
        if sent < rows:
            which = f"{sent:,} of {rows:,} rows of {binding.name}; this code takes all of them."
        else:
            which = f"all {rows:,} rows of {binding.name}."
        lines.append(f"# The answer was computed on {which}")
    return lines


def _marks(code: str, tree: ast.Module, left: Sequence[_Load]) -> list[Edit]:
    edits = []
    lines = code.encode().split(b"\n")
    statements = [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]
    for load in left:
        around = [s for s in statements if s.lineno <= load.node.lineno <= (s.end_lineno or s.lineno)]
        at_line_start = [s for s in around if not lines[s.lineno - 1][: s.col_offset].strip()]
        if not at_line_start:
            continue
        statement = max(at_line_start, key=lambda s: (s.lineno, s.col_offset))
        start = sum(len(line) + 1 for line in lines[: statement.lineno - 1]) + statement.col_offset
        remark = (
            f"# Left as it was: it loads what was sent of {load.binding.name}, with an argument that has no counterpart"
            f" here ({load.obstacle}).\n" + " " * statement.col_offset
        )
        edits.append(Edit(start, start, remark))
    return list(dict.fromkeys(edits))


def _one_line(source: str) -> str:
    text = " ".join(source.split())
    return text if len(text) <= 60 else f"{text[:57]}..."
