"""Tokens where nobody counts them: four UTF-8 bytes a token, a picture at 258.

The rules are the guide's: the first prompt is input; the model's text, code and thoughts are output; what is read again
with every further look (prompt, code, results) are the intermediate tokens, ``total_tool_use_tokens``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from magic_ext.wire.content import Content, Document, Image, Json, Text, encode_content
from magic_ext.wire.steps import CodeExecutionCall, FunctionCall, ModelOutput, Step, Thought, UserInput, encode_step

__all__ = ["IMAGE_TOKENS", "estimate", "text_tokens"]

IMAGE_TOKENS = 258


def text_tokens(text: str) -> int:
    """Estimated tokens of a text.

    >>> text_tokens("What is the sum?")
    4
    """
    return math.ceil(len(text.encode("utf-8", "replace")) / 4)


def estimate(asked: Iterable[Step], answered: Iterable[Step], looks: int) -> Json:
    """The usage document of a turn in which the model was asked ``looks`` times."""
    input_tokens = sum(_tokens(step) for step in asked)
    steps = tuple(answered)
    thought = sum(_tokens(step) for step in steps if isinstance(step, Thought))
    output = sum(_tokens(step) for step in steps if isinstance(step, ModelOutput | CodeExecutionCall | FunctionCall))
    reread = 0
    if looks > 1:
        worked = sum(_tokens(step) for step in steps if not isinstance(step, Thought))
        reread = input_tokens * (looks - 1) + worked
    return {
        "total_input_tokens": input_tokens,
        "total_output_tokens": output,
        "total_thought_tokens": thought,
        "total_tool_use_tokens": reread,
        "total_cached_tokens": 0,
        "total_tokens": input_tokens + output + thought + reread,
    }


def _tokens(step: Step) -> int:
    if isinstance(step, UserInput | ModelOutput):
        return sum(_content_tokens(block) for block in step.content)
    if isinstance(step, CodeExecutionCall):
        return text_tokens(step.code)
    return text_tokens(msgspec.json.encode(encode_step(step)).decode())


def _content_tokens(block: Content) -> int:
    if isinstance(block, Text):
        return text_tokens(block.text)
    if isinstance(block, Image):
        return IMAGE_TOKENS
    if isinstance(block, Document):
        return math.ceil(len(block.content) / 4)
    return text_tokens(msgspec.json.encode(encode_content(block)).decode())
