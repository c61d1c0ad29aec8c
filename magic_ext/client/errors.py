"""What can go wrong between this computer and an endpoint.

::

    GeminiExecError
    └── ClientError
        ├── NoKey             no API key was found
        ├── ConnectionFailed  the server could not be reached: name, address, certificate, proxy
        ├── TimedOut          it was reached and said nothing for too long; the request may have been billed
        ├── StreamBroken      the answer stopped half-way; what had arrived is kept
        ├── UploadFailed      a file could not be taken to the server, or the server can't use it
        ├── ProtocolError     it answered with something that is not the Interactions protocol
        └── ApiError          it answered with an error
            ├── BadRequest    400, 409, 416: the request is not acceptable
            ├── BadKey        401, 403: the key is wrong or may not do this
            ├── NotFound      404: no such model or interaction
            ├── RateLimited   429: too many requests, or a quota is used up
            ├── Blocked       the model's safety rules stopped the answer
            └── ServerError   5xx: the server failed

The codes behind the mapping stand in wire.md section 7.1.
"""

from __future__ import annotations

import re

from magic_ext.errors import GeminiExecError

__all__ = [
    "KEY_HINT",
    "ApiError",
    "BadKey",
    "BadRequest",
    "Blocked",
    "ClientError",
    "ConnectionFailed",
    "NoKey",
    "NotFound",
    "ProtocolError",
    "RateLimited",
    "ServerError",
    "StreamBroken",
    "TimedOut",
    "UploadFailed",
    "api_error",
    "one_line",
]

KEY_HINT = "Get a key at https://aistudio.google.com/apikey and set GEMINI_API_KEY, or type it after %gemini key."


class ClientError(GeminiExecError):
    """Something went wrong between this computer and an endpoint."""


class NoKey(ClientError):
    """No API key was found."""


class ConnectionFailed(ClientError):
    """The server could not be reached; ``transient`` says whether another try may help."""

    def __init__(self, message: str, *, hint: str = "", transient: bool = True) -> None:
        super().__init__(message, hint=hint)
        self.transient = transient


class TimedOut(ClientError):
    """The server was silent for too long. The request is not repeated: it may have been billed."""


class StreamBroken(ClientError):
    """The answer stopped half-way."""


class UploadFailed(ClientError):
    """A file could not be uploaded, or the server can't use it."""


class ProtocolError(ClientError):
    """The server does not speak the Interactions protocol."""


class ApiError(ClientError):
    """The server answered with an error.

    ``status`` is the HTTP status (``None`` for an error inside a stream), ``code`` the server's own word, and
    ``retry_after`` the seconds that the server asks to wait, where it does.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        status: int | None = None,
        code: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.code = code
        self.retry_after = retry_after


class BadRequest(ApiError):
    """The request is not acceptable."""


class BadKey(ApiError):
    """The key is wrong, or may not do this."""


class NotFound(ApiError):
    """No such model or interaction."""


class RateLimited(ApiError):
    """Too many requests, or a quota is used up."""


class Blocked(ApiError):
    """The model's safety rules stopped the answer."""


class ServerError(ApiError):
    """The server failed."""


_BLOCKED = frozenset({"safety", "recitation", "language", "prohibited_content", "spii", "blocklist", "content_blocked"})
_BY_CODE: dict[str, int] = {
    "invalid_request": 400,
    "invalid_argument": 400,
    "failed_precondition": 400,
    "parameter_unknown": 400,
    "authentication": 401,
    "unauthenticated": 401,
    "payment_required": 402,
    "permission_denied": 403,
    "not_found": 404,
    "model_not_found": 404,
    "already_exists": 409,
    "aborted": 409,
    "unexpected_tool_call": 409,
    "out_of_range": 416,
    "rate_limit_exceeded": 429,
    "too_many_requests": 429,
    "quota_exceeded": 429,
    "resource_exhausted": 429,
    "api_error": 500,
    "unimplemented": 501,
    "service_unavailable": 503,
    "unavailable": 503,
    "gateway_timeout": 504,
    "deadline_exceeded": 504,
}


def api_error(
    status: int | None,
    code: str,
    message: str,
    *,
    retry_after: float | None = None,
    server: str = "The server",
) -> ApiError:
    """The error of the tree for what a server answered; ``status`` is ``None`` for an error inside a stream.

    What the server says is cut to one printable line.

    >>> error = api_error(429, "quota_exceeded", "Daily limit reached.")
    >>> type(error).__name__, error.hint
    ('RateLimited', 'The quota is used up: wait until it is renewed, or choose another model with -m.')
    """
    code = re.sub(r"[^\w.-]", "", code.lower(), flags=re.ASCII)[:60]
    number = int(code) if re.fullmatch(r"[45]\d\d", code) else 500
    effective = status if status is not None else _BY_CODE.get(code, number)
    kind, hint = _kind_and_hint(effective, code, message, retry_after)
    said = one_line(message) or "no reason given"
    said += "" if said.endswith((".", "!", "?", "…")) else "."
    where = f"{server} answered {status}" if status is not None else f"{server} stopped the answer"
    named = f" ({code})" if code and code != str(status) else ""
    return kind(f"{where}{named}: {said}", hint=hint, status=status, code=code, retry_after=retry_after)


def one_line(text: str, longest: int = 500) -> str:
    r"""What somebody else wrote, fit for one line of a message: no line ends, no control characters, not too long.

    >>> one_line("Bad\n  request\x1b[31m")
    'Bad request[31m'
    """
    line = "".join(letter for letter in " ".join(text[: 4 * longest].split()) if letter.isprintable())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def _kind_and_hint(status: int, code: str, message: str, retry_after: float | None) -> tuple[type[ApiError], str]:
    if code in _BLOCKED or code.startswith("image_"):
        return Blocked, "Rephrase the question; the model's safety rules stopped the answer."
    if status in {401, 403} or code == "api_key_invalid" or "API key not valid" in message:
        return BadKey, f"Check the key. {KEY_HINT}"
    if status == 402:
        return BadRequest, "Billing is not active for this key's project."
    if status == 404:
        if "model" in code or "model" in message.lower():
            return (
                NotFound,
                "Choose another with -m: %gemini models lists Google's; openai:NAME is one of your own.",
            )
        return NotFound, "It may have expired; ask without -c to start anew."
    if status == 429:
        if code == "quota_exceeded":
            return RateLimited, "The quota is used up: wait until it is renewed, or choose another model with -m."
        wait = f"{retry_after:.0f} s" if retry_after else "a minute"
        return RateLimited, f"Wait {wait} and run the cell again."
    if status >= 500:
        return ServerError, "Run the cell again in a moment; nothing in the notebook is lost."
    return BadRequest, "Change the question or the options that the message names."
