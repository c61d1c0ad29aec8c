"""The README does not lie: its options are the parser's, its tour runs, its commands are the ones CI takes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from magic_ext.options import options_table

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_options_are_the_parsers() -> None:
    table = README.partition("<!-- options: generated from magic_ext/options.py -->\n")[2].partition("\n<!--")[0]
    assert table == options_table()


def test_the_two_commands_are_found() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "readme_commands.py"], capture_output=True, text=True, check=True
    )
    run, test = done.stdout.splitlines()
    assert "[lab]" in run and run.endswith("gemini-exec demo")
    assert "[test]" in test and test.endswith("pytest tests/bench")


def test_every_file_that_it_names_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)]+)\)", README)
    assert links
    assert not [link for link in links if not (ROOT / link).exists()]


@pytest.mark.slow
def test_the_tour_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 6
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(block.strip()) for block in blocks])
    path = tmp_path / "tour.ipynb"
    nbformat.write(notebook, path)
    (tmp_path / "data").symlink_to(ROOT / "notebooks" / "data")
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", path.name]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    notebook = nbformat.read(path, as_version=4)
    asked = [cell for cell in notebook.cells if cell.source.startswith("%%gemini_exec")]
    shown = [str([output.get("data", {}) for output in cell.outputs]) for cell in asked]
    assert "5076.02" in shown[0] and "image/png" in shown[0]
    assert "Torgersen" in shown[1]
    assert all("offline-planner" in text for text in shown[:-1])
    assert "not sent" in shown[-1] and "20 of 344 rows" in shown[-1]
