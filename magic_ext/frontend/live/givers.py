"""What the variables of some blocks are given: by assignments, loops, and the calls of a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

__all__ = ["Giver", "givers_of", "last"]


class Giver(NamedTuple):
    """A variable with what it is given, ``None`` for unknown, or an ``element`` of what; it may be a ``parameter``."""

    variable: str
    value: ast.expr | None
    element: bool = False
    parameter: bool = False


def givers_of(trees: Sequence[ast.Module], variables: Mapping[int, str]) -> Iterator[Giver]:
    """All that any variable is given; ``variables`` tells of each name which one it is."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    understood: set[int] = set()
    for node in nodes:
        for target, value, element in _stores(node):
            understood.add(id(target))
            yield Giver(variables.get(id(target), ast.unparse(target)), value, element)
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and id(node) not in understood:
            yield Giver(variables.get(id(node), node.id), None)
    yield from _parameters(nodes, variables)


def last(function: ast.expr) -> str:
    """The last part of the name of a function."""
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _stores(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr | None, bool]]:
    """What a statement or a loop stores, as far as that is plain."""
    match node:
        case ast.Assign(targets=[ast.Name() | ast.Attribute() as target], value=value):
            yield target, value, False
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            yield from ((target, value, False) for target, value in zip(targets, values, strict=True))
        case ast.AnnAssign(target=ast.Name() as target, value=value) | ast.NamedExpr(target=target, value=value):
            yield target, value, False
        case (
            ast.For(target=ast.Name() as target, iter=many) | ast.comprehension(target=ast.Name() as target, iter=many)
        ):
            yield target, many, True
        case (
            ast.For(target=ast.Tuple(elts=targets), iter=ast.Call(args=args) as many)
            | ast.comprehension(target=ast.Tuple(elts=targets), iter=ast.Call(args=args) as many)
        ):
            if last(many.func) in {"enumerate", "items"} and len(targets) == 2:
                yield targets[1], many, True
            if last(many.func) == "zip" and len(targets) == len(args):
                yield from ((target, arg, True) for target, arg in zip(targets, args, strict=True))


def _parameters(nodes: Sequence[ast.AST], variables: Mapping[int, str]) -> Iterator[Giver]:
    """What the parameters of functions and methods are given, wherever they are called."""
    calls: dict[str, list[ast.Call]] = {}  # by the name of a function, or a point and that of a method
    mapped: dict[str, list[ast.expr]] = {}
    for node in nodes:
        if isinstance(node, ast.Call):
            point = "." if isinstance(node.func, ast.Attribute) else ""
            calls.setdefault(point + last(node.func), []).append(node)
            if last(node.func) == "map" and len(node.args) > 1:
                mapped.setdefault(last(node.args[0]), []).append(node.args[1])
    classes = {id(part): node.name for node in nodes if isinstance(node, ast.ClassDef) for part in node.body}
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            of_class = classes.get(id(node))
            name = node.name if of_class is None else of_class if node.name == "__init__" else f".{node.name}"
            yield from _given(node, calls.get(name, ()), mapped.get(node.name, ()), variables)


def _given(
    function: ast.FunctionDef, calls: Sequence[ast.Call], mapped: Sequence[ast.expr], variables: Mapping[int, str]
) -> Iterator[Giver]:
    args = [*function.args.posonlyargs, *function.args.args]
    defaults = dict(zip([arg.arg for arg in reversed(args)], reversed(function.args.defaults), strict=False))
    for position, arg in enumerate(arg for arg in args if arg.arg not in {"self", "cls"}):
        variable = variables.get(id(arg), arg.arg)
        for call in calls:
            by_name = next((keyword.value for keyword in call.keywords if keyword.arg == arg.arg), None)
            by_place = call.args[position] if position < len(call.args) else None
            yield Giver(variable, by_name or by_place or defaults.get(arg.arg), parameter=True)
        for many in mapped if position == 0 else ():
            yield Giver(variable, many, element=True, parameter=True)
        if not calls and arg.arg in defaults:
            yield Giver(variable, defaults[arg.arg])
    yield from (Giver(variables.get(id(arg), arg.arg), None) for arg in function.args.kwonlyargs)
