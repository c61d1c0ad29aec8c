"""Which blocks of an answer are pasted, and made to run on the live data."""

from __future__ import annotations

from collections.abc import Sequence

from magic_ext.answer import Answer
from magic_ext.errors import GeminiExecError
from magic_ext.references.attach import Binding

from .binding import bind_all
from .needed import with_needed_blocks

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
    wanted: dict[str, None] = {}  # a set that keeps its order
    for index in chosen:
        blocks = [attempts[before].code for before in worked if before < index] + [attempts[index].code]
        wanted |= dict.fromkeys(with_needed_blocks(blocks, len(blocks) - 1))
    return bind_all(list(wanted), bindings)
