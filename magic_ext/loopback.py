"""Which hosts are this computer itself."""

from __future__ import annotations

import ipaddress

__all__ = ["is_loopback"]


def is_loopback(host: str) -> bool:
    """Whether a name or an address, without a port, leads to this computer and nowhere else.

    >>> [is_loopback(host) for host in ("127.0.0.1", "::1", "engine.localhost", "localhost.example.com", "")]
    [True, True, True, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
