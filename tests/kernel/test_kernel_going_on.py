"""A cell whose connection breaks, or whose answer the server cuts: it ends whole, and says what took so long."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

ASK = "%%gemini_exec -m gemini-3-flash-preview -o answer\nWhat is 6 times 7?"
SAID = ({"type": "model_output"}, [{"type": "text", "text": "Forty-two."}])


def test_a_connection_that_breaks(notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace) -> None:
    events = [event | {"event_id": f"evt_{at}"} for at, event in enumerate(faults.ANSWER)]
    server = asked_at(
        faults.streamed(faults.sse(*events[:2]), end=b""), faults.streamed(faults.sse(*events[2:]), faults.DONE)
    )
    ran = notebook.run(ASK, live=True)
    assert ran.status == "ok", ran.of("error")
    assert "Grüße" in ran.text
    assert "connection lost, going on where it broke" in json.dumps(ran.messages, default=str)
    assert [seen.method for seen in server.seen] == ["POST", "GET"]
    assert notebook.value("[answer.status, answer.usage.total_tokens]") == ["completed", 5]


def test_a_connection_that_nobody_can_take_up(
    notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace
) -> None:
    server = asked_at(faults.streamed(faults.sse(*faults.ANSWER[:3]), end=b""))
    ran = notebook.fails(ASK)
    assert "half-way" in ran.red_line
    assert "Grüße" in ran.text, "what had come is kept"
    assert len(server.seen) == 1


def test_an_answer_that_the_server_cuts(notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any) -> None:
    cut = google(
        ({"type": "model_output"}, [{"type": "text", "text": "It is "}]),
        id="v1_a",
        status="requires_continuation",
        continuation_token="on",
        usage={"total_tokens": 3},
    )
    server = asked_at(cut, google(SAID, id="v1_b", usage={"total_tokens": 4}))
    ran = notebook.run(ASK)
    assert ran.status == "ok", ran.of("error")
    assert "Forty-two." in ran.text and "It is" in ran.text
    assert body_of(server.seen[1])["continuation_token"] == "on"
    told = "[answer.text.split(), answer.status, answer.interaction_id, answer.usage.total_tokens]"
    assert notebook.value(told) == [["It", "is", "Forty-two."], "completed", "v1_b", 7]


def test_a_follow_up_refers_to_the_last_part(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    cut = google(SAID, id="v1_a", status="requires_continuation", continuation_token="on")
    server = asked_at(cut, google(SAID, id="v1_b"), google(SAID))
    notebook.run(ASK)
    assert notebook.run("%%gemini_exec -c -m gemini-3-flash-preview\nAnd 7 times 8?").status == "ok"
    assert body_of(server.seen[2])["previous_interaction_id"] == "v1_b"
