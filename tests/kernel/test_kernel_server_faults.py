"""What a server or the network does wrong: one red line, what had arrived is kept, nothing is asked twice in vain."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

ASK = "%%gemini_exec -m gemini-3-flash-preview\nWhat is 6 times 7?"
HTML = b"<!doctype html><html><body><h1>Log in to the network</h1></body></html>"
LEGACY = {"id": "v1_a", "status": "completed", "role": "model", "outputs": [{"type": "text", "text": "42"}]}


def rpc(status: int, name: str, message: str, reason: str = "") -> dict[str, Any]:
    """An error as Google's front end words it (wire.md section 7.1)."""
    details = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}] if reason else []
    return {"error": {"code": status, "message": message, "status": name, "details": details}}


def coded(code: str, message: str) -> dict[str, Any]:
    """An error as the Interactions API words it."""
    return {"error": {"code": code, "message": message}}


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, rpc(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"),
         ["API key not valid", "Check the key", "GEMINI_API_KEY, or type it after %gemini key"]),
        (400, [rpc(400, "INVALID_ARGUMENT", "API key expired.", "API_KEY_INVALID")], ["expired", "Check the key"]),
        (401, coded("authentication", "Request had invalid credentials."), ["invalid credentials", "Check the key"]),
        (403, coded("permission_denied", "The caller does not have permission"), ["permission", "Check the key"]),
        (402, coded("payment_required", "No billing account."), ["billing account", "Billing is not active"]),
        (400, coded("invalid_request", "Thinking level MINIMAL is not supported for this model"), ["MINIMAL"]),
        (404, coded("model_not_found", "models/gemini-3-flash-preview is not found"), ["%gemini models"]),
        (404, rpc(404, "NOT_FOUND", "models/gemini-x is not found for API version v1beta"), ["%gemini models"]),
        (400, HTML, ["400", "text/html", "proxy"]),
        (200, HTML, ["text/html", "not with the Interactions protocol", "proxy"]),
        (200, b"", ["not with the Interactions protocol"]),
        (200, b"{}", ["not with the Interactions protocol"]),
        (200, b"[1, 2", ["not with the Interactions protocol"]),
        (200, LEGACY, ["before May 2026"]),
        (302, b"", ["redirect to https://login.example", "proxy"]),
        (429, coded("quota_exceeded", "Daily limit reached."), ["Daily limit", "another model with -m"]),
    ],
)  # fmt: skip
def test_an_answer_that_is_none(
    notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, status: int, body: Any, said: list[str],
    live: bool,
) -> None:  # fmt: skip
    kind = "text/html; charset=utf-8" if body == HTML else "application/json"
    headers = {"location": "https://login.example/"} if status == 302 else {}
    server = asked_at(faults.reply(status, body, content_type=kind, **headers))
    line = notebook.fails(ASK, live=live).red_line
    assert all(words in line for words in said), line
    assert len(server.seen) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
@pytest.mark.parametrize("html", [False, True], ids=["JSON", "HTML"])
def test_a_server_that_says_later_is_asked_five_times(
    notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, status: int, html: bool
) -> None:
    body = HTML if html else coded("service_unavailable", "Overloaded, try again.")
    kind = "text/html" if html else "application/json"
    server = asked_at(faults.reply(status, body, content_type=kind, retry_after_ms="1"))
    line = notebook.fails(ASK).red_line
    assert f"answered {status}" in line
    assert "run the cell again" in line.lower()
    assert len(server.seen) == 5


def test_a_server_that_is_back_after_a_moment(
    notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace
) -> None:
    later = faults.reply(503, coded("service_unavailable", "Later."), retry_after_ms="1")
    server = asked_at(later, later, faults.FINE)
    ran = notebook.run(ASK)
    assert ran.status == "ok"
    assert "Grüße" in ran.text
    assert len(server.seen) == 3


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_server_down(notebook: Any, free_port: int, live: bool) -> None:
    notebook.do(f"import os; os.environ['GOOGLE_GEMINI_BASE_URL'] = 'http://127.0.0.1:{free_port}'")
    ran = notebook.fails(ASK, live=live)
    assert f"127.0.0.1:{free_port} can't be reached" in ran.red_line
    assert "gemini-exec serve" in ran.red_line
    assert "status: not sent" in ran.text
    assert "sent 18 bytes" not in ran.text.lower()


