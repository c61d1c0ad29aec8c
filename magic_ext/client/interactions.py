"""The calls on an Interactions endpoint: one question, streamed or whole."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec

from magic_ext.wire.content import Json
from magic_ext.wire.events import (
    Event,
    InteractionCompleted,
    InteractionCreated,
    StepStart,
    StepStop,
    StreamError,
    UnknownEvent,
    decode_event,
)
from magic_ext.wire.interaction import Interaction, decode_interaction
from magic_ext.wire.sse import SSEDecoder

from .endpoint import API_REVISION, Endpoint
from .errors import KEY_HINT, ConnectionFailed, NoKey, ProtocolError, StreamBroken, TimedOut, api_error
from .retry import retry_after, retrying

if TYPE_CHECKING:
    from magic_ext.http import httpx

__all__ = ["Client", "Timeouts"]


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds to wait for a connection, and between two events of an answer."""

    connect: float = 10.0
    between_events: float = 120.0


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
        self._http = _http_client(endpoint, timeouts, transport)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def create(self, body: Json) -> Interaction:
        """Ask and wait for the whole answer (``stream`` must not be set in ``body``)."""
        response = self._open("POST", "interactions", body)
        with _transport_errors(self._endpoint):
            try:
                response.read()
            finally:
                response.close()
        return self._interaction(response)

    def stream(self, body: Json) -> Iterator[Event]:
        """Ask and yield the answer's events as they come; closing the iterator closes the connection.

        The events end with an ``InteractionCompleted``, or the iterator raises: :class:`ApiError` for an error that the
        server reports, :class:`StreamBroken` for an answer that stops half-way, :class:`TimedOut` for silence.
        """
        response = self._open("POST", "interactions", body)
        try:
            if _media_type(response) == "application/json":  # a server that cannot stream answers whole
                with _transport_errors(self._endpoint):
                    response.read()
                yield from _whole(self._interaction(response))
            else:
                yield from self._events(response)
        finally:
            response.close()

    def models(self) -> tuple[str, ...]:
        """The names of the models that the endpoint offers, without ``models/`` (wire.md section 6)."""
        response = self._open("GET", "models", None)
        with _transport_errors(self._endpoint):
            response.read()
        listed = _json(response, self._endpoint)
        entries = listed.get("models") if isinstance(listed, dict) else None
        names = [entry.get("name") for entry in entries or () if isinstance(entry, dict)]
        return tuple(name.removeprefix("models/") for name in names if isinstance(name, str))

    def _events(self, response: httpx.Response) -> Iterator[Event]:
        if _media_type(response) != "text/event-stream":
            raise self._not_the_protocol(response)
        decoder, finished, last = SSEDecoder(), False, time.monotonic()
        with _transport_errors(self._endpoint, streaming=True):
            for chunk in response.iter_bytes():
                for sse in decoder.feed(chunk):
                    event = decode_event(sse)
                    if event is None:
                        finished = True
                        continue
                    last = time.monotonic()
                    self._check(event)
                    finished = finished or isinstance(event, InteractionCompleted)
                    yield event
                if time.monotonic() - last > self._timeouts.between_events:  # comments alone keep no answer alive
                    raise _silent(self._endpoint, self._timeouts.between_events)
        if not finished:
            raise _cut_short()

    def _check(self, event: Event) -> None:
        if isinstance(event, StreamError):
            raise api_error(None, event.code, self._redact(event.message), server=self._endpoint.host)
        if isinstance(event, InteractionCompleted | InteractionCreated) and event.interaction.legacy:
            raise _legacy()
        if isinstance(event, UnknownEvent) and isinstance(event.raw, dict):
            if str(event.raw.get("event_type", "")).startswith("content."):
                raise _legacy()

    def _open(self, method: str, path: str, body: Json | None) -> httpx.Response:
        """Send and return a response whose status is 200, body unread; retries what may be retried."""
        if not self._keyless and not self._endpoint.key:
            raise NoKey(f"No API key for {self._endpoint.host}.", hint=KEY_HINT)
        content = msgspec.json.encode(body) if body is not None else None

        def attempt() -> httpx.Response:
            with _transport_errors(self._endpoint):
                request = self._http.build_request(method, self._endpoint.url(path), content=content)
                response = self._http.send(request, stream=True)
                if response.status_code == 200:
                    return response
                try:
                    response.read()
                finally:
                    response.close()
            raise self._error(response)

        return retrying(attempt, self._on_wait)

    def _error(self, response: httpx.Response) -> Exception:
        try:
            answered = msgspec.json.decode(response.content)
        except (msgspec.DecodeError, UnicodeDecodeError):
            answered = None
        if isinstance(answered, list) and answered:  # Google's front end wraps its errors at times
            answered = answered[0]
        error = answered.get("error") if isinstance(answered, dict) else None
        if not isinstance(error, dict):
            kind = _media_type(response) or "no media type"
            error = {"message": f"a {kind} page instead of an error message; is a proxy or login page in between?"}
        code = error.get("code")
        return api_error(
            response.status_code,
            code if isinstance(code, str) else str(error.get("status", "")),
            self._redact(str(error.get("message", ""))),
            retry_after=retry_after(response.headers, error.get("details")),
            server=self._endpoint.host,
        )

    def _interaction(self, response: httpx.Response) -> Interaction:
        interaction = decode_interaction(_json(response, self._endpoint))
        if interaction.legacy:
            raise _legacy()
        if not interaction.status and not interaction.steps:
            raise self._not_the_protocol(response)
        return interaction

    def _not_the_protocol(self, response: httpx.Response) -> ProtocolError:
        return _foreign(self._endpoint, _media_type(response))

    def _redact(self, message: str) -> str:
        key = self._endpoint.key.value
        return message.replace(key, "***") if key else message


