"""An HTTP request and its reply as values, whatever carries them."""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping

import msgspec

from magic_ext.wire.content import Json

from .errors import EngineError, bad_request
from .jobs import Job

__all__ = ["Call", "Reply", "decoded", "error_reply", "json_reply"]

_INTERACTIONS = re.compile(r"/v1[^/]*/interactions(/|$)")
_RPC_WORDS = {
    "authentication": "UNAUTHENTICATED",
    "invalid_request": "INVALID_ARGUMENT",
    "model_not_found": "NOT_FOUND",
    "quota_exceeded": "RESOURCE_EXHAUSTED",
}


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP request, read to its end. Header names are case-insensitive (any mapping that treats them so)."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP reply: ``body`` is whole bytes, or the pieces of an event stream.

    ``job`` is set for the stream of a foreground interaction: it is cancelled ``grace`` seconds after its last reader
    went away.
    """

    status: int = 200
    headers: Mapping[str, str]
    body: bytes | Generator[bytes, None, None]
    job: Job | None = None
    grace: float = 0.0


def json_reply(document: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A reply that carries a JSON document."""
    return Reply(
        status=status,
        headers={"content-type": "application/json", **(headers or {})},
        body=msgspec.json.encode(document),
    )


def error_reply(error: EngineError, path: str) -> Reply:
    """An error in the words of the path's family (wire.md section 7.1).

    Interactions answer with a word as ``code``; files and models as google.rpc does, with a number and a ``status``.

    >>> error_reply(bad_request("Why?"), "/v1/interactions").body
    b'{"error":{"code":"invalid_request","message":"Why?"}}'
    >>> error_reply(bad_request("Why?"), "/v1/files").body
    b'{"error":{"code":400,"message":"Why?","status":"INVALID_ARGUMENT"}}'
    """
    if _INTERACTIONS.match(path):
        return json_reply(error.document, error.status)
    word = _RPC_WORDS.get(error.code, error.code.upper())
    return json_reply({"error": {"code": error.status, "message": str(error), "status": word}}, error.status)


def decoded(body: bytes) -> object:
    """The JSON of a request's body; raises a 400 for what is none."""
    try:
        document: object = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise bad_request(f"The request body is not valid JSON: {error}") from None
    return document
