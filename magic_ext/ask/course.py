"""The course of a question: prepared, sent, heard to its end; functions the model asks for are called in between."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from magic_ext.answer import Answer
from magic_ext.client.endpoint import GOOGLE, Endpoint
from magic_ext.client.errors import ApiError, api_error
from magic_ext.client.interactions import Client, Timeouts
from magic_ext.engine.embedded import Handover, best_isolation, embedded_engine
from magic_ext.errors import GeminiExecError
from magic_ext.functions.calling import Called, Terms, call
from magic_ext.functions.declaring import declare
from magic_ext.references.attach import Binding, Local, Prepared, Remote, prepare
from magic_ext.references.manifest import Manifest
from magic_ext.wire.content import Json
from magic_ext.wire.request import Request, count_contents, user_input
from magic_ext.wire.steps import CodeExecutionCall, FunctionCall, FunctionResult, Step
from magic_ext.wire.usage import Usage

from .listening import Listening
from .outgoing import along, entry, kept, request_of, uploaded
from .question import Question, Tip, Watcher, check
from .spending import bounded

__all__ = ["Course"]

ROUNDS = 10  # how often a model may ask for functions in one question

_handover = Handover()


class _Nobody:
    """Watches nothing; a course has a watcher from the start."""

    def update(self, index: int, snapshot: object, done: bool) -> None:
        pass

    def status(self, text: str) -> None:
        pass


class Course:
    """One question on its way: prepared (nothing sent yet), then run once.

    Raises :class:`GeminiExecError` where a reference is unknown or can't be sent.
    """

    def __init__(self, question: Question, namespace: Mapping[str, Any], cwd: Path) -> None:
        check(question)
        self.question = question
        self._functions = declare(question.tools, namespace)
        endpoint = question.place.endpoint
        files = question.tip.files if question.tip else 0
        destination = Remote(endpoint.host, files) if endpoint is not None else Local(_handover.folder())
        prepared, manifest = prepare(question.prompt, question.references, namespace, cwd, destination, question.policy)
        self.prepared: Prepared = prepared
        self.request = request_of(question, prepared, self._functions)
        told = (entry(f"{function.name}()", "function", function.bytes) for function in self._functions)
        entries = (*manifest.entries, *told, *(along(self.request) if endpoint is not None else ()))
        self.manifest: Manifest = msgspec.structs.replace(manifest, entries=entries)
        self.calls: tuple[Called, ...] = ()
        self._heard = Listening(_Nobody())
        self._started = time.monotonic()

    def run(self, watcher: Watcher) -> Answer:
        """Ask, and show the course to ``watcher``; raises :class:`GeminiExecError` where no whole answer came.

        What had arrived until then is in :meth:`answer`.
        """
        self._started = time.monotonic()
        self.request = bounded(self.request, self.question, self.input_tokens, Usage())
        self._heard = Listening(watcher)
        with self._client(watcher) as client:
            if self.question.place.endpoint is not None:
                self.request = uploaded(self.request, client, watcher.status)
            watcher.status(f"asking {self.question.place.model}")
            self._heard.hear(client, self.request)
            rounds = 0
            while asked := self._heard.asked:
                if rounds == ROUNDS:
                    raise GeminiExecError(
                        f"The model asked for functions {ROUNDS} times without an answer.",
                        hint="Ask for less at once, or let the functions return more.",
                    )
                rounds += 1
                self._heard.hear(client, self._follow_up(asked, watcher))
        self._check()
        return self.answer()

    def count(self) -> int:
        """The tokens of the question as the server counts them; it gets the content for that, and asks no model."""
        with self._client(_Nobody()) as client:
            return client.count_tokens(self.question.place.model, count_contents(self.request))

    @property
    def bindings(self) -> tuple[Binding, ...]:
        """How the code of this conversation gets at the live data; a name attached again means the later one."""
        before = self.question.tip.bindings if self.question.tip else ()
        later = {binding.name for binding in self.prepared.bindings}
        still = (binding for binding in before if binding.name not in later or binding.file)
        return (*self.prepared.bindings, *still)

    @property
    def tip(self) -> Tip:
        """The conversation as it stands after this question."""
        stored = self.question.store
        files = self.question.tip.files if self.question.tip else 0
        return Tip(
            interaction_id=self._heard.interaction.id if stored else "",
            place=self.question.place.name,
            history=() if stored else self._history(),
            tokens=self._heard.interaction.usage.total_input_tokens + self._heard.interaction.usage.total_output_tokens
            if stored
            else 0,
            files=files + len(self.prepared.contents),
            bindings=self.bindings,
        )

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
        interaction = self._heard.interaction
        return Answer(
            steps=self.steps,
            sent=self.manifest,
            usage=self._heard.usage,
            interaction_id=interaction.id,
            model=interaction.model or self.question.place.model,
            place=self._where(),
            status=status or interaction.status or "incomplete",
            seconds=time.monotonic() - self._started,
            call_seconds=tuple(called.seconds for called in self.calls),
        )

    def _follow_up(self, asked: tuple[FunctionCall, ...], watcher: Watcher) -> Request:
        """Call what was asked for; the request that takes the results to the model."""
        results = tuple(self._called(one, watcher) for one in asked)
        request = bounded(self.request, self.question, self.input_tokens, self._heard.usage)
        if not self.question.store:
            return msgspec.structs.replace(request, input=(), history=self._history())
        return msgspec.structs.replace(
            request, input=(), history=(), results=results, previous_interaction_id=self._heard.interaction.id
        )

    def _history(self) -> tuple[Json, ...]:
        """The conversation to its last step. A server checks its signatures: what came goes back as it came."""
        return (*self.request.history, user_input(self.request.input), *self._heard.raw_steps)

    def _called(self, asked: FunctionCall, watcher: Watcher) -> FunctionResult:
        watcher.status(f"calling {asked.name}")
        called = call(asked, self._functions, Terms(self.question.policy))
        self.calls = (*self.calls, called)
        told = entry(f"{asked.name}()", "function result", called.bytes)
        self.manifest = msgspec.structs.replace(self.manifest, entries=(*self.manifest.entries, told))
        self._heard.append(called.result)
        return called.result

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

    def _check(self) -> None:
        """Raise for an interaction that ended, but not well."""
        interaction = self._heard.interaction
        status = interaction.status
        if status not in {"failed", "budget_exceeded", "cancelled", "requires_action", "requires_continuation"}:
            return
        error = interaction.errors[0] if interaction.errors else {}
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
