"""The libraries that code written for Google's sandbox finds there, and which of them are missing here."""

from __future__ import annotations

import importlib.metadata

__all__ = ["PROVIDED", "missing_libraries"]

# "Unterstützte Bibliotheken" of https://ai.google.dev/gemini-api/docs/code-execution, by the names of their packages.
PROVIDED = (
    "attrs", "chess", "contourpy", "fpdf", "geopandas", "imageio", "jinja2", "joblib", "jsonschema",
    "jsonschema-specifications", "lxml", "matplotlib", "mpmath", "numpy", "opencv-python", "openpyxl", "packaging",
    "pandas", "pillow", "protobuf", "pylatex", "pyparsing", "PyPDF2", "python-dateutil", "python-docx", "python-pptx",
    "reportlab", "scikit-learn", "scipy", "seaborn", "six", "striprtf", "sympy", "tabulate", "tensorflow", "toolz",
    "xlrd",
)  # fmt: skip
# Another package that brings the same module will do.
ALSO = {
    "opencv-python": ("opencv-python-headless", "opencv-contrib-python", "opencv-contrib-python-headless"),
    "fpdf": ("fpdf2",),
    "tensorflow": ("tensorflow-cpu", "tensorflow-macos"),
}


def missing_libraries() -> tuple[str, ...]:
    """Return those of :data:`PROVIDED` that are not installed beside this package."""
    return tuple(name for name in PROVIDED if not any(map(_is_installed, (name, *ALSO.get(name, ())))))


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
