"""A dry run: the request as it would go out, its tokens, and between what and what it would cost."""

from __future__ import annotations

from typing import Any

import msgspec

from magic_ext.ask import Course
from magic_ext.ask.spending import bounded, today
from magic_ext.costs.budget import LONGEST_ANSWER
from magic_ext.costs.prices import dollars, price_of, prices_read
from magic_ext.errors import GeminiExecError
from magic_ext.markdown import details, escape, fence, visible
from magic_ext.wire.content import Json
from magic_ext.wire.request import encode_request
from magic_ext.wire.usage import Usage

from .bundles import Output, shortened, size_of
from .renderers.base import publish
from .shells import has_kernel

__all__ = ["show_dry_run"]

_TRIES = 6  # the first run of the code, and five new tries after an error: each has the question read again
_SHOWN = 200  # characters of base64 that are not worth reading any more


def show_dry_run(course: Course, shell: Any, *, counted: bool) -> None:
    """Show what ``course`` would send and cost; with ``counted`` the server counts, and gets the content for that.

    Raises what the client raises where the server does not count.
    """
    output = _output(course, course.count() if counted else None)
    if has_kernel(shell):
        publish(output)
    else:
        print(output.plain)


def _output(course: Course, counted: int | None) -> Output:
    body = encode_request(course.request)
    text = shortened(msgspec.json.format(msgspec.json.encode(_abbreviated(body)), indent=2).decode(), "_gemini.sent")
    before = course.question.tip.tokens if course.question.tip else 0
    tokens = course.input_tokens if counted is None else counted + before
    how = "estimated, four bytes a token" if counted is None else f"counted by {course.manifest.destination}"
    facts = [f"Input: {tokens:,} tokens ({how}{_of_them(before)})", _cost(course, tokens), _refusal(course)]
    lines = [fact for fact in facts if fact]
    folded = details(f"Request: POST interactions, {size_of(len(msgspec.json.encode(body)))}", fence(text, "json"))
    return Output(
        {
            "text/markdown": "\n\n".join([folded, *map(escape, lines)]),
            "text/plain": "\n".join([visible(text), *map(visible, lines)]),
        }
    )


def _of_them(before: int) -> str:
    return f"; {before:,} of them the conversation so far" if before else ""


def _cost(course: Course, tokens: int) -> str:
    """The range: from reading the question once and a word of answer, to all new tries and the longest answer."""
    if not course.manifest.remote:
        return "Cost: none; the model runs on this computer."
    model = course.question.place.model
    price = price_of(model, on=today(), input_tokens=tokens)
    if price is None:
        return f"Cost: unknown; {model} is not in the table of prices."
    least = price.of(Usage(total_input_tokens=tokens))
    most = price.of(Usage(total_input_tokens=tokens * _TRIES, total_output_tokens=LONGEST_ANSWER))
    note = f"read once, to read {_TRIES} times and {LONGEST_ANSWER:,} tokens written"
    return f"Cost: from {dollars(least)} to about {dollars(most)} ({note}; list prices as read on {prices_read()})."


def _refusal(course: Course) -> str:
    try:
        limited = bounded(course.request, course.question, course.input_tokens, Usage())
    except GeminiExecError as error:
        return f"Refused: {error} {error.hint}"
    most = limited.max_output_tokens
    return f"The budget leaves {most:,} tokens for the answer." if most is not None else ""


def _abbreviated(value: Any) -> Any:
    """JSON with long base64 payloads replaced by their sizes."""
    if isinstance(value, dict):
        short: Json = {key: _abbreviated(part) for key, part in value.items()}
        data = value.get("data")
        if isinstance(data, str) and len(data) > _SHOWN:
            short["data"] = f"({size_of(len(data))} of base64)"
        return short
    return [_abbreviated(part) for part in value] if isinstance(value, list) else value
