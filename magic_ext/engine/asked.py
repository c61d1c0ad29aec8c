"""A request body, checked and read: what was asked (wire.md section 1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from magic_ext.engine.models.base import JsonFormat
from magic_ext.wire.content import Json, decode_content, decode_contents
from magic_ext.wire.steps import FunctionResult, RawStep, Step, UserInput, decode_step

from .errors import bad_request
from .formats import read_format

__all__ = ["Asked", "read_body"]

_FIELDS = frozenset(
    {
        *("model", "input", "tools", "generation_config", "system_instruction", "previous_interaction_id", "store"),
        *("stream", "background", "response_format", "labels", "service_tier", "safety_settings", "agent"),
        *("agent_config", "environment", "webhook_config", "continuation_token", "cached_content"),
        *("response_mime_type", "response_modalities"),
    }
)
_STEP_TYPES = frozenset(
    {
        *("user_input", "model_output", "thought", "code_execution_call", "code_execution_result"),
        *("function_call", "function_result", "google_search_call", "google_search_result"),
    }
)
_LABEL_LENGTH = 63


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One valid request. ``steps`` is the input in its one normal form, a list of steps."""

    model: str
    steps: tuple[Step, ...]
    tools: tuple[Json, ...] = ()
    system_instruction: str = ""
    previous_interaction_id: str = ""
    max_output_tokens: int | None = None
    response_format: JsonFormat | None = None
    thinking_summaries: bool = False
    labels: Mapping[str, str] = {}
    store: bool = True
    stream: bool = False
    background: bool = False

    @property
    def code_execution(self) -> bool:
        """Whether the request carried the tool that lets code run."""
        return any(tool.get("type") == "code_execution" for tool in self.tools)

    @property
    def functions(self) -> tuple[Json, ...]:
        """The declarations of the caller's own functions."""
        return tuple(tool for tool in self.tools if tool.get("type") == "function")


def read_body(body: object) -> Asked:
    """Check a decoded JSON body; raises :class:`~magic_ext.engine.errors.EngineError` in Google's words.

    >>> read_body({"model": "offline-planner", "input": "hi"}).steps
    (UserInput(content=(Text(text='hi', annotations=()),)),)
    """
    if not isinstance(body, dict):
        raise bad_request("The request body must be a JSON object.")
    for name in body:
        if name not in _FIELDS:
            raise bad_request(f"Unknown parameter '{name}'.", "parameter_unknown")
    if body.get("agent"):
        raise bad_request("Agents are not served here; name a 'model'.")
    generation = _typed(body, "generation_config", dict, {})
    asked = Asked(
        model=_typed(body, "model", str, "").removeprefix("models/"),
        steps=_steps(body.get("input")),
        tools=_tools(_typed(body, "tools", list, [])),
        system_instruction=_typed(body, "system_instruction", str, ""),
        previous_interaction_id=_typed(body, "previous_interaction_id", str, ""),
        max_output_tokens=_typed(generation, "max_output_tokens", int, None),
        response_format=read_format(body),
        thinking_summaries=generation.get("thinking_summaries") == "auto",
        labels=_labels(_typed(body, "labels", dict, {})),
        store=_typed(body, "store", bool, True),
        stream=_typed(body, "stream", bool, False),
        background=_typed(body, "background", bool, False),
    )
    if not asked.model:
        raise bad_request("The parameter 'model' is required.")
    if not asked.store and (asked.background or asked.previous_interaction_id):
        raise bad_request("'store': false excludes 'background' and 'previous_interaction_id'.")
    return asked


def _typed(fields: Json, name: str, kind: type, default: Any) -> Any:
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise bad_request(f"The value of '{name}' must be of type {kind.__name__}.")
    return value


def _labels(raw: Json) -> Json:
    """Labels as allowed: lowercase letters of any script, digits, ``_`` and ``-``; keys begin with a letter."""
    for key, value in raw.items():
        if not isinstance(value, str) or not key[:1].isalpha() or not (_is_label(key) and _is_label(value)):
            raise bad_request(
                f"The label '{key[:64]}' is not valid: keys and values have at most {_LABEL_LENGTH} lowercase letters, "
                "digits, '_' or '-', and a key starts with a letter."
            )
    return raw


def _is_label(text: str) -> bool:
    return len(text) <= _LABEL_LENGTH and all(
        mark in "_-" or (mark.isalnum() and mark == mark.lower()) for mark in text
    )


def _tools(raw: list[Any]) -> tuple[Json, ...]:
    known = {"code_execution", "function", "google_search"}
    for position, tool in enumerate(raw):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if not isinstance(kind, str) or kind not in known:
            raise bad_request(
                f"The value '{kind}' is not supported for 'type' at 'tools[{position}]'. "
                f"Supported here: {', '.join(sorted(known))}."
            )
    return tuple(raw)


def _steps(raw: object) -> tuple[Step, ...]:
    """The four shapes of ``input`` (wire.md section 1.2) as steps."""
    if isinstance(raw, str):
        steps: tuple[Step, ...] = (UserInput(decode_contents(raw)),)
    elif isinstance(raw, dict):
        steps = _from_list([raw])
    elif isinstance(raw, list):
        steps = _from_list(raw)
    else:
        raise bad_request("The parameter 'input' is required: a string, a content, or a list of contents or steps.")
    if not any(isinstance(step, UserInput | FunctionResult) for step in steps):
        raise bad_request("The parameter 'input' is empty.")
    if isinstance(steps[-1], UserInput) and not steps[-1].content:
        raise bad_request("The parameter 'input' is empty.")
    return steps


def _from_list(items: list[Any]) -> tuple[Step, ...]:
    for position, item in enumerate(items):
        if not isinstance(item, dict):
            raise bad_request(f"'input[{position}]' must be an object.")
    if any(item.get("type") in _STEP_TYPES for item in items):
        steps = tuple(decode_step(item) for item in items)
        for position, step in enumerate(steps):
            if isinstance(step, RawStep) and step.type not in _STEP_TYPES:
                raise bad_request(f"The value '{step.type}' is not supported for 'type' at 'input[{position}]'.")
        return steps
    return (UserInput(tuple(decode_content(item) for item in items)),)
