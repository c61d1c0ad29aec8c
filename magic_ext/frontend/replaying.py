"""Which recorded answers a cell may be given, and how a cell is called where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from magic_ext.ask import Cache, CacheUse
from magic_ext.client.recordings import Recordings, user_recordings

__all__ = ["cache_for", "recordings_in"]

_BEGINNING = 40  # characters of a prompt that name its cell


def recordings_in(cache_dir: str, here: Callable[[], Path]) -> Recordings:
    """The recordings of this user, or those in the folder ``cache_dir``, seen from ``here``; nothing is made yet."""
    return Recordings(here() / Path(cache_dir).expanduser()) if cache_dir else user_recordings()


def cache_for(use: CacheUse, recordings: Recordings, prompt: str, shell: Any) -> Cache:
    """What the cell that asks ``prompt`` may do with ``recordings``."""
    words = " ".join(prompt.split())
    begins = words if len(words) <= _BEGINNING else f"{words[:_BEGINNING].rstrip()}…"
    return Cache(use=use, recordings=recordings, cell=f"Cell [{shell.execution_count}] ({begins!r})")
