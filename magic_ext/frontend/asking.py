"""A notebook's questions, one after the other: what a cell's run does, and what is remembered between cells."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from magic_ext.answer import Answer
from magic_ext.ask import CacheUse, Course, Question, Tip
from magic_ext.ask.running import Runner
from magic_ext.ask.spending import today
from magic_ext.client.endpoint import API_VERSION, GOOGLE, Endpoint, Secret, endpoint_from
from magic_ext.client.errors import KEY_HINT, ConnectionFailed, NoKey
from magic_ext.client.keys import FoundKey, find_key
from magic_ext.costs.budget import BadBudget, Budget, OverBudget, parse_budget
from magic_ext.costs.ledger import Entry, left
from magic_ext.engine.models.registry import is_embedded
from magic_ext.errors import GeminiExecError, Offline
from magic_ext.options import Options, parse_options
from magic_ext.place import Place, choose_place
from magic_ext.references.attach import Prepared
from magic_ext.references.grammar import Reference, split_line
from magic_ext.references.policy import parse_policy
from magic_ext.references.screen import screen_from
from magic_ext.references.tables.cells import utf8

from .cells import paste
from .closing import footer, origin
from .consent import Consent
from .dry import show_dry_run
from .pasting import live_cells, to_read_first, with_headings
from .permission import Permission
from .renderers import Renderer, choose_renderer
from .replaying import cache_for, recordings_in
from .shells import cell_id

__all__ = ["Asking", "Settings"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The magic's traits, as a value."""

    model: str
    thinking: str
    run: str
    run_unasked: bool
    run_seconds: float
    send: str
    deny_columns: list[str]
    redact: list[str]
    allow_secrets: bool
    paste: str
    system: str
    timeout: float
    show_thoughts: bool
    code: bool
    cache: CacheUse
    cache_dir: str
    budget: str
    session_budget: str
    search: bool
    tools: list[str]
    stream: bool
    store: bool
    background: bool
    api_key: str
    base_url: str
    api_version: str
    headers: Mapping[str, str]


