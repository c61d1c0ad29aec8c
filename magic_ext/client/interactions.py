"""The calls on an Interactions endpoint: one question, streamed or whole."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

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
from .errors import KEY_HINT, BadKey, BadRequest, ClientError, NoKey, NotFound, StreamBroken, TimedOut, api_error
from .hearing import Hearing
from .reading import error_of, foreign, interaction_of, json_of, legacy, media_type, whole_as_events
from .retry import pause, retrying

if TYPE_CHECKING:
    from magic_ext.http import httpx

__all__ = ["Client", "Timeouts"]

_STOPPING = 1.0  # seconds for a connection, and as many for the answer, when somebody waits for the interrupt to end


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
        self._in_process = transport is not None
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

    def get(self, id: str) -> Interaction:
        """A stored interaction as far as it has come; raises :class:`NotFound` where there is none (any more)."""
        return interaction_of(self._read(self._open("GET", _path(id), None)), self._endpoint)

    def cancel(self, id: str) -> Interaction:
        """Stop an interaction; the server answers with what it has become. Google stops only background ones."""
        return interaction_of(self._read(self._open("POST", f"{_path(id)}/cancel", None)), self._endpoint)

    def delete(self, id: str) -> None:
        """Make the server forget an interaction; raises :class:`NotFound` where there is none."""
        self._open("DELETE", _path(id), None).close()

    def stream(self, body: Json) -> Generator[Event, None, None]:
        """Ask and yield the answer's events as they come; closing the iterator closes the connection.

        Nothing is sent before the first event is asked for. The events end with an ``InteractionCompleted``, or the
        iterator raises: :class:`ApiError` for an error that the server reports, :class:`StreamBroken` for an answer
        that stops half-way, :class:`TimedOut` for silence. A lost connection is taken up where it broke, if the events
        have ids and the server keeps the interaction (wire.md section 3.5). An answer that nobody waits for any more
        (the iterator is closed, an interrupt) is cancelled at the server too.
        """
        hearing = Hearing(stored=body.get("store") is not False)
        try:
            yield from self._followed(self._open("POST", "interactions", body), hearing)
        except BaseException as left:
            if not isinstance(left, Exception):
                self._stop(hearing)
            raise

    def models(self) -> tuple[str, ...]:
        """The names of the models that the endpoint offers, without ``models/`` (wire.md section 6)."""
        response = self._read(self._open("GET", "models?pageSize=1000", None))  # one page holds them all
        listed = json_of(response, self._endpoint)
        entries = listed.get("models") if isinstance(listed, dict) else None
        if not isinstance(entries, list):
            raise foreign(response, self._endpoint)
        names = [entry.get("name") for entry in entries if isinstance(entry, dict)]
        return tuple(name.removeprefix("models/") for name in names if isinstance(name, str))

    def _followed(self, response: httpx.Response, hearing: Hearing) -> Generator[Event, None, None]:
        """The events of an answer, over as many connections as it takes."""
        while True:
            try:
                for event in self._events(response):
                    if hearing.take(event):
                        yield event
                return
            except StreamBroken as broken:
                response = self._resumed(hearing, broken)

    def _resumed(self, hearing: Hearing, broken: StreamBroken) -> httpx.Response:
        """The rest of an answer whose connection was lost; raises ``broken`` where nobody can give it."""
        while hearing.goes_on():
            seconds = 2.0 ** (hearing.tries - 2)
            if self._on_wait is not None:
                self._on_wait(seconds, "connection lost, going on where it broke")
            pause(seconds)
            query = urlencode({"stream": "true", "last_event_id": hearing.last})
            try:
                return self._send("GET", f"{_path(hearing.id)}?{query}", None)
            except (BadKey, BadRequest, NotFound):
                break
            except ClientError:
                continue
        raise broken from None

    def _stop(self, hearing: Hearing) -> None:
        """Cancel what nobody waits for, as well as it goes: whatever fails here must not hide why it is left.

        An engine in this process has seen the closed stream.
        """
        if self._in_process or not hearing.stored or not hearing.id or hearing.ended:
            return
        with contextlib.suppress(Exception):
            url = self._endpoint.url(f"{_path(hearing.id)}/cancel")
            self._http.send(self._http.build_request("POST", url, timeout=_STOPPING), stream=True).close()

    def _events(self, response: httpx.Response) -> Generator[Event, None, None]:
        """The events of one connection; raises where it ends before the interaction has."""
        completed = False
        try:
            for event in self._told(response):
                self._check(event)
                yield event
                completed = completed or isinstance(event, InteractionCompleted)
        except (StreamBroken, TimedOut):
            if not completed:  # how the connection ends after that is nobody's business
                raise
        finally:
            response.close()
        if not completed:
            raise cut_short()

    def _told(self, response: httpx.Response) -> Generator[Event, None, None]:
        match media_type(response):
            case "text/event-stream":
                yield from self._heard(response)
            case "application/json":  # a server that cannot stream answers whole
                yield from whole_as_events(interaction_of(self._read(response), self._endpoint))
            case _:
                raise foreign(response, self._endpoint)

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
        if not self._in_process and not self._endpoint.key:
            raise NoKey(f"No API key for {self._endpoint.host}.", hint=KEY_HINT)
        content = msgspec.json.encode(body) if body is not None else None
        return retrying(lambda: self._send(method, path, content), self._on_wait)

    def _send(self, method: str, path: str, content: bytes | None) -> httpx.Response:
        with transport_errors(self._endpoint, self._timeouts):
            request = self._http.build_request(method, self._endpoint.url(path), content=content)
            response = self._http.send(request, stream=True)
        if response.status_code != 200:
            raise error_of(response, self._endpoint)
        return response

    def _read(self, response: httpx.Response) -> httpx.Response:
        """The response with its body read and its connection given back."""
        with transport_errors(self._endpoint, self._timeouts):
            try:
                response.read()
            finally:
                response.close()
        return response


def _path(id: str) -> str:
    return f"interactions/{quote(id, safe='')}"


_LEGACY_EVENTS = frozenset({"interaction.start", "interaction.complete"})
