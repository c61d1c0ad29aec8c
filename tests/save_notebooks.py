"""Run the example notebooks and save them with their outputs: ``python tests/save_notebooks.py``.

nbclient sends no cell id, so the outputs are the static ones that nbval compares. What varies from run to run lives in
output metadata, which is dropped here.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from magic_ext.frontend.bundles import CELLS_MIME

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def save(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    _run(notebook)
    if _fill_pasted(notebook):
        _run(notebook)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            output.get("metadata", {}).pop("gemini_exec", None)
    notebook.metadata.pop("language_info", None)
    nbformat.write(notebook, path)


def _run(notebook: nbformat.NotebookNode) -> None:
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources).execute()


def _fill_pasted(notebook: nbformat.NotebookNode) -> bool:
    """Put pasted code into the cell below ``%gemini paste``, as a front end does and nbclient does not."""
    latest, filled, before = "", False, ""
    for cell in notebook.cells:
        if before == "%gemini paste" and cell.cell_type == "code" and cell.source != latest:
            cell.source, filled = latest, True
        before = cell.source
        for output in cell.get("outputs", ()):
            for block in output.get("data", {}).get(CELLS_MIME, {}).get("cells", ())[-1:]:
                latest = block["source"].strip("\n")
    return filled


if __name__ == "__main__":
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL"):
        os.environ.pop(name, None)
    for path in [NOTEBOOKS / f"{name}.ipynb" for name in sys.argv[1:]] or sorted(NOTEBOOKS.glob("*.ipynb")):
        save(path)
        print(f"saved {path.name}")
