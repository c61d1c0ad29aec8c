"""A model's code in the user's own kernel: asked about, run beside the user's variables, its output caught.

The code runs in a copy of the user's namespace, so that no name of theirs is given to anything else. What a name stands
for is the user's own object all the same: frames of pandas and polars are lent as copies where that costs nothing.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import importlib
import io
import linecache
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from magic_ext.ask.running import Tell, shape_of
from magic_ext.references.attach import Binding
from magic_ext.runtime.execution import Execution
from magic_ext.runtime.outputs import Collector, shorten

from .consent import Consent
from .watchdog import Watchdog

__all__ = ["InKernel"]

_ERROR_CHARACTERS = 20_000
_MOST_REMEMBERED = 8  # questions whose variables are kept for a next one; they may be large
_remembered: deque[InKernel] = deque()


class InKernel:
    """Runs code in this kernel, each block for ``seconds`` and ``output_bytes`` at most; its variables stay its own.

    ``lent`` are names under which the code expects live objects; ``before`` is what the conversation's last question
    left.
    """

    def __init__(  # noqa: PLR0913
        self,
        shell: Any,
        consent: Consent,
        *,
        unasked: bool,
        seconds: float,
        output_bytes: int,
        lent: Sequence[Binding] = (),
        before: InKernel | None = None,
    ) -> None:
        self._shell = shell
        self._consent = consent
        self._unasked = unasked
        self.seconds = seconds
        self._output_bytes = output_bytes
        # What has no Arrow file is here by its own name, or is loaded by the code.
        self._lent = [b for b in lent if b.name != b.expression and b.file.endswith(".arrow")]
        self._made: dict[str, Any] = dict(before._made) if before else {}
        self._scope: dict[str, Any] | None = None
        self._base: dict[str, Any] = {}
        self._number = 0

    @property
    def place(self) -> str:
        """The user's kernel."""
        return "your kernel"

    def check(self) -> None:
        """Raise :class:`GeminiExecError` where nobody can be asked."""
        self._consent.check(unasked=self._unasked)

    def allows(self, code: str, asking: Callable[[], None]) -> bool:
        """Ask, unless the user has said always; ``asking`` is called before."""
        return self._consent.given(code, asking, unasked=self._unasked)

    def run(self, code: str, tell: Tell) -> Execution:
        """Run a block. An interrupt by the user goes on; what else the code does wrong is told in the result."""
        self._number += 1
        block = _Block(self._shell, code, f"<run_python {self._number}>", self.seconds, self._output_bytes)
        return block.run(self._entered(), tell)

    def shapes(self, names: Sequence[str]) -> Mapping[str, str]:
        """Those of its variables that are tables in memory."""
        found = {name: shape_of(self._entered().get(name)) for name in names}
        return {name: shape for name, shape in found.items() if shape}

    def leave(self, *, kept: bool) -> None:
        """Keep what the code made for the next question; nothing else holds on to the user's data."""
        scope, self._scope = self._scope, None
        if kept and scope is not None:
            base = self._base
            self._made = {name: value for name, value in scope.items() if name not in base or base[name] is not value}
            _remembered.append(self)
        self._base = {}
        if len(_remembered) > _MOST_REMEMBERED:
            _remembered.popleft()._made.clear()

    def _entered(self) -> dict[str, Any]:
        """The namespace of the question's code: the user's as it was when the first block ran, and what code made."""
        if self._scope is None:
            user = {name: _lent(value) for name, value in self._shell.user_ns.items()}
            user |= {binding.name: _value(binding.expression, user) for binding in self._lent}
            self._base = user
            self._scope = {**self._made, **user}
        return self._scope


