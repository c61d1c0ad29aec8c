"""Budgets: how many tokens or dollars a cell or a session may cost, checked before anything is sent."""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

import msgspec

from magic_ext.costs.prices import Price, dollars, price_of
from magic_ext.errors import GeminiExecError
from magic_ext.wire.usage import Usage

__all__ = ["LONGEST_ANSWER", "BadBudget", "Budget", "OverBudget", "output_limit", "parse_budget"]

LONGEST_ANSWER = 65_536  # tokens that the Flash and Pro models of 2026 write at most (wire.md section 9)
_AMOUNT = re.compile(r"(?P<sign>\$)?(?P<number>[0-9][0-9_,]*(?:\.[0-9]+)?)\s*(?P<unit>k|m|usd)?", re.IGNORECASE)
_SHORTEST_ANSWER = 256  # tokens; with less nothing is worth asking


class BadBudget(GeminiExecError):
    """A budget that can't be read, or can't be held."""


class OverBudget(GeminiExecError):
    """A question that would cost more than its budget; nothing of it was sent."""


class Budget(msgspec.Struct, frozen=True):
    """So many ``tokens``, read and written together, or so many US dollars (``usd``)."""

    amount: float
    unit: Literal["tokens", "usd"] = "tokens"

    def __str__(self) -> str:
        return f"{self.amount:,.0f} tokens" if self.unit == "tokens" else dollars(self.amount)

    def left(self, spent: Usage, price: Price | None) -> Budget:
        """What is left after ``spent``; raises :class:`BadBudget` for dollars without a price."""
        used: float = spent.total_tokens
        if self.unit == "usd":
            used = _known(price).of(spent)
        return Budget(self.amount - used, self.unit)


def parse_budget(text: str) -> Budget | None:
    """Read a budget as it is written; ``None`` for an empty one. Raises :class:`BadBudget`.

    >>> parse_budget("20k"), parse_budget("0.05usd")
    (Budget(amount=20000.0, unit='tokens'), Budget(amount=0.05, unit='usd'))
    """
    if not text.strip():
        return None
    match = _AMOUNT.fullmatch(text.strip())
    number = float(re.sub("[_,]", "", match["number"])) if match else 0.0
    unit = match["unit"].lower() if match and match["unit"] else ""
    dollar = match is not None and (match["sign"] or unit == "usd")
    if not number or (match is not None and match["sign"] and unit):
        hint = "Write tokens, as in 20k or 1.5M, or dollars, as in 0.05usd."
        raise BadBudget(f"{text!r} is not a budget.", hint=hint)
    return Budget(number, "usd") if dollar else Budget(number * {"": 1, "k": 1_000, "m": 1_000_000}[unit])


def output_limit(budget: Budget, model: str, input_tokens: int, *, on: date, whose: str = "budget") -> int | None:
    """How many tokens the answer may have; ``None`` for as many as a model writes.

    Raises :class:`OverBudget` where the question alone takes too much.

    What the model reads again while it works is not known before: it counts when it has happened.

    >>> output_limit(Budget(20_000), "gemini-3-flash-preview", 5_000, on=date(2026, 11, 22))
    15000
    """
    if budget.unit == "tokens":
        rest, question = budget.amount - input_tokens, f"about {input_tokens:,} tokens"
    else:
        price = _known(price_of(model, on=on, input_tokens=input_tokens))
        asked = price.of(Usage(total_input_tokens=input_tokens))
        rest, question = (budget.amount - asked) / price.output * 1_000_000, f"about {dollars(asked)}"
    if rest < _SHORTEST_ANSWER:
        left = f"{budget}" if budget.amount > 0 else "nothing"
        raise OverBudget(
            f"The question takes {question}, and the {whose} has {left} left: it is not sent.",
            hint="Send less of a table (:schema, :head(20), columns), or raise the budget.",
        )
    return int(rest) if rest < LONGEST_ANSWER else None


def _known(price: Price | None) -> Price:
    if price is None:
        raise BadBudget("The price of this model is not known.", hint="Give the budget in tokens, as in 20k.")
    return price
