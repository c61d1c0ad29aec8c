"""The HTTP connection to an endpoint, and what can go wrong with it as errors of the tree.

The HTTP library's own errors end here: they are not chained, because a server that echoes the key into garbage would
have it shown by a traceback.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from .endpoint import API_REVISION, Endpoint
from .errors import KEY_HINT, BadKey, ConnectionFailed, StreamBroken, TimedOut, one_line

if TYPE_CHECKING:
    from magic_ext.http import httpx

__all__ = ["Content", "Timeouts", "cut_short", "http_client", "outgoing", "silent", "transport_errors"]

Content = Callable[[], bytes | io.BytesIO | None]
"""Makes a request's body, for each try anew."""


class Timeouts(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds to wait for a connection, and between two events of an answer."""

    connect: float = 10.0
    between_events: float = 120.0


def http_client(endpoint: Endpoint, timeouts: Timeouts, transport: httpx.BaseTransport | None) -> httpx.Client:
    """A client whose every request carries the endpoint's key and headers; ``transport`` replaces the network.

    Raises :class:`BadKey` for a key that no header can carry, :class:`ConnectionFailed` where the environment's proxy
    or the endpoint's headers are unusable.
    """
    from magic_ext.http import httpx, network_client

    if not re.fullmatch(r"[!-~]*", endpoint.key.value):  # before the HTTP library quotes it in an error
        raise BadKey("The API key holds a space, a line end or a letter that no key has.", hint=f"Check it. {KEY_HINT}")
    try:
        headers = httpx.Headers(
            {
                "content-type": "application/json",
                "accept": "text/event-stream, application/json",
                "user-agent": "gemini-exec",
                "api-revision": API_REVISION,
            }
        )
        headers.update(endpoint.headers)
        if endpoint.key:
            headers["x-goog-api-key"] = endpoint.key.value
        plain = transport is not None or endpoint.base_url.startswith("http:")
        return (network_client if transport is None else httpx.Client)(
            headers=headers,
            timeout=httpx.Timeout(timeouts.between_events, connect=timeouts.connect),
            # A kept connection that the server has just closed would swallow a POST, and nobody could tell whether it
            # was billed. A question takes seconds, a new connection a tenth of one.
            limits=httpx.Limits(max_keepalive_connections=0),
            transport=transport,
            trust_env=not endpoint.loopback and transport is None,  # never a proxy for this computer
            verify=True if plain else _certificates(os.environ),
        )
    except (
        ValueError,
        ImportError,
        httpx.InvalidURL,
    ) as error:  # a proxy of an unknown kind, SOCKS without its package
        raise ConnectionFailed(
            f"No connection to {endpoint.host} can be set up ({one_line(endpoint.key.hide(str(error)))}).",
            hint="Check HTTPS_PROXY and ALL_PROXY, and the trait headers.",
            transient=False,
        ) from None


def outgoing(data: bytes | None, tell: Callable[[int, int], None] | None = None) -> Content:
    """The body of a request; ``tell(sent, size)`` is told the bytes that the connection has taken, in the end all."""
    return (lambda: data) if data is None or tell is None else (lambda: _Outgoing(data, tell))


class _Outgoing(io.BytesIO):
    """Bytes that are asked for piece by piece: whoever asks for the next one has sent the one before."""

    def __init__(self, data: bytes, tell: Callable[[int, int], None]) -> None:
        super().__init__(data)
        self._told = tell
        self._size = len(data)

    def read(self, size: int | None = -1, /) -> bytes:
        self._told(self.tell(), self._size)
        return super().read(size)


def _certificates(environ: Mapping[str, str]) -> Any:
    """The system's certificate store, certifi's, and the bundles that the environment names for other tools."""
    import ssl

    import certifi

    context = ssl.create_default_context()  # reads SSL_CERT_FILE and SSL_CERT_DIR by itself
    context.load_verify_locations(certifi.where())
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        if path := environ.get(name):
            try:
                context.load_verify_locations(**{"capath" if Path(path).is_dir() else "cafile": path})
            except (OSError, ssl.SSLError):  # a stale variable must not stop what works without it
                continue
    return context


@contextmanager
def transport_errors(endpoint: Endpoint, timeouts: Timeouts, *, streaming: bool = False) -> Iterator[None]:
    """Turn the HTTP library's errors into the tree's."""
    from magic_ext.http import httpx

    try:
        yield
    except httpx.ConnectTimeout:
        raise _unreachable(endpoint, "it did not answer in time") from None
    except (httpx.ConnectError, httpx.ProxyError) as error:
        raise _unreachable(endpoint, _reason(error, endpoint)) from None
    except httpx.TimeoutException:
        raise silent(endpoint, timeouts) from None
    except httpx.LocalProtocolError:  # its text quotes the header
        raise ConnectionFailed(
            f"The request to {endpoint.host} can't be sent: a header is not acceptable.",
            hint="Check the trait headers.",
            transient=False,
        ) from None
    except httpx.RequestError as error:
        if streaming:
            raise cut_short() from None
        raise StreamBroken(
            f"{endpoint.host} broke off before it answered ({_reason(error, endpoint)}).",
            hint="Run the cell again; it was not repeated by itself because the request may have been billed.",
        ) from None


def _reason(error: Exception, endpoint: Endpoint) -> str:
    """What the HTTP library says, without what only a programmer reads."""
    said = one_line(endpoint.key.hide(str(error)), 120)
    if said.startswith("illegal"):  # and then quotes what came, as bytes
        return "what it sent is no HTTP"
    return re.sub(r"^\[(?:Errno|WinError) -?\d+\] |\s*\(_ssl\.c:\d+\)", "", said)


def _unreachable(endpoint: Endpoint, reason: str) -> ConnectionFailed:
    if "CERTIFICATE" in reason.upper():
        reason = re.sub(r"^\[SSL: \w+\] certificate verify failed: ", "", reason)
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


def silent(endpoint: Endpoint, timeouts: Timeouts, *, begun: bool = False) -> TimedOut:
    """The error for a server that says nothing for longer than ``timeouts.between_events``."""
    lost = "; what had arrived is kept above, the rest is lost" if begun else ""
    return TimedOut(
        f"{endpoint.host} said nothing for {timeouts.between_events:g} s{lost}.",
        hint="Raise --timeout for a long question; it was not repeated by itself because it may have been billed.",
    )


def cut_short() -> StreamBroken:
    """The error for a stream that ends before the interaction has."""
    return StreamBroken(
        "The answer stopped half-way; what had arrived is kept above, the rest is lost.",
        hint="Run the cell again for the whole answer.",
    )
