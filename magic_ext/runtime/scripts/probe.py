"""Try to break out of a sandbox and report, as JSON, what worked. Standard library only."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def environments() -> list[str]:
    """Return the digest of the environment of each process that lets us read it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            found.append(hashlib.sha256(path.read_bytes()).hexdigest())
    return found


def datagram(port: int) -> None:
    """Send a datagram to the prober; it looks whether one arrived."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(b"x", ("127.0.0.1", port))


def unix(path: str) -> None:
    """Connect to a unix socket outside: a Docker socket or a session bus would be a way out."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)


def serve(path: str) -> None:
    """Open a unix socket inside, as a kernel does."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen(1)


def write_to_system() -> None:
    """Write beside the system's files, and take it back."""
    path = Path("/usr/.gemini-exec-probe")
    path.write_bytes(b"x")
    path.unlink()


def attempts(target: dict[str, Any]) -> dict[str, Callable[[], object]]:
    """Return each escape by its name."""
    return {
        "reads a file in the home folder": lambda: Path(target["canary"]).read_bytes(),
        "writes into the home folder": lambda: Path(target["canary"] + ".written").write_bytes(b"x"),
        "writes into the system": write_to_system,
        "reaches the network": lambda: socket.create_connection(("127.0.0.1", target["tcp"]), 1).close(),
        "reaches sockets of other programs": lambda: unix(target["unix"]),
    }


def main() -> None:
    """Run every attempt and print what worked."""
    target = json.loads(sys.argv[1])
    escaped = []
    for name, attempt in attempts(target).items():
        with contextlib.suppress(OSError):
            attempt()
            escaped.append(name)
    with contextlib.suppress(OSError):
        datagram(target["udp"])
    serve(target["serve"])
    print(json.dumps({"escaped": escaped, "environments": environments(), "names": sorted(os.environ)}))


if __name__ == "__main__":
    main()
