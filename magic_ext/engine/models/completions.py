"""How a chat completion is read: text and thoughts as they come, tool calls put together, and why it ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.markdown import visible
from magic_ext.wire.content import Json
from magic_ext.wire.steps import parsed_arguments

from . import base

__all__ = ["Reading", "broken_off", "one_line", "text_in"]

_RUN = frozenset({"run_python", "python"})  # what models call that were trained on such a tool


class _Call(msgspec.Struct):
    """A tool call under way."""

    index: int | None
    id: str = ""
    name: str = ""
    arguments: str = ""


class Reading:
    """What has been read of one answer: its count of tokens, its tool calls, and the reason why it ended."""

    def __init__(self, model: str, conversation: base.Conversation) -> None:
        self.usage: base.Usage | None = None
        self.heard: list[str] = []
        self._model = model
        self._functions = {function.get("name") for function in conversation.functions}
        self._runs = _RUN - self._functions if conversation.code_execution else frozenset()
        self._calls: list[_Call] = []
        self._finish = ""

    def parts(self, documents: Iterable[Json | None]) -> Iterator[base.Part]:
        """Text and thoughts as they come, then what the tool calls ask for; raises when the answer is not whole."""
        done = False
        try:
            for document in documents:
                done = document is None
                yield from self._read(document or {})
        except GeminiExecError:
            if not self._finish:  # how the connection ends after that is nobody's business
                raise
        if not done and not self._finish:
            raise broken_off(self._model, "the stream ended early")
        if self._finish == "length":
            raise base.Incomplete(
                f"The answer of {self._model} was cut: its limit of tokens, or its context window, is used up.",
                hint="Raise the limit or load the model with a longer context, then ask again.",
            )
        yield from self._called()

    def _read(self, document: Json) -> Iterator[base.Part]:
        if isinstance(usage := document.get("usage"), dict):
            self.usage = _usage(usage)
        for choice in _dicts(document.get("choices")):
            delta = choice.get("delta") or choice.get("message")
            if isinstance(delta, dict):
                thought = text_in(delta.get("reasoning_content")) or text_in(
                    delta.get("reasoning")
                )  # the latter: Ollama
                text = text_in(delta.get("content"))
                self.heard += (thought, text)
                if thought:
                    yield base.Thought(thought)
                if text:
                    yield base.Text(text)
                for call in _dicts(delta.get("tool_calls")):
                    self._take(call)
            self._finish = text_in(choice.get("finish_reason")) or self._finish

    def _take(self, raw: Json) -> None:
        """Add a piece of a tool call: fragments by ``index``, or whole calls without any (Ollama)."""
        index = raw["index"] if isinstance(raw.get("index"), int) else None
        call_id = text_in(raw.get("id"))
        function = raw["function"] if isinstance(raw.get("function"), dict) else {}
        name, arguments = text_in(function.get("name")), function.get("arguments")
        call = self._under_way(index, call_id, name)
        if call is None:
            call = _Call(index)
            self._calls.append(call)
        call.id, call.name = call_id or call.id, name or call.name
        call.arguments += msgspec.json.encode(arguments).decode() if isinstance(arguments, dict) else text_in(arguments)

    def _under_way(self, index: int | None, call_id: str, name: str) -> _Call | None:
        """The call that a piece goes on with, ``None`` if it begins one."""
        if index is not None:
            known = [call for call in self._calls if call.index == index and (not call_id or call.id in {"", call_id})]
        elif call_id:
            known = [call for call in self._calls if call.id == call_id]
        else:
            known = [] if name else self._calls
        return known[-1] if known else None

    def _called(self) -> Iterator[base.Part]:
        for call in self._calls:
            if call.name in self._runs and (code := _code(call.arguments)):
                yield base.Code(code)
                return
        for call in self._calls:
            arguments = parsed_arguments(call.arguments)
            if call.name not in self._functions or not isinstance(arguments, dict):
                raise GeminiExecError(
                    f"{self._model} made a call that can't be answered: {one_line(f'{call.name}({call.arguments})')}",
                    hint="Run the cell again, or use a model that is better at calling functions.",
                )
            yield base.FunctionCall(call.name, arguments)


def broken_off(model: str, reason: str) -> GeminiExecError:
    """The error for an answer that is not whole."""
    return GeminiExecError(
        f"The answer of {model} broke off half-way ({reason}).",
        hint="The server may have run out of memory; its log tells. Run the cell again.",
    )


def one_line(text: str, longest: int = 300) -> str:
    """What somebody else wrote, fit for a message."""
    line = " ".join(visible(text[: 4 * longest]).split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def text_in(raw: object) -> str:
    """``raw`` if it is text, else ``""``."""
    return raw if isinstance(raw, str) else ""


def _code(arguments: str) -> str:
    """The code in the arguments of a call: under ``code``, or bare."""
    parsed = parsed_arguments(arguments)
    code = parsed.get("code") if isinstance(parsed, dict) else parsed
    return code if isinstance(code, str) and code.strip() else ""


def _usage(raw: Json) -> base.Usage:
    details = raw.get("completion_tokens_details")
    thought = _count(details.get("reasoning_tokens")) if isinstance(details, dict) else 0
    output = _count(raw.get("completion_tokens"))
    return base.Usage(_count(raw.get("prompt_tokens")), max(0, output - thought), thought)


def _dicts(raw: Any) -> list[Json]:
    return [item for item in raw if isinstance(item, dict)] if isinstance(raw, list) else []


def _count(raw: object) -> int:
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else 0
