"""The engine of this process: what answers a cell when no key sends it away."""

from __future__ import annotations

import atexit
import functools
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from magic_ext.engine.models.base import Model
from magic_ext.engine.models.registry import OFFLINE_PLANNER, is_embedded, open_model
from magic_ext.errors import GeminiExecError

if TYPE_CHECKING:
    from magic_ext.runtime.folders import PrivateFolder
    from magic_ext.runtime.isolation import Isolation
    from magic_ext.runtime.limits import Limits

    from .files import Files
    from .service import Engine, Models
    from .store import Store

__all__ = [
    "Handover",
    "best_isolation",
    "close_embedded_engine",
    "embedded_engine",
    "kernels_line",
    "open_engine",
    "open_files",
    "open_store",
]

T = TypeVar("T")
_KEPT_FOLDERS = 8


def open_engine(*, serving: str | None = None, local: bool = False, limits: Limits | None = None) -> Engine:
    """An engine with a kernel pool of its own, whose code keeps to ``limits``, and the user's store.

    With ``serving``, the name of an embedded model, every ``gemini-*`` name is answered by that model too, and no
    script can be opened by a client; without it, any embedded model may be named. Raises :class:`GeminiExecError`
    where the user's folder can't be written.
    """
    from magic_ext.runtime.pool import Pool

    from .service import Engine

    return Engine(
        models=_any_model() if serving is None else _one_model(open_model(serving)),
        pool=Pool(limits=limits),
        store=open_store(),
        files=open_files(),
        local=local,
    )


def open_store() -> Store:
    """The interactions kept for this user; raises :class:`GeminiExecError` where the folder can't be used."""
    from .store import Store, data_folder, retention_from

    return _opened(lambda: Store(data_folder() / "interactions.sqlite", retention_from(os.environ)))


def open_files() -> Files:
    """The files uploaded by this user; raises :class:`GeminiExecError` where the folder can't be used."""
    from .files import Files
    from .store import data_folder, retention_from

    limit = int(retention_from(os.environ).file_megabytes * 1e6)
    return _opened(lambda: Files(data_folder() / "files", limit))


def _opened(open_it: Callable[[], T]) -> T:
    import sqlite3

    from .store import data_folder

    try:
        return open_it()
    except (OSError, sqlite3.Error) as error:
        raise GeminiExecError(
            f"The engine's folder {str(data_folder())!r} can't be used ({error}).",
            hint="Make it writable, or set XDG_DATA_HOME to a folder that is.",
        ) from error


def _any_model() -> Models:
    from .service import Models

    return Models((OFFLINE_PLANNER,), lambda name: open_model(name) if is_embedded(name) else None)


def _one_model(model: Model) -> Models:
    from .service import Models

    return Models((model.name,), lambda name: model if name == model.name or name.startswith("gemini-") else None)


def embedded_engine(limits: Limits) -> Engine:
    """The engine of this process, opened at first use and closed at exit; its code keeps to ``limits`` from now on."""
    engine = _only_engine()
    engine.pool.limits = limits
    return engine


@functools.cache
def _only_engine() -> Engine:
    engine = open_engine(local=True)
    atexit.register(engine.close)
    return engine


def close_embedded_engine() -> None:
    """Close the engine of this process with its kernels, if there is one; the next question opens another."""
    if _only_engine.cache_info().currsize:
        _only_engine().close()
        _only_engine.cache_clear()


def kernels_line() -> str:
    """What the kernels of this process's engine take, in words; ``""`` where none runs."""
    return _only_engine().pool.line if _only_engine.cache_info().currsize else ""


def best_isolation(limits: Limits) -> Isolation:
    """What isolates the code of the embedded engine from the rest of this computer."""
    from magic_ext.runtime.choice import find_isolation

    return find_isolation(limits)


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
