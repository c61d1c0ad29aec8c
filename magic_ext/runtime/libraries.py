"""Where this Python and its libraries lie: all that a sandbox needs to read."""

from __future__ import annotations

import os
import site
import sys
from pathlib import Path

__all__ = ["library_paths"]

SYSTEM = (
    "/usr", "/lib", "/lib64", "/lib32", "/libx32", "/bin", "/sbin", "/opt/homebrew", "/nix/store",
    "/etc/ld.so.cache", "/etc/fonts", "/etc/alternatives", "/etc/localtime",
)  # fmt: skip


def library_paths() -> list[str]:
    """Return the outermost existing paths that Python and its installed libraries are read from.

    Never the home folder itself nor the working folder: an interpreter or a virtual environment inside the home folder
    brings only its own folder. ``sys.path`` is left out on purpose, it names the folders of the user's own projects.
    """
    found = {*SYSTEM, sys.prefix, sys.base_prefix, sys.exec_prefix, *_interpreter_homes()}
    if site.ENABLE_USER_SITE:
        found.add(site.getusersitepackages())
    home = Path.home()
    too_much = {home, *home.parents}
    kept = {path for path in found if os.path.exists(path) and Path(os.path.realpath(path)) not in too_much}  # noqa: PTH110
    return sorted(path for path in kept if not any(str(parent) in kept for parent in Path(path).parents))


def _interpreter_homes() -> set[str]:
    """Return the prefix of each link between ``sys.executable`` and the real interpreter (pyenv, uv: several)."""
    homes, link = set(), Path(sys.executable)
    for _ in range(16):
        if link.parent.name == "bin":
            homes |= {str(link.parent.parent), os.path.realpath(link.parent.parent)}
        if not link.is_symlink():
            break
        link = link.parent / link.readlink()
        link = Path(os.path.normpath(link))
    return homes
