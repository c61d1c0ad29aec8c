"""The magic's traits as a value, and what they say together with the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from magic_ext.ask import CacheUse
from magic_ext.client.endpoint import API_VERSION, GOOGLE, Endpoint, endpoint_from
from magic_ext.client.keys import FoundKey
from magic_ext.errors import GeminiExecError
from magic_ext.runtime.limits import Limits, limits_of

__all__ = ["Settings", "endpoint"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The magic's traits, as a value."""

    model: str
    thinking: str
    run: str
    run_unasked: bool
    run_seconds: float | None
    run_memory: str
    run_processes: int
    run_output: str
    send: str
    deny_columns: list[str]
    redact: list[str]
    allow_secrets: bool
    paste: str
    system: str
    timeout: float
    show_thoughts: bool
    code: bool
    cache: CacheUse
    cache_dir: str
    budget: str
    session_budget: str
    search: bool
    tools: list[str]
    stream: bool
    store: bool
    background: bool
    api_key: str
    base_url: str
    local_base_url: str
    api_version: str
    headers: Mapping[str, str]

    @property
    def limits(self) -> Limits:
        """What the limits' traits say; raises :class:`GeminiExecError` where that is no number."""
        try:
            return limits_of(
                seconds=self.run_seconds,
                memory=self.run_memory,
                processes=self.run_processes,
                output=self.run_output,
            )
        except ValueError as error:
            raise GeminiExecError(
                f"GeminiExecMagics: {error}.", hint="Set GeminiExecMagics.run_seconds, say."
            ) from None


def endpoint(settings: Settings, key: FoundKey) -> Endpoint:
    """The server that a Gemini model is asked at, as traits and environment name it."""
    base_url = settings.base_url or os.environ.get("GOOGLE_GEMINI_BASE_URL", "").strip() or GOOGLE
    return endpoint_from(base_url, settings.api_version or API_VERSION, key.secret, dict(settings.headers))
