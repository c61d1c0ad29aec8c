"""Libraries that are not here are named, by what they are installed from."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from magic_ext.frontend.lacking import lacking, lacking_line


@pytest.mark.parametrize(
    ("code", "missing"),
    [
        ("import json, os.path\nfrom magic_ext import answer", []),
        ("import nowhere.part as n\nfrom nowhere import x\nfrom . import y", ["nowhere"]),
        ("def f():\n    import nowhere", ["nowhere"]),
        ("try:\n    import nowhere\nexcept (ImportError, OSError):\n    nowhere = None", []),
        ("try:\n    import nowhere\nexcept ValueError:\n    pass", ["nowhere"]),
        ("try:\n    import nowhere\nexcept Exception:\n    import nor_here", []),
        ("x = ]", []),
        ("%matplotlib inline\nimport nowhere, nor_here", ["nowhere", "nor_here"]),
    ],
)
def test_what_is_missing(code: str, missing: list[str]) -> None:
    assert lacking([code]) == missing


def test_a_module_that_was_made_by_hand_is_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "made_by_hand", ModuleType("made_by_hand"))
    assert lacking(["import made_by_hand"]) == []


def test_the_line_names_what_to_install() -> None:
    assert lacking_line([]) == ""
    line = lacking_line(["cv2", "sklearn", "chess"])
    assert line.startswith("This code imports cv2 and sklearn and chess, which are not installed here: ")
    assert line.endswith("%pip install opencv-python scikit-learn chess")
