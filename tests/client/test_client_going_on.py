"""A connection that is lost and taken up again, and an answer that is left: cancelled, never asked for twice."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from magic_ext.client.errors import ClientError, NotFound, StreamBroken, TimedOut
from magic_ext.wire.assembly import Assembly
from magic_ext.wire.events import InteractionCompleted

BODY = {"model": "gemini-3-flash-preview", "input": "hi", "stream": True}
CANCELLED = {"id": "v1_a", "status": "cancelled", "steps": []}
PIECES = (
    {"event_type": "step.start", "index": 0, "step": {"type": "thought"}},
    {"event_type": "step.delta", "index": 0, "delta": {"type": "thought_signature", "signature": "c2ln"}},
    {"event_type": "step.stop", "index": 0},
    {"event_type": "step.start", "index": 1, "step": {"type": "code_execution_call", "id": "c1"}},
    {
        "event_type": "step.delta",
        "index": 1,
        "delta": {"type": "code_execution_call", "arguments": {"code": "print(1)\n"}, "signature": "cw=="},
    },
    {"event_type": "step.stop", "index": 1},
    {"event_type": "step.start", "index": 2, "step": {"type": "model_output"}},
    {"event_type": "step.delta", "index": 2, "delta": {"type": "text", "text": "Grüße, "}},
    {"event_type": "step.delta", "index": 2, "delta": {"type": "text", "text": "one."}},
    {"event_type": "step.stop", "index": 2},
)


@pytest.fixture
def log(faults: SimpleNamespace) -> list[dict[str, Any]]:
    """An answer's events with their ids."""
    events = [faults.CREATED, *PIECES, faults.COMPLETED]
    return [event | {"event_id": f"evt_{number}"} for number, event in enumerate(events)]


def steps_of(events: Any) -> tuple[Any, ...]:
    assembly = Assembly()
    for event in events:
        assembly.apply(event)
    return assembly.raw_steps


