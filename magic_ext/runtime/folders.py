"""Private folders that do not outlive their process: held by a lock, swept away by the next one if it was killed."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

__all__ = ["PrivateFolder", "sweep"]

PREFIX = "ge-"
LOCK = "lock"
# A unix socket's path must stay below about 100 characters; TMPDIR is longer than half of that on macOS.
LONGEST_ROOT = 40


class PrivateFolder:
    """A new folder for this user alone, at ``path``; whoever makes it removes it."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_parent_folder())).resolve()
        self._lock = _new_lock(self.path)

    def remove(self) -> None:
        """Delete the folder; call it when no process uses it any more."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        _delete(self.path)


def sweep() -> None:
    """Delete what killed processes left behind: folders whose lock nobody holds."""
    if sys.platform == "win32":
        return
    for root in Path(_parent_folder()).glob(PREFIX + "*"):
        with contextlib.suppress(OSError):
            status = root.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
                continue
            handle = os.open(root / LOCK, os.O_RDWR | os.O_NOFOLLOW)
            try:
                if _try_lock(handle):
                    _delete(root)
            finally:
                os.close(handle)


def _parent_folder() -> str:
    folder = tempfile.gettempdir()
    return folder if sys.platform == "win32" or len(folder) <= LONGEST_ROOT else "/tmp"  # noqa: S108


def _new_lock(root: Path) -> int | None:
    """Make and hold the lock file of a new folder; it gets its name when it is held, so no sweep can take it."""
    if sys.platform == "win32":
        return None
    handle = os.open(root / "lock.new", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    _try_lock(handle)
    (root / "lock.new").rename(root / LOCK)
    return handle


def _try_lock(handle: int) -> bool:
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _delete(root: Path) -> None:
    for folder, names, _ in os.walk(root):
        for name in names:
            path = Path(folder, name)
            if not path.is_symlink():
                with contextlib.suppress(OSError):
                    path.chmod(0o700)
    shutil.rmtree(root, ignore_errors=True)
