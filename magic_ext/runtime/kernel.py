"""One ipykernel behind an isolation prefix, driven from an event loop.

Everything here runs in the thread of a :class:`~magic_ext.runtime.kernels.Kernels`, which outlives every kernel:
``bwrap --die-with-parent`` follows the thread that started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any

from magic_ext.runtime import processes
from magic_ext.runtime.errors import KernelFailed
from magic_ext.runtime.execution import Execution
from magic_ext.runtime.isolation import Isolation
from magic_ext.runtime.outputs import Collector
from magic_ext.runtime.workspace import Workspace

if TYPE_CHECKING:
    import zmq.asyncio
    from jupyter_client.asynchronous.client import AsyncKernelClient

__all__ = ["Kernel"]

START_SECONDS = 60
TICK = 0.1
# Seconds between two looks at what the processes use together.
LOOK_RUNNING, LOOK_IDLE = 0.2, 2.0
# Between the first interrupt, a second one (the first may have met a handler that was not yet there), and the kill.
SECOND_INTERRUPT, PATIENCE = 1.0, 2.0
# A library's first use takes longer than the later ones: a spare has that behind it.
PRELOAD = """
def _():
    import io, pandas, matplotlib.pyplot, matplotlib.figure
    axes = matplotlib.figure.Figure().subplots()
    axes.plot([1, 2])
    axes.figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")
    str(pandas.DataFrame({"a": ["b"], "c": [1.5]}).groupby("a").mean())
try:
    _()
except ImportError:
    pass
