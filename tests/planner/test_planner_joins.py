"""Questions about two tables: which key joins them, what is never added up, and what is declined."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest


def customers() -> pd.DataFrame:
    rows = range(20)
    return pd.DataFrame(
        {
            "customer_id": [100 + i for i in rows],
            "customer_name": [f"Client {i}" for i in rows],
            "city": [["Paris", "Oslo", "Rome"][i % 3] for i in rows],
            "credit": [i * 10.0 for i in rows],
            "signup_date": pd.to_datetime("2022-01-01") + pd.to_timedelta(list(rows), unit="D"),
        }
    )


def orders() -> pd.DataFrame:
    rows = range(60)
    return pd.DataFrame(
        {
            "order_id": [5000 + i for i in rows],
            "customer_id": [100 + (i * i) % 17 for i in rows],
            "amount": [round(3 + (i * 37 % 101) * 0.5, 2) for i in rows],
            "category": [["Books", "Toys"][i % 2] for i in rows],
            "order_date": pd.to_datetime("2023-01-01") + pd.to_timedelta(list(rows), unit="D"),
        }
    )


def both() -> pd.DataFrame:
    return orders().merge(customers(), on="customer_id", how="left")


GROUPED: list[tuple[str, Any]] = [
    ("total amount by customer city in `orders` and `customers`", lambda: both().groupby("city").amount.sum()),
    ("total amount by city", lambda: both().groupby("city").amount.sum()),
    ("number of orders by city", lambda: both().groupby("city").size()),
    ("average amount by city // only Books", lambda: both()[both().category == "Books"].groupby("city").amount.mean()),
    ("share of orders by city", lambda: both().city.value_counts(normalize=True) * 100),
]
SINGLE: list[tuple[str, Any]] = [
    ("average amount of customers from Oslo", lambda: both()[both().city == "Oslo"].amount.mean()),
    ("how many customers never ordered anything?", lambda: (~customers().customer_id.isin(orders().customer_id)).sum()),
    ("how many customers have orders?", lambda: customers().customer_id.isin(orders().customer_id).sum()),
    ("total amount in January 2023 for Paris", lambda: january().amount.sum()),
]


def january() -> pd.DataFrame:
    frame = both()
    return frame[(frame.order_date < "2023-02-01") & (frame.city == "Paris")]


@pytest.mark.parametrize(("question", "expected"), GROUPED, ids=[question for question, _ in GROUPED])
def test_groups_of_a_joined_table(bench: Any, question: str, expected: Any) -> None:
    ran = bench.run({"orders": orders(), "customers": customers()}, *question.split(" // "))
    assert not ran.declined, ran.text
    for city, value in expected().items():
        assert any(line.startswith(city) and str(round(value, 2)) in line for line in ran.printed.splitlines()), city
    assert "Each row has its row of `customers` with the same `customer_id`" in ran.text


@pytest.mark.parametrize(("question", "expected"), SINGLE, ids=[question for question, _ in SINGLE])
def test_numbers_of_a_joined_table(bench: Any, question: str, expected: Any) -> None:
    ran = bench.run({"orders": orders(), "customers": customers()}, question)
    assert not ran.declined, ran.text
    assert ran.numbers()[-1] == pytest.approx(expected(), abs=0.005)


@pytest.mark.parametrize(
    "question",
    [
        "total credit by category",  # a customer's credit would count once an order
        "mean credit by category",
        "histogram of credit by category",
        "total amount by country",
    ],
)
def test_what_comes_again_and_again_is_not_added_up(bench: Any, question: str) -> None:
    tables = (bench.table_of("orders", orders()), bench.table_of("customers", customers()))
    assert bench.plan_only(tables, question).declined


def test_no_key_and_two_keys_are_declined(bench: Any) -> None:
    bare = bench.table_of("customers", customers().drop(columns="customer_id"))
    repeated = bench.table_of("customers", pd.concat([customers(), customers().head(1)], ignore_index=True))
    two = customers().assign(order_id=[5000 + i for i in range(20)])
    for other in (bare, repeated, bench.table_of("customers", two)):
        assert bench.plan_only((bench.table_of("orders", orders()), other), "total amount by city").declined


def test_a_joined_name_is_none_of_the_tables(bench: Any) -> None:
    frames = {"joined": orders(), "customers": customers()}
    assert "joined_ = joined.merge" in bench.run(frames, "total amount by city").code


def test_three_tables_are_joined_to_the_one_whose_rows_count(bench: Any) -> None:
    kinds = pd.DataFrame({"category": ["Books", "Toys"], "department": ["Media", "Play"]})
    frames = {"orders": orders(), "customers": customers(), "kinds": kinds}
    ran = bench.run(frames, "total amount by department and city")
    expected = both().merge(kinds, on="category").groupby(["department", "city"]).amount.sum()
    assert str(round(expected["Media", "Oslo"], 2)) in ran.printed
