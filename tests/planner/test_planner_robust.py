"""Odd tables: infinite numbers, no matching rows, missing values, time zones, text dates."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest


def readings() -> pd.DataFrame:
    rows = range(48)
    return pd.DataFrame(
        {
            "created_at": [f"2024-03-{1 + i // 4:02d}T{i % 24:02d}:00:00" for i in rows],
            "site": [["x", "y", "z"][i % 3] for i in rows],
            "level": [np.inf if i == 5 else float(i) for i in rows],
            "share_pct": [float(i % 7) for i in rows],
            "note": [None if i % 5 == 0 else ["new", "old"][i % 2] for i in rows],
            "empty": [np.nan for _ in rows],
        }
    )


@pytest.mark.parametrize(
    "question",
    [
        "mean level by site",
        "standard deviation of level",
        "histogram of level",
        "outliers in level",
        "box plot of level",
    ],
)
def test_infinite_numbers_count_as_missing_without_a_warning(bench: Any, question: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ran = bench.run({"readings": readings()}, question)
    assert ran.code, ran.text
    assert "inf" not in ran.printed and not np.isinf(ran.numbers()).any()


def test_a_division_by_zero_is_missing(bench: Any) -> None:
    frame = readings().assign(level=1.0)
    ran = bench.run({"readings": frame}, "mean of level / share_pct")
    expected = (1 / frame.share_pct[frame.share_pct > 0]).mean()
    assert ran.numbers()[-1] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize(
    "question",
    [
        "mean share_pct where level is over 1000 and site is x",
        "90th percentile of share_pct where level is below -3",
        "histogram of share_pct where level is below -3",
        "mean share_pct by site where level is below -3 as a bar chart",
        "rows where level is below -3",
        "scatter plot of share_pct and level where level is below -3",
    ],
)
def test_no_row_is_said_and_nothing_is_nan(bench: Any, question: str) -> None:
    ran = bench.run({"readings": readings().assign(level=lambda d: d.level.replace(np.inf, 3.0))}, question)
    assert ran.code, ran.text
    assert "nan" not in ran.printed.casefold()
    assert ran.closing == "No row matches the condition."
    assert not ran.figures


def test_text_dates_of_any_name_become_dates(bench: Any) -> None:
    frame = readings()
    ran = bench.run({"readings": frame}, "number of rows by weekday")
    days = pd.to_datetime(frame.created_at).dt.day_name().value_counts()
    assert all(f"{day}" in ran.printed for day in days.index)
    order = [
        line.split()[0] for line in ran.printed.splitlines() if line.split()[:1] and line.split()[0].endswith("day")
    ]
    assert order[-7:] == ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def test_rows_without_a_value_are_not_its_opposite(bench: Any) -> None:
    frame = readings()
    ran = bench.run({"readings": frame}, "how many rows where note is not new")
    assert ran.numbers()[-1] == (frame.note == "old").sum()
    assert "notna()" in ran.code


def test_time_zones(bench: Any) -> None:
    stamps = pd.date_range("2024-03-01 22:30", periods=48, freq="h", tz="Europe/Vienna")
    frame = pd.DataFrame({"time": stamps, "value": range(48)})
    ran = bench.run({"log": frame}, "mean value by hour of day")
    expected = frame.groupby(stamps.hour).value.mean()
    assert [round(number, 2) for number in ran.numbers()[-2:]] == [23, round(expected[23], 2)]


def test_ties_are_all_shown(bench: Any) -> None:
    frame = pd.DataFrame({"team": list("aabbcc"), "goals": [1, 2, 2, 1, 0, 0]})
    ran = bench.run({"scores": frame}, "Which team has the highest total goals?")
    assert "a" in ran.names["result"].index and "b" in ran.names["result"].index and len(ran.names["result"]) == 2


@pytest.mark.parametrize(
    ("table", "question", "says"),
    [
        ("readings", "percentage of rows where note is new by site", "Percentage of rows where"),
        ("readings", "share of rows by site", "Share of rows in percent"),
        ("readings", "mean share_pct by hour of day", "hour of the day"),
    ],
)
def test_the_reading_says_what_is_computed(bench: Any, table: str, question: str, says: str) -> None:
    assert says in bench.run({table: readings()}, question).text


def test_minutes_are_no_minimum(bench: Any) -> None:
    frame = pd.DataFrame({"temp_min": [1.0, 2.0], "temp_max": [3.0, 4.0], "runtime_min": [90, 100]})
    assert bench.run({"t": frame}, "mean temperature").declined
    assert bench.run({"t": frame}, "mean runtime").numbers() == [95]


def test_flights_may_share_a_number(bench: Any) -> None:
    frame = pd.DataFrame({"flight_no": ["A1", "A1", "B2"], "delay_min": [1.0, 2.0, 9.0]})
    text = bench.run({"flights": frame}, "How many flights are there?").text
    assert "Number of rows" in text and "Number of distinct values" in text
    assert bench.run({"flights": frame}, "flights with a delay over 5").printed.splitlines()[-1].split()[0] == "2"


def test_a_value_called_as_the_table_is_not_guessed(bench: Any) -> None:
    frame = pd.DataFrame({"type": ["Death", "Homicide", "Death"], "death_date": ["1992-04-30"] * 3, "age": [1, 2, 3]})
    ran = bench.run({"deaths": frame}, "How many deaths were there?")
    assert ran.declined and ran.text.count("```python") == 2
