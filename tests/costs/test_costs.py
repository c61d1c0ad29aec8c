from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.costs.budget import LONGEST_ANSWER, BadBudget, Budget, OverBudget, output_limit, parse_budget
from magic_ext.costs.ledger import Entry, left, usage_table
from magic_ext.costs.prices import cost, dollars, price_of
from magic_ext.wire.usage import Usage

DAY = date(2026, 11, 22)
FLASH = "gemini-3-flash-preview"


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("20k", Budget(20_000)),
        ("1.5M", Budget(1_500_000)),
        ("20_000", Budget(20_000)),
        ("20,000", Budget(20_000)),
        ("0.05usd", Budget(0.05, "usd")),
        ("$0.05", Budget(0.05, "usd")),
        (" 2 USD ", Budget(2, "usd")),
        ("", None),
    ],
)
def test_budgets_as_people_write_them(text: str, budget: Budget | None) -> None:
    assert parse_budget(text) == budget


@pytest.mark.parametrize("text", ["0", "-5", "20 kg", "usd", "much", "$5usd", "1e9", "0usd", "5 eur", "nan", "k"])
def test_what_is_no_budget_says_what_is(text: str) -> None:
    with pytest.raises(BadBudget) as caught:
        parse_budget(text)
    assert "20k" in caught.value.hint


def test_prices_by_day_and_by_size() -> None:
    cheap, dear = (price_of("gemini-4-argon", on=day) for day in (date(2026, 11, 30), date(2026, 12, 1)))
    assert cheap is not None and dear is not None and (cheap.input, dear.input) == (2.0, 4.0)
    short, long = (price_of("gemini-3.1-pro-preview", on=DAY, input_tokens=n) for n in (200_000, 200_001))
    assert short is not None and long is not None and (short.output, long.output) == (12.0, 18.0)
    assert price_of("gemini-3.6-flash", on=date(2027, 1, 1)) is None, "a price that has run out is not guessed on"


def test_intermediate_tokens_cost_as_input_and_thoughts_as_output() -> None:
    million = 1_000_000
    assert cost(FLASH, Usage(total_tool_use_tokens=million), on=DAY) == 0.5
    assert cost(FLASH, Usage(total_thought_tokens=million), on=DAY) == 3.0
    assert cost(FLASH, Usage(total_input_tokens=million, total_cached_tokens=million), on=DAY) == 0.05
    assert cost("gemini-9", Usage(total_input_tokens=1), on=DAY) is None and dollars(None) == "unknown"


@given(st.floats(1, 1e7), st.integers(0, 1_000_000))
def test_question_and_answer_stay_within_a_budget_of_tokens(amount: float, asked: int) -> None:
    try:
        limit = output_limit(Budget(amount), FLASH, asked, on=DAY)
    except OverBudget:
        assert amount - asked < 256
    else:
        assert asked + (limit or LONGEST_ANSWER) <= amount


@given(st.floats(0.0001, 10), st.integers(0, 1_000_000))
def test_question_and_answer_stay_within_a_budget_of_dollars(amount: float, asked: int) -> None:
    price = price_of(FLASH, on=DAY)
    assert price is not None
    try:
        limit = output_limit(Budget(amount, "usd"), FLASH, asked, on=DAY)
    except OverBudget:
        assert price.of(Usage(total_input_tokens=asked, total_output_tokens=257)) > amount
    else:
        spent = Usage(total_input_tokens=asked, total_output_tokens=limit or LONGEST_ANSWER)
        assert price.of(spent) <= amount + 1e-9


def test_dollars_need_a_price() -> None:
    with pytest.raises(BadBudget, match="price of this model is not known"):
        output_limit(Budget(1, "usd"), "gemini-9", 10, on=DAY)


def _entry(**changes: Any) -> Entry:
    usage = Usage(total_input_tokens=900_000, total_output_tokens=100_000, total_tokens=1_000_000)
    return Entry(**{"cell": 3, "model": FLASH, "usage": usage, "on": DAY, "billed": True, **changes})


def test_a_session_uses_up_its_budget_by_what_is_billed() -> None:
    ledger = [_entry(), _entry(billed=False)]
    assert left(Budget(1_500_000), ledger) == Budget(500_000)
    assert left(Budget(1, "usd"), ledger).amount == pytest.approx(0.25)
    with pytest.raises(OverBudget, match="the session's budget has nothing left: it is not sent"):
        output_limit(left(Budget(1_000_000), ledger), FLASH, 10, on=DAY, whose="session's budget")


def test_the_table_sums_by_cell_and_by_model() -> None:
    text = usage_table(
        [_entry(), _entry(), _entry(cell=4, model="gemini-9"), _entry(cell=5, model="here", billed=False)]
    )
    lines = [line.split() for line in text.splitlines()]
    assert ["cell", "[3]", FLASH, "2", "1,800,000", "0", "200,000", "0", "2,000,000", "$1.50"] in lines
    assert ["all", FLASH, "2", "1,800,000", "0", "200,000", "0", "2,000,000", "$1.50"] in lines
    assert any(line[:3] == ["cell", "[4]", "gemini-9"] and line[-1] == "unknown" for line in lines)
    assert any(line[:3] == ["cell", "[5]", "here"] and line[-1] == "$0" for line in lines)
    assert "list prices as read on 2026-11-14" in text
