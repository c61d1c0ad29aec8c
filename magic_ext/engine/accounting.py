"""Tokens where nobody counts them: four UTF-8 bytes a token, a picture at 258.

The rules are the guide's: the first prompt is input; the model's text, code and thoughts are output; what is read again
with every further look (prompt, code, results) are the intermediate tokens, ``total_tool_use_tokens``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping

import msgspec

from magic_ext.wire.content import Content, Document, Image, Json, Text, encode_content
from magic_ext.wire.steps import CodeExecutionCall, FunctionCall, ModelOutput, Step, Thought, UserInput, encode_step

__all__ = ["IMAGE_TOKENS", "SizeOf", "by_modality", "estimate", "inline_size", "text_tokens", "tokens_read"]

IMAGE_TOKENS = 258
SizeOf = Callable[[Document | Image], int]


def text_tokens(text: str) -> int:
    """Estimated tokens of a text.

    >>> text_tokens("What is the sum?")
    4
    """
    return math.ceil(len(text.encode("utf-8", "replace")) / 4)


def inline_size(block: Document | Image) -> int:
    """The bytes of a block that carries them itself."""
    return len(block.content)


def tokens_read(steps: Iterable[Step], size_of: SizeOf = inline_size) -> Mapping[str, int]:
    """Estimated tokens of what a model is given, by kind: ``text``, ``image`` and ``document``.

    ``size_of`` tells how many bytes a block has, also where it only names their address.

    >>> tokens_read([UserInput((Text("What is it?"), Image(uri="http://h/v1/files/a"), Document(data="YSxiCjEsMgo=")))])
    {'text': 3, 'image': 258, 'document': 2}
    """
    read = {"text": 0, "image": 0, "document": 0}
    for step in steps:
        if not isinstance(step, UserInput | ModelOutput):
            read["text"] += _tokens(step)
            continue
        for block in step.content:
            if isinstance(block, Image):
                read["image"] += IMAGE_TOKENS
            elif isinstance(block, Document):
                read["document"] += math.ceil(size_of(block) / 4)
            else:
                read["text"] += _content_tokens(block)
    return read


def estimate(input_tokens: int, answered: Iterable[Step], looks: int) -> Json:
    """The usage document of a turn in which the model was asked ``looks`` times."""
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


def by_modality(usage: Json, read: Mapping[str, int], looks: int = 1) -> Json:
    """The usage with its totals told apart by kind of content, as far as they are of any.

    Pictures and files of the question, ``read`` once with each of the ``looks``, are taken at their estimates within
    the totals; the rest is text. What a model writes is text: pictures come from the code that it ran, and are no
    tokens of its own.

    >>> by_modality({"total_input_tokens": 261, "total_output_tokens": 0}, {"image": 258})["input_tokens_by_modality"]
    [{'modality': 'text', 'tokens': 3}, {'modality': 'image', 'tokens': 258}]
    """
    return {
        **usage,
        "input_tokens_by_modality": _shares(usage["total_input_tokens"], read, 1),
        "output_tokens_by_modality": _shares(usage["total_output_tokens"], {}, 1),
        "tool_use_tokens_by_modality": _shares(usage.get("total_tool_use_tokens", 0), read, looks - 1),
    }


def _shares(total: int, read: Mapping[str, int], times: int) -> list[Json]:
    """``total`` divided by kind of content, of which each was read so many ``times``."""
    image = min(total, read.get("image", 0) * times)
    document = min(total - image, read.get("document", 0) * times)
    tokens = {"text": total - image - document, "image": image, "document": document}
    return [{"modality": modality, "tokens": count} for modality, count in tokens.items() if count]


def _tokens(step: Step) -> int:
    if isinstance(step, ModelOutput):
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
