"""What is here and what is missing: versions, front ends, isolation, key, and where things are kept.

A key's text is never told.
"""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from collections.abc import Iterable, Iterator
from itertools import chain

from magic_ext.client.keys import FoundKey
from magic_ext.client.recordings import KEEP_BYTES, KEEP_DAYS, Recordings, user_recordings
from magic_ext.engine.embedded import best_isolation, kernels_line, open_files, open_store
from magic_ext.engine.models.servers import SETTINGS, model_names, server_set
from magic_ext.errors import GeminiExecError
from magic_ext.http import OFFLINE, offline
from magic_ext.runtime.limits import Limits
from magic_ext.runtime.provided import missing_libraries

__all__ = ["report"]

_NEEDED = {
    "ipython": "",
    "ipykernel": "",
    "httpx": "",
    "pandas": "gemini-exec[local]",
    "pyarrow": "gemini-exec[local]",
    "matplotlib": "",
    "jupyterlab": "gemini-exec[lab]",
    "starlette": "gemini-exec[serve]",
    "uvicorn": "gemini-exec[serve]",
}


def report(
    key: FoundKey | None,
    front_end: Iterable[str],
    recordings: Recordings | None = None,
    limits: Limits | None = None,
    local_base_url: str = "",
) -> str:
    """The report as lines of text; each problem stands with the command that mends it.

    ``front_end`` is what there is to say of front ends, ``recordings`` are the answers that are used, if not the user's
    own; ``limits`` those of isolated code; ``local_base_url`` is the setting of that name.
    """
    own = user_recordings()
    used = [own, *([recordings] if recordings and recordings != own else [])]
    answering = chain(_answering(key), _local(local_base_url))
    parts = (_versions(), front_end, _running(limits or Limits()), answering, _kept(), map(_recorded, used))
    return "\n".join(line for part in parts for line in _told(part))


def _told(part: Iterable[str]) -> Iterator[str]:
    """The lines of a part; an error in it is one of them, and the next part is told all the same."""
    try:
        yield from part
    except GeminiExecError as error:
        yield f"{error} {error.hint}"


def _versions() -> Iterator[str]:
    ours = _version("gemini-exec") or "not installed"
    yield f"gemini-exec {ours}, Python {platform.python_version()}, {sys.platform}"
    found = {name: _version(name) for name in _NEEDED}
    yield "with " + ", ".join(f"{name} {version}" for name, version in found.items() if version)
    for name, version in found.items():
        if not version:
            yield f"{name} is missing: pip install '{_NEEDED[name] or name}'"


def _running(limits: Limits) -> Iterator[str]:
    isolation = best_isolation(limits)
    yield f"code of the embedded engine runs under {isolation.line}"
    if isolation.name == "none":
        yield "so only the planner's own code runs: pip install 'gemini-exec[local]', or install bubblewrap"
    if line := kernels_line():
        yield line
    if missing := missing_libraries():
        extras = ("sandbox",) * (missing != ("tensorflow",)) + ("tensorflow",) * ("tensorflow" in missing)
        yield f"of the libraries of Google's sandbox {len(missing)} are missing here: {', '.join(missing)}"
        yield f"code that needs them runs here after pip install 'gemini-exec[{','.join(extras)}]'"


def _answering(key: FoundKey | None) -> Iterator[str]:
    if key is None:
        yield "no API key: offline-planner answers. For Gemini set GEMINI_API_KEY, or type %gemini key"
    else:
        yield f"API key from {key.source}: Gemini answers"
    if offline():
        yield f"{OFFLINE} is set: no connection is opened but to this computer"


def _local(local_base_url: str) -> Iterator[str]:
    """Which server a model of the user's own is asked at, and whether it answers; no other one is contacted."""
    server = server_set(local_base_url)
    if server is None:
        yield f"no server of openai:NAME is set ({SETTINGS}); %gemini models looks for one"
        return
    yield f"openai:NAME is asked at {server.host}, which {server.setting} names"
    yield f"it answers; models there: {len(model_names(server)):,}"


def _recorded(recordings: Recordings) -> str:
    count, size = recordings.size
    limits = f"; kept {KEEP_DAYS:g} days after their last use, {KEEP_BYTES / 1e6:g} MB at most"
    kept = limits if recordings.swept else ""
    return f"{count:,} recorded answers in {recordings.folder} ({size / 1e6:.1f} MB{kept})"


def _kept() -> Iterator[str]:
    store, files = open_store(), open_files()
    count, size = store.size
    days, megabytes = store.retention.days, store.retention.megabytes
    yield f"{count:,} interactions in {store.path} ({size / 1e6:.1f} MB; kept {days:g} days, {megabytes:g} MB at most)"
    uploaded = files.list()
    room = f"{files.size / 1e6:.1f} MB; kept 48 hours, {files.limit / 1e6:g} MB at most"
    yield f"{len(uploaded):,} uploaded files in {files.folder} ({room})"


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
