"""``--background``: asked for once, looked for until it is there, cancelled by the stop button."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

ASK = "%%gemini_exec -m gemini-3-flash-preview --background"
THOUGHT = {"type": "thought", "signature": "c2ln"}
SAID = {"type": "model_output", "content": [{"type": "text", "text": "Forty-two."}]}


def reading(faults: SimpleNamespace, status: str, *steps: dict[str, Any]) -> Any:
    return faults.reply(200, {"id": "v1_a", "status": status, "steps": list(steps), "usage": {"total_tokens": 7}})


def test_an_answer_is_looked_for(
    notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, body_of: Any
) -> None:
    server = asked_at(reading(faults, "in_progress", THOUGHT), reading(faults, "completed", THOUGHT, SAID))
    ran = notebook.run(f"{ASK} -o answer\nWhat is 6 times 7?", live=True)
    assert ran.status == "ok", ran.of("error")
    assert "Forty-two." in ran.text
    assert notebook.value("[answer.status, answer.interaction_id, answer.usage.total_tokens]") == [
        "completed",
        "v1_a",
        7,
    ]
    body = body_of(server.seen[0])
    assert body["background"] is True
    assert "stream" not in body
    assert [seen.method for seen in server.seen] == ["POST", "GET"]
    assert "thinking" in json.dumps(ran.messages, default=str), "progress is shown"


def test_stop_cancels(notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace) -> None:
    asked = threading.Event()

    def begun(to: Any) -> None:
        reading(faults, "in_progress", THOUGHT)(to)
        asked.set()

    def others(to: Any) -> None:
        reading(faults, "cancelled" if to.seen.target.endswith("/cancel") else "in_progress")(to)

    server = asked_at(begun, others)
    cell = notebook.begin(f"{ASK}\nWhat is 6 times 7?", live=True)
    while "thinking" not in json.dumps(notebook.hear(cell)["content"], default=str):
        pass
    assert asked.is_set()
    notebook.interrupt()
    ran = notebook.finish(cell)
    assert [error["ename"] for error in ran.of("error")] == ["KeyboardInterrupt"]
    assert "not the whole answer" in ran.text
    assert (server.seen[-1].method, server.seen[-1].target) == ("POST", "/v1beta/interactions/v1_a/cancel")
    assert notebook.value("6 * 7") == 42


def test_a_server_that_keeps_nothing_has_no_background(notebook: Any, asked_at: Callable[..., Any]) -> None:
    server = asked_at(lambda to: None)
    notebook.do("%config GeminiExecMagics.store = False")
    assert "Leave out --background" in notebook.refuses(f"{ASK}\nWhat is 6 times 7?")
    notebook.do("%config GeminiExecMagics.store = True")
    assert server.seen == []


def test_on_this_computer(notebook: Any) -> None:
    ran = notebook.run("%%gemini_exec -m offline-planner --background\nWhat is the sum of the first 50 prime numbers?")
    assert ran.status == "ok", ran.of("error")
    assert "5117" in ran.text
