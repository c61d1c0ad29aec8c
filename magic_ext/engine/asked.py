"""A request body, checked and read: what was asked (wire.md section 1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from magic_ext.engine.models.base import JsonFormat
from magic_ext.wire.content import Json, RawContent
from magic_ext.wire.steps import FunctionCall, FunctionResult, Step, UserInput, decode_step

from .errors import bad_request
from .fields import check_known, typed
from .formats import read_format
from .generation import Generation, read_generation

__all__ = ["Asked", "check_results", "read_body"]

_FIELDS = frozenset(
    {
        *("model", "input", "tools", "generation_config", "system_instruction", "previous_interaction_id", "store"),
        *("stream", "background", "response_format", "labels", "service_tier", "safety_settings", "agent"),
        *("agent_config", "environment", "webhook_config", "continuation_token", "cached_content"),
        *("response_mime_type", "response_modalities"),
    }
)
_NOT_HERE = ("environment", "webhook_config", "continuation_token", "cached_content")
_STEP_TYPES = (
    *("user_input", "model_output", "thought", "code_execution_call", "code_execution_result"),
    *("function_call", "function_result", "google_search_call", "google_search_result"),
)
_CONTENT_TYPES = ("text", "image", "document")
_LABEL_LENGTH = 63


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One valid request. ``steps`` is the input in its one normal form, a list of steps; ``raw_steps`` is all of it."""

    model: str
    steps: tuple[Step, ...]
    raw_steps: tuple[Json, ...] = ()
    tools: tuple[Json, ...] = ()
    system_instruction: str = ""
    previous_interaction_id: str = ""
    generation: Generation = Generation()
    response_format: JsonFormat | None = None
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
    check_known(body, _FIELDS)
    if body.get("agent"):
        raise bad_request("Agents are not served here; name a 'model'.")
    for name in _NOT_HERE:
        if body.get(name):
            raise bad_request(f"'{name}' is not supported here.")
    generation = read_generation(typed(body, "generation_config", dict, {}))
    raw_steps = _raw_steps(body.get("input"))
    asked = Asked(
        model=typed(body, "model", str, "").removeprefix("models/"),
        steps=_steps(raw_steps),
        raw_steps=raw_steps,
        tools=generation.usable(_tools(typed(body, "tools", list, []))),
        system_instruction=typed(body, "system_instruction", str, ""),
        previous_interaction_id=typed(body, "previous_interaction_id", str, ""),
        generation=generation,
        response_format=read_format(body),
        labels=_labels(typed(body, "labels", dict, {})),
        store=typed(body, "store", bool, True),
        stream=typed(body, "stream", bool, False),
        background=typed(body, "background", bool, False),
    )
    if not asked.model:
        raise bad_request("The parameter 'model' is required.")
    if not asked.store and (asked.background or asked.previous_interaction_id):
        raise bad_request("'store': false excludes 'background' and 'previous_interaction_id'.")
    return asked


def check_results(steps: Iterable[Step], earlier: Iterable[Step]) -> None:
    """Raise a 400 for a function's result that answers no call of the conversation."""
    asked = tuple(steps)
    called = {step.id for step in (*earlier, *asked) if isinstance(step, FunctionCall)}
    for step in asked:
        if isinstance(step, FunctionResult) and step.call_id not in called:
            raise bad_request(f"The 'function_result' with 'call_id' '{step.call_id[:80]}' answers no call.")


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
    known = {"code_execution", "function"}
    for position, tool in enumerate(raw):
        kind = tool.get("type") if isinstance(tool, dict) else None
        if not isinstance(kind, str) or kind not in known:
            raise bad_request(
                f"The value '{kind}' is not supported for 'type' at 'tools[{position}]'. "
                f"Supported here: {', '.join(sorted(known))}."
            )
        if kind == "function":
            typed(tool, "parameters", dict, {})
            if not typed(tool, "name", str, ""):
                raise bad_request(f"The function at 'tools[{position}]' has no name.")
    return tuple(raw)


def _raw_steps(raw: object) -> tuple[Json, ...]:
    """The four shapes of ``input`` (wire.md section 1.2) as steps, nothing of them lost."""
    if isinstance(raw, str):
        return ({"type": "user_input", "content": [{"type": "text", "text": raw}]},)
    if not isinstance(raw, dict | list):
        raise bad_request("The parameter 'input' is required: a string, a content, or a list of contents or steps.")
    items = raw if isinstance(raw, list) else [raw]
    for position, item in enumerate(items):
        if not isinstance(item, dict):
            raise bad_request(f"'input[{position}]' must be an object.")
    types = [item.get("type", "text" if "text" in item else "") for item in items]
    if not any(kind in _STEP_TYPES for kind in types):
        contents = [{**item, "type": kind} for item, kind in zip(items, types, strict=True)]
        return ({"type": "user_input", "content": contents},)
    for position, kind in enumerate(types):
        if kind not in _STEP_TYPES:
            raise bad_request(f"The value '{kind}' is not supported for 'type' at 'input[{position}]'.")
    return tuple(items)


def _steps(raw: tuple[Json, ...]) -> tuple[Step, ...]:
    steps = tuple(map(decode_step, raw))
    asking = [step for step in steps if isinstance(step, UserInput | FunctionResult)]
    if not asking or (isinstance(steps[-1], UserInput) and not steps[-1].content):
        raise bad_request("The parameter 'input' is empty.")
    for block in (block for step in asking if isinstance(step, UserInput) for block in step.content):
        if isinstance(block, RawContent) and block.type in _CONTENT_TYPES:
            raise bad_request(f"The content of type '{block.type}' in 'input' is not valid.")
        if isinstance(block, RawContent):
            raise bad_request(
                f"The value '{block.type}' is not supported for 'type' of a content in 'input'. "
                f"Supported here: {', '.join(_CONTENT_TYPES)}."
            )
    return steps
