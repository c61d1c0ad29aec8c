"""A question and its course: references become a request, events become an answer.

The one place that puts a request together: policy, receipt and budget all hang on it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import msgspec

from magic_ext.answer import Answer
from magic_ext.client.endpoint import GOOGLE, Endpoint
from magic_ext.client.errors import ApiError, api_error
from magic_ext.client.files import Uploads
from magic_ext.client.interactions import Client, Timeouts
from magic_ext.engine.embedded import Handover, best_isolation, embedded_engine
from magic_ext.engine.models.registry import OFFLINE_PLANNER, open_model
from magic_ext.errors import GeminiExecError
from magic_ext.functions.calling import Called, call
from magic_ext.functions.declaring import declare
from magic_ext.place import Place
from magic_ext.references.attach import Binding, Local, Prepared, Remote, prepare
from magic_ext.references.budget import tokens
from magic_ext.references.grammar import Reference
from magic_ext.references.inline import too_large
from magic_ext.references.manifest import Entry, Manifest
from magic_ext.references.policy import Policy
from magic_ext.wire.assembly import Assembly
from magic_ext.wire.content import Content, Document, Image, Json, Text
from magic_ext.wire.events import (
    Event,
    InteractionCompleted,
    InteractionCreated,
    StatusUpdate,
    StepStart,
    StepStop,
)
from magic_ext.wire.interaction import Interaction
from magic_ext.wire.request import Request, encode_request, user_input
from magic_ext.wire.steps import CodeExecutionCall, FunctionCall, FunctionResult, Step, encode_step
from magic_ext.wire.usage import Usage, sum_of

__all__ = ["Course", "Question", "Tip", "Watcher"]

INSTRUCTION = """\
You answer a question asked in a Jupyter notebook. Lines that begin with [gemini-exec] tell what is attached.
Load an attached table with the line given for it, under the name given for it; never retype its rows into code.
Print what you compute. Draw with matplotlib, with a title and labelled axes. Don't use display()."""
ROUNDS = 10  # how often a model may ask for functions in one question


class Tip(msgspec.Struct, frozen=True, kw_only=True):
    """Where a conversation stands: its last interaction, who held it, and what was attached along the way.

    ``files`` counts the attachments, which Google's sandbox numbers over the whole conversation. ``history`` is the
    conversation itself where the server keeps nothing of it: its steps as they came, signatures included.
    """

    interaction_id: str
    place: str
    history: tuple[Json, ...] = ()
    files: int = 0
    bindings: tuple[Binding, ...] = ()


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """All that one cell asks. ``references`` are those of the magic's line; the prompt's own are found in it.

    ``tip`` is the conversation that it continues; ``tools`` are names of the user's functions. With ``store`` the
    server keeps question and answer; in the ``background`` it works on whether or not somebody listens.
    """

    prompt: str
    place: Place
    references: tuple[Reference, ...] = ()
    policy: Policy
    tip: Tip | None = None
    code_execution: bool = True
    search: bool = False
    tools: tuple[str, ...] = ()
    thinking: str | None = None
    show_thoughts: bool = False
    system: str = ""
    stream: bool = True
    store: bool = True
    background: bool = False
    timeout: float = 120.0


class Watcher(Protocol):
    """What wants to see the course of a question; a renderer, mostly."""

    def update(self, index: int, snapshot: Callable[[], Step], done: bool) -> None:
        """The step at ``index`` has changed; ``snapshot`` gives it as it is now, at a cost."""

    def status(self, text: str) -> None:
        """What goes on now, for people."""


_handover = Handover()
_uploads = Uploads()


