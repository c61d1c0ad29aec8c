"""The first values that leave: shown and asked about once, and remembered for the IPython profile.

A setting or option ``send`` is consent, and so is a policy written at every reference. A key that is found is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from magic_ext.ask import Course
from magic_ext.errors import GeminiExecError
from magic_ext.private import write_private
from magic_ext.references.grammar import find_references

from .bundles import receipt_output

__all__ = ["Permission"]

_QUESTION = "Send this? [y]es, and what cells refer to from now on / [n]o / only ever [s]chema (names, types, shapes): "
_ANSWERS = {"y": "yes", "yes": "yes", "s": "schema", "schema": "schema", "always schema": "schema"}


class Permission:
    """What the user of a profile has said to values going to a server."""

    def __init__(self, shell: Any) -> None:
        folder = getattr(getattr(shell, "profile_dir", None), "location", "")
        self._profile = str(folder or getattr(shell, "profile", ""))
        self._said: dict[str, str] = {}  # where it can't be written down

    def policy(self, host: str) -> str:
        """The policy for what goes to ``host`` where none is set: what was chosen once, else ``auto``."""
        return "schema" if self._answer(host) == "schema" else "auto"

    def ask(self, course: Course) -> bool:
        """Ask, where values would leave that nobody has allowed; ``True`` means that only a schema may, from now on.

        Raises :class:`GeminiExecError` for a no, and where nobody can be asked.
        """
        host = course.manifest.destination
        names = list(_unallowed(course))
        if not names or self._answer(host):
            return False
        shown = receipt_output(course.manifest).plain
        kept = f"This would go to {host}; {course.kept}."
        try:
            said = input(f"{shown}\n{kept}\n{_QUESTION}").strip().lower()
        except (EOFError, RuntimeError) as error:  # ipykernel's StdinNotImplementedError is a RuntimeError
            raise GeminiExecError(
                f"Values of {', '.join(names)} would go to {host}, and nobody can be asked here.",
                hint='%config GeminiExecMagics.send = "auto" allows it; "schema" lets names and types go.',
            ) from error
        if said not in _ANSWERS:
            raise GeminiExecError("Nothing was sent.", hint="A policy such as @name:schema says what may leave.")
        self._remember(host, _ANSWERS[said])
        return _ANSWERS[said] == "schema"

    def forget(self) -> bool:
        """Ask again from now on; whether there was anything to forget."""
        known = _read()
        said = bool(self._said) or self._profile in known
        self._said.clear()
        if known.pop(self._profile, None) is not None:
            _write(known)
        return said

    def _answer(self, host: str) -> str:
        return self._said.get(host) or _read().get(self._profile, {}).get(host, "")

    def _remember(self, host: str, answer: str) -> None:
        known = _read()
        known.setdefault(self._profile, {})[host] = answer
        try:
            _write(known)
        except OSError:
            self._said[host] = answer


def _unallowed(course: Course) -> Iterator[str]:
    """What would leave as values though the cell does not say so: references, or what code prints of them."""
    manifest, question = course.manifest, course.question
    if not manifest.remote or manifest.replayed:
        return
    references = (*question.references, *find_references(question.prompt))
    unwritten = {reference.written for reference in references if reference.policy is None}
    prints = question.runs_by_call and not course.prepared.withheld
    for entry in course.prepared.entries:
        if entry.name in unwritten and (prints or entry.policy != "schema"):
            yield f"@{entry.name}"


def _file() -> Path:
    import platformdirs

    return Path(platformdirs.user_state_dir("gemini-exec", appauthor=False)) / "sending.json"


def _read() -> dict[str, dict[str, str]]:
    try:
        return msgspec.json.decode(_file().read_bytes(), type=dict[str, dict[str, str]])
    except (OSError, msgspec.MsgspecError):  # not there, or not ours: then ask
        return {}


def _write(known: dict[str, dict[str, str]]) -> None:
    write_private(_file(), msgspec.json.format(msgspec.json.encode(known), indent=1))