@pytest.mark.parametrize("url", ["generativelanguage.googleapis.com", "http://example.org", "ftp://x", "http://a:b"])
def test_an_address_that_is_none(notebook: Any, url: str) -> None:
    notebook.do(f"import os; os.environ['GOOGLE_GEMINI_BASE_URL'] = {url!r}")
    assert "https://" in notebook.refuses(ASK)


def test_a_server_that_never_answers(notebook: Any, asked_at: Callable[..., Any]) -> None:
    server = asked_at(lambda to: to.client_has_gone())
    line = notebook.fails(ASK.replace("\n", " --timeout 1\n", 1)).red_line
    assert "said nothing for 1 s" in line
    assert "--timeout" in line
    assert len(server.seen) == 1, "it may have been billed"


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
class TestHalfAnAnswer:
    """The text that had come stays above the red line, and is marked."""

    def check(self, notebook: Any, live: bool, *said: str, options: str = "") -> None:
        ran = notebook.fails(ASK.replace("\n", f" {options}\n", 1), live=live)
        assert all(words in ran.red_line for words in said), ran.red_line
        assert "Grüße" in ran.text
        assert "This is not the whole answer." in ran.text

    def test_the_connection_ends(
        self, notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, live: bool
    ) -> None:
        begun = faults.sse(faults.CREATED, faults.START, faults.DELTA)
        asked_at(faults.streamed(begun, end=b""))
        self.check(notebook, live, "stopped half-way")

    def test_the_stream_ends(
        self, notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, live: bool
    ) -> None:
        asked_at(faults.streamed(faults.sse(faults.CREATED, faults.START, faults.DELTA), faults.DONE))
        self.check(notebook, live, "stopped half-way")

    def test_the_connection_is_reset(
        self, notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, live: bool
    ) -> None:
        def script(to: Any) -> None:
            faults.streamed(faults.sse(faults.CREATED, faults.START, faults.DELTA), end=b"")(to)
            time.sleep(0.5)  # a reset throws away what was not read yet
            to.reset()

        asked_at(script)
        self.check(notebook, live, "stopped half-way")

    def test_it_falls_silent(
        self, notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, live: bool
    ) -> None:
        def script(to: Any) -> None:
            faults.streamed(faults.sse(faults.CREATED, faults.START, faults.DELTA), end=b"")(to)
            to.client_has_gone()

        asked_at(script)
        self.check(notebook, live, "said nothing for 1 s", options="--timeout 1")

    def test_an_error_event(
        self, notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, live: bool
    ) -> None:
        error = {"event_type": "error", "error": {"code": "gateway_timeout", "message": "Deadline expired."}}
        asked_at(faults.streamed(faults.sse(faults.CREATED, faults.START, faults.DELTA, error), faults.DONE))
        self.check(notebook, live, "gateway_timeout", "Deadline expired.", "Run the cell again")

    def test_blocked(self, notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, live: bool) -> None:
        error = {"event_type": "error", "error": {"code": "safety", "message": "Blocked."}}
        asked_at(faults.streamed(faults.sse(faults.CREATED, faults.START, faults.DELTA, error)))
        self.check(notebook, live, "Rephrase")

    def test_it_turns_into_the_old_schema(
        self, notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, live: bool
    ) -> None:
        old = {"event_type": "content.delta", "index": 0, "delta": {"type": "text", "text": "x"}}
        asked_at(faults.streamed(faults.sse(faults.CREATED, faults.START, faults.DELTA, old)))
        self.check(notebook, live, "before May 2026")

    @pytest.mark.parametrize(
        ("status", "said"),
        [
            ("failed", "Too many tool calls"),
            ("cancelled", "cancelled"),
            ("budget_exceeded", "budget_exceeded"),
            ("requires_action", "requires_action"),
        ],
    )
    def test_it_ends_badly(
        self, notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, status: str, said: str, live: bool
    ) -> None:
        errors = [{"code": "too_many_tool_calls", "message": "Too many tool calls."}] if status == "failed" else []
        end = {"id": "v1_a", "status": status, "errors": errors}
        completed = {"event_type": "interaction.completed", "interaction": end}
        asked_at(
            faults.streamed(faults.sse(faults.CREATED, faults.START, faults.DELTA, faults.STOP, completed), faults.DONE)
        )
        self.check(notebook, live, said)


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_incomplete(notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, live: bool) -> None:
    """Cut by the token limit: an answer, and below it the word that it is cut."""
    completed = {"event_type": "interaction.completed", "interaction": {"id": "v1_a", "status": "incomplete"}}
    asked_at(faults.streamed(faults.sse(faults.CREATED, faults.START, faults.DELTA, faults.STOP, completed)))
    ran = notebook.run(ASK, live=live)
    assert "Grüße" in ran.text
    assert "incomplete" in ran.text or "not the whole answer" in ran.text


