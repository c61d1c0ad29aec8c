"""Token counts of an interaction (wire.md section 2.6)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

__all__ = ["Usage", "decode_usage"]


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
