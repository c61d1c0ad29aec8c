"""Which kernel answers: the warm one of a conversation, a spare one, or a new one."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from typing import Self

from magic_ext.errors import GeminiExecError
from magic_ext.runtime.choice import find_isolation
from magic_ext.runtime.errors import NotIsolated
from magic_ext.runtime.isolation import Isolation
from magic_ext.runtime.kernel import Kernel
from magic_ext.runtime.kernels import LOOK_UP, Kernels, wait_for
from magic_ext.runtime.limits import Limits, in_words
from magic_ext.runtime.session import Session

__all__ = ["Pool"]

# How long a spare waits, and a conversation's kernel: after that the conversation's code is run again in a fresh one.
SPARE_SECONDS, IDLE_SECONDS = 300.0, 1800.0


class Pool:
    """Leases sessions; at most ``max_kernels`` of them hold state at a time, and one more waits as a spare.

    A session is given back under the *tip* of its conversation, the id of the last interaction that ran in it, and
    whoever asks for that tip next gets it with all variables. Nothing of a pool outlives the process, however it ends.
    ``limits`` may be set anew: they hold for whatever is taken from then on.
    """

    def __init__(self, limits: Limits | None = None, max_kernels: int = 2) -> None:
        self.limits = limits or Limits()
        self._max = max_kernels
        self._kernels = Kernels()
        self._changed = threading.Condition()
        self._places = 0
        self._leased: set[Session] = set()
        self._idle: dict[str, Session] = {}
        self._spare: Future[Kernel] | None = None
        self._finalizer = weakref.finalize(self, _close, self._kernels, os.getpid())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def isolation(self) -> Isolation:
        """Return what isolates the sessions of this pool; ``none`` if nothing does."""
        return find_isolation(self.limits)

    @property
    def line(self) -> str:
        """One line for people: how many kernels are running and what they hold in memory; ``""`` if none is."""
        kernels = [kernel for kernel in self._kernels.all if kernel.alive]
        if not kernels:
            return ""
        held = in_words(sum(kernel.memory_bytes for kernel in kernels))
        spare = ", one of them as a spare" if self._spare is not None and len(kernels) > 1 else ""
        return f"{len(kernels)} isolated kernel{'s' * (len(kernels) > 1)} running{spare}: {held} of memory"

    def take(self, tip: str | None, *, trusted: bool = False, waiting: Callable[[], None] | None = None) -> Session:
        """Lease the session that holds the state of ``tip``, else a fresh one (``session.fresh``). Give it back.

        Waits while ``max_kernels`` sessions are leased, after calling ``waiting`` once. Raises NotIsolated if nothing
        isolates and the code is not ``trusted``, KernelFailed if no kernel can be started.
        """
        isolation = self.isolation()
        if isolation.name == "none" and not trusted:
            raise NotIsolated
        self._enter(waiting)
        try:
            session = self._resume(tip, isolation) or self._fresh(isolation)
        except BaseException:
            self._leave()
            raise
        with self._changed:
            self._leased.add(session)
        return session

    def give_back(self, session: Session, tip: str | None) -> None:
        """End a lease and keep the session for ``tip``, or discard it if that is None. A second call does nothing."""
        with self._changed:
            if session not in self._leased:
                return
            self._leased.discard(session)
            replaced: Session | None = session
            if tip is not None and session.alive:
                replaced = self._idle.pop(tip, None)
                self._idle[tip] = session
        self._leave()
        if replaced is not session and tip is not None:
            pool = weakref.ref(self)
            self._kernels.call(lambda: _cull_idle(pool, tip, session), later=IDLE_SECONDS)
        if replaced is not None:
            self._discard(replaced)
        self._warm_spare(session.isolation)

    def close(self) -> None:
        """End all sessions and the thread that drives them. The pool cannot be used after that."""
        with self._changed:
            self._leased.clear()
            self._idle.clear()
            self._spare = None
            self._changed.notify_all()
        self._finalizer()

    def _enter(self, waiting: Callable[[], None] | None) -> None:
        if waiting is not None and self._places >= self._max:
            waiting()
        with self._changed:
            while self._finalizer.alive and self._places >= self._max:
                self._changed.wait(LOOK_UP)
            if not self._finalizer.alive:
                raise GeminiExecError("The pool of local kernels is closed.", hint="Restart the notebook kernel.")
            self._places += 1

    def _leave(self) -> None:
        with self._changed:
            self._places -= 1
            self._changed.notify()

    def _resume(self, tip: str | None, isolation: Isolation) -> Session | None:
        with self._changed:
            session = self._idle.pop(tip, None) if tip is not None else None
        if session is None:
            return None
        if not session.alive or not session.adopt(isolation):
            self._discard(session)
            return None
        session.fresh = False
        return session

    def _fresh(self, isolation: Isolation) -> Session:
        with self._changed:
            surplus = len(self._idle) + self._places - self._max
            evicted = [self._idle.pop(tip) for tip in list(self._idle)[: max(surplus, 0)]]
            spare, self._spare = self._spare, None
        for session in evicted:
            self._discard(session)
        if spare is not None:
            with contextlib.suppress(GeminiExecError):
                session = self._session(spare)
                if session.alive and session.adopt(isolation):
                    return session
                self._discard(session)
        return self._session(self._kernels.start(isolation, preload=False))

    def _session(self, started: Future[Kernel]) -> Session:
        try:
            return Session(wait_for(started), self._kernels)
        except BaseException:
            # Whoever interrupts the wait does not stop the start: the kernel is ended once it is there.
            started.add_done_callback(self._end_unused)
            raise

    def _discard(self, session: Session) -> None:
        """Close in the background; the workspace and the process are gone soon after."""
        self._kernels.end(session._kernel)

    def _warm_spare(self, isolation: Isolation) -> None:
        with self._changed:
            if self._spare is not None or not self._finalizer.alive:
                return
            self._spare = spare = self._kernels.start(isolation, preload=True)
        pool = weakref.ref(self)
        self._kernels.call(lambda: _cull_spare(pool, spare), later=SPARE_SECONDS)

    def _drop_spare(self, spare: Future[Kernel]) -> None:
        with self._changed:
            if self._spare is not spare:
                return
            self._spare = None
        spare.add_done_callback(self._end_unused)

    def _drop_idle(self, tip: str, session: Session) -> None:
        with self._changed:
            if self._idle.get(tip) is not session:
                return
            del self._idle[tip]
        self._discard(session)

    def _end_unused(self, spare: Future[Kernel]) -> None:
        if not spare.cancelled() and spare.exception() is None:
            self._kernels.end(spare.result())


def _cull_spare(pool: weakref.ref[Pool], spare: Future[Kernel]) -> None:
    if (alive := pool()) is not None:
        alive._drop_spare(spare)


def _cull_idle(pool: weakref.ref[Pool], tip: str, session: Session) -> None:
    if (alive := pool()) is not None:
        alive._drop_idle(tip, session)


def _close(kernels: Kernels, owner: int) -> None:
    # A forked child inherits the pool, but neither the thread nor the right to end its kernels.
    if os.getpid() == owner:
        kernels.close()
