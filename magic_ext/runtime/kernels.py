"""The one long-lived thread that starts kernels, talks to them and ends them.

A thread of our own, because the caller's main thread may already run an event loop (in Jupyter it does), and because
some sandboxes end when the thread that started them does.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from magic_ext.runtime import folders
from magic_ext.runtime.isolation import Isolation
from magic_ext.runtime.kernel import Kernel

__all__ = ["Kernels", "wait_for"]

T = TypeVar("T")
# The longest message that is taken from a kernel; a longer one closes the connection.
MESSAGE_BYTES = 32 * 1024**2
# How often a waiting thread looks up: on Windows a wait without end cannot be interrupted.
LOOK_UP = 0.25
CLOSE_SECONDS = 30


class Kernels:
    """A thread with an event loop, and the kernels that live in it. Started at first use."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._context: Any = None
        self._kernels: set[Kernel] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, isolation: Isolation, *, preload: bool) -> Future[Kernel]:
        """Start a kernel; the future raises KernelFailed if that does not work."""
        return self.submit(self._start(isolation, preload=preload))

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine in the thread."""
        return asyncio.run_coroutine_threadsafe(self._tracked(work), self._running_loop())

    @property
    def all(self) -> tuple[Kernel, ...]:
        """The kernels that are there, also those that are just starting."""
        return tuple(self._kernels)

    def call(self, function: Callable[[], object], *, later: float = 0.0) -> None:
        """Call a quick function in the thread, ``later`` seconds from now; nothing happens if the thread has ended."""
        with contextlib.suppress(RuntimeError):
            loop = self._running_loop()
            loop.call_soon_threadsafe(loop.call_later, later, function)

    def end(self, kernel: Kernel) -> Future[None]:
        """Close a kernel and forget it."""
        return self.submit(self._end(kernel))

    def close(self) -> None:
        """End every kernel, also those that are just starting, and the thread. Safe to call twice."""
        with self._starting:
            loop, thread = self._loop, self._thread
            if loop is None or thread is None or loop.is_closed():
                return
            closing = asyncio.run_coroutine_threadsafe(self._close(), loop)
            closing.add_done_callback(lambda _: loop.call_soon_threadsafe(loop.stop))
            # The garbage collector may close a forgotten pool from the very thread that has to do the work.
            if thread is not threading.current_thread():
                thread.join(CLOSE_SECONDS)

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                folders.sweep()
                # Not the default loop: on Windows zmq needs the selector one.
                self._loop = asyncio.SelectorEventLoop()
                self._thread = threading.Thread(target=self._run, name="gemini-exec-kernels", daemon=True)
                self._thread.start()
            return self._loop

    def _run(self) -> None:
        assert self._loop is not None
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    async def _tracked(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            return await work
        finally:
            self._tasks.discard(task)

    async def _start(self, isolation: Isolation, *, preload: bool) -> Kernel:
        kernel = Kernel(isolation, self._shared_context())
        self._kernels.add(kernel)
        try:
            await kernel.start(preload=preload)
        except BaseException:
            await self._end(kernel)
            raise
        return kernel

    def _shared_context(self) -> Any:
        import zmq
        import zmq.asyncio

        if self._context is None:
            self._context = zmq.asyncio.Context()
            self._context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES)
        return self._context

    async def _end(self, kernel: Kernel) -> None:
        await kernel.close()
        self._kernels.discard(kernel)

    async def _close(self) -> None:
        """Cancel whatever is under way; a kernel whose end is cancelled half-way is still known, and ended here."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(self._end(kernel) for kernel in list(self._kernels)), return_exceptions=True)
        if self._context is not None:
            self._context.destroy(linger=0)


def wait_for(future: Future[T]) -> T:
    """Return the future's result; a KeyboardInterrupt gets through on every system."""
    while not future.done():
        wait([future], LOOK_UP)
    return future.result()
