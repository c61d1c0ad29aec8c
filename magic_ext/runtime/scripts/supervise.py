"""Run a command under sandlock and supervise it: the sandlock package has no command line of its own.

The supervisor must outlive nothing and leave nothing: it dies with its parent, and with it every process it started,
also those that detached themselves.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import sys
import threading
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36


def descendants() -> list[int]:
    """Return the processes below this one, found by their parents."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    found, todo = [], [os.getpid()]
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def end(*_: object) -> None:
    """Kill everything below and leave."""
    for _round in range(50):
        below = descendants()
        if not below:
            break
        for pid in below:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
    os._exit(0)


def main() -> None:
    """Start the command behind the policy that the JSON in the first argument describes."""
    import sandlock

    policy, command = json.loads(sys.argv[1]), sys.argv[2:]
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, end)
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != policy.pop("parent"):
        sys.exit("the parent is gone")
    sandbox = sandlock.Sandbox(**policy)
    process = sandbox.popen(command, stdin=sandlock.StdioMode.NULL)
    # Python runs signal handlers between byte codes of the main thread, so that one must not wait inside the library.
    waiter = threading.Thread(target=process.wait, daemon=True)
    waiter.start()
    while waiter.is_alive():
        waiter.join(0.2)
    end()


if __name__ == "__main__":
    main()
