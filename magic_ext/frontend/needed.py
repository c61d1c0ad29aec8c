"""Which earlier blocks of code a block needs, by the names it reads and they make."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from magic_ext.frontend.sources import parsed

__all__ = ["CHANGING", "Names", "names_of", "with_needed_blocks"]

_BUILTINS = frozenset(dir(builtins))
CHANGING = frozenset(["add", "append", "clear", "extend", "insert", "pop", "remove", "setdefault", "sort", "update"])


def with_needed_blocks(blocks: Sequence[str], n: int) -> list[str]:
    """Block ``n`` and, before it, those earlier blocks whose names it needs, in order.

    ``blocks`` are the blocks of one answer that worked. One that changes a needed object (``df["x"] = 1``,
    ``rows.append(1)``, ``inplace=True``) is needed as well.

    >>> with_needed_blocks(["a = 1", "b = 2", "print(a)"], 2)
    ['a = 1', 'print(a)']
    """
    taken = [blocks[n]]
    needed = names_of(blocks[n]).needs
    for block in reversed(blocks[:n]):
        names = names_of(block)
        if (names.binds | names.changes) & needed:
            taken.append(block)
            needed = (needed - names.binds) | names.needs
    return taken[::-1]


class Names(NamedTuple):
    """The names of a block: ``binds`` at its top level, ``needs`` from before, ``changes`` without binding them."""

    binds: frozenset[str]
    needs: frozenset[str]
    changes: frozenset[str]


@lru_cache(maxsize=256)
def names_of(code: str) -> Names:
    """Read a block's names; a block that is no Python has none.

    Functions run later: what they read is needed unless the block binds it anywhere.

    >>> sorted(names_of("y = x + 1").needs)
    ['x']
    """
    reader = _Reader()
    tree = parsed(code)
    if tree is not None:
        reader.visit(tree)
        reader.needs |= set(_read_in_functions(ast.unparse(tree))) - reader.binds
    return Names(frozenset(reader.binds), frozenset(reader.needs - _BUILTINS), frozenset(reader.changes))


class _Reader(ast.NodeVisitor):
    """Reads in the order of evaluation, since ``df = df.dropna()`` needs the ``df`` from before."""

    def __init__(self) -> None:
        self.binds: set[str] = set()
        self.needs: set[str] = set()
        self.changes: set[str] = set()

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            if node.id not in self.binds:
                self.needs.add(node.id)
        else:
            self.binds.add(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._stored(target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name) and node.target.id not in self.binds:
            self.needs.add(node.target.id)
        self._stored(node.target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self._stored(node.target)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self._stored(node.target)
        for statement in [*node.body, *node.orelse]:
            self.visit(statement)

    def visit_Expr(self, node: ast.Expr) -> None:
        self.visit(node.value)
        match node.value:
            case ast.Call(func=ast.Attribute(value=owner, attr=method), keywords=keywords):
                in_place = any(k.arg == "inplace" for k in keywords)
                if method in CHANGING or in_place:
                    self.changes |= set(_root(owner))

    def visit_Import(self, node: ast.Import) -> None:
        self.binds |= {(alias.asname or alias.name.partition(".")[0]) for alias in node.names}

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self.binds |= {alias.asname or alias.name for alias in node.names}

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for part in [*node.decorator_list, *node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.visit(part)
        self.binds.add(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 (the names are those of the syntax tree)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for part in [*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords)]:
            self.visit(part)
        self.binds.add(node.name)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.type is not None:
            self.visit(node.type)
        bound = {node.name} - self.binds if node.name else set()
        self.binds |= bound
        for statement in node.body:
            self.visit(statement)
        self.binds -= bound

    def visit_Lambda(self, node: ast.Lambda) -> None:
        for part in [*node.args.defaults, *filter(None, node.args.kw_defaults)]:
            self.visit(part)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        before = set(self.binds)
        for generator in node.generators:
            self.visit(generator.iter)
            self.visit(generator.target)
            for condition in generator.ifs:
                self.visit(condition)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(part)
        self.binds = before

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension  # noqa: N815

    def _stored(self, target: ast.expr) -> None:
        self.visit(target)
        if isinstance(target, ast.Attribute | ast.Subscript):
            self.changes |= set(_root(target))


def _root(node: ast.expr) -> Iterator[str]:
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    if isinstance(node, ast.Name):
        yield node.id


def _read_in_functions(code: str) -> Iterator[str]:
    tables = symtable.symtable(code, "<block>", "exec").get_children()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        yield from (s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced())
