"""Steps: the turns of an interaction (wire.md section 2.4).

Only the steps that this package acts on have a type of their own; every other survives as :class:`RawStep`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from .content import Content, Json, Text, decode_contents, encode_content, text_of

__all__ = [
    "CodeExecutionCall",
    "CodeExecutionResult",
    "FunctionCall",
    "FunctionResult",
    "ModelOutput",
    "RawStep",
    "Step",
    "Thought",
    "UserInput",
    "decode_step",
    "decode_steps",
    "encode_step",
    "output_text",
    "parsed_arguments",
]


class UserInput(msgspec.Struct, frozen=True):
    """What the user said, with what was attached."""

    content: tuple[Content, ...] = ()

    @property
    def text(self) -> str:
        """The text blocks, joined."""
        return text_of(self.content)


class ModelOutput(msgspec.Struct, frozen=True):
    """What the model answers: text, and the images that its code drew."""

    content: tuple[Content, ...] = ()
    error: Json | None = None

    @property
    def text(self) -> str:
        """The text blocks, joined."""
        return text_of(self.content)


class Thought(msgspec.Struct, frozen=True):
    """A thought: an opaque signature and, on request, a readable summary."""

    signature: str = ""
    summary: tuple[Content, ...] = ()

    @property
    def text(self) -> str:
        """The summary's text, joined."""
        return text_of(self.summary)


class CodeExecutionCall(msgspec.Struct, frozen=True):
    """Code that the model wrote, to be run."""

    id: str = ""
    code: str = ""
    language: str = "python"


class CodeExecutionResult(msgspec.Struct, frozen=True):
    """What the code printed. One call may have several results (wire.md section 8)."""

    call_id: str = ""
    content: tuple[Content, ...] = ()
    is_error: bool = False

    @property
    def text(self) -> str:
        """The printed text, joined."""
        return text_of(self.content)


class FunctionCall(msgspec.Struct, frozen=True):
    """The model asks for one of the user's functions."""

    id: str = ""
    name: str = ""
    arguments: Json = {}


class FunctionResult(msgspec.Struct, frozen=True):
    """What one of the user's functions returned; ``result`` is any JSON value."""

    call_id: str = ""
    name: str = ""
    result: Any = None
    is_error: bool = False


class RawStep(msgspec.Struct, frozen=True):
    """A step this package has no type for, as it came."""

    raw: Json

    @property
    def type(self) -> str:
        """The ``type`` it gave itself, or ``""``."""
        return str(self.raw.get("type", ""))


Step = (
    UserInput
    | ModelOutput
    | Thought
    | CodeExecutionCall
    | CodeExecutionResult
    | FunctionCall
    | FunctionResult
    | RawStep
)


def decode_step(raw: object) -> Step:
    """Turn one JSON step into a value; never raises.

    >>> decode_step({"type": "code_execution_call", "id": "c1", "arguments": {"code": "1+1"}})
    CodeExecutionCall(id='c1', code='1+1', language='python')
    >>> decode_step({"type": "telepathy"}).type
    'telepathy'
    """
    if not isinstance(raw, Mapping):
        return RawStep({"value": raw})
    step = dict(raw)
    match step.get("type"):
        case "user_input":
            return UserInput(decode_contents(step.get("content")))
        case "model_output":
            error = step.get("error")
            return ModelOutput(decode_contents(step.get("content")), error if isinstance(error, dict) else None)
        case "thought":
            return Thought(_string(step.get("signature")), decode_contents(step.get("summary")))
        case "code_execution_call":
            return _call(step)
        case "code_execution_result":
            return CodeExecutionResult(
                _string(step.get("call_id")), decode_contents(step.get("result")), step.get("is_error") is True
            )
        case "function_call":
            arguments = parsed_arguments(step.get("arguments"))
            return FunctionCall(
                _string(step.get("id")), _string(step.get("name")), arguments if isinstance(arguments, dict) else {}
            )
        case "function_result":
            return FunctionResult(
                _string(step.get("call_id")),
                _string(step.get("name")),
                step.get("result"),
                step.get("is_error") is True,
            )
        case _:
            return RawStep(step)


def decode_steps(raw: object) -> tuple[Step, ...]:
    """Decode a list of steps; anything that is not a list is no steps."""
    return tuple(decode_step(step) for step in raw) if isinstance(raw, (list, tuple)) else ()


def encode_step(step: Step) -> Json:
    """The JSON object of a step, as a server sends it and a history returns it.

    >>> encode_step(CodeExecutionResult("c1", (Text("2"),)))
    {'type': 'code_execution_result', 'call_id': 'c1', 'result': '2', 'is_error': False}
    """
    match step:
        case RawStep(raw):
            return raw
        case UserInput(content):
            return {"type": "user_input", "content": [encode_content(block) for block in content]}
        case ModelOutput(content, error):
            extra: Json = {"error": error} if error else {}
            return {"type": "model_output", "content": [encode_content(block) for block in content], **extra}
        case Thought(signature, summary):
            return {"type": "thought", "signature": signature, "summary": [encode_content(block) for block in summary]}
        case CodeExecutionCall(id, code, language):
            return {"type": "code_execution_call", "id": id, "arguments": {"code": code, "language": language}}
        case CodeExecutionResult(call_id, content, is_error):
            return {
                "type": "code_execution_result",
                "call_id": call_id,
                "result": _result(content),
                "is_error": is_error,
            }
        case FunctionCall(id, name, arguments):
            return {"type": "function_call", "id": id, "name": name, "arguments": arguments}
        case FunctionResult(call_id, name, result, is_error):
            return {
                "type": "function_result",
                "call_id": call_id,
                "name": name,
                "result": result,
                "is_error": is_error,
            }


def output_text(steps: Iterable[Step]) -> str:
    """All text that the model answered with, one model step a paragraph."""
    return "\n\n".join(step.text for step in steps if isinstance(step, ModelOutput) and step.text)


def _call(step: Json) -> CodeExecutionCall:
    arguments = parsed_arguments(step.get("arguments"))
    if isinstance(arguments, str):  # the bare code
        arguments = {"code": arguments}
    if not isinstance(arguments, dict):
        arguments = {}
    return CodeExecutionCall(
        _string(step.get("id")), _string(arguments.get("code")), _string(arguments.get("language")) or "python"
    )


def parsed_arguments(arguments: object) -> object:
    """Arguments that came as a JSON text, as the object that it spells; anything else as it is (wire.md section 3.3).

    >>> parsed_arguments('{"city": "Bonn"}'), parsed_arguments("print(1)")
    ({'city': 'Bonn'}, 'print(1)')
    """
    if not isinstance(arguments, str):
        return arguments
    try:
        parsed = msgspec.json.decode(arguments or "{}")
    except (msgspec.DecodeError, ValueError, RecursionError):
        return arguments
    return parsed if isinstance(parsed, dict) else arguments


def _result(content: tuple[Content, ...]) -> str | list[Json]:
    # A string wherever it can be one: every SDK version reads it (wire.md section 2.5).
    if all(isinstance(block, Text) for block in content):
        return text_of(content)
    return [encode_content(block) for block in content]


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
