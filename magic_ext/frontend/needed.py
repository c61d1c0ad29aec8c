"""Which earlier blocks of code a block needs, by the names it reads and they make."""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator, Sequence

from magic_ext.frontend.sources import parsed

__all__ = ["with_needed_blocks"]

_BUILTINS = frozenset(dir(builtins))
_CHANGING = frozenset(["add", "append", "clear", "extend", "insert", "pop", "remove", "setdefault", "sort", "update"])


def with_needed_blocks(blocks: Sequence[str], chosen: Sequence[int], worked: Sequence[int]) -> list[str]:
    """The chosen blocks and, before them, those earlier ones whose names they need, in order.

    ``chosen`` and ``worked`` are positions in ``blocks``; only a block that worked comes along unasked. A block that
    changes a needed object (``df["x"] = 1``, ``rows.append(1)``, ``inplace=True``) is needed as well.

    >>> with_needed_blocks(["a = 1", "b = 2", "print(a)"], [2], [0, 1, 2])
    ['a = 1', 'print(a)']
    """
    taken = set(chosen)
    needed: set[str] = set()
    for position in range(max(taken, default=-1), -1, -1):
        names = _Names(blocks[position])
        if position in taken or (position in worked and names.makes & needed):
            taken.add(position)
            needed = (needed - names.binds) | names.needs
    return [blocks[position] for position in sorted(taken)]


class _Names(ast.NodeVisitor):
    """The names of one block: ``binds`` at its top level, ``needs`` from before, ``makes`` or changes.

    Functions run later: what they read is needed unless the block binds it anywhere.
    """

    def __init__(self, code: str) -> None:
        self.binds: set[str] = set()
        self.needs: set[str] = set()
        self._changes: set[str] = set()
        tree = parsed(code)
        if tree is not None:
            self.visit(tree)
            self.needs |= set(_read_in_functions(ast.unparse(tree))) - self.binds
        self.needs -= _BUILTINS

    @property
    def makes(self) -> set[str]:
        return self.binds | self._changes

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
                if method in _CHANGING or in_place:
                    self._changes |= set(_root(owner))

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
            self._changes |= set(_root(target))


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
