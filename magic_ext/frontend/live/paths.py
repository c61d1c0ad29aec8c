"""Which expressions stand for an attached file: a literal, a name, a search, a loop over either, a parameter.

Nothing is run. The names of all files in the sandbox are known, so that a search of them can be worked out.
"""

from __future__ import annotations

import ast
import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from magic_ext.frontend.live.givers import Giver, givers_of, last
from magic_ext.frontend.live.scopes import variables
from magic_ext.references.attach import Binding

__all__ = ["Files", "Paths", "real_path"]

_SEARCHES = frozenset(["glob", "iglob", "rglob"])
_LISTINGS = frozenset(["listdir", "scandir", "iterdir"])
_KEEPING = frozenset(
    ["list", "tuple", "iter", "set", "reversed", "values", "enumerate", "items", "copy", "sorted", "filter"]
)
_PICKING = frozenset(["min", "max", "next"])
_WRAPPING = frozenset(["Path", "PurePath", "PosixPath", "str", "fspath", "abspath", "realpath", "basename", "join"])
_WRAPPING |= {
    "StringIO",
    "dedent",
    "lstrip",
    "expanduser",
    "resolve",
    "absolute",
    "as_posix",
    "strip",
    "joinpath",
    "normpath",
}
_LETTERS = 5  # that a name made of pieces must have in common with a file's


class Files(NamedTuple):
    """The attached files that an expression may stand for: one of ``names``, or a list of them where ``many``."""

    names: tuple[str, ...]
    many: bool = False


class Paths:
    """What the expressions of some blocks, run one after the other, mean as paths.

    With ``texts``, literals that hold what is in a file, it is these that are followed, and no paths.
    """

    def __init__(
        self, trees: Sequence[ast.Module], bindings: Sequence[Binding], texts: Mapping[str, str] | None = None
    ) -> None:
        self._texts = texts
        self._aliases: dict[str, str] = {}
        bindings = bindings if texts is None else ()
        for binding in reversed(bindings):
            self._aliases |= dict.fromkeys(_aliases(binding), binding.file)
        self.files = tuple(dict.fromkeys(binding.file for binding in bindings if binding.file))
        self._aliases |= {file: file for file in self.files}
        self._written = set(_written(trees))
        for name in self._written - set(self.files):
            self._aliases.pop(name, None)
        self._names: dict[str, Files] = {}
        self._loops: set[str] = set()
        defined = (node for tree in trees for node in ast.walk(tree))
        self.functions = {node.name for node in defined if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        self._variables = {key: name for tree in trees for key, name in variables(tree).items()}
        self._returned = _returned(trees)
        if not self.files and not texts:  # nothing to follow
            return
        givers = list(givers_of(trees, self._variables))
        self._loops = {giver.variable for giver in givers if giver.element or giver.parameter}
        for _ in range(4):  # names are given by names, a few deep
            self._names = dict(self._given(givers))

    def of(self, node: ast.expr) -> Files | None:
        """The files that an expression may stand for; ``None`` where it is no path of ours."""
        match node:
            case ast.Constant(value=str(text)):
                return self._literal(text)
            case ast.Name(id=name):
                return self._names.get(self._variables.get(id(node), name))
            case ast.Call():
                return self._call(node)
            case ast.Subscript(value=value, slice=index):
                return _picked(self.of(value), index)
            case ast.Attribute(value=value, attr=attr):
                given = self._names.get(f"{ast.unparse(value)}.{attr}")
                return given or (self.of(value) if attr in {"name", "path", "stem"} else None)
            case ast.BinOp(left=_, op=ast.Add() | ast.Div(), right=right):
                return self.of(right) or self._pattern(node)
            case ast.JoinedStr() | ast.BinOp(op=ast.Mod()):
                return self._pattern(node)
            case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts) | ast.Dict(values=parts):
                return self._union(parts, many=True)
            case ast.ListComp(elt=element) | ast.GeneratorExp(elt=element) | ast.SetComp(elt=element):
                found = self.of(element)
                return found and Files(found.names, many=True)
            case ast.IfExp(body=one, orelse=other):
                return self._union([one, other])
            case ast.NamedExpr(value=value) | ast.Starred(value=value):
                return self.of(value)
            case _:
                return None

    def searches(self, node: ast.Call) -> bool:
        """Whether a call looks for files, and would find other ones here."""
        return last(node.func) in _SEARCHES | _LISTINGS and self.of(node) is not None

    def mentioned(self, text: str) -> tuple[str, ...]:
        """The files that a text names somewhere in it, as an SQL query does."""
        names = [file for alias, file in self._aliases.items() if alias in text and alias.count(".")]
        return tuple(dict.fromkeys(names))

    def looped(self, node: ast.Name) -> bool:
        """Whether the name is a loop's or a called function's, of which nothing is known."""
        name = self._variables.get(id(node), node.id)
        return name in self._loops and name not in self._names

    def _literal(self, text: str) -> Files | None:
        if self._texts is not None:
            return Files((self._texts[text],)) if text in self._texts else None
        name = text.replace("\\", "/").rpartition("/")[2].strip("*")
        if name in self._aliases:
            return Files((self._aliases[name],))
        stem = name.removesuffix(".*").removesuffix(".")
        found = [file for file in self.files if stem and stem == file.rpartition(".")[0]]
        return Files((found[0],)) if found else None

    def _call(self, call: ast.Call) -> Files | None:
        function = last(call.func)
        if function in self.functions:
            return self._union(self._returned.get(function, ()))
        if function in _SEARCHES:
            return self._searched(call.args)
        if function in _LISTINGS:
            return Files(self.files, many=True) if self.files else None
        if function == "format" and isinstance(call.func, ast.Attribute):
            return self._pattern(call)
        if function in _PICKING and call.args:
            return self._least(function, call)
        if function not in _KEEPING | _WRAPPING:
            return None
        owner = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        return next((found for part in [*reversed(call.args), *owner] if (found := self.of(part))), None)

    def _least(self, function: str, call: ast.Call) -> Files | None:
        """One of several; the first or last by name where all of them are known."""
        found = self.of(call.args[0])
        searched = isinstance(call.args[0], ast.Call) and last(call.args[0].func) in _SEARCHES
        exact = {"min": min, "max": max}.get(function)
        if found and exact and searched and not call.keywords:
            return Files((exact(found.names),))
        return found and Files(found.names)

    def _searched(self, args: Sequence[ast.expr]) -> Files | None:
        pattern = _pattern_of(args[0]) if args else "*"
        name = pattern.replace("\\", "/").rpartition("/")[2] or "*"
        found = [file for alias, file in self._aliases.items() if fnmatch.fnmatch(alias, name)]
        return Files(tuple(dict.fromkeys(found)), many=True) if found else None

    def _pattern(self, node: ast.expr) -> Files | None:
        pattern = _pattern_of(node).rpartition("/")[2]
        if sum(mark.isalnum() for mark in pattern.rpartition(".")[0]) < _LETTERS:
            return None
        names = [file for alias, file in self._aliases.items() if fnmatch.fnmatch(alias, pattern)]
        return Files(tuple(dict.fromkeys(names))) if names else None

    def _union(self, nodes: Sequence[ast.expr], *, many: bool = False) -> Files | None:
        """What one of several expressions stands for; a path that leads nowhere is tried in vain, and left out."""
        found = [self.of(node) for node in nodes if not self._leads_nowhere(node)]
        if not found or None in found:
            return None
        names = dict.fromkeys(name for one in found if one for name in one.names)
        return Files(tuple(names), many=many or any(one.many for one in found if one))

    def _leads_nowhere(self, node: ast.expr) -> bool:
        match node:
            case ast.Constant(value=None):
                return True
            case ast.Constant(value=str(path)):
                return path not in self._written and self.of(node) is None
            case _:
                return False

    def _given(self, givers: Sequence[Giver]) -> Iterator[tuple[str, Files]]:
        by_name: dict[str, list[Files | None]] = {}
        for giver in givers:
            if isinstance(giver.value, ast.Constant) and giver.value.value in {None, ""}:
                continue
            found = self.of(giver.value) if giver.value is not None else None
            if found and giver.element:
                found = Files(found.names) if found.many else None
            by_name.setdefault(giver.variable, []).append(found)
        for name, all_found in by_name.items():
            known = [found for found in all_found if found]
            if known and len(known) == len(all_found):
                names = tuple(dict.fromkeys(file for found in known for file in found.names))
                yield name, known[0]._replace(names=names)


