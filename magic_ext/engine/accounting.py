"""Tokens where nobody counts them: four UTF-8 bytes a token, a picture at 258.

The rules are the guide's: the first prompt is input; the model's text, code and thoughts are output; what is read again
with every further look (prompt, code, results) are the intermediate tokens, ``total_tool_use_tokens``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import msgspec

from magic_ext.wire.content import Content, Document, Image, Json, Text, encode_content
from magic_ext.wire.steps import CodeExecutionCall, FunctionCall, ModelOutput, Step, Thought, UserInput, encode_step

__all__ = ["IMAGE_TOKENS", "by_modality", "estimate", "text_tokens"]

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


def by_modality(usage: Json, asked: Iterable[Step]) -> Json:
    """The usage with its totals told apart by kind of content, as far as they are of any.

    Pictures and files of the question are taken at their estimates, within the total; the rest is text. What a model
    writes is text: pictures come from the code that it ran, and are no tokens of its own.

    >>> question = [UserInput((Text("What is it?"), Image(data="")))]
    >>> by_modality({"total_input_tokens": 261, "total_output_tokens": 0}, question)["input_tokens_by_modality"]
    [{'modality': 'text', 'tokens': 3}, {'modality': 'image', 'tokens': 258}]
    """
    given = {"text": usage["total_input_tokens"], "image": 0, "document": 0}
    for block in (block for step in asked if isinstance(step, UserInput) for block in step.content):
        if isinstance(block, Image | Document):
            tokens = min(given["text"], _content_tokens(block))
            given["image" if isinstance(block, Image) else "document"] += tokens
            given["text"] -= tokens
    return {
        **usage,
        "input_tokens_by_modality": _counts(given),
        "output_tokens_by_modality": _counts({"text": usage["total_output_tokens"]}),
    }


def _counts(tokens: Mapping[str, int]) -> list[Json]:
    return [{"modality": modality, "tokens": count} for modality, count in tokens.items() if count]


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