def after(target: str, log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What a server still has to tell: the events behind the one that a resuming request names."""
    ids = [event["event_id"] for event in log]
    named = target.partition("last_event_id=")[2]
    return log[ids.index(named) + 1 :] if named else log


def methods(server: Any) -> list[str]:
    return [seen.method for seen in server.seen]


# Taken up again.


@pytest.mark.parametrize("how", ["cut", "clean", "reset"])
@pytest.mark.parametrize("kept", range(1, 12))
def test_a_stream_cut_once_is_taken_up(
    serve: Any, connect: Any, faults: SimpleNamespace, waits: Any, log: list[dict[str, Any]], kept: int, how: str
) -> None:
    taken = threading.Event()

    def cutting(to: Any) -> None:
        to.send(faults.STREAM_HEAD + faults.chunk(faults.sse(*log[:kept])))
        if how == "clean":
            to.send(b"0\r\n\r\n")
        elif how == "reset":
            taken.wait(20)
            to.reset()

    def the_rest(to: Any) -> None:
        faults.streamed(faults.sse(*after(to.seen.target, log)), faults.DONE)(to)

    server = serve(cutting, the_rest)
    heard = []
    for event in connect(server).stream(BODY):
        heard.append(event)
        if len(heard) == kept:
            taken.set()
    assert [event.event_id for event in heard] == [event["event_id"] for event in log], "each one once, in order"
    assert steps_of(heard) == steps_of(connect(serve(faults.streamed(faults.sse(*log)))).stream(BODY))
    assert methods(server) == ["POST", "GET"]
    assert server.seen[1].target == f"/v1beta/interactions/v1_a?stream=true&last_event_id=evt_{kept - 1}"
    assert server.seen[1].headers["x-goog-api-key"] == faults.KEY
    assert [reason for _, reason in waits.told] == ["connection lost, going on where it broke"]


def test_a_stream_cut_behind_every_event_is_taken_up_each_time(
    serve: Any, connect: Any, faults: SimpleNamespace, log: list[dict[str, Any]]
) -> None:
    """Three tries without anything new are too many; a line that is bad again and again is not given up."""

    def one_event(to: Any) -> None:
        to.send(faults.STREAM_HEAD + faults.chunk(faults.sse(after(to.seen.target, log)[0])))

    server = serve(one_event)
    heard = list(connect(server).stream(BODY))
    assert [event.event_id for event in heard] == [event["event_id"] for event in log]
    assert methods(server) == ["POST"] + ["GET"] * (len(log) - 1)


def test_a_server_that_tells_all_from_the_start_is_not_heard_twice(
    serve: Any, connect: Any, faults: SimpleNamespace, log: list[dict[str, Any]]
) -> None:
    server = serve(faults.streamed(faults.sse(*log[:9]), end=b""), faults.streamed(faults.sse(*log)))
    heard = list(connect(server).stream(BODY))
    assert [event.event_id for event in heard] == [event["event_id"] for event in log]


def test_a_server_that_answers_the_rest_whole(
    serve: Any, connect: Any, faults: SimpleNamespace, log: list[dict[str, Any]]
) -> None:
    """The timeline of a GET begins with what the user sent; that is no step of the answer."""
    steps = steps_of(connect(serve(faults.streamed(faults.sse(*log)))).stream(BODY))
    asked = {"type": "user_input", "content": [{"type": "text", "text": "hi"}]}
    whole = {"id": "v1_a", "status": "completed", "steps": [asked, *steps]}
    server = serve(faults.streamed(faults.sse(*log[:5]), end=b""), faults.reply(200, whole))
    heard = list(connect(server).stream(BODY))
    assert isinstance(heard[-1], InteractionCompleted)
    assert steps_of(heard) == steps


def test_three_tries_without_anything_new_are_the_end(
    serve: Any, connect: Any, faults: SimpleNamespace, waits: Any, log: list[dict[str, Any]]
) -> None:
    failing = [faults.reply(503, {"error": {"code": "service_unavailable"}}), lambda to: None, faults.streamed(end=b"")]
    server = serve(faults.streamed(faults.sse(*log[:4]), end=b""), *failing)
    heard = []
    with pytest.raises(StreamBroken, match="half-way") as caught:
        for event in connect(server).stream(BODY):
            heard.append(event)
    assert caught.value.hint
    assert len(heard) == 4
    assert methods(server) == ["POST", "GET", "GET", "GET"]
    assert waits.slept == [0.5, 1.0, 2.0]


@pytest.mark.parametrize("kept", [1, 4, 9])
def test_silence_is_taken_up(
    serve: Any, connect: Any, faults: SimpleNamespace, waits: Any, log: list[dict[str, Any]], kept: int
) -> None:
    def falls_silent(to: Any) -> None:
        to.send(faults.STREAM_HEAD + faults.chunk(faults.sse(*log[:kept])))
        gone.append(to.client_has_gone())

    def the_rest(to: Any) -> None:
        faults.streamed(faults.sse(*after(to.seen.target, log)), faults.DONE)(to)

    gone: list[bool] = []
    server = serve(falls_silent, the_rest)
    heard = list(connect(server, silence=1.0).stream(BODY))
    assert [event.event_id for event in heard] == [event["event_id"] for event in log], "each one once, in order"
    assert methods(server) == ["POST", "GET"]
    assert server.seen[1].target.endswith(f"last_event_id=evt_{kept - 1}")
    assert [reason for _, reason in waits.told] == ["no sign of life, going on where it stopped"]


@pytest.mark.parametrize("second", ["silence", "nothing new", "cut"])
def test_behind_silence_one_try_is_enough(
    serve: Any, connect: Any, faults: SimpleNamespace, log: list[dict[str, Any]], second: str
) -> None:
    def falls_silent(to: Any) -> None:
        to.send(faults.STREAM_HEAD + faults.chunk(faults.sse(*log[:4])))
        to.client_has_gone()

    def again(to: Any) -> None:
        if second == "nothing new":
            to.send(faults.STREAM_HEAD + faults.chunk(faults.sse(*log[:4])))
        if second != "cut":
            to.client_has_gone()

    server = serve(falls_silent, again)
    heard = []
    with pytest.raises(ClientError) as caught:
        for event in connect(server, silence=1.0).stream(BODY):
            heard.append(event)
    assert isinstance(caught.value, TimedOut)
    assert "said nothing for 1 s; what had arrived is kept above, the rest is lost" in str(caught.value)
    assert len(heard) == 4
    assert methods(server) == ["POST", "GET"]


def test_silence_that_nobody_can_take_up_tells_what_is_lost(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    def falls_silent(to: Any) -> None:
        to.send(faults.STREAM_HEAD + faults.chunk(faults.sse(*faults.ANSWER[:3])))
        to.client_has_gone()

    server = serve(falls_silent)
    with pytest.raises(TimedOut, match="the rest is lost"):
        list(connect(server, silence=1.0).stream(BODY))
    assert methods(server) == ["POST"]


@pytest.mark.parametrize("status", [400, 404])
def test_a_server_that_cannot_go_on_is_asked_once(
    serve: Any, connect: Any, faults: SimpleNamespace, log: list[dict[str, Any]], status: int
) -> None:
    refusal = faults.reply(status, {"error": {"code": "not_found", "message": "No interaction."}})
    server = serve(faults.streamed(faults.sse(*log[:4]), end=b""), refusal)
    with pytest.raises(StreamBroken, match="half-way"):
        list(connect(server).stream(BODY))
    assert methods(server) == ["POST", "GET"]


@pytest.mark.parametrize("why", ["no ids", "an event without one", "not stored", "no interaction id"])
def test_what_nobody_can_take_up_is_broken(
    serve: Any, connect: Any, faults: SimpleNamespace, log: list[dict[str, Any]], why: str
) -> None:
    events, body = log[:6], BODY
    match why:
        case "no ids":
            events = [{key: value for key, value in event.items() if key != "event_id"} for event in events]
        case "an event without one":
            events = [*events[:-1], {k: v for k, v in events[-1].items() if k != "event_id"}]
        case "not stored":
            body = BODY | {"store": False}
        case "no interaction id":
            events = [events[0] | {"interaction": {"status": "in_progress"}}, *events[1:]]
    server = serve(faults.streamed(faults.sse(*events), end=b""))
    with pytest.raises(StreamBroken, match="half-way"):
        list(connect(server).stream(body))
    assert methods(server) == ["POST"]


def test_nothing_is_taken_up_after_the_end(
    serve: Any, connect: Any, faults: SimpleNamespace, log: list[dict[str, Any]]
) -> None:
    server = serve(faults.streamed(faults.sse(*log), end=b""))
    assert len(list(connect(server).stream(BODY))) == len(log)
    assert methods(server) == ["POST"]


def test_what_follows_the_end_is_no_reason_to_cancel(
    serve: Any, connect: Any, faults: SimpleNamespace, log: list[dict[str, Any]]
) -> None:
    server = serve(faults.streamed(faults.sse(*log, {"event_type": "novelty", "event_id": "evt_99"})))
    events = connect(server).stream(BODY)
    for event in events:
        if event.event_id == "evt_99":
            break
    events.close()
    assert methods(server) == ["POST"]


def test_an_error_of_the_server_is_not_taken_up(
    serve: Any, connect: Any, faults: SimpleNamespace, log: list[dict[str, Any]]
) -> None:
    error = {"event_type": "error", "error": {"code": "api_error", "message": "Oh."}, "event_id": "evt_9"}
    server = serve(faults.streamed(faults.sse(*log[:4], error)))
    with pytest.raises(ClientError, match="Oh"):
        list(connect(server).stream(BODY))
    assert methods(server) == ["POST"]


def test_an_interactions_id_is_no_path(
    serve: Any, connect: Any, faults: SimpleNamespace, log: list[dict[str, Any]]
) -> None:
    created = log[0] | {"interaction": {"id": "../models?x=", "status": "in_progress"}}
    server = serve(faults.streamed(faults.sse(created), end=b""), faults.reply(404))
    with pytest.raises(StreamBroken):
        list(connect(server).stream(BODY))
    assert server.seen[1].target.startswith("/v1beta/interactions/..%2Fmodels%3Fx%3D?stream=true")


# Left by the reader.


def endless(faults: SimpleNamespace, gone: list[bool]) -> Callable[[Any], None]:
    def script(to: Any) -> None:
        to.send(faults.STREAM_HEAD + faults.chunk(faults.sse(faults.CREATED)))
        gone.append(to.client_has_gone())

    return script


def test_closing_the_iterator_closes_the_connection_and_cancels(
    serve: Any, connect: Any, faults: SimpleNamespace
) -> None:
    gone: list[bool] = []
    server = serve(endless(faults, gone), faults.reply(200, CANCELLED))
    with contextlib.closing(connect(server).stream(BODY)) as events:
        next(events)
    server.close()
    assert gone == [True]
    assert [(seen.method, seen.target) for seen in server.seen[1:]] == [("POST", "/v1beta/interactions/v1_a/cancel")]
    assert server.seen[1].headers["x-goog-api-key"] == faults.KEY


@pytest.mark.parametrize("how", ["not stored", "ended"])
def test_what_needs_no_cancelling_is_not_cancelled(serve: Any, connect: Any, faults: SimpleNamespace, how: str) -> None:
    """An interaction that is not stored has no address, and ends with its connection."""
    gone: list[bool] = []
    server = serve(endless(faults, gone) if how == "not stored" else faults.streamed(faults.sse(*faults.ANSWER)))
    events = connect(server).stream(BODY | {"store": how != "not stored"})
    for _ in range(1 if how == "not stored" else len(faults.ANSWER)):
        next(events)
    events.close()
    server.close()
    assert methods(server) == ["POST"]


@pytest.mark.parametrize("answer", ["silence", "an error", "nothing", "garbage"])
def test_a_cancel_that_fails_is_not_heard_of(serve: Any, connect: Any, faults: SimpleNamespace, answer: str) -> None:
    gone: list[bool] = []

    def cancel(to: Any) -> None:
        match answer:
            case "silence":
                gone.append(to.client_has_gone())
            case "an error":
                faults.reply(400, {"error": {"code": "invalid_request", "message": "Not in background."}})(to)
            case "garbage":
                to.send(b"\x00garbage\r\n\r\n")

    server = serve(endless(faults, []), cancel)
    events = connect(server, silence=3 * faults.PATIENCE).stream(BODY)
    next(events)
    events.close()
    server.close()
    assert len(server.seen) == 2
    assert all(gone), "silence is not waited through"


@pytest.mark.skipif(sys.platform == "win32", reason="there a signal does not wake a blocked read")
def test_an_interrupt_closes_the_connection_and_cancels(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    gone = []

    def interrupting(to: Any) -> None:
        to.send(faults.STREAM_HEAD + faults.chunk(faults.sse(faults.CREATED)))
        reading.wait(20)
        os.kill(os.getpid(), signal.SIGINT)
        gone.append(to.client_has_gone())

    reading = threading.Event()
    server = serve(interrupting, faults.reply(200, CANCELLED))
    with pytest.raises(KeyboardInterrupt), contextlib.closing(connect(server).stream(BODY)) as events:
        next(events)
        reading.set()
        next(events)
    server.close()
    assert gone == [True]
    assert [seen.target for seen in server.seen] == ["/v1beta/interactions", "/v1beta/interactions/v1_a/cancel"]


# Asked for by its id.


def test_get_cancel_and_delete(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    found = {"id": "v1_a", "status": "completed", "steps": [{"type": "model_output", "content": []}]}
    server = serve(faults.reply(200, found), faults.reply(200, CANCELLED), faults.reply(200, {}))
    client = connect(server)
    assert client.get("v1_a").status == "completed"
    assert client.cancel("v1_a").status == "cancelled"
    client.delete("v1_a")
    assert [(seen.method, seen.target) for seen in server.seen] == [
        ("GET", "/v1beta/interactions/v1_a"),
        ("POST", "/v1beta/interactions/v1_a/cancel"),
        ("DELETE", "/v1beta/interactions/v1_a"),
    ]


def test_an_interaction_that_is_gone(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    refusal = faults.reply(404, {"error": {"code": "not_found", "message": "No interaction 'v1_a'."}})
    client = connect(serve(refusal))
    for call in (client.get, client.cancel, client.delete):
        with pytest.raises(NotFound):
            call("v1_a")
