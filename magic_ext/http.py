"""The one place that imports the HTTP library, so that changing it is one line, and where every connection begins.

Import this module at first use only: it costs 60 ms.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Mapping
from typing import Any

import httpx

from magic_ext.errors import Offline
from magic_ext.loopback import is_loopback

__all__ = ["OFFLINE", "Line", "httpx", "network_client", "offline"]

OFFLINE = "GEMINI_EXEC_OFFLINE"


def offline(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether no connection may be opened but to this computer.

    >>> offline({"GEMINI_EXEC_OFFLINE": "1"}), offline({"GEMINI_EXEC_OFFLINE": "0"}), offline({})
    (True, False, False)
    """
    return environ.get(OFFLINE, "").strip() not in {"", "0"}


def network_client(**settings: Any) -> httpx.Client:
    """A client for the network, made of ``httpx.Client``'s own arguments: the only way to one in this package.

    Its requests raise :class:`Offline`, before any name is looked up, for a host that ``GEMINI_EXEC_OFFLINE`` forbids.
    """
    return httpx.Client(event_hooks={"request": [_allowed]}, **settings)


class Line:
    """The connection of one request, which another thread can hang up while this one waits for the answer.

    Give :attr:`trace` to the request as its extension of that name.
    """

    def __init__(self) -> None:
        self._socket: Any = None
        self._hung_up = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """Note the socket; the library tells of every stream that it opens, the encrypted one last."""
        stream = info.get("return_value")
        if stream is not None and hasattr(stream, "get_extra_info"):
            self._socket = stream.get_extra_info("socket")
            if self._hung_up:
                self.hang_up()

    def hang_up(self) -> None:
        """End the connection: whoever reads from it gets an error of the library's now."""
        self._hung_up = True
        if self._socket is not None:
            with contextlib.suppress(OSError):  # closed already
                self._socket.shutdown(socket.SHUT_RDWR)  # a mere close() would wake nobody up


def _allowed(request: httpx.Request) -> None:
    if offline() and not is_loopback(request.url.host):
        raise Offline(
            f"No connection to {request.url.host} is opened: {OFFLINE} is set.",
            hint=f"Unset {OFFLINE}, or ask on this computer with -m offline-planner.",
        )
