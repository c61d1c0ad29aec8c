"""An answer in several interactions: where a server cuts a long one, the next request goes on (wire.md section 2.6)."""

from __future__ import annotations

import msgspec

from magic_ext.wire.content import Json
from magic_ext.wire.events import Event, StepDelta, StepStart, StepStop
from magic_ext.wire.interaction import Interaction

__all__ = ["HOPS", "Shifted", "next_request"]

HOPS = 10  # requests for one answer, the first one not counted


def next_request(body: Json, ended: Interaction) -> Json | None:
    """The request that goes on where ``ended``, the answer to ``body``, was cut; ``None`` where nothing is to come.

    A server that keeps the interaction has its input; one that does not gets it again. A token that comes back as it
    was sent would go round for ever.

    >>> cut = Interaction(id="v1_a", status="requires_continuation", raw={"continuation_token": "t"})
    >>> next_request({"model": "m", "input": "hi"}, cut)
    {'model': 'm', 'previous_interaction_id': 'v1_a', 'continuation_token': 't'}
    """
    token = ended.raw.get("continuation_token")
    fresh = isinstance(token, str) and token not in {"", body.get("continuation_token")}
    if ended.status != "requires_continuation" or not fresh:
        return None
    if body.get("store") is False or not ended.id:
        return body | {"continuation_token": token}
    rest = {name: value for name, value in body.items() if name != "input"}
    return rest | {"previous_interaction_id": ended.id, "continuation_token": token}


class Shifted:
    """Numbers the steps of several interactions through: each counts its own from 0.

    >>> shifted = Shifted()
    >>> first = shifted(StepStop(1))
    >>> shifted.begin()
    >>> shifted(StepStop(0)).index
    2
    """

    def __init__(self) -> None:
        self._first = 0
        self._next = 0

    def begin(self) -> None:
        """The events that come now are those of another interaction."""
        self._first = self._next

    def __call__(self, event: Event) -> Event:
        """The event with its step's number in the whole answer."""
        if not isinstance(event, StepStart | StepDelta | StepStop):
            return event
        index = self._first + event.index
        self._next = max(self._next, index + 1)
        return msgspec.structs.replace(event, index=index) if self._first else event
