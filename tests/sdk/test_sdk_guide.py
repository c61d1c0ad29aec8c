"""Google's own SDK drives the server through the guide's samples, as they stand."""

from __future__ import annotations

import base64
import contextlib
import io
import json
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from PIL import Image

SAMPLES = Path(__file__).parent / "samples"


class Ran(NamedTuple):
    printed: str
    shown: list[Image.Image]


@pytest.fixture(autouse=True)
def _quiet_sdk() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK's own warnings are not ours to fix
        yield


@pytest.fixture
def run_sample(monkeypatch: pytest.MonkeyPatch, picture: Path) -> Callable[[str, Any], Ran]:
    """Run a sample against a server; the one change is where its picture comes from."""

    def run(name: str, served: Any) -> Ran:
        monkeypatch.setenv("GEMINI_API_KEY", served.token)
        monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", served.url)
        monkeypatch.setattr("requests.get", lambda _: type("Response", (), {"content": picture.read_bytes()}))
        shown: list[Image.Image] = []
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile((SAMPLES / name).read_text(), name, "exec"), {"display": shown.append})
        return Ran(printed.getvalue(), shown)

    return run


def test_the_prime_question_is_answered_by_code_that_ran(run_sample: Callable[..., Ran], server: Any) -> None:
    printed = run_sample("enable.py", server).printed
    assert "5117" in printed
    assert "229" in printed  # the fiftieth prime: the code really listed them


def test_a_conversation_of_two_turns(run_sample: Callable[..., Ran], server: Any) -> None:
    printed = run_sample("multi_turn.py", server).printed
    assert "5117" in printed
    assert printed.splitlines()[0].strip()


def test_the_planner_says_that_it_sees_no_pictures(run_sample: Callable[..., Ran], server: Any) -> None:
    ran = run_sample("image.py", server)
    assert "picture" in ran.printed
    assert "GEMINI_API_KEY" in ran.printed
    assert not ran.shown


def test_zoom_and_inspect(run_sample: Callable[..., Ran], served: Callable[[str], Any]) -> None:
    ran = run_sample("image.py", served("zoom"))
    assert "4 pedals" in ran.printed
    assert "There are four pedals." in ran.printed
    assert len(ran.shown) == 1 and ran.shown[0].width > 100


def test_the_sdk_streams(monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    from google import genai

    monkeypatch.setenv("GEMINI_API_KEY", server.token)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
    client = genai.Client()
    events = list(
        client.interactions.create(
            model="gemini-3-flash-preview",
            input="What is the sum of the first 50 prime numbers?",
            tools=[{"type": "code_execution"}],
            stream=True,
        )
    )
    kinds = [event.event_type for event in events]
    assert kinds[0] == "interaction.created"
    assert kinds[-1] == "interaction.completed"
    printed = [event.delta.result for event in events if getattr(getattr(event, "delta", None), "result", None)]
    assert "5117" in "".join(printed)


def test_the_sdk_attaches_a_table_and_reads_it_back(
    monkeypatch: pytest.MonkeyPatch, server: Any, penguins_csv: Path
) -> None:
    from google import genai

    monkeypatch.setenv("GEMINI_API_KEY", server.token)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
    client = genai.Client()
    data = base64.b64encode(penguins_csv.read_bytes()).decode()
    created = client.interactions.create(
        model="gemini-3-flash-preview",
        input=[
            {"type": "document", "data": data, "mime_type": "text/csv"},
            {"type": "text", "text": "What is the mean body mass by species?"},
        ],
        tools=[{"type": "code_execution"}],
    )
    assert "5076.02" in json.dumps(created.model_dump(mode="json"))
    again = client.interactions.get(created.id)
    assert again.status == "completed"
    assert [step.type for step in again.steps] == [step.type for step in created.steps]
    assert any(model.name == "models/offline-planner" for model in client.models.list())


def test_the_sdk_uploads_a_file_and_asks_about_it(
    monkeypatch: pytest.MonkeyPatch, server: Any, penguins_csv: Path, tmp_path: Path
) -> None:
    from google import genai

    monkeypatch.setenv("GEMINI_API_KEY", server.token)
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", server.url)
    client = genai.Client()
    uploaded = client.files.upload(file=str(penguins_csv), config={"mime_type": "text/csv"})
    assert uploaded.state.name == "ACTIVE" and uploaded.size_bytes == penguins_csv.stat().st_size
    large = tmp_path / "large.bin"
    large.write_bytes(b"0123456789" * 1_700_000)  # three chunks of the SDK's 8 MiB
    other = client.files.upload(file=str(large), config={"mime_type": "application/octet-stream"})
    assert other.size_bytes == 17_000_000
    assert {file.name for file in client.files.list()} >= {uploaded.name, other.name}
    created = client.interactions.create(
        model="gemini-3-flash-preview",
        input=[
            {"type": "document", "uri": uploaded.uri, "mime_type": "text/csv"},
            {"type": "text", "text": "What is the mean body mass by species?"},
        ],
        tools=[{"type": "code_execution"}],
    )
    assert "5076.02" in json.dumps(created.model_dump(mode="json"))
    client.files.delete(name=other.name)
    assert other.name not in {file.name for file in client.files.list()}
    counted = client.models.count_tokens(model="gemini-3-flash-preview", contents="hello world")
    assert counted.total_tokens == 3
    assert client.models.get(model="offline-planner").name == "models/offline-planner"


def test_only_the_token_opens_the_door(server: Any) -> None:
    for headers in ({}, {"x-goog-api-key": "wrong"}, {"authorization": "Bearer wrong"}):
        for path, code in (("interactions/v1_a", "authentication"), ("models", 401)):
            request = urllib.request.Request(f"{server.url}/v1beta/{path}", headers=headers)
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(request)
            assert caught.value.code == 401
            assert json.loads(caught.value.read())["error"]["code"] == code
            caught.value.close()
    request = urllib.request.Request(f"{server.url}/v1/models", headers={"x-goog-api-key": server.token})
    with urllib.request.urlopen(request) as response:
        assert "access-control-allow-origin" not in response.headers
        assert json.load(response)["models"]


def test_a_token_is_made_and_printed_when_none_is_given(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path: Path
) -> None:
    with serve("offline-planner", tmp_path, token="") as served:
        token = next(line.split(": ")[1] for line in served.output.splitlines() if line.startswith("Token"))
        request = urllib.request.Request(f"{served.url}/v1/models", headers={"x-goog-api-key": token})
        with urllib.request.urlopen(request) as response:
            assert response.status == 200


def _status(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_strangers_name_for_this_computer_is_not_answered(server: Any) -> None:
    models = f"{server.url}/v1/models"
    port = server.url.rpartition(":")[2]
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}", "engine.localhost"):
        assert _status(models, **{"x-goog-api-key": server.token, "host": host}) == 200, host
    for host in (f"evil.example:{port}", "192.0.2.7", "127.0.0.1.evil.example", "localhost.evil.example"):
        assert _status(models, **{"x-goog-api-key": server.token, "host": host}) == 403, host


def test_other_computers_are_served_where_that_was_asked_for(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path: Path
) -> None:
    with serve("offline-planner", tmp_path, arguments=["--host", "0.0.0.0", "--allow-remote"]) as served:
        assert served.url.startswith("http://0.0.0.0:")
        assert "run code" in served.output and served.token not in served.output
        models = served.url.replace("0.0.0.0", "127.0.0.1") + "/v1/models"
        assert _status(models, host="our-server.example") == 401
        assert _status(models, **{"x-goog-api-key": served.token, "host": "our-server.example"}) == 200