del _
"""


class Kernel:
    """A kernel process, its workspace and the channels to it."""

    def __init__(self, isolation: Isolation, context: zmq.asyncio.Context) -> None:
        self.isolation = isolation
        self.workspace = Workspace()
        self._stderr: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        self._process: subprocess.Popen[bytes] | None = None
        self._client = _client(context)
        self._watching: asyncio.Task[None] | None = None
        self._running = self._interrupted = False
        self._excess = ""

    @property
    def alive(self) -> bool:
        """Whether the process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def memory_bytes(self) -> int:
        """What the kernel and all that it started hold in memory, 0 where that can't be seen."""
        return processes.memory_of(self._process.pid) if self._process is not None and self.alive else 0

    async def start(self, *, preload: bool) -> None:
        """Start the process and wait until it answers; ``preload`` imports pandas and matplotlib, if they are there.

        Raises KernelFailed with the last lines that the process wrote to stderr.
        """
        try:
            self._launch()
            self._watching = asyncio.create_task(self._watch())
            self._client.start_channels(stdin=False, hb=False)
            async with asyncio.timeout(START_SECONDS):
                await self._answer()
                if preload:
                    await self._finish(self._client.execute(PRELOAD, silent=True, store_history=False))
        except TimeoutError:
            raise KernelFailed(f"no answer in {START_SECONDS} s. {self._last_words()}") from None
        except OSError as error:
            raise KernelFailed(str(error)) from error

    def _launch(self) -> None:
        from jupyter_client.connect import write_connection_file
        from jupyter_client.launcher import launch_kernel

        run = self.workspace.run
        transport, ip = ("tcp", "127.0.0.1") if sys.platform == "win32" else ("ipc", str(run / "s"))
        key = secrets.token_hex(32).encode()
        file, info = write_connection_file(str(run / "connection.json"), transport=transport, ip=ip, key=key)
        self._client.load_connection_info(info)
        self.workspace.bring_fonts()
        limits = self.isolation.limits
        amounts = {"memory_bytes": limits.memory_bytes, "file_bytes": limits.file_bytes}
        if self.isolation.name == "bwrap":
            # Elsewhere the limit would count every process of the user; sandlock counts by itself.
            amounts["processes"] = limits.processes
        options = {"connection_file": file, "limits": amounts, "output_bytes": limits.output_bytes}
        command = [*self.isolation.prefix(self.workspace), sys.executable, "-P", str(self.workspace.script)]
        self._process = launch_kernel(
            [*command, json.dumps(options)],
            stdin=subprocess.PIPE,  # it ends with this process, and the kernel sees that
            stdout=subprocess.DEVNULL,
            stderr=self._stderr.fileno(),
            env=self.workspace.environment(),
            cwd=str(self.workspace.work),
        )

    async def _answer(self) -> None:
        """Ask for the kernel's info until the answer came and the iopub channel has shown to be connected."""
        while True:
            self._client.kernel_info()
            for _ in range(10):
                if not self.alive:
                    raise KernelFailed(self._last_words())
                with contextlib.suppress(queue.Empty):
                    await self._client.get_shell_msg(timeout=TICK)
                    with contextlib.suppress(queue.Empty):
                        await self._client.get_iopub_msg(timeout=2 * TICK)
                        return
                    break

    async def _finish(self, request: str) -> None:
        while True:
            message = await self._next()
            if message is None and not self.alive:
                raise KernelFailed(self._last_words())
            if message is not None and _answers(message, request) and _is_idle(message):
                return

    def _last_words(self) -> str:
        self._stderr.seek(max(0, self._stderr.seek(0, os.SEEK_END) - 2000))
        lines = self._stderr.read().decode(errors="replace").strip().splitlines()
        return " | ".join(lines[-3:]) or "it ended without a word"

    async def execute(self, code: str, seconds: float, emit: Callable[[str | bytes], None]) -> Execution:
        """Run ``code``; hand printed text and PNGs to ``emit`` as they come. Never raises for what the code does."""
        if not self.alive:
            reason = f"The code {self._excess}." if self._excess else "The kernel is gone."
            return Execution(status="dead", error=f"{reason} Variables were lost.", state_lost=True)
        collector = Collector(self.isolation.limits.output_bytes, emit)
        began = time.monotonic()
        self._running, self._interrupted = True, False
        try:
            await self._drain_replies()
            request = self._client.execute(code, allow_stdin=False)
            reason = await self._follow(request, collector, began + seconds)
        finally:
            self._running = False
        status, error = self._outcome(reason, collector.error, seconds)
        return Execution(
            status=status,
            output=collector.output,
            images=tuple(collector.images),
            error=error,
            exception=collector.exception,
            line=collector.line,
            seconds=time.monotonic() - began,
            state_lost=not self.alive,
        )

    def interrupt(self) -> None:
        """Stop the code that runs now; nothing happens if none does."""
        self._interrupted = self._running

    async def _follow(self, request: str, collector: Collector, deadline: float) -> str:
        """Collect outputs until the cell has ended one way or the other; return which."""
        reason, stopped_at, interrupts = "done", 0.0, 0
        while True:
            message = await self._next()
            if message is not None and _answers(message, request):
                if _is_idle(message):
                    return reason
                collector.add(message)
            now = time.monotonic()
            if message is None and not self.alive:
                return "died" if reason == "done" else reason
            if reason == "done" and (self._interrupted or now > deadline):
                reason, stopped_at = "interrupted" if self._interrupted else "deadline", now
            if reason != "done":
                if now > stopped_at + SECOND_INTERRUPT * interrupts and interrupts < PATIENCE / SECOND_INTERRUPT:
                    interrupts += 1
                    self._send_interrupt()
                elif now > stopped_at + PATIENCE:
                    await self.kill()
                    return reason

    def _outcome(self, reason: str, error: str, seconds: float) -> tuple[Any, str]:
        fate = "Variables were kept." if self.alive else "Variables were lost."
        match reason:
            case "deadline":
                return "timeout", f"DEADLINE_EXCEEDED: the code ran longer than {seconds:g} s. {fate}"
            case "interrupted" if not self.alive:
                return "error", f"KeyboardInterrupt: the code did not stop, so the kernel was ended. {fate}"
            case "died" if self._excess:
                return "dead", f"The code {self._excess}. {fate}"
            case "died":
                code = self._process.returncode if self._process else None
                return "dead", f"The kernel died (exit code {code}): out of memory, or the code ended it. {fate}"
        return ("error" if error else "ok"), error

    async def _next(self) -> dict[str, Any] | None:
        """Return the next message of the iopub channel, or None if none comes at once or it cannot be read."""
        try:
            message = await self._client.get_iopub_msg(timeout=TICK)
        except (queue.Empty, ValueError, TypeError, KeyError, IndexError, RecursionError):
            return None
        return message if isinstance(message, dict) else None

    async def _drain_replies(self) -> None:
        for receive in (self._client.get_shell_msg, self._client.get_control_msg):
            with contextlib.suppress(queue.Empty, ValueError, TypeError, KeyError, IndexError, RecursionError):
                while True:
                    await receive(timeout=0)

    async def _watch(self) -> None:
        """End the kernel when its processes use too much together, also between two runs; end all of it with it."""
        while self._process is not None and self.alive and not self._excess:
            await asyncio.sleep(LOOK_RUNNING if self._running else LOOK_IDLE)
            self._excess = processes.excess(self._process.pid, self.isolation.limits)
        await self.kill()

    def _send_interrupt(self) -> None:
        if sys.platform == "win32":
            from jupyter_client.win_interrupt import send_interrupt

            send_interrupt(self._process.win32_interrupt_event)  # type: ignore[union-attr]
            return
        message = self._client.session.msg("interrupt_request", content={})
        self._client.control_channel.send(message)

    async def kill(self) -> None:
        """End the process and all that it started."""
        process = self._process
        if process is None:
            return
        if self.isolation.name == "sandlock":
            process.terminate()
            await _ended(process, 2)
        if process.poll() is None:
            with contextlib.suppress(OSError):
                if sys.platform == "win32":
                    process.kill()
                else:
                    os.killpg(process.pid, signal.SIGKILL)
        await _ended(process, 5)
        if self.isolation.name != "bwrap":  # whose pid namespace leaves nothing
            processes.end_by_home(self.workspace.home)

    async def close(self) -> None:
        """End the process, close the channels, delete the workspace. Safe to call again."""
        if self._watching is not None:
            self._watching.cancel()
        await self.kill()
        with contextlib.suppress(RuntimeError):
            self._client.stop_channels()
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
        self._stderr.close()
        self.workspace.remove()


def _client(context: zmq.asyncio.Context) -> AsyncKernelClient:
    from jupyter_client.asynchronous.client import AsyncKernelClient

    return AsyncKernelClient(context=context)


async def _ended(process: subprocess.Popen[bytes], seconds: float) -> None:
    limit = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < limit:
        await asyncio.sleep(0.01)


def _answers(message: dict[str, Any], request: str) -> bool:
    parent = message.get("parent_header")
    return isinstance(parent, dict) and parent.get("msg_id") == request


def _is_idle(message: dict[str, Any]) -> bool:
    content = message.get("content")
    return (
        message.get("msg_type") == "status" and isinstance(content, dict) and content.get("execution_state") == "idle"
    )
