"""Columns that pandas does not compute with as they are, parts of tables, series, and words with a slip in them."""

from __future__ import annotations

import contextlib
import datetime
import io
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

from magic_ext.engine.models.base import Table, Text
from magic_ext.engine.models.planner import OfflinePlanner
from magic_ext.engine.tables import TableSource, describe_code, read_description


def described(frame: pd.DataFrame) -> Table:
    """The table as the engine finds it out."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(describe_code([TableSource(name="frame")]), {"frame": frame})
    return read_description(printed.getvalue(), [TableSource(name="frame")])[0]


def answered(bench: Any, frame: pd.DataFrame, question: str) -> tuple[str, str]:
    ran = bench.plan_only((described(frame),), question)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(ran.code, {"frame": frame})
    return ran.text, printed.getvalue()


def odd() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "price": [Decimal("1.50"), Decimal("2.50"), None, Decimal("4.00")],
            "kind": ["a", "b", "a", "b"],
            "took": pd.to_timedelta([1, 2, 3, 6], unit="h"),
            "day": [datetime.date(2024, month, 1) for month in (1, 2, 2, 3)],
            "load": [1.0, float("inf"), 3.0, 5.0],
        }
    )


def test_decimals_durations_and_date_objects_are_computed_with(bench: Any) -> None:
    frame = odd()
    assert "3.25" in answered(bench, frame, "mean price by kind")[1]
    text, printed = answered(bench, frame, "mean took")
    assert "`took` is in hours" in text and "3.0" in printed
    assert "2024-02" in answered(bench, frame, "total price by month")[1]
    pd.testing.assert_frame_equal(frame, odd())


def test_infinite_values_are_named_where_they_are_left_out(bench: Any) -> None:
    text, printed = answered(bench, odd(), "mean load")
    assert "Infinite values of `load` are left out" in text and "3.0" in printed
    assert "Infinite" not in answered(bench, odd(), "mean price")[0]


@pytest.mark.parametrize("question", ["mean of weights", "mean of `weights`", "What is the average of weights?"])
def test_a_series_is_called_as_its_column(bench: Any, question: str) -> None:
    assert bench.run({"weights": pd.DataFrame({"kg": [1.0, 2.0, 6.0]})}, question).numbers() == [3.0]


def test_a_part_of_a_table_is_called_a_part(bench: Any) -> None:
    said = (
        "How many rows are there?\n\n[gemini-exec] `big_df` (in the session: big): polars LazyFrame, 1,500,000 rows\n"
        "[gemini-exec]   columns: 'a' int64\n"
        "[gemini-exec]   note: only the first 1,000,000 of 1,500,000 rows; with --run kernel the code runs on all"
    )
    table = bench.table_of("big_df", pd.DataFrame({"a": [1, 2, 3]}))
    asked = bench.conversation((table,), said)
    text = "".join(part.text for part in OfflinePlanner().reply(asked) if isinstance(part, Text))
    assert text == "Number of rows, of the first 1,000,000 of 1,500,000 rows."


def test_a_converted_table_is_called_as_in_the_session(bench: Any) -> None:
    table = bench.table_of("repairs_df", pd.DataFrame({"cost": [1, 2, 3]}))
    said = "first 2 rows of repairs\n\n[gemini-exec] `repairs_df` (in the session: repairs): polars DataFrame, 3 rows"
    ran = bench.plan_only((table,), said)
    assert "repairs_df.head(2)" in ran.code and "repairs_df" not in ran.text


def test_a_slip_of_the_fingers_is_mended_and_told(bench: Any) -> None:
    frame = bench.penguins()
    ran = bench.run({"penguins": frame}, "how mnay penguins are there per islnd")
    assert ran.declined and "“island” for “islnd”" in ran.text and 'groupby("island"' in ran.text
    mended = bench.run({"penguins": frame}, "averege body mass by island")
    assert not mended.declined and "“averege” is read as “average”" in mended.text
    for other in ("mean meal by species", "mean moth by species"):  # words of their own
        assert bench.run({"penguins": frame}, other).declined
