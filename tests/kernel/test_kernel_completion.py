"""Completion through a real kernel's ``complete_request``, as every front end asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

SETUP = """
import numpy as np, pandas as pd, polars as pl
from pathlib import Path
sales = pd.DataFrame({"city": ["Bern"], "unit price": [2.5], "units": [3]})
salaries = pl.DataFrame({"name": ["Ada"]})
records = [{"city": "Bern", "n": 1}, {"city": "Basel", "n": 2}]
import duckdb
lazily = duckdb.sql("SELECT 1 AS n")
frames = {"train": sales, "test": sales}
grid = np.zeros((3, 4))
_hidden = 1
class Box:
    inner = sales
    @property
    def costly(self): raise SystemExit("a property was run")
box = Box()
def weather(city: str) -> str: return "rain"
Path("targets.csv").write_text("a,b\\n1,2\\n")
Path("my file.csv").write_text("a,b\\n1,2\\n")
Path("data").mkdir(exist_ok=True)
Path("data/more.csv").write_text("a,b\\n1,2\\n")
"""


@pytest.fixture(scope="module")
def prompt(notebook: Any) -> Any:
    notebook.do(SETUP)
    return notebook


def matches(notebook: Any, code: str) -> list[str]:
    return list(notebook.complete(code)["matches"])


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("%%gemini_exec --mo|", ["--model"]),
        ("%%gemini_exec --pa| -m x\nhi", ["--paste"]),
        ("%%gemini_exec --paste=a|", ["--paste=all"]),
        ("%%gemini_exec --run l|", ["local"]),
        ("%%gemini_exec -m offl|", ["offline-planner"]),
        ("%%gemini_exec --send sch|", ["schema"]),
        ("%%gemini_exec --tool wea|", ["weather"]),
        ("%%gemini_exec @sal|", ["sales", "salaries"]),
        ("%%gemini_exec\nSum of @sal| by city", ["sales", "salaries"]),
        ("%%gemini_exec\nSum @sales[un|", ["units"]),
        ('%%gemini_exec\nSum @sales["un|', ['"unit price"']),
        ("%%gemini_exec\nSum @sales[city, un|", ["units"]),
        ("%%gemini_exec\nSum @box.inner[ci|", ["city"]),
        ('%%gemini_exec\nSum @frames["tr|', ['"train"']),
        ("%%gemini_exec\nSum @sales:sc|", ["schema"]),
        ("%%gemini_exec\nSum @sales[city]:he|", ["head"]),
        ("%%gemini_exec\nJoin @targ|", ["targets.csv"]),
        ("%%gemini_exec\nJoin @data/|", ["data/more.csv"]),
        ('%%gemini_exec\nJoin @"my|', ['"my file.csv"']),
        ("%%gemini_exec @targ|", ["targets.csv"]),
        ('%%gemini_exec @"my|', ['"my file.csv"']),
        ("%%gemini_exec @sales[un|", ["units"]),
        ('%%gemini_exec @sales["un|', ['"unit price"']),
        ('%%gemini_exec @frames["tr|', ['"train"']),
        ("%%gemini_exec @sales:sa|", ["sample"]),
        ("%%gemini_exec\nJoin @targets.csv[|", ["a", "b"]),
        ('%%gemini_exec\nJoin @"my file.csv"[b|', ["b"]),
        ("%%gemini_exec\nJoin @data/more.csv[a|", ["a"]),
        ("%%gemini_exec\nMean @salaries[|", ["name"]),
        ("%%gemini_exec\nMean @records[ci|", ["city"]),
        ("%%gemini_exec\nMean @lazily[|", ["n"]),
        ("%%gemini_exec -m gemini-3-f|", ["gemini-3-flash-preview"]),
        ("%%gemini_exec -m gemini-3-f|\nSum of @sales", ["gemini-3-flash-preview"]),
        ("%%gemini_exec --model open|", ["openai:"]),
        ("%%gemini_exec --thinking h|", ["high"]),
        ("%%gemini_exec --cache on|", ["only"]),
        ("%%gemini_exec --paste|", ["--paste", "--paste=last", "--paste=all", "--paste=none"]),
        ("%gemini do|", ["doctor"]),
    ],
)
def test_what_is_offered(prompt: Any, code: str, expected: list[str]) -> None:
    assert matches(prompt, code) == expected


@pytest.mark.parametrize("code", ["%%gemini_exec\nmail bob@exam|", "%%gemini_exec\nprin|", "%%gemini_exec\nSum @_hid|"])
def test_prose_is_left_alone(prompt: Any, code: str) -> None:
    [same] = matches(prompt, code)
    assert code.partition("|")[0].endswith(same), "what stands there, and no name of Python's"


def test_python_cells_are_completed_as_ever(prompt: Any) -> None:
    assert "sales" in matches(prompt, "sal|")
    assert "columns" in " ".join(matches(prompt, "sales.col|"))


def test_types_and_shapes_are_told_and_the_range_is_right(prompt: Any) -> None:
    reply = prompt.complete("%%gemini_exec\nMean of @sales| by city")
    assert (reply["cursor_start"], reply["cursor_end"]) == (23, 28)
    [told] = reply["metadata"]["_jupyter_types_experimental"]
    assert told["type"] == "DataFrame 1 x 3"
    kinds = {
        one["text"]: one["type"]
        for one in prompt.complete("%%gemini_exec\n@|")["metadata"]["_jupyter_types_experimental"]
    }
    assert kinds["grid"] == "ndarray 3 x 4" and kinds["frames"] == "dict 2" and "weather" not in kinds


def test_no_property_is_run(prompt: Any) -> None:
    assert matches(prompt, "%%gemini_exec\n@box.costly.x|") == ["box.costly.x"]
    assert "box.inner" in matches(prompt, "%%gemini_exec\n@box.in|")


def test_names_of_conversations(prompt: Any) -> None:
    prompt.do("%config GeminiExecMagics.model = 'offline-planner'")
    assert prompt.run("%%gemini_exec -c=prices\nHow many rows has @sales?").status == "ok"
    assert matches(prompt, "%%gemini_exec -c=pr|") == ["-c=prices"]
    assert matches(prompt, "%%gemini_exec -c|") == ["-c", "-c=prices"]
    assert matches(prompt, "%%gemini_exec --continue=p|\nand now?") == ["--continue=prices"]
    prompt.do("%config GeminiExecMagics.model = ''")


def test_names_of_conversations_of_an_earlier_kernel(open_notebook: Callable[..., Any]) -> None:
    first, second = (open_notebook(JPY_SESSION_NAME="/home/me/completion.ipynb") for _ in range(2))
    for notebook in (first, second):
        notebook.do("%load_ext magic_ext")
    ran = first.run("%%gemini_exec -m offline-planner -c=primes\nWhat is the sum of the first 50 prime numbers?")
    assert ran.status == "ok"
    assert matches(second, "%%gemini_exec -c=pr|") == ["-c=primes"]
    heavy = second.value("[name for name in ('magic_ext.ask', 'pandas') if name in __import__('sys').modules]")
    assert heavy == [], "what is typed before the first question waits for nothing"
