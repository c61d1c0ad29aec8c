"""Whose function a call calls: the names that code gives to modules and to what it imports from them."""

from __future__ import annotations

import ast
from collections.abc import Iterable

__all__ = ["Imports"]

# What code means by a name that it does not import: an earlier block did.
_USUAL = {
    "pd": "pandas",
    "pl": "polars",
    "np": "numpy",
    "pa": "pyarrow",
    "plt": "matplotlib.pyplot",
    "Path": "pathlib.Path",
    "StringIO": "io.StringIO",
    "glob": "glob",
}


class Imports:
    """The imports of some blocks, read together."""

    def __init__(self, trees: Iterable[ast.Module]) -> None:
        self._known = dict(_USUAL)
        self.made: set[str] = set()
        for node in (node for tree in trees for node in ast.walk(tree)):
            match node:
                case ast.Import(names=names):
                    for alias in names:
                        self._bind(alias.asname or alias.name.partition(".")[0], alias)
                case ast.ImportFrom(module=module, names=names, level=0):
                    for alias in names:
                        self._known[alias.asname or alias.name] = f"{module}.{alias.name}"
                        self.made.add(alias.asname or alias.name)

    def qualified(self, function: ast.expr) -> str:
        """The full name of what an expression names, such as ``pandas.read_csv``; ``""`` where it is no name.

        >>> tree = ast.parse("from pandas import read_csv as rc")
        >>> Imports([tree]).qualified(ast.Name("rc", ast.Load()))
        'pandas.read_csv'
        """
        match function:
            case ast.Name(id=name):
                return self._known.get(name, name)
            case ast.Attribute(value=owner, attr=attr):
                before = self.qualified(owner)
                return f"{before}.{attr}" if before else ""
            case _:
                return ""

    def _bind(self, name: str, alias: ast.alias) -> None:
        self._known[name] = alias.name if alias.asname else name
        self.made.add(name)
