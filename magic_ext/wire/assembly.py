"""Steps assembled from a stream's deltas, by the rules of wire.md section 3.3, in time linear in the stream.

Steps are kept as the JSON that the server would have sent in a unary reply, so that nothing unknown is lost, and are
given their types when they are read.
"""

from __future__ import annotations

from typing import Any

import msgspec

from .content import Json
from .events import Event, StepDelta, StepStart, StepStop
from .steps import Step, decode_step, parsed_arguments

__all__ = ["Assembly"]

_MEDIA = frozenset({"image", "audio", "video", "document"})


# What an event brought is the event's own and never changed: what grows stands in one of these instead.


class _Pieces(list[str]):
    """A text that grows; joined when somebody looks."""

    def plain(self) -> str:
        self[:] = ["".join(self)]
        return self[0]


class _Merged(Json):
    """An object that grows by fields."""

    def plain(self) -> Json:
        return dict(self)


class _Annotations(list[Any]):
    """Citations that grow; servers send them cumulatively at times, so equal ones are dropped."""

    def __init__(self, annotations: list[Any]) -> None:
        super().__init__(annotations)
        self._known = set(map(_identity, annotations))

    def add(self, annotations: list[Any]) -> None:
        for new in annotations:
            identity = _identity(new)
            if identity not in self._known:
                self._known.add(identity)
                self.append(new)

    def plain(self) -> list[Any]:
        return list(self)


class _Blocks(list[Any]):
    """Content blocks that grow: by blocks, and the last text also by pieces and citations."""

    def __init__(self, blocks: list[Any]) -> None:
        super().__init__()
        self._text: int | None = None  # where the last text stands
        self.add(blocks)

    def add(self, blocks: list[Any]) -> None:
        for block in blocks:
            if isinstance(block, dict) and block.get("type") == "text":
                self._text = len(self)
            self.append(block)

    def say(self, piece: str) -> None:
        if self._text is None or self._text < len(self) - 1:
            self.add([{"type": "text", "text": ""}])
        block = self._growing()
        if not isinstance(block.get("text"), _Pieces):
            block["text"] = _Pieces([str(block.get("text") or "")])
        block["text"].append(piece)

    def annotate(self, annotations: list[Any]) -> bool:
        """Extend the last text's annotations; ``False`` where there is no text."""
        if self._text is None:
            return False
        block = self._growing()
        if not isinstance(block.get("annotations"), _Annotations):
            block["annotations"] = _Annotations(_as_blocks(block.get("annotations")))
        block["annotations"].add(annotations)
        return True

    def _growing(self) -> _Merged:
        at = self._text or 0
        if not isinstance(self[at], _Merged):
            self[at] = _Merged(self[at])
        block: _Merged = self[at]
        return block

    def plain(self) -> list[Any]:
        return [_plain_object(block) if isinstance(block, _Merged) else block for block in self]


