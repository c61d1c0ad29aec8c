"""The last request of an answer that nobody waits for any more: a slow server must not hold up who has left."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait

__all__ = ["Farewell"]

_PATIENCE = 0.3  # seconds; whoever presses stop is free again in half of one


class Farewell:
    """Says it in a thread of its own, and waits a moment at most; what the server does with it changes nothing.

    >>> farewell, said = Farewell(), []
    >>> farewell.say(lambda: said.append("stop"))
    >>> farewell.then(lambda: said.append("closed"))
    >>> said
    ['stop', 'closed']
    """

    def __init__(self) -> None:
        self._said: Future[None] = Future()
        self._said.set_result(None)

    def say(self, send: Callable[[], object]) -> None:
        """Call ``send``, whose failure must not hide why it is called."""
        said = self._said = Future[None]()

        def work() -> None:
            with contextlib.suppress(Exception):
                send()
            said.set_result(None)

        threading.Thread(target=work, name="gemini-exec-farewell", daemon=True).start()
        wait([said], _PATIENCE)

    def then(self, close: Callable[[], object]) -> None:
        """Call ``close`` once it is said: now, mostly."""
        self._said.add_done_callback(lambda _: close())
