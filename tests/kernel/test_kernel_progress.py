"""The line of progress in a live front end: what goes on, in its order, and at the end the receipt in its place."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

GEMINI = "%%gemini_exec -m gemini-3-flash-preview"
LINE = re.compile(r'class=\\?"gemini-exec-progress\\?">([^<]*)</span>')


def lines(ran: Any) -> list[str]:
    """The lines that were shown, with PORT for the server's."""
    shown = re.sub(r"127\.0\.0\.1:\d+", "HOST", json.dumps(ran.messages, default=str, ensure_ascii=False))
    return LINE.findall(shown)


def code(id: str, source: str) -> Any:
    arguments = {"code": source, "language": "python"}
    return {"type": "code_execution_call", "id": id}, [{"type": "code_execution_call", "arguments": arguments}]


def result(id: str, text: str, *, failed: bool) -> Any:
    said = [{"type": "code_execution_result", "result": text, "is_error": failed}]
    return {"type": "code_execution_result", "call_id": id}, said


def test_every_stage_is_told_in_its_order(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    steps = [
        ({"type": "thought"}, [{"type": "thought_signature", "signature": "c2ln"}]),
        code("c1", "1 / 0"),
        result("c1", "ZeroDivisionError", failed=True),
        code("c2", "print(42)"),
        result("c2", "42\n", failed=False),
        ({"type": "model_output"}, [{"type": "text", "text": "It is 42."}]),
    ]
    asked_at(google(*steps))
    ran = notebook.run(f"{GEMINI}\nWhat is 6 times 7?", live=True)
    assert ran.status == "ok", ran.of("error")
    first, sending, *others = lines(ran)
    assert first == "Asking HOST …" and re.fullmatch(r"sending \d\.\d kB to HOST", sending)
    model = "waiting for gemini-3-flash-preview"
    assert others == [
        *("waiting for HOST", model, "thinking"),
        *("writing code", "running the code (at most 30 s)", model),
        *("writing code", "running the code, new try 1 of 5 (at most 30 s)", model),
        "writing",
    ]
    opened, *_ = ran.of("display_data")
    closed = ran.of("update_display_data")[-1]
    assert opened["transient"]["display_id"] == closed["transient"]["display_id"]
    assert "Receipt" in closed["data"]["text/plain"] and "widget" not in str([*closed["data"]])


def test_bytes_are_counted_as_they_go(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    (notebook.folder / "scan.pdf").write_bytes(b"%PDF-1.4\n" + bytes(6_000_000))
    asked_at(google(({"type": "model_output"}, [{"type": "text", "text": "Zeros."}])))
    said = lines(notebook.run(f"{GEMINI}\nWhat does @scan.pdf say?", live=True))
    sent = [int(match[1]) for line in said if (match := re.fullmatch(r"sending, (\d+) of 8 MB", line))]
    assert sent == sorted(set(sent)) and sent[0] == 1 and len(sent) > 3
    assert said.index("waiting for HOST") == said.index(f"sending, {sent[-1]} of 8 MB") + 1


def test_code_on_this_computer_and_functions(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    def calls(id: str, name: str, **arguments: str) -> Any:
        start = {"type": "function_call", "id": id, "name": name, "arguments": arguments}
        return google((start, []), id=f"v1_{id}", status="requires_action")

    notebook.do("def stock() -> int:\n    return 7")
    said = google(({"type": "model_output"}, [{"type": "text", "text": "Seven."}]), id="v1_end")
    ran = calls("a", "run_python", code="1 / 0"), calls("b", "run_python", code="print(7)"), calls("c", "stock")
    asked_at(*ran, said)
    shown = lines(notebook.run(f"{GEMINI} --run local --tool stock\nHow many?", live=True))
    told = [line for line in shown if not line.startswith(("Asking", "sending", "waiting"))]
    assert told == [
        *("writing code", "running the code (at most 30 s)"),
        *("writing code", "running the code, try 2 of 5 (at most 30 s)"),
        *("calling a function", "calling stock", "writing"),
    ]


def test_a_silence_is_told_rightly_after_a_flood(
    notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace
) -> None:
    texts = [one | {"index": at} for at in range(12) for one in (faults.START, faults.DELTA, faults.STOP)]
    begun = {"event_type": "step.start", "index": 12, "step": {"type": "code_execution_call", "id": "c1"}}
    wrote = {"type": "code_execution_call", "arguments": {"code": "print(42)"}}
    whole = [begun, {"event_type": "step.delta", "index": 12, "delta": wrote}, {"event_type": "step.stop", "index": 12}]
    told = threading.Event()

    def script(to: Any) -> None:
        events = (faults.CREATED, *texts, *whole)
        to.send(faults.STREAM_HEAD + b"".join(faults.chunk(faults.sse(event)) for event in events))
        told.wait(20)
        to.send(faults.chunk(faults.sse(faults.COMPLETED)) + faults.chunk(faults.DONE) + b"0\r\n\r\n")

    asked_at(script)
    cell = notebook.begin(f"{GEMINI}\nCount.", live=True)
    while "running the code" not in json.dumps(notebook.hear(cell)["content"], default=str):
        pass
    told.set()
    assert notebook.finish(cell).status == "ok"
