"""Steps assembled from a stream's deltas, by the rules of wire.md section 3.3.

Steps are kept as the JSON that the server would have sent in a unary reply, so that nothing unknown is lost, and are
given their types when they are read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .content import Json
from .events import Event, StepDelta, StepStart, StepStop
from .steps import Step, decode_step, parsed_arguments

__all__ = ["Assembly"]

_MEDIA = frozenset({"image", "audio", "video", "document"})


class _Growing:
    """One step under way. Long texts are kept as pieces and joined when somebody looks."""

    def __init__(self, start: Json) -> None:
        self.step = dict(start)  # its lists and blocks are the event's own: they are replaced, never changed
        self.done = False
        self.unknown: list[Json] = []
        self._pieces: list[str] = []
        self._settle: Callable[[str], None] | None = None

    def append(self, piece: str, settle: Callable[[str], None]) -> None:
        """Add a piece to the text that ``settle`` stores; pieces for the same place are joined only once."""
        if self._settle is not None and self._settle != settle:
            self.flush()
        self._settle = settle
        self._pieces.append(piece)

    def flush(self) -> None:
        if self._settle is not None:
            text, settle = "".join(self._pieces), self._settle
            self._pieces, self._settle = [], None
            settle(text)

    # Where a run of pieces goes. Bound methods of one object compare equal, so a run of deltas shares one target.

    def to_text(self, text: str) -> None:
        self.step["content"] = _with_text(_blocks(self.step, "content"), text)

    def to_summary(self, text: str) -> None:
        self.step["summary"] = _with_text(_blocks(self.step, "summary"), text)

    def to_result(self, text: str) -> None:
        before = self.step.get("result")
        if before is None or isinstance(before, str):
            self.step["result"] = (before or "") + text
        else:
            self.step["result"] = _with_text(_blocks(self.step, "result"), text)

    def to_arguments(self, text: str) -> None:
        before = self.step.get("arguments")
        self.step["arguments"] = (before if isinstance(before, str) else "") + text


class Assembly:
    """The steps of one interaction as far as its events have told.

    >>> assembly = Assembly()
    >>> for piece in ("1, ", "2"):
    ...     changed = assembly.apply(StepDelta(0, {"type": "text", "text": piece}))
    >>> assembly.step(0).text
    '1, 2'
    """

    def __init__(self) -> None:
        self._growing: dict[int, _Growing] = {}
        self._first = 0  # the index of the first step of the interaction under way

    def apply(self, event: Event) -> int | None:
        """Take one event; returns the index of the step that it changed, or ``None``."""
        match event:
            case StepDelta(at, delta):
                index = self._first + at
                growing = self._growing.setdefault(index, _Growing({}))
                if not growing.step.get("type"):  # the start was lost: the delta tells what it belongs to
                    growing.step["type"] = _home(delta)
                _grow(growing, delta)
                return index
            case StepStart(at, step):
                self._growing[self._first + at] = _Growing(step)
                return self._first + at
            case StepStop(at) if self._first + at in self._growing:
                self._close(self._growing[self._first + at])
                return self._first + at
        return None

    def append(self, step: Json) -> int:
        """Put a step of the caller's own behind all others; returns its index.

        The events after it are those of another interaction, which counts its steps from 0 again.
        """
        index = max(self._growing, default=-1) + 1
        self._growing[index] = _Growing(step)
        self._growing[index].done = True
        self._first = index + 1
        return index

    def step(self, index: int) -> Step:
        """The step at ``index`` as it stands now; raises ``KeyError`` where none has begun."""
        growing = self._growing[index]
        growing.flush()
        return decode_step(growing.step)

    def done(self, index: int) -> bool:
        """Whether the step at ``index`` is whole."""
        return self._growing[index].done

    @property
    def indices(self) -> tuple[int, ...]:
        """The indices of the steps that have begun, in order."""
        return tuple(sorted(self._growing))

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in order."""
        return tuple(self.step(index) for index in self.indices)

    @property
    def raw_steps(self) -> tuple[Json, ...]:
        """All steps as JSON, with every field that came and no other: what a history sends back."""
        for growing in self._growing.values():
            growing.flush()
        return tuple(dict(self._growing[index].step) for index in self.indices)

    @property
    def unknown_deltas(self) -> tuple[tuple[int, Json], ...]:
        """The deltas that no rule covers, as they came, with the index of their step."""
        return tuple((index, delta) for index in self.indices for delta in self._growing[index].unknown)

    def _close(self, growing: _Growing) -> None:
        growing.flush()
        growing.done = True
        if "arguments" in growing.step:
            growing.step["arguments"] = parsed_arguments(growing.step["arguments"])


