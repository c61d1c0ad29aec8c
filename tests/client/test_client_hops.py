"""A long answer that the server cuts into several interactions, and the requests that go on with it."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from magic_ext.client.errors import StreamBroken
from magic_ext.wire.assembly import Assembly
from magic_ext.wire.events import InteractionCompleted

TOOLS = [{"type": "code_execution"}]
BODY = {"model": "gemini-3-flash-preview", "input": "hi", "tools": TOOLS, "stream": True}


def hop(faults: SimpleNamespace, number: int, token: str = "") -> Any:
    """An interaction that says its number; with a token it is cut there."""
    name = f"v1_{number}"
    delta = {"type": "text", "text": f"part {number} "}
    ended = {"id": name, "status": "completed", "usage": {"total_tokens": 10, "total_input_tokens": 3}}
    if token:
        ended |= {"status": "requires_continuation", "continuation_token": token}
    events = [
        {"event_type": "interaction.created", "interaction": {"id": name, "status": "in_progress"}},
        {"event_type": "step.start", "index": 0, "step": {"type": "thought", "signature": f"sig{number}"}},
        {"event_type": "step.stop", "index": 0},
        {"event_type": "step.start", "index": 1, "step": {"type": "model_output"}},
        {"event_type": "step.delta", "index": 1, "delta": delta},
        {"event_type": "step.stop", "index": 1},
        {"event_type": "interaction.completed", "interaction": ended},
    ]
    numbered = [event | {"event_id": f"evt_{at}"} for at, event in enumerate(events)]  # each counts from 0
    return faults.streamed(faults.sse(*numbered), faults.DONE)


def heard(events: Any) -> tuple[Any, Any]:
    """The one ending, and the steps."""
    assembly, endings = Assembly(), []
    for event in events:
        assembly.apply(event)
        endings += [event.interaction] if isinstance(event, InteractionCompleted) else []
    [ending] = endings
    return ending, assembly


def bodies(server: Any) -> list[Any]:
    return [json.loads(seen.body) for seen in server.seen]


def test_a_cut_answer_goes_on(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(hop(faults, 1, "one"), hop(faults, 2, "two"), hop(faults, 3))
    ending, assembly = heard(connect(server).stream(BODY))
    assert [step.get("signature") for step in assembly.raw_steps] == ["sig1", None, "sig2", None, "sig3", None]
    assert "".join(getattr(step, "text", "") for step in assembly.steps) == "part 1 part 2 part 3 "
    assert (ending.id, ending.status) == ("v1_3", "completed")
    assert (ending.usage.total_tokens, ending.usage.total_input_tokens) == (30, 9), "every part is billed"
    rest = {name: value for name, value in BODY.items() if name != "input"}
    assert bodies(server) == [
        BODY,
        rest | {"continuation_token": "one", "previous_interaction_id": "v1_1"},
        rest | {"continuation_token": "two", "previous_interaction_id": "v1_2"},
    ]


def test_a_server_that_keeps_nothing_gets_the_question_again(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(hop(faults, 1, "one"), hop(faults, 2))
    body = BODY | {"store": False}
    heard(connect(server).stream(body))
    assert bodies(server) == [body, body | {"continuation_token": "one"}]


def test_ten_times_at_most(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(*(hop(faults, number, f"token {number}") for number in range(20)))
    ending, assembly = heard(connect(server).stream(BODY))
    assert ending.status == "requires_continuation"
    assert len(server.seen) == 11
    assert len(assembly.steps) == 22


@pytest.mark.parametrize("token", ["", "one"])
def test_a_token_that_leads_nowhere(serve: Any, connect: Any, faults: SimpleNamespace, token: str) -> None:
    """None, or the one that was sent: going on would go round."""
    cut = {"event_type": "interaction.completed", "interaction": {"id": "v1_1", "status": "requires_continuation"}}
    server = serve(hop(faults, 1, token) if token else faults.streamed(faults.sse(cut)))
    ending, _ = heard(connect(server).stream(BODY))
    assert ending.status == "requires_continuation"
    assert len(server.seen) == (2 if token else 1)


def test_a_part_that_breaks_is_taken_up(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    """Events of another part have the same ids: they are no repetition."""
    start = {"event_type": "step.start", "index": 0, "step": {"type": "model_output"}, "event_id": "evt_1"}
    delta = {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "the end"}, "event_id": "evt_2"}
    created = faults.CREATED | {"event_id": "evt_0"}
    completed = faults.COMPLETED | {"event_id": "evt_3"}
    server = serve(
        hop(faults, 1, "one"),
        faults.streamed(faults.sse(created, start), end=b""),
        faults.streamed(faults.sse(delta, completed)),
    )
    ending, assembly = heard(connect(server).stream(BODY))
    assert ending.id == "v1_a"
    assert assembly.steps[-1].text == "the end"
    assert server.seen[2].target.endswith("/v1_a?stream=true&last_event_id=evt_1")


def test_a_part_that_breaks_for_good(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(hop(faults, 1, "one"), faults.streamed(faults.sse(faults.CREATED), end=b""))
    assembly = Assembly()
    with pytest.raises(StreamBroken):
        for event in connect(server).stream(BODY):
            assembly.apply(event)
    assert assembly.steps[-1].text == "part 1 ", "what had come is kept"


def test_leaving_cancels_the_part_under_way(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    def silent(to: Any) -> None:
        to.send(faults.STREAM_HEAD + faults.chunk(faults.sse(faults.CREATED)))
        to.client_has_gone()

    server = serve(hop(faults, 1, "one"), silent, faults.reply(200, {"id": "v1_a", "status": "cancelled"}))
    events = connect(server).stream(BODY)
    for event in events:
        if getattr(getattr(event, "interaction", None), "id", "") == "v1_a":
            break
    events.close()
    assert server.seen[-1].target == "/v1beta/interactions/v1_a/cancel"
