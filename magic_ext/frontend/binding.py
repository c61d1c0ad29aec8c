"""Generated code made to run on the live data: where it loaded what was sent, it now takes the variable itself.

The source is edited at the byte offsets of its syntax tree, never written anew: comments and layout stay as they are.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from magic_ext.frontend.lacking import lacking, lacking_line
from magic_ext.frontend.live.changes import may_change
from magic_ext.frontend.live.exports import copied
from magic_ext.frontend.live.loads import Load, Loads
from magic_ext.frontend.live.modules import Imports
from magic_ext.frontend.live.paths import Paths
from magic_ext.frontend.live.remarks import changes, marks, shown, sizes, worked_on
from magic_ext.frontend.live.renaming import renamed, where_parameter
from magic_ext.frontend.live.retyped import Typed, rows_typed, typed_in
from magic_ext.frontend.needed import names_of, with_needed_blocks
from magic_ext.frontend.sources import Edit, applied, faithful, parsed, span_of
from magic_ext.markdown import visible
from magic_ext.references.attach import Binding

__all__ = ["Bound", "bind", "bind_all", "bound", "with_needed_blocks"]

_MODULES = {
    "io": "io",
    "os": "os",
    "json": "json",
    "copy": "copy",
    "pathlib": "pathlib",
    "pd": "pandas as pd",
    "pl": "polars as pl",
}


class Bound(NamedTuple):
    """Blocks that run on the live data, and lines that a person should read before running them."""

    blocks: list[str]
    notes: list[str]


def bind(code: str, bindings: Sequence[Binding]) -> str:
    """The code with its loads of sent files replaced by copies of the live data.

    ``df = pd.read_csv("input_file_0.csv")`` becomes ``df = sales.copy()``; code that reads the file's text in a way of
    its own, or with types or rows of its own, is given the live data as that text. What can't be given is left, with a
    comment above it. Comments in front say what was changed, and on how many rows the answer was computed. The user's
    frame is never changed: a variable of its name that the code would change is called otherwise.
    """
    return bind_all([code], bindings)[0]


def bind_all(blocks: Sequence[str], bindings: Sequence[Binding]) -> list[str]:
    """Blocks that run one after the other, each bound as :func:`bind` does: a name is given its data only once."""
    return bound(blocks, bindings).blocks


def bound(blocks: Sequence[str], bindings: Sequence[Binding]) -> Bound:
    """The blocks as :func:`bind_all` gives them, and in words which tables the model had typed into its code."""
    first = _Reading([visible(block) for block in blocks], bindings, {})
    codes, names, fixed = _with_names_of_their_own(first)
    reading = _Reading(codes, bindings, names, fixed) if names or fixed else first
    there: set[str] = set()
    done = []
    for at, code in enumerate(codes):
        done.append(reading.bound(at, frozenset(there)))
        found = names_of(code)
        there |= found.binds | found.needs
    return Bound(done, reading.notes)


class _Reading:
    """Blocks as they are understood together: paths and modules that one names, another one uses.

    ``names`` are those of the user's that the code has other ones for; ``fixed`` are those that it should have, but
    that can't be told apart.
    """

    def __init__(
        self,
        codes: Sequence[str],
        bindings: Sequence[Binding],
        names: Mapping[str, str],
        fixed: frozenset[str] = frozenset(),
    ) -> None:
        self.codes = codes
        self.bindings = bindings
        self.trees = [parsed(code) for code in codes]
        self._names = names
        self._fixed = fixed
        known = self.known
        imports = Imports(known)
        self.typed = [typed_in(tree, bindings) if tree else [] for tree in self.trees]
        literals = Paths(known, bindings, _texts(self.typed))
        finder = Loads(bindings, Paths(known, bindings), literals, imports)
        self.loads = [
            self._settled(code, tree, finder.all_of(tree, typed)) if tree else []
            for code, tree, typed in zip(codes, self.trees, self.typed, strict=True)
        ]

    @property
    def known(self) -> list[ast.Module]:
        """The blocks that are Python."""
        return [tree for tree in self.trees if tree is not None]

    @property
    def notes(self) -> list[str]:
        """What was typed in, in words."""
        typed = [one for part in self.typed for one in part]
        loaded = [load for part in self.loads for load in part if not load.obstacle]
        return [_typed_line(binding, rows, loaded) for binding, rows in rows_typed(typed)]

    def variable(self, binding: Binding) -> str:
        """What the code calls it."""
        return self._names.get(binding.name, binding.name)

    def needs(self, binding: Binding) -> bool:
        """Whether a block needs the variable and none before it has made it."""
        there: set[str] = set()
        for code in self.codes:
            names = names_of(code)
            if self.variable(binding) in names.needs - there:
                return True
            there |= names.binds
        return False

    def _used(self, at: int) -> list[Binding]:
        """What a block loads, or calls by the name under which it is live data."""
        tree = self.trees[at]
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} if tree else set()
        everywhere = [load for part in self.loads for load in part]
        return [
            one
            for one in self.bindings
            if any(one in load.bindings for load in self.loads[at])
            or (self.variable(one) in names and (self.needs(one) or any(one in load.bindings for load in everywhere)))
        ]

    def bound(self, at: int, there: frozenset[str]) -> str:
        """One block, bound; ``there`` are names that earlier ones have made or taken."""
        code, tree, loads = self.codes[at], self.trees[at], self.loads[at]
        if tree is None:
            return code if not self.bindings else f"# This block is no Python: it is as it was written.\n{code}"
        done = [load for load in loads if not load.obstacle]
        edits = [Edit(*span_of(code, load.node), load.source) for load in done]
        edits += marks(code, tree, [load for load in loads if load.obstacle])
        given = list(self._given(code, loads, there))
        added = [*(load.source for load in done if load.source), *given]
        lacks = lacking_line(lacking([code]))
        header = [
            *([f"# {lacks}"] if lacks else []),
            *_imports(added, names_of(code).binds, there),
            *changes(code, done),
            *(f"# {line}" for line in dict.fromkeys(_typed_line(b, n, done) for b, n in rows_typed(self.typed[at]))),
            *worked_on(self._used(at), loads),
            *sizes(added, self.bindings),
            *_kept(code, self._names),
            *given,
        ]
        lines = applied(code, edits).split("\n")
        first = _beginning(code, tree)
        return "\n".join([*lines[:first], *header, *lines[first:]])

    def _given(self, code: str, loads: Sequence[Load], there: frozenset[str]) -> Iterator[str]:
        """Lines that stand for what the engine had loaded before the code ran."""
        names = names_of(code)
        for binding in self.bindings:
            name, loaded = self.variable(binding), any(binding in load.bindings for load in loads)
            other = binding.expression != name or name in self._fixed
            if name in names.needs - there and not loaded and other:
                yield f"{name} = {_copy_of(binding)}"

    def _settled(self, code: str, tree: ast.Module, loads: Iterable[Load]) -> list[Load]:
        kept = []
        for load in loads:
            roots = [root for binding in load.bindings for root in _roots(binding.expression)]
            other = [root for root in roots if root in self._fixed or id(load.node) in where_parameter(tree, root)]
            if other and not load.listing:
                kept.append(load._replace(obstacle=f"{other[0]} is another variable there"))
            elif not faithful(code, load.node):
                kept.append(load._replace(obstacle=load.obstacle or "inside a formatted string"))
            elif load.obstacle or ast.get_source_segment(code, load.node) != load.source:  # else it fits as it stands
                kept.append(load)
        spans = [span_of(code, load.node) for load in kept if not load.obstacle]
        return [load for load in kept if not _is_inside(span_of(code, load.node), spans)]


def _with_names_of_their_own(reading: _Reading) -> tuple[Sequence[str], dict[str, str], frozenset[str]]:
    """The code's variables under other names, where they would take the user's away or change it.

    With the names that they got, and those for which that can't be done.
    """
    codes, names, fixed = reading.codes, dict[str, str](), set[str]()
    for binding in reading.bindings:
        for root in _roots(binding.expression):
            if root in names or not _takes(reading, binding, root):
                continue
            new = _free(f"gemini_{root}", codes)
            changed = [renamed(code, root, new) if root in code else code for code in codes]
            if None in changed:
                fixed.add(root)
            else:
                codes, names[root] = [code for code in changed if code is not None], new
    return codes, names, frozenset(fixed)


def _takes(reading: _Reading, binding: Binding, root: str) -> bool:
    """Whether running the blocks would leave the user's variable ``root`` with another thing, or a changed one."""
    stores = [
        node
        for tree in reading.known
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id == root and not isinstance(node.ctx, ast.Load)
    ]
    changed = may_change(reading.known, root)
    if not stores:
        given = binding.name == root and reading.needs(binding)
        return given and (changed or binding.expression != root)
    copies = {id(load.node) for part in reading.loads for load in part if load.source == f"{root}.copy()"}
    plain = [
        statement
        for tree in reading.known
        for statement in tree.body
        if isinstance(statement, ast.Assign) and statement.targets == stores and id(statement.value) in copies
    ]
    return len(plain) != 1 or changed


