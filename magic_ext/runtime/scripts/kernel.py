"""Serve an IPython kernel with limits. Runs inside the sandbox, as a copy outside this package.

Everything here guards against accidents; against malice there are the sandbox and the checks of the process that reads.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import stat
import sys
import threading
from collections.abc import Callable
from typing import Any

FLAGS = (
    "--HistoryManager.enabled=False",
    "--InteractiveShell.xmode=Plain",
    "--InteractiveShell.colors=nocolor",
    "--InteractiveShell.cache_size=0",
    "--Application.log_level=ERROR",
)
# Figures are far larger than text; this many characters of base64 for one character of text.
IMAGE_FACTOR = 20
RESERVED_BYTES = 2 * 1024**3
ERROR_CHARACTERS, ERROR_LINES, DATA_CHARACTERS = 20_000, 100, 28_000_000


class Budget:
    """How many characters a cell may still put out."""

    def __init__(self, size: int) -> None:
        self.size = self.left = size
        self.last: object = None

    def reset(self) -> None:
        """Start a new cell."""
        self.left = self.size

    def take(self, text: str) -> str:
        """Return as much of ``text`` as still fits."""
        kept = text[: max(self.left, 0)]
        self.left -= len(text)
        return kept


def set_limits(limits: dict[str, int]) -> None:
    """Limit what this process and its children may use, as far as the system can."""
    try:
        import resource
    except ImportError:
        return
    wanted = [
        (resource.RLIMIT_DATA, limits["memory_bytes"]),
        # Libraries reserve far more than they use; what is mapped shared counts here alone.
        (resource.RLIMIT_AS, limits["memory_bytes"] + RESERVED_BYTES),
        (resource.RLIMIT_FSIZE, limits["file_bytes"]),
        (resource.RLIMIT_CORE, 0),
    ]
    if "processes" in limits:
        wanted.append((resource.RLIMIT_NPROC, limits["processes"]))
    for what, value in wanted:
        hard = resource.getrlimit(what)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(what, (most, most))


def count_stream(stream: Any, other: Any, budget: Budget) -> None:
    """Make ``stream`` drop what exceeds the budget; ipykernel would send a message of any size.

    Each stream has a buffer of its own: what waits in the ``other`` one goes first, so that the order is kept.
    """
    write: Callable[[str], int] = stream.write

    def counted(text: str) -> int:
        if not isinstance(text, str):
            return write(text)
        kept = budget.take(text)
        if kept:
            if budget.last not in (None, stream):
                other.flush()
            budget.last = stream
            write(kept)
        return len(text)

    stream.write = counted


def count_display(formatter: Any, texts: Budget, images: Budget) -> None:
    """Make objects show as plain text and PNG only, within the budgets."""
    original = formatter.format

    def counted(obj: object, include: object = None, exclude: object = None) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = original(obj, {"text/plain", "image/png"}, exclude)
        image = data.get("image/png", "")
        if len(image) > images.left:
            del data["image/png"]
            data["text/plain"] = "[an image was left out: too large]"
        images.left -= len(image)
        data["text/plain"] = texts.take(data.get("text/plain", ""))
        return data, metadata

    formatter.format = counted


def limit_messages(session: Any) -> None:
    """Make ``session`` cut errors and leave out huge pictures: a message that is too long would end the connection."""
    send = session.send

    def limited(stream: Any, message: Any, content: Any = None, *others: Any, **named: Any) -> Any:
        if isinstance(message, dict):
            message = {**message, "content": within(message["content"])}
        return send(stream, message, within(content), *others, **named)

    session.send = limited


def within(content: Any) -> Any:
    """Return the content of a message, no text in it longer than can be sent."""
    if not isinstance(content, dict):
        return content
    kept = dict(content)
    if isinstance(value := kept.get("evalue"), str):
        kept["evalue"] = value[:ERROR_CHARACTERS]
    if isinstance(lines := kept.get("traceback"), list):
        kept["traceback"] = [str(line)[-ERROR_CHARACTERS:] for line in lines[-ERROR_LINES:]]
    if isinstance(data := kept.get("data"), dict):
        short = {kind: value for kind, value in data.items() if len(str(value)) <= DATA_CHARACTERS}
        kept["data"] = short if len(short) == len(data) else {"text/plain": "[too large to be shown]", **short}
    return kept


def show_left_open(shell: Any) -> None:
    """Show the figures that are still open when the code chose a backend other than the inline one."""
    matplotlib, pyplot = sys.modules.get("matplotlib"), sys.modules.get("matplotlib.pyplot")
    if matplotlib is None or pyplot is None or "inline" in matplotlib.get_backend():
        return
    importlib.import_module("IPython.core.pylabtools").select_figure_formats(shell, {"png"})
    display = importlib.import_module("IPython.display").display
    for number in pyplot.get_fignums():
        display(pyplot.figure(number))
    pyplot.close("all")


def leave(code: object = None) -> None:
    """Stand in for ``exit`` and ``quit``: end the cell, not the kernel."""
    raise SystemExit(code)


def end_with_parent() -> None:
    """End this process when the one that started it is gone, however it went: then the pipe on stdin ends.

    bwrap's own way misses a parent that is killed while bwrap still starts.
    """
    if not stat.S_ISFIFO(os.fstat(0).st_mode):
        return
    lifeline = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)

    def watch() -> None:
        with contextlib.suppress(OSError):
            os.read(lifeline, 1)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Start the kernel that the JSON in the first argument describes."""
    options = json.loads(sys.argv[1])
    sys.argv = [""]
    set_limits(options["limits"])
    end_with_parent()

    from ipykernel.kernelapp import IPKernelApp

    app: Any = IPKernelApp.instance(connection_file=options["connection_file"])
    app.initialize(list(FLAGS))
    shell = app.shell
    texts = Budget(options["output_bytes"] + 1)
    images = Budget(options["output_bytes"] * IMAGE_FACTOR)
    limit_messages(app.session)
    count_stream(sys.stdout, sys.stderr, texts)
    count_stream(sys.stderr, sys.stdout, texts)
    count_display(shell.display_formatter, texts, images)
    for budget in (texts, images):
        shell.events.register("pre_execute", budget.reset)
    shell.events.register("post_execute", functools.partial(show_left_open, shell))
    shell.user_ns["exit"] = shell.user_ns["quit"] = leave
    app.start()


if __name__ == "__main__":
    main()
