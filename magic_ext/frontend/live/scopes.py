"""Which variable a name is: one in a function, a lambda or a comprehension is another one than outside."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

__all__ = ["variables"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp


def variables(tree: ast.Module) -> dict[int, str]:
    """The variable of each name and parameter node, by the node's identity.

    >>> tree = ast.parse("f = 1; [f for f in x]")
    >>> len(set(variables(tree).values()))
    3
    """
    found: dict[int, str] = {}
    _enter(tree, {}, found)
    return found


def _enter(node: ast.AST, scope: Mapping[str, str], found: dict[int, str]) -> None:
    if isinstance(node, ast.Name):
        found[id(node)] = scope.get(node.id, node.id)
    elif isinstance(node, ast.arg):
        found[id(node)] = scope.get(node.arg, node.arg)
    elif isinstance(node, _Function):
        _enter_function(node, scope, found)
    elif isinstance(node, _Comprehension):
        targets = {name.id for part in node.generators for name in _stored(part.target)}
        inner = {**scope, **{name: f"{name}@{id(node)}" for name in targets}}
        first = node.generators[0].iter
        _enter(first, scope, found)
        for part in ast.walk(node):
            for child in ast.iter_child_nodes(part) if part is node or isinstance(part, ast.comprehension) else ():
                if child is not first and not isinstance(child, ast.comprehension):
                    _enter(child, inner, found)
    else:
        for child in ast.iter_child_nodes(node):
            _enter(child, scope, found)


def _enter_function(node: _Function, scope: Mapping[str, str], found: dict[int, str]) -> None:
    body = node.body if isinstance(node.body, list) else [node.body]
    outside = [*node.args.defaults, *filter(None, node.args.kw_defaults), *getattr(node, "decorator_list", ())]
    for part in outside:
        _enter(part, scope, found)
    args = [part for part in ast.walk(node.args) if isinstance(part, ast.arg)]
    shared = {name for part in body for name in _shared(part)}
    local = {arg.arg for arg in args} | {name.id for part in body for name in _stored(part)} - shared
    inner = {**scope, **{name: f"{name}@{id(node)}" for name in local}}
    for part in [*args, *body]:
        _enter(part, inner, found)


def _stored(node: ast.AST) -> Iterator[ast.Name]:
    """The names that a statement binds, those inside functions of its own aside."""
    if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
        yield node
    if not isinstance(node, _Function | _Comprehension):
        for child in ast.iter_child_nodes(node):
            yield from _stored(child)


def _shared(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Global | ast.Nonlocal):
            yield from part.names
