"""The interaction: what a unary call answers with, and what opens and closes a stream (wire.md sections 2.1, 2.3)."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .content import Json
from .steps import Step, decode_steps
from .usage import Usage, decode_usage

__all__ = ["RUNNING", "Interaction", "decode_interaction"]

RUNNING = frozenset({"queued", "in_progress"})


class Interaction(msgspec.Struct, frozen=True, kw_only=True):
    """One interaction as the server tells it; ``raw`` keeps all that has no field here.

    ``steps`` is empty in a stream's events: there the steps are assembled from deltas
    (:class:`~magic_ext.wire.assembly.Assembly`).
    """

    id: str = ""
    status: str = ""
    model: str = ""
    previous_interaction_id: str = ""
    steps: tuple[Step, ...] = ()
    usage: Usage = Usage()
    errors: tuple[Json, ...] = ()
    raw: Json = {}

    @property
    def legacy(self) -> bool:
        """Whether the server speaks the schema from before May 2026 (``outputs``, wire.md section 4.1)."""
        return "outputs" in self.raw and "steps" not in self.raw


def decode_interaction(raw: object) -> Interaction:
    """Read an interaction; missing or odd fields become their empty value.

    >>> decode_interaction({"id": "v1_a", "status": "completed", "steps": None}).steps
    ()
    """
    fields = dict(raw) if isinstance(raw, Mapping) else {}

    def text(key: str) -> str:
        value = fields.get(key)
        return value if isinstance(value, str) else ""

    errors = fields.get("errors")
    return Interaction(
        id=text("id"),
        status=text("status"),
        model=text("model"),
        previous_interaction_id=text("previous_interaction_id"),
        steps=decode_steps(fields.get("steps")),
        usage=decode_usage(fields.get("usage")),
        errors=tuple(error for error in errors if isinstance(error, dict)) if isinstance(errors, list) else (),
        raw=fields,
    )