def _http_client(endpoint: Endpoint, timeouts: Timeouts, transport: httpx.BaseTransport | None) -> httpx.Client:
    from magic_ext.http import httpx

    headers: dict[str, str] = {
        "content-type": "application/json",
        "accept": "text/event-stream, application/json",
        "user-agent": "gemini-exec",
        "api-revision": API_REVISION,
        **endpoint.headers,
    }
    if endpoint.key:
        headers["x-goog-api-key"] = endpoint.key.value
    plain = transport is not None or endpoint.base_url.startswith("http:")
    return httpx.Client(
        headers=headers,
        timeout=httpx.Timeout(timeouts.between_events, connect=timeouts.connect),
        transport=transport,
        trust_env=not endpoint.loopback and transport is None,  # never a proxy for this computer
        verify=True if plain else _certificates(os.environ),
    )


def _certificates(environ: Mapping[str, str]) -> Any:
    """The system's certificate store, certifi's, and the bundles that the environment names for other tools."""
    import ssl

    import certifi

    context = ssl.create_default_context()  # reads SSL_CERT_FILE and SSL_CERT_DIR by itself
    context.load_verify_locations(certifi.where())
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := environ.get(name):
            try:
                context.load_verify_locations(path)
            except (OSError, ssl.SSLError):  # a stale variable must not stop what works without it
                continue
    return context


@contextmanager
def _transport_errors(endpoint: Endpoint, *, streaming: bool = False) -> Iterator[None]:
    """Turn the HTTP library's errors into the tree's."""
    from magic_ext.http import httpx

    try:
        yield
    except httpx.ConnectTimeout as error:
        raise _unreachable(endpoint, "it did not answer in time") from error
    except (httpx.ConnectError, httpx.ProxyError) as error:
        raise _unreachable(endpoint, str(error)) from error
    except httpx.TimeoutException as error:
        seconds = error.request.extensions.get("timeout", {}).get("read") or 0
        raise _silent(endpoint, seconds) from error
    except httpx.TransportError as error:
        if streaming:
            raise _cut_short() from error
        raise StreamBroken(
            f"{endpoint.host} closed the connection before it answered.",
            hint="Run the cell again; it was not repeated by itself because the request may have been billed.",
        ) from error


def _unreachable(endpoint: Endpoint, reason: str) -> ConnectionFailed:
    if "CERTIFICATE" in reason.upper():
        return ConnectionFailed(
            f"The certificate of {endpoint.host} is not trusted ({reason}).",
            hint="Behind a company proxy, set SSL_CERT_FILE to its certificate bundle.",
            transient=False,
        )
    hint = (
        "Is the server running? `gemini-exec serve` starts one."
        if endpoint.loopback
        else "Check the network and HTTPS_PROXY; without a network, `-m offline-planner` answers on this computer."
    )
    return ConnectionFailed(f"{endpoint.host} can't be reached ({reason}).", hint=hint)


def _silent(endpoint: Endpoint, seconds: float) -> TimedOut:
    return TimedOut(
        f"{endpoint.host} said nothing for {seconds:g} s.",
        hint="Raise --timeout for a long question; it was not repeated by itself because it may have been billed.",
    )


def _cut_short() -> StreamBroken:
    return StreamBroken(
        "The answer stopped half-way; what had arrived is kept above.", hint="Run the cell again for the whole answer."
    )


def _foreign(endpoint: Endpoint, kind: str) -> ProtocolError:
    return ProtocolError(
        f"{endpoint.host} answered with {kind or 'something unnamed'}, not with the Interactions protocol.",
        hint="Check the base URL; a proxy or login page may stand in between.",
    )


def _legacy() -> ProtocolError:
    return ProtocolError(
        "The server speaks the Interactions schema from before May 2026 (`outputs`).",
        hint="Point base_url at an up-to-date server, or ask its operator to upgrade.",
    )


def _json(response: httpx.Response, endpoint: Endpoint) -> object:
    try:
        decoded: object = msgspec.json.decode(response.content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _foreign(endpoint, _media_type(response)) from None
    return decoded


def _media_type(response: httpx.Response) -> str:
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def _whole(interaction: Interaction) -> Iterator[Event]:
    """A whole answer as the events of a stream, so that readers know one form only."""
    yield InteractionCreated(interaction)
    for index, step in enumerate(interaction.raw.get("steps") or ()):
        if isinstance(step, dict):
            yield StepStart(index, step)
            yield StepStop(index)
    yield InteractionCompleted(interaction)
