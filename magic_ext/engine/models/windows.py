"""How long a conversation a local model can read, where its server tells.

It matters before the question is sent: Ollama cuts off without a word what does not fit, the rules and the names of
columns first (ollama/ollama, docs/context-length.mdx); LM Studio may answer nothing at all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from magic_ext.wire.content import Json

from .servers import LocalServer, told

__all__ = ["window_of"]

_FIELDS = ("max_model_len", "loaded_context_length", "context_length", "n_ctx")  # vLLM, LM Studio, Ollama, llama.cpp


def window_of(server: LocalServer, model: str) -> int | None:
    """The tokens that ``model`` is loaded with, ``None`` where its server does not tell (or has not loaded it yet)."""
    return next(filter(None, _windows(server, model)), None)


def _windows(server: LocalServer, model: str) -> Iterator[int | None]:
    yield _size(_entry(told(server, server.url("models")), "data", "id", model))
    yield _size(_entry(told(server, f"{server.root}/api/ps"), "models", "name", model))  # Ollama
    yield _size(_entry(told(server, f"{server.root}/api/v0/models"), "data", "id", model))  # LM Studio
    yield _size((told(server, f"{server.root}/props") or {}).get("default_generation_settings"))  # llama.cpp, as it was


def _entry(document: Json | None, listed: str, name: str, model: str) -> Any:
    entries = (document or {}).get(listed)
    entries = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return next((entry for entry in entries if entry.get(name) in {model, f"{model}:latest"}), None)


def _size(entry: Any) -> int | None:
    """What an entry, or its ``meta``, says; how long a model could at most be loaded with does not count."""
    if not isinstance(entry, dict):
        return None
    meta = entry.get("meta")
    told_of = entry | (meta if isinstance(meta, dict) else {})
    sizes = (told_of.get(field) for field in _FIELDS)
    return next((size for size in sizes if isinstance(size, int) and not isinstance(size, bool) and size > 0), None)
