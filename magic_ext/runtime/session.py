"""A warm kernel in the hands of one caller."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, wait
from pathlib import Path
from typing import BinaryIO

import msgspec

from magic_ext.runtime.execution import Execution
from magic_ext.runtime.isolation import Isolation
from magic_ext.runtime.kernel import Kernel
from magic_ext.runtime.kernels import LOOK_UP, Kernels, wait_for

__all__ = ["Execution", "Session"]

OnOutput = Callable[[str | bytes], None]
GRACE = 0.3  # seconds for code to stop while a user waits for that


class Session:
    """Runs code in one kernel; variables stay from run to run. Take one from a :class:`~magic_ext.runtime.pool.Pool`.

    ``fresh`` tells whether the kernel is new, that is, holds no state of the conversation that asked for it.
    """

    def __init__(self, kernel: Kernel, kernels: Kernels) -> None:
        self._kernel = kernel
        self._kernels = kernels
        self._turn = threading.Lock()
        self.fresh = True

    @property
    def workdir(self) -> Path:
        """The folder in which the code runs, private to this session."""
        return self._kernel.workspace.work

    @property
    def isolation(self) -> Isolation:
        """What isolates this session."""
        return self._kernel.isolation

    @property
    def alive(self) -> bool:
        """Whether the kernel still lives; a dead session stays dead."""
        return self._kernel.alive

    def adopt(self, isolation: Isolation) -> bool:
        """Take over the time limit of ``isolation``; False if anything else of it differs: that needs a new process."""
        now = self._kernel.isolation
        seconds = isolation.limits.seconds
        if msgspec.structs.replace(now, limits=msgspec.structs.replace(now.limits, seconds=seconds)) != isolation:
            return False
        self._kernel.isolation = isolation
        return True

    def put(self, name: str, data: bytes | BinaryIO) -> Path:
        """Write a file, or the rest of an open one, into :attr:`workdir`, safely also when code ran there.

        ``name`` may lie in folders (``data/sales.csv``); raises ValueError if it leads out of the working folder.
        """
        return self._kernel.workspace.put(name, data)

    def run(self, code: str, *, seconds: float | None = None, on_output: OnOutput | None = None) -> Execution:
        """Run ``code`` and return what came of it; what the code does wrong is told in the result, never raised.

        ``seconds`` replaces the limit of the session. ``on_output`` is called in this thread with printed text (str)
        and figures (bytes, PNG) as they come. When it raises, or the user interrupts the wait, the code is stopped and
        the exception goes on. The user is not kept waiting: code that does not stop at once is killed then.
        """
        limit = self.isolation.limits.seconds if seconds is None else seconds
        pieces: queue.SimpleQueue[str | bytes | None] = queue.SimpleQueue()
        with self._turn:
            work = self._kernels.submit(self._kernel.execute(code, limit, pieces.put))
            work.add_done_callback(lambda _: pieces.put(None))
            try:
                _hand_on(pieces, on_output or (lambda _: None))
                return work.result()
            except CancelledError:
                return Execution(status="dead", error="The session was closed while its code ran.", state_lost=True)
            except KeyboardInterrupt:
                self.interrupt()
                wait([work], GRACE)
                if not work.done():
                    self._kernels.submit(self._kernel.kill())
                raise
            except BaseException:
                self.interrupt()
                _outlast(work)
                raise

    def interrupt(self) -> None:
        """Stop the running code at once; call it from any thread. Variables are kept unless the code will not stop.

        :meth:`run` then returns the status ``error`` with a KeyboardInterrupt. Nothing happens if no code runs.
        """
        self._kernels.call(self._kernel.interrupt)

    def close(self) -> None:
        """End the kernel and all that it started, and delete its folder."""
        wait_for(self._kernels.end(self._kernel))


def _hand_on(pieces: queue.SimpleQueue[str | bytes | None], on_output: OnOutput) -> None:
    while True:
        try:
            piece = pieces.get(timeout=LOOK_UP)
        except queue.Empty:
            continue
        if piece is None:
            return
        on_output(piece)


def _outlast(work: Future[Execution]) -> None:
    """Wait for the interrupted code to end, which takes 3 s at most; a second interrupt changes nothing."""
    while not work.done():
        with contextlib.suppress(BaseException):
            wait_for(work)
