"""What one cell asks, where its conversation stands, and who watches: values, checked before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import msgspec

from magic_ext.client.recordings import Recordings
from magic_ext.costs.budget import Budget
from magic_ext.engine.models.registry import OFFLINE_PLANNER, open_model
from magic_ext.errors import GeminiExecError
from magic_ext.place import Place
from magic_ext.references.attach import Binding
from magic_ext.references.grammar import Reference
from magic_ext.references.policy import Policy
from magic_ext.references.screen import Screen
from magic_ext.runtime.limits import Limits
from magic_ext.wire.content import Json
from magic_ext.wire.running import RUN_PYTHON
from magic_ext.wire.steps import Step

from .running import Runner

__all__ = ["Cache", "CacheUse", "Question", "Tip", "Watcher", "check"]

CacheUse = Literal["use", "only", "refresh", "off"]


class Tip(msgspec.Struct, frozen=True, kw_only=True):
    """Where a conversation stands: its last interaction, who held it, and what was attached along the way.

    ``files`` counts the attachments, which Google's sandbox numbers over the whole conversation. ``history`` is the
    conversation itself, its steps as they came, signatures included: it goes out where the server keeps nothing, where
    the answer was ``replayed``, and where the server has forgotten it. Where the server
    keeps it, ``tokens`` is what it reads again of it with the next question. ``runner`` has the variables of the code
    that ran on this computer for it; with ``withheld`` nothing that such code prints goes to the model. By ``key``
    recorded answers to a next question are found. ``code`` are the blocks that worked so far.
    """

    interaction_id: str
    place: str
    history: tuple[Json, ...] = ()
    tokens: int = 0
    files: int = 0
    bindings: tuple[Binding, ...] = ()
    runner: Runner | None = None
    withheld: bool = False
    key: str = ""
    replayed: bool = False
    code: tuple[str, ...] = ()

    @property
    def resent(self) -> bool:
        """Whether the conversation itself goes out with the next question, and not its name."""
        return bool(self.history) and (self.replayed or not self.interaction_id)


class Cache(msgspec.Struct, frozen=True, kw_only=True):
    """What a cell may do with recorded answers: give them (``use``), give nothing else (``only``), ask anew and record
    (``refresh``), or neither (``off``). ``cell`` names the cell to people.
    """

    use: CacheUse = "off"
    recordings: Recordings | None = None
    cell: str = "This cell"


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """All that one cell asks. ``references`` are those of the magic's line; the prompt's own are found in it.

    ``screen`` holds back what may not leave whatever the policies say; with ``allow_secrets`` what looks like a key
    may. ``tip`` is the conversation that it continues, ``begins`` the name of one that begins here; ``tools`` are names
    of the user's functions. With ``store`` the server keeps question and answer; in the ``background`` it works on
    whether or not somebody listens. ``budget`` is the cell's, ``session_budget`` what is left of the session's. A place
    without a model's name takes any model's recorded answer. ``limits`` hold for isolated code of this computer.
    """

    prompt: str
    place: Place
    references: tuple[Reference, ...] = ()
    policy: Policy
    screen: Screen = Screen()
    allow_secrets: bool = False
    tip: Tip | None = None
    begins: str = ""
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
    cache: Cache = Cache()
    limits: Limits = msgspec.field(default_factory=Limits)

    @property
    def runs_by_call(self) -> bool:
        """Whether the model's code runs on this computer because it calls a function for it."""
        return self.code_execution and self.place.runs_by_call


class Watcher(Protocol):
    """What wants to see the course of a question; a renderer, mostly."""

    def update(self, index: int, snapshot: Callable[[], Step], done: bool) -> None:
        """The step at ``index`` has changed; ``snapshot`` gives it as it is now, at a cost."""

    def status(self, text: str) -> None:
        """What goes on now, for people."""

    def flush(self) -> None:
        """Show all that has come: code is going to run, or to be asked about."""


def check(question: Question) -> None:
    """Raise :class:`GeminiExecError` for what does not go together, before anything is made of it."""
    _check_tools(question)
    _check_kept(question)
    if question.place.endpoint is None:
        open_model(question.place.asked_as)  # a missing script or address is told before anything is handed over


def _check_tools(question: Question) -> None:
    if question.search and question.place.endpoint is None:
        raise GeminiExecError(
            f"{question.place.model} can't search the web.", hint="Leave out --search, or ask a Gemini model with -m."
        )
    if RUN_PYTHON in question.tools and question.runs_by_call:
        raise GeminiExecError(
            f"The model runs its code here by a function of the name {RUN_PYTHON}.", hint="Give yours another name."
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
    if not question.store and question.tip is not None and question.tip.interaction_id and not question.tip.resent:
        raise GeminiExecError(
            "The conversation so far is kept by the server alone, which is to keep nothing now.",
            hint="Leave out -c, or set GeminiExecMagics.store to True.",
        )
