"""What the variables of some blocks are given: by assignments, loops, and the calls of a function."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Giver", "givers_of", "last", "parameters_of"]

Giver = tuple[str, ast.expr | None, bool]


def givers_of(trees: Sequence[ast.Module], variables: Mapping[int, str]) -> Iterator[Giver]:
    """Each variable with an expression that it is given; ``True`` where it is an element of it; ``None`` for unknown.

    ``variables`` tells of each name which one it is.
    """
    nodes = [node for tree in trees for node in ast.walk(tree)]
    understood: set[int] = set()
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            yield from _parameters(node, nodes, variables)
        for target, value, element in _stores(node):
            understood.add(id(target))
            yield variables.get(id(target), ast.unparse(target)), value, element
    for node in nodes:
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) and id(node) not in understood:
            yield variables.get(id(node), node.id), None, False


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


def parameters_of(trees: Sequence[ast.Module], variables: Mapping[int, str]) -> Iterator[str]:
    """The parameters of functions that are called."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    for node in nodes:
        if isinstance(node, ast.FunctionDef):
            yield from (name for name, _, _ in _parameters(node, nodes, variables))


def _parameters(function: ast.FunctionDef, nodes: Sequence[ast.AST], variables: Mapping[int, str]) -> Iterator[Giver]:
    """What the parameters of a function or a method are given, wherever it is called."""
    args = [*function.args.posonlyargs, *function.args.args]
    defaults = dict(zip([arg.arg for arg in reversed(args)], reversed(function.args.defaults), strict=False))
    names = _called_as(function, nodes)
    calls = [node for node in nodes if isinstance(node, ast.Call) and last(node.func) in names]
    mapped = [node for node in nodes if isinstance(node, ast.Call) and last(node.func) == "map" and node.args[1:]]
    for position, arg in enumerate(arg for arg in args if arg.arg not in {"self", "cls"}):
        variable = variables.get(id(arg), arg.arg)
        for call in calls:
            by_name = next((keyword.value for keyword in call.keywords if keyword.arg == arg.arg), None)
            by_place = call.args[position] if position < len(call.args) else None
            yield variable, by_name or by_place or defaults.get(arg.arg), False
        for call in mapped:
            if last(call.args[0]) == function.name and position == 0:
                yield variable, call.args[1], True
        if not calls and arg.arg in defaults:
            yield variable, defaults[arg.arg], False
    yield from ((variables.get(id(arg), arg.arg), None, False) for arg in function.args.kwonlyargs)


def _called_as(function: ast.FunctionDef, nodes: Sequence[ast.AST]) -> set[str]:
    """The name of a function; what makes an object is called by that of its class."""
    if function.name != "__init__":
        return {function.name}
    return {node.name for node in nodes if isinstance(node, ast.ClassDef) and function in node.body}


def last(function: ast.expr) -> str:
    """The last part of the name of a function."""
    match function:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
