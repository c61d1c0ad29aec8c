"""The private folder of one kernel: where it works, where its sockets lie, and what it finds in its environment."""

from __future__ import annotations

import contextlib
import os
import shutil
import site
import stat
from importlib import resources
from pathlib import Path
from typing import BinaryIO

from magic_ext.runtime import fonts
from magic_ext.runtime.folders import PrivateFolder

__all__ = ["Workspace"]

PASSED = (
    "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH",
    "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE",
)  # fmt: skip
PIECE_BYTES = 1024**2


class Workspace:
    """A private folder: ``work`` (the code's working folder), ``run`` (sockets), ``home`` and the kernel's script.

    Only the three sub-folders are writable inside a sandbox. The root is not, so the code cannot swap one of them for a
    link that leads this process astray.
    """

    def __init__(self) -> None:
        self._folder = PrivateFolder()
        self.root = self._folder.path
        self.work, self.run, self.home = (self.root / name for name in ("work", "run", "home"))
        self.temporary, self.matplotlib = self.home / "tmp", self.home / "matplotlib"
        for folder in (self.work, self.run, self.home, self.temporary, self.matplotlib):
            folder.mkdir()
        self.script = self.root / "kernel.py"
        self.script.write_bytes(resources.files("magic_ext.runtime.scripts").joinpath("kernel.py").read_bytes())

    @property
    def writable(self) -> tuple[Path, Path, Path]:
        """The folders that the code may write to."""
        return self.work, self.run, self.home

    def environment(self) -> dict[str, str]:
        """Return the whole environment of the kernel: a short allow-list, never a key or a token."""
        threads = str(min(4, os.cpu_count() or 1))
        home, temporary = str(self.home), str(self.temporary)
        env = {name: os.environ[name] for name in PASSED if name in os.environ}
        env.setdefault("LANG", "C.UTF-8")
        env |= {"HOME": home, "USERPROFILE": home, "APPDATA": home, "IPYTHONDIR": str(self.home / ".ipython")}
        env |= {"TMPDIR": temporary, "TEMP": temporary, "TMP": temporary, "USER": "user", "LOGNAME": "user"}
        env |= {"MPLCONFIGDIR": str(self.matplotlib), "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
        # One thread a core would exhaust the process and address space limits on a big machine.
        env |= {"OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        if site.ENABLE_USER_SITE:
            env["PYTHONUSERBASE"] = site.getuserbase()
        return env

    def bring_fonts(self) -> None:
        """Copy matplotlib's font list, so that the first figure need not build it (about 5 s)."""
        for file in fonts.font_lists():
            shutil.copy(file, self.matplotlib)

    def put(self, name: str, data: bytes | BinaryIO) -> Path:
        """Write ``data``, or the rest of an open file, as ``name`` below the working folder; return the path.

        ``name`` is relative, its parts divided by ``/``. Code that ran before may have left a link under it, or under
        a folder on the way: it is replaced, never followed. Raises ValueError if ``name`` leads out of the folder,
        OSError if code that still runs takes a name back at once.
        """
        parts = name.split("/")
        if any(Path(part).name != part or part in {"", ".", ".."} for part in parts):
            raise ValueError(f"not a path below the working folder: {name!r}")
        write = _write_by_handles if os.open in os.supports_dir_fd else _write_by_paths
        write(self.work, parts, data)
        return self.work.joinpath(*parts)

    def remove(self) -> None:
        """Delete the folder; call it when no process uses it any more."""
        self._folder.remove()


def _write_by_handles(root: Path, parts: list[str], data: bytes | BinaryIO) -> None:
    """Write below ``root`` folder by folder, each held open, so that none can be exchanged for a link on the way."""
    *folders, last = parts
    with contextlib.ExitStack() as held:
        handle = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        held.callback(os.close, handle)
        for folder in folders:
            if _is_link(folder, handle):
                os.unlink(folder, dir_fd=handle)
            with contextlib.suppress(FileExistsError):
                os.mkdir(folder, dir_fd=handle)
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
            held.callback(os.close, handle)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(last, dir_fd=handle)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(last, flags, 0o600, dir_fd=handle), "wb") as file:
            _pour(data, file)


def _pour(data: bytes | BinaryIO, file: BinaryIO) -> None:
    if isinstance(data, bytes):
        file.write(data)
    else:
        shutil.copyfileobj(data, file, PIECE_BYTES)  # never whole in memory, and faster


def _is_link(name: str, handle: int) -> bool:
    try:
        return stat.S_ISLNK(os.lstat(name, dir_fd=handle).st_mode)
    except FileNotFoundError:
        return False


def _write_by_paths(root: Path, parts: list[str], data: bytes | BinaryIO) -> None:
    """The same where folders can't be held open (Windows, where nothing isolates anyway)."""
    path = root.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with path.open("xb") as file:
        _pour(data, file)
