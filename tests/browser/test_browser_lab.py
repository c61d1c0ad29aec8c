"""The whole way in JupyterLab: ask, look, paste, save, interrupt."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SETUP = '%load_ext magic_ext\n%config GeminiExecMagics.model = "offline-planner"'
TABLE = 'import pandas as pd\npenguins = pd.read_csv("data/penguins.csv")'
FIGURE = "quickstart-6"  # the question whose answer has a figure
_LIVE = re.compile(r"(?: · [\d.]+ s)(?: · [\d,]+ tokens)?(?=\*?$)")


def asked_again(lab: Any) -> list[str]:
    """Open the quickstart, clear it, run all of it; the ids of the cells that hold code."""
    lab.open("quickstart.ipynb")
    shipped = nbformat.read(NOTEBOOKS / "quickstart.ipynb", as_version=4)
    cells = [cell.id for cell in shipped.cells if cell.cell_type == "code" and cell.source.strip()]
    lab.menu("Edit", "Clear Outputs of All Cells")
    assert not any(lab.bundles(cell) for cell in cells)
    lab.menu("Run", "Run All Cells")
    lab.wait_for(cells)
    return cells


def lasting(output: dict[str, Any]) -> dict[str, Any]:
    """An output without what may differ: metadata, numbers, a picture's pixels, the footer's seconds and tokens."""
    kept = {key: value for key, value in output.items() if key not in {"metadata", "execution_count", "data"}}
    data = output.get("data", {})
    shown = {kind: _LIVE.sub("", text) if isinstance(text, str) else text for kind, text in data.items()}
    return kept | {"data": {kind: "" if kind.startswith("image/") else value for kind, value in shown.items()}}


def test_the_quickstart_shows_what_it_promises(lab: Any, tmp_path: Path) -> None:
    cells = asked_again(lab)
    outputs = lab.outputs(FIGURE)
    code = outputs.locator(".jp-RenderedMarkdown pre code.language-python")
    assert "penguins.groupby" in code.inner_text()
    assert code.locator("span").count() > 10, "the code is highlighted"
    assert outputs.get_by_text(re.compile(r"Gentoo +5076\.02")).is_visible()
    figure = outputs.locator('img[src^="data:image/png"]')
    assert figure.evaluate("picture => picture.complete && picture.naturalWidth") > 400
    footer = re.compile(r"^offline-planner · this computer, isolated · all 344 rows · .* s")
    assert outputs.get_by_text(footer).is_visible()

    receipt = outputs.locator("details").first
    table = receipt.locator("table")
    assert table.is_hidden(), "the receipt is folded"
    receipt.locator("summary").click()
    assert "@penguins" in table.inner_text() and table.is_visible()
    receipt.locator("summary").click()

    for cell in cells:
        assert all(output["output_type"] != "error" for output in lab.bundles(cell))
        assert lab.outputs(cell).locator('[data-mime-type$=".error"], [data-mime-type$=".stderr"]').count() == 0

    photographs(lab, tmp_path)
    what_is_saved_is_what_was_shipped(lab)


def photographs(lab: Any, folder: Path) -> None:
    """The answer with the figure in both themes; for the README too, if that is asked for."""
    lab.leave()
    for name, theme in {"dark": "JupyterLab Dark", "light": "JupyterLab Light"}.items():
        lab.theme(theme)
        picture = lab.cell(FIGURE).screenshot(path=folder / f"quickstart-{name}.png", animations="disabled")
        if os.environ.get("GEMINI_EXEC_SCREENSHOT") == "1":
            (NOTEBOOKS / f"quickstart-{name}.png").write_bytes(picture)


def what_is_saved_is_what_was_shipped(lab: Any) -> None:
    saved = {cell.id: cell for cell in lab.save("quickstart.ipynb").cells}
    for shipped in nbformat.read(NOTEBOOKS / "quickstart.ipynb", as_version=4).cells:
        cell = saved[shipped.id]
        assert cell.source == shipped.source
        assert [*map(lasting, cell.get("outputs", ()))] == [*map(lasting, shipped.get("outputs", ()))]
    outputs = [out for cell in saved.values() for out in cell.get("outputs", ()) if "image/png" in out.get("data", {})]
    figures = [out for out in outputs if out.data["text/plain"].startswith("[Figure")]  # not those of the pasted code
    assert figures and all(figure.metadata["image/png"].alt for figure in figures)


def test_pasted_code_is_one_new_cell_that_runs_on_the_live_data(lab: Any) -> None:
    question = "%%gemini_exec --paste\nMean body mass by species in @penguins, as a bar chart."
    setup, table, ask, after = lab.write("paste.ipynb", [SETUP, TABLE, question, "print('after')"])
    lab.open("paste.ipynb")
    lab.menu("Run", "Run All Cells")
    lab.wait_for([setup, table, ask, after])
    lab.page.wait_for_function("window.jupyterapp.shell.currentWidget.content.model.cells.length > 4")
    assert [*lab.ids()[:3], lab.ids()[4]] == [setup, table, ask, after], "the new cell stands below the question"
    (pasted,) = set(lab.ids()) - {setup, table, ask, after}
    assert 'penguins.groupby("species"' in lab.source(pasted)
    assert lab.bundles(pasted) == [], "it has not run by itself"

    lab.run(pasted)
    lab.wait_for([pasted])
    outputs = lab.outputs(pasted)
    assert re.search(r"Gentoo +5076\.02", outputs.inner_text())
    assert outputs.locator('img[src^="data:image/png"]').count() == 1
    assert len(lab.ids()) == 5


def test_the_stop_button_ends_a_question_and_keeps_what_had_come(lab: Any, tmp_path: Path) -> None:
    code = "import time\nprint('begun', flush=True)\ntime.sleep(20)\nprint('never')"
    script = [[[{"text": "This takes a while."}, {"code": code}], [{"text": "The end."}]]]
    (lab.folder / "slow.json").write_text(json.dumps(script))
    ask = "%%gemini_exec -m scripted:slow.json\nWait."
    setup, question, after = lab.write("stop.ipynb", [SETUP, ask, "6 * 7"])
    lab.open("stop.ipynb")
    lab.run(setup)
    lab.run(question)
    outputs = lab.outputs(question)
    outputs.locator("pre code", has_text="time.sleep(20)").wait_for()
    progress = outputs.get_by_text("running the code")
    progress.wait_for()
    outputs.locator("pre", has_text="begun").last.wait_for()  # printed, then silence: it shows all the same
    outputs.locator(".gemini-exec-progress[data-seconds]").wait_for()  # the kernel is busy; the page counts
    assert outputs.locator("details").count() == 0
    lab.cell(question).screenshot(path=tmp_path / "working.png")

    lab.page.get_by_role("button", name="Interrupt the kernel").click()
    lab.wait_for([setup, question])
    outputs.locator("strong", has_text="This is not the whole answer.").wait_for()
    (error,) = [out for out in lab.bundles(question) if out["output_type"] == "error"]
    assert error["ename"] == "KeyboardInterrupt"
    assert len(error["traceback"]) == 1 and "Interrupted." in error["traceback"][0]
    said = outputs.inner_text()
    assert "This takes a while." in said and "time.sleep(20)" in said and said.count("nterrupted") == 1
    assert "The end." not in said and "\nnever" not in said
    assert progress.count() == 0 and outputs.locator("details").count() == 1, "the receipt replaced the progress"
    lab.cell(question).screenshot(path=tmp_path / "interrupted.png")

    lab.run(after)
    lab.wait_for([after])
    assert "42" in lab.outputs(after).inner_text()
