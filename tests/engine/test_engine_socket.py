"""The server over real sockets: readers that go away or don't read, streams taken up again, requests of every kind."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from magic_ext.engine import api, server
from magic_ext.engine.embedded import open_engine
from magic_ext.engine.jobs import Job
from magic_ext.engine.listener import listen
from magic_ext.engine.service import Engine

TOKEN = "a-token-for-tests"
KEY = {"x-goog-api-key": TOKEN}
TOOLS = [{"type": "code_execution"}]
SLOW = [[{"code": "import time\nprint('begun', flush=True)\ntime.sleep(25)\nprint('ended')"}], [{"text": "Done."}]]


class Server:
    """A running server, and its engine to look into."""

    def __init__(self, engine: Engine, port: int, folder: Path) -> None:
        self.engine, self.port, self._folder = engine, port, folder

    def script(self, *turns: Any) -> str:
        """Write a dialogue; returns the name of the model that replays it."""
        path = self._folder / f"talk{len(list(self._folder.iterdir()))}.json"
        path.write_text(json.dumps(turns))
        return f"scripted:{path}"

    def open(self, method: str, path: str, body: Any = None, headers: dict[str, str] = KEY) -> http.client.HTTPResponse:
        """Send a request; returns the response, its body unread."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        connection.request(
            method, path, raw, {**headers, "connection": "close"}
        )  # so that the response owns the socket
        return connection.getresponse()

    def ask(self, method: str, path: str, body: Any = None, headers: dict[str, str] = KEY) -> tuple[int, Any]:
        """Send a request; returns the status and the JSON."""
        with self.open(method, path, body, headers) as response:
            return response.status, json.loads(response.read())

    def only_job(self) -> Job:
        """The job that runs, once there is one and its code runs."""
        while True:
            for job in [job for job in self.engine._jobs.values() if not job.finished]:
                if any(event.get("delta", {}).get("result") for event in job.log):
                    return job
            time.sleep(0.01)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """As ``gemini-exec serve`` has it, but any script may be named."""
    engine = open_engine()
    yield engine
    engine.close()