class _Growing:
    """One step under way."""

    def __init__(self, start: Json) -> None:
        self.step = dict(start)
        self.done = False
        self.unknown: list[Json] = []

    def text(self, key: str) -> _Pieces:
        """The text under ``key``, to be appended to; anything else there is replaced."""
        held = self.step.get(key)
        if not isinstance(held, _Pieces):
            held = self.step[key] = _Pieces([held] if isinstance(held, str) else [])
        return held

    def blocks(self, key: str) -> _Blocks:
        """The blocks under ``key``, to be added to: servers also send one block, or a plain string."""
        held = self.step.get(key)
        if not isinstance(held, _Blocks):
            held = self.step[key] = _Blocks(_as_blocks(_plain(held)))
        return held

    def arguments(self) -> _Merged:
        """The arguments, to be merged into; a JSON text that came before counts as the object that it spells."""
        held = self.step.get("arguments")
        if not isinstance(held, _Merged):
            before = parsed_arguments(_plain(held))
            held = self.step["arguments"] = _Merged(before if isinstance(before, dict) else {})
        return held

    def print(self, piece: str) -> None:
        """Append to what code printed, which is a text until a picture or another block comes."""
        if isinstance(self.step.get("result"), _Pieces | str | None):
            self.text("result").append(piece)
        else:
            self.blocks("result").say(piece)

    def close(self) -> None:
        """The step is whole; a second stop says nothing new."""
        if not self.done and "arguments" in self.step:
            self.step["arguments"] = parsed_arguments(_plain(self.step["arguments"]))
        self.done = True

    def plain(self) -> Json:
        """The step as it stands, in lists and objects that nobody changes."""
        return _plain_object(self.step)


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
                self._growing[self._first + at].close()
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
        return decode_step(self._growing[index].plain())

    def kind(self, index: int) -> str:
        """The type of the step at ``index``, which costs nothing; raises ``KeyError`` where none has begun."""
        return str(self._growing[index].step.get("type") or "")

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
        return tuple(self._growing[index].plain() for index in self.indices)

    @property
    def unknown_deltas(self) -> tuple[tuple[int, Json], ...]:
        """The deltas that no rule covers, as they came, with the index of their step."""
        return tuple((index, delta) for index in self.indices for delta in self._growing[index].unknown)


def _grow(growing: _Growing, delta: Json) -> None:
    """Fold a delta into its step."""
    match delta:
        case {"type": "text", "text": str(piece)}:
            growing.blocks("content").say(piece)
        case {"type": "arguments_delta", "arguments": str(piece)}:
            growing.text("arguments").append(piece)
        case {"type": "thought_summary", "content": {"type": "text", "text": str(piece)}}:
            growing.blocks("summary").say(piece)
        case {"type": "code_execution_call", "arguments": str(piece)}:
            growing.text("arguments").append(piece)
            growing.step.update(_fields(delta, "arguments"))
        case {"type": "code_execution_call", "arguments": dict(arguments)}:
            growing.arguments().update(arguments)
            growing.step.update(_fields(delta, "arguments"))
        case {"type": "code_execution_result", "result": str(piece)}:
            growing.print(piece)
            growing.step.update(_fields(delta, "result"))
        case {"type": "code_execution_result", "result": list(blocks)}:
            growing.blocks("result").add(blocks)
            growing.step.update(_fields(delta, "result"))
        case _:
            if not _merge(growing, delta, str(delta.get("type", ""))):
                growing.unknown.append(delta)


def _merge(growing: _Growing, delta: Json, kind: str) -> bool:
    """Fold a delta that is no run of text into its step; ``False`` where no rule covers it."""
    if kind in _MEDIA:
        # A figure may be a result too (wire.md section 2.5).
        of_code = growing.step.get("type") == "code_execution_result"
        growing.blocks("result" if of_code else "content").add([delta])
    elif kind in {"text_annotation_delta", "text_annotation"}:
        annotations = delta.get("annotations")
        return isinstance(annotations, list) and growing.blocks("content").annotate(annotations)
    elif kind == "thought_summary":
        growing.blocks("summary").add(_as_blocks(delta.get("content")))
    elif kind == "thought_signature":
        growing.step["signature"] = delta.get("signature") or ""
    elif kind == growing.step.get("type"):
        growing.step.update(_fields(delta))
    else:
        return False
    return True


def _as_blocks(value: object) -> list[Any]:
    match value:
        case list(blocks):
            return blocks
        case None | "":
            return []
        case str(text):
            return [{"type": "text", "text": text}]
        case block:
            return [block]


def _plain(value: Any) -> Any:
    return value.plain() if isinstance(value, _Pieces | _Merged | _Annotations | _Blocks) else value


def _plain_object(growing: Json) -> Json:
    return {key: _plain(value) for key, value in growing.items()}


def _identity(annotation: object) -> object:
    """What equal citations have in common; one that can't be written down is like no other."""
    try:
        return msgspec.json.encode(annotation, order="sorted")
    except (ValueError, OverflowError, RecursionError):
        return object()


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
