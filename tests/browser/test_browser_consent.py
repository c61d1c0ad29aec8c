"""A yes in JupyterLab before a model's code runs in the notebook's kernel: the code stands above the question."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

CODE = "far['near'] = 6 * 7\nprint(far)"
SETUP = "%load_ext magic_ext\nfar = {'away': 1}"


def test_the_code_is_shown_and_asked_about(lab: Any) -> None:
    (lab.folder / "consent.json").write_text(
        json.dumps([[[{"code": CODE}], [{"code": CODE}], [{"text": "It is 42."}]]])
    )
    cells = lab.write("consent.ipynb", [SETUP, "%%gemini_exec --run kernel -m scripted:consent.json\nCompute."])
    lab.open("consent.ipynb")
    lab.run(cells[0])
    lab.wait_for(cells[:1])
    lab.run(cells[1])
    asked = lab.outputs(cells[1]).locator(".jp-Stdin-input")
    asked.wait_for()
    assert "[y]es/[n]o/[a]lways" in lab.outputs(cells[1]).locator(".jp-Stdin-prompt").inner_text()
    code = lab.outputs(cells[1]).locator("code.language-python")
    assert "6 * 7" in code.inner_text(), "it stands above the question"
    asked.fill("a")
    asked.press("Enter")
    lab.wait_for(cells)
    text = lab.outputs(cells[1]).inner_text()
    assert "{'away': 1, 'near': 42}" in text and "It is 42." in text and "your kernel" in text
    assert all(output["output_type"] != "error" for output in lab.bundles(cells[1]))
