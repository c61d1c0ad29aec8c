"""Where a question goes and which model answers it: decided from cell, traits and key, before anything else.

A Gemini model answers at Google's endpoint, which needs a key. The embedded engine's models answer in this process.
"""

from __future__ import annotations

import difflib

import msgspec

from magic_ext.client.endpoint import Endpoint
from magic_ext.client.errors import KEY_HINT, NoKey
from magic_ext.engine.models.registry import OFFLINE_PLANNER, is_embedded
from magic_ext.errors import GeminiExecError

__all__ = ["DEFAULT_MODEL", "Place", "choose_place"]

DEFAULT_MODEL = "gemini-3-flash-preview"  # the guide's model; dated 2026-11-22


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A model, and the endpoint that it is asked at; ``None`` is the engine in this process."""

    model: str
    endpoint: Endpoint | None = None

    @property
    def name(self) -> str:
        """The place's name in the manifest."""
        return self.endpoint.host if self.endpoint is not None else "this computer"


def choose_place(*, model: str, run: str, endpoint: Endpoint | None) -> Place:
    """Decide; ``model`` and ``run`` are ``""`` where nobody has named one, ``endpoint`` is ``None`` without a key.

    Raises :class:`NoKey` for a Gemini model without a key, :class:`GeminiExecError` for what does not go together.

    >>> choose_place(model="", run="", endpoint=None).model
    'offline-planner'
    """
    if not model:
        here = run == "local" or (endpoint is None and run != "google")
        model = OFFLINE_PLANNER if here else DEFAULT_MODEL
    if model != OFFLINE_PLANNER and difflib.get_close_matches(model, [OFFLINE_PLANNER], cutoff=0.75):
        raise GeminiExecError(f"There is no model {model!r}.", hint=f"Did you mean {OFFLINE_PLANNER}?")
    if is_embedded(model):
        if run == "google":
            raise GeminiExecError(f"{model} runs on this computer, not at Google.", hint="Leave out --run google.")
        return Place(model=model)
    if run == "local":
        raise GeminiExecError(
            f"{model} runs its code in Google's sandbox.", hint=f"Leave out --run local, or use -m {OFFLINE_PLANNER}."
        )
    if endpoint is None:
        raise NoKey(f"{model} needs an API key.", hint=KEY_HINT)
    return Place(model=model, endpoint=endpoint)
