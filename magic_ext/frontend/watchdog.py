"""A limit of time for code in this process's main thread: when it is over, the code gets the interrupt of Ctrl-C."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import time
from types import TracebackType

__all__ = ["Watchdog"]

_AGAIN = 1.0  # seconds; code may have swallowed the first interrupt


class Watchdog:
    """Interrupts the main thread ``seconds`` after it was entered, and again each second until it is left.

    ``bitten`` tells afterwards whether the time was over, so that an interrupt by the user can be told apart. In
    another thread than the main one nothing can be interrupted, and nothing is.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._left = threading.Event()
        self._biting = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="gemini-exec-watchdog", daemon=True)
        self.bitten = False

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._biting:
                self._left.set()
            time.sleep(0)  # an interrupt that was sent a moment ago comes here, not later
        except KeyboardInterrupt:
            self._left.set()
            if not self.bitten:
                raise

    def _watch(self) -> None:
        pause = self._seconds
        while not self._left.wait(pause):
            pause = _AGAIN
            with self._biting:
                if not self._left.is_set():
                    self.bitten = True
                    _interrupt_main()


def _interrupt_main() -> None:
    if sys.platform == "win32":
        _thread.interrupt_main()
    else:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)  # ends a sleep, too
