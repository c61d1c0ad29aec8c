"""Which blocks of an answer are pasted, and made to run on the live data."""

from __future__ import annotations

import re
from collections.abc import Sequence

from magic_ext.answer import Answer
from magic_ext.errors import GeminiExecError
from magic_ext.markdown import neutralise
from magic_ext.references.attach import Binding
from magic_ext.wire.steps import CodeExecutionCall, ModelOutput

from .binding import bind_all, bound
from .cells import Cell
from .lacking import lacking, lacking_line
from .needed import with_needed_blocks

__all__ = ["live_cells", "to_read_first", "with_headings"]

_HEADING = re.compile(r"^#{1,6} .+$", re.MULTILINE)


def live_cells(
    answer: Answer, numbers: Sequence[int], bindings: Sequence[Binding], earlier: Sequence[str] = ()
) -> list[Cell]:
    """The blocks with these numbers, counted from 1 (all that worked when none is named), bound to the live data.

    Earlier blocks whose names they need come along, those of the conversation before (``earlier``) too. Raises
    :class:`GeminiExecError` for a number that is none.
    """
    wanted = _wanted(answer, numbers, earlier)
    sources = bind_all(list(wanted), bindings)
    return [Cell(source, block=number) for source, number in zip(sources, wanted.values(), strict=True)]


def to_read_first(
    answer: Answer, numbers: Sequence[int], bindings: Sequence[Binding], earlier: Sequence[str] = ()
) -> list[str]:
    """What a person should know before running the cells of :func:`live_cells`, a line each.

    Libraries that are not here, and tables that the model typed into its code.
    """
    blocks = list(_wanted(answer, numbers, earlier))
    return [*filter(None, [lacking_line(lacking(blocks))]), *bound(blocks, bindings).notes]


def _wanted(answer: Answer, numbers: Sequence[int], earlier: Sequence[str]) -> dict[str, int]:
    """The code of each block that is pasted, with the block's number; 0 for one of an answer before."""
    attempts = answer.attempts
    for number in numbers:
        if not 1 <= number <= len(attempts):
            raise GeminiExecError(
                f"There is no block {number}.", hint=f"The last answer has the blocks 1 to {len(attempts)}."
            )
    worked = [index for index, attempt in enumerate(attempts) if not attempt.failed]
    chosen = [number - 1 for number in numbers] or worked or [len(attempts) - 1]
    wanted: dict[str, int] = {}
    for index in chosen:
        before = [at for at in worked if at < index]
        codes = {**dict.fromkeys(earlier, 0), **{attempts[at].code: at + 1 for at in (*before, index)}}
        blocks = [*earlier, *(attempts[at].code for at in (*before, index))]
        wanted |= {code: codes[code] for code in with_needed_blocks(blocks, len(blocks) - 1)}
    return wanted


def with_headings(answer: Answer, cells: Sequence[Cell]) -> list[Cell]:
    """The cells, each below the last heading that the model wrote between the block before and this one."""
    headings = _headings(answer)
    placed: list[Cell] = []
    for cell in cells:
        if heading := headings.get(cell.block):
            placed.append(Cell(neutralise(heading), "markdown"))
        placed.append(cell)
    return placed


def _headings(answer: Answer) -> dict[int, str]:
    """By block number, the heading above it."""
    found: dict[int, str] = {}
    number, heading = 0, ""
    for step in answer.steps:
        match step:
            case ModelOutput() if lines := _HEADING.findall(step.text):
                heading = lines[-1]
            case CodeExecutionCall():
                number += 1
                if heading:
                    found[number] = heading
                heading = ""
    return found
