"""Answers over a real socket that are no stream of today: pages, whole documents, old schemas, errors, lists."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from magic_ext.client.errors import (
    BadKey,
    BadRequest,
    Blocked,
    ClientError,
    NotFound,
    ProtocolError,
    RateLimited,
    ServerError,
)
from magic_ext.wire.assembly import Assembly
from magic_ext.wire.content import Text
from magic_ext.wire.events import InteractionCompleted, InteractionCreated, StepDelta, StepStart, StepStop, UnknownEvent
from magic_ext.wire.steps import ModelOutput

BODY = {"model": "gemini-3-flash-preview", "input": "hi", "stream": True}


def read(events: Any) -> tuple[list[type], tuple[Any, ...]]:
    """The kinds of the events and the steps that they make."""
    kinds, assembly = [], Assembly()
    for event in events:
        kinds.append(type(event))
        assembly.apply(event)
    return kinds, assembly.steps


WHOLE = [InteractionCreated, StepStart, StepDelta, StepStop, InteractionCompleted]


def well_told(error: ClientError) -> bool:
    """Whether an error says in one line what went wrong, and what to do."""
    return bool(str(error).strip()) and "\n" not in str(error) and len(str(error)) < 700 and bool(error.hint.strip())


# Not the protocol.

PAGE = b"<html>\n<h1>Log in</h1></html>"


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/plain", "", "application/octet-stream"])
def test_a_page_with_200_is_not_the_protocol(serve: Any, connect: Any, faults: SimpleNamespace, kind: str) -> None:
    server = serve(faults.reply(200, PAGE, content_type=kind))
    for call in (lambda c: list(c.stream(BODY)), lambda c: c.create(BODY), lambda c: c.models()):
        with pytest.raises(ProtocolError) as caught:
            call(connect(server))
        assert well_told(caught.value)
        assert "base URL" in caught.value.hint
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b'{"status":null}', b"[" * 5000, b"\xff", b"not JSON", b'{"steps":5}']
)
def test_json_that_is_no_interaction_is_not_the_protocol(
    serve: Any, connect: Any, faults: SimpleNamespace, body: bytes
) -> None:
    server = serve(faults.reply(200, body))
    for call in (lambda c: list(c.stream(BODY)), lambda c: c.create(BODY)):
        with pytest.raises(ProtocolError) as caught:
            call(connect(server))
        assert well_told(caught.value)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(serve: Any, connect: Any, faults: SimpleNamespace, status: int) -> None:
    """The other host would get the key and the data."""
    elsewhere = serve(faults.FINE)
    server = serve(faults.reply(status, PAGE, location=f"{elsewhere.url}/login"))
    with pytest.raises(ProtocolError, match=r"a redirect to http://127\.0\.0\.1") as caught:
        list(connect(server).stream(BODY))
    assert well_told(caught.value)
    assert (len(server.seen), elsewhere.seen) == (1, [])


@pytest.mark.parametrize("status", [201, 204, 304])
def test_other_statuses_below_400_are_not_the_protocol(
    serve: Any, connect: Any, faults: SimpleNamespace, status: int
) -> None:
    server = serve(faults.reply(status))
    with pytest.raises(ProtocolError, match=f"status {status}"):
        connect(server).create(BODY)


def test_garbage_instead_of_http_is_told_in_one_line(serve: Any, connect: Any) -> None:
    server = serve(lambda to: to.send(b"SSH-2.0-OpenSSH_9.9\r\n\r\n"))
    with pytest.raises(ClientError) as caught:
        connect(server).create(BODY)
    assert well_told(caught.value)
    assert len(server.seen) == 1


def test_events_that_are_no_json_are_passed_on(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.streamed(b"data: garbage\n\ndata: 7\n\n", faults.sse(*faults.ANSWER)))
    events = list(connect(server).stream(BODY))
    assert events[:2] == [UnknownEvent("garbage"), UnknownEvent(7)]
    assert [type(event) for event in events[2:]] == WHOLE


# A server that answers whole, or in the schema of old.


def test_a_whole_answer_reads_like_a_stream(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    steps = [
        {"type": "thought", "signature": "s"},
        "no step",
        {"type": "model_output", "content": [{"type": "text", "text": "hi"}]},
    ]
    document = {"id": "v1_a", "status": "completed", "steps": steps, "usage": {"total_tokens": 5}}
    server = serve(faults.reply(200, document, content_type="application/json; charset=UTF-8"))
    events = list(connect(server).stream(BODY))
    assert isinstance(events[0], InteractionCreated)
    last = events[-1]
    assert isinstance(last, InteractionCompleted)
    assert last.interaction.usage.total_tokens == 5
    assert read(events)[1][-1] == ModelOutput((Text("hi"),))
    assert connect(server).create(BODY) == last.interaction


def test_odd_steps_in_a_whole_answer_are_no_steps(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.reply(200, {"status": "completed", "steps": 5}))
    assert read(connect(server).stream(BODY)) == ([InteractionCreated, InteractionCompleted], ())


LEGACY_EVENTS = [
    {"event_type": "interaction.start", "interaction": {"id": "v1"}},
    {"event_type": "content.start", "index": 0, "content": {"type": "text"}},
    {"event_type": "content.delta", "index": 0, "delta": {"type": "text", "text": "hi"}},
    {"event_type": "interaction.complete", "interaction": {"outputs": []}},
    {"event_type": "interaction.completed", "interaction": {"id": "v1", "outputs": []}},
]


@pytest.mark.parametrize("event", LEGACY_EVENTS, ids=lambda event: event["event_type"])
def test_events_from_before_may_2026_are_named(
    serve: Any, connect: Any, faults: SimpleNamespace, event: dict[str, Any]
) -> None:
    server = serve(faults.streamed(faults.sse(event), faults.DONE))
    with pytest.raises(ProtocolError, match="before May 2026") as caught:
        list(connect(server).stream(BODY))
    assert well_told(caught.value)


def test_an_old_event_is_known_by_its_event_line_too(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.streamed(b'event: content.delta\ndata: {"index":0,"delta":{"text":"hi"}}\n\n'))
    with pytest.raises(ProtocolError, match="before May 2026"):
        list(connect(server).stream(BODY))


def test_a_whole_answer_from_before_may_2026_is_named(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.reply(200, {"id": "v1", "status": "completed", "outputs": [{"type": "text", "text": "hi"}]}))
    for call in (lambda c: list(c.stream(BODY)), lambda c: c.create(BODY)):
        with pytest.raises(ProtocolError, match="before May 2026"):
            call(connect(server))


# Errors inside a stream.


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "gateway_timeout", "message": "Deadline expired."}, ServerError),
        ({"code": "safety", "message": "m"}, Blocked),
        ({"code": "image_recitation", "message": "m"}, Blocked),
        ({"code": "quota_exceeded", "message": "m"}, RateLimited),
        ({"code": "permission_denied", "message": "m"}, BadKey),
        ({"code": "model_not_found", "message": "m"}, NotFound),
        ({"code": "invalid_request", "message": "two\nlines\u2028three"}, BadRequest),
        ({"code": 429, "message": "m", "status": "RESOURCE_EXHAUSTED"}, RateLimited),
        ({"code": 503, "message": "m"}, ServerError),
        ({"code": None, "message": None}, ServerError),
        ({"code": "too_many_tool_calls", "message": "x" * 100_000}, ServerError),
    ],
)
@pytest.mark.parametrize("typed", [True, False])
def test_an_error_event_raises_its_error(
    serve: Any, connect: Any, faults: SimpleNamespace, error: dict[str, Any], kind: type[ClientError], typed: bool
) -> None:
    event = {"error": error} | ({"event_type": "error"} if typed else {})
    server = serve(faults.streamed(faults.sse(faults.CREATED, event), faults.DONE))
    arrived = []
    with pytest.raises(kind) as caught:
        for got in connect(server).stream(BODY):
            arrived.append(type(got))
    assert type(caught.value) is kind
    assert well_told(caught.value)
    assert "None" not in str(caught.value)
    assert arrived == [InteractionCreated]
    assert len(server.seen) == 1, "an answer that has begun is never asked for again"


# The models.


def test_models(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    listed = [{"name": "models/gemini-3-flash-preview"}, {"name": "plain"}, {"displayName": "nameless"}, 5]
    server = serve(faults.reply(200, {"models": listed, "nextPageToken": ""}))
    assert connect(server).models() == ("gemini-3-flash-preview", "plain")
    [seen] = server.seen
    assert (seen.method, seen.target) == ("GET", "/v1beta/models?pageSize=1000")


def test_models_of_another_kind_of_server(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.reply(200, {"object": "list", "models": 5}))
    with pytest.raises(ProtocolError):
        connect(server).models()
