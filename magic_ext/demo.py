"""The demo: two questions about a real table, answered by the offline planner in a real notebook kernel."""

from __future__ import annotations

import base64
import os
import shutil
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from magic_ext.errors import GeminiExecError

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = ["lab_notebook", "penguins_csv", "run_demo"]

NAME = "gemini-exec-demo"
# nbconvert's page shows the code in Markdown outputs in the text's typeface.
_TEMPLATES = Path(__file__).parent / "templates"
_WHO = (
    "The offline planner answered; nothing left this computer. "
    "For free questions: Gemini (set GEMINI_API_KEY), or a local model (set OPENAI_BASE_URL, ask with -m openai:NAME)."
)
QUESTIONS = (
    "What is the mean body mass by species in @penguins? Show it as a bar chart.",
    "Plot a histogram of the flipper length in @penguins.",
)


def penguins_csv() -> Path:
    """The table that ships with the package (CC0; its source is noted beside it)."""
    package = Path(__file__).parent
    for path in (package / "data" / "penguins.csv", package.parent / "notebooks" / "data" / "penguins.csv"):
        if path.exists():
            return path
    raise GeminiExecError("The demo's table is missing.", hint="Install gemini-exec again.")


def run_demo(folder: Path | None = None) -> None:
    """Ask, print the answers, and leave a notebook, its HTML page and its figures in ``folder`` (default: here)."""
    folder = folder or Path.cwd()
    notebook = _executed(_written(folder), folder)
    figures = 0
    for cell in notebook.cells:
        if not cell.source.startswith("%%gemini_exec"):
            continue
        print("\n" + "=" * 78 + f"\n{cell.source}\n" + "=" * 78)
        for output in cell.outputs:
            print("\n" + _as_text(output))
            if picture := base64.b64decode(output.get("data", {}).get("image/png", "")):
                figures += 1
                path = folder / f"{NAME}-{figures}.png"
                path.write_bytes(picture)
                print(f"    {path}")
    notebook_path, page = _saved(notebook, folder)
    print("\n" + "-" * 78)
    print(_WHO)
    print(f"\nNotebook: {notebook_path}\nPage:     {page}\nOpen the notebook in JupyterLab: gemini-exec lab")


def lab_notebook() -> Path:
    """The demo's notebook in this folder, written first where it is not there yet."""
    path = Path.cwd() / f"{NAME}.ipynb"
    if not path.exists():
        _save_notebook(_written(Path.cwd()), path)
    return path


def _written(folder: Path) -> NotebookNode:
    """The demo's notebook, not run, with its table beside it."""
    try:
        from nbformat import v4
    except ImportError as error:
        raise GeminiExecError("nbformat is not installed.", hint="Run: pip install 'gemini-exec[lab]'") from error
    table = f"{NAME}.csv"
    shutil.copyfile(penguins_csv(), folder / table)
    cells = [
        v4.new_markdown_cell(
            "# %%gemini_exec on 344 penguins\n\nEverything here runs on this computer, without a key."
        ),
        v4.new_code_cell("%load_ext magic_ext\n%config GeminiExecMagics.model = 'offline-planner'"),
        v4.new_code_cell(f"import pandas as pd\n\npenguins = pd.read_csv({table!r})\npenguins.head()"),
        *(v4.new_code_cell(f"%%gemini_exec\n{question}") for question in QUESTIONS),
        v4.new_markdown_cell("The code of the last answer, in a new cell, to run on your own data:"),
        v4.new_code_cell("%gemini paste"),
    ]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook: NotebookNode = v4.new_notebook(cells=cells, metadata=metadata)
    return notebook


def _executed(notebook: NotebookNode, folder: Path) -> NotebookNode:
    from jupyter_client.manager import KernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    manager = KernelManager(kernel_name="python3")
    client = NotebookClient(notebook, km=manager, timeout=180, resources={"metadata": {"path": str(folder)}})
    with tempfile.TemporaryDirectory(prefix="ge-") as sockets:
        if os.name == "posix":  # ipykernel warns about unencrypted TCP; Unix sockets need none
            manager.transport, manager.ip = "ipc", f"{sockets}/k"
        try:
            client.execute()
        except CellExecutionError as error:
            last = str(error).strip().splitlines()[-1]
            raise GeminiExecError(f"The demo's notebook failed: {last}", hint="Install gemini-exec[lab].") from error
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
            manager.shutdown_kernel()
    return notebook


def _as_text(output: Any) -> str:
    """An output as a terminal can show it: code, results and pictures with their names, text as it is."""
    data: dict[str, str] = output.get("data", {})
    text: str = (output.get("text", "") or data.get("text/plain", "")).strip("\n")
    if "image/png" in data:
        return f"Figure: {text}"
    if data.get("text/markdown", "").startswith("```python"):
        return "Code:\n" + textwrap.indent(text, "    ")
    if list(data) == ["text/plain"]:
        return "Result:\n" + textwrap.indent(text, "    ")
    return text


def _saved(notebook: NotebookNode, folder: Path) -> tuple[Path, Path]:
    from nbconvert import HTMLExporter

    path, page = folder / f"{NAME}.ipynb", folder / f"{NAME}.html"
    _save_notebook(notebook, path)
    nothing_fetched = {"require_js_url": "", "mathjax_url": "", "mermaid_js_url": ""}
    template = {"template_name": "gemini-exec", "extra_template_basedirs": [str(_TEMPLATES)]}
    html, _ = HTMLExporter(**nothing_fetched, **template).from_notebook_node(notebook)
    page.write_text(html, encoding="utf-8")
    return path, page


def _save_notebook(notebook: NotebookNode, path: Path) -> None:
    import nbformat

    nbformat.write(notebook, path)
