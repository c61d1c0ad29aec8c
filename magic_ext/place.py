"""Where a question goes, which model answers it, and where its code runs: decided before anything else.

A Gemini model answers at Google's endpoint, which needs a key. The embedded engine's models answer in this process.
The code of both can run on this computer: isolated (``local``), or in the user's own kernel.
"""

from __future__ import annotations

import difflib
from typing import Literal

import msgspec

from magic_ext.client.endpoint import Endpoint
from magic_ext.client.errors import KEY_HINT, NoKey
from magic_ext.engine.models.registry import OFFLINE_PLANNER, is_embedded
from magic_ext.errors import GeminiExecError
from magic_ext.options import Run

__all__ = ["DEFAULT_MODEL", "Place", "choose_place"]

DEFAULT_MODEL = "gemini-3-flash-preview"  # the guide's model; dated 2026-11-22


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A model, the endpoint that it is asked at (``None`` is the engine in this process), and where its code runs."""

    model: str
    endpoint: Endpoint | None = None
    run: Run = "google"

    @property
    def name(self) -> str:
        """The place's name in the manifest."""
        return self.endpoint.host if self.endpoint is not None else "this computer"

    @property
    def runs_by_call(self) -> bool:
        """Whether whoever asks runs the code, because the model's server can't: it asks for that by a function call."""
        return self.run == "kernel" or (self.run == "local" and self.endpoint is not None)


def choose_place(*, model: str, run: str, endpoint: Endpoint | None) -> Place:
    """Decide; ``model`` and ``run`` are ``""`` where nobody has named one, ``endpoint`` is ``None`` without a key.

    Raises :class:`NoKey` for a Gemini model without a key, :class:`GeminiExecError` for what does not go together.

    >>> choose_place(model="", run="", endpoint=None).model
    'offline-planner'
    """
    if not model:
        here = endpoint is None and run != "google"
        model = OFFLINE_PLANNER if here else DEFAULT_MODEL
    if model != OFFLINE_PLANNER and difflib.get_close_matches(model, [OFFLINE_PLANNER], cutoff=0.75):
        raise GeminiExecError(f"There is no model {model!r}.", hint=f"Did you mean {OFFLINE_PLANNER}?")
    if is_embedded(model):
        if run == "google":
            raise GeminiExecError(f"{model} runs on this computer, not at Google.", hint="Leave out --run google.")
        return Place(model=model, run=_here(run) or "local")
    if endpoint is None:
        raise NoKey(f"{model} needs an API key.", hint=KEY_HINT)
    return Place(model=model, endpoint=endpoint, run=_here(run) or "google")


def _here(run: str) -> Literal["local", "kernel", ""]:
    return "local" if run == "local" else "kernel" if run == "kernel" else ""
