"""Words with two meanings in a table are offered as cells, gaps are told, and repetition ends soon."""

# ruff: noqa: E501  # a table of questions reads best with one on a line
from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from magic_ext.engine.models.planner.grammar import Reader

Frame = pd.DataFrame
ROWS = range(420)


def stations() -> Frame:
    rows = range(60)
    districts = ["Docks", "Centre", "Mill"]
    return pd.DataFrame(
        {
            "station": [f"S{i}" for i in rows],
            "district": [districts[i % 3] for i in rows],
            "docks": [5 + (i * 7) % 31 + 4 * (i % 3 == 1) for i in rows],
        }
    )


def trips() -> Frame:
    return pd.DataFrame(
        {
            "trip_id": list(ROWS),
            "started": pd.to_datetime("2024-01-01") + pd.to_timedelta(list(ROWS), unit="D"),
            "coupon": [None if i % 5 else ["SPRING", "VIP"][i % 2] for i in ROWS],
            "guest": [["May", "Sun", "Ann"][i % 3] for i in ROWS],
            "rating": [None if i % 3 else float(i % 4 + 2) for i in ROWS],
            "delivered": [None if i % 7 == 0 else ["yes", "no"][i % 2] for i in ROWS],
            "plan": [["day", "year"][i % 4 == 0] for i in ROWS],
        }
    )


def jobs() -> Frame:
    return pd.DataFrame(
        {
            "mechanic": [["Ann", "Bo"][i % 2] for i in ROWS],
            "hours": [(i % 9) / 2 + 0.5 for i in ROWS],
            "bays": [i % 4 + 1 for i in ROWS],
            "cost": [i * 1.5 for i in ROWS],
        }
    )


def stock() -> Frame:
    return pd.DataFrame({"product": [["A", "B", "C"][i * i % 3] for i in ROWS], "count": [i % 17 for i in ROWS]})


FRAMES: dict[str, Callable[[], Frame]] = {"stations": stations, "trips": trips, "jobs": jobs, "stock": stock}


def cells(ran: Any, frames: dict[str, Frame]) -> list[str]:
    """What each of the offered cells prints last."""
    printed = []
    for code in re.findall(r"```python\n(.*?)```", ran.text, re.DOTALL):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(code, "<cell>", "exec"), {name: frame.copy() for name, frame in frames.items()})
        printed.append(out.getvalue().strip().splitlines()[-1])
    return printed


def numbers(line: str) -> float:
    return float(line.rsplit(maxsplit=1)[-1])


OFFERED: list[tuple[str, str, Callable[[Frame], list[float]]]] = [
    ("stations", "Which district has the most docks in `stations`?", lambda d: [d.groupby("district").docks.sum().max(), d.groupby("district").docks.max().max(), 20]),
    ("stations", "How many docks are there?", lambda d: [d.docks.sum(), d.docks.max(), 20]),
    ("stock", "Which product has the highest count?", lambda d: [d.groupby("product")["count"].sum().max(), 16, len(d[d["product"] != "A"])]),
    ("stock", "Top 1 products by count", lambda d: [d.groupby("product")["count"].sum().max(), 16, len(d[d["product"] != "A"])]),
    ("trips", "How many trips in spring?", lambda d: [(d.coupon == "SPRING").sum(), d.started.dt.month.isin([3, 4, 5]).sum()]),
    ("trips", "How many trips by Sun?", lambda d: [(d.guest == "Sun").sum(), (d.started.dt.day_name() == "Sunday").sum()]),
    ("trips", "How many trips of May?", lambda d: [(d.guest == "May").sum(), (d.started.dt.month == 5).sum()]),
    ("jobs", "Total cost per hour", lambda d: [d.cost.sum() / d.hours.sum(), d[d.hours == 4.5].cost.sum()]),
    ("jobs", "Average cost per hour", lambda d: [d.cost.sum() / d.hours.sum(), (d.cost / d.hours).mean(), d[d.hours == 4.5].cost.mean()]),
    ("trips", "How many trips without the SPRING coupon?", lambda d: [(d.coupon != "SPRING").sum(), (d.coupon == "VIP").sum()]),
    ("trips", "How many trips except VIP?", lambda d: [(d.coupon != "VIP").sum(), (d.coupon == "SPRING").sum()]),
]  # fmt: skip


@pytest.mark.parametrize(("table", "question", "expected"), OFFERED, ids=[row[1] for row in OFFERED])
def test_two_meanings_are_offered(bench: Any, table: str, question: str, expected: Any) -> None:
    frame = FRAMES[table]()
    ran = bench.run({table: frame}, question)
    assert ran.declined, ran.text
    assert [numbers(line) for line in cells(ran, {table: frame})] == pytest.approx(expected(frame), abs=0.01)


def test_a_column_of_seasons_has_them(bench: Any) -> None:
    frame = trips().assign(coupon="VIP", season=[["spring", "autumn"][i % 2] for i in ROWS])
    assert bench.run({"trips": frame}, "How many trips in spring?").numbers()[-1] == 210


