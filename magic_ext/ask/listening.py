"""Listening to one interaction after the other: events become steps, and a watcher sees them grow."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

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
from magic_ext.wire.steps import CodeExecutionCall, CodeExecutionResult, FunctionCall, FunctionResult, Step, encode_step
from magic_ext.wire.usage import Usage, sum_of

from .question import Watcher
from .running import TRIES, running

__all__ = ["GOOGLES_SECONDS", "Listening"]

GOOGLES_SECONDS = 30.0  # that code may run in Google's sandbox (the guide)
_PAUSE = 0.2  # seconds between two looks at what code prints


class Listening:
    """All steps of a question so far, over the interactions that it takes: one, and one more a round of functions.

    ``view`` makes of a step what the user is to see of it; ``seconds`` are those that the server lets code run.
    """

    def __init__(
        self, watcher: Watcher, view: Callable[[Step], Step] = lambda step: step, seconds: float = GOOGLES_SECONDS
    ) -> None:
        self._watcher = watcher
        self._view = view
        self._seconds = seconds
        self._shown: dict[int, Step] = {}
        self._flushed = 0.0
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

    def append(self, result: FunctionResult, shown: Step | None = None) -> None:
        """Add a step of this side's own; the user may see more of it than the model, as ``shown``."""
        index = self._assembly.append(encode_step(result))
        if shown is not None:
            self._shown[index] = shown
        self._update(index, done=True)

    def preview(self, snapshot: Callable[[], Step]) -> None:
        """Show a step of this side's own while it grows; :meth:`append` adds it when it is whole."""
        self._watcher.update(max(self._assembly.indices, default=-1) + 1, snapshot, False)
        if time.monotonic() - self._flushed > _PAUSE:  # what is printed before a long computation is to be seen
            self._watcher.flush()
            self._flushed = time.monotonic()

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps as far as they have come, as the user sees them."""
        return tuple(map(self._step, self._assembly.indices))

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
        steps = self._assembly.steps[self._heard :]
        answered = {step.call_id for step in steps if isinstance(step, FunctionResult)}
        return tuple(step for step in steps if isinstance(step, FunctionCall) and step.id not in answered)

    def _take(self, event: Event) -> None:
        match event:
            case InteractionCreated(interaction):
                self.interaction = interaction
                self._waiting()
            case InteractionCompleted(interaction):
                self.interaction = interaction
            case StatusUpdate(status):
                self._watcher.status(_STATUSES.get(status, status))
            case _:
                index = self._assembly.apply(event)
                if index is not None:
                    self._tell(event, index)
                    self._update(index, done=self._assembly.done(index))

    def _update(self, index: int, *, done: bool) -> None:
        if not done and self._assembly.kind(index) == "function_call":  # of a long text every look is costly
            step = self._assembly.step(index)
            if self._view(step) is not step:
                return  # code that comes as the argument of a function is there when it is whole
        self._watcher.update(index, lambda: self._step(index), done)

    def _step(self, index: int) -> Step:
        return self._shown.get(index) or self._view(self._assembly.step(index))

    def _waiting(self) -> None:
        self._watcher.status(f"waiting for {self.interaction.model or 'the model'}")

    def _tell(self, event: Event, index: int) -> None:
        """Say what goes on: a step that begins, code that is whole and so runs now, or has run."""
        step = self._assembly.step(index) if isinstance(event, StepStart | StepStop) else None
        match event:
            case StepStart() if step is not None and isinstance(self._view(step), CodeExecutionCall):
                self._watcher.status("writing code")
            case StepStart(step={"type": str(kind)}) if kind in _BEGINNINGS:
                self._watcher.status(_BEGINNINGS[kind])
            case StepStop() if isinstance(step, CodeExecutionResult):
                self._waiting()
            case StepStop() if isinstance(step, CodeExecutionCall):
                failed = sum(isinstance(step, CodeExecutionResult) and step.is_error for step in self.steps)
                self._watcher.status(running(self._seconds, f", new try {failed} of {TRIES}" if failed else ""))


_STATUSES = {"in_progress": "working", "queued": "waiting for a free kernel"}
_BEGINNINGS = {
    "thought": "thinking",
    "function_call": "calling a function",
    "google_search_call": "searching the web",
    "model_output": "writing",
}
