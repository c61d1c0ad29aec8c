"""``generation_config``: how the model is to write, and which tools it may use (wire.md section 1.5)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from magic_ext.wire.content import Json

from .errors import bad_request
from .fields import check_known, typed

__all__ = ["Generation", "read_generation"]

_NUMBERS: Mapping[str, type | tuple[type, ...]] = {"temperature": (int, float), "top_p": (int, float), "seed": int}
_MEDIA = ("image_config", "speech_config", "transcription_config", "video_config")
_OTHERS = ("max_output_tokens", "stop_sequences", "thinking_level", "thinking_summaries", "tool_choice")
_LEVELS = ("minimal", "low", "medium", "high", "xhigh")
_CHOICES = ("auto", "any", "none", "validated")


class Generation(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one request. ``sampling`` names them as chat completions do."""

    max_output_tokens: int | None = None
    thinking_summaries: bool = False
    sampling: Mapping[str, Any] = {}
    tool_choice: str = "auto"
    allowed_tools: tuple[str, ...] | None = None

    def usable(self, tools: Iterable[Json]) -> tuple[Json, ...]:
        """Those of the request's tools that the model may use.

        >>> Generation(allowed_tools=("f",)).usable([{"type": "code_execution"}, {"type": "function", "name": "f"}])
        ({'type': 'function', 'name': 'f'},)
        """
        if self.tool_choice == "none":
            return ()
        allowed = self.allowed_tools
        return tuple(tool for tool in tools if allowed is None or (tool.get("name") or tool.get("type")) in allowed)


def read_generation(config: Json) -> Generation:
    """Check a ``generation_config``; raises a 400 for a field that is unknown, of another type, or not to be had here.

    >>> read_generation({"seed": 7, "stop_sequences": ["END"]}).sampling
    {'seed': 7, 'stop': ['END']}
    """
    check_known(config, (*_NUMBERS, *_MEDIA, *_OTHERS), "generation_config.")
    for name in _MEDIA:
        if config.get(name):
            raise bad_request(f"'{name}' is not supported: the models served here answer in text.")
    sampling = {name: typed(config, name, kind, None) for name, kind in _NUMBERS.items()}
    sampling["stop"] = _texts(config, "stop_sequences")
    _one_of(config, "thinking_level", _LEVELS)
    choice, allowed = _tool_choice(typed(config, "tool_choice", (str, dict), "auto"))
    return Generation(
        max_output_tokens=typed(config, "max_output_tokens", int, None),
        thinking_summaries=_one_of(config, "thinking_summaries", ("auto", "none")) == "auto",
        sampling={name: value for name, value in sampling.items() if value is not None},
        tool_choice=choice,
        allowed_tools=allowed,
    )


def _tool_choice(given: str | Json) -> tuple[str, tuple[str, ...] | None]:
    if isinstance(given, str):
        return str(_one_of({"tool_choice": given}, "tool_choice", _CHOICES)), None
    check_known(given, ("allowed_tools",), "generation_config.tool_choice.")
    allowed = typed(given, "allowed_tools", dict, {})
    check_known(allowed, ("mode", "tools"), "generation_config.tool_choice.allowed_tools.")
    names = _texts(allowed, "tools")
    return str(_one_of(allowed, "mode", _CHOICES) or "auto"), None if names is None else tuple(names)


def _texts(fields: Json, name: str) -> list[str] | None:
    texts: list[str] | None = typed(fields, name, list, None)
    if texts is not None and not all(isinstance(text, str) for text in texts):
        raise bad_request(f"The value of '{name}' must be a list of str.")
    return texts or None


def _one_of(fields: Json, name: str, known: tuple[str, ...]) -> str | None:
    value: str | None = typed(fields, name, str, None)
    if value is not None and value not in known:
        raise bad_request(f"The value '{value[:40]}' is not supported for '{name}': {', '.join(known)} are.")
    return value