class Asking:
    """The questions of one shell: the answers so far, the conversations' tips, and a key that was typed in."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._threads: dict[str, Tip] = {}
        self._last: Course | None = None
        self.answers: list[Answer] = []
        self.ledger: list[Entry] = []
        self.typed_key: Secret | None = None
        self._consent = Consent(shell)
        self._permission = Permission(shell)

    def run_cell(self, line: str, cell: str, settings: Settings) -> None:
        """Answer one ``%%gemini_exec`` cell; raises :class:`GeminiExecError` where that fails."""
        references, rest = split_line(utf8(line))
        options = parse_options(rest)
        prompt = _prompt(utf8(cell))
        course = self._permitted(lambda: self._course(prompt, references, options, settings), options, settings)
        renderer = choose_renderer(self._shell)
        renderer.start(course.manifest)
        if options.dry_run:
            renderer.finish(footer(course, "not sent"), ())
            show_dry_run(course, self._shell, counted=options.dry_run == "count")
            return
        try:
            answer = _watched(course, renderer)
        finally:
            self.ledger += _spent(course, self._shell.execution_count)
        self._remember(answer, course, options)
        renderer.finish(footer(course), answer.steps)
        if course.remark:
            print(course.remark, file=sys.stderr)
        which = options.paste or settings.paste
        if which != "none" and answer.code:
            self.paste_blocks([] if which == "all" else [_last_that_worked(answer)])

    def _permitted(self, make: Callable[[], Course], options: Options, settings: Settings) -> Course:
        """The question on its way, once its values may leave; made anew where only a schema may."""
        course = make()
        said = options.send or settings.send or options.dry_run == "estimate"
        return make() if not said and self._permission.ask(course) else course

    def paste_blocks(self, numbers: list[int]) -> None:
        """Put code blocks of the last answer, counted from 1, into a new cell; all that worked when none is named."""
        if self._last is None or not self.answers[-1].code:
            raise GeminiExecError("There is no code to paste yet.", hint="Ask something with %%gemini_exec first.")
        answer = self.answers[-1]
        bindings, earlier = self._last.bindings, self._last.code_before
        for line in to_read_first(answer, numbers, bindings, earlier):
            print(line)
        cells = live_cells(answer, numbers, bindings, earlier)
        paste(self._shell, cells if numbers else with_headings(answer, cells), origin(answer))

    @property
    def conversations(self) -> tuple[str, ...]:
        """The names of the conversations that can be continued."""
        return tuple(filter(None, self._threads))

    def stored_elsewhere(self) -> list[tuple[str, str]]:
        """The answers of this session that a server elsewhere may keep: its name and the interaction's id."""
        return [(a.sent.destination, a.interaction_id) for a in self.answers if a.sent.remote and a.interaction_id]

    def forget(self) -> None:
        """Continue nothing of what was: the conversations are no longer kept, and values may not leave unasked."""
        self._threads.clear()
        self._permission.forget()

    def find_key(self, settings: Settings) -> FoundKey | None:
        """The API key, wherever it is; the keyring is asked only from a front end with a person before it."""
        interactive = bool(cell_id(self._shell))
        return find_key(trait=settings.api_key, environ=os.environ, interactive=interactive, typed=self.typed_key)

    def _course(self, prompt: str, references: tuple[Reference, ...], options: Options, settings: Settings) -> Course:
        """The question on its way. Where neither a key nor a model's name is given, any model's recorded answer comes
        before the planner's.
        """

        def course(place: Place) -> Course:
            question = self._question(prompt, references, options, settings, place)
            return Course(question, self._shell.user_ns, _cwd(), self._in_kernel(question, settings))

        place = self._place(options, settings)
        use = "off" if options.dry_run else options.cache or settings.cache
        unnamed = not (options.model or settings.model or options.run or settings.run)
        recorded = use == "only" or (use == "use" and not recordings_in(settings.cache_dir, _cwd).empty)
        if place.endpoint is None and unnamed and recorded:
            try:
                found = course(Place(model="", endpoint=endpoint(settings, _NO_KEY)))
                if found.answerable:
                    return found
            except GeminiExecError:  # what can't be sent may still be asked about here
                if use == "only":
                    raise
        made = course(place)
        if not (made.answerable or options.dry_run):
            raise NoKey(f"{place.model} needs an API key.", hint=KEY_HINT)
        return made

    def _place(self, options: Options, settings: Settings) -> Place:
        model = options.model or settings.model
        return choose_place(
            model=model,
            run=options.run or settings.run,
            endpoint=None if is_embedded(model) else self._endpoint(options, settings),
        )

    def _question(
        self, prompt: str, references: tuple[Reference, ...], options: Options, settings: Settings, place: Place
    ) -> Question:
        recordings = recordings_in(settings.cache_dir, _cwd)
        use: CacheUse = "off" if options.dry_run else options.cache or settings.cache
        return Question(
            prompt=prompt,
            place=place,
            references=references,
            policy=parse_policy(options.send or settings.send or self._permission.policy(place.name)),
            screen=screen_from(settings.deny_columns, settings.redact),
            allow_secrets=options.allow_secrets or settings.allow_secrets,
            tip=self._tip(options.conversation, place),
            begins="" if options.conversation in self._threads else options.conversation or "",
            code_execution=settings.code and not options.no_code,
            search=options.search or settings.search,
            tools=(*settings.tools, *options.tools),
            thinking=options.thinking or settings.thinking or None,
            show_thoughts=options.show_thoughts or settings.show_thoughts,
            system=options.system or settings.system,
            stream=settings.stream,
            store=settings.store,
            background=options.background or settings.background,
            timeout=options.timeout or settings.timeout,
            budget=parse_budget(options.budget or settings.budget),
            session_budget=self._left(settings),
            cache=cache_for(use, recordings, prompt, self._shell),
        )

    def _left(self, settings: Settings) -> Budget | None:
        """What is left of the session's budget."""
        budget = parse_budget(settings.session_budget)
        return left(budget, self.ledger) if budget is not None else None

    def _endpoint(self, options: Options, settings: Settings) -> Endpoint | None:
        """The server of Gemini models, ``None`` without a key; a dry run and a recorded answer need none."""
        key = self.find_key(settings)
        replays = (options.cache or settings.cache) in {"use", "only"}
        if key is None and (options.model or settings.model) and (options.dry_run or replays):
            key = _NO_KEY
        return endpoint(settings, key) if key is not None else None

    def _in_kernel(self, question: Question, settings: Settings) -> Callable[[Prepared], Runner]:
        """What runs code in this kernel, made once it is known what is referred to."""

        def runner(prepared: Prepared) -> Runner:
            from .running import InKernel

            before = question.tip.runner if question.tip else None
            return InKernel(
                self._shell,
                self._consent,
                unasked=settings.run_unasked,
                seconds=settings.run_seconds,
                lent=prepared.bindings,
                before=before if isinstance(before, InKernel) else None,
            )

        return runner

    def _tip(self, name: str | None, place: Place) -> Tip | None:
        if name is None:
            return None
        thread = self._threads.get(name)
        if thread is None and name:
            return None  # a conversation begins with its first question
        if thread is None:
            raise GeminiExecError("There is no answer yet to continue.", hint="Ask without -c first.")
        if thread.place != place.name:
            raise GeminiExecError(
                f"That conversation was held with {thread.place}; {place.name} does not know it.",
                hint="Leave out -c, or choose with -m the model that answered before.",
            )
        return thread

    def _remember(self, answer: Answer, course: Course, options: Options) -> None:
        self.answers.append(answer)
        self._last = course
        self._threads[""] = course.tip
        if options.conversation:
            self._threads[options.conversation] = course.tip
        self._shell.user_ns["_gemini"] = answer
        if options.out:
            self._shell.user_ns[options.out] = answer


def endpoint(settings: Settings, key: FoundKey) -> Endpoint:
    """The server that a Gemini model is asked at, as traits and environment name it."""
    base_url = settings.base_url or os.environ.get("GOOGLE_GEMINI_BASE_URL", "").strip() or GOOGLE
    return endpoint_from(base_url, settings.api_version or API_VERSION, key.secret, dict(settings.headers))


_NO_KEY = FoundKey(Secret(""), "")
_UNSENT = (
    ConnectionFailed,
    Offline,
    OverBudget,
    BadBudget,
)  # nothing of the question has left when these are raised first


def _cwd() -> Path:
    try:
        return Path.cwd()
    except OSError:
        raise GeminiExecError("This notebook's folder is gone.", hint="Go to another one with %cd.") from None


def _watched(course: Course, renderer: Renderer) -> Answer:
    """Run the course; what had arrived stays visible and marked where it ends early."""
    try:
        return course.run(renderer)
    except KeyboardInterrupt:
        renderer.abandon("Interrupted; this is not the whole answer.", footer(course, "interrupted"), course.steps)
        raise
    except Exception as error:  # ours or not: the line of progress must not stay
        note = "This is not the whole answer." if course.steps else "There is no answer."
        status = "not sent" if isinstance(error, _UNSENT) and not course.steps else "failed"
        renderer.abandon(note, footer(course, status), course.steps)
        raise


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
