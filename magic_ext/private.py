"""Files for this user alone: written under another name, then renamed, so that no reader ever sees half of one."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

__all__ = ["write_private"]


def write_private(path: Path, data: bytes) -> None:
    """Replace the file as a whole, with mode 0600; raises ``OSError``.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_private(Path(folder) / "a" / "b.json", b"1")
    ...     (Path(folder) / "a" / "b.json").read_bytes()
    b'1'
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, new = tempfile.mkstemp(dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(new).replace(path)
    except BaseException:
        Path(new).unlink(missing_ok=True)
        raise
