"""Where a notebook's conversations are kept, and their names, which completion wants before anything has been asked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

__all__ = ["kept_file", "kept_names"]


class _Thread(msgspec.Struct, frozen=True):
    """Of a turn that is kept, its conversation's name alone."""

    thread: str = ""
    run: str = ""
    interrupted: str = ""


def kept_file(notebook: str) -> Path | None:
    """Where the conversations of a notebook are kept; ``None`` where it has no name."""
    if not notebook:
        return None
    import platformdirs

    folder = Path(platformdirs.user_state_dir("gemini-exec", appauthor=False)) / "conversations"
    return folder / f"{hashlib.sha256(notebook.encode('utf-8', 'replace')).hexdigest()[:32]}.json"


def kept_names(file: Path | None) -> tuple[str, ...]:
    """The names of the conversations in ``file``; none where it is not there, or of another version.

    >>> kept_names(None)
    ()
    """
    try:
        turns = msgspec.json.decode(file.read_bytes(), type=list[_Thread]) if file else []
    except (OSError, msgspec.MsgspecError):
        return ()
    return tuple(dict.fromkeys(turn.thread for turn in turns if turn.thread and (turn.run or not turn.interrupted)))