@pytest.mark.parametrize("debug", ["", "--debug"], ids=["plain", "debug"])
@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
class TestTheKeyIsEchoed:
    """The notebook fixture searches every message for the key; here the server puts it everywhere it can."""

    def ask(self, notebook: Any, debug: str, live: bool) -> Any:
        ran = notebook.run(ASK.replace("\n", f" {debug}\n", 1), live=live)
        assert ran.status == "error"
        assert "***" in json.dumps(ran.messages, default=str)
        return ran

    @pytest.mark.parametrize("status", [400, 403, 404])
    def test_in_an_error(
        self,
        notebook: Any,
        asked_at: Callable[..., Any],
        faults: SimpleNamespace,
        status: int,
        key: str,
        debug: str,
        live: bool,
    ) -> None:
        asked_at(faults.reply(status, coded(key, f"The key {key}, header x-goog-api-key: {key}")))
        self.ask(notebook, debug, live)

    def test_in_a_header(
        self, notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, key: str, debug: str, live: bool
    ) -> None:
        asked_at(faults.reply(302, b"", location=f"https://login.example/?key={key}"))
        self.ask(notebook, debug, live)

    def test_in_an_error_event(
        self, notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, key: str, debug: str, live: bool
    ) -> None:
        error = {"event_type": "error", "error": {"code": "authentication", "message": f"Bad key {key}."}}
        asked_at(faults.streamed(faults.sse(faults.CREATED, error)))
        self.ask(notebook, debug, live)

    def test_in_a_failed_interaction(
        self, notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, key: str, debug: str, live: bool
    ) -> None:
        end = {"id": "v1_a", "status": "failed", "errors": [{"code": "x", "message": f"Bad key {key}."}]}
        completed = {"event_type": "interaction.completed", "interaction": end}
        asked_at(faults.streamed(faults.sse(faults.CREATED, completed)))
        self.ask(notebook, debug, live)

    @pytest.mark.parametrize("whole", [False, True], ids=["streamed", "whole"])
    def test_in_an_answer(
        self,
        notebook: Any,
        asked_at: Callable[..., Any],
        faults: SimpleNamespace,
        key: str,
        debug: str,
        live: bool,
        whole: bool,
    ) -> None:
        step = {"type": "model_output", "content": [{"type": "text", "text": f"Your key is {key}."}]}
        end = {"id": "v1_a", "status": "failed", "steps": [step], "errors": [{"code": "x", "message": "No more."}]}
        events = [
            {"event_type": "step.start", "index": 0, "step": step},
            {"event_type": "interaction.completed", "interaction": end},
        ]
        asked_at(faults.reply(200, end) if whole else faults.streamed(faults.sse(faults.CREATED, *events)))
        assert "Your key is ***" in self.ask(notebook, debug, live).text.replace("\\", "")

    def test_in_a_step_that_failed(
        self, notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, key: str, debug: str, live: bool
    ) -> None:
        step = {"type": "model_output", "error": {"code": 16, "message": f"Bad key {key}."}}
        end = {"id": "v1_a", "status": "failed", "errors": []}
        asked_at(
            faults.streamed(
                faults.sse(
                    faults.CREATED,
                    {"event_type": "step.start", "index": 0, "step": step},
                    faults.STOP,
                    {"event_type": "interaction.completed", "interaction": end},
                )
            )
        )
        self.ask(notebook, debug, live)
