"""The steps of one turn, written as events into its job while they happen."""

from __future__ import annotations

import base64
import uuid

import msgspec

from magic_ext.wire.content import Json, Text
from magic_ext.wire.steps import (
    CodeExecutionCall,
    CodeExecutionResult,
    FunctionCall,
    ModelOutput,
    Step,
    Thought,
    encode_step,
)

from .jobs import Job

__all__ = ["Transcript"]


class Transcript:
    """Writes steps; ``steps`` are those of this turn so far, in the form that a model is shown."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._index = -1
        self._open = ""  # the type of the step under way, "" when none is
        self._pieces: list[str] = []
        self._steps: list[Step] = []

    @property
    def steps(self) -> tuple[Step, ...]:
        """The whole steps so far."""
        return tuple(self._steps)

    def text(self, piece: str) -> None:
        """Add to the answer's text."""
        if self._open != "model_output":
            self._start({"type": "model_output"})
        self._pieces.append(piece)
        self._delta({"type": "text", "text": piece})

    def thought(self, piece: str) -> None:
        """Add to a readable thought."""
        if self._open != "thought":
            self._start({"type": "thought"})
        self._pieces.append(piece)
        self._delta({"type": "thought_summary", "content": {"type": "text", "text": piece}})

    def image(self, data: bytes, mime_type: str) -> None:
        """Add a picture, as a model output of its own: there every SDK finds it (wire.md section 2.5)."""
        self._start({"type": "model_output"})
        encoded = base64.b64encode(data).decode("ascii")
        self._delta({"type": "image", "data": encoded, "mime_type": mime_type})
        self.close()

    def call(self, code: str) -> str:
        """Announce code that is going to run; returns the call's id."""
        call = CodeExecutionCall(f"code_{uuid.uuid4().hex[:12]}", code)
        self._start({"type": "code_execution_call", "id": call.id})
        self._delta({"type": "code_execution_call", "arguments": {"code": code, "language": "python"}})
        self._end(call)
        return call.id

    def result_start(self, call_id: str) -> None:
        """Begin the result of a call; pieces follow as they are printed."""
        self._start({"type": "code_execution_result", "call_id": call_id, "result": ""})

    def result_piece(self, piece: str) -> None:
        """Add printed text to the result under way."""
        self._pieces.append(piece)
        self._delta({"type": "code_execution_result", "result": piece})

    def result_end(self, call_id: str, is_error: bool) -> None:
        """Close the result; ``is_error`` when the code failed."""
        self._delta({"type": "code_execution_result", "result": "", "is_error": is_error})
        text = "".join(self._pieces)
        self._end(CodeExecutionResult(call_id, (Text(text),) if text else (), is_error))

    def function_call(self, name: str, arguments: Json) -> None:
        """Ask for one of the caller's functions; the arguments stream as text, as Google's do (wire.md section 3.3)."""
        call = FunctionCall(f"call_{uuid.uuid4().hex[:12]}", name, arguments)
        self._start({**encode_step(call), "arguments": {}})
        self._delta({"type": "arguments_delta", "arguments": msgspec.json.encode(arguments).decode()})
        self._end(call)

    def close(self) -> None:
        """End the step under way, if there is one."""
        text = (Text("".join(self._pieces)),) if self._pieces else ()
        if self._open == "model_output":
            self._end(ModelOutput(text))
        elif self._open == "thought":
            self._end(Thought("", text))

    def _start(self, step: Json) -> None:
        self.close()
        self._index += 1
        self._open = str(step["type"])
        self._job.emit({"event_type": "step.start", "index": self._index, "step": step})

    def _delta(self, delta: Json) -> None:
        self._job.emit({"event_type": "step.delta", "index": self._index, "delta": delta})

    def _end(self, step: Step) -> None:
        self._job.emit({"event_type": "step.stop", "index": self._index})
        self._steps.append(step)
        self._open, self._pieces = "", []
