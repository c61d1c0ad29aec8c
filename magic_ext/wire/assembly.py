"""Steps assembled from a stream's deltas, by the rules of wire.md section 3.3.

Steps are kept as the JSON that the server would have sent in a unary reply, so that nothing unknown is lost, and are
given their types when they are read.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from .content import Json
from .events import Event, StepDelta, StepStart, StepStop
from .steps import Step, decode_step

__all__ = ["Assembly"]

_MEDIA = frozenset({"image", "audio", "video", "document"})


class _Growing:
    """One step under way. Long texts are kept as pieces and joined when somebody looks."""

    def __init__(self, start: Json) -> None:
        self.step = dict(start)
        self.done = False
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
        _append_text(_blocks(self.step, "content"), text)

    def to_summary(self, text: str) -> None:
        _append_text(_blocks(self.step, "summary"), text)

    def to_result(self, text: str) -> None:
        before = self.step.get("result")
        if isinstance(before, list):
            before.append({"type": "text", "text": text})
        else:
            self.step["result"] = (before or "") + text

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

    def apply(self, event: Event) -> int | None:
        """Take one event; returns the index of the step that it changed, or ``None``."""
        match event:
            case StepDelta(index, delta):
                growing = self._growing.get(index)
                if growing is None:  # a delta whose start was lost: its type tells what it belongs to
                    growing = self._growing[index] = _Growing({"type": _home(delta)})
                _grow(growing, delta)
                return index
            case StepStart(index, step):
                self._growing[index] = _Growing(step)
                return index
            case StepStop(index) if index in self._growing:
                self._close(self._growing[index])
                return index
        return None

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
        """All steps as JSON, with every field that came: what a history sends back."""
        for growing in self._growing.values():
            growing.flush()
        return tuple(self._growing[index].step for index in self.indices)

    def _close(self, growing: _Growing) -> None:
        growing.flush()
        growing.done = True
        arguments = growing.step.get("arguments")
        if isinstance(arguments, str):
            try:
                parsed = msgspec.json.decode(arguments or "{}")
            except msgspec.DecodeError:
                return  # kept as it came; the typed step then has no arguments
            if isinstance(parsed, dict):
                growing.step["arguments"] = parsed


def _grow(growing: _Growing, delta: Json) -> None:
    kind = delta.get("type")
    if kind == "text" and isinstance(delta.get("text"), str):
        growing.append(delta["text"], growing.to_text)
        return
    if kind == "arguments_delta" and isinstance(delta.get("arguments"), str):
        growing.append(delta["arguments"], growing.to_arguments)
        return
    if kind == "thought_summary" and _plain_text(delta.get("content")):
        growing.append(delta["content"]["text"], growing.to_summary)
        return
    if kind == "code_execution_result" and isinstance(delta.get("result"), str):
        growing.append(delta["result"], growing.to_result)
        delta = {key: value for key, value in delta.items() if key != "result"}
    growing.flush()
    _merge(growing.step, delta, str(kind))


def _merge(step: Json, delta: Json, kind: str) -> None:
    """Fold a delta that is no run of text into its step."""
    if kind in _MEDIA:
        _blocks(step, "content").append(delta)
    elif kind in {"text_annotation_delta", "text_annotation"}:
        _annotate(step, delta.get("annotations"))
    elif kind == "thought_summary":
        _blocks(step, "summary").append(delta.get("content"))
    elif kind == "thought_signature":
        step["signature"] = delta.get("signature", "")
    elif kind == "code_execution_result" and isinstance(delta.get("result"), list):
        before = step.get("result")
        known = before if isinstance(before, list) else [{"type": "text", "text": before}] if before else []
        step.update(_without_type(delta), result=[*known, *delta["result"]])
    elif kind == "code_execution_call" and isinstance(delta.get("arguments"), dict):
        before = step.get("arguments")
        merged = (before if isinstance(before, dict) else {}) | delta["arguments"]
        step.update(_without_type(delta), arguments=merged)
    elif kind == step.get("type"):
        step.update(_without_type(delta))
    else:
        step.setdefault("unknown_deltas", []).append(delta)


def _annotate(step: Json, annotations: object) -> None:
    """Extend the last text's annotations; servers send them cumulatively at times, so equal ones are dropped."""
    blocks = _blocks(step, "content")
    texts = [block for block in blocks if isinstance(block, dict) and block.get("type") == "text"]
    if not texts or not isinstance(annotations, list):
        return
    before = texts[-1].get("annotations") or []
    texts[-1]["annotations"] = [*before, *(new for new in annotations if new not in before)]


def _append_text(blocks: list[object], text: str) -> None:
    last = blocks[-1] if blocks else None
    if isinstance(last, dict) and last.get("type") == "text":
        blocks[-1] = last | {"text": str(last.get("text") or "") + text}
    else:
        blocks.append({"type": "text", "text": text})


def _blocks(step: Json, key: str) -> list[object]:
    blocks = step.get(key)
    step[key] = list(blocks) if isinstance(blocks, list) else []
    found: list[object] = step[key]
    return found


def _plain_text(content: object) -> bool:
    return isinstance(content, dict) and content.get("type", "text") == "text" and isinstance(content.get("text"), str)


def _without_type(delta: Json) -> Json:
    return {key: value for key, value in delta.items() if key != "type"}


def _home(delta: Json) -> str:
    kind = str(delta.get("type", ""))
    if kind.startswith("thought"):
        return "thought"
    if kind == "arguments_delta":
        return "function_call"
    return "model_output" if kind in _MEDIA | {"text", "text_annotation", "text_annotation_delta"} else kind
