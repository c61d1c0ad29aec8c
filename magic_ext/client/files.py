"""Files that are too large for a request: uploaded by the Files API and named by their address (wire.md section 5)."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from magic_ext.wire.content import Json

from .endpoint import Endpoint, Secret
from .errors import NotFound, StreamBroken, TimedOut, UploadFailed, one_line
from .reading import foreign, json_of
from .retry import pause

if TYPE_CHECKING:
    from .interactions import Client

__all__ = ["CHUNK", "Uploads"]

CHUNK = 8 << 20  # bytes; the server takes multiples of 256 kB, Google's SDK sends this many
_MARGIN = timedelta(minutes=30)  # a file that expires within a question's time is uploaded anew
_AGAIN = "Run the cell again."
_NAME = re.compile(r"files/[\w-]+", re.ASCII)
_LOOKS = 100  # readings of a file that the server still works on, one every two seconds


class _Uploaded(msgspec.Struct, frozen=True):
    name: str
    uri: str
    expires: datetime

    @property
    def usable(self) -> bool:
        return datetime.now(UTC) + _MARGIN < self.expires


class Uploads:
    """The files that a session has uploaded: the same bytes go to the same server once, until they expire there."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str, str, Secret], _Uploaded] = {}

    def uri(
        self,
        client: Client,
        data: bytes,
        mime_type: str,
        name: str = "",
        on_progress: Callable[[int, int], None] = lambda sent, size: None,
    ) -> str:
        """The address of ``data`` at the client's server, uploaded if need be.

        ``on_progress(sent, size)`` is told the bytes before each chunk. Raises :class:`UploadFailed` where the server
        can't use the file, and what every call of a client raises.
        """
        endpoint = client.endpoint
        key = (hashlib.sha256(data).hexdigest(), mime_type, endpoint.base_url, endpoint.key)
        known = self._known.get(key)
        if known is None or not known.usable:
            file = _ready(client, _upload(client, data, mime_type, name, on_progress))
            if not _text(file, "uri"):
                raise UploadFailed("The server did not say where it keeps the file.", hint=_AGAIN)
            known = _Uploaded(
                _text(file, "name"), _text(file, "uri"), _moment(_text(file, "expirationTime", "expiration_time"))
            )
            self._known[key] = known
        return known.uri

    @property
    def count(self) -> int:
        """How many files there are that this session has uploaded."""
        return len(self._known)

    def delete(self, client: Client) -> int:
        """Delete this session's files at the client's server; returns how many there were still."""
        gone = 0
        for key in [key for key in self._known if key[2] == client.endpoint.base_url]:
            name = self._known[key].name
            if _NAME.fullmatch(name):
                with contextlib.suppress(NotFound):  # expired, or deleted before
                    client.send("DELETE", client.endpoint.url(name))
                    gone += 1
            del self._known[key]
        return gone


def _upload(client: Client, data: bytes, mime_type: str, name: str, on_progress: Callable[[int, int], None]) -> Json:
    """Send the bytes in chunks, by the resumable protocol; returns the file's resource."""
    endpoint, size = client.endpoint, len(data)
    begun = client.send(
        "POST",
        f"{endpoint.base_url.rstrip('/')}/upload/{endpoint.api_version}/files",
        msgspec.json.encode({"file": {"mimeType": mime_type, "displayName": name, "sizeBytes": str(size)}}),
        {
            "x-goog-upload-protocol": "resumable",
            "x-goog-upload-command": "start",
            "x-goog-upload-header-content-length": str(size),
            "x-goog-upload-header-content-type": mime_type,
        },
    )
    address = begun.headers.get("x-goog-upload-url", "")
    if not address:
        raise foreign(begun, endpoint)
    url = _here(address, endpoint)
    for offset in range(0, max(size, 1), CHUNK):
        on_progress(offset, size)
        last = offset + CHUNK >= size
        headers = {
            "content-type": "application/octet-stream",
            "x-goog-upload-command": "upload, finalize" if last else "upload",
            "x-goog-upload-offset": str(offset),
        }
        try:
            answered = client.send("POST", url, data[offset : offset + CHUNK], headers)
        except (StreamBroken, TimedOut):
            raise UploadFailed(f"The upload of {name or 'a file'} broke off.", hint=_AGAIN) from None
    return _resource(json_of(answered, endpoint))


def _ready(client: Client, file: Json) -> Json:
    """The resource of a file that can be used: one that the server still works on is waited for."""
    endpoint = client.endpoint
    for _ in range(_LOOKS):
        state = _text(file, "state")
        if state == "FAILED":
            error = file.get("error")
            said = one_line(str(error.get("message") or "")) if isinstance(error, dict) else ""
            raise UploadFailed(
                f"{endpoint.host} can't use the file. {said}".strip(), hint="Is it damaged, or of another type?"
            )
        if state != "PROCESSING":
            return file
        name = _text(file, "name")
        if not _NAME.fullmatch(name):
            break
        pause(2.0)
        file = _resource(json_of(client.send("GET", endpoint.url(name)), endpoint))
    raise UploadFailed(f"{endpoint.host} did not get done with the file.", hint="Run the cell again in a few minutes.")


def _here(address: str, endpoint: Endpoint) -> str:
    """The upload's address at the host that was asked, whatever host it names: the key goes nowhere else.

    >>> _here("http://elsewhere/upload/v1/files?upload_id=u", Endpoint(base_url="https://host/prefix"))
    'https://host/upload/v1/files?upload_id=u'
    """
    base, given = urlsplit(endpoint.base_url), urlsplit(address)
    return base._replace(path=given.path, query=given.query).geturl()


def _resource(answered: object) -> Json:
    file = answered.get("file", answered) if isinstance(answered, dict) else None
    return file if isinstance(file, dict) else {}


def _moment(text: str) -> datetime:
    """The moment that a timestamp names; one that can't be read is past, so that nothing is used too long."""
    try:
        moment = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(file: Json, *names: str) -> str:
    return next((value for name in names if isinstance(value := file.get(name), str)), "")
