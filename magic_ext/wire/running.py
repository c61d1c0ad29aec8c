"""Code that is run by whoever asks: the function ``run_python``, and its steps seen as steps of code execution."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from .content import Json, decode_contents
from .steps import CodeExecutionCall, CodeExecutionResult, FunctionCall, FunctionResult, Step

__all__ = ["RUN_PYTHON", "RUN_PYTHON_TOOL", "all_as_code", "as_code"]

RUN_PYTHON = "run_python"

RUN_PYTHON_TOOL: Json = {
    "type": "function",
    "name": RUN_PYTHON,
    "description": "Run Python code in the user's session, where the data are. Returns what it printed, its figures, "
    "or its error. Variables stay from call to call.",
    "parameters": {
        "type": "object",
        "properties": {"code": {"type": "string", "description": "A whole block of Python."}},
        "required": ["code"],
    },
}


def as_code(step: Step) -> Step:
    """The step as one of code execution if it is a call or result of ``run_python``, else as it is.

    >>> as_code(FunctionCall("f1", "run_python", {"code": "1 + 1"}))
    CodeExecutionCall(id='f1', code='1 + 1', language='python')
    """
    match step:
        case FunctionCall(id, "run_python", arguments):
            code = arguments.get("code")
            return CodeExecutionCall(id, code if isinstance(code, str) else "")
        case FunctionResult(call_id, "run_python", result, is_error):
            content = decode_contents(result) if isinstance(result, str | list) else ()
            return CodeExecutionResult(call_id, content, is_error)
    return step


def all_as_code(steps: Iterable[Step]) -> tuple[Step, ...]:
    """The steps of a conversation, each by :func:`as_code`; a result may leave out the name of its function.

    >>> [type(step).__name__ for step in all_as_code([FunctionCall("f1", "run_python"), FunctionResult("f1")])]
    ['CodeExecutionCall', 'CodeExecutionResult']
    """
    known: set[str] = set()
    seen: list[Step] = []
    for step in steps:
        if isinstance(step, FunctionCall) and step.name == RUN_PYTHON:
            known.add(step.id)
        unnamed = isinstance(step, FunctionResult) and not step.name and step.call_id in known
        seen.append(as_code(msgspec.structs.replace(step, name=RUN_PYTHON) if unnamed else step))
    return tuple(seen)
