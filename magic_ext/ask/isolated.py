"""An isolated kernel of this computer for the code of a model elsewhere: the engine's, with its files and its state."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from magic_ext.engine.asked import Asked
from magic_ext.engine.embedded import best_isolation, embedded_engine
from magic_ext.runtime.errors import NotIsolated
from magic_ext.runtime.execution import Execution
from magic_ext.runtime.limits import Limits
from magic_ext.wire.content import Content
from magic_ext.wire.steps import CodeExecutionCall, CodeExecutionResult, Step, UserInput

if TYPE_CHECKING:
    from magic_ext.engine.workbench import Workbench

__all__ = ["Isolated"]

_MARK = "gemini-exec shapes "
_SHAPES = """
def _shapes():
    import json
    found = {{}}
    for name in {names!r}:
        shape = getattr(globals().get(name), "shape", None)
        if isinstance(shape, tuple):
            found[name] = [type(globals()[name]).__name__, [int(size) for size in shape]]
    print({mark!r} + json.dumps(found))
_shapes()
del _shapes
"""
_KIND = re.compile(r"DataFrame|Series|Index|ndarray|Table")
_DIMENSIONS = 8


class Isolated:
    """Runs code isolated, with ``handed`` and all that was handed over ``before`` in its working folder.

    ``before`` is what the conversation's last question left; a kernel that has its state is taken if there is one,
    else what worked is run again in a fresh one. Code keeps to ``limits``; ``waiting`` is told when all kernels are
    taken.
    """

    def __init__(
        self,
        handed: Sequence[Content],
        before: Isolated | None = None,
        limits: Limits | None = None,
        waiting: Callable[[], None] = lambda: None,
    ) -> None:
        self._limits = limits or Limits()
        self._chain: tuple[Step, ...] = before._steps if before else ()
        self._question = UserInput(tuple(handed))
        self._ran: tuple[Step, ...] = ()
        self._before: str = before._key if before else ""
        self._key: str = ""
        self._waiting = waiting
        self._bench: Workbench | None = None

    @property
    def place(self) -> str:
        """On this computer, isolated: nothing else is ever run."""
        return "this computer, isolated"

    @property
    def seconds(self) -> float:
        """Those of the limits."""
        return self._limits.seconds

    def check(self) -> None:
        """Raise :class:`NotIsolated` where nothing isolates."""
        if best_isolation(self._limits).name == "none":
            raise NotIsolated()

    def allows(self, code: str, asking: Callable[[], None]) -> bool:
        """Yes: the code reaches nothing of the user's."""
        return True

    def run(self, code: str, tell: Callable[[str], None]) -> Execution:
        """Run a block; an interrupt stops it and goes on."""

        def pass_on(output: str | bytes) -> None:
            if isinstance(output, str):
                tell(output)

        execution = self._taken().run(code, trusted=False, on_output=pass_on)
        call = CodeExecutionCall(f"run_{len(self._steps)}", code)
        self._ran += (call, CodeExecutionResult(call.id, (), execution.status != "ok"))
        return execution

    def shapes(self, names: Sequence[str]) -> Mapping[str, str]:
        """What the sandbox says about its variables; nothing but known types and numbers is taken from it."""
        code = _SHAPES.format(names=list(names), mark=_MARK)
        execution = self._taken().run(code, trusted=False, on_output=lambda _: None)
        line = next((line for line in execution.output.splitlines() if line.startswith(_MARK)), "")
        try:
            found = msgspec.json.decode(line.removeprefix(_MARK), type=dict[str, tuple[str, list[int]]])
        except msgspec.DecodeError:
            return {}
        return {
            name: f"{kind}, {' x '.join(map(str, sizes[:_DIMENSIONS]))}"
            for name, (kind, sizes) in found.items()
            if name in names and _KIND.fullmatch(kind) and sizes
        }

    def leave(self, *, kept: bool) -> None:
        """Leave the kernel to the conversation's next question, or to nobody."""
        self._key = uuid.uuid4().hex
        if self._bench is not None:
            self._bench.give_back(self._key if kept else None)
            self._bench = None

    @property
    def _steps(self) -> tuple[Step, ...]:
        return (*self._chain, self._question, *self._ran)

    def _taken(self) -> Workbench:
        if self._bench is None:
            asked = Asked(model="", steps=(self._question,), previous_interaction_id=self._before)
            self._bench = embedded_engine(self._limits).workbench(asked, self._chain, self._waiting)
        return self._bench