def _copy_of(binding: Binding) -> str:
    if binding.rows is None and binding.rows_sent is None:  # a plain value
        return f"copy.deepcopy({binding.expression})"
    return copied(binding.expression)


def _roots(expression: str) -> list[str]:
    names = [node.id for node in ast.walk(ast.parse(expression, mode="eval")) if isinstance(node, ast.Name)]
    return [name for name in dict.fromkeys(names) if name not in {"pd", "np", "pl"}]


def _free(name: str, codes: Sequence[str]) -> str:
    while any(name in code for code in codes):
        name += "_"
    return name


def _imports(added: Sequence[str], binds: frozenset[str], there: frozenset[str]) -> Iterator[str]:
    """The modules that the added source uses and the block does not import in time."""
    used = {root for source in added for root in _roots_of_all(source)}
    for name, module in _MODULES.items():
        if name in used and name not in binds | there:
            yield f"import {module}"


def _roots_of_all(source: str) -> Iterator[str]:
    return (node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name))


def _beginning(code: str, tree: ast.Module) -> int:
    """The line before which nothing may stand: a cell magic comes first, and so does what is of the future."""
    future = [node.lineno for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"]
    return max([int(code.startswith("%%")), *future])


def _kept(code: str, names: Mapping[str, str]) -> Iterator[str]:
    for old, new in names.items():
        if new in code:
            yield f"# It works on {new}, so that your {old} stays as it is."


def _typed_line(binding: Binding, rows: int, loads: Sequence[Load]) -> str:
    typed = f"The code holds {rows:,} row{'s' * (rows != 1)} of {shown(binding)} typed in"
    if any(binding in load.bindings for load in loads):
        return f"{typed}; they are replaced by your live {shown(binding)}."
    return f"{typed}; it does not use your live {shown(binding)}."


def _texts(typed: Sequence[Sequence[Typed]]) -> dict[str, str]:
    """The literals that hold the very text of a file, with the file."""
    whole = [one for part in typed for one in part if one.whole]
    nodes = [(one.node, one.binding.file) for one in whole]
    return {node.value: file for node, file in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def _is_inside(span: tuple[int, int], spans: Sequence[tuple[int, int]]) -> bool:
    return any(first <= span[0] and span[1] <= last and (first, last) != span for first, last in spans)
