"""Google's Python SDK, the oldest, a middle and the newest release that know steps: its samples and checks of our own.

Each release lives in an environment of its own, kept in the user's cache (or GEMINI_EXEC_TEST_CACHE).
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
VERSIONS = ("2.0.0", "2.34.0", "3.4.0")
HERE = Path(__file__).parent
PLANNED = ("stream", "asynchronous", "kept", "labels", "files", "models", "errors")
SCRIPTED = {"background": "slow", "functions": "weather", "many": "many", "formats": "json"}


@pytest.fixture(scope="module", params=VERSIONS)
def python(request: pytest.FixtureRequest, installed: Callable[..., Path], run: Callable[..., str]) -> Path:
    """An interpreter that has this release of the SDK, and what the guide's samples import."""
    programs = "Scripts" if os.name == "nt" else "bin"

    def install(folder: Path) -> None:
        run([sys.executable, "-m", "venv", "--without-pip", folder])
        pip = [sys.executable, "-m", "pip", "--python", folder / programs / "python"]
        run([*pip, "install", "-q", "--no-compile", f"google-genai=={request.param}", "pillow", "requests"])

    return installed(f"google-genai-{request.param}-python-{platform.python_version()}", install) / programs / "python"


@pytest.mark.parametrize("sample", ["enable.py", "multi_turn.py"])
def test_a_sample_answers_by_code_that_ran(
    sample: str, python: Path, picture: Path, server: Any, run: Callable[..., str]
) -> None:
    printed = run([python, HERE / "checks" / "as_a_cell.py", HERE / "samples" / sample, picture], server)
    assert "227, 229]" in printed  # the fiftieth prime: the code really listed them
    assert "5117" in printed


def test_the_sample_of_a_picture_shows_what_the_code_drew(
    python: Path, picture: Path, served: Callable[[str], Any], run: Callable[..., str]
) -> None:
    sample = HERE / "samples" / "image.py"
    printed = run([python, HERE / "checks" / "as_a_cell.py", sample, picture], served("zoom"))
    assert "4 pedals" in printed
    assert "There are four pedals." in printed
    assert printed.count("shown: ") == 1


@pytest.mark.parametrize(("check", "model"), [*((check, "offline-planner") for check in PLANNED), *SCRIPTED.items()])
def test_a_check_holds(
    check: str,
    model: str,
    python: Path,
    served: Callable[[str], Any],
    run: Callable[..., str],
    penguins_csv: Path,
    tmp_path: Path,
) -> None:
    run([python, HERE / "checks" / f"{check}.py", penguins_csv, tmp_path], served(model))
