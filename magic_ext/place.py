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
from magic_ext.engine.models.registry import OFFLINE_PLANNER, addressed, is_embedded
from magic_ext.errors import GeminiExecError
from magic_ext.options import Run

__all__ = ["DEFAULT_MODEL", "HERE", "Place", "choose_place", "no_key"]

DEFAULT_MODEL = "gemini-3-flash-preview"  # the guide's model; dated 2026-11-22

HERE = "this computer"  # the place's name where the engine in this process answers
_GOOGLES = ("gemini", "gemma", "learnlm", "deep-research")


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A model, the endpoint that it is asked at (``None`` is the engine in this process), and where its code runs.

    The engine knows the model as ``asked_as``, which says where the server of a model of the user's own is.
    """

    model: str
    endpoint: Endpoint | None = None
    run: Run = "google"
    local_base_url: str = ""

    @property
    def name(self) -> str:
        """The place's name in the manifest."""
        return self.endpoint.host if self.endpoint is not None else HERE

    @property
    def asked_as(self) -> str:
        """The model's name, with its server's address where the user has set one."""
        return addressed(self.model, self.local_base_url)

    @property
    def runs_by_call(self) -> bool:
        """Whether whoever asks runs the code, because the model's server can't: it asks for that by a function call."""
        return self.run == "kernel" or (self.run == "local" and self.endpoint is not None)


def choose_place(*, model: str, run: str, endpoint: Endpoint | None, local_base_url: str = "") -> Place:
    """Decide; ``model`` and ``run`` are ``""`` where nobody has named one, ``endpoint`` is ``None`` without a key.
    ``local_base_url`` is where the server of an ``openai:`` model is, if that is not left to the environment.

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
        return Place(model=model, run=_here(run) or "local", local_base_url=local_base_url)
    if endpoint is None:
        raise no_key(model)
    return Place(model=model, endpoint=endpoint, run=_here(run) or "google")


def no_key(model: str) -> NoKey:
    """The error for a model that can't be asked without a key; a name that is not Google's may mean another server.

    >>> no_key("gpt-5").hint.partition(":")[0]
    'Write -m openai'
    """
    if model.removeprefix("models/").startswith(_GOOGLES):
        return NoKey(f"{model} needs an API key.", hint=KEY_HINT)
    return NoKey(
        f"{model} is no model of this computer, and for one of Google's there is no key.",
        hint=f"Write -m openai:{model} for a server of your own (%gemini models looks for one), or set GEMINI_API_KEY.",
    )


def _here(run: str) -> Literal["local", "kernel", ""]:
    return "local" if run == "local" else "kernel" if run == "kernel" else ""
