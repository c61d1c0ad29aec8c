"""Policies that contradict each other are a mistake wherever the question goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from magic_ext.references.attach import Here, Local, Remote, prepare
from magic_ext.references.errors import BadPolicyError

FRAME = pd.DataFrame({"a": [1]})


@pytest.fixture(params=["remote", "local", "isolated", "kernel"])
def destination(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    places = {
        "remote": Remote("host"),
        "local": Local(tmp_path),
        "isolated": Here("host", tmp_path),
        "kernel": Here("host"),
    }
    return places[request.param]


@pytest.mark.parametrize("prompt", ["@df:schema and @df:full", "@df:head(2) @df:head(3)", "@f.csv:full, @f.csv:schema"])
def test_two_policies_for_one_thing_are_an_error_everywhere(prompt: str, destination: Any, tmp_path: Path) -> None:
    (tmp_path / "f.csv").write_text("a\n1\n")
    with pytest.raises(BadPolicyError, match="is given two policies"):
        prepare(prompt, (), {"df": FRAME}, tmp_path, destination)


@pytest.mark.parametrize("prompt", ["@df:schema and @df", "@df:full and @df:full", "@df:schema and @df[a]:full"])
def test_one_policy_written_once_or_twice_is_none(prompt: str, destination: Any, tmp_path: Path) -> None:
    prepared, _ = prepare(prompt, (), {"df": FRAME}, tmp_path, destination)
    assert prepared.entries


@pytest.mark.parametrize(
    ("prompt", "only"),
    [
        ("@df:schema", True),
        ("@df:schema and @n:schema", True),
        ("@df:schema and @n", False),
        ("@df", False),
        ("@df:head(1)", False),
        ("hello", False),
    ],
)
def test_the_manifest_knows_whether_all_is_schema(prompt: str, only: bool, tmp_path: Path) -> None:
    _, manifest = prepare(prompt, (), {"df": FRAME, "n": 3}, tmp_path, Remote("host"))
    assert manifest.schema_only is only


@pytest.mark.parametrize(("prompt", "sampled"), [("@df", True), ("@df:head(3)", False), ("@df:sample(9)", True)])
def test_a_part_is_called_a_part_on_both_sides(prompt: str, sampled: bool, tmp_path: Path) -> None:
    frame = pd.DataFrame({"text": ["x" * 50] * 20_000})
    prepared, _ = prepare(prompt, (), {"df": frame}, tmp_path, Remote("host"))
    [binding] = prepared.bindings
    assert binding.sampled is sampled and binding.rows_sent != binding.rows
    assert "of 20,000 rows, drawn at random" in prepared.description or not sampled
    assert "say of every result that it is computed on these" in prepared.description
    whole, _ = prepare("@df:full", (), {"df": frame.head(3)}, tmp_path, Remote("host"))
    assert "only some of the rows" not in whole.description and not whole.bindings[0].sampled
