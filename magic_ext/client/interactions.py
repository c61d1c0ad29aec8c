"""The calls on an Interactions endpoint: one question, streamed or whole."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING

import msgspec

from magic_ext.wire.content import Json
from magic_ext.wire.events import (
    Event,
    InteractionCompleted,
    InteractionCreated,
    StreamError,
    UnknownEvent,
    decode_event,
)
from magic_ext.wire.interaction import Interaction
from magic_ext.wire.sse import ServerSentEvent, SSEDecoder

from .connection import Timeouts, cut_short, http_client, silent, transport_errors
from .endpoint import Endpoint
from .errors import KEY_HINT, NoKey, StreamBroken, TimedOut, api_error
from .reading import error_of, foreign, interaction_of, json_of, legacy, media_type, whole_as_events
from .retry import retrying

if TYPE_CHECKING:
    from magic_ext.http import httpx

__all__ = ["Client", "Timeouts"]


class Client:
    """Asks questions of one endpoint.

    ``transport`` replaces the network: the embedded engine's transport answers in this process. ``on_wait(seconds,
    reason)`` is told before each retry. Close the client when done, or use it as a context manager.

    >>> from magic_ext.client.endpoint import Endpoint
    >>> with Client(Endpoint(base_url="http://127.0.0.1:9")) as client:
    ...     client.create({"model": "m", "input": "hi"})
    Traceback (most recent call last):
    magic_ext.client.errors.NoKey: No API key for 127.0.0.1:9.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        transport: httpx.BaseTransport | None = None,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - a frozen value
        on_wait: Callable[[float, str], None] | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._timeouts = timeouts
        self._on_wait = on_wait
        self._keyless = transport is not None
        self._http = http_client(endpoint, timeouts, transport)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def create(self, body: Json) -> Interaction:
        """Ask and wait for the whole answer (``stream`` must not be set in ``body``)."""
        return interaction_of(self._read(self._open("POST", "interactions", body)), self._endpoint)

    def stream(self, body: Json) -> Generator[Event, None, None]:
        """Ask and yield the answer's events as they come; closing the iterator closes the connection.

        Nothing is sent before the first event is asked for. The events end with an ``InteractionCompleted``, or the
        iterator raises: :class:`ApiError` for an error that the server reports, :class:`StreamBroken` for an answer
        that stops half-way, :class:`TimedOut` for silence.
        """
        response = self._open("POST", "interactions", body)
        try:
            match media_type(response):
                case "text/event-stream":
                    yield from self._events(response)
                case "application/json":  # a server that cannot stream answers whole
                    yield from whole_as_events(interaction_of(self._read(response), self._endpoint))
                case _:
                    raise foreign(response, self._endpoint)
        finally:
            response.close()

    def models(self) -> tuple[str, ...]:
        """The names of the models that the endpoint offers, without ``models/`` (wire.md section 6)."""
        response = self._read(self._open("GET", "models?pageSize=1000", None))  # one page holds them all
        listed = json_of(response, self._endpoint)
        entries = listed.get("models") if isinstance(listed, dict) else None
        if not isinstance(entries, list):
            raise foreign(response, self._endpoint)
        names = [entry.get("name") for entry in entries if isinstance(entry, dict)]
        return tuple(name.removeprefix("models/") for name in names if isinstance(name, str))

    def _events(self, response: httpx.Response) -> Generator[Event, None, None]:
        completed = False
        try:
            for event in self._heard(response):
                self._check(event)
                yield event
                completed = completed or isinstance(event, InteractionCompleted)
        except (StreamBroken, TimedOut):
            if not completed:  # how the connection ends after that is nobody's business
                raise
        if not completed:
            raise cut_short()

    def _heard(self, response: httpx.Response) -> Generator[Event, None, None]:
        """The events until ``[DONE]`` or the connection's end; raises for silence."""
        decoder, heard = SSEDecoder(), time.monotonic()
        with transport_errors(self._endpoint, self._timeouts, streaming=True):
            for chunk in response.iter_bytes():
                for sse in decoder.feed(chunk):
                    event = decode_event(ServerSentEvent(sse.event, self._endpoint.key.hide_in(sse.data)))
                    if event is None:
                        return
                    yield event
                    heard = time.monotonic()  # after the yield: a slow reader is no silent server
                if time.monotonic() - heard > self._timeouts.between_events:  # comments alone keep no answer alive
                    raise silent(self._endpoint, self._timeouts)

    def _check(self, event: Event) -> None:
        match event:
            case StreamError(code, message):
                raise api_error(None, code, message, server=self._endpoint.host)
            case InteractionCompleted(interaction) | InteractionCreated(interaction) if interaction.legacy:
                raise legacy()
            case UnknownEvent(type=kind) if kind.startswith("content.") or kind in _LEGACY_EVENTS:
                raise legacy()

    def _open(self, method: str, path: str, body: Json | None) -> httpx.Response:
        """Send and return a response whose status is 200, body unread; retries what may be retried."""
        if not self._keyless and not self._endpoint.key:
            raise NoKey(f"No API key for {self._endpoint.host}.", hint=KEY_HINT)
        content = msgspec.json.encode(body) if body is not None else None

        def attempt() -> httpx.Response:
            with transport_errors(self._endpoint, self._timeouts):
                request = self._http.build_request(method, self._endpoint.url(path), content=content)
                response = self._http.send(request, stream=True)
            if response.status_code != 200:
                raise error_of(response, self._endpoint)
            return response

        return retrying(attempt, self._on_wait)

    def _read(self, response: httpx.Response) -> httpx.Response:
        """The response with its body read and its connection given back."""
        with transport_errors(self._endpoint, self._timeouts):
            try:
                response.read()
            finally:
                response.close()
        return response


_LEGACY_EVENTS = frozenset({"interaction.start", "interaction.complete"})
