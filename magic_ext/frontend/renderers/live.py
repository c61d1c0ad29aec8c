"""Drawn while it comes, in the front ends where somebody is watching: JupyterLab, Notebook 7, VS Code."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from uuid import uuid4

from magic_ext.frontend.bundles import Footer, Output
from magic_ext.frontend.layout import final_outputs, layout
from magic_ext.references.manifest import Manifest
from magic_ext.wire.steps import Step

from .base import Publish, publish
from .progress import Progress

__all__ = ["Live", "Pace"]

_EASY = 8_000  # characters of an answer that a browser lays out ten times a second without dropping a frame
_SLOWEST = 6  # times as slow: a page of 100 kB then loses few of its 60 frames a second


class Pace:
    """At most ten draws in any second, a tenth of a second apart, but for the first few after a pause.

    So a lone piece of text shows at once, however long nothing follows it, and what a step ends with need not wait for
    the next event. A long answer is drawn more slowly, for a page that lays out 100 kB ten times a second stutters.
    """

    def __init__(self, clock: Callable[[], float], per_second: int = 10, burst: int = 4) -> None:
        self._clock = clock
        self._interval = 1 / per_second
        self._burst = burst
        self._draws: deque[float] = deque(maxlen=per_second)

    def allows(self, *, ended: bool, length: int = 0) -> bool:
        """Whether a draw of an answer of ``length`` characters may happen now; if so it counts as done."""
        now = self._clock()
        lately = sum(now - at < 1 for at in self._draws)
        if lately == self._draws.maxlen:
            return False
        slower = min(_SLOWEST, 1 + length // _EASY)
        if lately >= self._burst // slower and not ended and now - self._draws[-1] < self._interval * slower:
            return False
        self._draws.append(now)
        return True


class Live:
    """Outputs with ids. Each draw sends those that are new and those that differ; what is finished stays untouched.

    No timer and no thread: what a draw leaves out, the next one shows, and the last one comes with the end.
    """

    def __init__(self, publish: Publish = publish, clock: Callable[[], float] = time.monotonic) -> None:
        self._publish = publish
        self._pace = Pace(clock)
        self._lines = Pace(clock, per_second=50, burst=50)  # of its own: the last line before a silence must be true
        self._steps: dict[int, Step | Callable[[], Step]] = {}
        self._shown: list[tuple[str, Output]] = []

    def start(self, manifest: Manifest) -> None:
        """Open the slot of the progress, which the receipt takes over in the end."""
        self._manifest = manifest
        self._text = f"Asking {manifest.destination} …"
        self._progress = Progress(self._publish, self._text, brief=manifest.replayed)

    def status(self, text: str) -> None:
        """Show a line of progress; of a flood of them not every one."""
        if text != self._text and self._lines.allows(ended=True):
            self._text = text
            self._progress.say(text)

    def update(self, index: int, snapshot: Callable[[], Step], done: bool) -> None:
        """Note that a step has grown, and draw if the pace allows."""
        self._steps[index] = snapshot() if done else snapshot
        length = sum(len(output.plain) for _, output in self._shown)
        if self._pace.allows(ended=done, length=length):
            self._draw(layout(self._known_steps()))

    def flush(self) -> None:
        """Draw now, whatever the pace."""
        self._draw(layout(self._known_steps()))

    def finish(self, footer: Footer, steps: Sequence[Step]) -> None:
        """Draw the final state; the progress becomes the receipt."""
        self.abandon("", footer, steps)

    def abandon(self, note: str, footer: Footer, steps: Sequence[Step]) -> None:
        """Draw what arrived, and the note; the progress becomes the receipt."""
        receipt, *outputs = final_outputs(self._manifest, steps, footer, note=note, live=True)
        self._draw(outputs)
        self._progress.become(receipt)

    def _known_steps(self) -> list[Step]:
        return [step() if callable(step) else step for _, step in sorted(self._steps.items(), key=lambda pair: pair[0])]

    def _draw(self, outputs: Sequence[Output]) -> None:
        if len(outputs) < len(self._shown):  # a second failed attempt folds away: an output cannot be taken back alone
            self._clear()
        for at, output in enumerate(outputs):
            if at == len(self._shown):
                self._shown.append((uuid4().hex, output))
                self._publish(output, display_id=self._shown[at][0])
            elif self._shown[at][1] != output:
                self._shown[at] = (self._shown[at][0], output)
                self._publish(output, display_id=self._shown[at][0], update=True)

    def _clear(self) -> None:
        from IPython.display import clear_output

        clear_output(wait=True)  # type: ignore[no-untyped-call]
        self._shown = []
        self._progress.close()
        self._progress = Progress(self._publish, self._text)
