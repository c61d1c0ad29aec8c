"""What comments say in bound code: what was changed, what was left and why, how many rows, how large."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from magic_ext.frontend.live.exports import Export
from magic_ext.frontend.live.loads import Load
from magic_ext.frontend.sources import Edit, span_of
from magic_ext.references.attach import Binding

__all__ = ["changes", "marks", "shown", "sizes", "worked_on"]

_READERS = frozenset({"read_csv", "read_sql_query"})
_LARGE = 100_000  # rows from which on writing them as text is worth a word
_FETCHING = (".collect()", ".compute()", ".toPandas()", ".execute()", ".df()", "read_sql_query(")
_HERE = ("polars DataFrame", "polars Series", "pyarrow")  # their .to_pandas() copies what is in memory already


def shown(binding: Binding) -> str:
    """What the user calls it, as far as that is a short name."""
    node = ast.parse(binding.expression, mode="eval").body
    while not isinstance(node, ast.Name):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="pd"), attr="DataFrame"), args=[inner]):
                node = inner
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if attr not in _READERS:
                node = owner
            case ast.Subscript(value=owner, slice=ast.List()):  # some of its columns
                node = owner
            case _:
                return binding.name
    return node.id


def changes(code: str, loads: Sequence[Load]) -> list[str]:
    """One line for each place that was bound."""
    lines = []
    for load in loads:
        start, end = span_of(code, load.node)
        before = _one_line(code.encode()[start:end].decode())
        lines.append(f"# Bound to the live data: {before} is now {_one_line(load.source, 120)}")
    return list(dict.fromkeys(lines))


def worked_on(used: Sequence[Binding], loads: Sequence[Load]) -> list[str]:
    """On how many of how many rows the answer was computed."""
    lines = []
    for binding in used:
        rows, sent = binding.rows, binding.rows_sent
        if sent is None:
            continue
        if rows is None or sent < rows:
            total = "an unknown number of" if rows is None else f"{rows:,}"
            takes = "this code takes all of them" if not _left(binding, loads) else "this code has none of them"
            which = f"{sent:,} of {total} rows of {shown(binding)}; {takes}."
        else:
            which = f"all {rows:,} rows of {shown(binding)}."
        lines.append(f"# The answer was computed on {which}")
    return lines


def sizes(added: Sequence[str], bindings: Sequence[Binding]) -> Iterator[str]:
    """What brings a whole table into memory, or writes a large one as text."""
    for binding in bindings:
        sources = [source for source in added if binding.expression in source]
        many = f"{binding.rows:,} rows" if binding.rows is not None else "an unknown number of rows"
        fetched = any(fetch in binding.expression for fetch in _FETCHING)
        fetched |= ".to_pandas()" in binding.expression and not binding.kind.startswith(_HERE)
        if sources and fetched:
            yield f"# {binding.expression} brings all of it into memory: {many}."
        if any(".to_csv(" in source for source in sources) and (binding.rows is None or binding.rows >= _LARGE):
            yield f"# All of {shown(binding)} is written as text for it, {many}: that takes a while."


def marks(code: str, tree: ast.Module, left: Sequence[Load]) -> list[Edit]:
    """A comment above each statement with a load that was left."""
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
        names = " and ".join(dict.fromkeys(map(shown, load.bindings)))
        remark = (
            f"# Left as it was: it loads what was sent of {names}, in a way that has no counterpart here"
            f" ({_one_line(load.obstacle)})."
        )
        tips = [tip for binding in load.bindings if (tip := _tip(binding))]
        indent = " " * statement.col_offset
        edits.append(Edit(start, start, "".join(f"{line}\n{indent}" for line in [remark, *tips])))
    return list(dict.fromkeys(edits))


def _tip(binding: Binding) -> str:
    """The line that would write the file which the code reads."""
    text = Export(binding).text if binding.sheet is not None else ""
    if ".to_csv(" not in text:
        return ""
    return "# This would write the file: " + text.replace(".to_csv(", f".to_csv({binding.file!r}, ", 1)


def _left(binding: Binding, loads: Sequence[Load]) -> bool:
    mine = [load for load in loads if binding in load.bindings]
    return bool(mine) and all(load.obstacle or load.listing for load in mine)


def _one_line(source: str, most: int = 60) -> str:
    text = " ".join(source.split())
    return text if len(text) <= most else f"{text[: most - 3]}..."
