"""Budgets hung on the request: what is left is the most that the answer may have, and nothing is sent without it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec

from magic_ext.costs.budget import output_limit
from magic_ext.costs.prices import price_of
from magic_ext.wire.request import Request
from magic_ext.wire.usage import Usage

from .question import Question

__all__ = ["bounded", "today"]


def bounded(request: Request, question: Question, input_tokens: int, spent: Usage) -> Request:
    """The request, with ``max_output_tokens`` where a budget leaves less than a model writes at most.

    ``spent`` is what earlier requests of the same question took. Raises :class:`OverBudget` where nothing is left, and
    :class:`BadBudget` for dollars where the model's price is unknown. A model on this computer costs nothing. What is
    left changes from cell to cell: it says nothing about what was asked.
    """
    if question.place.endpoint is None:
        return request
    price = price_of(question.place.model, on=today(), input_tokens=input_tokens)
    limits = [
        output_limit(budget.left(spent, price), question.place.model, input_tokens, on=today(), whose=whose)
        for budget, whose in ((question.budget, "budget"), (question.session_budget, "session's budget"))
        if budget is not None
    ]
    return msgspec.structs.replace(request, max_output_tokens=min(filter(None, limits), default=None))


def today() -> date:
    """The day by which prices are looked up."""
    return datetime.now(UTC).date()
