"""The Files API's paths: resumable uploads in chunks, list, get, delete (wire.md section 5)."""

from __future__ import annotations

from typing import Any

from magic_ext.wire.content import Json

from .errors import bad_request, not_found
from .exchange import Call, Reply, decoded, json_reply
from .files import Files, StoredFile

__all__ = ["files_reply", "upload_reply"]

_PAGE = 100


def upload_reply(files: Files, call: Call) -> Reply:
    """Begin an upload, or take a chunk of one: the upload's id is the permission to go on with it."""
    if call.method != "POST" or not call.path.rstrip("/").endswith("/files"):
        raise not_found(f"There is no {call.method} {call.path} here.")
    commands = {word.strip() for word in call.headers.get("x-goog-upload-command", "").split(",")}
    if "start" in commands:
        return _begin(files, call)
    upload_id = call.query.get("upload_id", "")
    if not commands & {"upload", "finalize"} or not upload_id:
        raise bad_request(
            "Files are uploaded by the resumable protocol: X-Goog-Upload-Command start, upload, finalize."
        )
    offset = _whole_number(call.headers.get("x-goog-upload-offset") or "0", "X-Goog-Upload-Offset")
    file = files.append(upload_id, offset, call.body, final="finalize" in commands)
    if file is None:
        return json_reply({}, headers={"x-goog-upload-status": "active"})
    return json_reply({"file": _document(file, call)}, headers={"x-goog-upload-status": "final"})


def files_reply(files: Files, call: Call, id: list[str]) -> Reply:
    """List the files, or get or delete one."""
    match call.method, id:
        case "GET", []:
            return json_reply(_page(files.list(), call))
        case "GET", [name]:
            return json_reply(_document(files.get(name), call))
        case "DELETE", [name]:
            files.delete(name)
            return json_reply({})
    raise not_found(f"There is no {call.method} {call.path} here.")


def _begin(files: Files, call: Call) -> Reply:
    given: Any = decoded(call.body) if call.body else {}
    named = given.get("file") if isinstance(given, dict) else None
    fields = named if isinstance(named, dict) else {}
    announced = call.headers.get("x-goog-upload-header-content-length")
    upload = files.begin(
        call.headers.get("x-goog-upload-header-content-type") or _text(fields, "mime_type", "mimeType"),
        _text(fields, "display_name", "displayName") or call.headers.get("x-goog-upload-file-name", ""),
        _whole_number(announced, "X-Goog-Upload-Header-Content-Length") if announced else None,
        _text(fields, "name"),
    )
    url = f"{_base_url(call)}{call.path}?upload_id={upload.id}&upload_protocol=resumable"
    return json_reply({}, headers={"x-goog-upload-url": url, "x-goog-upload-status": "active"})


def _page(found: list[StoredFile], call: Call) -> Json:
    size = _whole_number(call.query.get("pageSize") or str(_PAGE), "pageSize") or _PAGE
    start = _whole_number(call.query.get("pageToken") or "0", "pageToken")
    page: Json = {"files": [_document(file, call) for file in found[start : start + size]]}
    if start + size < len(found):  # never an empty token: a pager asks for it for ever (wire.md section 0)
        page["nextPageToken"] = str(start + size)
    return page


def _document(file: StoredFile, call: Call) -> Json:
    return file.document(_base_url(call))


def _base_url(call: Call) -> str:
    return f"http://{call.headers.get('host', 'engine.localhost')}"


def _text(fields: Json, *names: str) -> str:
    return next((value for name in names if isinstance(value := fields.get(name), str)), "")


def _whole_number(text: str, name: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise bad_request(f"{name} must be a whole number.")
    return int(text)
