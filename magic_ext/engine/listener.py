"""Where the server listens: on this computer alone, unless its user says otherwise and has chosen a token."""

from __future__ import annotations

import ipaddress
import os
import socket
from urllib.parse import urlsplit

from magic_ext.errors import GeminiExecError

__all__ = ["REMOTE_TOKEN_LENGTH", "address_of", "is_local", "listen", "names_this_computer"]

REMOTE_TOKEN_LENGTH = 16  # characters; a shorter one can be guessed from afar


def listen(host: str, port: int, *, allow_remote: bool = False, token: str = "") -> socket.socket:
    """A socket that listens at ``host``, a name or an address of this computer.

    Raises :class:`GeminiExecError` where that is not to be had, and for an address that other computers can reach
    unless it is asked for with ``allow_remote`` and a ``token`` that the user chose.
    """
    try:
        family, _, _, _, found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError) as error:
        raise _unusable(host, port, error) from error
    if not _is_loopback(str(found[0])):
        _check_remote(host, allow_remote, token)
    listener = socket.socket(family, socket.SOCK_STREAM)
    if os.name == "posix":
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((found[0], port, *found[2:]))
    except (OSError, OverflowError) as error:
        listener.close()
        raise _unusable(host, port, error) from error
    listener.listen(128)
    return listener


def address_of(listener: socket.socket) -> str:
    """The address by which clients reach a listener.

    >>> with listen("127.0.0.1", 0) as listener:
    ...     address_of(listener).rpartition(":")[0]
    'http://127.0.0.1'
    """
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def is_local(listener: socket.socket) -> bool:
    """Whether only this computer can reach a listener."""
    return _is_loopback(listener.getsockname()[0])


def names_this_computer(host_header: str) -> bool:
    """Whether a request's ``Host`` is an address or name that only this computer has.

    A page of a stranger whose name leads to 127.0.0.1 (DNS rebinding) comes with the stranger's name.

    >>> [names_this_computer(host) for host in ("127.0.0.1:8765", "[::1]:8765", "localhost", "evil.example:8765", "")]
    [True, True, True, False, False]
    """
    try:
        name = urlsplit(f"//{host_header}").hostname or ""
    except ValueError:
        return False
    return name == "localhost" or name.endswith(".localhost") or _is_loopback(name)


def _check_remote(host: str, allow_remote: bool, token: str) -> None:
    if not allow_remote:
        raise GeminiExecError(
            f"Other computers could reach {host}, and run code in the sandbox here.",
            hint="Leave out --host, or add --allow-remote if that is what you want.",
        )
    if len(token) < REMOTE_TOKEN_LENGTH:
        raise GeminiExecError(
            f"--allow-remote needs a token of your own, of {REMOTE_TOKEN_LENGTH} characters at least: "
            "it is all that keeps others out.",
            hint="Set GEMINI_EXEC_TOKEN, for instance to what `openssl rand -hex 16` prints.",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _unusable(host: str, port: int, error: Exception) -> GeminiExecError:
    return GeminiExecError(
        f"Port {port} of {host} can't be used ({error}).", hint="Choose another with --port, or check --host."
    )
