"""Listening to one interaction after the other: events become steps, and a watcher sees them grow."""

from __future__ import annotations

import contextlib

import msgspec

from magic_ext.client.interactions import Client
from magic_ext.wire.assembly import Assembly
from magic_ext.wire.content import Json
from magic_ext.wire.events import (
    Event,
    InteractionCompleted,
    InteractionCreated,
    StatusUpdate,
    StepStart,
    StepStop,
)
from magic_ext.wire.interaction import Interaction
from magic_ext.wire.request import Request, encode_request
from magic_ext.wire.steps import CodeExecutionCall, FunctionCall, FunctionResult, Step, encode_step
from magic_ext.wire.usage import Usage, sum_of

from .question import Watcher

__all__ = ["Listening"]


class Listening:
    """All steps of a question so far, over the interactions that it takes: one, and one more a round of functions."""

    def __init__(self, watcher: Watcher) -> None:
        self._watcher = watcher
        self._assembly = Assembly()
        self._heard = 0  # how many steps there were before the interaction under way
        self._spent: list[Usage] = []
        self.interaction = Interaction()

    def hear(self, client: Client, request: Request) -> None:
        """Send ``request`` and take all its events in; raises what the client raises."""
        self._heard = len(self.steps)
        self._spent.append(self.interaction.usage)
        self.interaction = msgspec.structs.replace(self.interaction, usage=Usage(), status="")
        ask = client.background if request.background else client.stream
        with contextlib.closing(ask(encode_request(request))) as events:  # also when left early
            for event in events:
                self._take(event)

    def append(self, result: FunctionResult) -> None:
        """Add a step of this side's own."""
        self._update(self._assembly.append(encode_step(result)), done=True)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps as far as they have come."""
        return self._assembly.steps

    @property
    def raw_steps(self) -> tuple[Json, ...]:
        """The steps as they came, for a server that checks its signatures."""
        return self._assembly.raw_steps

    @property
    def usage(self) -> Usage:
        """What all interactions of the question cost together."""
        return sum_of((*self._spent, self.interaction.usage))

    @property
    def asked(self) -> tuple[FunctionCall, ...]:
        """The functions that the interaction has ended with asking for."""
        if self.interaction.status not in {"requires_action", "completed"}:
            return ()
        steps = self.steps[self._heard :]
        answered = {step.call_id for step in steps if isinstance(step, FunctionResult)}
        return tuple(step for step in steps if isinstance(step, FunctionCall) and step.id not in answered)

    def _take(self, event: Event) -> None:
        match event:
            case InteractionCreated(interaction) | InteractionCompleted(interaction):
                self.interaction = interaction
            case StatusUpdate(status):
                self._watcher.status(_STATUSES.get(status, status))
            case _:
                index = self._assembly.apply(event)
                if index is not None:
                    self._tell(event, index)
                    self._update(index, done=self._assembly.done(index))

    def _update(self, index: int, *, done: bool) -> None:
        self._watcher.update(index, lambda: self._assembly.step(index), done)

    def _tell(self, event: Event, index: int) -> None:
        """Say what goes on: a step that begins, or code that is whole and so runs now."""
        match event:
            case StepStart(step={"type": str(kind)}) if kind in _BEGINNINGS:
                self._watcher.status(_BEGINNINGS[kind])
            case StepStop() if isinstance(self._assembly.step(index), CodeExecutionCall):
                self._watcher.status("running the code")


_STATUSES = {"in_progress": "working", "queued": "waiting for a free kernel"}
_BEGINNINGS = {
    "thought": "thinking",
    "code_execution_call": "writing code",
    "google_search_call": "searching the web",
    "model_output": "writing",
}
