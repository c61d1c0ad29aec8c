"""What one cell asks, where its conversation stands, and who watches: values, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from magic_ext.costs.budget import Budget
from magic_ext.engine.models.registry import OFFLINE_PLANNER, open_model
from magic_ext.errors import GeminiExecError
from magic_ext.place import Place
from magic_ext.references.attach import Binding
from magic_ext.references.grammar import Reference
from magic_ext.references.policy import Policy
from magic_ext.wire.content import Json
from magic_ext.wire.steps import Step

__all__ = ["Question", "Tip", "Watcher", "check"]


class Tip(msgspec.Struct, frozen=True, kw_only=True):
    """Where a conversation stands: its last interaction, who held it, and what was attached along the way.

    ``files`` counts the attachments, which Google's sandbox numbers over the whole conversation. ``history`` is the
    conversation itself where the server keeps nothing of it: its steps as they came, signatures included. Where the
    server keeps it, ``tokens`` is what it reads again of it with the next question.
    """

    interaction_id: str
    place: str
    history: tuple[Json, ...] = ()
    tokens: int = 0
    files: int = 0
    bindings: tuple[Binding, ...] = ()


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """All that one cell asks. ``references`` are those of the magic's line; the prompt's own are found in it.

    ``tip`` is the conversation that it continues; ``tools`` are names of the user's functions. With ``store`` the
    server keeps question and answer; in the ``background`` it works on whether or not somebody listens. ``budget`` is
    the cell's, ``session_budget`` what is left of the session's.
    """

    prompt: str
    place: Place
    references: tuple[Reference, ...] = ()
    policy: Policy
    tip: Tip | None = None
    code_execution: bool = True
    search: bool = False
    tools: tuple[str, ...] = ()
    thinking: str | None = None
    show_thoughts: bool = False
    system: str = ""
    stream: bool = True
    store: bool = True
    background: bool = False
    timeout: float = 120.0
    budget: Budget | None = None
    session_budget: Budget | None = None


class Watcher(Protocol):
    """What wants to see the course of a question; a renderer, mostly."""

    def update(self, index: int, snapshot: Callable[[], Step], done: bool) -> None:
        """The step at ``index`` has changed; ``snapshot`` gives it as it is now, at a cost."""

    def status(self, text: str) -> None:
        """What goes on now, for people."""


def check(question: Question) -> None:
    """Raise :class:`GeminiExecError` for what does not go together, before anything is made of it."""
    _check_tools(question)
    _check_kept(question)
    if question.place.endpoint is None:
        open_model(question.place.model)  # a missing script or address is told before anything is handed over


def _check_tools(question: Question) -> None:
    if question.search and question.place.endpoint is None:
        raise GeminiExecError(
            f"{question.place.model} can't search the web.", hint="Leave out --search, or ask a Gemini model with -m."
        )
    if question.tools and question.place.model == OFFLINE_PLANNER:
        raise GeminiExecError(
            f"{OFFLINE_PLANNER} calls no functions.", hint="Leave out --tool, or choose another model with -m."
        )


def _check_kept(question: Question) -> None:
    if question.background and not question.store:
        raise GeminiExecError(
            "A server that keeps nothing can't answer in the background.",
            hint="Leave out --background, or set GeminiExecMagics.store to True.",
        )
    if not question.store and question.tip is not None and question.tip.interaction_id:
        raise GeminiExecError(
            "The conversation so far is kept by the server alone, which is to keep nothing now.",
            hint="Leave out -c, or set GeminiExecMagics.store to True.",
        )
