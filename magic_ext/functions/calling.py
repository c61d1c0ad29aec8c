"""Calls that a model asks for: arguments checked, the function called, what came of it told to the model."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec

from magic_ext.references.policy import Policy
from magic_ext.wire.content import Content, Image, Text, encode_content
from magic_ext.wire.steps import FunctionCall, FunctionResult

from .declaring import Function
from .results import content_of

__all__ = ["Called", "call"]

_LONGEST_ERROR = 500  # characters


class Called(msgspec.Struct, frozen=True):
    """A call that was made: what goes back to the model, how many bytes that is, and how long the call took."""

    result: FunctionResult
    bytes: int
    seconds: float


def call(asked: FunctionCall, functions: Sequence[Function], policy: Policy) -> Called:
    """Call the function that the model asked for. Whatever goes wrong is a result too, which says so in one line."""
    started = time.monotonic()
    try:
        content = content_of(_returned(asked, functions), policy)
        failed = False
    except (Exception, SystemExit) as error:  # the user's code may raise anything; an interrupt stops the cell
        content, failed = (Text(_one_line(error)),), True
    result = FunctionResult(asked.id, asked.name, [encode_content(block) for block in content], failed)
    return Called(result, sum(map(_size, content)), time.monotonic() - started)


def _returned(asked: FunctionCall, functions: Sequence[Function]) -> object:
    function = next((known for known in functions if known.name == asked.name), None)
    if function is None:
        known = ", ".join(known.name for known in functions) or "none"
        raise LookupError(f"there is no function {asked.name!r}; declared: {known}")
    given = _converted(asked, function)
    bound = function.signature.bind_partial()
    for name in function.arguments.__struct_fields__:
        if (value := getattr(given, name)) is not msgspec.UNSET:
            bound.arguments[name] = value
    return function.call(*bound.args, **bound.kwargs)


def _converted(asked: FunctionCall, function: Function) -> msgspec.Struct:
    """The arguments by the type hints; what fits as it stands wins over what can be made to fit ("3" to 3)."""
    try:
        return msgspec.convert(asked.arguments, function.arguments)
    except msgspec.ValidationError:
        return msgspec.convert(asked.arguments, function.arguments, strict=False)


def _one_line(error: BaseException) -> str:
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return words if len(words) <= _LONGEST_ERROR else f"{words[: _LONGEST_ERROR - 1]}…"


def _size(block: Content) -> int:
    match block:
        case Text(text):
            return len(text.encode("utf-8", "replace"))
        case Image():
            return len(block.content)
    return 0
