"""The stop button beside the progress, in each front end: there while the question runs, and not a moment longer."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

SETUP = "%load_ext magic_ext"
ASK = "%%gemini_exec -m scripted:wait.json\nWait."
CODE = "import time\nprint('begun', flush=True)\ntime.sleep(25)\nprint('never')"
NAME = "Stop this question (interrupts the kernel)"
KERNEL = "window.jupyterapp.shell.currentWidget.sessionContext.session.kernel"


@pytest.fixture(params=["lab", "notebook", "oldest_lab"])
def front(request: pytest.FixtureRequest) -> Any:
    front = request.getfixturevalue(request.param)
    (front.folder / "wait.json").write_text(json.dumps([[[{"text": "This takes a while."}, {"code": CODE}]]]))
    return front


def test_it_stops_the_question_and_is_gone(front: Any) -> None:
    setup, question, queued, after = front.write("stopping.ipynb", [SETUP, ASK, "'queued'", "6 * 7"])
    front.open("stopping.ipynb")
    front.run(setup)
    front.run(question)
    front.run(queued)
    outputs = front.outputs(question)
    button = outputs.get_by_role("button", name=NAME)
    button.wait_for()
    outputs.locator('.gemini-exec-progress[data-seconds$=" of 30"]').wait_for()
    assert front.page.get_by_role("button", name=NAME).count() == 1
    assert button.evaluate("button => button.tabIndex") == 0

    button.focus()
    front.page.keyboard.press("Enter")
    front.wait_for([setup, question])
    button.wait_for(state="detached")
    said = outputs.inner_text()
    assert "This takes a while." in said and "This is not the whole answer." in said and "Interrupted." in said
    assert "never" not in said.split() and outputs.locator(".gemini-exec-progress").count() == 0
    assert front.bundles(queued) == [], "it was dropped"
    in_the_notebook = "document.activeElement.closest('.jp-Notebook') !== null"
    assert front.page.evaluate(in_the_notebook), "the focus stays where one can go on"

    front.run(after)
    front.wait_for([after])
    assert "42" in front.outputs(after).inner_text()
    front.close()
    front.open("stopping.ipynb")
    assert "This is not the whole answer." in front.outputs(question).inner_text()
    assert front.page.get_by_role("button", name=NAME).count() == 0


def test_it_goes_with_its_kernel(lab: Any) -> None:
    (lab.folder / "wait.json").write_text(json.dumps([[[{"text": "This takes a while."}, {"code": CODE}]]]))
    setup, question = lab.write("dying.ipynb", [SETUP, ASK])
    lab.open("dying.ipynb")
    lab.run(setup)
    lab.run(question)
    button = lab.page.get_by_role("button", name=NAME)
    button.wait_for()
    lab.page.evaluate(f"{KERNEL}.restart()")
    button.wait_for(state="detached")
    lab.page.wait_for_function(f"{KERNEL}.status === 'idle'")
    lab.complaints.clear()  # JupyterLab's, of a widget whose kernel has gone
