"""Thoughts, several results of one call, and pictures in results: what Google's streams hold beside the plain case."""

from __future__ import annotations

import base64
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

PNG = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
).decode()
CALL = (
    {"type": "code_execution_call", "id": "c1"},
    [
        {
            "type": "code_execution_call",
            "arguments": {"code": "print(1)\n1/0", "language": "python"},
            "signature": "Y2Fs",
        }
    ],
)
THOUGHT = (
    {"type": "thought"},
    [
        {"type": "thought_summary", "content": {"type": "text", "text": "**Plan** "}},
        {"type": "thought_summary", "content": {"type": "text", "text": "first <b>this</b>"}},
        {"type": "thought_signature", "signature": "c2lnbmF0dXJl"},
    ],
)


def _result(*blocks: dict[str, Any], **fields: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    delta = {"type": "code_execution_result", "result": list(blocks), **fields}
    return {"type": "code_execution_result", "call_id": "c1"}, [delta]


def _printed(text: str, **fields: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return _result({"type": "text", "text": text}, **fields)


PICTURE = {"type": "image", "data": PNG, "mime_type": "image/png"}


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_one_call_with_several_results_and_pictures_in_them(
    notebook: Any, asked_at: Callable[..., Any], google: Any, live: bool
) -> None:
    failed = _printed("division by zero\nTraceback ...\nZeroDivisionError: division by zero", is_error=True)
    drawn = _result({"type": "text", "text": "drawn\n"}, PICTURE)
    streamed_image = ({"type": "code_execution_result", "call_id": "c1"}, [PICTURE])
    asked_at(google(CALL, _printed("1\n"), failed, drawn, streamed_image))
    ran = notebook.run("%%gemini_exec -o answer\nGo.", live=live)
    assert ran.status == "ok", ran.of("error")
    [printed] = [data["text/plain"] for data in ran.outputs if data.get("text/plain", "").startswith("The code failed")]
    error = "division by zero\nTraceback ...\nZeroDivisionError: division by zero"
    assert printed == f"The code failed:\n1\n{error}\ndrawn"
    assert len([data for data in ran.outputs if "image/png" in data]) == 2
    assert notebook.value("len(answer.images)") == 2
    assert notebook.value("(len(answer.attempts), answer.attempts[0].failed)") == [1, True]


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_a_thoughts_summary_is_folded_and_harmless(
    notebook: Any, asked_at: Callable[..., Any], google: Any, live: bool
) -> None:
    silent: tuple[Any, list[Any]] = ({"type": "thought", "signature": "c2ln"}, [])
    said = ({"type": "model_output"}, [{"type": "text", "text": "Done."}])
    asked_at(google(silent, THOUGHT, said))
    ran = notebook.run("%%gemini_exec --show-thoughts --no-code -o answer\nGo.", live=live)
    [folded] = [data for data in ran.outputs if "Thoughts" in data.get("text/markdown", "")]
    assert folded["text/markdown"].startswith("<details><summary>Thoughts</summary>\n\n**Plan** first <\u2060b>this")
    assert "c2lnbmF0dXJl" not in str(ran.outputs)
    assert notebook.value("[step.signature for step in answer.steps[:2]]") == ["c2ln", "c2lnbmF0dXJl"]


def test_signatures_go_back_as_they_came_where_the_server_keeps_nothing(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any, faults: SimpleNamespace
) -> None:
    """A model with signatures refuses a history without them (wire.md section 8)."""
    notebook.do("def double(x: int) -> int: return 2 * x")
    start = {"type": "function_call", "id": "f1", "name": "double", "arguments": {}, "signature": "ZnVu"}
    call = (start, [{"type": "arguments_delta", "arguments": '{"x": 21}'}])
    server = asked_at(google(THOUGHT, CALL, _printed("1\n"), call, id="", status="requires_action"), faults.FINE)
    notebook.do("%config GeminiExecMagics.store = False")
    ran = notebook.run("%%gemini_exec --tool double\nGo.")
    notebook.do("%config GeminiExecMagics.store = True")
    assert ran.status == "ok", ran.of("error")
    first, second = map(body_of, server.seen)
    assert first["store"] is second["store"] is False and "previous_interaction_id" not in second
    asked, thought, code, printed, called, result = second["input"]
    assert asked["type"] == "user_input" and asked["content"][-1]["text"] == "Go."
    assert (thought["type"], thought["signature"]) == ("thought", "c2lnbmF0dXJl")
    assert (code["type"], code["signature"]) == ("code_execution_call", "Y2Fs")
    assert printed["type"] == "code_execution_result"
    assert called == {**start, "arguments": {"x": 21}}
    assert (result["type"], result["result"]) == ("function_result", [{"type": "text", "text": "42"}])
