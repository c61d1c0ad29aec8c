"""The ledger of a session: what each cell's question cost, by model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

import msgspec

from magic_ext.costs.budget import Budget
from magic_ext.costs.prices import cost, dollars, price_of, prices_read
from magic_ext.wire.usage import Usage, sum_of

__all__ = ["Entry", "left", "usage_table"]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One question: the cell's execution count, the model, its tokens, the day; ``billed`` where somebody pays."""

    cell: int
    model: str
    usage: Usage
    on: date
    billed: bool

    @property
    def cost(self) -> float | None:
        """US dollars; ``None`` where the price is not known."""
        return cost(self.model, self.usage, on=self.on) if self.billed else 0.0


def left(budget: Budget, entries: Iterable[Entry]) -> Budget:
    """What is left of a session's budget; raises :class:`BadBudget` for dollars where a price is not known."""
    for entry in entries:
        if entry.billed:
            price = price_of(entry.model, on=entry.on, input_tokens=entry.usage.total_input_tokens)
            budget = budget.left(entry.usage, price)
    return budget


_KINDS = ("input_", "tool_use_", "output_", "thought_", "")


def usage_table(entries: Sequence[Entry]) -> str:
    """The ledger as a table: a line a cell and model, then a line a model; unknown prices say so.

    >>> print(usage_table([]))
    No tokens used yet in this session.
    """
    if not entries:
        return "No tokens used yet in this session."
    lines = [
        f"{'':<44}{'questions':>9}{'input':>10}{'between':>10}{'output':>10}{'thought':>10}{'total':>11}{'cost':>15}"
    ]
    lines += _lines(entries, lambda entry: f"cell [{entry.cell}]  {entry.model}")
    lines += ["", *_lines(entries, lambda entry: f"all  {entry.model}")]
    lines.append("'between' are the intermediate tokens, billed as input: what the model reads again while it works.")
    if any(entry.billed for entry in entries):
        lines.append(f"Costs are estimates by list prices as read on {prices_read()}; the bill is Google's.")
    if any(not entry.billed for entry in entries):
        lines.append("Tokens of models on this computer are estimates that nobody is billed for.")
    return "\n".join(lines)


def _lines(entries: Sequence[Entry], name: Callable[[Entry], str]) -> list[str]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(name(entry), []).append(entry)
    return [_line(title, group) for title, group in groups.items()]


def _line(title: str, group: Sequence[Entry]) -> str:
    usage = sum_of(entry.usage for entry in group)
    counts = "".join(f"{getattr(usage, f'total_{kind}tokens'):>{11 if not kind else 10},}" for kind in _KINDS)
    return f"{title:<44}{len(group):>9,}{counts}{_cost(group):>15}"


def _cost(group: Sequence[Entry]) -> str:
    costs = [entry.cost for entry in group]
    known = [amount for amount in costs if amount is not None]
    return dollars(sum(known)) if len(known) == len(costs) else dollars(None)
