"""Libraries that code imports and this computer lacks.

Google's sandbox names its libraries without versions (the guide's list), so that only what is missing can be told.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator, Sequence

from magic_ext.frontend.sources import parsed

__all__ = ["lacking", "lacking_line"]

# What the libraries of Google's list, and near ones, are called where they are installed from.
_PACKAGES = {
    "cv2": "opencv-python",
    "sklearn": "scikit-learn",
    "skimage": "scikit-image",
    "PIL": "pillow",
    "docx": "python-docx",
    "pptx": "python-pptx",
    "dateutil": "python-dateutil",
    "bs4": "beautifulsoup4",
    "yaml": "pyyaml",
    "attr": "attrs",
    "pdfminer": "pdfminer.six",
    "mpl_toolkits": "matplotlib",
}
_FORGIVING = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


def lacking(blocks: Sequence[str]) -> list[str]:
    r"""The modules that the blocks import and that are not here; one whose lack the code copes with is left out.

    >>> lacking(["import json, no_such_module.part", "try:\n    import nor_this\nexcept ImportError:\n    pass"])
    ['no_such_module']
    """
    trees = [tree for block in blocks if (tree := parsed(block)) is not None]
    names = dict.fromkeys(name for tree in trees for name in _imported(tree))
    return [name for name in names if not _is_here(name)]


def lacking_line(modules: Sequence[str]) -> str:
    """What is said of missing modules, with the command that brings them; ``""`` for none.

    >>> lacking_line(["seaborn"])
    'This code imports seaborn, which is not installed here: %pip install seaborn'
    """
    if not modules:
        return ""
    packages = " ".join(_PACKAGES.get(module, module) for module in modules)
    are = "which is" if len(modules) == 1 else "which are"
    return f"This code imports {' and '.join(modules)}, {are} not installed here: %pip install {packages}"


def _imported(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Import(names=names):
            yield from (alias.name.partition(".")[0] for alias in names)
        case ast.ImportFrom(module=str(module), level=0):
            yield module.partition(".")[0]
        case ast.Try(handlers=handlers) if any(_forgives(handler) for handler in handlers):
            for statement in [*node.orelse, *node.finalbody]:
                yield from _imported(statement)
        case _:
            for part in ast.iter_child_nodes(node):
                yield from _imported(part)


def _forgives(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or any(
        isinstance(part, ast.Name) and part.id in _FORGIVING for part in ast.walk(handler.type)
    )


def _is_here(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):  # a module that was made by hand has no spec
        return module in sys.modules
