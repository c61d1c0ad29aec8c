"""The labextension in JupyterLab: one payload becomes cells, buttons insert them, prompts are edited as prose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

SETUP = "%load_ext magic_ext"
NOTEBOOK = "window.jupyterapp.shell.currentWidget.content"
SCRIPT = [
    [
        [{"text": "## Load\nFirst the numbers."}, {"code": "numbers = [1, 2, 3]\nprint(len(numbers))"}],
        [{"text": "## Add\nNow their sum."}, {"code": "print(sum(numbers))"}],
        [{"text": "It is 6."}],
    ]
]
ASK = "%%gemini_exec -m scripted:numbers.json"
HEADED = [
    ("markdown", "## Load"),
    ("code", "numbers = [1, 2, 3]"),
    ("markdown", "## Add"),
    ("code", "print(sum(numbers))"),
]


@pytest.fixture
def script(lab: Any) -> None:
    (lab.folder / "numbers.json").write_text(json.dumps(SCRIPT))


def cells(lab: Any) -> list[tuple[str, str]]:
    """The notebook's cells: type and first line."""
    read = f"[...{NOTEBOOK}.model.cells].map((cell) => [cell.type, cell.sharedModel.source.split('\\n')[0]])"
    return [(kind, line) for kind, line in lab.page.evaluate(read)]


def count(lab: Any, number: int) -> None:
    """Wait until the notebook has so many cells."""
    lab.page.wait_for_function(f"number => {NOTEBOOK}.model.cells.length === number", arg=number)


def block(lab: Any, cell: str, number: int) -> Any:
    return lab.outputs(cell).locator(".gemini-exec-buttons").nth(number - 1)


def test_pasted_blocks_are_cells_in_order_and_one_undo(lab: Any, script: None) -> None:
    setup, ask, after = lab.write("all.ipynb", [SETUP, f"{ASK} --paste=all\nSum them.", "'typed'"])
    lab.open("all.ipynb")
    lab.menu("Run", "Run All Cells")
    lab.wait_for([setup, ask, after])
    count(lab, 7)
    before = [("code", SETUP), ("code", f"{ASK} --paste=all")]
    assert cells(lab) == [*before, *HEADED, ("code", "'typed'")]
    origins = lab.page.evaluate(f"[...{NOTEBOOK}.model.cells].map((cell) => cell.getMetadata('gemini_exec') ?? null)")
    assert [origin.get("block") if origin else None for origin in origins] == [None, None, None, 1, None, 2, None]
    assert origins[3]["interaction_id"].startswith("v1_") and origins[3]["place"].startswith("this computer")

    lab.menu("Edit", "Undo Cell Operation")
    count(lab, 3)
    lab.menu("Edit", "Redo Cell Operation")
    count(lab, 7)


def test_typing_elsewhere_is_not_disturbed(lab: Any) -> None:
    slow = [[[{"code": "import time\nprint('begun', flush=True)\ntime.sleep(3)"}], [{"text": "Done."}]]]
    (lab.folder / "slower.json").write_text(json.dumps(slow))
    setup, ask, other = lab.write("type.ipynb", [SETUP, "%%gemini_exec -m scripted:slower.json --paste\nWait.", "#"])
    lab.open("type.ipynb")
    lab.run(setup)
    lab.run(ask)
    lab.outputs(ask).locator("pre", has_text="begun").last.wait_for()
    lab.cell(other).locator(".cm-content").click()
    lab.page.keyboard.press("End")
    text = " the quick brown fox jumps"
    for mark in text:
        lab.page.keyboard.type(mark, delay=160)
    count(lab, 4)
    assert lab.source(other) == "#" + text
    assert lab.page.evaluate(f"{NOTEBOOK}.activeCell.model.id") == other
    assert lab.page.evaluate(f"{NOTEBOOK}.mode") == "edit"


def test_buttons_insert_by_mouse_and_by_keyboard(lab: Any, script: None, tmp_path: Path) -> None:
    setup, ask = lab.write("buttons.ipynb", [SETUP, f"{ASK}\nSum them."])
    lab.open("buttons.ipynb")
    lab.run(setup)
    lab.run(ask)
    lab.wait_for([setup, ask])
    assert block(lab, ask, 1).get_by_role("button").all_inner_texts() == ["Insert", "Insert all 2"]
    lab.cell(ask).screenshot(path=tmp_path / "buttons.png")
    block(lab, ask, 1).get_by_role("button", name="Insert block 1 into a new cell below").click()
    count(lab, 3)
    assert cells(lab)[2] == ("code", "numbers = [1, 2, 3]")
    lab.menu("Edit", "Undo Cell Operation")
    count(lab, 2)

    button = block(lab, ask, 2).get_by_role("button", name="Insert block 2 into a new cell below")
    button.focus()
    lab.page.keyboard.press("Enter")
    count(lab, 4)
    assert [source for _, source in cells(lab)[2:]] == ["numbers = [1, 2, 3]", "print(sum(numbers))"], (
        "it needs block 1"
    )
    assert lab.bundles(lab.ids()[2]) == [], "nothing has run by itself"


