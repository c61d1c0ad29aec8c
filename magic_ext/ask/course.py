"""The course of a question: prepared, sent, heard to its end; functions the model asks for are called in between."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from magic_ext.answer import Answer
from magic_ext.client.endpoint import GOOGLE, Endpoint
from magic_ext.client.errors import ApiError, BadRequest, NotFound, api_error
from magic_ext.client.interactions import Client, Timeouts
from magic_ext.engine.embedded import best_isolation, embedded_engine
from magic_ext.errors import GeminiExecError
from magic_ext.functions.calling import Called, Terms, call
from magic_ext.functions.declaring import declare
from magic_ext.references.attach import Binding, Prepared, prepare
from magic_ext.references.manifest import Entry, Manifest
from magic_ext.wire.content import Json, Text
from magic_ext.wire.request import Request, count_contents, user_input
from magic_ext.wire.running import RUN_PYTHON, as_code
from magic_ext.wire.steps import CodeExecutionCall, CodeExecutionResult, FunctionCall, FunctionResult, Step
from magic_ext.wire.usage import Usage

from .hosting import InKernel, code_runs, destination, is_withheld
from .listening import GOOGLES_SECONDS, Listening
from .outgoing import (
    UNASKED_CODE,
    again,
    along,
    entry,
    forgotten,
    kept,
    request_of,
    unasked_code,
    uploaded,
    with_history,
)
from .question import Question, Tip, Watcher, check
from .recorded import Recall, replayed
from .secrets import refuse_secrets, refuse_secrets_in_result
from .spending import bounded

__all__ = ["Course"]

ROUNDS = 10  # how often a model may ask for functions in one question


class _Nobody:
    """Watches nothing; a course has a watcher from the start."""

    def update(self, index: int, snapshot: object, done: bool) -> None:
        pass

    def status(self, text: str) -> None:
        pass

    def flush(self) -> None:
        pass


class Course:
    """One question on its way: prepared (nothing sent yet), then run once.

    ``in_kernel`` makes what runs code in the user's own kernel, given what is referred to. Raises
    :class:`GeminiExecError` where a reference is unknown or can't be sent.
    """

    def __init__(
        self,
        question: Question,
        namespace: Mapping[str, Any],
        cwd: Path,
        in_kernel: InKernel | None = None,
    ) -> None:
        check(question)
        self.question = question
        self._functions = declare(question.tools, namespace)
        endpoint = question.place.endpoint
        prepared, manifest = prepare(
            question.prompt,
            question.references,
            namespace,
            cwd,
            destination(question),
            question.policy,
            question.screen,
        )
        self.prepared: Prepared = prepared
        self._runs = code_runs(question, prepared, in_kernel)
        self.request = request_of(question, prepared, self._functions)
        told = (entry(f"{function.name}()", "function", function.bytes) for function in self._functions)
        entries = (*manifest.entries, *told, *(along(self.request) if endpoint is not None else ()))
        self.recall = Recall(question, prepared, self.request)
        asking: Manifest = msgspec.structs.replace(manifest, entries=entries)
        self.manifest = asking if self.recall.recording is None else replayed(asking)
        if self.manifest.remote and not self.manifest.replayed:
            refuse_secrets(question, prepared, self.request)
        self.remark = ""  # what the user should know besides the answer
        self.calls: tuple[Called, ...] = ()
        self.returned: tuple[Entry, ...] = ()
        self._heard = Listening(_Nobody())
        self._started = time.monotonic()

    def run(self, watcher: Watcher) -> Answer:
        """Ask, and show the course to ``watcher``; raises :class:`GeminiExecError` where no whole answer came.

        What had arrived until then is in :meth:`answer`.
        """
        self._started = time.monotonic()
        try:
            self._run(watcher)
        except ApiError as error:
            if error.code != UNASKED_CODE:
                raise
            raise unasked_code(self.question, self.prepared, error) from error
        kept = self.recall.keep(self._heard.interaction, self._heard.raw_steps, self._where())
        self.remark = " ".join(filter(None, (self._shortfall, kept)))
        return self.answer()

    def _run(self, watcher: Watcher) -> None:
        if self.recall.recording is None:
            self.request = bounded(self.request, self.question, self.input_tokens, Usage())
        seconds = GOOGLES_SECONDS if self.question.place.endpoint is not None else self.question.limits.seconds
        self._heard = Listening(watcher, seconds=seconds) if self._runs is None else Listening(watcher, as_code)
        if self._runs is None:
            self._converse(watcher)
        else:
            self._runs.runner.check()
            try:
                self._converse(watcher)
            except BaseException:
                self._runs.runner.leave(kept=False)
                raise
            self._runs.runner.leave(kept=True)
        self._check()

    @property
    def answerable(self) -> bool:
        """Whether anybody can answer: a recording, this computer, or a server that there is a key for."""
        endpoint = self.question.place.endpoint
        return endpoint is None or bool(endpoint.key) or self.recall.recording is not None

    def count(self) -> int:
        """The tokens of the question as the server counts them; it gets the content for that, and asks no model."""
        with self._client(_Nobody()) as client:
            return client.count_tokens(self.question.place.model, count_contents(self.request))

    @property
    def bindings(self) -> tuple[Binding, ...]:
        """How the code of this conversation gets at the live data; a name attached again means the later one."""
        before = self.question.tip.bindings if self.question.tip else ()
        later = {binding.name for binding in self.prepared.bindings}
        files = {binding.file for binding in self.prepared.bindings}
        still = (binding for binding in before if binding.name not in later or binding.file not in {"", *files})
        return (*self.prepared.bindings, *still)

    @property
    def tip(self) -> Tip:
        """The conversation as it stands after this question."""
        stored = self.question.store
        elsewhere = self.question.place.endpoint is not None
        again = self.recall.recording is not None
        files = self.question.tip.files if self.question.tip else 0
        return Tip(
            interaction_id=self._heard.interaction.id if stored else "",
            place=self.question.place.name,
            history=self._history() if elsewhere or not stored else (),
            tokens=self._heard.interaction.usage.total_input_tokens + self._heard.interaction.usage.total_output_tokens
            if stored and not again
            else 0,
            files=files + len(self.prepared.contents),
            bindings=self.bindings,
            runner=self._runs.runner if self._runs is not None else None,
            withheld=is_withheld(self.question, self.prepared),
            key=self.recall.conversation(self._heard.raw_steps),
            replayed=again,
            code=(*self.code_before, *(attempt.code for attempt in self.answer().attempts if not attempt.failed)),
        )

    @property
    def code_before(self) -> tuple[str, ...]:
        """The blocks that worked in the conversation before this question."""
        return self.question.tip.code if self.question.tip else ()

    @property
    def input_tokens(self) -> int:
        """About how many tokens the model has to read, the conversation so far included."""
        return self.manifest.tokens + (self.question.tip.tokens if self.question.tip else 0)

    @property
    def kept(self) -> str:
        """What the server keeps of the question, for people."""
        return kept(self.question, self.request)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps as far as they have come."""
        return self._heard.steps

    def answer(self, status: str = "") -> Answer:
        """The answer as far as it has come; ``status`` replaces the server's."""
        interaction, recording = self._heard.interaction, self.recall.recording
        return Answer(
            steps=self.steps,
            sent=self.manifest,
            usage=self._heard.usage if recording is None else Usage(),
            interaction_id=interaction.id,
            model=interaction.model or (self.question.place.model if recording is None else recording.model),
            place=self._where(),
            status=status or interaction.status or "incomplete",
            seconds=time.monotonic() - self._started,
            call_seconds=tuple(called.seconds for called in self.calls),
        )

    def _converse(self, watcher: Watcher) -> None:
        """Ask, and answer what the model asks for, until it asks for nothing more."""
        with self._client(watcher) as client:
            size, host = self.manifest.bytes / 1000, self.manifest.destination
            watcher.status(f"sending {size:,.1f} kB to {host}" if self.manifest.remote else "asking the model")
            self._begin(client, watcher)
            rounds = 0
            while asked := self._heard.asked:
                if rounds == ROUNDS:
                    raise GeminiExecError(
                        f"The model asked for functions {ROUNDS} times without an answer.",
                        hint="Ask for less at once, or let the functions return more.",
                    )
                rounds += self._runs is None or any(one.name != RUN_PYTHON for one in asked)
                self._hear(client, self._follow_up(asked, watcher), watcher)

    def _begin(self, client: Client, watcher: Watcher) -> None:
        """Ask; where the server has forgotten the conversation, ask again with all of it."""
        try:
            self._hear(client, self.request, watcher)
        except (NotFound, BadRequest) as error:
            tip = self.question.tip
            if tip is None or not tip.history or not self.request.previous_interaction_id or not forgotten(error):
                raise
            self.request, told = with_history(self.request, tip.history)
            self._into_receipt(told)
            self._hear(client, self.request, watcher)

    def _hear(self, client: Client, request: Request, watcher: Watcher) -> None:
        if self.question.place.endpoint is not None and self.recall.recording is None:
            request = uploaded(request, client, watcher.status)
        self._heard.hear(client, request)

    def _follow_up(self, asked: tuple[FunctionCall, ...], watcher: Watcher) -> Request:
        """Call what was asked for; the request that takes the results to the model."""
        results = tuple(self._answered(one, watcher) for one in asked)
        request = bounded(self.request, self.question, self.input_tokens, self._heard.usage)
        if self.question.store:
            tip = self._heard.interaction.id
            request = msgspec.structs.replace(
                request, input=(), history=(), results=results, previous_interaction_id=tip
            )
        else:
            request = msgspec.structs.replace(request, input=(), history=self._history())
        if self.question.place.endpoint is not None:
            self._into_receipt(again(request, len(results)))
        return request

    def _history(self) -> tuple[Json, ...]:
        """The conversation to its last step. A server checks its signatures: what came goes back as it came."""
        before = self.question.tip.history if self.question.tip else ()
        if self.question.tip is not None and not before:
            return ()  # it went with the kernel that had it; a part of it would pass for the whole
        return (*before, user_input(self.request.input), *self._heard.raw_steps)

    def _answered(self, asked: FunctionCall, watcher: Watcher) -> FunctionResult:
        if self._runs is not None and isinstance(code := as_code(asked), CodeExecutionCall):
            watcher.flush()
            printed: list[str] = []

            def tell(piece: str) -> None:
                printed.append(piece)
                self._heard.preview(lambda: CodeExecutionResult(code.id, (Text("".join(printed)),)))

            try:
                ran = self._runs.run(code, asked.name, tell, watcher.status)
            except BaseException:
                if printed:  # what had come is to be seen after an interrupt too
                    shown = CodeExecutionResult(code.id, (Text("".join(printed)),))
                    self._heard.append(FunctionResult(code.id, asked.name, []), shown)
                raise
            self._heard.append(ran.result, ran.shown)
            self._refuse_secrets(ran.result)
            self._into_receipt(*ran.entries)
            return ran.result
        watcher.status(f"calling {asked.name}")
        called = call(asked, self._functions, self._terms)
        self._refuse_secrets(called.result)
        self.calls = (*self.calls, called)
        self._into_receipt(entry(f"{asked.name}()", "function result", called.bytes, called.note))
        self._heard.append(called.result)
        return called.result

    @property
    def _terms(self) -> Terms:
        """How much a function's result may tell; where a reference is schema only, so are exceptions."""
        quiet = self.question.policy.kind == "schema" or is_withheld(self.question, self.prepared)
        if self._runs is None:
            quiet = quiet or any(entry.policy == "schema" for entry in self.prepared.entries)
        return Terms(self.question.policy, self.question.screen, quiet)

    def _refuse_secrets(self, result: FunctionResult) -> None:
        if self.question.place.endpoint is not None:
            refuse_secrets_in_result(self.question, result)

    def _into_receipt(self, *entries: Entry) -> None:
        """Put into the receipt what goes out after the question itself."""
        self.returned += entries
        self.manifest = msgspec.structs.replace(self.manifest, entries=(*self.manifest.entries, *entries))

    def _client(self, watcher: Watcher) -> Client:
        timeouts = Timeouts(between_events=self.question.timeout)

        def on_wait(seconds: float, reason: str) -> None:
            watcher.status(f"trying again in {seconds:.0f} s: {reason}")

        def on_sent(sent: int, size: int) -> None:
            if sent == size:
                watcher.status(f"waiting for {self.manifest.destination}")
            elif sent >= 1e6:
                watcher.status(f"sending, {sent / 1e6:.0f} of {size / 1e6:.0f} MB")

        endpoint = self.question.place.endpoint
        if endpoint is not None and self.recall.recording is not None:
            from magic_ext.client.replay import ReplayTransport

            return Client(endpoint, transport=ReplayTransport(self.recall.recording), timeouts=timeouts)
        if endpoint is not None:
            return Client(endpoint, timeouts=timeouts, on_wait=on_wait, on_sent=on_sent)
        from magic_ext.engine.transport import EngineTransport

        here = Endpoint(base_url="http://engine.localhost")
        return Client(
            here, transport=EngineTransport(embedded_engine(self.question.limits)), timeouts=timeouts, on_wait=on_wait
        )

    def _check(self) -> None:
        """Raise for an interaction that ended, but not well."""
        interaction = self._heard.interaction
        status = interaction.status
        if status not in {"failed", "budget_exceeded", "cancelled", "requires_action", "requires_continuation"}:
            return
        error = interaction.errors[0] if interaction.errors else {}
        message, code = str(error.get("message", "")), str(error.get("code", ""))
        if self.question.place.endpoint is None:
            raise ApiError(message or f"The answer ended as {status}.", hint="", code=code)
        if status == "failed":
            raise api_error(None, code, message, server=self.question.place.name)
        raise ApiError(
            f"{self.question.place.name} ended the answer as {status}. {message}".strip(),
            hint="What had arrived is kept above.",
            code=code,
        )

    @property
    def _shortfall(self) -> str:
        """Why the answer was cut, where the server says more than that it was."""
        interaction = self._heard.interaction
        cut = interaction.errors if interaction.status == "incomplete" else ()
        return str(cut[0].get("message", "")) if cut else ""

    def _where(self) -> str:
        """Where code ran. Which isolation held varies from machine to machine and is not told here."""
        endpoint = self.question.place.endpoint
        if self.recall.recording is not None:
            return self.recall.recording.place
        if self._runs is not None:
            return self._runs.runner.place
        if endpoint is not None:
            return "Google's sandbox" if endpoint.base_url == GOOGLE else endpoint.host
        if not any(isinstance(step, CodeExecutionCall) for step in self.steps):
            return "this computer"
        return (
            "this computer, isolated"
            if best_isolation(self.question.limits).name != "none"
            else "this computer, NOT isolated"
        )
