"""A Python function as a tool: its name, its docstring, and the JSON schema of its parameters."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.references.errors import nearest
from magic_ext.wire.content import Json

from .schema import NoSchema, inlined

__all__ = ["BadFunction", "Function", "declare"]

_NAME = re.compile(r"[A-Za-z_]\w{0,63}", re.ASCII)  # what Google takes as a function's name
_GUESSED = (bool, int, float, str)  # a default of such a type stands for a missing hint


class BadFunction(GeminiExecError):
    """A function that a model can't be given."""


class Function(msgspec.Struct, frozen=True):
    """A function of the user's, and what the model is told of it.

    ``arguments`` is a struct whose fields are the parameters that the model may give.
    """

    name: str
    call: Callable[..., Any]
    signature: inspect.Signature
    arguments: type[msgspec.Struct]
    declaration: Json

    @property
    def bytes(self) -> int:
        """The size of what the model is told, as JSON."""
        return len(msgspec.json.encode(self.declaration))


def declare(names: Sequence[str], namespace: Mapping[str, Any]) -> tuple[Function, ...]:
    """Make tools of the functions called ``names``; one named twice is declared once. Raises :class:`BadFunction`.

    >>> def area(width: float, height: float = 1.0) -> float:
    ...     "The area of a rectangle."
    >>> [function] = declare(["area"], {"area": area})
    >>> function.declaration["description"], function.declaration["parameters"]["required"]
    ('The area of a rectangle.', ['width'])
    """
    return tuple(_declared(name, namespace) for name in dict.fromkeys(names))


def _declared(name: str, namespace: Mapping[str, Any]) -> Function:
    if name not in namespace:
        close = nearest(name, [key for key, value in namespace.items() if key[:1] != "_" and callable(value)])
        hint = f"Did you mean {' or '.join(close)}?" if close else "Run the cell that defines it first."
        raise BadFunction(f"There is no function {name!r} for --tool.", hint=hint)
    function = namespace[name]
    if not callable(function):
        raise BadFunction(f"{name!r} is no function, so it can't be a --tool.", hint=f"Refer to data as @{name}.")
    if not _NAME.fullmatch(name):
        raise BadFunction(f"A model can't call {name!r}.", hint="Give it a name of at most 64 ASCII letters.")
    if inspect.iscoroutinefunction(function):
        raise BadFunction(f"{name} is asynchronous.", hint="Wrap it in a plain function that waits for it.")
    try:
        signature = inspect.signature(function, eval_str=True)
    except (TypeError, ValueError, NameError, SyntaxError) as error:
        raise BadFunction(
            f"The parameters of {name} can't be read ({error}).", hint="Wrap it in a function with type hints."
        ) from error
    arguments = _arguments(name, signature)
    declaration: Json = {"type": "function", "name": name}
    if description := inspect.getdoc(function):
        declaration["description"] = description
    try:
        declaration["parameters"] = inlined(msgspec.json.schema(arguments))
    except NoSchema as error:
        raise BadFunction(f"The parameters of {name} can't be told to a model: {error}.", hint=_SIMPLER) from error
    return Function(name, function, signature, arguments, declaration)


_SIMPLER = "Use str, int, float, bool, lists and dicts of them, Literal, or a dataclass."


def _arguments(name: str, signature: inspect.Signature) -> type[msgspec.Struct]:
    """A struct with a field for each parameter; one that the model leaves out stays unset, the default is Python's."""
    fields: list[tuple[str, Any, Any] | tuple[str, Any]] = []
    for parameter in signature.parameters.values():
        if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
            continue
        optional = parameter.default is not parameter.empty
        hint = _hint(parameter)
        trouble = _trouble(hint)
        if trouble and optional:
            continue  # the default serves
        if trouble:
            raise BadFunction(f"The parameter {parameter.name!r} of {name} {trouble}.", hint=_SIMPLER)
        fields.append((parameter.name, hint | msgspec.UnsetType, msgspec.UNSET) if optional else (parameter.name, hint))
    return msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)


def _hint(parameter: inspect.Parameter) -> Any:
    if parameter.annotation is not parameter.empty:
        return parameter.annotation
    kind = type(parameter.default)
    return kind if kind in _GUESSED else parameter.empty


def _trouble(hint: Any) -> str:
    """Why a model can't give such an argument; ``""`` if it can."""
    if hint is inspect.Parameter.empty:
        return "has no type hint"
    try:
        msgspec.json.schema(hint)
    except (TypeError, RuntimeError):
        return f"is a {getattr(hint, '__name__', hint)}, which JSON can't hold"
    return ""
