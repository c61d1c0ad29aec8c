"""Token counts of an interaction (wire.md section 2.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

__all__ = ["Usage", "decode_usage", "sum_of"]


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens, as the server counts them; ``total_tool_use_tokens`` are the intermediate ones, billed as input.

    >>> decode_usage({"total_input_tokens": 7, "total_tokens": 58, "novelty": 1}).total_tokens
    58
    """

    total_input_tokens: int = 0
    total_output_tokens: int = 0
    total_thought_tokens: int = 0
    total_tool_use_tokens: int = 0
    total_cached_tokens: int = 0
    total_tokens: int = 0


def decode_usage(raw: object) -> Usage:
    """Read what is a number, take 0 for the rest; never raises."""
    if not isinstance(raw, Mapping):
        return Usage()
    known = {field: raw.get(field) for field in Usage.__struct_fields__}
    return Usage(**{k: v for k, v in known.items() if isinstance(v, int) and not isinstance(v, bool)})


def sum_of(usages: Iterable[Usage]) -> Usage:
    """The counts of several interactions together.

    >>> sum_of([Usage(total_tokens=2), Usage(total_tokens=3)]).total_tokens
    5
    """
    counted = tuple(usages)
    return Usage(**{field: sum(getattr(usage, field) for usage in counted) for field in Usage.__struct_fields__})