@pytest.fixture
def served(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server that notices at once what it otherwise notices after seconds."""
    monkeypatch.setattr(api, "GRACE", 0.2)
    monkeypatch.setattr(api, "HEARTBEAT", 0.05)
    ready = threading.Event()
    with listen("127.0.0.1", 0) as listener:
        config = uvicorn.Config(server.make_app(engine, TOKEN, ready.set, local=True), log_level="warning")
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        assert ready.wait(30)
        yield Server(engine, listener.getsockname()[1], tmp_path)
        running.should_exit = True
        thread.join(30)


# --- readers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize("stream", [True, False])
def test_who_asks_and_goes_away_stops_what_runs_for_him(served: Server, stream: bool, store: bool) -> None:
    body = {"model": served.script(SLOW), "input": "?", "tools": TOOLS, "stream": stream, "store": store}
    raw = json.dumps(body).encode()
    head = f"POST /v1/interactions HTTP/1.1\r\nhost: 127.0.0.1\r\nx-goog-api-key: {TOKEN}\r\ncontent-length: {len(raw)}"
    with socket.create_connection(("127.0.0.1", served.port)) as asking:
        asking.sendall(f"{head}\r\n\r\n".encode() + raw)
        job = served.only_job()
    assert job.wait(20)
    assert job.head["status"] == "cancelled"
    status, document = served.ask("GET", f"/v1/interactions/{job.id}")
    assert (status, document.get("status")) == ((200, "cancelled") if store else (404, None))


def test_a_background_job_goes_on_without_a_reader_and_its_stream_is_taken_up(served: Server) -> None:
    body = {"model": served.script(SLOW), "input": "?", "tools": TOOLS, "background": True, "stream": True}
    response = served.open("POST", "/v1/interactions", body)
    job = served.only_job()
    seen = _events(response, until="code_execution_result")
    response.close()
    time.sleep(1)  # five times the grace of a foreground job
    assert not job.finished
    again = served.open("GET", f"/v1/interactions/{job.id}?stream=true&last_event_id={seen[-1]['event_id']}")
    following = _events(again, until="begun")
    assert following[0]["event_id"] == f"evt_{len(seen)}"
    again.close()
    status, document = served.ask("GET", f"/v1beta/interactions/{job.id}?include_input=true")
    assert (status, document["status"]) == (200, "in_progress")
    assert [step["type"] for step in document["steps"]] == [
        *("user_input", "code_execution_call", "code_execution_result"),
    ]
    assert served.ask("POST", f"/v1/interactions/{job.id}/cancel")[1]["status"] == "cancelled"
    whole = served.open("GET", f"/v1/interactions/{job.id}?stream=true")
    told = _events(whole)
    assert told[: len(seen) + len(following)] == [*seen, *following]
    assert told[-1]["interaction"]["status"] == "cancelled"


def test_who_does_not_read_holds_up_nobody(served: Server) -> None:
    long = [[{"text": "x" * 100_000}] * 200]  # 20 MB: more than a socket holds
    model = served.script(*long)
    lazy = [
        served.open("POST", "/v1/interactions", {"model": model, "input": "?", "stream": True, "background": True})
        for _ in range(20)
    ]
    begun = served.ask(
        "POST", "/v1/interactions", {"model": "offline-planner", "input": "What is 6 * 7?", "tools": TOOLS}
    )
    assert begun[1]["status"] == "completed"
    for response in lazy:
        response.close()


def _events(response: http.client.HTTPResponse, until: str = "[DONE]") -> list[dict[str, Any]]:
    """The events of a stream up to the first that contains a word."""
    found = []
    for line in response:
        if line.startswith(b"data: {"):
            found.append(json.loads(line.removeprefix(b"data: ")))
        if until.encode() in line:
            break
    return found


# --- requests -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["v1", "v1beta", "v1alpha", "v1beta1"])
def test_every_version_of_the_paths_is_served(version: str, served: Server) -> None:
    question = {"model": "offline-planner", "input": "What is 6 * 7?", "tools": TOOLS}
    status, made = served.ask("POST", f"/{version}/interactions", question)
    assert (status, made["status"]) == (200, "completed")
    assert served.ask("GET", f"/{version}/interactions/{made['id']}")[1] == made
    assert served.ask("DELETE", f"/{version}/interactions/{made['id']}") == (200, {})
    assert served.ask("DELETE", f"/{version}/interactions/{made['id']}")[0] == 404
    for path in ("files", "models", "models/offline-planner"):
        assert served.ask("GET", f"/{version}/{path}")[0] == 200


@pytest.mark.parametrize("stream", [True, False, None])
def test_the_body_decides_on_streaming_whatever_is_accepted(stream: bool | None, served: Server) -> None:
    body = {"model": served.script([[{"text": "Hi."}]]), "input": "?"} | ({} if stream is None else {"stream": stream})
    for accept in ("application/json", "text/event-stream"):
        with served.open("POST", "/v1/interactions", body, {**KEY, "accept": accept}) as response:
            kind = response.headers["content-type"]
        assert kind == ("text/event-stream" if stream else "application/json")


@pytest.mark.parametrize("name", ["日本", "a b", "line\nbreak: x"])
def test_a_model_may_be_called_anything(name: str, served: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    status, document = served.ask("POST", "/v1/interactions", {"model": f"openai:{name}", "input": "?"})
    assert (status, document["model"], document["status"]) == (200, f"openai:{name}", "failed")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "POST"])
@pytest.mark.parametrize(("path", "code"), [("interactions/v1_x", "not_found"), ("files/x", 404), ("nonsense", 404)])
def test_what_is_not_there_is_said_in_googles_shape(method: str, path: str, code: object, served: Server) -> None:
    status, document = served.ask(method, f"/v1/{path}")
    assert (status, document["error"]["code"]) == (404, code)
    with served.open(method, f"/v1/{path}", headers={"origin": "https://a.example"}) as response:
        assert response.status == 401
        assert not any(name.lower().startswith("access-control") for name in response.headers)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"model": "\xed\xa0\x80"}',
        b"null",
        b'{"model": 1e999}',
        b'"\\ud800"',
        b"[1]",
    ],
)
def test_what_is_no_request_is_a_400(body: bytes, served: Server) -> None:
    status, document = served.ask("POST", "/v1/interactions", body)
    assert (status, document["error"]["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("last", ["evt_", "evt_x", "foo", "%C2%B2", "evt_-1"])
def test_an_id_of_no_event_is_a_400(last: str, served: Server) -> None:
    made = served.ask("POST", "/v1/interactions", {"model": served.script([[{"text": "Hi."}]]), "input": "?"})[1]
    status, document = served.ask("GET", f"/v1/interactions/{made['id']}?stream=true&last_event_id={last}")
    assert (status, document["error"]["code"]) == (400, "invalid_request")


def test_a_body_may_have_100_mb_and_no_more(served: Server) -> None:
    def body(size: int) -> bytes:
        return b'{"model": "offline-planner", "input": "' + b"x" * (size - 41) + b'"}'

    assert len(body(1000)) == 1000
    status, document = served.ask("POST", "/v1/interactions", body(server.BODY_LIMIT + 1))
    assert (status, document["error"]["code"]) == (413, "invalid_request")
    status, document = served.ask("POST", "/v1/models/offline-planner:countTokens", body(server.BODY_LIMIT))
    assert (status, document["error"]["status"]) == (400, "INVALID_ARGUMENT")  # it was read: 'contents' is missing


def test_clients_of_the_old_schema_are_told_so(served: Server) -> None:
    question = {"model": "offline-planner", "input": "What is 6 * 7?"}
    for old in (
        {"x-goog-api-client": "google-genai-sdk/1.55.0 gl-python/3.11"},
        {"user-agent": "GeminiNextGenAPIClient/Python 1.75.0"},
    ):
        status, document = served.ask("POST", "/v1beta/interactions", question, KEY | old)
        assert status == 400 and "legacy" in document["error"]["message"]
        assert served.ask("GET", "/v1beta/files", headers=KEY | old)[0] == 200  # these have not changed


def test_a_fault_of_ours_is_a_500_in_googles_shape(
    served: Server, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> Callable[..., None]:
        raise OSError("No space left on device")

    monkeypatch.setattr(served.engine._archive, "begin", full)
    status, document = served.ask("POST", "/v1/interactions", {"model": "offline-planner", "input": "What is 6 * 7?"})
    assert (status, document["error"]["code"]) == (500, "api_error")
    assert "No space left" in document["error"]["message"]
    assert "No space left" in caplog.text
