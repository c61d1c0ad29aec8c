"""Code that a model has run on this computer by calling ``run_python``: run, told, counted, in the receipt."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.references.manifest import Entry
from magic_ext.references.portions import tokens
from magic_ext.references.screen import Screen, counted
from magic_ext.runtime.execution import Execution
from magic_ext.wire.content import Content, Image, Text, encode_content
from magic_ext.wire.steps import CodeExecutionCall, CodeExecutionResult, FunctionResult

from .telling import seen, told, told_without_values

__all__ = ["MOST_RUNS", "TRIES", "CodeRuns", "Ran", "Runner", "Tell", "running", "shape_of"]

TRIES = 5  # failed runs in one question, as in Google's sandbox (the guide)
MOST_RUNS = 30  # runs in one question, whatever the model does
_PICTURE_TOKENS = 258
_NAMES = 20
_TABLES = {"DataFrame", "Series", "Index", "ndarray", "Table"}
_LIBRARIES = {"pandas", "numpy", "polars", "pyarrow"}
_NOT_ALLOWED: tuple[Content, ...] = (Text("The user did not allow this code to run."),)
_ENOUGH = f"The code has failed {TRIES} times. Run no more; answer with what is known, and say what failed."


Tell = Callable[[str], None]


class Runner(Protocol):
    """Where the code of a conversation runs. Variables stay from run to run, and from question to question."""

    @property
    def place(self) -> str:
        """Where that is, for people."""

    @property
    def seconds(self) -> float:
        """How long a block may run."""

    def check(self) -> None:
        """Raise :class:`GeminiExecError` where no code can run, before anything is sent."""

    def allows(self, code: str, asking: Callable[[], None]) -> bool:
        """Whether the user allows a block to run; ``asking`` is called before anybody is asked."""

    def run(self, code: str, tell: Tell) -> Execution:
        """Run a block. Never raises for what the code does.

        ``tell`` is called in this thread with printed text as it comes.
        """

    def shapes(self, names: Sequence[str]) -> Mapping[str, str]:
        """Those of the variables that are tables, each as its type and shape in words."""

    def leave(self, *, kept: bool) -> None:
        """The question has ended; ``kept`` says whether another one may follow it."""


class Ran(msgspec.Struct, frozen=True):
    """A run: the result for the model, the step that the user sees, and the line of the receipt if it went away."""

    result: FunctionResult
    shown: CodeExecutionResult
    entries: tuple[Entry, ...] = ()


class CodeRuns:
    """The runs of one question.

    With ``withheld`` the model gets no value; ``remote`` says whether it is elsewhere: then ``screen`` cleans texts.
    """

    def __init__(self, runner: Runner, *, withheld: bool, remote: bool, screen: Screen = Screen()) -> None:  # noqa: B008
        self.runner = runner
        self.withheld = withheld
        self._remote = remote
        self._screen = screen if remote else Screen()
        self._found: Counter[str] = Counter()  # what was replaced in the run under way
        self._runs = self._failed = 0
        self._refused = False

    def run(
        self, call: CodeExecutionCall, name: str, tell: Tell = lambda _: None, status: Tell = lambda _: None
    ) -> Ran:
        """Run the code of a call of the function ``name``.

        ``tell`` is called with printed text as it comes, ``status`` with a line on what goes on.

        Raises where the model goes on after it was told to stop.
        """
        if self._refused or self._runs == MOST_RUNS:
            raise GeminiExecError(
                f"The model ran code {self._runs} times without an answer.",
                hint="Ask for less at once, or look at its last error above.",
            )
        if self._failed >= TRIES:
            self._refused = True
            return self._ran(call, name, (Text(_ENOUGH),), (Text("Not run: the code has failed five times."),), True)
        self._runs += 1
        execution = self._executed(call.code, tell, status) if call.code.strip() else _empty()
        failed = execution is None or execution.status != "ok"
        self._failed += failed
        content = said = _NOT_ALLOWED
        if execution is not None:
            content, said = self._told(call.code, execution), seen(execution)
        more = (Text(f"\n{_ENOUGH}"),) if failed and self._failed == TRIES else ()
        return self._ran(call, name, (*content, *more), said, failed)

    def _executed(self, code: str, tell: Tell, status: Tell) -> Execution | None:
        """What came of the code; ``None`` where the user did not allow it."""
        if not self.runner.allows(code, lambda: status("waiting for you: may this code run?")):
            return None
        tries = f", try {self._failed + 1} of {TRIES}" if self._failed else ""
        status(running(self.runner.seconds, tries))
        return self.runner.run(code, tell)

    def _told(self, code: str, execution: Execution) -> tuple[Content, ...]:
        if not self.withheld:
            return tuple(map(self._cleaned, told(execution)))
        alive = execution.status == "ok"
        return told_without_values(
            execution, self.runner.shapes(_assigned(code)) if alive else {}, code.count("\n") + 1
        )

    def _cleaned(self, block: Content) -> Content:
        if not isinstance(block, Text):
            return block
        cleaned = self._screen.clean(block.text)
        self._found += cleaned.found
        return Text(cleaned.text)

    def _ran(
        self, call: CodeExecutionCall, name: str, content: Sequence[Content], shown: tuple[Content, ...], failed: bool
    ) -> Ran:
        entries = (_entry(self._runs, content, counted(self._found), quoted=self.withheld),) if self._remote else ()
        self._found = Counter()
        result = FunctionResult(call.id, name, [encode_content(block) for block in content], failed)
        return Ran(result, CodeExecutionResult(call.id, shown, failed), entries)


def running(seconds: float, tries: str = "") -> str:
    """The line of progress while code runs; the front end counts its seconds of those it may take.

    >>> running(30)
    'running the code (at most 30 s)'
    """
    return f"running the code{tries} (at most {seconds:g} s)"


def shape_of(value: Any) -> str:
    """The type and shape of a table or array in memory, ``""`` for anything else: asking others may compute them.

    >>> import numpy
    >>> shape_of(numpy.zeros((3, 2))), shape_of([1])
    ('ndarray, 3 x 2', '')
    """
    kind = type(value)
    if kind.__name__ not in _TABLES or kind.__module__.partition(".")[0] not in _LIBRARIES:
        return ""
    return " x ".join([f"{kind.__name__}, {value.shape[0]}", *map(str, value.shape[1:])]) if value.shape else ""


def _empty() -> Execution:
    return Execution(status="error", error="TypeError: run_python() needs code", exception="TypeError")


def _assigned(code: str) -> list[str]:
    """The names that a block gives to what it makes."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return []
    targets = (node for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    return list(dict.fromkeys(node.id for node in targets))[:_NAMES]


def _entry(number: int, content: Sequence[Content], replaced: str, *, quoted: bool) -> Entry:
    """The line of the receipt; ``quoted``, it shows the text itself, which is short where no value goes back."""
    said = [block.text for block in content if isinstance(block, Text)]
    texts = [len(text.encode("utf-8", "replace")) for text in said]
    pictures = [len(block.content) for block in content if isinstance(block, Image)]
    figures = f"with {len(pictures)} figure{'s' * (len(pictures) > 1)}" if pictures else ""
    text = "told: " + " / ".join("".join(said).split("\n")) if quoted else ""
    return Entry(
        name=f"(output of run {number})",
        kind="text",
        bytes=sum(texts) + sum(pictures),
        tokens=tokens(sum(texts)) + _PICTURE_TOKENS * len(pictures),
        note="; ".join(filter(None, (text, figures, replaced))),
    )
