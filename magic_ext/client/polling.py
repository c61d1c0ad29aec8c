"""An answer in the background, read from time to time: what each reading tells that the one before did not."""

from __future__ import annotations

from collections.abc import Iterator

from magic_ext.wire.content import Json
from magic_ext.wire.events import (
    Event,
    InteractionCompleted,
    InteractionCreated,
    StatusUpdate,
    StepStart,
    StepStop,
)
from magic_ext.wire.interaction import RUNNING, Interaction

from .reading import steps_of

__all__ = ["News", "pauses"]

_FIRST, _LONGEST, _GROWTH = 2.0, 10.0, 1.5  # seconds between two readings


def pauses() -> Iterator[float]:
    """The seconds between readings: two at first, ten in the end.

    >>> import itertools
    >>> list(itertools.islice(pauses(), 6))
    [2.0, 3.0, 4.5, 6.75, 10.0, 10.0]
    """
    seconds = _FIRST
    while True:
        yield seconds
        seconds = min(seconds * _GROWTH, _LONGEST)


class News:
    """Makes of whole interactions the events of a stream. A step that has grown begins anew with all that it has.

    >>> news = News()
    >>> said = {"type": "model_output", "content": [{"type": "text", "text": "4"}]}
    >>> [type(event).__name__ for event in news.of(Interaction(id="v1_a", status="queued"))]
    ['InteractionCreated', 'StatusUpdate']
    >>> now = Interaction(id="v1_a", status="completed", raw={"steps": [said]})
    >>> [type(event).__name__ for event in news.of(now)]
    ['StepStart', 'StepStop', 'InteractionCompleted']
    """

    def __init__(self) -> None:
        self._status: str | None = None
        self._steps: list[Json] = []
        self._stopped = 0

    def of(self, interaction: Interaction) -> Iterator[Event]:
        """The events between the last reading and this one."""
        if self._status is None:
            yield InteractionCreated(interaction)
        running, steps = interaction.status in RUNNING, steps_of(interaction)
        if running and interaction.status != self._status:
            yield StatusUpdate(interaction.status)
        self._status = interaction.status
        for index, step in enumerate(steps):
            if self._steps[index : index + 1] != [step]:
                yield StepStart(index, step)
            whole = not running or index < len(steps) - 1  # the last one may still grow
            if whole and (index >= self._stopped or self._steps[index : index + 1] != [step]):
                yield StepStop(index)
                self._stopped = max(self._stopped, index + 1)
        self._steps = steps
        if not running:
            yield InteractionCompleted(interaction)
