"""Which blocks of an answer are pasted, and made to run on the live data."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from magic_ext.answer import Answer
from magic_ext.errors import GeminiExecError
from magic_ext.references.attach import Binding

from .binding import bind
from .needed import with_needed_blocks
from .sources import parsed

__all__ = ["live_blocks"]


def live_blocks(answer: Answer, numbers: Sequence[int], bindings: Sequence[Binding]) -> list[str]:
    """The blocks with these numbers, counted from 1 (all that worked when none is named), bound to the live data.

    Earlier blocks whose names they need come along. Raises :class:`GeminiExecError` for a number that is none.
    """
    attempts = answer.attempts
    for number in numbers:
        if not 1 <= number <= len(attempts):
            raise GeminiExecError(
                f"There is no block {number}.", hint=f"The last answer has the blocks 1 to {len(attempts)}."
            )
    worked = [index for index, attempt in enumerate(attempts) if not attempt.failed]
    chosen = [number - 1 for number in numbers] or worked or [len(attempts) - 1]
    blocks = with_needed_blocks([attempt.code for attempt in attempts], chosen, worked)
    return [_named(bind(block, bindings), bindings) for block in blocks]


def _named(code: str, bindings: Sequence[Binding]) -> str:
    """The code behind a line for each name that stood for something else: handed over, it was a variable of its own."""
    tree = parsed(code)
    if tree is None:
        return code
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    lines = [
        f"{binding.name} = {binding.expression}"
        for binding in bindings
        if not binding.file and binding.name != binding.expression and binding.name in read
    ]
    needs_pandas = any("pd." in line for line in lines)
    return "\n".join([*(["import pandas as pd"] if needs_pandas else []), *lines, code])
