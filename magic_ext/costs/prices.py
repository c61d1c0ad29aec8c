"""What a model's tokens cost, from the one dated table ``prices.json``; what is not in it is unknown, never guessed."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files

import msgspec

from magic_ext.wire.usage import Usage

__all__ = ["Price", "cost", "dollars", "known_models", "price_of", "prices_read"]


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """US dollars for a million tokens, valid to the day ``until`` and for questions of ``up_to`` input tokens.

    Intermediate tokens are billed as input, thoughts as output (wire.md section 9, the guide's section on billing).
    ``cached`` is for input that the server had read before; where it is unknown, the full price is taken.
    """

    input: float
    output: float
    cached: float | None = None
    until: date | None = None
    up_to: int | None = None

    def of(self, usage: Usage) -> float:
        """What ``usage`` costs in US dollars.

        >>> Price(input=0.5, output=3.0).of(Usage(total_input_tokens=1_000_000, total_thought_tokens=100_000))
        0.8
        """
        cached = min(usage.total_cached_tokens, usage.total_input_tokens)
        read = usage.total_input_tokens + usage.total_tool_use_tokens - cached
        written = usage.total_output_tokens + usage.total_thought_tokens
        again = self.input if self.cached is None else self.cached
        return (read * self.input + cached * again + written * self.output) / 1_000_000


class _Table(msgspec.Struct, frozen=True):
    """The data file."""

    read: date
    models: dict[str, tuple[Price, ...]]


@cache
def _table() -> _Table:
    return msgspec.json.decode(files(__package__).joinpath("prices.json").read_bytes(), type=_Table)


def prices_read() -> date:
    """The day on which the newest of the prices was read."""
    return _table().read


def known_models() -> tuple[str, ...]:
    """The models in the table."""
    return tuple(_table().models)


def price_of(model: str, *, on: date, input_tokens: int = 0) -> Price | None:
    """The price of ``model`` on a day, for a question of so many tokens; ``None`` where it is not known.

    >>> price_of("gemini-3-flash-preview", on=date(2026, 11, 22)).output
    3.0
    >>> price_of("gemini-9", on=date(2026, 11, 22))
    """
    for price in _table().models.get(model, ()):
        if (price.until is None or on <= price.until) and (price.up_to is None or input_tokens <= price.up_to):
            return price
    return None


def cost(model: str, usage: Usage, *, on: date) -> float | None:
    """US dollars for ``usage``; ``None`` where the model's price is not known."""
    price = price_of(model, on=on, input_tokens=usage.total_input_tokens)
    return price.of(usage) if price is not None else None


def dollars(amount: float | None) -> str:
    """An amount for people.

    >>> dollars(0.001234), dollars(2.5), dollars(0.0), dollars(None)
    ('$0.0012', '$2.50', '$0', 'unknown')
    """
    if amount is None:
        return "unknown"
    if amount == 0:
        return "$0"
    return f"${amount:,.2f}" if amount >= 0.1 else f"${amount:.2g}" if amount >= 0.0001 else "$0.0001"
