"""The extras bring what Google's sandbox has, and the doctor names what is missing."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest

from magic_ext import doctor
from magic_ext.runtime import provided
from magic_ext.runtime.provided import PROVIDED, missing_libraries

PROJECT = Path(__file__).parent.parent.parent / "pyproject.toml"


def test_the_extras_are_the_list() -> None:
    extras = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    names = [re.match(r"[\w-]+", line)[0] for line in (*extras["sandbox"], *extras["tensorflow"])]  # type: ignore[index]
    assert sorted(names) == sorted(PROVIDED)
    assert len(PROVIDED) == len(set(PROVIDED)) == 37


def test_the_doctor_names_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {name.lower() for name in PROVIDED} - {"tensorflow", "xlrd", "opencv-python"} | {"opencv-python-headless"}

    def version(name: str) -> str:
        if name.lower() not in there:
            raise importlib.metadata.PackageNotFoundError
        return "1"

    monkeypatch.setattr(provided.importlib.metadata, "version", version)
    assert missing_libraries() == ("tensorflow", "xlrd")
    said = doctor.report(None, ())
    assert "2 are missing here: tensorflow, xlrd" in said
    assert "pip install 'gemini-exec[sandbox,tensorflow]'" in said
    there.add("xlrd")
    assert "pip install 'gemini-exec[tensorflow]'" in doctor.report(None, ())
    there.add("tensorflow")
    assert "Google's sandbox" not in doctor.report(None, ())
