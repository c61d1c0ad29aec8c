"""``%gemini forget``: delete what was kept, here and at the server, after a yes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from magic_ext.ask.outgoing import UPLOADS
from magic_ext.client.errors import NotFound
from magic_ext.errors import GeminiExecError

if TYPE_CHECKING:
    from .asking import Asking
    from .settings import Settings

__all__ = ["forget"]

_TOO = "This notebook's conversations, and what you have allowed to leave or to run, are forgotten"


def forget(asking: Asking, settings: Settings) -> str:
    """Ask, delete, and return what was deleted; raises :class:`GeminiExecError` where nobody can be asked.

    Here all interactions, uploaded files and recorded answers of this user go, but not those in a folder ``cache_dir``,
    which belong to a project; at the server those that this session stored there. The notebook's conversations go, and
    the user is asked again before values leave and before a model's code runs in the kernel.
    """
    from magic_ext.client.recordings import user_recordings
    from magic_ext.engine.embedded import open_files, open_store

    store, files, recordings = open_store(), open_files(), user_recordings()
    kept, uploaded, remote = store.size[0], files.list(), asking.stored_elsewhere()
    recorded = recordings.size[0]
    host = remote[0][0] if remote else "the server"
    there = f", and {len(remote):,} answers of this session at {host}" if remote else ""
    there += f", and {UPLOADS.count:,} files that it uploaded" if UPLOADS.count else ""
    here = f"{kept:,} interactions, {len(uploaded):,} files and {recorded:,} recorded answers"
    question = f"Delete {here} kept on this computer{there}?\n{_TOO} too. [y/N] "
    if not _yes(question):
        return "Nothing was deleted."
    gone = _delete_remote(asking, settings, [stored for _, stored in remote])
    for file in files.list():
        files.delete(file.id)
    store.clear()
    recordings.clear()
    asking.forget()
    more = f", {gone:,} answers at {host}" if remote else ""
    return f"Deleted {here}{more}. {_TOO} too."


def _delete_remote(asking: Asking, settings: Settings, ids: list[str]) -> int:
    """Delete first what needs the network: an error there leaves everything as it was."""
    if not (ids or UPLOADS.count):
        return 0
    from magic_ext.client.interactions import Client

    from .settings import endpoint

    key = asking.composing.find_key(settings)
    if key is None:
        raise GeminiExecError(
            "Answers are stored at the server, but there is no key to delete them with.", hint="Type %gemini key first."
        )
    gone = 0
    with Client(endpoint(settings, key)) as client:
        UPLOADS.delete(client)
        for stored in ids:
            try:
                client.delete(stored)
                gone += 1
            except NotFound:  # it has expired, or was deleted before
                continue
    return gone


def _yes(question: str) -> bool:
    try:
        return input(question).strip().lower() in {"y", "yes"}
    except (EOFError, RuntimeError) as error:  # ipykernel's StdinNotImplementedError is a RuntimeError
        raise GeminiExecError(
            "Nobody can be asked here, so nothing was deleted.", hint="Run %gemini forget in a notebook or terminal."
        ) from error
