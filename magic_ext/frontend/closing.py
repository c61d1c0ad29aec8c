"""The line below an answer: who answered, where the code ran, on how many rows, and what left this computer."""

from __future__ import annotations

from magic_ext.answer import Answer
from magic_ext.ask import Course
from magic_ext.references.manifest import Entry, Manifest

from .bundles import Footer, size_of
from .pasting import live_blocks

__all__ = ["footer"]


def footer(course: Course, status: str = "") -> Footer:
    """The footer of a course as it stands; ``status`` replaces the interaction's."""
    answer = course.answer(status)
    return Footer(
        model=answer.model,
        place=answer.place,
        rows_line=_rows(course.manifest),
        sent_line=_sent(course.manifest, answer.status),
        seconds=answer.seconds,
        usage=answer.usage,
        interaction_id=answer.interaction_id,
        status=answer.status,
        code_expected=course.question.code_execution and answer.status != "not sent",
        cells=tuple(_cells(answer, course)),
    )


def _cells(answer: Answer, course: Course) -> list[str]:
    worked = any(not attempt.failed for attempt in answer.attempts)
    return live_blocks(answer, (), course.bindings) if worked else []


def _rows(manifest: Manifest) -> str:
    tables = [entry for entry in manifest.entries if entry.rows is not None and entry.rows_sent is not None]
    return ", ".join(_rows_of(entry, named=len(tables) > 1) for entry in tables)


def _rows_of(entry: Entry, *, named: bool) -> str:
    rows, sent = entry.rows or 0, entry.rows_sent or 0
    count = f"all {rows:,} rows" if sent == rows else f"{sent:,} of {rows:,} rows"
    return f"{count} of {entry.name}" if named else count


def _sent(manifest: Manifest, status: str) -> str:
    if not manifest.remote:
        return "nothing left this computer"
    return "nothing was sent" if status == "not sent" else f"sent {size_of(manifest.bytes)} to {manifest.destination}"