class _Block:
    """One block of code on its way through the kernel."""

    def __init__(self, shell: Any, code: str, name: str, seconds: float, output_bytes: int) -> None:
        self._shell = shell
        self._code = code
        self._name = name
        self._seconds = seconds
        self._collector = Collector(output_bytes, self._pass_on)
        self._tell: Tell = lambda _: None
        self._line = ""
        self._outlets: tuple[Any, Any, Any] = (sys.stdout, sys.stderr, shell.display_pub)

    def run(self, scope: dict[str, Any], tell: Tell) -> Execution:
        began = time.monotonic()
        self._tell = tell
        error: BaseException | None = None
        watchdog = Watchdog(self._seconds)
        try:
            with self._caught(), watchdog:
                self._execute(scope)
        except KeyboardInterrupt as stop:
            if not watchdog.bitten:
                raise
            error = stop
        except BaseException as wrong:  # also what ends a thread or a task elsewhere: it was the code's own
            error = wrong
        return self._outcome(error, timed_out=watchdog.bitten, seconds=time.monotonic() - began)

    def _execute(self, scope: dict[str, Any]) -> None:
        """Run the block as a cell is run: the value of an expression at its end is shown."""
        source = self._shell.transform_cell(self._code)
        linecache.cache[self._name] = (len(source), None, source.splitlines(keepends=True), self._name)
        tree = ast.parse(source, self._name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, self._name, "exec"), scope)  # noqa: S102 - what the user has just allowed
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), self._name, "eval"), scope)  # noqa: S307 - the same
            if value is not None and not source.rstrip().endswith(";"):
                self._show(self._shell.display_formatter.format(value, {"text/plain", "image/png"})[0])

    @contextlib.contextmanager
    def _caught(self) -> Iterator[None]:
        """Everything that is printed, displayed and drawn goes to the collector."""
        before = _open_figures()
        writer = _Writer(self._print)
        try:
            with _outlets(self._shell, writer, writer, _Publisher(self._show)) as self._outlets:
                yield
        finally:
            for number in _open_figures() - before:
                self._draw(number)

    def _pass_on(self, output: str | bytes) -> None:
        """Show printed text line by line, past all that is caught; what other threads print waits for the end."""
        if not isinstance(output, str) or threading.current_thread() is not threading.main_thread():
            return
        self._line += output
        if "\n" in output:
            line, self._line = self._line, ""
            with _outlets(self._shell, *self._outlets):
                self._tell(line)

    def _print(self, text: str) -> None:
        self._collector.add({"msg_type": "stream", "content": {"text": text}})

    def _show(self, data: Mapping[str, Any]) -> None:
        image = data.get("image/png")
        if isinstance(image, bytes):
            data = {**data, "image/png": base64.b64encode(image).decode("ascii")}
        self._collector.add({"msg_type": "display_data", "content": {"data": dict(data)}})

    def _draw(self, number: int) -> None:
        from magic_ext.references.pictures import picture_of

        pyplot = sys.modules["matplotlib.pyplot"]
        picture = picture_of(pyplot.figure(number))
        pyplot.close(number)
        if picture is not None:
            self._show({"image/png": picture.data})

    def _outcome(self, error: BaseException | None, *, timed_out: bool, seconds: float) -> Execution:
        collector = self._collector
        output, images = collector.output, tuple(collector.images)
        if timed_out:
            told = f"DEADLINE_EXCEEDED: the code ran longer than {self._seconds:g} s. Variables were kept."
            return Execution(status="timeout", output=output, images=images, error=told, seconds=seconds)
        if error is None:
            return Execution(status="ok", output=output, images=images, seconds=seconds)
        frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == self._name]
        line = error.lineno if isinstance(error, SyntaxError) else frames[-1].lineno if frames else None
        return Execution(
            status="error",
            output=output,
            images=images,
            error=shorten(self._traceback(error), _ERROR_CHARACTERS),
            exception=type(error).__name__,
            line=line,
            seconds=seconds,
        )

    def _traceback(self, error: BaseException) -> str:
        """As Python shows it, from the block's own first line on."""
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename != self._name:
            trace = trace.tb_next
        return "".join(traceback.format_exception(type(error), error, trace)).strip()


@contextlib.contextmanager
def _outlets(shell: Any, out: Any, err: Any, publisher: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Where printed text and displayed objects go within the context; gives where they went before."""
    before = sys.stdout, sys.stderr, shell.display_pub
    sys.stdout, sys.stderr, shell.display_pub = out, err, publisher
    try:
        yield before
    finally:
        sys.stdout, sys.stderr, shell.display_pub = before


class _Writer(io.TextIOBase):
    """A stream that hands on what is written to it."""

    encoding = "utf-8"

    def __init__(self, take: Any) -> None:
        self._take = take

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._take(text)
        return len(text)


class _Publisher:
    """Stands in for the shell's publisher of outputs."""

    is_publishing = False

    def __init__(self, take: Any) -> None:
        self._take = take

    def publish(self, data: Mapping[str, Any], metadata: Any = None, **_: Any) -> None:
        self._take(data)

    def clear_output(self, wait: bool = False) -> None:
        """Nothing: what was printed stays in the result."""


def _value(expression: str, scope: Mapping[str, Any]) -> Any:
    modules = {name: importlib.import_module(module) for name, module in (("np", "numpy"), ("pd", "pandas"))}
    return eval(expression, {**modules, **scope})  # noqa: S307 - written by this package for what was referred to


def _open_figures() -> set[int]:
    pyplot = sys.modules.get("matplotlib.pyplot")
    return set(pyplot.get_fignums()) if pyplot is not None else set()


def _lent(value: Any) -> Any:
    """A frame as a copy that shares its memory, anything else as it is.

    From pandas 3 on nothing that happens to the copy reaches the user's frame; before, values set in place do.
    """
    pandas, polars = sys.modules.get("pandas"), sys.modules.get("polars")
    if pandas is not None and isinstance(value, pandas.DataFrame | pandas.Series):
        return value.copy(deep=False)
    if polars is not None and isinstance(value, polars.DataFrame):
        return value.clone()
    return value
