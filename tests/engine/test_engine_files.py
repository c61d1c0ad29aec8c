"""Uploaded files: names that the caller chose, and what they count for in usage and countTokens."""

from __future__ import annotations

import base64
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from magic_ext.client.interactions import Client
from magic_ext.engine.api import handle
from magic_ext.engine.errors import EngineError
from magic_ext.engine.exchange import Call
from magic_ext.engine.files import EXPIRY, Files, StoredFile
from magic_ext.engine.service import Engine

TABLE = b"a,b\n1,2\n" * 100


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "files")


def _put(files: Files, data: bytes, name: str = "", mime_type: str = "text/csv") -> StoredFile:
    file = files.append(files.begin(mime_type, name=name).id, 0, data, final=True)
    assert file is not None
    return file


@pytest.mark.parametrize("name", ["sales", "files/sales", "files/sales-2024-01", "files/" + "a" * 40, "files/0"])
def test_a_caller_may_choose_a_files_name(name: str, files: Files) -> None:
    file = _put(files, b"a", name)
    assert file.document("http://h")["name"] == f"files/{name.removeprefix('files/')}"
    assert files.read(file.id) == b"a"
    assert [found.id for found in files.list()] == [file.id]


@pytest.mark.parametrize("name", ["files/", "-a", "a-", "Sales", "a_b", "a" * 41, "a/b", "../x", "ä", "files/files/a"])
def test_a_malformed_name_is_a_400(name: str, files: Files) -> None:
    with pytest.raises(EngineError, match="not valid") as caught:
        files.begin("text/csv", name=name)
    assert (caught.value.status, caught.value.code) == (400, "invalid_request")


def test_a_name_that_is_taken_is_a_409_until_the_file_is_gone(files: Files) -> None:
    _put(files, b"first", "sales")
    with pytest.raises(EngineError, match="already") as caught:
        files.begin("text/csv", name="files/sales")
    assert (caught.value.status, caught.value.code) == (409, "already_exists")
    files.delete("sales")
    assert files.read(_put(files, b"second", "sales").id) == b"second"


def test_of_two_uploads_that_want_one_name_the_first_to_end_gets_it(files: Files) -> None:
    uploads = [files.begin("text/csv", name="sales") for _ in range(8)]
    ends: list[object] = []

    def end(number: int) -> None:
        try:
            ends.append(files.append(uploads[number].id, 0, b"%d" % number, final=True))
        except EngineError as error:
            ends.append(error.code)

    threads = [threading.Thread(target=end, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ends.count("already_exists") == 7
    (kept,) = (file for file in ends if isinstance(file, StoredFile))
    assert files.get("sales") == kept and len(files.read("sales")) == 1
    assert not list(files.folder.glob("*.part"))


def test_an_expired_file_leaves_its_name(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as past:
        past.setattr("magic_ext.engine.files.EXPIRY", -EXPIRY)
        _put(files, b"old", "sales")
    assert files.read(_put(files, b"new", "sales").id) == b"new"


def test_there_is_room_for_so_much_and_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = Files(tmp_path, limit=2000)
    file = _put(files, b"x" * 1000)
    with pytest.raises(EngineError, match="2000 bytes") as caught:
        files.begin("text/csv", size=1001)
    assert (caught.value.status, caught.value.code) == (429, "quota_exceeded")
    files.delete(file.id)
    files.begin("text/csv", size=1001)
    monkeypatch.setattr("magic_ext.engine.files.EXPIRY", -EXPIRY)
    files.begin("text/csv", size=2000)  # what has expired makes room, without a restart
    assert len(list(tmp_path.iterdir())) == 1


def _kinds(usage: Any, kind: str) -> dict[str, int]:
    return {count["modality"]: count["tokens"] for count in usage[f"{kind}_tokens_by_modality"]}


@pytest.mark.parametrize("by_address", [False, True])
def test_files_count_their_tokens_inline_and_by_address(
    by_address: bool, engine: Engine, client: Client, tmp_path: Path
) -> None:
    script = tmp_path / "talk.json"
    script.write_text(json.dumps([[[{"code": "print(1)"}], [{"text": "One."}]]]))
    table, picture = _put(engine.files, TABLE), _put(engine.files, b"\x89PNG", mime_type="image/png")
    given: list[dict[str, Any]] = (
        [{"uri": f"http://h/v1/files/{table.id}"}, {"uri": f"http://h/v1/files/{picture.id}"}]
        if by_address
        else [{"data": base64.b64encode(TABLE).decode()}, {"data": "iVBORw=="}]
    )
    content = [
        {"type": "document", "mime_type": "text/csv", **given[0]},
        {"type": "image", "mime_type": "image/png", **given[1]},
        {"type": "text", "text": "What?"},
    ]
    body = {"model": f"scripted:{script}", "input": content, "tools": [{"type": "code_execution"}]}
    usage = client.create(body).raw["usage"]
    assert _kinds(usage, "input") == {"text": 2, "image": 258, "document": 200}
    assert usage["total_input_tokens"] == 460
    again = _kinds(usage, "tool_use")
    assert (again["image"], again["document"]) == (258, 200)
    assert sum(again.values()) == usage["total_tool_use_tokens"] > 460
    assert usage["total_tokens"] == sum(
        usage[f"total_{kind}_tokens"] for kind in ("input", "output", "thought", "tool_use", "cached")
    )


def test_tokens_of_files_are_counted_before_asking(engine: Engine) -> None:
    table = _put(engine.files, TABLE)
    parts: list[dict[str, Any]] = [
        {"text": "What?"},
        {"fileData": {"fileUri": f"http://h/v1beta/files/{table.id}", "mimeType": "text/csv"}},
        {"inlineData": {"data": "iVBORw==", "mimeType": "image/png"}},
    ]

    def count(body: object) -> Any:
        path = "/v1beta/models/offline-planner:countTokens"
        reply = handle(engine, Call(method="POST", path=path, body=json.dumps(body).encode()))
        assert isinstance(reply.body, bytes)
        return json.loads(reply.body)

    contents = [{"role": "user", "parts": parts}]
    for body in ({"contents": contents}, {"generateContentRequest": {"contents": contents}}):
        counted = count(body)
        assert counted["totalTokens"] == 460
        assert {count["modality"]: count["tokenCount"] for count in counted["promptTokensDetails"]} == {
            "TEXT": 2,
            "IMAGE": 258,
            "DOCUMENT": 200,
        }
    parts[1]["fileData"]["fileUri"] = "http://h/v1beta/files/gone"
    assert count({"contents": contents})["error"]["status"] == "NOT_FOUND"
    assert count({"contents": []})["error"]["status"] == "INVALID_ARGUMENT"
