"""Files that go by the Files API: in chunks, once, waited for until they are ready."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from magic_ext.client.errors import BadRequest, ProtocolError, UploadFailed
from magic_ext.client.files import CHUNK, Uploads

DATA = b"a,b\n" * (CHUNK // 4 * 2 + 5)  # two chunks and a bit


def stamp(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")


def resource(state: str = "ACTIVE", hours: float = 48, **more: Any) -> dict[str, Any]:
    return {
        "name": "files/abc",
        "uri": "https://there/v1beta/files/abc",
        "state": state,
        "expirationTime": stamp(hours),
        **more,
    }


@pytest.fixture
def begun(faults: SimpleNamespace) -> Any:
    """The reply to a start: an address at another host, as behind a gateway."""
    url = "https://elsewhere.example/upload/v1beta/files?upload_id=u0&upload_protocol=resumable"
    return faults.reply(200, {}, x_goog_upload_url=url)


@pytest.fixture
def whole(begun: Any, faults: SimpleNamespace) -> Callable[..., list[Any]]:
    """The replies to an upload of one chunk."""
    return lambda **file: [begun, faults.reply(200, {"file": resource(**file)}, x_goog_upload_status="final")]


def test_a_file_goes_in_chunks(serve: Any, connect: Any, faults: SimpleNamespace, begun: Any) -> None:
    active = faults.reply(200, {}, x_goog_upload_status="active")
    final = faults.reply(200, {"file": resource()}, x_goog_upload_status="final")
    server = serve(begun, active, active, final)
    told: list[tuple[int, int]] = []
    uri = Uploads().uri(connect(server), DATA, "text/csv", "sales", lambda sent, size: told.append((sent, size)))
    assert uri == "https://there/v1beta/files/abc"
    start, *chunks = server.seen
    assert start.target == "/upload/v1beta/files"
    assert start.headers["x-goog-upload-protocol"] == "resumable"
    assert start.headers["x-goog-upload-command"] == "start"
    assert start.headers["x-goog-upload-header-content-length"] == str(len(DATA))
    assert start.headers["x-goog-upload-header-content-type"] == "text/csv"
    named = {"mimeType": "text/csv", "displayName": "sales", "sizeBytes": str(len(DATA))}
    assert json.loads(start.body) == {"file": named}
    assert b"".join(chunk.body for chunk in chunks) == DATA
    assert [chunk.headers["x-goog-upload-offset"] for chunk in chunks] == ["0", str(CHUNK), str(2 * CHUNK)]
    commands = [chunk.headers["x-goog-upload-command"] for chunk in chunks]
    assert commands == ["upload", "upload", "upload, finalize"]
    assert {chunk.target for chunk in chunks} == {"/upload/v1beta/files?upload_id=u0&upload_protocol=resumable"}
    assert {chunk.headers["content-type"] for chunk in chunks} == {"application/octet-stream"}
    assert told == [(0, len(DATA)), (CHUNK, len(DATA)), (2 * CHUNK, len(DATA))]


def test_the_same_bytes_go_once(serve: Any, connect: Any, whole: Any) -> None:
    server = serve(*whole(), *whole(), *whole())
    uploads = Uploads()
    for _ in range(2):
        uploads.uri(connect(server), b"a,b", "text/csv")
    assert len(server.seen) == 2
    uploads.uri(connect(server), b"a,c", "text/csv")
    assert len(server.seen) == 4, "other bytes are another file"
    uploads.uri(connect(server), b"a,b", "text/plain")
    assert len(server.seen) == 6, "so are the same bytes of another type"


@pytest.mark.parametrize("hours", [-1, 0.1, None])
def test_what_expires_is_sent_anew(serve: Any, connect: Any, whole: Any, hours: float | None) -> None:
    file = {"expirationTime": "soon"} if hours is None else {"hours": hours}
    server = serve(*whole(**file), *whole())
    uploads = Uploads()
    for _ in range(2):
        uploads.uri(connect(server), b"a,b", "text/csv")
    assert len(server.seen) == 4


def test_another_server_or_key_has_other_files(serve: Any, connect: Any, whole: Any) -> None:
    from magic_ext.client.endpoint import Secret

    one, other = serve(*whole(), *whole()), serve(*whole())
    uploads = Uploads()
    uploads.uri(connect(one), b"a,b", "text/csv")
    uploads.uri(connect(other), b"a,b", "text/csv")
    uploads.uri(connect(one, key=Secret("another-key")), b"a,b", "text/csv")
    assert (len(one.seen), len(other.seen)) == (4, 2)


def test_a_file_that_the_server_works_on_is_waited_for(
    serve: Any, connect: Any, faults: SimpleNamespace, waits: Any, whole: Any
) -> None:
    working, done = faults.reply(200, resource("PROCESSING")), faults.reply(200, resource())
    server = serve(*whole(state="PROCESSING"), working, done)
    assert Uploads().uri(connect(server), b"%PDF", "application/pdf").endswith("files/abc")
    assert [seen.target for seen in server.seen[2:]] == ["/v1beta/files/abc"] * 2
    assert waits.slept == [2.0, 2.0]


def test_a_file_that_the_server_cannot_use(serve: Any, connect: Any, whole: Any) -> None:
    server = serve(*whole(state="FAILED", error={"code": 3, "message": "Not a PDF."}), *whole())
    uploads = Uploads()
    with pytest.raises(UploadFailed, match=r"Not a PDF\.") as caught:
        uploads.uri(connect(server), b"%PDF", "application/pdf")
    assert caught.value.hint
    uploads.uri(connect(server), b"%PDF", "application/pdf")
    assert len(server.seen) == 4, "a failure is not remembered"


def test_a_file_that_never_gets_ready(serve: Any, connect: Any, faults: SimpleNamespace, whole: Any) -> None:
    server = serve(*whole(state="PROCESSING"), faults.reply(200, resource("PROCESSING")))
    with pytest.raises(UploadFailed, match="did not get done"):
        Uploads().uri(connect(server), b"%PDF", "application/pdf")


def test_what_a_server_says_wrong(serve: Any, connect: Any, faults: SimpleNamespace, begun: Any, whole: Any) -> None:
    error = {"error": {"code": 400, "message": "Too large.", "status": "INVALID_ARGUMENT"}}
    cases: list[tuple[list[Any], type[Exception]]] = [
        ([faults.reply(400, error)], BadRequest),
        ([faults.reply(200, {})], ProtocolError),
        ([begun, lambda to: None], UploadFailed),
        ([begun, faults.reply(200, {})], UploadFailed),
        ([begun, faults.reply(200, b"<html>")], ProtocolError),
        (whole(name="../interactions", state="PROCESSING"), UploadFailed),
    ]
    for scripts, kind in cases:
        with pytest.raises(kind):
            Uploads().uri(connect(serve(*scripts)), b"a,b", "text/csv")


def test_a_session_deletes_what_it_has_uploaded(serve: Any, connect: Any, whole: Any, faults: SimpleNamespace) -> None:
    gone = faults.reply(404, {"error": {"code": 404, "message": "gone", "status": "NOT_FOUND"}})
    server = serve(*whole(), *whole(name="files/b-2"), faults.reply(200, {}), gone)
    uploads, client = Uploads(), connect(server)
    uploads.uri(client, b"a,b", "text/csv")
    uploads.uri(client, b"a,c", "text/csv")
    assert uploads.count == 2
    assert uploads.delete(client) == 1, "the other has expired"
    assert [(seen.method, seen.target) for seen in server.seen[-2:]] == [
        ("DELETE", "/v1beta/files/abc"),
        ("DELETE", "/v1beta/files/b-2"),
    ]
    assert uploads.count == 0