def _grow(growing: _Growing, delta: Json) -> None:
    """Fold a delta into its step: a run of text is put by, anything else is merged at once."""
    match delta:
        case {"type": "text", "text": str(piece)}:
            growing.append(piece, growing.to_text)
        case {"type": "arguments_delta", "arguments": str(piece)}:
            growing.append(piece, growing.to_arguments)
        case {"type": "thought_summary", "content": {"type": "text", "text": str(piece)}}:
            growing.append(piece, growing.to_summary)
        case {"type": "code_execution_call", "arguments": str(piece)}:
            growing.append(piece, growing.to_arguments)
            growing.step.update(_fields(delta, "arguments"))
        case {"type": "code_execution_result", "result": str(piece)}:
            growing.append(piece, growing.to_result)
            growing.step.update(_fields(delta, "result"))
        case _:
            growing.flush()
            if not _merge(growing.step, delta, str(delta.get("type", ""))):
                growing.unknown.append(delta)


def _merge(step: Json, delta: Json, kind: str) -> bool:
    """Fold a delta that is no run of text into its step; ``False`` where no rule covers it."""
    if kind in _MEDIA:
        _add_media(step, delta)
    elif kind in {"text_annotation_delta", "text_annotation"}:
        return _annotate(step, delta.get("annotations"))
    elif kind == "thought_summary":
        step["summary"] = [*_blocks(step, "summary"), *_blocks(delta, "content")]
    elif kind == "thought_signature":
        step["signature"] = delta.get("signature") or ""
    elif kind == "code_execution_result" and isinstance(delta.get("result"), list):
        step.update(_fields(delta), result=[*_blocks(step, "result"), *delta["result"]])
    elif kind == "code_execution_call" and isinstance(delta.get("arguments"), dict):
        before = parsed_arguments(step.get("arguments"))
        merged = (before if isinstance(before, dict) else {}) | delta["arguments"]
        step.update(_fields(delta), arguments=merged)
    elif kind == step.get("type"):
        step.update(_fields(delta))
    else:
        return False
    return True


def _add_media(step: Json, delta: Json) -> None:
    # A figure may be a result too (wire.md section 2.5).
    place = "result" if step.get("type") == "code_execution_result" else "content"
    step[place] = [*_blocks(step, place), delta]


def _annotate(step: Json, annotations: object) -> bool:
    """Extend the last text's annotations; servers send them cumulatively at times, so equal ones are dropped."""
    blocks = list(_blocks(step, "content"))
    for position, block in reversed(list(enumerate(blocks))):
        if isinstance(block, dict) and block.get("type") == "text" and isinstance(annotations, list):
            before = _blocks(block, "annotations")
            blocks[position] = block | {"annotations": [*before, *(new for new in annotations if new not in before)]}
            step["content"] = blocks
            return True
    return False


def _with_text(blocks: list[Any], text: str) -> list[Any]:
    last = blocks[-1] if blocks else None
    if isinstance(last, dict) and last.get("type") == "text":
        return [*blocks[:-1], last | {"text": str(last.get("text") or "") + text}]
    return [*blocks, {"type": "text", "text": text}]


def _blocks(holder: Json, key: str) -> list[Any]:
    """What stands under ``key`` as a list of blocks: servers also send one block, or a plain string."""
    match holder.get(key):
        case list(blocks):
            return blocks
        case None | "":
            return []
        case str(text):
            return [{"type": "text", "text": text}]
        case block:
            return [block]


def _fields(delta: Json, *but: str) -> Json:
    """What a delta sets; a null sets nothing."""
    return {key: value for key, value in delta.items() if value is not None and key not in {"type", *but}}


def _home(delta: Json) -> str:
    kind = str(delta.get("type") or "")
    if kind.startswith("thought"):
        return "thought"
    if kind == "arguments_delta":
        return "function_call"
    return "model_output" if kind in _MEDIA | {"text", "text_annotation", "text_annotation_delta"} else kind
