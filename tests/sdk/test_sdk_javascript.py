"""Google's JavaScript SDK: the guide's samples as they stand, and checks of our own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

VERSION = "3.1.0"
HERE = Path(__file__).parent
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (shutil.which("node") and shutil.which("npm")), reason="needs node and npm on this machine"),
]


@pytest.fixture(scope="module")
def javascript(
    installed: Callable[..., Path], run: Callable[..., str], served: Callable[[str], Any], penguins_csv: Path
) -> Callable[..., str]:
    """Run a module where the SDK is installed, against the server of a model."""

    def install(folder: Path) -> None:
        folder.mkdir()
        (folder / "package.json").write_text("{}")
        npm = [str(shutil.which("npm")), "install", "--no-audit", "--no-fund", "--ignore-scripts"]
        run([*npm, f"@google/genai@{VERSION}"], cwd=folder)

    folder = installed(f"js-genai-{VERSION}", install)

    def run_module(module: str, model: str, **environment: str) -> str:
        # from standard input, a module finds its packages in the working folder
        command = ["node", "--import", (HERE / "checks" / "local.mjs").as_uri(), "--input-type=module", "-"]
        text = (HERE / module).read_text(encoding="utf-8")
        environment |= {"TABLE": str(penguins_csv)}
        return run(command, served(model), text, cwd=folder, environment=environment)

    return run_module


@pytest.mark.parametrize("sample", ["enable", "multi_turn"])
def test_a_sample_answers_by_code_that_ran(sample: str, javascript: Callable[..., str]) -> None:
    printed = javascript(f"samples/{sample}.mjs", "offline-planner")
    assert "227, 229]" in printed  # the fiftieth prime: the code really listed them
    assert "5117" in printed


def test_the_sample_of_a_picture_counts_by_code(javascript: Callable[..., str], picture: Path) -> None:
    printed = javascript("samples/image.mjs", "zoom", PICTURE=str(picture))
    assert "Execution Output:\n 4 pedals" in printed
    assert "Text: There are four pedals." in printed


@pytest.mark.parametrize(
    ("check", "model"),
    [
        *((check, "offline-planner") for check in ("stream", "files", "errors")),
        ("functions", "weather"),
        ("formats", "json"),
    ],
)
def test_a_check_holds(check: str, model: str, javascript: Callable[..., str]) -> None:
    javascript(f"checks/{check}.mjs", model)
