"""How far a streamed answer has been heard: what going on after a lost connection, and stopping, depend on."""

from __future__ import annotations

from magic_ext.wire.events import Event, InteractionCompleted, InteractionCreated

__all__ = ["RECONNECTIONS", "Hearing"]

RECONNECTIONS = 3  # without an event that is new


class Hearing:
    """One interaction as far as its events have come; ``stored`` says whether the server keeps it.

    A stream can be taken up behind an event that has an id (wire.md section 3.5).

    >>> from magic_ext.wire.events import StepStop
    >>> hearing = Hearing(stored=True)
    >>> hearing.take(StepStop(0, "evt_1")), hearing.last
    (True, 'evt_1')
    """

    def __init__(self, *, stored: bool) -> None:
        self.stored = stored
        self.id = ""
        self.last = ""
        self.begun = False
        self.ended = False
        self.tries = 0
        self._heard: set[str] = set()
        self._before: frozenset[str] = frozenset()

    def take(self, event: Event) -> bool:
        """Note an event; ``False`` for one that a resumed stream tells again."""
        if event.event_id in self._before:
            return False
        if event.event_id:
            self._heard.add(event.event_id)
        self.begun = True
        self.last = event.event_id  # behind an event without one, nobody can tell what would come twice
        self.tries = 0
        match event:
            case InteractionCreated(interaction) | InteractionCompleted(interaction):
                self.id = interaction.id or self.id
        self.ended = self.ended or isinstance(event, InteractionCompleted)
        return True

    def goes_on(self, tries: int) -> bool:
        """Whether one of so many connections can take the answer up; each event that is new gives them anew."""
        if not (self.stored and self.id and self.last) or self.ended or self.tries >= tries:
            return False
        self.tries += 1
        self._before = frozenset(self._heard)
        return True
