"""``openai:NAME``: a model behind a server on this computer that speaks OpenAI's chat completions.

Ollama, LM Studio, llama.cpp and vLLM all do, each in its own way: what a stream may leave out and how errors look was
measured or read in their trackers (local-runtime.md section 3). Nothing leaves the computer: an address that is not a
loopback one is refused, and no proxy is ever asked.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from magic_ext.engine.accounting import IMAGE_TOKENS, text_tokens
from magic_ext.errors import GeminiExecError
from magic_ext.wire.content import Json
from magic_ext.wire.sse import SSEDecoder
from magic_ext.wire.steps import FunctionResult, UserInput

from . import base
from .completions import Reading, broken_off, one_line, text_in
from .fences import blocks_of, chat_messages, code_apart, thoughts_apart

if TYPE_CHECKING:
    from magic_ext.http import httpx

__all__ = ["PREFIX", "SERVERS", "ChatModel"]

PREFIX = "openai:"
SERVERS = (
    "http://127.0.0.1:11434/v1 for Ollama, http://127.0.0.1:1234/v1 for LM Studio, "
    "http://127.0.0.1:8080/v1 for llama.cpp"
)
CONNECT = 10.0  # seconds
SILENCE = 120.0  # seconds between two chunks; a long prompt takes its time before the first
_OVERFLOW = re.compile(r"exceed_context_size|context[ _](length|size|window)|maximum context", re.IGNORECASE)
_FORMAT = re.compile(r"response_format|json_schema|grammar", re.IGNORECASE)


class ChatModel:
    """The model ``name`` of the server at ``base_url``, which usually ends in ``/v1``.

    ``key`` is sent as a bearer token where it is not empty. Raises :class:`GeminiExecError` for an address that is
    none, or not on this computer.

    >>> ChatModel("qwen3:8b", "http://127.0.0.1:11434/v1").name
    'openai:qwen3:8b'
    >>> ChatModel("gpt", "https://api.openai.com/v1")
    Traceback (most recent call last):
    magic_ext.errors.GeminiExecError: api.openai.com is not this computer, and what your data look like would go there.
    """

    writes_json = True

    def __init__(self, name: str, base_url: str, key: str = "") -> None:
        self.name = f"{PREFIX}{name}"
        self._model = name
        self._host = _loopback_host(base_url)
        self._url = f"{base_url.rstrip('/')}/chat/completions"
        self._key = key
        if not name:
            raise GeminiExecError(
                "openai: names no model.", hint="Write openai:NAME, with a name that the server lists."
            )
        if not re.fullmatch(r"[!-~]*", key):
            raise GeminiExecError("The key holds a space or a letter that no key has.", hint="Check OPENAI_API_KEY.")

    def reply(self, conversation: base.Conversation) -> Iterator[base.Part]:
        """Ask the server; text and thoughts come as they are written, and the reply ends with its first block of code.

        Raises :class:`GeminiExecError` when the server can't be reached, refuses, falls silent or breaks off, and when
        the answer is empty or was cut at a limit.
        """
        body = self._body(conversation)
        reading = Reading(self._model, conversation)
        said = False
        with self._asked(body) as documents:
            parts = thoughts_apart(reading.parts(documents))
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
    def _asked(self, body: Json) -> Iterator[Iterator[Json | None]]:
        """The documents of the server's answer; leaving the context closes the connection, which stops the server."""
        from magic_ext.http import httpx, network_client

        headers = {"content-type": "application/json", "accept": "text/event-stream, application/json"}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        with network_client(trust_env=False, timeout=httpx.Timeout(SILENCE, connect=CONNECT)) as client:
            request = client.build_request("POST", self._url, headers=headers, content=msgspec.json.encode(body))
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
            complaint = _complaint(document)
            if response.status_code != 200 or complaint or document is None:
                raise self._failure(response.status_code, complaint or raw.decode("utf-8", "replace"))
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
                        raise self._failure(None, event.data.decode("utf-8", "replace"))
                    if complaint := _complaint(document):
                        raise self._failure(None, complaint)
                    yield document

    @contextmanager
    def _transport_errors(self) -> Iterator[None]:
        from magic_ext.http import httpx

        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise GeminiExecError(
                f"No server answers at {self._host} ({one_line(str(error))}).",
                hint=f"Start it (`ollama serve`, say), or set OPENAI_BASE_URL to its address: {SERVERS}.",
            ) from None
        except httpx.TimeoutException:
            raise GeminiExecError(
                f"{self._model} at {self._host} said nothing for {SILENCE:g} s.",
                hint="The model may be too large for this computer: try a smaller one, or a shorter question.",
            ) from None
        except httpx.RequestError as error:
            raise broken_off(self._model, one_line(str(error))) from None

    def _failure(self, status: int | None, complaint: str) -> GeminiExecError:
        """The error for what the server said, by its status and its words."""
        if len(self._key) >= 8:
            complaint = complaint.replace(self._key, "***")
        said = one_line(complaint) or "no reason given"
        answered = "stopped with an error" if status in {None, 200} else f"answered {status}"
        message = f"{self._model} at {self._host} {answered}: {said}"
        if _OVERFLOW.search(said):
            message = f"The conversation does not fit into the context window of {self._model} ({said})."
            hint = "Load the model with a longer context, ask anew without -c, or refer to fewer things."
        elif _FORMAT.search(said):
            hint = (
                "This server does not take such a response_format: ask for JSON in the question, or use another server."
            )
        elif status in {401, 403}:
            hint = "Set OPENAI_API_KEY to the key that this server wants."
        elif status in {404, 405}:
            hint = f"Check the model's name, and OPENAI_BASE_URL: {SERVERS}."
        else:
            hint = "The server's own log may tell more."
        return GeminiExecError(message, hint=hint)


