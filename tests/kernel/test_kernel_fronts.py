"""VS Code and Colab, mocked: real kernels, with the variables and requests of those front ends as in their source.

VS Code: vscode-jupyter, ``cellExecutionMessageHandler.ts``. Colab: colabtools, ``google/colab/_history.py``. Neither
program is run here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest

ASK = "%%gemini_exec -m scripted:sum.json --paste=all"
SCRIPT = [[[{"text": "First."}, {"code": "a = 1"}], [{"text": "Then."}, {"code": "print(a + 1)"}], [{"text": "2"}]]]


class Colab:
    """Its machine's variables, its requests; other requests of the same kernel name no cell."""

    name = "Colab"
    environment: ClassVar = {"COLAB_RELEASE_TAG": "release-colab_20260901", "COLAB_NOTEBOOK_ID": "1aB-colab"}
    setup = "pass"

    @staticmethod
    def request(cell: str) -> dict[str, Any]:
        return {"colab": {"cell_id": cell}}


class VSCode:
    """Its variable in the namespace, its cell ids."""

    name = "VS Code"
    environment: ClassVar[dict[str, str]] = {}
    setup = "__vsc_ipynb_file__ = '/home/me/analysis.ipynb'"

    @staticmethod
    def request(cell: str) -> dict[str, Any]:
        return {"cellId": f"vscode-notebook-cell:/home/me/analysis.ipynb#{cell}"}


@pytest.fixture(scope="module", params=[Colab, VSCode], ids=["Colab", "VS Code"])
def front(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module")
def opened(front: Any, open_notebook: Callable[..., Any]) -> Callable[[], Any]:
    def start() -> Any:
        notebook = open_notebook(**front.environment)
        notebook.requests = front.request
        (notebook.folder / "sum.json").write_text(json.dumps(SCRIPT))
        notebook.do(front.setup)
        notebook.do("%load_ext magic_ext")
        return notebook

    return start


@pytest.fixture(scope="module")
def first(opened: Callable[[], Any]) -> Any:
    return opened()


def test_code_goes_into_cells_as_the_front_end_takes_it(front: Any, first: Any) -> None:
    ran = first.run(f"{ASK}\nAdd.", live=True, cell="one")
    assert ran.status == "ok", ran.of("error")
    texts = [payload["text"] for payload in ran.payload]
    if front is VSCode:  # each goes directly below the running cell, so the last comes first
        assert ["print(a + 1)" in text for text in texts] == [True, False]
        assert "a = 1" in texts[1]
    else:
        [text] = texts
        assert text.index("a = 1") < text.index("print(a + 1)") and "# %%" in text


def test_only_where_it_was_tried_are_outputs_changed(front: Any, first: Any) -> None:
    ran = first.run(f"{ASK}\nAdd.", live=True, cell="two")
    assert bool(ran.of("update_display_data")) is (front is VSCode)


def test_the_doctor_names_it(front: Any, first: Any) -> None:
    ran = first.run("%gemini doctor", live=True)
    told = next(line for line in ran.text.splitlines() if line.startswith("front end: "))
    assert told.startswith(f"front end: {front.name}; ")
    assert "conversations are kept for" in ran.text


def test_conversations_outlive_the_kernel(first: Any, opened: Callable[[], Any], tmp_path: Path) -> None:
    assert first.run("%%gemini_exec -m offline-planner\nSum of the first 50 prime numbers", live=True, cell="a").text
    second = opened()
    again = second.run("%gemini history", live=True)
    assert "Sum of the first 50 prime numbers" in again.text
    asked = second.run("%%gemini_exec -m offline-planner\nSum of the first 50 prime numbers", live=True, cell="a")
    assert asked.status == "ok"
    assert second.run("%gemini history", live=True).text.count("Sum of the first 50") == 1, "the same cell, one turn"
