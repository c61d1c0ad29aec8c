"""The conversations of a notebook: which cell's turn follows which, kept by cell id over restarts of the kernel.

A cell that is run again replaces its own turn and keeps the parent of its first run, so that what follows it branches
from the new one. What is kept on disk names turns and references, and holds no value of anybody's data.
"""

from __future__ import annotations

import ast
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from magic_ext.ask import Tip
from magic_ext.errors import GeminiExecError
from magic_ext.private import write_private
from magic_ext.references.attach import Binding

__all__ = ["Conversations", "Position", "Turn", "gone_from"]

_WORDS = 60  # characters of a prompt by which a turn is recognised
_ANSWER = re.compile(r"v1_[\w-]{8,}")  # the name of an interaction (wire.md section 2), and of no thread
_TURNS = 1_000  # how many turns of a notebook are kept
_UNNAMED = "this kernel knows: the front end does not tell the notebook's name, so nothing is kept over a restart"


class Position(msgspec.Struct, frozen=True):
    """Where a question stands in the tree: its cell, the cell that it follows (``""`` for none), what ``-c`` gave.

    ``name`` is ``None`` where the cell did not ask to go on.
    """

    cell: str
    parent: str = ""
    name: str | None = None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One answered cell: where it stands, the name of the thread that it belongs to, and its conversation's tip.

    ``run`` names this run of the cell, ``after`` the run of the parent's that it followed. ``interrupted`` are
    the words of the cell's last run, if it was: the answer is then that of a run before, and without a ``run`` there is
    none.
    """

    position: Position
    thread: str = ""
    words: str = ""
    tip: Tip
    run: str = ""
    after: str = ""
    interrupted: str = ""

    @property
    def unanswered(self) -> bool:
        """Whether there is nothing to go on from."""
        return bool(self.interrupted) and not self.run


class Conversations:
    """The turns of one notebook, in the order of their last runs; written to ``file`` with each, if there is one."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lasting = file is not None
        self._turns: dict[str, Turn] = {turn.position.cell: turn for turn in _read(file)} if file else {}

    def position(self, cell: str, name: str | None, *, new: bool = False) -> Position:
        """Where the question of a cell goes: ``name`` is what ``-c`` gave, ``""`` for none, ``None`` without ``-c``.

        A name is a thread's, or that of an interaction to branch from.

        Raises :class:`GeminiExecError` where there is nothing to continue.
        """
        cell = cell or f"run {secrets.token_hex(6)}"  # a run of its own, also beside those of an earlier kernel
        if name is None or new:
            return Position(cell, name=name or None)
        own = self._turns.get(cell)
        if own is not None and own.position.name == name:
            return own.position
        last = self._answer(name) or self._last(name, without=cell)
        if last is None and (not name or _ANSWER.fullmatch(name)):
            raise self._nothing(name)
        return Position(cell, last.position.cell if last else "", name)

    def tip(self, position: Position) -> Tip | None:
        """Where the conversation stands that a question follows; ``None`` where it begins one.

        Raises :class:`GeminiExecError` where that was kept by a kernel that is gone.
        """
        if not position.parent:
            return None
        turn = self._turns.get(position.parent)
        if turn is None:
            raise GeminiExecError(
                "The answer that this cell continued is forgotten.", hint="Use --new, or leave out -c."
            )
        if not (turn.tip.interaction_id or turn.tip.history):
            raise GeminiExecError(
                "That conversation was kept by the kernel alone, which has been restarted.",
                hint="Run the cell before again, or leave out -c.",
            )
        return turn.tip

    def outdated(self, position: Position) -> Turn | None:
        """The first turn on the way to a question that went on from an answer which has been replaced since."""
        line = [self._turns[cell] for cell in self._upwards(position.parent)]
        return next((turn for turn in reversed(line) if self._left_behind(turn)), None)

    def remember(self, position: Position, tip: Tip, prompt: str) -> None:
        """Take the answer of a cell for its turn, instead of what stood there."""
        self._put(position, tip, prompt, run=secrets.token_hex(6))

    def interrupted(self, position: Position, place: str, prompt: str) -> None:
        """Note that the question of a cell to ``place`` was interrupted; an answer that the cell has stays its turn."""
        own = self._turns.get(position.cell)
        if own is None or own.unanswered:
            self._put(position, Tip(interaction_id="", place=place), prompt, run="")
            return
        self._turns[position.cell] = msgspec.structs.replace(own, interrupted=_words(prompt))
        self._write()

    def _put(self, position: Position, tip: Tip, prompt: str, *, run: str) -> None:
        self._turns.pop(position.cell, None)
        parent = self._turns.get(position.parent)
        named = "" if self._answer(position.name or "") else position.name
        self._turns[position.cell] = Turn(
            position=position,
            thread=named or (parent.thread if parent else ""),
            words=_words(prompt),
            tip=tip,
            run=run,
            after=parent.run if parent else "",
            interrupted="" if run else _words(prompt),
        )
        self._write()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the threads."""
        return tuple(dict.fromkeys(turn.thread for turn in self._answered if turn.thread))

    @property
    def _answered(self) -> list[Turn]:
        return [turn for turn in self._turns.values() if not turn.unanswered]

    def beginning(self, position: Position) -> str:
        """What to say of a name that is new among other answers: it may have been meant to go on from one of them."""
        name = position.name
        if not name or position.parent or name in self.names or not self._answered:
            return ""
        known = f"known: {', '.join(self.names)}" if self.names else "without a name, -c goes on from the last answer"
        return f"No conversation was called {name!r}: it begins here ({known})."

    def clear(self) -> None:
        """Forget all turns, on disk too."""
        self._turns.clear()
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def tree(self, *, ids: bool = False) -> str:
        """The turns as a tree, each below the one that it follows; the last one is marked, and those out of date.

        With ``ids`` each comes with the name that ``-c=`` takes to go on from it.

        >>> print(Conversations(Path("/nowhere/x.json")).tree())
        Nothing has been asked in this notebook yet.
        """
        if not self._turns:
            return f"Nothing has been asked in this notebook yet{'' if self._lasting else f', as far as {_UNNAMED}'}."
        last = next((turn.position.cell for turn in reversed(self._answered)), "")
        roots = [turn for turn in self._turns.values() if turn.position.parent not in self._turns]
        return "\n".join(line for root in roots for line in self._branch(root, "", last, ids))

    def _branch(self, turn: Turn, indent: str, last: str, ids: bool) -> Iterator[str]:
        stale = self._left_behind(turn) or self.outdated(turn.position)
        facts = [
            turn.tip.place,
            f"-c={turn.thread}" if turn.thread else "",
            "out of date: what it went on from was asked again; run this cell again" if stale else "",
            "interrupted, no answer" if turn.unanswered else "",
            f"interrupted when it asked {turn.interrupted!r}" if turn.interrupted and turn.run else "",
            "← last" if turn.position.cell == last else "",
        ]
        yield f"{indent}{turn.words}  ({', '.join(filter(None, facts))})"
        if ids and turn.tip.interaction_id:
            yield f"{indent}  -c={turn.tip.interaction_id}"
        for child in [other for other in self._turns.values() if other.position.parent == turn.position.cell]:
            yield from self._branch(child, f"{indent}  ", last, ids)

    def _nothing(self, name: str) -> GeminiExecError:
        """The error where there is nothing to continue: what can be done depends on whether turns outlive a kernel."""
        if name and self._answered:
            return GeminiExecError(
                f"There is no answer {name} here.", hint="%gemini history ids lists those there are."
            )
        if self._lasting:
            return GeminiExecError("There is no answer yet to continue.", hint="Ask without -c first.")
        return GeminiExecError(
            f"There is no answer yet to continue, as far as {_UNNAMED}.",
            hint="Run the cells before it again, then this one: recorded answers come back without being asked for.",
        )

    def _left_behind(self, turn: Turn) -> bool:
        """Whether the cell that a turn follows has been run again since."""
        parent = self._turns.get(turn.position.parent)
        return parent is not None and parent.run != turn.after

    def _answer(self, name: str) -> Turn | None:
        """The turn whose interaction has this name."""
        return next((turn for turn in self._turns.values() if name and turn.tip.interaction_id == name), None)

    def _last(self, name: str, *, without: str) -> Turn | None:
        """The newest turn of a thread that does not itself follow the cell ``without``."""
        for turn in reversed(self._answered):
            if (not name or turn.thread == name) and without not in self._upwards(turn.position.cell):
                return turn
        return None

    def _upwards(self, cell: str) -> Iterator[str]:
        """A cell that has a turn, the one that it follows, and so on up to the root."""
        seen: set[str] = set()
        while cell in self._turns and cell not in seen:
            seen.add(cell)
            yield cell
            cell = self._turns[cell].position.parent

    def _write(self) -> None:
        if self._file is None:
            return
        kept = [msgspec.structs.replace(turn, tip=_on_disk(turn.tip)) for turn in self._turns.values()][-_TURNS:]
        try:
            write_private(self._file, msgspec.json.encode(kept))
        except OSError:  # a full or read-only disk: then they last as long as the kernel
            self._file = None


def _words(prompt: str) -> str:
    words = " ".join(prompt.split())
    return words if len(words) <= _WORDS else f"{words[: _WORDS - 1]}…"


def _on_disk(tip: Tip) -> Tip:
    """What is kept of a tip: names, and no value, which code may quote."""
    bindings = tuple(msgspec.structs.replace(binding, sheet=None) for binding in tip.bindings)
    return msgspec.structs.replace(tip, history=(), runner=None, code=(), bindings=bindings)


def _read(file: Path) -> list[Turn]:
    try:
        return msgspec.json.decode(file.read_bytes(), type=list[Turn])
    except (OSError, msgspec.MsgspecError):  # not there, or of another version
        return []


def gone_from(bindings: tuple[Binding, ...], namespace: Mapping[str, Any]) -> list[str]:
    """The variables that a conversation speaks of and the session does not have (any more).

    >>> gone_from((Binding(name="sales", expression="frames['sales']"),), {})
    ['frames']
    """
    roots = (_root(binding.expression) for binding in bindings)
    return list(dict.fromkeys(root for root in roots if root and root not in namespace))


def _root(expression: str) -> str:
    try:
        names = [node.id for node in ast.walk(ast.parse(expression, mode="eval")) if isinstance(node, ast.Name)]
    except SyntaxError:
        return ""
    return names[0] if names else ""
