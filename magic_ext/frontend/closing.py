"""The line below an answer: who answered, where the code ran, on how many rows, and what left this computer."""

from __future__ import annotations

from collections.abc import Sequence

from magic_ext.answer import Answer
from magic_ext.ask import Course
from magic_ext.ask.spending import today
from magic_ext.costs.prices import cost
from magic_ext.references.attach import Binding
from magic_ext.wire.usage import Usage

from .bundles import Footer, size_of
from .pasting import live_blocks

__all__ = ["footer"]


def footer(course: Course, status: str = "") -> Footer:
    """The footer of a course as it stands; ``status`` replaces the interaction's."""
    answer = course.answer(status)
    return Footer(
        model=answer.model,
        place=answer.place,
        rows_line=_rows(course.bindings),
        sent_line=_sent(course, answer.status),
        seconds=answer.seconds,
        usage=answer.usage if course.manifest.remote else Usage(),  # an estimate that nobody is billed for says nothing
        cost=cost(course.question.place.model, answer.usage, on=today()) if course.manifest.remote else None,
        interaction_id=answer.interaction_id,
        status=answer.status,
        code_expected=course.question.code_execution and answer.status != "not sent",
        cells=tuple(_cells(answer, course)),
        returned=tuple(entry for entry in course.manifest.entries if entry.kind == "function result"),
        calls=tuple((called.result.name, called.seconds) for called in course.calls),
    )


def _cells(answer: Answer, course: Course) -> list[str]:
    worked = any(not attempt.failed for attempt in answer.attempts)
    return live_blocks(answer, (), course.bindings) if worked else []


def _rows(bindings: Sequence[Binding]) -> str:
    """On how many rows the code worked, over the whole conversation."""
    tables = [binding for binding in bindings if binding.rows_sent is not None]
    return ", ".join(_rows_of(table, named=len(tables) > 1) for table in tables)


def _rows_of(table: Binding, *, named: bool) -> str:
    rows, sent = table.rows, table.rows_sent or 0
    total = "an unknown number of" if rows is None else f"{rows:,}"
    count = f"all {sent:,} row{'s' * (sent != 1)}" if sent == rows else f"{sent:,} of {total} rows"
    return f"{count} of {table.name}" if named else count


def _sent(course: Course, status: str) -> str:
    manifest = course.manifest
    if not manifest.remote:
        return "nothing left this computer"
    if status == "not sent":
        return ""
    return f"sent {size_of(manifest.bytes)} to {manifest.destination}; {course.kept}"