class Course:
    """One question on its way: prepared (nothing sent yet), then run once.

    Raises :class:`GeminiExecError` where a reference is unknown or can't be sent.
    """

    def __init__(self, question: Question, namespace: Mapping[str, Any], cwd: Path) -> None:
        _check_tools(question)
        _check_kept(question)
        if question.place.endpoint is None:
            open_model(question.place.model)  # a missing script or address is told before anything is handed over
        self.question = question
        self._functions = declare(question.tools, namespace)
        endpoint = question.place.endpoint
        self._before = question.tip or Tip(interaction_id="", place=question.place.name)
        destination = Remote(endpoint.host, self._before.files) if endpoint is not None else Local(_handover.folder())
        prepared, manifest = prepare(question.prompt, question.references, namespace, cwd, destination, question.policy)
        self.prepared: Prepared = prepared
        self.request = self._request()
        told = (_entry(f"{function.name}()", "function", function.bytes) for function in self._functions)
        entries = (*manifest.entries, *told, *(self._along() if endpoint is not None else ()))
        self.manifest: Manifest = msgspec.structs.replace(manifest, entries=entries)
        self.calls: tuple[Called, ...] = ()
        self._heard = 0  # how many steps there were before the interaction under way
        self._spent: list[Usage] = []
        self._assembly = Assembly()
        self._interaction = Interaction()
        self._started = time.monotonic()

    def run(self, watcher: Watcher) -> Answer:
        """Ask, and show the course to ``watcher``; raises :class:`GeminiExecError` where no whole answer came.

        What had arrived until then is in :meth:`answer`.
        """
        self._started = time.monotonic()
        with self._client(watcher) as client:
            if self.question.place.endpoint is not None:
                self.request = self._uploaded(client, watcher)
            watcher.status(f"asking {self.question.place.model}")
            self._hear(client, self.request, watcher)
            rounds = 0
            while asked := self._asked():
                if rounds == ROUNDS:
                    raise GeminiExecError(
                        f"The model asked for functions {ROUNDS} times without an answer.",
                        hint="Ask for less at once, or let the functions return more.",
                    )
                rounds += 1
                self._hear(client, self._follow_up(asked, watcher), watcher)
        self._check()
        return self.answer()

    @property
    def bindings(self) -> tuple[Binding, ...]:
        """How the code of this conversation gets at the live data; a name attached again means the later one."""
        later = {binding.name for binding in self.prepared.bindings}
        kept = (binding for binding in self._before.bindings if binding.name not in later or binding.file)
        return (*self.prepared.bindings, *kept)

    @property
    def tip(self) -> Tip:
        """The conversation as it stands after this question."""
        stored = self.question.store
        return Tip(
            interaction_id=self._interaction.id if stored else "",
            place=self.question.place.name,
            history=() if stored else self._history(),
            files=self._before.files + len(self.prepared.contents),
            bindings=self.bindings,
        )

    @property
    def kept(self) -> str:
        """What the server keeps of the question, for people; Google's days are those of wire.md section 4."""
        files = any(isinstance(block, Document | Image) and block.uri for block in self.request.input)
        if not self.question.store:
            return "the server keeps nothing" + (" but the uploaded files, for 48 h" if files else "")
        endpoint = self.question.place.endpoint
        known = endpoint is not None and endpoint.base_url == GOOGLE
        return "the server keeps it" + (", 1 to 55 days" if known else "")

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps as far as they have come."""
        return self._assembly.steps

    def answer(self, status: str = "") -> Answer:
        """The answer as far as it has come; ``status`` replaces the server's."""
        return Answer(
            steps=self.steps,
            sent=self.manifest,
            usage=sum_of((*self._spent, self._interaction.usage)),
            interaction_id=self._interaction.id,
            model=self._interaction.model or self.question.place.model,
            place=self._where(),
            status=status or self._interaction.status or "incomplete",
            seconds=time.monotonic() - self._started,
        )

    def _along(self) -> Iterator[Entry]:
        """What goes along unasked: the instructions, and the conversation where the server keeps nothing of it."""
        if self.request.system_instruction:
            yield _entry("(instructions)", "text", len(self.request.system_instruction.encode("utf-8", "replace")))
        if self.request.history:
            size = len(msgspec.json.encode(self.request.history))
            yield _entry("(the conversation so far)", "what was sent and answered before", size)

    def _uploaded(self, client: Client, watcher: Watcher) -> Request:
        """The request, with what is too large for it uploaded and named by its address."""

        def tell(sent: int, size: int) -> None:
            watcher.status(f"uploading, {sent / 1e6:.0f} of {size / 1e6:.0f} MB")

        def by_address(block: Content) -> Content:
            if not isinstance(block, Document | Image):
                return block
            uri = _uploads.uri(client, block.content, block.mime_type or "application/octet-stream", on_progress=tell)
            return msgspec.structs.replace(block, data=None, uri=uri)

        large = too_large(self.request.input)
        blocks = enumerate(self.request.input)
        sent = tuple(by_address(block) if at in large else block for at, block in blocks)
        return msgspec.structs.replace(self.request, input=sent)

    def _hear(self, client: Client, request: Request, watcher: Watcher) -> None:
        ask = client.background if request.background else client.stream
        with contextlib.closing(ask(encode_request(request))) as events:  # also when left early
            for event in events:
                self._take(event, watcher)

    def _asked(self) -> tuple[FunctionCall, ...]:
        """The functions that the interaction has ended with asking for."""
        if self._interaction.status not in {"requires_action", "completed"}:
            return ()
        steps = self.steps[self._heard :]
        answered = {step.call_id for step in steps if isinstance(step, FunctionResult)}
        return tuple(step for step in steps if isinstance(step, FunctionCall) and step.id not in answered)

    def _follow_up(self, asked: tuple[FunctionCall, ...], watcher: Watcher) -> Request:
        """Call what was asked for; the request that takes the results to the model."""
        results = tuple(self._called(one, watcher) for one in asked)
        self._heard = len(self.steps)
        self._spent.append(self._interaction.usage)
        if not self.question.store:
            return msgspec.structs.replace(self.request, input=(), history=self._history())
        return msgspec.structs.replace(
            self.request, input=(), history=(), results=results, previous_interaction_id=self._interaction.id
        )

    def _history(self) -> tuple[Json, ...]:
        """The conversation to its last step. A server checks its signatures: what came goes back as it came."""
        return (*self.request.history, user_input(self.request.input), *self._assembly.raw_steps)

    def _called(self, asked: FunctionCall, watcher: Watcher) -> FunctionResult:
        watcher.status(f"calling {asked.name}")
        called = call(asked, self._functions, self.question.policy)
        self.calls = (*self.calls, called)
        entry = _entry(f"{asked.name}()", "function result", called.bytes)
        self.manifest = msgspec.structs.replace(self.manifest, entries=(*self.manifest.entries, entry))
        index = self._assembly.append(encode_step(called.result))
        watcher.update(index, lambda: self._assembly.step(index), True)
        return called.result

    def _request(self) -> Request:
        question, prepared = self.question, self.prepared
        text = "\n\n".join(part for part in (prepared.prompt, prepared.description) if part)
        return Request(
            model=question.place.model,
            history=self._before.history,
            input=(*prepared.contents, Text(text)),
            code_execution=question.code_execution,
            google_search=question.search,
            functions=tuple(function.declaration for function in self._functions),
            system_instruction="\n\n".join(
                part for part in (INSTRUCTION if question.code_execution else "", question.system) if part
            ),
            thinking_level=question.thinking,
            thinking_summaries=question.show_thoughts,
            previous_interaction_id=self._before.interaction_id,
            store=question.store,
            background=question.background,
            stream=question.stream and not question.background,
        )

    def _client(self, watcher: Watcher) -> Client:
        timeouts = Timeouts(between_events=self.question.timeout)

        def on_wait(seconds: float, reason: str) -> None:
            watcher.status(f"trying again in {seconds:.0f} s: {reason}")

        endpoint = self.question.place.endpoint
        if endpoint is not None:
            return Client(endpoint, timeouts=timeouts, on_wait=on_wait)
        from magic_ext.engine.transport import EngineTransport

        here = Endpoint(base_url="http://engine.localhost")
        return Client(here, transport=EngineTransport(embedded_engine()), timeouts=timeouts, on_wait=on_wait)

    def _take(self, event: Event, watcher: Watcher) -> None:
        match event:
            case InteractionCreated(interaction) | InteractionCompleted(interaction):
                self._interaction = interaction
            case StatusUpdate(status):
                watcher.status(_STATUSES.get(status, status))
            case _:
                index = self._assembly.apply(event)
                if index is not None:
                    self._tell(event, index, watcher)
                    watcher.update(index, lambda: self._assembly.step(index), self._assembly.done(index))

    def _tell(self, event: Event, index: int, watcher: Watcher) -> None:
        """Say what goes on: a step that begins, or code that is whole and so runs now."""
        match event:
            case StepStart(step={"type": "thought"}):
                watcher.status("thinking")
            case StepStart(step={"type": "code_execution_call"}):
                watcher.status("writing code")
            case StepStart(step={"type": "google_search_call"}):
                watcher.status("searching the web")
            case StepStart(step={"type": "model_output"}):
                watcher.status("writing")
            case StepStop() if isinstance(self._assembly.step(index), CodeExecutionCall):
                watcher.status("running the code")

    def _check(self) -> None:
        """Raise for an interaction that ended, but not well."""
        status = self._interaction.status
        if status not in {"failed", "budget_exceeded", "cancelled", "requires_action", "requires_continuation"}:
            return
        error = self._interaction.errors[0] if self._interaction.errors else {}
        message, code = str(error.get("message", "")), str(error.get("code", ""))
        if self.question.place.endpoint is None:
            raise GeminiExecError(message or f"The answer ended as {status}.")
        if status == "failed":
            raise api_error(None, code, message, server=self.question.place.name)
        raise ApiError(
            f"{self.question.place.name} ended the answer as {status}. {message}".strip(),
            hint="What had arrived is kept above.",
            code=code,
        )

    def _where(self) -> str:
        """Where code ran. Which isolation held varies from machine to machine and is not told here."""
        endpoint = self.question.place.endpoint
        if endpoint is not None:
            return "Google's sandbox" if endpoint.base_url == GOOGLE else endpoint.host
        if not any(isinstance(step, CodeExecutionCall) for step in self.steps):
            return "this computer"
        return "this computer, isolated" if best_isolation().name != "none" else "this computer, NOT isolated"


def _check_tools(question: Question) -> None:
    if question.search and question.place.endpoint is None:
        raise GeminiExecError(
            f"{question.place.model} can't search the web.", hint="Leave out --search, or ask a Gemini model with -m."
        )
    if question.tools and question.place.model == OFFLINE_PLANNER:
        raise GeminiExecError(
            f"{OFFLINE_PLANNER} calls no functions.", hint="Leave out --tool, or choose another model with -m."
        )


def _check_kept(question: Question) -> None:
    if question.background and not question.store:
        raise GeminiExecError(
            "A server that keeps nothing can't answer in the background.",
            hint="Leave out --background, or set GeminiExecMagics.store to True.",
        )
    if not question.store and question.tip is not None and question.tip.interaction_id:
        raise GeminiExecError(
            "The conversation so far is kept by the server alone, which is to keep nothing now.",
            hint="Leave out -c, or set GeminiExecMagics.store to True.",
        )


_STATUSES = {"in_progress": "working", "queued": "waiting for a free kernel"}


def _entry(name: str, kind: str, size: int) -> Entry:
    return Entry(name=name, kind=kind, bytes=size, tokens=tokens(size))
