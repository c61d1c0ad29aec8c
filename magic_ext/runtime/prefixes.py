"""What to write before a command so that it runs isolated: one function for each tool.

A prefix lets the command read the Python libraries, read and write the three folders of its workspace, and nothing
else: no network, no other process, no other file.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from importlib import resources

from magic_ext.runtime.libraries import library_paths
from magic_ext.runtime.limits import Limits
from magic_ext.runtime.workspace import Workspace

__all__ = ["PREFIXES"]

TEMPORARY_BYTES = 256 * 1024**2


def bwrap(program: str, workspace: Workspace, limits: Limits) -> list[str]:
    """Return the argv of bubblewrap: own namespaces for everything, and libraries as read-only mounts."""
    argv = [program, "--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"]
    # The parent's pid means nothing in a pid namespace: ipykernel would take it that the parent is gone.
    argv += ["--cap-drop", "ALL", "--unsetenv", "JPY_PARENT_PID", "--proc", "/proc", "--dev", "/dev"]
    for shared in ("/dev/shm", "/tmp"):  # noqa: S108 - which are memory, and else as large as half of it
        argv += ["--size", str(TEMPORARY_BYTES), "--tmpfs", shared]
    for path in library_paths():
        is_top_link = os.path.islink(path) and path.count("/") == 1  # noqa: PTH114
        argv += ["--symlink", os.readlink(path), path] if is_top_link else ["--ro-bind", path, path]  # noqa: PTH115
    argv += ["--ro-bind", str(workspace.script), str(workspace.script)]
    for folder in workspace.writable:
        argv += ["--bind", str(folder), str(folder)]
    return [*argv, "--remount-ro", "/", "--remount-ro", "/dev", "--chdir", str(workspace.work)]


def sandlock(program: str, workspace: Workspace, limits: Limits) -> list[str]:
    """Return the argv of our supervisor around the sandlock library (Landlock and seccomp, no namespaces).

    Not its ``max_memory``: that counts what allocators merely reserve, and kills pandas at a quarter of the limit. The
    kernel limits its own address space instead, which ends in a MemoryError.
    """
    # Not /dev as a whole: root would read the disk itself there.
    devices = [f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")]
    readable = [*library_paths(), *devices, "/proc", str(workspace.script)]
    policy = {
        "fs_readable": [path for path in readable if os.path.exists(path)],  # noqa: PTH110
        "fs_writable": [*map(str, workspace.writable), "/dev/null"],
        "cwd": str(workspace.work),
        "max_processes": limits.processes,
        "parent": os.getpid(),
    }
    return [sys.executable, "-P", program, json.dumps(policy)]


def seatbelt(program: str, workspace: Workspace, limits: Limits) -> list[str]:
    """Return the argv of macOS' sandbox-exec with a profile that denies by default."""

    def paths(kind: str, names: list[str]) -> str:
        return " ".join(f"({kind} {json.dumps(os.path.realpath(name))})" for name in names)

    readable = [*library_paths(), "/System", "/Library/Fonts", "/private/var/db/timezone", "/dev"]
    folders = [str(folder) for folder in workspace.writable]
    script = json.dumps(os.path.realpath(workspace.script))
    profile = "\n".join(
        [
            "(version 1)",
            "(deny default)",
            "(allow process-exec process-fork)",
            "(allow process-info* signal (target same-sandbox))",
            "(allow sysctl-read file-read-metadata ipc-posix-sem ipc-posix-shm)",
            f'(allow file-read* (literal "/") (literal {script}) {paths("subpath", readable)})',
            f'(allow file-read* file-write* {paths("subpath", folders)} (literal "/dev/null"))',
            f"(allow network-bind network-inbound network-outbound {paths('subpath', [str(workspace.run)])})",
        ]
    )
    return [program, "-p", profile]


def none(program: str, workspace: Workspace, limits: Limits) -> list[str]:
    """Return nothing: the command runs as the user."""
    return []


PREFIXES: dict[str, Callable[[str, Workspace, Limits], list[str]]] = {
    "bwrap": bwrap,
    "sandlock": sandlock,
    "sandbox-exec": seatbelt,
    "none": none,
}


def supervisor() -> str:
    """Return the path of the script that runs a command under sandlock."""
    return str(resources.files("magic_ext.runtime.scripts").joinpath("supervise.py"))
