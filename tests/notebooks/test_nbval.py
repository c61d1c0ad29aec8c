"""The example notebooks: green under nbval, twice; their saved outputs and their HTML export hold what matters."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbconvert import HTMLExporter

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
_PATH_OF_A_MACHINE = re.compile(r"(?<![\w.])/(?:home|root|tmp|var|opt|usr|work|Users|private)/|\b[A-Z]:\\\\?\w|file://")


def notebook(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def asking(path: Path) -> list[Any]:
    return [cell for cell in notebook(path).cells if cell.source.startswith("%%gemini_exec")]


def markdown(cell: Any) -> list[str]:
    return [output.data.get("text/markdown", "") for output in cell.outputs if "data" in output]


each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_the_notebooks_are_there() -> None:
    assert {path.stem for path in NOTEBOOKS} >= {"quickstart", "follow-up", "images", "dask"}


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("run", ["first", "second"])
def test_every_saved_output_comes_again(run: str, tmp_path: Path) -> None:
    """One nbval run of all notebooks, in a process and with settings of its own; nothing is written beside them."""
    before = {path: path.read_bytes() for path in NOTEBOOKS}
    settings = tmp_path / "empty.ini"
    settings.write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "--nbval", "-q", "-p", "no:cacheprovider", "-c", str(settings)]
    done = subprocess.run([*command, *map(str, NOTEBOOKS)], cwd=tmp_path, capture_output=True, text=True, check=False)
    cells = sum(cell.cell_type == "code" for path in NOTEBOOKS for cell in notebook(path).cells)
    assert done.returncode == 0, f"{run} run:\n{done.stdout}\n{done.stderr}"
    assert re.search(rf"\b{cells} passed", done.stdout), done.stdout
    assert {path: path.read_bytes() for path in NOTEBOOKS} == before


@each_notebook
def test_every_question_is_saved_with_its_answer(path: Path) -> None:
    assert asking(path)
    for cell in asking(path):
        shown = markdown(cell)
        assert shown[0].startswith("<details><summary>"), "the receipt comes first"
        last = shown[-2] if "--dry-run" in cell.source else shown[-1]  # below a dry run's footer stands the request
        assert re.fullmatch(r"\*[^*\n]+ · [^*\n]+\*", last), "the footer comes last"


@each_notebook
def test_every_code_cell_was_run_in_order(path: Path) -> None:
    counts = [cell.execution_count for cell in notebook(path).cells if cell.cell_type == "code" and cell.source.strip()]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_what_varies_is_not_saved(path: Path) -> None:
    for cell in notebook(path).cells:
        assert "execution" not in cell.metadata
        for output in cell.get("outputs", ()):
            assert not output.get("metadata", {}).get("gemini_exec")


@each_notebook
def test_no_output_holds_an_error_or_a_path_of_this_machine(path: Path) -> None:
    for cell in notebook(path).cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.text
            shown = {kind: data for kind, data in output.get("data", {}).items() if not kind.startswith("image/")}
            text = json.dumps(shown) + output.get("text", "")
            assert not _PATH_OF_A_MACHINE.search(text), text
            assert sys.prefix not in text


@pytest.mark.parametrize("text", ["/home/x/a.csv", "see /tmp/pytest-0", r"C:\Users\x", "file:///etc/passwd"])
def test_a_path_of_a_machine_is_seen(text: str) -> None:
    assert _PATH_OF_A_MACHINE.search(text)


def figures(cells: list[Any]) -> list[Any]:
    return [out for cell in cells for out in cell.get("outputs", ()) if "image/png" in out.get("data", {})]


def exported(path: Path, template: str) -> BeautifulSoup:
    return BeautifulSoup(HTMLExporter(template_name=template).from_filename(str(path))[0], "html.parser")


@each_notebook
def test_the_html_export_shows_code_results_and_figures(path: Path) -> None:
    page = exported(path, "lab")
    for output in (output for cell in asking(path) for output in cell.outputs):
        if set(output.data) == {"text/plain"}:
            assert output.data["text/plain"] in page.get_text()
    pictures = page.select(".jp-OutputArea-output img[alt]")
    assert len(pictures) == len(figures(notebook(path).cells)) > 0
    assert all(str(picture["src"]).startswith("data:image/png;base64,") for picture in pictures)
    assert page.select(".jp-OutputArea-output .highlight .nb"), "the code is highlighted"
    assert not page.select(".jp-OutputArea-output script, .jp-OutputArea-output iframe")


@each_notebook
def test_figures_carry_their_titles_as_alternative_text(path: Path) -> None:
    """Read from nbconvert's classic template: the lab template and JupyterLab know no alternative text of an image."""
    written = [figure.metadata["image/png"].alt for figure in figures(asking(path))]
    assert written and all(re.fullmatch(r"Figure \d+: .+", alt) for alt in written)
    pictures = exported(path, "classic").select(".output_png img")
    assert [alt for picture in pictures if (alt := picture["alt"]) in written] == written
