"""Calls that a model asks for: arguments checked, the function called, what came of it told to the model."""

from __future__ import annotations

import builtins
import inspect
import time
from collections import Counter
from collections.abc import Sequence

import msgspec

from magic_ext.references.policy import Policy
from magic_ext.references.screen import Screen, counted
from magic_ext.wire.content import Content, Image, Text, encode_content
from magic_ext.wire.steps import FunctionCall, FunctionResult

from .declaring import Function
from .results import Told, told_of

__all__ = ["Called", "Terms", "call"]

_LONGEST_ERROR = 500  # characters


class Called(msgspec.Struct, frozen=True):
    """A call that was made: what goes back to the model, how many bytes that is, and how long the call took.

    ``note`` says what was left out of it or replaced.
    """

    result: FunctionResult
    bytes: int
    seconds: float
    note: str = ""


class Terms(msgspec.Struct, frozen=True):
    """How much a result may tell: ``policy`` and ``screen`` as for references. ``quiet`` keeps the message of an
    exception here, which may name any value.
    """

    policy: Policy = Policy()
    screen: Screen = Screen()
    quiet: bool = False


def call(asked: FunctionCall, functions: Sequence[Function], terms: Terms) -> Called:
    """Call the function that the model asked for. Whatever goes wrong is a result too, which says so in one line."""
    started = time.monotonic()
    try:
        function, arguments = _prepared(asked, functions)
    except Exception as error:
        said = _one_line(error) if _is_ours(error) or not terms.quiet else _kind(error)
        return _called(asked, Told((Text(said),)), started, terms, failed=True)
    try:
        told = told_of(function.call(*arguments.args, **arguments.kwargs), terms.policy, terms.screen)
    except (Exception, SystemExit) as error:  # the user's code may raise anything; an interrupt stops the cell
        said = _kind(error) if terms.quiet else _one_line(error)
        return _called(asked, Told((Text(said),)), started, terms, failed=True)
    return _called(asked, told, started, terms, failed=False)


def _called(asked: FunctionCall, told: Told, started: float, terms: Terms, *, failed: bool) -> Called:
    found: Counter[str] = Counter()
    cleaned: list[Content] = []
    for block in told.content:
        if isinstance(block, Text):
            clean = terms.screen.clean(block.text)
            found += clean.found
            cleaned.append(Text(clean.text))
        else:
            cleaned.append(block)
    result = FunctionResult(asked.id, asked.name, [encode_content(block) for block in cleaned], failed)
    note = "; ".join(filter(None, (told.note, counted(found))))
    return Called(result, sum(map(_size, cleaned)), time.monotonic() - started, note)


def _prepared(asked: FunctionCall, functions: Sequence[Function]) -> tuple[Function, inspect.BoundArguments]:
    function = next((known for known in functions if known.name == asked.name), None)
    if function is None:
        known = ", ".join(known.name for known in functions) or "none"
        raise LookupError(f"there is no function {asked.name!r}; declared: {known}")
    given = _converted(asked, function)
    bound = function.signature.bind_partial()
    for name in function.arguments.__struct_fields__:
        if (value := getattr(given, name)) is not msgspec.UNSET:
            bound.arguments[name] = value
    return function, bound


def _converted(asked: FunctionCall, function: Function) -> msgspec.Struct:
    """The arguments by the type hints; what fits as it stands wins over what can be made to fit ("3" to 3)."""
    try:
        return msgspec.convert(asked.arguments, function.arguments)
    except msgspec.ValidationError:
        return msgspec.convert(asked.arguments, function.arguments, strict=False)


def _is_ours(error: BaseException) -> bool:
    """Whether nothing but the model's own words are in it: what a user's own type says of a value has a cause."""
    return isinstance(error, LookupError | msgspec.ValidationError) and error.__cause__ is None


def _kind(error: BaseException) -> str:
    """The type of an exception; one that Python does not bring may be named by a value."""
    name = type(error).__name__
    return name if getattr(builtins, name, None) is type(error) else "an error"


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
