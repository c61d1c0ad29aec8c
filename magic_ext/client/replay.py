"""A recorded answer as an httpx transport: the client reads it as it reads a server, and no connection is opened.

What is recorded is the answer as the client assembled it, in the form of a server that answers whole. So a stream, one
taken up where it broke, one over several interactions and one looked for in the background are all replayed the same
way, at once. The recordings themselves are in :mod:`magic_ext.client.recordings`.
"""

from __future__ import annotations

import msgspec

from magic_ext.http import httpx

from .recordings import Recording

__all__ = ["ReplayTransport"]

_NOT_HERE = b'{"error":{"code":"not_found","message":"A recording answers nothing but its question."}}'


class ReplayTransport(httpx.BaseTransport):
    """Answers a question from ``recording``, whatever the question's form."""

    def __init__(self, recording: Recording) -> None:
        self._answer = msgspec.json.encode(recording.interaction)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """The recorded answer for a question, 404 for all else."""
        request.read()
        asked = request.method == "POST" and request.url.path.endswith("/interactions")
        status, content = (200, self._answer) if asked else (404, _NOT_HERE)
        return httpx.Response(status, headers={"content-type": "application/json"}, content=content)
