"""Uploaded files: the Files API's resources on this computer's disk (wire.md section 5).

A file is two: its bytes, and beside them a JSON document that appears only when all bytes are there. Files expire after
48 hours, as Google's do.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from magic_ext.wire.content import Json

from .errors import EngineError, bad_request, not_found

__all__ = ["EXPIRY", "FILE_LIMIT", "Files", "StoredFile", "Upload", "uploaded_id"]

EXPIRY = timedelta(hours=48)
FILE_LIMIT = 2 * 1024**3  # bytes
_MARKS = "abcdefghijklmnopqrstuvwxyz0123456789"
_ID = r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?"  # Google's rule for the part behind "files/"
_ADDRESS = re.compile(rf"/files/({_ID})$")


def uploaded_id(uri: str | None) -> str:
    """The id of the uploaded file that lies at an address; ``""`` for any other address.

    >>> uploaded_id("http://127.0.0.1:8765/v1beta/files/sales-2024"), uploaded_id("file:///tmp/sales.csv")
    ('sales-2024', '')
    """
    found = _ADDRESS.search(uri or "")
    return found[1] if found else ""


class StoredFile(msgspec.Struct, frozen=True, kw_only=True):
    """One uploaded file; times are ISO 8601 in UTC."""

    id: str
    mime_type: str
    size: int
    sha256: str
    created: str
    expires: str
    display_name: str = ""

    def document(self, base_url: str) -> Json:
        """The resource as the API shows it; its ``uri`` lies under ``base_url``."""
        return {
            "name": f"files/{self.id}",
            "displayName": self.display_name,
            "mimeType": self.mime_type,
            "sizeBytes": str(self.size),
            "createTime": self.created,
            "updateTime": self.created,
            "expirationTime": self.expires,
            "sha256Hash": self.sha256,
            "uri": f"{base_url}/v1beta/files/{self.id}",
            "state": "ACTIVE",
            "source": "UPLOADED",
        }


class Upload(msgspec.Struct, frozen=True, kw_only=True):
    """A resumable upload that has begun; ``size`` is what its start announced, ``None`` where it did not.

    ``file_id`` is the id that its file will have.
    """

    id: str
    file_id: str
    mime_type: str
    display_name: str = ""
    size: int | None = None


class Files:
    """The uploaded files of one user on this computer, in ``folder``: ``limit`` bytes at most.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     files = Files(Path(folder))
    ...     upload = files.begin("text/csv", "sales.csv", 4)
    ...     kept = files.append(upload.id, 0, b"a,b", final=False), files.append(upload.id, 3, b"c", final=True)
    ...     kept[0], kept[1].size, files.read(kept[1].id)
    (None, 4, b'a,bc')
    """

    def __init__(self, folder: Path, limit: int = 20 * 1000**3) -> None:
        self.folder = folder
        self.limit = limit
        self._uploads: dict[str, Upload] = {}
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sweep()

    def begin(self, mime_type: str, display_name: str = "", size: int | None = None, name: str = "") -> Upload:
        """Begin an upload, of a file called ``name`` if one is given (``files/sales`` or ``sales``).

        Raises a 400 for a size or a name that no file may have, a 409 for a name that is taken, and a 429 where there
        is no room left.
        """
        self._sweep()
        if self.size + (size or 0) > self.limit:
            raise EngineError(429, "quota_exceeded", f"Uploaded files may have {self.limit} bytes in all: delete some.")
        if size is not None and not 0 <= size <= FILE_LIMIT:
            raise bad_request(f"A file may have {FILE_LIMIT} bytes at most.")
        upload = Upload(
            id=secrets.token_urlsafe(24),
            file_id=self._free(name) if name else "".join(secrets.choice(_MARKS) for _ in range(12)),
            mime_type=mime_type or "application/octet-stream",
            display_name=display_name,
            size=size,
        )
        with self._lock:
            self._uploads[upload.id] = upload
        self._part(upload).touch(mode=0o600)
        return upload

    def append(self, upload_id: str, offset: int, data: bytes, *, final: bool) -> StoredFile | None:
        """Add a chunk at ``offset``; returns the file when it was the last one.

        A chunk that is sent again is taken as it was; one behind a gap is a 400, and the upload can go on.
        """
        with self._lock:
            upload = self._uploads.get(upload_id)
            if upload is None:
                raise not_found("There is no such upload; begin it again.")
            part = self._part(upload)
            held = part.stat().st_size
            if offset > held:
                raise bad_request(f"The upload holds {held} bytes, the chunk begins at {offset}.", "out_of_range")
            if offset + len(data) > FILE_LIMIT:
                raise EngineError(413, "invalid_request", f"A file may have {FILE_LIMIT} bytes at most.")
            with part.open("r+b") as file:
                file.seek(offset)
                file.write(data)
            if not final:
                return None
            held = part.stat().st_size
            if upload.size is not None and held != upload.size:
                raise bad_request(f"The upload holds {held} bytes; its start announced {upload.size}.")
            del self._uploads[upload_id]
            return self._finish(upload, part)

    @property
    def size(self) -> int:
        """The bytes of all files, and of the uploads that have begun."""
        size = 0
        for path in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process deleted it just now
                size += path.stat().st_size
        return size

    def get(self, id: str) -> StoredFile:
        """The file of that id; raises a 404 for one that is not there or has expired."""
        try:
            file = msgspec.json.decode(self._path(id, ".json").read_bytes(), type=StoredFile)
        except (OSError, msgspec.DecodeError):
            raise not_found(f"There is no file 'files/{id[:40]}'.") from None
        if file.expires < _stamp(datetime.now(UTC)):
            self.delete(id)
            raise not_found(f"The file 'files/{id[:40]}' has expired.")
        return file

    def read(self, id: str) -> bytes:
        """A file's bytes; raises a 404 as :meth:`get` does."""
        self.get(id)
        return self._path(id, ".bin").read_bytes()

    def list(self) -> list[StoredFile]:
        """All files, the newest first."""
        self._sweep()
        found: list[StoredFile] = []
        for path in self.folder.glob("*.json"):
            with contextlib.suppress(EngineError):  # another process deleted it just now
                found.append(self.get(path.stem))
        return sorted(found, key=lambda file: (file.created, file.id), reverse=True)

    def delete(self, id: str) -> None:
        """Delete a file; raises a 404 where there is none."""
        document = self._path(id, ".json")
        if not document.exists():
            raise not_found(f"There is no file 'files/{id[:40]}'.")
        document.unlink(missing_ok=True)
        self._path(id, ".bin").unlink(missing_ok=True)

    def _free(self, name: str) -> str:
        """The id that a name gives; raises for one that is malformed or taken."""
        wanted = name.removeprefix("files/")
        if not re.fullmatch(_ID, wanted):
            raise bad_request(
                f"The file name {name[:50]!r} is not valid: behind 'files/' it has at most 40 lowercase letters, "
                "digits and dashes, and neither begins nor ends with a dash."
            )
        with contextlib.suppress(EngineError):
            self.get(wanted)  # which makes room where that file has expired
        if self._path(wanted, ".bin").exists():
            raise _taken(wanted)
        return wanted

    def _finish(self, upload: Upload, part: Path) -> StoredFile:
        content = self._path(upload.file_id, ".bin")
        try:
            content.touch(mode=0o600, exist_ok=False)  # of two that want one name, the first gets it
        except FileExistsError:
            part.unlink()
            raise _taken(upload.file_id) from None
        now = datetime.now(UTC)
        with part.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        file = StoredFile(
            id=upload.file_id,
            mime_type=upload.mime_type,
            display_name=upload.display_name,
            size=part.stat().st_size,
            sha256=digest,
            created=_stamp(now),
            expires=_stamp(now + EXPIRY),
        )
        part.replace(content)
        part.write_bytes(msgspec.json.encode(file))
        part.replace(self._path(file.id, ".json"))
        return file

    def _sweep(self) -> None:
        """Delete what has expired, and uploads that nobody finished."""
        oldest = (datetime.now(UTC) - EXPIRY).timestamp()
        for path in self._old(oldest):
            path.unlink(missing_ok=True)

    def _old(self, oldest: float) -> Iterator[Path]:
        for path in self.folder.iterdir():
            try:
                if path.stat().st_mtime < oldest:
                    yield path
            except FileNotFoundError:  # another process swept it first
                continue

    def _part(self, upload: Upload) -> Path:
        return self.folder / f"{upload.id}.part"

    def _path(self, id: str, suffix: str) -> Path:
        if not re.fullmatch(_ID, id):
            raise not_found("There is no such file.")
        return self.folder / f"{id}{suffix}"


def _taken(id: str) -> EngineError:
    return EngineError(409, "already_exists", f"There is a file 'files/{id}' already.")


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