def _loopback_host(base_url: str) -> str:
    """The host and port of ``base_url``; raises for an address that is none or leads away from this computer."""
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in {"http", "https"} and parts.port != 0 and not parts.query and not parts.fragment
        name = parts.hostname or ""
    except ValueError:
        usable, name = False, ""
    if not usable or not name or re.search(r"[^!-~]", base_url):
        raise GeminiExecError("OPENAI_BASE_URL is not an http(s) address.", hint=f"Typical ones: {SERVERS}.")
    try:
        loopback = ipaddress.ip_address(name).is_loopback
    except ValueError:
        loopback = name == "localhost"
    if not loopback:
        raise GeminiExecError(
            f"{name} is not this computer, and what your data look like would go there.",
            hint=f"Set OPENAI_BASE_URL to a server here: {SERVERS}.",
        )
    return parts.netloc.rpartition("@")[2]


def _tool(declaration: Json) -> Json:
    return {"type": "function", "function": {k: v for k, v in declaration.items() if k != "type"}}


def _estimated(messages: list[Json], heard: list[str]) -> base.Usage:
    blocks = chain.from_iterable(blocks_of(message["content"]) for message in messages)
    asked = sum(text_tokens(block["text"]) if "text" in block else IMAGE_TOKENS for block in blocks)
    return base.Usage(asked, text_tokens("".join(heard)))


def _complaint(document: Json | None) -> str:
    """What an error document says, ``""`` if it is none; the servers have five ways to write one."""
    document = document or {}
    error = document.get("error")
    if isinstance(error, dict):
        said = [text_in(error.get(field)) for field in ("message", "type", "code")]
        return ", ".join(filter(None, said)) or "an error without a message"
    if document.get("object") == "error":
        error = document.get("message") or "an error without a message"
    found = error or document.get("error_message") or document.get("detail")
    return found if isinstance(found, str) else msgspec.json.encode(found).decode() if found else ""


def _decoded(data: bytes) -> Json | None:
    """The JSON object in ``data``; ``None`` if there is none."""
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return document if isinstance(document, dict) else None
