"""The line below an answer: who answered, where the code ran, on how many rows, and what left this computer."""

from __future__ import annotations

from collections.abc import Sequence

from magic_ext.answer import Answer
from magic_ext.ask import Course
from magic_ext.ask.outgoing import schema_only
from magic_ext.ask.spending import today
from magic_ext.costs.prices import cost
from magic_ext.references.attach import Binding
from magic_ext.wire.usage import Usage

from .bundles import Footer, size_of
from .cells import Cell
from .live.remarks import shown
from .pasting import live_cells

__all__ = ["footer", "origin"]


def footer(course: Course, status: str = "") -> Footer:
    """The footer of a course as it stands; ``status`` replaces the interaction's."""
    answer = course.answer(status)
    unread = course.question.code_execution and schema_only(course.question, course.prepared)
    return Footer(
        model=answer.model,
        place="" if unread else answer.place,
        rows_line="not executed: schema only" if unread else _rows(course),
        begins=course.question.begins,
        sent_line=_sent(course, answer.status),
        seconds=answer.seconds,
        usage=answer.usage if course.manifest.remote else Usage(),  # an estimate that nobody is billed for says nothing
        cost=cost(course.question.place.model, answer.usage, on=today()) if course.manifest.remote else None,
        interaction_id=answer.interaction_id,
        status=answer.status,
        code_expected=course.question.code_execution and not unread and answer.status != "not sent",
        origin=origin(answer),
        cells=_cells(answer, course.bindings, course.code_before),
        returned=course.returned,
        calls=tuple((called.result.name, called.seconds) for called in course.calls),
    )


def origin(answer: Answer) -> dict[str, str]:
    """What an inserted cell's metadata says of where it comes from."""
    return {"interaction_id": answer.interaction_id, "place": answer.place}


def _cells(answer: Answer, bindings: Sequence[Binding], earlier: Sequence[str]) -> dict[int, tuple[Cell, ...]]:
    """By number, each block that worked with those before it that it needs; under 0 all of them."""
    worked = [number for number, attempt in enumerate(answer.attempts, 1) if not attempt.failed]
    if not worked:
        return {}
    alone = {number: tuple(live_cells(answer, [number], bindings, earlier)) for number in worked}
    every = alone[1] if len(answer.attempts) == 1 else tuple(live_cells(answer, (), bindings, earlier))
    return {0: every, **alone}


def _rows(course: Course) -> str:
    """On how many rows the code worked, over the whole conversation; of what came with an earlier cell it says so.

    Whoever has changed a table since has to refer to it again.
    """
    new = {binding.name for binding in course.prepared.bindings}
    tables = {binding.name: binding for binding in reversed(course.bindings) if binding.rows_sent is not None}
    counts = [
        _rows_of(table, named=len(tables) > 1) + ("" if table.name in new else " as attached before")
        for table in reversed(tables.values())
    ]
    return ", ".join(counts)


def _rows_of(table: Binding, *, named: bool) -> str:
    rows, sent = table.rows, table.rows_sent or 0
    total = "an unknown number of" if rows is None else f"{rows:,}"
    part = f"{sent:,} of {total} rows{', sampled' if table.sampled else ''}"
    count = f"all {sent:,} row{'s' * (sent != 1)}" if sent == rows else part
    whole = f" (:{table.unbound} limits only what leaves)" if table.unbound else ""
    return (f"{count} of {shown(table)}" if named else count) + whole


def _sent(course: Course, status: str) -> str:
    manifest = course.manifest
    if manifest.replayed:
        return "replayed, nothing sent; --cache refresh asks again"
    if not manifest.remote:
        return "nothing left this computer"
    if status == "not sent":
        return ""
    return f"sent {size_of(manifest.bytes)} to {manifest.destination}; {course.kept}"
