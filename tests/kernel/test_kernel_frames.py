"""Frames that are hard to hand over: each gives a right answer, or one red line that says what to do."""

from __future__ import annotations

import base64
import csv
import io
from collections.abc import Callable
from typing import Any

import pytest

SETUP = """
import datetime as dt, decimal
import numpy as np, pandas as pd
v = [1.0, 2.0, 6.0]
frames = dict(
    twice=pd.DataFrame([[1, 2], [3, 4]], columns=["a", "a"]),
    integers=pd.DataFrame([[1, 2], [3, 4]], columns=[0, 1]),
    labels=pd.DataFrame([[1, 2, 3], [3, 4, 5]], columns=["v", 1, None]),
    dates=pd.DataFrame([[1.0, 2.0]], columns=pd.to_datetime(["2024-01-01", "2024-02-01"])),
    rows=pd.DataFrame({"v": v}, index=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)], names=["g", "n"])),
    unnamed=pd.DataFrame({"v": v}, index=pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)])),
    columns=pd.DataFrame([[1.0, 2.0], [3.0, 4.0]], columns=pd.MultiIndex.from_tuples([("x", "m"), ("x", "n")])),
    missing=pd.DataFrame({"v": [1.0, np.nan, 2.0], "t": pd.to_datetime(["2024-01-01", None, "2024-01-03"])}),
    mixed=pd.DataFrame({"v": v, "o": [1, "two", None]}),
    nested=pd.DataFrame({"v": v, "o": [[1], {"a": 2}, None]}),
    objects=pd.DataFrame({"v": v, "o": [object(), len, None]}),
    categories=pd.DataFrame({"v": v, "c": pd.Categorical(["x", "y", "x"], categories=["x", "y", "z"])}),
    nothing=pd.DataFrame({"v": pd.Series([], dtype=float), "c": pd.Series([], dtype=str)}),
    bare=pd.DataFrame(index=range(3)),
    empty=pd.DataFrame(),
    zone=pd.DataFrame({"v": v, "t": pd.date_range("2024-01-01", periods=3, tz="Europe/Rome")}),
    decimals=pd.DataFrame({"v": [decimal.Decimal("1.5"), decimal.Decimal("2.5")]}),
    periods=pd.DataFrame({"v": v, "p": pd.period_range("2024-01", periods=3, freq="M")}),
    spans=pd.DataFrame({"v": v, "d": pd.to_timedelta([1, 2, 3], unit="h")}),
    intervals=pd.DataFrame({"v": v, "i": pd.interval_range(0, 3)}),
    imaginary=pd.DataFrame({"v": v, "z": [1 + 2j, 3j, 0]}),
    binary=pd.DataFrame({"v": v, "b": [b"\\xff", b"a", None]}),
    nullable=pd.DataFrame({"v": pd.array([1, None, 3], dtype="Int64"), "s": pd.array(["a", None, "c"], "string")}),
    huge=pd.DataFrame({"v": [2**70, 1, 2]}),
    odd=pd.DataFrame({"v": v, "a b": v, "c\\nd": [1, 2, 3], "`x`": [1, 2, 3], "": [1, 2, 3], "class": [1, 2, 3]}),
    lone=pd.DataFrame({"v": v, "s": pd.Series(["\\ud800", "b", "c"], dtype=object)}),
    hours=pd.DataFrame({"v": v, "t": [dt.time(1), dt.time(2), None]}),
    ancient=pd.DataFrame({"v": v, "d": [dt.date(1, 1, 1), dt.date(9999, 12, 31), None]}),
)
before = {name: frame.copy(deep=True) for name, frame in frames.items()}
"""
MEANS = {
    **dict.fromkeys(("rows", "unnamed", "mixed", "nested", "objects", "categories", "zone", "periods", "spans"), "3.0"),
    **dict.fromkeys(("intervals", "imaginary", "binary", "odd", "lone", "hours", "ancient"), "3.0"),
    "missing": "1.5",
    "decimals": "2.0",
    "nullable": "2.0",
    "nothing": "nan",
}
ROWS = {"integers": 2, "dates": 1, "columns": 2, "decimals": 2, "huge": 3, "nothing": 0, "missing": 3}
REFUSED = {"twice": "more than one column 'a'", "labels": "df.columns.astype(str)",
           "bare": "no columns", "empty": "no columns"}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _frames(notebook: Any) -> None:
    notebook.do(SETUP)


