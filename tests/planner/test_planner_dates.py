"""Text that holds dates: its form is found from all values, and where they leave a doubt nothing is computed."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from magic_ext.engine.models.base import Table
from magic_ext.engine.models.planner import OfflinePlanner
from magic_ext.wire.content import Text
from magic_ext.wire.steps import CodeExecutionCall, CodeExecutionResult

DAYS = pd.Series(pd.to_datetime("2024-01-03") + pd.to_timedelta([i * 5 for i in range(60)], unit="D"))


def deliveries(form: str) -> pd.DataFrame:
    return pd.DataFrame({"delivery_date": DAYS.dt.strftime(form), "cost": [1.5 + i % 7 for i in range(60)]})


FORMS = ["%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%Y-%m-%d", "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M:%S"]


@pytest.mark.parametrize("form", FORMS)
def test_the_form_of_text_dates_is_found(bench: Any, form: str) -> None:
    frame = deliveries(form)
    ran = bench.run({"deliveries": frame}, "Number of rows by month of delivery_date")
    counts = DAYS.groupby(DAYS.dt.to_period("M")).size()
    lines = [line.split() for line in ran.printed.splitlines() if line.startswith("2024-")]
    assert lines == [[str(month), str(count)] for month, count in counts.items()]
    assert f'format="{"ISO8601" if form.startswith("%Y") else form}"' in ran.code


def test_a_day_is_looked_for_in_its_own_order(bench: Any) -> None:
    ran = bench.run({"deliveries": deliveries("%d/%m/%Y")}, "mean cost since March 2024")
    late = deliveries("%d/%m/%Y")[DAYS >= "2024-03-01"]
    assert ran.numbers()[-1] == round(late.cost.mean(), 2)


@pytest.mark.parametrize("question", ["Number of rows by month of delivery_date", "monthly cost", "total cost in 2024"])
def test_where_day_or_month_may_be_first_nothing_is_computed(bench: Any, question: str) -> None:
    frame = pd.DataFrame({"delivery_date": ["03/04/2024", "05/06/2024", "07/08/2024"], "cost": [1.0, 2.0, 3.0]})
    ran = bench.run({"deliveries": frame}, question)
    assert ran.declined and "```" not in ran.text
    assert "no value of `delivery_date` tells whether the day or the month comes first" in ran.text.casefold()


@pytest.mark.parametrize("values", [["29/08/2024", "08/29/2024"], ["29/08/2024", "soon"], ["2024-08-29", "2024-08-32"]])
def test_text_that_is_not_all_of_one_form_is_no_date(bench: Any, values: list[str]) -> None:
    table: Table = bench.table_of("t", pd.DataFrame({"delivery_date": values * 150, "cost": range(300)}))
    ran = bench.plan_only((table,), "Number of rows by month of delivery_date")
    assert ran.declined and "to_datetime" not in ran.text


def test_the_exception_is_quoted_and_not_a_hint_below_it(bench: Any) -> None:
    table = bench.table_of("t", pd.DataFrame({"cost": [1.0, 2.0]}))
    asked = bench.conversation((table,), "mean cost")
    printed = (
        "Traceback (most recent call last):\n  ...\nValueError: time data is not ISO8601:\n    - passing `format`\n"
    )
    failed = CodeExecutionResult("c", (Text(printed),), is_error=True)
    steps = (*asked.steps, CodeExecutionCall("c", ""), failed)
    (said,) = OfflinePlanner().reply(type(asked)(steps=steps, tables=asked.tables))
    assert "(`ValueError: time data is not ISO8601:`)" in said.text
