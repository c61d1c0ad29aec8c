"""An answer in the background: asked for once, looked for until it is there, cancelled when nobody waits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from magic_ext.client.errors import NotFound, StreamBroken
from magic_ext.wire.assembly import Assembly
from magic_ext.wire.events import InteractionCompleted, InteractionCreated, StatusUpdate

BODY = {"model": "gemini-3-flash-preview", "input": "hi", "background": True}
ASKED = {"type": "user_input", "content": [{"type": "text", "text": "hi"}]}
THOUGHT = {"type": "thought", "signature": "c2ln"}


def said(text: str) -> dict[str, Any]:
    return {"type": "model_output", "content": [{"type": "text", "text": text}]}


@pytest.fixture
def reading(faults: SimpleNamespace) -> Any:
    """A reply with the interaction as it stands."""
    return lambda status, *steps: faults.reply(200, {"id": "v1_a", "status": status, "steps": list(steps)})


def test_an_answer_is_looked_for_until_it_is_there(serve: Any, connect: Any, waits: Any, reading: Any) -> None:
    server = serve(
        reading("queued"),
        reading("in_progress", ASKED),
        reading("in_progress", ASKED, THOUGHT),
        reading("in_progress", ASKED, THOUGHT, said("Grü")),
        reading("in_progress", ASKED, THOUGHT, said("Grü")),
        reading("in_progress", ASKED, THOUGHT, said("Grüße, ")),
        reading("completed", ASKED, THOUGHT, said("Grüße, one.")),
    )
    events, assembly, seen = [], Assembly(), []
    for event in connect(server).background(BODY):
        events.append(event)
        if assembly.apply(event) == 1 and (not seen or seen[-1] != assembly.step(1).text):
            seen.append(assembly.step(1).text)
    assert assembly.raw_steps == (THOUGHT, said("Grüße, one."))
    assert assembly.done(0) and assembly.done(1)
    assert seen == ["Grü", "Grüße, ", "Grüße, one."]
    assert [event.status for event in events if isinstance(event, StatusUpdate)] == ["queued", "in_progress"]
    assert isinstance(events[0], InteractionCreated) and isinstance(events[-1], InteractionCompleted)
    assert [(seen.method, seen.target) for seen in server.seen] == [
        ("POST", "/v1beta/interactions"),
        *[("GET", "/v1beta/interactions/v1_a")] * 6,
    ]
    assert waits.slept == [2.0, 3.0, 4.5, 6.75, 10.0, 10.0]


def test_readings_may_fail_and_the_question_is_sent_once(
    serve: Any, connect: Any, faults: SimpleNamespace, reading: Any
) -> None:
    later = faults.reply(503, {"error": {"code": "service_unavailable", "message": "Later."}})
    server = serve(reading("queued"), later, lambda to: None, lambda to: None, reading("completed", said("4")))
    events = list(connect(server).background(BODY))
    assert events[-1].interaction.status == "completed"
    assert [seen.method for seen in server.seen].count("POST") == 1


def test_three_failures_in_a_row_are_too_many(serve: Any, connect: Any, reading: Any) -> None:
    server = serve(reading("queued"), lambda to: None)
    with pytest.raises(StreamBroken, match="half-way"):
        list(connect(server).background(BODY))
    assert len(server.seen) == 4


def test_an_answer_without_an_id_cannot_be_looked_for(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.reply(200, {"status": "in_progress", "steps": []}))
    with pytest.raises(StreamBroken):
        list(connect(server).background(BODY))
    assert len(server.seen) == 1


def test_an_answer_that_is_gone(serve: Any, connect: Any, faults: SimpleNamespace, reading: Any) -> None:
    server = serve(reading("queued"), faults.reply(404, {"error": {"code": "not_found", "message": "Gone."}}))
    with pytest.raises(NotFound):
        list(connect(server).background(BODY))


def test_leaving_cancels(serve: Any, connect: Any, reading: Any) -> None:
    server = serve(reading("queued"), reading("cancelled"))
    events = connect(server).background(BODY)
    next(events)
    events.close()
    assert [(seen.method, seen.target) for seen in server.seen[1:]] == [("POST", "/v1beta/interactions/v1_a/cancel")]


def test_an_answer_that_is_there_at_once_is_not_looked_for(serve: Any, connect: Any, reading: Any) -> None:
    server = serve(reading("completed", said("4")))
    assert list(connect(server).background(BODY))[-1].interaction.status == "completed"
    assert len(server.seen) == 1
