"""``scripted:FILE``: a model that replays a written dialogue. A declared mock, for tests and documentation.

The file is JSON: a list of turns, one for each question of a conversation; a turn is a list of replies, one for each
time the engine asks within it (again after every run of code or call of a function); a reply is a list of parts::

    [[[{"thought": "I look closer."}, {"text": "Zooming in."}, {"code": "print(6 * 7)"}],
      [{"text": "It is 42."}]]]

Parts are ``text``, ``thought``, ``code``, ``image`` (a path beside the file), ``function_call`` (``name``,
``arguments``) and ``error`` (a message: the model fails). The code really runs.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.wire.steps import CodeExecutionCall, FunctionCall, Step, UserInput

from . import base

__all__ = ["PREFIX", "ScriptedModel"]

PREFIX = "scripted:"
_Script = list[list[list[dict[str, Any]]]]


class ScriptedModel:
    """Replays the dialogue in ``path``; raises :class:`GeminiExecError` where there is none to read."""

    writes_json = True  # if its script does

    def __init__(self, path: Path) -> None:
        self.name = f"{PREFIX}{path}"
        self._folder = path.parent
        try:
            self._script = msgspec.json.decode(path.read_bytes(), type=_Script)
        except (OSError, msgspec.DecodeError) as error:
            raise GeminiExecError(
                f"The script {str(path)!r} can't be read ({error}).",
                hint="A script is JSON: a list of turns, each a list of replies, each a list of parts.",
            ) from error

    def reply(self, conversation: base.Conversation) -> Iterator[base.Part]:
        """The parts that the script holds for this turn and this time of asking; past its end, a text that says so."""
        turn, asked = _position(conversation.steps)
        try:
            parts = self._script[turn][asked]
        except IndexError:
            yield base.Text("The script ends here.")
            return
        for part in parts:
            yield self._part(part)

    def _part(self, part: dict[str, Any]) -> base.Part:
        match part:
            case {"text": str(text)}:
                return base.Text(text)
            case {"thought": str(text)}:
                return base.Thought(text)
            case {"code": str(code)}:
                return base.Code(code)
            case {"image": str(name)}:
                path = self._folder / name
                return base.Image(path.read_bytes(), mimetypes.guess_type(name)[0] or "image/png")
            case {"function_call": {"name": str(name), "arguments": dict(arguments)}}:
                return base.FunctionCall(name, arguments)
            case {"error": str(message)}:
                raise GeminiExecError(message, hint="The script asked for this error.")
        raise GeminiExecError(f"The script has a part that is none: {part!r}.", hint="See the module's documentation.")


def _position(steps: tuple[Step, ...]) -> tuple[int, int]:
    """Which turn this is, and how often the model was asked in it before."""
    starts = [position for position, step in enumerate(steps) if isinstance(step, UserInput)]
    since = steps[starts[-1] :] if starts else steps
    # Calls of functions side by side are one reply's.
    asked = [step for step, before in zip(since, (None, *since), strict=False) if not _together(before, step)]
    return max(0, len(starts) - 1), sum(isinstance(step, CodeExecutionCall | FunctionCall) for step in asked)


def _together(before: Step | None, step: Step) -> bool:
    return isinstance(before, FunctionCall) and isinstance(step, FunctionCall)
