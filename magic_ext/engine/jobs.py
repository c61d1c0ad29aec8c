"""A job: one interaction under way, as a log of events that any number of readers tail (design section 5).

A unary reply, a stream, a resumed stream and a poll are four readings of the same log.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from magic_ext.wire.assembly import Assembly
from magic_ext.wire.content import Json
from magic_ext.wire.events import StepDelta, StepStart, StepStop

__all__ = ["Job"]

_AGAIN = 0.25  # seconds between interrupts: one that comes before the code has begun is lost


class Job:
    """One interaction: its log, its document, and the wish that it stop.

    ``on_cancel`` interrupts what runs for it; ``on_step`` gets the log so far with every step that has ended.
    """

    def __init__(self, head: Json) -> None:
        self.id = str(head["id"])
        self._head = head
        self._log: list[Json] = []
        self._assembly = Assembly()
        self._changed = threading.Condition()
        self._finished = False
        self._readers = 0
        self.cancelled = threading.Event()
        self.on_step: Callable[[tuple[Json, ...]], None] | None = None
        self._stops: list[Callable[[], None]] = []

    @classmethod
    def ended(cls, head: Json, log: Iterable[Json]) -> Job:
        """A job that has ended, from its log: it is read like any other."""
        job = cls(head)
        for event in log:
            job._log.append(event)
            job._assemble(event)
        job._finished = True
        return job

    @property
    def log(self) -> tuple[Json, ...]:
        """The events so far."""
        with self._changed:
            return tuple(self._log)

    def emit(self, event: Json) -> None:
        """Append an event; it gets its ``event_id`` here."""
        with self._changed:
            numbered = self._numbered(event)
            self._log.append(numbered)
            self._assemble(numbered)
            self._changed.notify_all()
        if self.on_step is not None and event.get("event_type") == "step.stop":
            self.on_step(self.log)

    def _numbered(self, event: Json) -> Json:
        return {**event, "event_id": f"evt_{len(self._log)}"}

    def finish(self, head: Json, keep: Callable[[tuple[Json, ...]], None] = lambda _: None) -> None:
        """Append the last event, which carries the final ``head``; further events are a mistake.

        ``keep`` gets the whole log before any reader learns of the end: what was told to be done is not lost.
        """
        with self._changed:
            last = self._numbered({"event_type": "interaction.completed", "interaction": head})
        keep((*self._log, last))
        with self._changed:
            self._head = head
            self._log.append(last)
            self._finished = True
            self._changed.notify_all()

    def cancel(self) -> None:
        """Ask the job to stop; what runs for it is interrupted, and so is what still begins. Returns at once."""
        if not self.cancelled.is_set():
            self.cancelled.set()
            threading.Thread(target=self._interrupt, name=f"cancel {self.id}", daemon=True).start()

    def _interrupt(self) -> None:
        while not self._finished:
            for stop in tuple(self._stops):
                stop()
            self.wait(_AGAIN)

    def on_cancel(self, stop: Callable[[], None]) -> None:
        """Have ``stop`` called where the job is cancelled: again and again, until it has ended."""
        self._stops.append(stop)

    @contextmanager
    def stopping(self, stop: Callable[[], None]) -> Iterator[None]:
        """The same within the context alone."""
        self._stops.append(stop)
        try:
            yield
        finally:
            self._stops.remove(stop)

    def cancel_if_unread(self) -> None:
        """Cancel the job unless somebody reads it, or it has ended."""
        with self._changed:
            idle = not self._readers and not self._finished
        if idle:
            self.cancel()

    @property
    def head(self) -> Json:
        """The interaction's document without steps."""
        return self._head

    @property
    def finished(self) -> bool:
        """Whether the last event is in the log."""
        return self._finished

    @property
    def document(self) -> Json:
        """The interaction as a unary reply: head and steps as far as they have come."""
        with self._changed:
            return {**self._head, "steps": [dict(step) for step in self._assembly.raw_steps]}

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the job has finished; returns whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: self._finished, seconds)

    def tail(self, after: str = "", heartbeat: float | None = None) -> Iterator[Json | None]:
        """Yield the log's events after the one with id ``after``, then new ones as they come, until the end.

        ``None`` is yielded after each ``heartbeat`` seconds of silence, if given: a dead connection is noticed so.
        """
        with self._changed:
            self._readers += 1
        try:
            yield from self._tail(_position(after), heartbeat)
        finally:
            with self._changed:
                self._readers -= 1

    def _tail(self, position: int, heartbeat: float | None) -> Iterator[Json | None]:
        while True:
            with self._changed:
                if position >= len(self._log) and not self._finished:
                    self._changed.wait(heartbeat)
                events, finished = self._log[position:], self._finished
            if not events and not finished:
                yield None
            yield from events
            position += len(events)
            if finished and not events:
                return

    def _assemble(self, event: Json) -> None:
        index = event.get("index")
        match event.get("event_type"):
            case "step.start":
                self._assembly.apply(StepStart(index or 0, event["step"]))
            case "step.delta":
                self._assembly.apply(StepDelta(index or 0, event["delta"]))
            case "step.stop":
                self._assembly.apply(StepStop(index or 0))


def _position(after: str) -> int:
    return int(after.removeprefix("evt_")) + 1 if after else 0
