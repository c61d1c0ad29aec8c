"""The guide's REST samples as they stand, run by bash with curl and jq; only their addresses lead to this machine."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
MISSING = [name for name in ("bash", "curl", "jq") if not shutil.which(name)]
pytestmark = [
    pytest.mark.skipif(bool(MISSING), reason=f"needs {' and '.join(MISSING)} on this machine"),
    pytest.mark.skipif(sys.platform == "win32", reason="bash on Windows is another machine"),
]


@pytest.fixture
def rest(run: Callable[..., str], served: Callable[[str], Any], picture: Path, tmp_path: Path) -> Callable[..., Any]:
    """Run a sample against the server of a model; returns the interaction that it prints."""

    def run_sample(sample: str, model: str) -> Any:
        script = "".join((HERE / part).read_text(encoding="utf-8") for part in ("checks/local.sh", f"samples/{sample}"))
        printed = run(["bash", "-s"], served(model), script, cwd=tmp_path, environment={"PICTURE": str(picture)})
        return json.loads(printed)

    return run_sample


@pytest.mark.parametrize("sample", ["enable.sh", "multi_turn.sh"])
def test_a_sample_answers_by_code_that_ran(sample: str, rest: Callable[..., Any]) -> None:
    interaction = rest(sample, "offline-planner")
    results = [step["result"] for step in interaction["steps"] if step["type"] == "code_execution_result"]
    assert "5117" in results[-1] and "227, 229]" in results[-1]
    assert "5117" in interaction["steps"][-1]["content"][0]["text"]
    assert interaction["status"] == "completed"
    assert bool(interaction.get("previous_interaction_id")) == (sample == "multi_turn.sh")


def test_the_sample_of_a_picture_gets_a_picture_back(rest: Callable[..., Any]) -> None:
    interaction = rest("image.sh", "zoom")
    blocks = [block for step in interaction["steps"] for block in step.get("content", ())]
    assert [block["type"] for block in blocks] == ["text", "image", "text"]
    assert interaction["usage"]["input_tokens_by_modality"] == [
        {"modality": "text", "tokens": 18},
        {"modality": "image", "tokens": 258},
    ]
