"""The request body of ``POST .../interactions`` (wire.md section 1): the one place where it is made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from .content import Content, Json, Text, encode_content
from .steps import FunctionResult, encode_step

__all__ = ["Request", "ThinkingLevel", "count_contents", "encode_request", "user_input"]

ThinkingLevel = Literal["minimal", "low", "medium", "high", "xhigh"]


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A question as a value.

    ``input`` is one user turn, or ``results`` answer the functions that the interaction before asked for. ``functions``
    are declarations of the caller's own functions (wire.md section 1.4). Tools, system instruction and generation
    settings are not carried over by ``previous_interaction_id`` and so stand in every request (wire.md section 1.1).
    ``history`` are the steps before, as they came, for a server that keeps none (``store`` is false).
    """

    model: str
    history: tuple[Json, ...] = ()
    input: tuple[Content, ...] = ()
    results: tuple[FunctionResult, ...] = ()
    code_execution: bool = True
    functions: tuple[Json, ...] = ()
    google_search: bool = False
    system_instruction: str = ""
    thinking_level: str | None = None  # a ThinkingLevel; the server's list may be longer
    thinking_summaries: bool = False
    max_output_tokens: int | None = None
    previous_interaction_id: str = ""
    store: bool = True
    background: bool = False
    stream: bool = True


def encode_request(request: Request) -> Json:
    """The JSON body. What is at its default is left out, so that a body says only what was asked.

    >>> encode_request(Request(model="gemini-3-flash-preview", input=(Text("hi"),), stream=False))
    {'model': 'gemini-3-flash-preview', 'input': 'hi', 'tools': [{'type': 'code_execution'}]}
    """
    body: Json = {"model": request.model, "input": _input(request)}
    if tools := _tools(request):
        body["tools"] = tools
    if request.system_instruction:
        body["system_instruction"] = request.system_instruction
    if generation := _generation_config(request):
        body["generation_config"] = generation
    if request.previous_interaction_id:
        body["previous_interaction_id"] = request.previous_interaction_id
    if not request.store:
        body["store"] = False
    if request.background:
        body["background"] = True
    if request.stream:
        body["stream"] = True
    return body


def count_contents(request: Request) -> list[Json]:
    """A question as countTokens takes it: generateContent's shape, not the Interactions' (wire.md section 6).

    What the server keeps of the conversation can't be named there; a history that goes along is counted as its JSON.

    >>> count_contents(Request(model="m", input=(Text("hi"),)))
    [{'role': 'user', 'parts': [{'text': 'hi'}]}]
    """
    texts = [request.system_instruction, msgspec.json.encode(request.history).decode() if request.history else ""]
    parts: list[Json] = [{"text": text} for text in texts if text]
    return [{"role": "user", "parts": parts + [_part(encode_content(block)) for block in request.input]}]


def _part(block: Json) -> Json:
    if "data" in block:
        return {"inlineData": {"mimeType": block.get("mime_type", ""), "data": block["data"]}}
    if "uri" in block:
        return {"fileData": {"mimeType": block.get("mime_type", ""), "fileUri": block["uri"]}}
    return {"text": block.get("text", "")}


def _tools(request: Request) -> list[Json]:
    built_in: list[Json] = [{"type": "code_execution"}] if request.code_execution else []
    built_in += [{"type": "google_search"}] if request.google_search else []
    return [*built_in, *request.functions]


def user_input(blocks: Iterable[Content]) -> Json:
    """A user's turn as a step: the form that every SDK from 2.9 on sends (wire.md section 0, point 3)."""
    return {"type": "user_input", "content": [encode_content(block) for block in blocks]}


def _input(request: Request) -> str | list[Json]:
    blocks = request.input
    if request.results or (request.history and not blocks):
        return [*request.history, *(encode_step(result) for result in request.results)]
    if not request.history and len(blocks) == 1 and isinstance(blocks[0], Text):
        return blocks[0].text
    return [*request.history, user_input(blocks)]


def _generation_config(request: Request) -> Json:
    config: Json = {}
    if request.thinking_level:
        config["thinking_level"] = request.thinking_level
    if request.thinking_summaries:
        config["thinking_summaries"] = "auto"
    if request.max_output_tokens is not None:
        config["max_output_tokens"] = request.max_output_tokens
    return config