ANSWERED: list[tuple[str, str, Callable[[Frame], float]]] = [
    ("stations", "How many stations where district is Docks?", lambda d: (d.district == "Docks").sum()),
    ("stock", "How many rows are there?", len),
    ("stock", "total count", lambda d: d["count"].sum()),
    ("trips", "How many trips with the SPRING coupon?", lambda d: (d.coupon == "SPRING").sum()),
    ("trips", "How many trips where coupon is spring?", lambda d: (d.coupon == "SPRING").sum()),
    ("trips", "How many trips where coupon is not SPRING?", lambda d: (d.coupon == "VIP").sum()),
    ("trips", "How many trips were not delivered?", lambda d: (d.delivered == "no").sum()),
    ("jobs", "mean cost per bay", lambda d: d[d.bays == 4].cost.mean()),
]  # fmt: skip


@pytest.mark.parametrize(("table", "question", "expected"), ANSWERED, ids=[row[1] for row in ANSWERED])
def test_one_meaning_is_answered(bench: Any, table: str, question: str, expected: Any) -> None:
    frame = FRAMES[table]()
    assert bench.run({table: frame}, question).numbers()[-1] == pytest.approx(expected(frame), abs=0.01)


@pytest.mark.parametrize(
    ("question", "name"),
    [("How many trips where coupon is not SPRING?", "coupon"), ("How many trips were not delivered?", "delivered")],
)
def test_gaps_of_a_negation_are_told(bench: Any, question: str, name: str) -> None:
    frame = trips()
    ran, missing = bench.run({"trips": frame}, question), frame[name].isna().sum()
    assert f"`{name}` is missing in {missing} of {len(frame)} rows; they are left out." in ran.text
    assert f"Rows without {name}: {missing}" in ran.printed
    assert f"Rows left out because `{name}` is missing: {missing}." in ran.closing


@pytest.mark.parametrize("question", ["Share of trips with rating 5", "Anteil der trips mit rating 5"])
def test_a_share_is_of_all_rows_and_of_those_where_it_is_known(bench: Any, question: str) -> None:
    frame = trips()
    known, every = (frame.rating.dropna() == 5).mean() * 100, (frame.rating == 5).mean() * 100
    ran = bench.run({"trips": frame}, question)
    first, last = ran.printed.strip().splitlines()
    assert numbers(first) == pytest.approx(known, abs=0.01) and "of the rows with rating" in first
    assert numbers(last) == pytest.approx(every, abs=0.01)
    assert f"{round(known, 2)}" in ran.closing and f"{round(every, 2)}" in ran.closing
    assert f"`rating` is missing in {frame.rating.isna().sum()} of {len(frame)} rows" in ran.text


def test_shares_by_group_are_of_all_rows_and_of_those_where_it_is_known(bench: Any) -> None:
    frame = trips()
    ran = bench.run({"trips": frame}, "Share of trips with rating 5 by plan")
    found = [numbers(line) for line in ran.printed.splitlines() if line.startswith(("day", "year"))]
    rated = frame.dropna(subset="rating")
    expected = [*(rated.rating == 5).groupby(rated.plan).mean(), *(frame.rating == 5).groupby(frame.plan).mean()]
    assert found == pytest.approx([100 * share for share in expected], abs=0.01)
    assert f"Rows with unknown rating, not counted in the first table: {frame.rating.isna().sum()}" in ran.printed


# --- repetition -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said", ["by species ", "by species by island ", "and flipper length ", "for males on Biscoe "]
)
def test_repetition_takes_few_steps(bench: Any, monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    readers: list[Reader] = []
    begin = Reader.__init__

    def noted(self: Reader, *given: Any) -> None:
        begin(self, *given)
        readers.append(self)

    monkeypatch.setattr(Reader, "__init__", noted)
    table = (bench.table_of("penguins", bench.penguins()),)
    steps = []
    for times in (12, 24):
        readers.clear()
        assert bench.plan_only(table, "mean body mass " + said * times).declined
        steps.append(max(reader.steps for reader in readers))
    assert steps[1] <= 4 * steps[0] and steps[1] < 10_000


def test_endless_questions_are_declined(bench: Any) -> None:
    table = (bench.table_of("penguins", bench.penguins()),)
    ran = bench.plan_only(table, "mean body mass " + "and flipper length " * sys.getrecursionlimit())
    assert ran.declined and "too long" in ran.text


# --- conversations --------------------------------------------------------------------------------------------------


def test_what_a_follow_up_goes_on_from_is_said_after_a_declined_turn(bench: Any) -> None:
    frames = {"trips": trips()}
    says = "The question before was not answered; this goes on from “Number of rows”."
    assert says in bench.run(frames, "How many trips?", "Why is that so?", "by plan").text
    assert says in bench.run(frames, "How many trips?", "Why is that so?", "thanks", "by plan").text
    assert says not in bench.run(frames, "How many trips?", "by plan").text
    assert says not in bench.run(frames, "How many trips?", "Why is that so?", "How many trips by plan?").text
    assert says not in bench.run(frames, "How many trips?", "Why is that so?", "by plan", "by coupon").text