def real_path(binding: Binding) -> ast.Call | None:
    """The call that reads the user's own file, where the binding is one that lies on this computer."""
    node = ast.parse(binding.expression, mode="eval").body
    while isinstance(node, ast.Subscript):
        node = node.value
    match node:
        case ast.Call(func=ast.Attribute(attr="read_csv"), args=[ast.Constant(value=str()), *_]):
            return node
        case _:
            return None


def _returned(trees: Sequence[ast.Module]) -> dict[str, list[ast.expr]]:
    """What each function of the code returns."""
    found: dict[str, list[ast.expr]] = {}
    for function in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(function, ast.FunctionDef):
            values = [node.value for node in ast.walk(function) if isinstance(node, ast.Return) and node.value]
            found.setdefault(function.name, []).extend(values)
    return found


def _aliases(binding: Binding) -> Iterator[str]:
    """Further names of a file: that of the user's own, and that of the variable where the sandbox took it over."""
    if not binding.file:
        return
    call = real_path(binding)
    match call and call.args[0]:
        case ast.Constant(value=str(path)):
            yield path.rpartition("/")[2]
    if binding.sheet is not None:
        names = [node.id for node in ast.walk(ast.parse(binding.expression)) if isinstance(node, ast.Name)]
        yield from (f"{name}.csv" for name in [binding.name, *names] if name != "pd")


def _written(trees: Sequence[ast.Module]) -> Iterator[str]:
    """Names of files that the code itself writes: it reads its own file back."""
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="to_csv" | "write_csv" | "savetxt"), args=[ast.Constant(value=str(path)), *_]
            ):
                yield path
            case ast.Call(
                func=ast.Name(id="open"), args=[ast.Constant(value=str(path)), ast.Constant(value=str(mode))]
            ):
                if set(mode) & set("wax"):
                    yield path


def _picked(found: Files | None, index: ast.expr) -> Files | None:
    if found is None or not found.many:
        return None
    return found if isinstance(index, ast.Slice) else Files(found.names)


def _pattern_of(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_pattern_of(part) for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _pattern_of(left) + _pattern_of(right)
        case ast.BinOp(left=text, op=ast.Mod()):
            return re.sub(r"%\w+", "*", _pattern_of(text))
        case ast.Call(func=ast.Attribute(value=text, attr="format")):
            return re.sub(r"\{[^{}]*\}", "*", _pattern_of(text))
        case ast.Call(args=[*_, end]) if last(node.func) in {"join", "Path"}:
            return _pattern_of(end)
        case _:
            return "*"
