"""What an HTTP response says: an interaction, an error of the tree, or something else altogether."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from magic_ext.wire.content import Json
from magic_ext.wire.events import (
    Event,
    InteractionCompleted,
    InteractionCreated,
    StepStart,
    StepStop,
    error_code,
)
from magic_ext.wire.interaction import RUNNING, Interaction, decode_interaction

from .endpoint import Endpoint
from .errors import ClientError, ProtocolError, RateLimited, ServerError, api_error, one_line
from .retry import retry_after

if TYPE_CHECKING:
    from magic_ext.http import httpx

__all__ = ["error_of", "foreign", "interaction_of", "json_of", "legacy", "media_type", "steps_of", "whole_as_events"]

_LONGEST_ERROR = 1_000_000  # bytes; what lies beyond is no error message
_FOREIGN_HINT = "Check the base URL; a proxy or login page may stand in between."


def media_type(response: httpx.Response) -> str:
    """The media type without its parameters, in lower case; ``""`` where none is given."""
    return str(response.headers.get("content-type", "")).partition(";")[0].strip().lower()


def json_of(response: httpx.Response, endpoint: Endpoint) -> object:
    """The body as JSON; raises :class:`ProtocolError` where it is none."""
    try:
        decoded: object = msgspec.json.decode(endpoint.key.hide_in(response.content))
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise foreign(response, endpoint) from None
    return decoded


def interaction_of(response: httpx.Response, endpoint: Endpoint) -> Interaction:
    """The interaction of a whole answer; raises :class:`ProtocolError` where the body is none."""
    interaction = decode_interaction(json_of(response, endpoint))
    if interaction.legacy:
        raise legacy()
    if not interaction.status and not interaction.steps:
        raise foreign(response, endpoint)
    return interaction


def whole_as_events(interaction: Interaction) -> Iterator[Event]:
    """A whole answer as the events of a stream, so that readers know one form only.

    An interaction that still runs is not completed.
    """
    yield InteractionCreated(interaction)
    for index, step in enumerate(steps_of(interaction)):
        yield StepStart(index, step)
        yield StepStop(index)
    if interaction.status not in RUNNING:
        yield InteractionCompleted(interaction)


def steps_of(interaction: Interaction) -> list[Json]:
    """The steps of a whole answer as they came, without the user's own: asked again, a server tells those too.

    The source is wire.md section 2.4.
    """
    steps = interaction.raw.get("steps")
    told = [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []
    return [step for step in told if step.get("type") != "user_input"]


def error_of(response: httpx.Response, endpoint: Endpoint) -> ClientError:
    """The error that a response other than 200 stands for; reads its body."""
    body = _start_of_body(response)
    if response.status_code < 400:
        return foreign(response, endpoint)
    answered = _error_object(body)
    error = answered or {"message": f"not an error message but {media_type(response) or 'something unnamed'}"}
    details = error.get("details")
    reasons = {str(d.get("reason")) for d in details if isinstance(d, dict)} if isinstance(details, list) else set()
    made = api_error(
        response.status_code,
        "api_key_invalid" if "API_KEY_INVALID" in reasons else endpoint.key.hide(error_code(error)),
        endpoint.key.hide(str(error.get("message") or "")),
        retry_after=retry_after(response.headers, details),
        server=endpoint.host,
    )
    if answered is None and not isinstance(made, RateLimited | ServerError):
        made.hint = _FOREIGN_HINT
    return made


def _start_of_body(response: httpx.Response) -> bytes:
    """The first megabyte of an error's body, or what arrives of it: the status alone says enough."""
    from magic_ext.http import httpx

    body = bytearray()
    try:
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > _LONGEST_ERROR:
                break
    except httpx.RequestError:
        pass
    finally:
        response.close()
    return bytes(body)


def _error_object(body: bytes) -> Json | None:
    try:
        answered = msgspec.json.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    if isinstance(answered, list) and answered:  # Google's front end wraps its errors at times
        answered = answered[0]
    error = answered.get("error") if isinstance(answered, dict) else None
    return error if isinstance(error, dict) else None


def foreign(response: httpx.Response, endpoint: Endpoint) -> ProtocolError:
    """The error for a response that is not of the Interactions protocol."""
    said = media_type(response) or "something unnamed"
    if location := response.headers.get("location"):
        said = f"a redirect to {location}"
    elif response.status_code != 200:
        said = f"status {response.status_code}"
    return ProtocolError(
        f"{endpoint.host} answered with {one_line(endpoint.key.hide(said), 120)}, not with the Interactions protocol.",
        hint=_FOREIGN_HINT,
    )


def legacy() -> ProtocolError:
    """The error for a server that speaks the schema from before May 2026 (wire.md section 4.1)."""
    return ProtocolError(
        "The server speaks the Interactions schema from before May 2026 (`outputs`).",
        hint="Point base_url at an up-to-date server, or ask its operator to upgrade.",
    )
