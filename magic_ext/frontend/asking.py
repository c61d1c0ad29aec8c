"""A notebook's questions, one after the other: what a cell's run does, and what is remembered between cells."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from magic_ext.answer import Answer
from magic_ext.ask import Course
from magic_ext.ask.spending import today
from magic_ext.client.errors import ConnectionFailed
from magic_ext.costs.budget import BadBudget, Budget, OverBudget, parse_budget
from magic_ext.costs.ledger import Entry, left
from magic_ext.errors import GeminiExecError, Offline
from magic_ext.options import Options, parse_options
from magic_ext.references.grammar import split_line
from magic_ext.references.tables.cells import utf8

from .cells import paste
from .closing import footer, origin
from .composing import Asked, Composing
from .conversations import Conversations, Position, gone_from
from .dry import show_dry_run
from .kept import kept_file
from .pasting import live_cells, to_read_first, with_headings
from .recalling import code_is_lost, recalled
from .renderers import Renderer, choose_renderer
from .settings import Settings
from .shells import cell_id, notebook_name

__all__ = ["Asking"]


class Asking:
    """The questions of one shell: the answers so far, what they cost, and which follows which."""

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self._last: Course | None = None
        self.answers: list[Answer] = []
        self.ledger: list[Entry] = []
        self.composing = Composing(shell)
        self.conversations = Conversations(kept_file(notebook_name(shell)))

    def run_cell(self, line: str, cell: str, settings: Settings) -> None:
        """Answer one ``%%gemini_exec`` cell; raises :class:`GeminiExecError` where that fails."""
        references, rest = split_line(utf8(line))
        options = parse_options(rest)
        position = self.conversations.position(cell_id(self.shell), options.conversation, new=options.new)
        asked = Asked(
            prompt=_prompt(utf8(cell)),
            references=references,
            options=options,
            settings=settings,
            tip=recalled(self.conversations.tip(position)),
            begins="" if position.parent else position.name or "",
            left=self._left(settings),
        )
        beginning = self.conversations.beginning(position)
        course = self.composing.course(asked)
        renderer = choose_renderer(self.shell)
        renderer.start(course.manifest)
        if options.dry_run:
            renderer.finish(footer(course, "not sent"), ())
            show_dry_run(course, self.shell, counted=options.dry_run == "count")
            return
        try:
            answer = _watched(course, renderer)
        except KeyboardInterrupt:
            self.conversations.interrupted(position, course.question.place.name, asked.prompt)
            raise
        finally:
            self.ledger += _spent(course, self.shell.execution_count)
        self._remember(answer, course, position, options)
        renderer.finish(footer(course), answer.steps)
        if course.prepared.entries:  # it brings what it asks about, so it is no follow-up gone astray
            beginning = ""
        for remark in filter(None, (beginning, *self._remarks(course, position))):
            print(remark, file=sys.stderr)
        which = options.paste or settings.paste
        if which != "none" and answer.code:
            self.paste_blocks([] if which == "all" else [_last_that_worked(answer)])

    def paste_blocks(self, numbers: list[int]) -> None:
        """Put code blocks of the last answer, counted from 1, into a new cell; all that worked when none is named."""
        if self._last is None or not self.answers[-1].code:
            raise GeminiExecError("There is no code to paste yet.", hint="Ask something with %%gemini_exec first.")
        answer = self.answers[-1]
        bindings, earlier = self._last.bindings, self._last.code_before
        for line in to_read_first(answer, numbers, bindings, earlier):
            print(line)
        cells = live_cells(answer, numbers, bindings, earlier)
        paste(self.shell, cells if numbers else with_headings(answer, cells), origin(answer))

    def stored_elsewhere(self) -> list[tuple[str, str]]:
        """The answers of this session that a server elsewhere may keep: its name and the interaction's id."""
        return [(a.sent.destination, a.interaction_id) for a in self.answers if a.sent.remote and a.interaction_id]

    def forget(self) -> None:
        """Continue nothing of what was: the conversations are no longer kept, and values may not leave unasked."""
        self.conversations.clear()
        self.composing.permission.forget()
        self.composing.consent.forget()

    def _left(self, settings: Settings) -> Budget | None:
        """What is left of the session's budget."""
        budget = parse_budget(settings.session_budget)
        return left(budget, self.ledger) if budget is not None else None

    def _remember(self, answer: Answer, course: Course, position: Position, options: Options) -> None:
        self.answers.append(answer)
        self._last = course
        self.conversations.remember(position, course.tip, course.question.prompt)
        self.shell.user_ns["_gemini"] = answer
        if options.out:
            self.shell.user_ns[options.out] = answer

    def _remarks(self, course: Course, position: Position) -> Iterator[str]:
        if stale := self.conversations.outdated(position):
            yield f"It went on from {stale.words!r}, which is out of date: run that cell again, then the ones below it."
        if course.remark:
            yield course.remark
        tip = course.question.tip
        if gone := gone_from(tip.bindings if tip else (), self.shell.user_ns):
            yield f"The conversation speaks of {', '.join(gone)}, which this session does not have (any more)."
        if code_is_lost(tip) and self.answers[-1].code:
            yield "The code of the answers before went with an earlier kernel: pasted code may need what it defined."


_UNSENT = ConnectionFailed, Offline, OverBudget, BadBudget  # raised first, they mean that nothing has left


def _watched(course: Course, renderer: Renderer) -> Answer:
    """Run the course; what had arrived stays visible and marked where it ends early."""
    try:
        return course.run(renderer)
    except (Exception, KeyboardInterrupt) as error:  # ours or not: the line of progress must not stay
        note = "This is not the whole answer." if course.steps else "There is no answer."
        renderer.abandon(note, footer(course, _status(error, course)), course.steps)
        raise


def _status(error: BaseException, course: Course) -> str:
    """How a course ended that was ended by an error or an interrupt."""
    if isinstance(error, KeyboardInterrupt):
        return "interrupted"
    return "not sent" if isinstance(error, _UNSENT) and not course.steps else "failed"


def _spent(course: Course, cell: int) -> list[Entry]:
    """What a course cost, however it ended."""
    usage, billed = course.answer().usage, course.manifest.remote
    if not usage.total_tokens:
        return []
    return [Entry(cell=cell, model=course.question.place.model, usage=usage, on=today(), billed=billed)]


def _prompt(cell: str) -> str:
    """The cell's text without nbval's marks; raises :class:`GeminiExecError` where nothing is left."""
    lines = [line for line in cell.split("\n") if not line.lstrip().startswith("# NBVAL_")]
    prompt = "\n".join(lines).strip("\r\n")
    if not prompt.strip():
        raise GeminiExecError("The cell asks nothing.", hint="Write the question below the first line.")
    return prompt


def _last_that_worked(answer: Answer) -> int:
    numbers = [number for number, attempt in enumerate(answer.attempts, 1) if not attempt.failed]
    return numbers[-1] if numbers else len(answer.attempts)
