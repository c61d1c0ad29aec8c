"""A variable of the code under another name, so that running it does not take the user's own away."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from magic_ext.frontend.sources import Edit, applied, parsed, span_of

__all__ = ["renamed", "where_parameter"]

_HOLE = re.compile(r"\{[^{}]*\}")


def renamed(code: str, old: str, new: str) -> str | None:
    """The code with the variable ``old`` called ``new``; ``None`` where that can't be done safely.

    A function's parameter of the name stays; code that gets at the variable by a text is refused.

    >>> renamed('sales["x"] = 1  # sales', "sales", "gemini_sales")
    'gemini_sales["x"] = 1  # sales'
    >>> renamed('exec("sales = 1")', "sales", "gemini_sales") is None
    True
    """
    tree = parsed(code)
    if tree is None or new in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}:
        return None
    if any(_hidden(node, old) for node in ast.walk(tree)):
        return None
    others = where_parameter(tree, old)
    changed = applied(code, _edits(code, tree, old, new, others))
    again = parsed(changed)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == old and id(node) not in others:
            node.id = new
    return changed if again is not None and ast.dump(again) == ast.dump(tree) else None


def where_parameter(tree: ast.Module, name: str) -> set[int]:
    """The nodes, by identity, inside functions that have a parameter of the name: there it is another variable."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            args = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg, node.args.kwarg]
            if any(arg is not None and arg.arg == name for arg in args):
                body = node.body if isinstance(node.body, list) else [node.body]
                inside |= {id(part) for statement in body for part in ast.walk(statement)}
    return inside


def _edits(code: str, tree: ast.Module, old: str, new: str, others: set[int]) -> Iterator[Edit]:
    source = code.encode()
    word = re.compile(rf"(?<![\w.\"'])\b{re.escape(old)}\b(?![\"'])")
    strings = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) and id(node) not in others]
    texts = [span_of(code, node) for node in strings]
    for start, end in texts:  # before Python 3.12 what stands inside an f-string has no place of its own
        text = source[start:end].decode()
        edited = _HOLE.sub(lambda hole: word.sub(new, hole[0]), text)
        if edited != text:
            yield Edit(start, end, edited)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == old and id(node) not in others:
            start, end = span_of(code, node)
            inside = any(first <= start and end <= last for first, last in texts)
            if not inside and source[start:end] == old.encode():
                yield Edit(start, end, new)


def _hidden(node: ast.AST, name: str) -> bool:
    """Whether the name stands where it is no variable that could be called otherwise."""
    match node:
        case ast.FunctionDef(name=found) | ast.ClassDef(name=found):
            return found == name
        case ast.Global(names=names) | ast.Nonlocal(names=names):
            return name in names
        case ast.alias(name=imported, asname=asname):
            return name in {imported, asname}
        case ast.Call(func=ast.Name(id="exec" | "eval" | "globals" | "locals" | "vars")):
            return True
        case ast.Call(func=ast.Attribute(attr="query" | "eval"), args=[ast.Constant(value=str(text)), *_]):
            return f"@{name}" in text
        case _:
            return False
