"""The calls on an Interactions endpoint: one question, streamed or whole."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterator, Mapping
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
from magic_ext.wire.usage import Usage, sum_of

from .connection import Content, Timeouts, cut_short, http_client, outgoing, silent, transport_errors
from .endpoint import Endpoint
from .errors import (
    KEY_HINT,
    BadKey,
    BadRequest,
    ClientError,
    ConnectionFailed,
    NoKey,
    NotFound,
    StreamBroken,
    TimedOut,
    api_error,
)
from .farewell import Farewell
from .hearing import RECONNECTIONS, Hearing
from .hops import HOPS, Shifted, next_request
from .polling import News, pauses
from .reading import error_of, foreign, interaction_of, json_of, legacy, media_type, whole_as_events
from .retry import pause, retrying

if TYPE_CHECKING:
    from magic_ext.http import httpx

__all__ = ["Client", "Timeouts"]

_STOPPING = 3.0  # seconds for a connection, and as many for the answer; nobody waits for them
_UNREAD = 3  # readings of a background answer in a row that may fail


class Client:
    """Asks questions of one endpoint.

    ``transport`` replaces the network: the embedded engine's transport answers in this process. ``on_wait(seconds,
    reason)`` is told before each retry, ``on_sent(sent, size)`` how many bytes of a question are on their way. Close
    the client when done, or use it as a context manager.

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
        on_sent: Callable[[int, int], None] | None = None,
    ) -> None:
        self.endpoint = endpoint
        self._timeouts = timeouts
        self._on_wait = on_wait
        self._on_sent = on_sent
        self._in_process = transport is not None
        self._farewell = Farewell()
        self._http = http_client(endpoint, timeouts, transport)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._farewell.then(self._http.close)

    def create(self, body: Json) -> Interaction:
        """Ask and wait for the whole answer (``stream`` must not be set in ``body``)."""
        return interaction_of(self._read(self._open("POST", "interactions", body)), self.endpoint)

    def get(self, id: str) -> Interaction:
        """A stored interaction as far as it has come; raises :class:`NotFound` where there is none (any more)."""
        return interaction_of(self._read(self._open("GET", _path(id), None)), self.endpoint)

    def cancel(self, id: str) -> Interaction:
        """Stop an interaction; the server answers with what it has become. Google stops only background ones."""
        return interaction_of(self._read(self._open("POST", f"{_path(id)}/cancel", None)), self.endpoint)

    def delete(self, id: str) -> None:
        """Make the server forget an interaction; raises :class:`NotFound` where there is none."""
        self._open("DELETE", _path(id), None).close()

    def stream(self, body: Json) -> Generator[Event, None, None]:
        """Ask and yield the answer's events as they come; closing the iterator closes the connection.

        Nothing is sent before the first event is asked for. The events end with an ``InteractionCompleted``, or the
        iterator raises: :class:`ApiError` for an error that the server reports, :class:`StreamBroken` for an answer
        that stops half-way, :class:`TimedOut` for silence. A connection that is lost or falls silent is taken up where
        it broke, if the events have ids and the server keeps the interaction (wire.md section 3.5). Where the server
        cuts a long answer, the next requests go on, ten at most. An answer that nobody waits for any more (the iterator
        is closed, an interrupt) is cancelled at the server too.
        """
        shifted, spent = Shifted(), Usage()
        for hop in range(HOPS + 1):
            rest: Json | None = None
            with contextlib.closing(self._interaction(body)) as events:
                for event in events:
                    if not isinstance(event, InteractionCompleted):
                        yield shifted(event)
                        continue
                    ended = event.interaction
                    spent = sum_of((spent, ended.usage))
                    rest = next_request(body, ended) if hop < HOPS else None
                    if rest is None:
                        yield InteractionCompleted(msgspec.structs.replace(ended, usage=spent), event.event_id)
            if rest is None:
                return
            body = rest
            shifted.begin()

    def background(self, body: Json) -> Generator[Event, None, None]:
        """Ask for an answer in the background (``background`` is set in ``body``) and look for it every few seconds.

        Yields events as :meth:`stream` does, and raises as it does, but for silence, which is not told from work.
        """
        hearing = Hearing(stored=True)
        with self._left_to_nobody(hearing):
            yield from self._polled(self.create(body), hearing)

    def models(self) -> tuple[str, ...]:
        """The names of the models that the endpoint offers, without ``models/`` (wire.md section 6)."""
        response = self._read(self._open("GET", "models?pageSize=1000", None))  # one page holds them all
        listed = json_of(response, self.endpoint)
        entries = listed.get("models") if isinstance(listed, dict) else None
        if not isinstance(entries, list):
            raise foreign(response, self.endpoint)
        names = [entry.get("name") for entry in entries if isinstance(entry, dict)]
        return tuple(name.removeprefix("models/") for name in names if isinstance(name, str))

    def count_tokens(self, model: str, contents: list[Json]) -> int:
        """The tokens of ``contents``, in generateContent's shape: the call takes no other (wire.md section 6)."""
        response = self._read(self._open("POST", f"models/{quote(model, safe='')}:countTokens", {"contents": contents}))
        counted = json_of(response, self.endpoint)
        total = counted.get("totalTokens") if isinstance(counted, dict) else None
        if not isinstance(total, int):
            raise foreign(response, self.endpoint)
        return total

    def _interaction(self, body: Json) -> Generator[Event, None, None]:
        """The events of one interaction, which is cancelled where it is left."""
        # What is not stored has no address; an engine in this process sees the closed stream.
        hearing = Hearing(stored=body.get("store") is not False and not self._in_process)
        with self._left_to_nobody(hearing):
            yield from self._followed(self._open("POST", "interactions", body), hearing)

    @contextlib.contextmanager
    def _left_to_nobody(self, hearing: Hearing) -> Iterator[None]:
        """Cancel what nobody waits for any more, as well as it goes."""
        try:
            yield
        except BaseException as left:
            if not isinstance(left, Exception) and hearing.stored and hearing.id and not hearing.ended:
                url = self.endpoint.url(f"{_path(hearing.id)}/cancel")
                request = self._http.build_request("POST", url, timeout=_STOPPING)
                self._farewell.say(lambda: self._http.send(request, stream=True).close())
            raise

    def _polled(self, interaction: Interaction, hearing: Hearing) -> Generator[Event, None, None]:
        news, failures = News(), 0
        for seconds in pauses():
            for event in news.of(interaction):
                self._check(event)
                hearing.take(event)
                yield event
            if hearing.ended:
                return
            if not hearing.id:  # nothing to ask for it by
                raise cut_short()
            pause(seconds)
            try:
                interaction, failures = self.get(hearing.id), 0
            except (ConnectionFailed, StreamBroken, TimedOut):
                failures += 1
                if failures == _UNREAD:
                    raise cut_short() from None

    def _followed(self, response: httpx.Response, hearing: Hearing) -> Generator[Event, None, None]:
        """The events of an answer, over as many connections as it takes."""
        while True:
            try:
                for event in self._events(response):
                    if hearing.take(event):
                        yield event
                return
            except StreamBroken as broken:
                response = self._resumed(hearing, RECONNECTIONS, "connection lost, going on where it broke", broken)
            except TimedOut:  # one try: each may take as long again as the user has waited
                timed_out = silent(self.endpoint, self._timeouts, begun=hearing.begun)
                response = self._resumed(hearing, 1, "no sign of life, going on where it stopped", timed_out)

    def _resumed(self, hearing: Hearing, tries: int, why: str, lost: ClientError) -> httpx.Response:
        """The rest of an answer whose connection was lost; raises ``lost`` where nobody can give it."""
        while hearing.goes_on(tries):
            seconds = 2.0 ** (hearing.tries - 2)
            if self._on_wait is not None:
                self._on_wait(seconds, why)
            pause(seconds)
            query = urlencode({"stream": "true", "last_event_id": hearing.last})
            try:
                return self._once("GET", self.endpoint.url(f"{_path(hearing.id)}?{query}"))
            except (BadKey, BadRequest, NotFound):
                break
            except ClientError:
                continue
        raise lost from None

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
                yield from whole_as_events(interaction_of(self._read(response), self.endpoint))
            case _:
                raise foreign(response, self.endpoint)

    def _heard(self, response: httpx.Response) -> Generator[Event, None, None]:
        """The events until ``[DONE]`` or the connection's end; raises for silence."""
        decoder, heard = SSEDecoder(), time.monotonic()
        with transport_errors(self.endpoint, self._timeouts, streaming=True):
            for chunk in response.iter_bytes():
                for sse in decoder.feed(chunk):
                    event = decode_event(ServerSentEvent(sse.event, self.endpoint.key.hide_in(sse.data)))
                    if event is None:
                        return
                    yield event
                    heard = time.monotonic()  # after the yield: a slow reader is no silent server
                if time.monotonic() - heard > self._timeouts.between_events:  # comments alone keep no answer alive
                    raise silent(self.endpoint, self._timeouts)

    def _check(self, event: Event) -> None:
        match event:
            case StreamError(code, message):
                raise api_error(None, code, message, server=self.endpoint.host)
            case InteractionCompleted(interaction) | InteractionCreated(interaction) if interaction.legacy:
                raise legacy()
            case UnknownEvent(type=kind) if kind.startswith("content.") or kind in _LEGACY_EVENTS:
                raise legacy()

    def send(
        self, method: str, url: str, content: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send to ``url``, which must be the endpoint's: it gets the key. The response is read to its end."""
        return self._read(self._opened(method, url, outgoing(content), headers))

    def _open(self, method: str, path: str, body: Json | None) -> httpx.Response:
        content = msgspec.json.encode(body) if body is not None else None
        return self._opened(method, self.endpoint.url(path), outgoing(content, self._on_sent))

    def _opened(
        self, method: str, url: str, content: Content, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        """Send and return a response whose status is 200, body unread; retries what may be retried."""
        if not self._in_process and not self.endpoint.key:
            raise NoKey(f"No API key for {self.endpoint.host}.", hint=KEY_HINT)
        return retrying(lambda: self._once(method, url, content, headers), self._on_wait)

    def _once(
        self, method: str, url: str, content: Content = lambda: None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        with transport_errors(self.endpoint, self._timeouts):
            request = self._http.build_request(method, url, content=content(), headers=headers)
            response = self._http.send(request, stream=True)
        if response.status_code != 200:
            raise error_of(response, self.endpoint)
        return response

    def _read(self, response: httpx.Response) -> httpx.Response:
        """The response with its body read and its connection given back."""
        with transport_errors(self.endpoint, self._timeouts):
            try:
                response.read()
            finally:
                response.close()
        return response


def _path(id: str) -> str:
    return f"interactions/{quote(id, safe='')}"


_LEGACY_EVENTS = frozenset({"interaction.start", "interaction.complete"})
