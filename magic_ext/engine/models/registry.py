"""Which model answers to which name."""

from __future__ import annotations

from pathlib import Path

from magic_ext.errors import GeminiExecError

from .base import Model
from .scripted import PREFIX, ScriptedModel

__all__ = ["OFFLINE_PLANNER", "is_embedded", "open_model"]

OFFLINE_PLANNER = "offline-planner"


def is_embedded(name: str) -> bool:
    """Whether the embedded engine has a model of that name (a ``scripted:`` file may still be missing).

    >>> is_embedded("offline-planner"), is_embedded("scripted:talk.json"), is_embedded("gemini-3-flash-preview")
    (True, True, False)
    """
    return name == OFFLINE_PLANNER or name.startswith(PREFIX)


def open_model(name: str) -> Model:
    """The embedded model ``offline-planner`` or ``scripted:FILE``; raises :class:`GeminiExecError` for any other."""
    if name == OFFLINE_PLANNER:
        from .planner import OfflinePlanner

        return OfflinePlanner()
    if name.startswith(PREFIX):
        return ScriptedModel(Path(name.removeprefix(PREFIX)))
    raise GeminiExecError(
        f"The embedded engine has no model {name!r}.", hint=f"It has {OFFLINE_PLANNER} and {PREFIX}FILE."
    )
