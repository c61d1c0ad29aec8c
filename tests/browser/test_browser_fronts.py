"""The same in Notebook 7, and in the oldest JupyterLab that is supported: ask, paste, press buttons, type a prompt."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

SETUP = "%load_ext magic_ext"
NOTEBOOK = "window.jupyterapp.shell.currentWidget.content"
TABLE = 'import pandas as pd\npenguins = pd.read_csv("data/penguins.csv")'
SCRIPT = [
    [
        [{"text": "## Load\nFirst the numbers."}, {"code": "numbers = [1, 2, 3]"}],
        [{"text": "## Add\nNow their sum."}, {"code": "print(sum(numbers))"}],
        [{"text": "It is 6."}],
    ]
]
ASK = "%%gemini_exec -m scripted:sum.json"


@pytest.fixture(params=["notebook", "oldest_lab"])
def front(request: pytest.FixtureRequest) -> Any:
    front = request.getfixturevalue(request.param)
    (front.folder / "sum.json").write_text(json.dumps(SCRIPT))
    return front


def run_all(front: Any, name: str, cells: list[str]) -> list[str]:
    ids = front.write(name, cells)
    front.open(name)
    front.menu("Run", "Run All Cells")
    front.wait_for(ids)
    return list(ids)


def sources(front: Any, number: int) -> list[str]:
    """The text of all cells, once there are so many."""
    front.page.wait_for_function(f"number => {NOTEBOOK}.model.cells.length === number", arg=number)
    return [front.source(cell) for cell in front.ids()]


def test_an_answer_with_a_figure(front: Any) -> None:
    question = "%%gemini_exec -m offline-planner\nMean body mass by species in @penguins, as a bar chart."
    *_, asked = run_all(front, "figure.ipynb", [f"{SETUP}\n{TABLE}", question])
    outputs = front.outputs(asked)
    assert "penguins.groupby" in outputs.locator("pre code.language-python").inner_text()
    assert outputs.get_by_text(re.compile(r"Gentoo +5076\.02")).is_visible()
    figure = outputs.locator('img[src^="data:image/png"]')
    assert figure.evaluate("picture => picture.complete && picture.naturalWidth") > 400
    assert figure.get_attribute("alt").startswith("Figure 1")
    assert outputs.locator(".gemini-exec-buttons button").all_inner_texts() == ["Insert"]
    assert outputs.get_by_text(re.compile("^offline-planner · this computer, isolated · all 344 rows")).is_visible()


def test_pasted_blocks_are_cells_in_one_undo_step(front: Any) -> None:
    run_all(front, "paste.ipynb", [SETUP, f"{ASK} --paste=all\nSum them.", "'after'"])
    assert sources(front, 7)[2:] == ["## Load", "numbers = [1, 2, 3]", "## Add", "print(sum(numbers))", "'after'"]
    front.menu("Edit", "Undo Cell Operation")
    assert sources(front, 3)[2:] == ["'after'"]


def test_buttons_insert_cells(front: Any) -> None:
    _, asked = run_all(front, "buttons.ipynb", [SETUP, f"{ASK}\nSum them."])
    buttons = front.outputs(asked).locator(".gemini-exec-buttons").first
    buttons.get_by_role("button", name="Insert block 1 into a new cell below").click()
    assert sources(front, 3)[2:] == ["numbers = [1, 2, 3]"]
    front.menu("Edit", "Undo Cell Operation")
    sources(front, 2)
    buttons.get_by_role("button", name="Insert all 2 blocks into new cells below").click()
    assert sources(front, 4)[2:] == ["numbers = [1, 2, 3]", "print(sum(numbers))"]


def test_a_prompt_is_edited_as_prose(front: Any) -> None:
    (asked,) = front.write("prose.ipynb", ["%%gemini_exec\nfor each city in:"])
    front.open("prose.ipynb")
    front.cell(asked).locator(".cm-content").click()
    front.page.keyboard.press("Control+End")
    front.page.keyboard.press("Enter")
    front.page.keyboard.type("x")
    assert front.source(asked).endswith("in:\nx"), "no indentation"