def test_buttons_work_after_reopening_without_a_kernel(lab: Any, script: None) -> None:
    setup, ask = lab.write("later.ipynb", [SETUP, f"{ASK}\nSum them."])
    lab.open("later.ipynb")
    lab.run(setup)
    lab.run(ask)
    lab.wait_for([setup, ask])
    lab.save("later.ipynb")
    lab.close()
    lab.open("later.ipynb")
    lab.menu("Kernel", "Shut Down Kernel")
    lab.page.wait_for_function(f"!{NOTEBOOK}.parent.sessionContext.session?.kernel")
    block(lab, ask, 1).get_by_role("button", name="Insert all 2 blocks into new cells below").click()
    count(lab, 4)
    assert [source for _, source in cells(lab)[2:]] == ["numbers = [1, 2, 3]", "print(sum(numbers))"]


def test_a_prompt_is_edited_as_prose(lab: Any) -> None:
    ask, code = lab.write("prose.ipynb", ["%%gemini_exec\nfor each city in", "for x in [1]:"])
    lab.open("prose.ipynb")
    mime = f"id => [...{NOTEBOOK}.model.cells].find((cell) => cell.id === id).mimeType"
    assert lab.page.evaluate(mime, ask) == "text/x-ipythongfm"
    assert lab.page.evaluate(mime, code) == "text/x-ipython"
    for cell in (ask, code):
        lab.cell(cell).locator(".cm-content").click()
        lab.page.keyboard.press("Control+End")
        lab.page.keyboard.press("Enter")
        lab.page.keyboard.type("x")
    assert lab.source(ask).endswith("in\nx"), "no indentation"
    assert lab.source(code).endswith(":\n    x")
    lab.cell(code).locator(".cm-content").click()
    lab.page.keyboard.press("Control+Home")
    lab.page.keyboard.type("%%gemini_exec\n")
    lab.page.wait_for_function(f"({mime})('{code}') === 'text/x-ipythongfm'")


def test_the_labextension_is_of_this_version() -> None:
    from magic_ext import __version__

    package = Path(__file__).parents[2] / "magic_ext" / "labextension" / "package.json"
    assert json.loads(package.read_text())["version"] == __version__


def test_a_follow_up_is_a_cell_below_that_runs(lab: Any, tmp_path: Path) -> None:
    talk = [[[{"text": "One."}]], [[{"text": "Two."}]], [[{"text": "Two again."}]]]
    (lab.folder / "talk.json").write_text(json.dumps(talk))
    setup, ask = lab.write("follow.ipynb", [SETUP, "%%gemini_exec -m scripted:talk.json\nFirst?"])
    lab.open("follow.ipynb")
    lab.run(setup)
    lab.run(ask)
    lab.wait_for([setup, ask])
    field = lab.outputs(ask).get_by_label("Ask a follow-up question")
    field.click()
    lab.page.keyboard.type("and dd then?")  # dd would delete the cell, if it were a shortcut
    lab.cell(ask).screenshot(path=tmp_path / "follow-up.png")
    lab.page.keyboard.press("Enter")
    count(lab, 3)
    second = lab.ids()[2]
    lab.wait_for([setup, ask, second])
    assert lab.source(second) == "%%gemini_exec -c -m scripted:talk.json\nand dd then?"
    assert "Two." in lab.outputs(second).inner_text()

    lab.outputs(ask).get_by_label("Ask a follow-up question").fill("another way?")
    lab.page.keyboard.press("Enter")
    count(lab, 4)
    [third] = [cell for cell in lab.ids() if cell not in {setup, ask, second}]
    lab.wait_for([setup, ask, second, third])
    assert lab.source(third).startswith("%%gemini_exec -c=v1_"), "it branches from the answer above, not from the last"
    assert "Two." in lab.outputs(third).inner_text()


def test_the_doctor_sees_the_labextension(lab: Any) -> None:
    setup, doctor = lab.write("doctor.ipynb", [SETUP, "%gemini doctor"])
    lab.open("doctor.ipynb")
    lab.menu("Run", "Run All Cells")
    lab.wait_for([setup, doctor])
    assert "front end: JupyterLab or Notebook 7; the labextension is active" in lab.outputs(doctor).inner_text()