@pytest.mark.parametrize("name", MEANS)
def test_the_mean_is_right(notebook: Any, name: str) -> None:
    ran = notebook.run(f'%%gemini_exec -m offline-planner -o answer\nMean v in @frames["{name}"].')
    assert ran.status == "ok", ran.of("error")
    assert notebook.value("answer.results") == [f"Mean of v: {MEANS[name]}\n"]
    assert notebook.value(f"before['{name}'].equals(frames['{name}'])"), "nothing of the user's is changed"


@pytest.mark.parametrize("name", ROWS)
def test_the_rows_are_counted(notebook: Any, name: str) -> None:
    ran = notebook.run(f'%%gemini_exec -m offline-planner -o answer\nHow many rows are there in @frames["{name}"]?')
    assert ran.status == "ok", ran.of("error")
    assert notebook.value("answer.results") == [f"Number of rows: {ROWS[name]}\n"]


@pytest.mark.parametrize("name", REFUSED)
def test_one_red_line(notebook: Any, name: str) -> None:
    line = notebook.refuses(f'%%gemini_exec -m offline-planner\nMean v in @frames["{name}"].')
    assert REFUSED[name] in line
    assert f'@frames["{name}"]' in line


def test_what_is_no_number_for_the_planner_is_not_computed(notebook: Any) -> None:
    ran = notebook.run('%%gemini_exec -m offline-planner\nMean v in @frames["huge"].')
    assert ran.status == "ok"
    assert "is not a column of numbers" in ran.text


@pytest.mark.parametrize("name", dict.fromkeys([*MEANS, *ROWS, "twice", "labels"]))
def test_a_table_for_gemini_can_be_read(
    notebook: Any, asked_at: Callable[..., Any], faults: Any, body_of: Any, name: str
) -> None:
    server = asked_at(faults.FINE)
    ran = notebook.run(f'%%gemini_exec -m gemini-3-flash-preview\nLook at @frames["{name}"]:full')
    assert ran.status == "ok", ran.of("error")
    [step] = body_of(server.seen[0])["input"]
    [document] = [block for block in step["content"] if block["type"] == "document"]
    header, *rows = csv.reader(io.StringIO(base64.b64decode(document["data"]).decode()))
    assert len(rows) == notebook.value(f"len(frames['{name}'])")
    assert {len(row) for row in rows} <= {len(header)}


@pytest.mark.parametrize("name", ["bare", "empty"])
def test_a_table_without_columns_is_not_sent(
    notebook: Any, asked_at: Callable[..., Any], faults: Any, name: str
) -> None:
    server = asked_at(faults.FINE)
    assert "no columns" in notebook.refuses(f'%%gemini_exec -m gemini-3-flash-preview\nLook at @frames["{name}"]')
    assert server.seen == []


@pytest.mark.parametrize("model", ["offline-planner", "gemini-3-flash-preview"])
@pytest.mark.parametrize("where", ["@text", "@records", "the prompt", "--system"])
def test_half_a_character_is_replaced(
    notebook: Any, asked_at: Callable[..., Any], faults: Any, model: str, where: str
) -> None:
    """Text read with ``surrogateescape`` holds what UTF-8 cannot."""
    asked_at(faults.FINE)
    notebook.do("text = 'a\\udcffb' * 200; records = [{'s': 'a\\udcffb', 'v': 1.0}]")
    line = f"-m {model}" + (" --system \\udcff" if where == "--system" else "")
    cell = f"Look at {where}" if where.startswith("@") else "a\\udcffb"
    ran = notebook.run(f"get_ipython().run_cell_magic('gemini_exec', '{line}', '{cell}')")
    assert ran.status == "ok", ran.of("error")
