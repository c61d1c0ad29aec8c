"""Run All, nbval, nbconvert and papermill on a recorded notebook: each runs it whole, and nobody is asked anything."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

REPLAYED = "replayed, nothing sent"
CELLS = (
    '%load_ext magic_ext\n%config GeminiExecMagics.cache = "use"\n%config GeminiExecMagics.cache_dir = "answers"',
    "import pandas as pd\nsales = pd.DataFrame({'city': ['A', 'B'], 'amount': [30, 40]})",
    "%%gemini_exec -m gemini-3-flash-preview --send full\nSum of amount in @sales, with a chart?",
    "%%gemini_exec -m gemini-3-flash-preview --send full -c\nAnd of @targets.csv?",
)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
CALL = {"type": "code_execution_call", "id": "c1"}
FIRST = (
    (CALL, [{"type": "code_execution_call", "arguments": {"code": "print(70)", "language": "python"}}]),
    ({"type": "code_execution_result", "call_id": "c1"}, [{"type": "code_execution_result", "result": "70\n"}]),
    (
        {"type": "model_output"},
        [{"type": "text", "text": "70."}, {"type": "image", "data": PIXEL, "mime_type": "image/png"}],
    ),
)
SECOND = (({"type": "model_output"}, [{"type": "text", "text": "And 7."}]),)


class Recorded:
    """A notebook that was run once before a server, with what it has recorded; ``asked`` counts the requests."""

    def __init__(self, folder: Path, server: Any, key: str) -> None:
        self.path = folder / "notebook.ipynb"
        self.server = server
        (folder / "targets.csv").write_text("a,b\n1,2\n")
        self.environment = {**os.environ, "GEMINI_API_KEY": key, "GOOGLE_GEMINI_BASE_URL": server.url}
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, self.path)

    @property
    def asked(self) -> int:
        return len(self.server.seen)

    def run_all(self) -> Any:
        """What a front end's Run All does, saved."""
        notebook = nbformat.read(self.path, as_version=4)
        resources = {"metadata": {"path": str(self.path.parent)}}
        NotebookClient(notebook, timeout=120, resources=resources).execute(env=self.environment)
        nbformat.write(notebook, self.path)
        return notebook

    def by(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a program over the notebook, in its folder; it must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", *command],
            cwd=self.path.parent,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done


def footers(notebook: Any) -> list[str]:
    asking = [cell for cell in notebook.cells if cell.source.startswith("%%gemini_exec")]
    return [[output for output in cell.outputs if "data" in output][-1]["data"]["text/plain"] for cell in asking]


@pytest.fixture
def project(tmp_path: Path, serve: Callable[..., Any], google: Any, key: str) -> Recorded:
    """A notebook that has been run and saved twice: to record it, and with what every later run shows."""
    (tmp_path / "project").mkdir()
    made = Recorded(tmp_path / "project", serve(google(*FIRST), google(*SECOND, id="v1_b")), key)
    assert all(REPLAYED not in footer for footer in footers(made.run_all()))
    assert made.asked == 2
    assert all(REPLAYED in footer for footer in footers(made.run_all()))
    assert made.asked == 2
    return made


def figures(notebook: Any) -> list[Any]:
    return [out for cell in notebook.cells for out in cell.outputs if "image/png" in out.get("data", {})]


@pytest.mark.slow
def test_run_all_nbval_nbconvert_and_papermill_ask_nobody(project: Recorded, tmp_path: Path) -> None:
    assert len(figures(project.run_all())) == 1

    settings = tmp_path / "empty.ini"
    settings.write_text("[pytest]\n")
    nbval = ("pytest", "--nbval", "-q", "-p", "no:cacheprovider", "-c", str(settings), project.path.name)
    assert f"{len(CELLS)} passed" in project.by(*nbval).stdout

    project.by("nbconvert", "--to", "notebook", "--execute", "--output", "converted.ipynb", project.path.name)
    project.by("papermill", "--cwd", ".", project.path.name, "run.ipynb", "--no-progress-bar")
    for name in ("converted.ipynb", "run.ipynb"):
        notebook = nbformat.read(project.path.parent / name, as_version=4)
        assert all(REPLAYED in footer for footer in footers(notebook))
        assert len(figures(notebook)) == 1
    assert project.asked == 2


@pytest.mark.slow
def test_without_a_key_and_offline_and_with_nothing_else_allowed(project: Recorded, tmp_path: Path) -> None:
    """As a project's CI runs it: a clone with the recordings in it."""
    del project.environment["GEMINI_API_KEY"], project.environment["GOOGLE_GEMINI_BASE_URL"]
    project.environment["GEMINI_EXEC_OFFLINE"] = "1"
    text = project.path.read_text().replace('.cache = \\"use\\"', '.cache = \\"only\\"')
    assert '"only' in text
    project.path.write_text(text)
    assert all(REPLAYED in footer for footer in footers(project.run_all()))
    settings = tmp_path / "empty.ini"
    settings.write_text("[pytest]\n")
    nbval = ("pytest", "--nbval", "-q", "-p", "no:cacheprovider", "-c", str(settings), project.path.name)
    assert f"{len(CELLS)} passed" in project.by(*nbval).stdout
    assert project.asked == 2


@pytest.mark.slow
def test_the_file_with_the_other_line_ends_is_the_same_file(project: Recorded) -> None:
    """As git writes it on Windows."""
    (project.path.parent / "targets.csv").write_bytes(b"a,b\r\n1,2\r\n")
    assert all(REPLAYED in footer for footer in footers(project.run_all()))
    assert project.asked == 2
