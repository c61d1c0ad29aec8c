"""Where requests go: an address, a version, a key."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.loopback import is_loopback

__all__ = ["API_REVISION", "API_VERSION", "GOOGLE", "Endpoint", "Secret", "endpoint_from"]

GOOGLE = "https://generativelanguage.googleapis.com"
API_VERSION = "v1beta"
API_REVISION = "2026-05-20"  # the guide sends it; the server has ignored it since June 2026 (wire.md section 0)


class Secret(msgspec.Struct, frozen=True):
    """A key that no ``repr``, traceback or log shows.

    >>> Secret("AIza-very-secret")
    Secret('***')
    """

    value: str

    def __repr__(self) -> str:
        return "Secret('***')"

    __str__ = __repr__

    def __bool__(self) -> bool:
        return bool(self.value)

    def hide(self, text: str) -> str:
        """``text`` without the key in it; words too short to be a secret (``local``) are left alone.

        >>> Secret("AIza-very-secret").hide("API key AIza-very-secret not valid")
        'API key *** not valid'
        """
        return text.replace(self.value, "***") if len(self.value) >= 8 else text

    def hide_in(self, data: bytes) -> bytes:
        """The same for what a server sent: no step, error or picture's text can carry the key any further."""
        return data.replace(self.value.encode(), b"***") if len(self.value) >= 8 else data


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An Interactions server."""

    base_url: str = GOOGLE
    api_version: str = API_VERSION
    key: Secret = Secret("")
    headers: Mapping[str, str] = {}

    def __repr__(self) -> str:  # neither the headers' values nor a password in the address
        return f"Endpoint(host={self.host!r}, api_version={self.api_version!r}, key={self.key!r})"

    @property
    def host(self) -> str:
        """The host's name, with its port where one is given."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2]

    @property
    def loopback(self) -> bool:
        """Whether the server is on this computer: no proxy is asked then."""
        return is_loopback(urlsplit(self.base_url).hostname or "")

    def url(self, path: str) -> str:
        """The full address of ``path`` under the version's root."""
        return f"{self.base_url.rstrip('/')}/{self.api_version}/{path}"


def endpoint_from(base_url: str, api_version: str, key: Secret, headers: Mapping[str, str]) -> Endpoint:
    """An endpoint from what the user set; raises :class:`GeminiExecError` for an address that is none.

    A key goes over plain http only to this computer.

    >>> endpoint_from("generativelanguage.googleapis.com", "v1", Secret(""), {})
    Traceback (most recent call last):
    magic_ext.errors.GeminiExecError: The base URL 'generativelanguage.googleapis.com' is not an http(s) address.
    """
    base_url = base_url.strip()
    if not _is_address(base_url):
        raise GeminiExecError(
            f"The base URL {key.hide(base_url)!r} is not an http(s) address.",
            hint="Write it as https://host, in GOOGLE_GEMINI_BASE_URL or the trait base_url.",
        )
    endpoint = Endpoint(base_url=base_url, api_version=api_version.strip("/"), key=key, headers=dict(headers))
    if urlsplit(base_url).scheme == "http" and not endpoint.loopback:
        raise GeminiExecError(
            f"{endpoint.host} would get your key and data unencrypted.", hint="Use https:// in the base URL."
        )
    return endpoint


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port  # raises ValueError for one that is no number
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or any(c.isspace() or not c.isprintable() for c in url))
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and port != 0 and plain
