"""The house: imports run one way, nothing heavy is imported at load, files have one idea and a reader's length."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "magic_ext"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "scripts" not in path.parts)
# A part may import what stands behind it, and itself; whatever names no floor may import everything.
FLOORS = {
    "wire": set(),
    "errors": set(),
    "http": {"errors", "loopback"},
    "loopback": set(),
    "markdown": set(),
    "private": set(),
    "runtime": {"errors"},
    "references": {"wire", "errors"},
    "client": {"wire", "errors", "http", "loopback", "private"},
    "functions": {"wire", "errors", "references"},
    "costs": {"wire", "errors"},
    "engine": {"wire", "errors", "http", "markdown", "runtime"},
    "answer": {"wire", "references", "markdown"},
    "options": {"wire", "errors"},
    "help": {"options", "references"},
    "place": {"client", "engine", "errors", "options"},
    "ask": {"answer", "client", "costs", "engine", "errors", "functions", "place", "references", "runtime", "wire"},
    "demo": {"errors"},
}
FRONT_END = {"IPython", "ipywidgets", "traitlets", "ipykernel"}
HEAVY = (
    "pandas",
    "numpy",
    "matplotlib",
    "pyarrow",
    "httpx",
    "ipywidgets",
    "jupyter_client",
    "narwhals",
    "sympy",
    "PIL",
)


def _part(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def _imports(path: Path) -> Iterator[str]:
    """The absolute names of all modules that a file imports, wherever in it."""
    package = ["magic_ext", *path.relative_to(PACKAGE).parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{origin}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_one_way(path: Path) -> None:
    part = _part(path)
    if part not in FLOORS:
        return
    allowed = FLOORS[part] | {part}
    parts = {name.split(".")[1] for name in _imports(path) if name.startswith("magic_ext.")}
    assert parts <= allowed, f"{part} may not import {parts - allowed}"
    assert not {name.split(".")[0] for name in _imports(path)} & FRONT_END


def test_no_two_modules_import_each_other() -> None:
    graph = {}
    for path in MODULES:
        name = ".".join(["magic_ext", *path.relative_to(PACKAGE).with_suffix("").parts]).removesuffix(".__init__")
        graph[name] = set(_imports(path))
    edges = {
        source: {t for t in graph if t != source and any(i == t or i.startswith(f"{t}.") for i in imported)}
        for source, imported in graph.items()
    }
    # importing a.b.c runs a and a.b: a package's face is no circle of its own
    edges = {s: {t for t in targets if not s.startswith(f"{t}.")} for s, targets in edges.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"a circle: {' -> '.join([*trail, name])}"
        if name not in done:
            for target in edges[name]:
                visit(target, (*trail, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def test_only_one_module_imports_the_http_library() -> None:
    users = {path.name for path in MODULES if any(name.split(".")[0] == "httpx" for name in _imports(path))}
    assert users == {"http.py"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_has_a_readers_length(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_a_function_fits_a_screen() -> None:
    long = [
        f"{path.relative_to(PACKAGE)}:{node.lineno} {node.name}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > 60
    ]
    assert not long


def test_nothing_heavy_is_imported_with_the_magics() -> None:
    code = f"""
import sys, IPython.core.magic
before = set(sys.modules)
import magic_ext.magics, magic_ext.frontend.asking
print([name for name in {HEAVY!r} if name in sys.modules and name not in before])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_google_sdk_is_a_test_dependency_only() -> None:
    assert not [path for path in MODULES if any(name.startswith("google.genai") for name in _imports(path))]
