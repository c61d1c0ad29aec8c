"""What is too large for a request goes by the Files API: once, and the receipt says so."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

PDF = b"%PDF-1.4\n" + bytes(range(256)) * 46_900  # 12 MB, of base64 16
ASK = "%%gemini_exec -m gemini-3-flash-preview\nWhat does @big.pdf say?"
SAID = ({"type": "model_output"}, [{"type": "text", "text": "Nothing."}])


@pytest.fixture(scope="module", autouse=True)
def _a_large_file(notebook: Any) -> Iterator[None]:
    (notebook.folder / "big.pdf").write_bytes(PDF)
    (notebook.folder / "small.pdf").write_bytes(PDF[:1000])
    yield


@pytest.fixture
def upload(faults: SimpleNamespace) -> Callable[..., list[Any]]:
    """The replies to an upload in two chunks."""

    def replies(**more: Any) -> list[Any]:
        expires = (datetime.now(UTC) + timedelta(hours=48)).isoformat()
        file = {"name": "files/abc", "uri": "https://there/v1beta/files/abc", "expirationTime": expires}
        file |= {"state": "ACTIVE"} | more
        begun = faults.reply(200, {}, x_goog_upload_url="https://there/upload/v1beta/files?upload_id=u0")
        return [begun, faults.reply(200, {}), faults.reply(200, {"file": file})]

    return replies


def test_a_large_file_is_uploaded_once(
    notebook: Any, asked_at: Callable[..., Any], google: Any, upload: Any, body_of: Any
) -> None:
    server = asked_at(*upload(), google(SAID), google(SAID))
    first, second = notebook.run(ASK), notebook.run(ASK)
    assert (first.status, second.status) == ("ok", "ok")
    assert [seen.method for seen in server.seen] == ["POST"] * 5
    assert server.seen[1].body + server.seen[2].body == PDF
    for seen in server.seen[3:]:
        [turn] = body_of(seen)["input"]
        document = turn["content"][0]
        assert document == {
            "type": "document",
            "uri": "https://there/v1beta/files/abc",
            "mime_type": "application/pdf",
        }
    assert "uploaded (kept 48 h by the server)" in first.text


def test_a_small_one_stands_in_the_request(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    server = asked_at(google(SAID))
    ran = notebook.run(ASK.replace("big", "small"))
    [turn] = body_of(server.seen[0])["input"]
    assert base64.b64decode(turn["content"][0]["data"]) == PDF[:1000]
    assert "uploaded" not in ran.text


def test_the_receipt_of_a_dry_run_tells_it_too(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(google(SAID))
    ran = notebook.run(ASK.replace("\n", " --dry-run\n", 1))
    assert "uploaded (kept 48 h by the server)" in ran.text
    assert server.seen == []


def test_progress_is_shown(notebook: Any, asked_at: Callable[..., Any], google: Any, upload: Any) -> None:
    (notebook.folder / "other.pdf").write_bytes(PDF + b"another one")
    asked_at(*upload(), google(SAID))
    ran = notebook.run(ASK.replace("big", "other"), live=True)
    assert "uploading, 8 of 12 MB" in json.dumps(ran.messages, default=str)


def test_a_file_that_the_server_cannot_use(notebook: Any, asked_at: Callable[..., Any], upload: Any) -> None:
    (notebook.folder / "bad.pdf").write_bytes(PDF + b"bad")
    asked_at(*upload(state="FAILED", error={"message": "Not a PDF."}))
    assert "Not a PDF." in notebook.fails(ASK.replace("big", "bad")).red_line
