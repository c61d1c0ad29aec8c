"""What a model is told of code that ran on this computer, and what the user sees of it: not always the same."""

from __future__ import annotations

import base64
import builtins
from collections.abc import Mapping

from magic_ext.runtime.execution import Execution
from magic_ext.wire.content import Content, Image, Text

__all__ = ["seen", "told", "told_without_values"]

_CHARACTERS = 20_000  # of printed text that a model is told
_PICTURES = 8
_PICTURE_BYTES = 4_000_000
_ERRORS = frozenset(
    name for name in dir(builtins) if isinstance(kind := getattr(builtins, name), type) and issubclass(kind, Exception)
)
_STATUSES = {"timeout": "It ran too long and was stopped.", "dead": "The kernel died; all variables are lost."}


def seen(execution: Execution) -> tuple[Content, ...]:
    """All of it, for the user."""
    text = _joined(execution.output, execution.error)
    return (*([Text(text)] if text else []), *map(_picture, execution.images))


def told(execution: Execution) -> tuple[Content, ...]:
    """For a model: printed text and error within a limit, and the first figures.

    >>> from magic_ext.runtime.execution import Execution
    >>> told(Execution(status="ok"))
    (Text(text='(nothing was printed)', annotations=()),)
    """
    text = _joined(execution.output, execution.error)
    figures = [image for image in execution.images[:_PICTURES] if len(image) <= _PICTURE_BYTES]
    left_out = len(execution.images) - len(figures)
    more = f"({left_out} more figures were shown to the user)" if left_out else ""
    nothing = "" if figures else "(nothing was printed)"
    return (Text(_shortened(_joined(text, more) or nothing)), *map(_picture, figures))


def told_without_values(execution: Execution, shapes: Mapping[str, str], lines: int) -> tuple[Content, ...]:
    """For a model that may not see a value: whether it worked, the type of an error, its line, and shapes.

    ``lines`` are those of the code, ``shapes`` what it made. A type that Python does not bring is not named: its name
    may have been made of a value.

    >>> from magic_ext.runtime.execution import Execution
    >>> execution = Execution(status="error", error="KeyError: 'Ada'", exception="KeyError", line=3)
    >>> told_without_values(execution, {}, 4)[0].text
    'It failed: KeyError in line 3.'
    """
    if execution.status == "ok":
        said = "It worked."
    elif execution.status == "error":
        kind = execution.exception if execution.exception in _ERRORS else "an error"
        line = execution.line if execution.line is not None and 0 < execution.line <= lines else None
        said = f"It failed: {kind}" + (f" in line {line}." if line else ".")
    else:
        said = _STATUSES[execution.status]
    made = "".join(f"\n{name}: {shape}" for name, shape in shapes.items())
    return (Text(f"{said}{made}"),)


def _joined(first: str, second: str) -> str:
    return first + ("\n" if first and second and not first.endswith("\n") else "") + second


def _shortened(text: str) -> str:
    if len(text) <= _CHARACTERS:
        return text
    head, tail = text[: _CHARACTERS // 4], text[-3 * _CHARACTERS // 4 :]
    return f"{head}\n... ({len(text) - len(head) - len(tail):,} characters left out) ...\n{tail}"


def _picture(data: bytes) -> Image:
    return Image(data=base64.b64encode(data).decode("ascii"), mime_type="image/png")
