"""A way to isolate code on this computer, and what it comes to for a command."""

from __future__ import annotations

from typing import Literal

import msgspec

from magic_ext.runtime import prefixes
from magic_ext.runtime.limits import Limits, in_words
from magic_ext.runtime.workspace import Workspace

__all__ = ["Isolation"]


class Isolation(msgspec.Struct, frozen=True):
    """A way to run code: the tool that isolates it, that tool's program, and the limits that hold besides.

    >>> Isolation("none", Limits(memory_bytes=2**30)).line
    'not isolated: a process of yours with your files and network, 1 GB, 30 s'
    """

    name: Literal["bwrap", "sandlock", "sandbox-exec", "none"]
    limits: Limits
    program: str = ""

    def prefix(self, workspace: Workspace) -> list[str]:
        """Return what to write before a command that shall run isolated in ``workspace``."""
        return prefixes.PREFIXES[self.name](self.program, workspace, self.limits)

    @property
    def line(self) -> str:
        """One line for the user: what isolates, and the limits."""
        limits = f"{in_words(self.limits.memory_bytes)}, {self.limits.seconds:g} s"
        if self.name == "none":
            return f"not isolated: a process of yours with your files and network, {limits}"
        return f"{self.name}: no network, no home, {limits}"
