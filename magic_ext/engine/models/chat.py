"""``openai:NAME``: a model behind a server on this computer that speaks OpenAI's chat completions.

Ollama, LM Studio, llama.cpp and vLLM all do, each in its own way: what a stream may leave out and how errors look was
measured or read in their trackers (local-runtime.md section 3). Nothing leaves the computer: an address that is not a
loopback one is refused, so is a model that its server passes on to a cloud, and no proxy is ever asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from magic_ext.engine.accounting import IMAGE_TOKENS, text_tokens
from magic_ext.errors import GeminiExecError
from magic_ext.wire.content import Json
from magic_ext.wire.sse import SSEDecoder
from magic_ext.wire.steps import FunctionResult, UserInput

from . import base
from .completions import Reading, broken_off, one_line
from .fences import blocks_of, chat_messages, code_apart, thoughts_apart
from .refusals import TooLong, complaint_in, refusal
from .servers import SERVERS, SETTINGS, LocalServer, runs_elsewhere
from .windows import window_of

if TYPE_CHECKING:
    from magic_ext.http import httpx

__all__ = ["PREFIX", "ChatModel"]

PREFIX = "openai:"
CONNECT = 10.0  # seconds
SILENCE = 120.0  # seconds between two chunks; a long prompt takes its time before the first
LONG = 2000  # tokens; every window holds that many
_LETTERS = 5  # of a token at most, on average: what is counted so is in truth no shorter


class ChatModel:
    """The model ``name`` of a server of this computer.

    Raises :class:`GeminiExecError` for a name that is none, or of a model that runs elsewhere.

    >>> ChatModel("qwen3:8b", LocalServer(address="http://127.0.0.1:11434/v1")).name
    'openai:qwen3:8b'
    >>> ChatModel("gpt-oss:120b-cloud", LocalServer(address="http://127.0.0.1:11434/v1"))
    Traceback (most recent call last):
    magic_ext.errors.GeminiExecError: gpt-oss:120b-cloud runs in Ollama's cloud, and what your data ... would go there.
    """

    writes_json = True

    def __init__(self, name: str, server: LocalServer) -> None:
        self.name = f"{PREFIX}{name}"
        self._model = name
        self._server = server
        if not name:
            raise GeminiExecError(
                "openai: names no model.", hint="Write openai:NAME; %gemini models lists those that are here."
            )
        if runs_elsewhere(name):
            raise GeminiExecError(
                f"{name} runs in Ollama's cloud, and what your data look like would go there.",
                hint="Choose a model that runs here; %gemini models lists them.",
            )

    def reply(self, conversation: base.Conversation) -> Iterator[base.Part]:
        """Ask the server; text and thoughts come as they are written, and the reply ends with its first block of code.

        Raises :class:`GeminiExecError` when the server can't be reached, refuses, falls silent or breaks off, when the
        conversation is too long for the model, and when the answer is empty or was cut at a limit.
        """
        body = self._body(conversation)
        self._check_length(body["messages"])
        reading = Reading(self._model, conversation)
        said = False
        with self._asked(body, conversation.stopping) as documents:
            parts = thoughts_apart(reading.parts(self._of_all(body["messages"], documents)))
            for part in code_apart(parts) if conversation.code_execution else parts:
                said = said or not isinstance(part, base.Thought)
                if isinstance(part, base.Code):  # the server will not get to count
                    yield reading.usage or _estimated(body["messages"], reading.heard)
                    yield part
                    return
                yield part
        if not said and isinstance(conversation.steps[-1], UserInput | FunctionResult):
            raise GeminiExecError(  # LM Studio answers so when the prompt is longer than the context window
                f"{self._model} answered nothing.",
                hint="The question may not fit into its context window: load the model with a longer one, or ask anew.",
            )
        yield reading.usage or _estimated(body["messages"], reading.heard)

    def _check_length(self, messages: list[Json]) -> None:
        """Raise :class:`TooLong` for a conversation that the model surely can't read whole, where its server tells."""
        blocks = chain.from_iterable(blocks_of(message["content"]) for message in messages)
        tokens = sum(len(block.get("text", "")) for block in blocks) // _LETTERS
        if tokens > LONG and (window := window_of(self._server, self._model)) and tokens > window:
            raise TooLong(self._model, f"more than {tokens:,} tokens, it holds {window:,}")

    def _of_all(self, messages: list[Json], documents: Iterable[Json | None]) -> Iterator[Json | None]:
        """The documents, of an answer to all messages: Ollama tells only of a model that it has loaded."""
        for number, document in enumerate(documents):
            if number == 0:
                self._check_length(messages)
            yield document

    def _body(self, conversation: base.Conversation) -> Json:
        body: Json = {
            "model": self._model,
            "messages": chat_messages(conversation),
            "stream": True,
            "stream_options": {"include_usage": True},
            **conversation.sampling,
        }
        if conversation.max_output_tokens is not None:
            body["max_tokens"] = conversation.max_output_tokens
        if conversation.functions:
            body["tools"] = [_tool(declaration) for declaration in conversation.functions]
            body |= {"tool_choice": "required"} if conversation.must_call else {}
        if conversation.response_format is not None and not conversation.tools:  # held to it, no model calls a tool
            schema = conversation.response_format.schema or {"type": "object"}
            body["response_format"] = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
        return body

    @contextmanager
    def _asked(self, body: Json, stopping: base.Stopping) -> Iterator[Iterator[Json | None]]:
        """The documents of the server's answer; leaving the context closes the connection, which stops the server."""
        from magic_ext.http import Line, httpx, network_client

        line = Line()
        headers = {"content-type": "application/json", "accept": "text/event-stream, application/json"}
        headers |= self._server.headers
        timeout = httpx.Timeout(SILENCE, connect=CONNECT)
        with stopping(line.hang_up), network_client(trust_env=False, timeout=timeout) as client:
            request = client.build_request(
                "POST",
                self._server.url("chat/completions"),
                headers=headers,
                content=msgspec.json.encode(body),
                extensions={"trace": line.trace},
            )
            with self._transport_errors():
                response = client.send(request, stream=True)
            try:
                yield self._documents(response)
            finally:
                response.close()

    def _documents(self, response: httpx.Response) -> Iterator[Json | None]:
        """The JSON documents as they come; ``None`` for the ``[DONE]`` at the end. Raises for those that are errors."""
        streamed = response.headers.get("content-type", "").startswith("text/event-stream")
        if response.status_code != 200 or not streamed:
            with self._transport_errors():
                raw = response.read()
            document = _decoded(raw)
            complaint = complaint_in(document)
            if response.status_code != 200 or complaint or document is None:
                raise self._refused(response.status_code, complaint or raw.decode("utf-8", "replace"))
            yield document
            yield None
            return
        decoder = SSEDecoder()
        with self._transport_errors():
            for chunk in response.iter_bytes():
                for event in decoder.feed(chunk):
                    if event.data.strip() == b"[DONE]":
                        yield None
                        return
                    document = _decoded(event.data)
                    if document is None:
                        raise self._refused(None, event.data.decode("utf-8", "replace"))
                    if complaint := complaint_in(document):
                        raise self._refused(None, complaint)
                    yield document

    @contextmanager
    def _transport_errors(self) -> Iterator[None]:
        from magic_ext.http import httpx

        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise GeminiExecError(
                f"No server answers at {self._server.host} ({one_line(str(error))}).",
                hint=f"Start it (`ollama serve`, say), or set {SETTINGS} to its address: {SERVERS}.",
            ) from None
        except httpx.TimeoutException:
            raise GeminiExecError(
                f"{self._model} at {self._server.host} said nothing for {SILENCE:g} s.",
                hint="The model may be too large for this computer: try a smaller one, or a shorter question.",
            ) from None
        except httpx.RequestError as error:
            raise broken_off(self._model, one_line(str(error))) from None

    def _refused(self, status: int | None, complaint: str) -> GeminiExecError:
        return refusal(self._model, self._server, status, complaint)


def _tool(declaration: Json) -> Json:
    return {"type": "function", "function": {k: v for k, v in declaration.items() if k != "type"}}


def _estimated(messages: list[Json], heard: list[str]) -> base.Usage:
    blocks = chain.from_iterable(blocks_of(message["content"]) for message in messages)
    asked = sum(text_tokens(block["text"]) if "text" in block else IMAGE_TOKENS for block in blocks)
    return base.Usage(asked, text_tokens("".join(heard)))


def _decoded(data: bytes) -> Json | None:
    """The JSON object in ``data``; ``None`` if there is none."""
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
