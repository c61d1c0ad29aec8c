"""Answers over a real socket: whole, cut, slow, silent, foreign."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import pytest

from magic_ext.client.errors import (
    ClientError,
    ConnectionFailed,
    NoKey,
    StreamBroken,
    TimedOut,
)
from magic_ext.wire.assembly import Assembly
from magic_ext.wire.content import Text
from magic_ext.wire.events import InteractionCompleted, InteractionCreated, StepDelta, StepStart, StepStop
from magic_ext.wire.steps import ModelOutput

BODY = {"model": "gemini-3-flash-preview", "input": "hi", "stream": True}
SAID = ModelOutput((Text("Grüße \u2028 \U0001f600"),))


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


def test_a_stream(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.FINE)
    assert read(connect(server).stream(BODY)) == (WHOLE, (SAID,))
    assert len(server.seen) == 1


def test_what_is_sent(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.FINE)
    list(connect(server).stream(BODY))
    [seen] = server.seen
    assert (seen.method, seen.target) == ("POST", "/v1beta/interactions")
    assert seen.headers["x-goog-api-key"] == faults.KEY
    assert seen.headers["api-revision"] == "2026-05-20"
    assert seen.headers["content-type"] == "application/json"
    assert "text/event-stream" in seen.headers["accept"]
    assert seen.body == b'{"model":"gemini-3-flash-preview","input":"hi","stream":true}'


def test_the_users_headers_replace_ours_whatever_their_case(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.FINE)
    headers = {"Api-Revision": "2027-01-01", "X-Gateway": "g", "CONTENT-TYPE": "application/json; charset=utf-8"}
    list(connect(server, headers=headers, api_version="v1").stream(BODY))
    [seen] = server.seen
    assert seen.target == "/v1/interactions"
    assert seen.headers["api-revision"] == "2027-01-01"
    assert seen.headers["x-gateway"] == "g"
    assert seen.headers["content-type"] == "application/json; charset=utf-8"


def test_nothing_is_sent_before_the_first_event_is_asked_for(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.FINE)
    events = connect(server).stream(BODY)
    assert server.seen == []
    assert isinstance(next(events), InteractionCreated)
    events.close()


def test_a_missing_key_is_told_before_anything_is_sent(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    from magic_ext.client.endpoint import Secret

    server = serve(faults.FINE)
    for call in (lambda c: list(c.stream(BODY)), lambda c: c.create(BODY), lambda c: c.models()):
        with pytest.raises(NoKey) as caught:
            call(connect(server, key=Secret("")))
        assert well_told(caught.value)
    assert server.seen == []


def test_single_bytes_are_as_good(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    def bytewise(to: Any) -> None:
        to.send(faults.STREAM_HEAD)
        whole = faults.sse(*faults.ANSWER) + faults.DONE
        to.send_bytewise(b"".join(faults.chunk(whole[at : at + 1]) for at in range(len(whole))) + b"0\r\n\r\n")

    assert read(connect(serve(bytewise)).stream(BODY)) == (WHOLE, (SAID,))


def test_a_stream_that_ends_by_closing_is_whole(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    def unframed(to: Any) -> None:
        to.send(faults.head(200, {"content-type": "text/event-stream; charset=utf-8"}) + faults.sse(*faults.ANSWER))

    assert read(connect(serve(unframed)).stream(BODY)) == (WHOLE, (SAID,))


def test_a_slow_server_is_waited_for(serve: Any, connect: Any, faults: SimpleNamespace, pause: Any) -> None:
    def slow(to: Any) -> None:
        to.send(faults.STREAM_HEAD)
        for event in faults.ANSWER:
            pause(0.05)
            to.send(faults.chunk(b": still there\n\n"))
            to.send(faults.chunk(faults.sse(event)))
        to.send(b"0\r\n\r\n")

    assert read(connect(serve(slow)).stream(BODY)) == (WHOLE, (SAID,))


def test_a_slow_reader_is_no_silent_server(serve: Any, connect: Any, faults: SimpleNamespace, pause: Any) -> None:
    """A cell may ask its user for consent between two events."""
    taken = threading.Event()

    def one_then_the_rest(to: Any) -> None:
        to.send(faults.STREAM_HEAD + faults.chunk(faults.sse(faults.CREATED)))
        taken.wait(20)
        to.send(faults.chunk(b": comment\n\n") + faults.chunk(faults.sse(*faults.ANSWER[1:])) + b"0\r\n\r\n")

    events = connect(serve(one_then_the_rest), silence=1.0).stream(BODY)
    first = next(events)
    taken.set()
    pause(1.2)
    assert read([first, *events]) == (WHOLE, (SAID,))


def test_what_follows_done_is_not_waited_for(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    gone = []

    def never_closes(to: Any) -> None:
        to.send(faults.STREAM_HEAD + faults.chunk(faults.sse(*faults.ANSWER) + faults.DONE))
        gone.append(to.client_has_gone())

    server = serve(never_closes)
    assert read(connect(server).stream(BODY)) == (WHOLE, (SAID,))
    server.close()
    assert gone == [True]


@pytest.mark.parametrize("end", ["cut", "reset", "silence"])
def test_how_the_connection_ends_after_a_whole_answer_does_not_matter(
    serve: Any, connect: Any, faults: SimpleNamespace, end: str
) -> None:
    taken = threading.Event()

    def rude(to: Any) -> None:
        to.send(faults.STREAM_HEAD + faults.chunk(faults.sse(*faults.ANSWER)))
        taken.wait(20)
        if end == "reset":
            to.reset()
        elif end == "silence":
            to.client_has_gone()

    arrived = []
    for event in connect(serve(rude), silence=1.0).stream(BODY):
        arrived.append(type(event))
        if arrived == WHOLE:
            taken.set()
    assert arrived == WHOLE


def test_a_client_asks_a_second_question(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.FINE)
    client = connect(server)
    for _ in range(2):
        assert read(client.stream(BODY)) == (WHOLE, (SAID,))
    assert len(server.seen) == 2


# Broken off.


@pytest.mark.parametrize("kept", range(5))
@pytest.mark.parametrize("how", ["clean", "done", "cut", "reset", "in an event"])
def test_a_stream_without_its_end_is_broken(
    serve: Any, connect: Any, faults: SimpleNamespace, kept: int, how: str
) -> None:
    """Whatever the ending, what had arrived was yielded, and the question is not asked again."""

    def broken(to: Any) -> None:
        to.send(faults.STREAM_HEAD)
        if kept:
            to.send(faults.chunk(faults.sse(*faults.ANSWER[:kept])))
        match how:
            case "clean":
                to.send(b"0\r\n\r\n")
            case "done":
                to.send(faults.chunk(faults.DONE) + b"0\r\n\r\n")
            case "in an event":
                to.send(faults.chunk(faults.sse(faults.COMPLETED)[:-20]) + b"0\r\n\r\n")
            case "reset":
                taken.wait(20)
                to.reset()

    taken = threading.Event()
    server = serve(broken)
    arrived = []
    with pytest.raises(StreamBroken) as caught:
        events = connect(server).stream(BODY)
        if not kept:
            taken.set()
        for event in events:
            arrived.append(type(event))
            if len(arrived) == kept:
                taken.set()
    assert well_told(caught.value)
    assert arrived == WHOLE[:kept]
    assert len(server.seen) == 1


@pytest.mark.parametrize("after", [0, 1, 20, 60])
def test_a_connection_closed_before_an_answer_is_not_tried_again(
    serve: Any, connect: Any, faults: SimpleNamespace, after: int
) -> None:
    server = serve(lambda to: to.send(faults.STREAM_HEAD[:after]))
    with pytest.raises(StreamBroken) as caught:
        list(connect(server).stream(BODY))
    assert well_told(caught.value)
    assert len(server.seen) == 1


def test_a_whole_answer_cut_short_is_broken(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    head = faults.head(200, {"content-type": "application/json", "content-length": "1000"})
    server = serve(lambda to: to.send(head + b'{"status":"completed"'))
    for call in (lambda c: c.create(BODY), lambda c: list(c.stream(BODY))):
        with pytest.raises(StreamBroken) as caught:
            call(connect(server))
        assert well_told(caught.value)
    assert len(server.seen) == 2


def test_damaged_compression_is_broken(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.reply(200, b"not gzip", content_type="text/event-stream", content_encoding="gzip"))
    with pytest.raises(StreamBroken):
        list(connect(server).stream(BODY))
    with pytest.raises(StreamBroken):
        connect(server).create(BODY)


# Silent.


@pytest.mark.parametrize("events", [None, 0, 2])
def test_silence_is_timed_out_and_not_repeated(
    serve: Any, connect: Any, faults: SimpleNamespace, events: int | None
) -> None:
    gone = []

    def silent(to: Any) -> None:
        if events is not None:
            to.send(faults.STREAM_HEAD)
        if events:
            to.send(faults.chunk(faults.sse(*faults.ANSWER[:events])))
        gone.append(to.client_has_gone())

    server = serve(silent)
    arrived = []
    with pytest.raises(TimedOut) as caught:
        for event in connect(server, silence=1.0).stream(BODY):
            arrived.append(type(event))
    assert well_told(caught.value)
    assert "for 1 s" in str(caught.value)
    assert arrived == WHOLE[: events or 0]
    server.close()
    assert (len(server.seen), gone) == (1, [True])


def test_a_whole_answer_that_never_comes_is_timed_out(serve: Any, connect: Any) -> None:
    server = serve(lambda to: to.client_has_gone())
    with pytest.raises(TimedOut):
        connect(server, silence=1.0).create(BODY)
    assert len(server.seen) == 1


def test_comments_alone_keep_no_answer_alive(serve: Any, connect: Any, faults: SimpleNamespace, pause: Any) -> None:
    def chatty(to: Any) -> None:
        to.send(faults.STREAM_HEAD)
        while True:  # until the client goes and the send fails
            to.send(faults.chunk(b": ping\n\n"))
            pause(0.02)

    server = serve(chatty)
    with pytest.raises(TimedOut):
        list(connect(server, silence=1.0).stream(BODY))
    assert len(server.seen) == 1


# Unreachable.


def test_a_refused_connection_is_tried_three_times(connect: Any, waits: Any) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        connect("http://127.0.0.1:9").create(BODY)
    assert well_told(caught.value)
    assert caught.value.transient
    assert "gemini-exec serve" in caught.value.hint
    assert len(waits.told) == 2
