"""Where the API key comes from. The order is the design's; the key's text never leaves :class:`Secret`."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Mapping

import msgspec

from magic_ext.errors import GeminiExecError

from .endpoint import Secret

__all__ = ["KEYRING_SERVICE", "FoundKey", "find_key"]

KEYRING_SERVICE = "gemini-exec"
_KEYRING_SECONDS = 2.0
_DIFFER, _UNSET = "GEMINI_API_KEY and GOOGLE_API_KEY differ.", "Unset one of them."


class FoundKey(msgspec.Struct, frozen=True):
    """A key and the place it was found in, for people to read."""

    secret: Secret
    source: str


def find_key(
    *, trait: str, environ: Mapping[str, str], interactive: bool, typed: Secret | None = None
) -> FoundKey | None:
    """Look for a key: trait, ``GEMINI_API_KEY``, ``GOOGLE_API_KEY``, Colab's secrets, the keyring, ``%gemini key``.

    The keyring, which may open a dialog, is asked only when ``interactive``, and for two seconds at most. Two variables
    that differ are a warning, or :class:`GeminiExecError` where warnings are errors.

    >>> find_key(trait="", environ={"GEMINI_API_KEY": " k "}, interactive=False)
    FoundKey(secret=Secret('***'), source='GEMINI_API_KEY')
    """
    if trait.strip():
        return FoundKey(Secret(trait.strip()), "the trait api_key")
    if found := _from_environment(environ):
        return found
    sources: list[tuple[Callable[[], str | None], str]] = [(_from_colab, "Colab's secrets")]
    if interactive:
        sources.append((_from_keyring, "the keyring"))
    for ask, source in sources:
        if value := (ask() or "").strip():
            return FoundKey(Secret(value), source)
    return FoundKey(typed, "%gemini key") if typed else None


def _from_environment(environ: Mapping[str, str]) -> FoundKey | None:
    gemini, google = (environ.get(name, "").strip() for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"))
    if gemini and google and gemini != google:
        try:
            warnings.warn(f"{_DIFFER} GEMINI_API_KEY is used. {_UNSET}", stacklevel=2)
        except UserWarning:  # where warnings are errors, this one is ours: one line, not a traceback
            raise GeminiExecError(_DIFFER, hint=_UNSET) from None
    if gemini:
        return FoundKey(Secret(gemini), "GEMINI_API_KEY")
    return FoundKey(Secret(google), "GOOGLE_API_KEY") if google else None


def _from_colab() -> str | None:
    if "google.colab" not in sys.modules:
        return None
    from google.colab import userdata

    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY"):
        try:
            value = userdata.get(name)
        except Exception:  # noqa: S112 - Colab raises types of its own: not found, not granted, timed out
            continue
        if value:
            return str(value)
    return None


def _from_keyring() -> str | None:
    answer: list[str | None] = []

    def ask() -> None:
        try:
            import keyring

            answer.append(keyring.get_password(KEYRING_SERVICE, "api_key"))
        except Exception:
            answer.append(None)

    asking = threading.Thread(target=ask, daemon=True)  # a locked keyring may wait for a dialog for ever
    asking.start()
    asking.join(_KEYRING_SECONDS)
    return answer[0] if answer else None
