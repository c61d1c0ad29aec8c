"""Matplotlib's list of fonts, built once and shared with every kernel."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

__all__ = ["font_lists"]

BUILD_SECONDS = 60


@functools.cache
def font_lists() -> tuple[Path, ...]:
    """Return the ``fontlist-*.json`` files of the user's matplotlib cache; if there is none, have matplotlib make one.

    Building takes about five seconds, once for a computer. Where matplotlib keeps the list:
    https://matplotlib.org/stable/install/environment_variables_faq.html
    """
    if importlib.util.find_spec("matplotlib") is None:
        return ()
    found = _in_cache()
    if not found:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            build = [sys.executable, "-c", "import matplotlib.font_manager"]
            subprocess.run(build, check=True, timeout=BUILD_SECONDS, stdin=subprocess.DEVNULL, capture_output=True)
        found = _in_cache()
    return found


def _in_cache() -> tuple[Path, ...]:
    folder = os.environ.get("MPLCONFIGDIR")
    if folder is None and sys.platform.startswith(("linux", "freebsd")):
        folder = os.path.join(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "matplotlib")  # noqa: PTH118
    cache = Path(folder) if folder else Path.home() / ".matplotlib"
    return tuple(cache.glob("fontlist-*.json"))
