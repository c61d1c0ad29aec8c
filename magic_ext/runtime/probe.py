"""Does a sandbox hold? A script inside it tries to get out, and this module looks what arrived."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from magic_ext.runtime.isolation import Isolation
from magic_ext.runtime.workspace import Workspace

__all__ = ["leaks"]

SECONDS = 20
Bait = tuple[dict[str, Any], Callable[[], tuple[str, ...]]]


def leaks(isolation: Isolation) -> tuple[str, ...]:
    """Return what code can do that it must not under ``isolation``, in words; nothing if it holds.

    A sandbox that does not start, or does not let Python open a socket in its own folder, is reported the same way.
    """
    workspace = Workspace()
    try:
        with _bait(workspace) as (target, arrived):
            return (*_escapes(isolation, workspace, target), *arrived())
    except OSError as error:
        return (f"cannot be probed: {error}",)
    finally:
        workspace.remove()


def _escapes(isolation: Isolation, workspace: Workspace, target: dict[str, Any]) -> tuple[str, ...]:
    source = resources.files("magic_ext.runtime.scripts").joinpath("probe.py").read_text("utf-8")
    command = [*isolation.prefix(workspace), sys.executable, "-c", source, json.dumps(target)]
    environment = workspace.environment()
    try:
        done = subprocess.run(
            command,
            env=environment,
            cwd=workspace.work,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
            check=True,
        )
        report = json.loads(done.stdout)
        found = [str(name) for name in report["escaped"]]
        if _own_environment() in report["environments"]:
            found.append("reads this process's environment")
        if leaked := set(report["names"]) - {*environment, "PWD", "LC_CTYPE"}:
            found.append(f"inherits {', '.join(sorted(leaked))}")
    except subprocess.CalledProcessError as error:
        last = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
        return (f"does not start: {' '.join(last)}",)
    except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError) as error:
        return (f"does not answer: {error}",)
    return tuple(found)


def _own_environment() -> str | None:
    with contextlib.suppress(OSError):
        return hashlib.sha256(Path("/proc/self/environ").read_bytes()).hexdigest()
    return None


@contextlib.contextmanager
def _bait(workspace: Workspace) -> Iterator[Bait]:
    """Lay out a file in the home folder, a TCP and a UDP port, and a unix socket; yield them and what was caught."""
    with contextlib.ExitStack() as stack:
        canary = Path(stack.enter_context(_canary()))
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        outside = workspace.root / "outside"
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(str(outside))
        unix.listen(1)

        def arrived() -> tuple[str, ...]:
            canary.with_name(canary.name + ".written").unlink(missing_ok=True)
            with contextlib.suppress(BlockingIOError):
                udp.recv(1)
                return ("sends datagrams",)
            return ()

        yield (
            {
                "canary": str(canary),
                "tcp": tcp.getsockname()[1],
                "udp": udp.getsockname()[1],
                "unix": str(outside),
                "serve": str(workspace.run / "probe"),
            },
            arrived,
        )


@contextlib.contextmanager
def _canary() -> Iterator[str]:
    """Make a file in the home folder, or outside the workspace if the home folder takes none."""
    folder = str(Path.home()) if os.access(Path.home(), os.W_OK) else None
    with tempfile.NamedTemporaryFile(prefix=".gemini-exec-probe-", dir=folder) as file:
        file.write(b"canary")
        file.flush()
        yield file.name
