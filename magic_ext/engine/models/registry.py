"""Which model answers to which name."""

from __future__ import annotations

from pathlib import Path

from magic_ext.errors import GeminiExecError

from . import chat, scripted
from .base import Model
from .servers import SERVERS, SETTINGS, server_set

__all__ = ["OFFLINE_PLANNER", "addressed", "is_embedded", "open_model"]

OFFLINE_PLANNER = "offline-planner"
_AT = "@@"


def is_embedded(name: str) -> bool:
    """Whether the embedded engine has a model of that name (a script or a server may still be missing).

    >>> is_embedded("offline-planner"), is_embedded("openai:qwen3:8b"), is_embedded("gemini-3-flash-preview")
    (True, True, False)
    """
    return name == OFFLINE_PLANNER or name.startswith((scripted.PREFIX, chat.PREFIX))


def open_model(name: str) -> Model:
    """The embedded model ``offline-planner``, ``scripted:FILE`` or ``openai:NAME``.

    Where the server of an ``openai:`` model is, its name says (:func:`addressed`), else ``OPENAI_BASE_URL``.
    Raises :class:`GeminiExecError` for any other name, and for a model that can't be opened.
    """
    if name == OFFLINE_PLANNER:
        from .planner import OfflinePlanner

        return OfflinePlanner()
    if name.startswith(scripted.PREFIX):
        return scripted.ScriptedModel(Path(name.removeprefix(scripted.PREFIX)))
    if name.startswith(chat.PREFIX):
        return _chat_model(name)
    raise GeminiExecError(
        f"The embedded engine has no model {name!r}.",
        hint=f"It has {OFFLINE_PLANNER}, {chat.PREFIX}NAME and {scripted.PREFIX}FILE.",
    )


def addressed(name: str, local_base_url: str) -> str:
    """The name with its server's address, if it is one of an ``openai:`` model and the user has set one.

    >>> addressed("openai:qwen3:8b", "http://127.0.0.1:1234/v1"), addressed("offline-planner", "http://127.0.0.1:1234/v1")
    ('openai:qwen3:8b@@http://127.0.0.1:1234/v1', 'offline-planner')
    """
    address = local_base_url.strip()
    return f"{name}{_AT}{address}" if address and name.startswith(chat.PREFIX) else name


def _chat_model(name: str) -> chat.ChatModel:
    name, _, address = name.partition(_AT)
    server = server_set(address)
    if server is None:
        raise GeminiExecError(
            f"{name} needs the address of its server, and neither {SETTINGS.replace(' or ', ' nor ')} is set.",
            hint=f"%gemini models looks for servers here. Typical ones: {SERVERS}.",
        )
    return chat.ChatModel(name.removeprefix(chat.PREFIX), server)
