"""Which model answers to which name."""

from __future__ import annotations

import os
from pathlib import Path

from magic_ext.errors import GeminiExecError

from . import chat, scripted
from .base import Model

__all__ = ["OFFLINE_PLANNER", "is_embedded", "open_model"]

OFFLINE_PLANNER = "offline-planner"


def is_embedded(name: str) -> bool:
    """Whether the embedded engine has a model of that name (a script or a server may still be missing).

    >>> is_embedded("offline-planner"), is_embedded("openai:qwen3:8b"), is_embedded("gemini-3-flash-preview")
    (True, True, False)
    """
    return name == OFFLINE_PLANNER or name.startswith((scripted.PREFIX, chat.PREFIX))


def open_model(name: str) -> Model:
    """The embedded model ``offline-planner``, ``scripted:FILE`` or ``openai:NAME``.

    ``OPENAI_BASE_URL`` says where the server of an ``openai:`` model is, ``OPENAI_API_KEY`` its key if it wants one.
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


def _chat_model(name: str) -> chat.ChatModel:
    base_url = os.environ.get("OPENAI_BASE_URL", "").strip()
    if not base_url:
        raise GeminiExecError(
            f"{name} needs the address of its server, and OPENAI_BASE_URL is not set.",
            hint=f"Typical ones: {chat.SERVERS}.",
        )
    return chat.ChatModel(name.removeprefix(chat.PREFIX), base_url, os.environ.get("OPENAI_API_KEY", "").strip())
