"""``%gemini COMMAND``: what belongs to the answers that are there already."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from magic_ext.client.endpoint import Secret
from magic_ext.costs.ledger import usage_table
from magic_ext.errors import GeminiExecError

if TYPE_CHECKING:
    from .asking import Asking
    from .settings import Settings

__all__ = ["run_command"]


def run_command(line: str, asking: Asking, settings: Settings) -> None:
    """Run one command; raises :class:`GeminiExecError` for one that does not exist or can't be run."""
    name, _, rest = line.strip().partition(" ")
    commands: dict[str, Callable[[str, Asking, Settings], None]] = {
        "doctor": _doctor,
        "forget": _forget,
        "history": _history,
        "key": _key,
        "models": _models,
        "paste": _paste,
        "usage": _usage,
    }
    command = commands.get(name)
    if command is None:
        near = difflib.get_close_matches(name, commands, n=1)
        known = f"Did you mean %gemini {near[0]}?" if near else f"The commands are {', '.join(commands)}."
        raise GeminiExecError(f"There is no command %gemini {name}.".replace(" .", "."), hint=known)
    command(rest.strip(), asking, settings)


def _paste(rest: str, asking: Asking, _: Settings) -> None:
    words = rest.split()
    if not all(word.isdecimal() for word in words):
        raise GeminiExecError(f"%gemini paste takes block numbers, not {rest!r}.", hint="Write %gemini paste 2, say.")
    asking.paste_blocks([int(word) for word in words])


def _doctor(rest: str, asking: Asking, settings: Settings) -> None:
    _no_argument("doctor", rest)
    from magic_ext.doctor import report

    from .front_end import front_end_lines
    from .replaying import recordings_in

    key, recordings = asking.composing.find_key(settings), recordings_in(settings.cache_dir, Path.cwd)
    print(report(key, front_end_lines(asking.shell), recordings, settings.limits, settings.local_base_url))


def _forget(rest: str, asking: Asking, settings: Settings) -> None:
    _no_argument("forget", rest)
    from .forgetting import forget

    print(forget(asking, settings))


def _history(rest: str, asking: Asking, _: Settings) -> None:
    if rest not in {"", "ids"}:
        raise GeminiExecError(f"%gemini history takes no {rest!r}.", hint="With ids it names each answer for -c=ID.")
    print(asking.conversations.tree(ids=rest == "ids"))


def _usage(rest: str, asking: Asking, _: Settings) -> None:
    _no_argument("usage", rest)
    print(usage_table(asking.ledger))


def _models(rest: str, asking: Asking, settings: Settings) -> None:
    _no_argument("models", rest)
    from magic_ext.client.interactions import Client
    from magic_ext.place import DEFAULT_MODEL

    from .offering import models_here
    from .settings import endpoint

    print("\n".join(models_here(settings.local_base_url)))
    key = asking.composing.find_key(settings)
    if key is None:
        print(f"{DEFAULT_MODEL} and Google's others: with a key (GEMINI_API_KEY, or %gemini key)")
        return
    server = endpoint(settings, key)
    print(f"at {server.host}, with the key from {key.source}:")
    with Client(server) as client:
        for name in client.models():
            print(f"  {name}")


def _key(rest: str, asking: Asking, _: Settings) -> None:
    if rest:
        raise GeminiExecError(
            "%gemini key takes no argument: a key in a cell would be saved with the notebook.",
            hint="Run %gemini key alone; it asks. Then make a new key, for this one has been shown.",
        )
    import getpass

    try:
        typed = getpass.getpass("Gemini API key: ").strip()
    except Exception as error:  # ipykernel raises StdinNotImplementedError where the front end can't ask
        raise GeminiExecError("This front end can't ask for a key.", hint="Set GEMINI_API_KEY instead.") from error
    if not typed:
        raise GeminiExecError("No key was typed.", hint="Get one at https://aistudio.google.com/apikey.")
    asking.composing.typed_key = Secret(typed)
    first = [name for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY") if os.environ.get(name)]
    note = f" {first[0]} is set too and comes first." if first else ""
    print(f"Kept for this session, in memory only.{note}")


def _no_argument(command: str, rest: str) -> None:
    if rest:
        raise GeminiExecError(f"%gemini {command} takes no argument.", hint=f"Leave out {rest!r}.")
