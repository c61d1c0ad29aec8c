"""Outputs for tools other than code: the calls of the user's functions."""

from __future__ import annotations

from typing import Any

import msgspec

from magic_ext.markdown import details, fence, visible
from magic_ext.wire.content import Image, decode_contents, text_of
from magic_ext.wire.steps import FunctionCall, FunctionResult

from .bundles import Output, shortened

__all__ = ["function_output", "returned_output"]

_SUMMARY = 100  # characters of a call that stand in the line it is folded under


def function_output(call: FunctionCall, result: FunctionResult | None) -> Output:
    """A call of one of the user's functions, with its arguments and what it returned, folded."""
    written = f"{call.name}({', '.join(f'{name}={_json(value)}' for name, value in call.arguments.items())})"
    short = written if len(written) <= _SUMMARY else f"{written[: _SUMMARY - 1]}…"
    blocks = [fence(shortened(written), "python")] if short != written else []
    plain = f"[{visible(short)}]"
    if result is not None:
        blocks.append(fence(_told(result), "text"))
        plain += f" {_told(result)}"
    summary = f"Function failed: {short}" if result is not None and result.is_error else f"Function: {short}"
    return Output({"text/markdown": details(summary, "\n\n".join(blocks)), "text/plain": plain})


def returned_output(result: FunctionResult) -> Output:
    """What a function returned, by itself, folded."""
    told = _told(result)
    name = result.name or "a function"
    summary = f"{name} failed" if result.is_error else f"{name} returned"
    return Output(
        {"text/markdown": details(summary, fence(told, "text")), "text/plain": f"[{visible(summary)}] {told}"}
    )


def _told(result: FunctionResult) -> str:
    """The text of a result; results that others sent may be any JSON."""
    blocks = decode_contents(result.result) if isinstance(result.result, str | list) else ()
    pictures = sum(isinstance(block, Image) for block in blocks)
    told = text_of(blocks) or ("" if pictures else _json(result.result))
    return shortened(visible(told + " (with a picture)" * bool(pictures)).strip())


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
