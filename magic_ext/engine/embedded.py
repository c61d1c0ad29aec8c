"""The engine of this process: what answers a cell when no key sends it away."""

from __future__ import annotations

import atexit
import functools
import os
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from magic_ext.engine.models.base import Model
from magic_ext.engine.models.registry import OFFLINE_PLANNER, is_embedded, open_model
from magic_ext.errors import GeminiExecError

if TYPE_CHECKING:
    from magic_ext.runtime.folders import PrivateFolder

    from .service import Engine, Models

__all__ = ["Handover", "close_embedded_engine", "embedded_engine", "engine_isolates", "open_engine"]

_KEPT_FOLDERS = 8


def open_engine(*, serving: str | None = None, local: bool = False) -> Engine:
    """An engine with a kernel pool of its own and the user's store.

    With ``serving``, the name of an embedded model, every ``gemini-*`` name is answered by that model too, and no
    script can be opened by a client; without it, any embedded model may be named. Raises :class:`GeminiExecError`
    where the user's folder can't be written.
    """
    import sqlite3

    from magic_ext.runtime.limits import Limits
    from magic_ext.runtime.pool import Pool

    from .files import Files
    from .service import Engine
    from .store import Store, data_folder, retention_from

    folder = data_folder()
    try:
        store, files = Store(folder / "interactions.sqlite", retention_from(os.environ)), Files(folder / "files")
    except (OSError, sqlite3.Error) as error:
        raise GeminiExecError(
            f"The engine's folder {str(folder)!r} can't be used ({error}).",
            hint="Make it writable, or set XDG_DATA_HOME to a folder that is.",
        ) from error
    return Engine(
        models=_any_model() if serving is None else _one_model(open_model(serving)),
        pool=Pool(limits=Limits()),
        store=store,
        files=files,
        local=local,
    )


def _any_model() -> Models:
    from .service import Models

    return Models((OFFLINE_PLANNER,), lambda name: open_model(name) if is_embedded(name) else None)


def _one_model(model: Model) -> Models:
    from .service import Models

    return Models((model.name,), lambda name: model if name == model.name or name.startswith("gemini-") else None)


@functools.cache
def embedded_engine() -> Engine:
    """The engine of this process, opened at first use and closed at exit."""
    engine = open_engine(local=True)
    atexit.register(engine.close)
    return engine


def close_embedded_engine() -> None:
    """Close the engine of this process with its kernels, if there is one; the next question opens another."""
    if embedded_engine.cache_info().currsize:
        embedded_engine().close()
        embedded_engine.cache_clear()


def engine_isolates() -> bool:
    """Whether code of the embedded engine runs isolated from the rest of this computer."""
    from magic_ext.runtime.choice import find_isolation
    from magic_ext.runtime.limits import Limits

    return find_isolation(Limits()).name != "none"


class Handover:
    """Folders through which data goes to the embedded engine, whole; the last eight are kept for follow-ups."""

    def __init__(self) -> None:
        self._folders: deque[PrivateFolder] = deque()

    def folder(self) -> Path:
        """A new empty folder, private to this user."""
        from magic_ext.runtime.folders import PrivateFolder

        if not self._folders:
            atexit.register(self._remove_all)
        if len(self._folders) >= _KEPT_FOLDERS:
            self._folders.popleft().remove()
        folder = PrivateFolder()
        self._folders.append(folder)
        return folder.path

    def _remove_all(self) -> None:
        while self._folders:
            self._folders.pop().remove()
