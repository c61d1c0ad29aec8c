"""One turn's place to work: a kernel with the conversation's files and state, taken when first needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from magic_ext.engine.models.base import Picture, Table
from magic_ext.errors import GeminiExecError
from magic_ext.runtime.errors import NotIsolated
from magic_ext.wire.steps import CodeExecutionCall, CodeExecutionResult, Step

from .accounting import tokens_read
from .asked import Asked
from .files import Files
from .inputs import InputFile, input_files, size_of, with_pictures
from .tables import describe_code, read_description

if TYPE_CHECKING:
    from magic_ext.runtime.pool import Pool
    from magic_ext.runtime.session import Execution, Session

__all__ = ["Workbench"]


class Workbench:
    """The kernel of a turn; ``chain`` are the steps of earlier turns, ``waiting`` is told when kernels are scarce.

    ``steps`` are those of the chain and of this turn's question, as a model is shown them; ``tokens_read`` are those of
    the question by kind.
    """

    def __init__(
        self, pool: Pool, files: Files, asked: Asked, chain: tuple[Step, ...], waiting: Callable[[], None]
    ) -> None:
        self._pool = pool
        self._tip = asked.previous_interaction_id
        self._waiting = waiting
        self._new_files = input_files(asked.steps, files, earlier=chain)
        self._files = input_files((*chain, *asked.steps), files)
        self.steps = with_pictures((*chain, *asked.steps), files)
        self.tokens_read = tokens_read(asked.steps, lambda block: size_of(block, files))
        self._session: Session | None = None
        self._replay = successful_code(chain)
        self._tables: tuple[Table, ...] | None = None

    @property
    def tables(self) -> tuple[Table, ...]:
        """The attached tables, described by code that ran beside them."""
        sources = [source for file in self._files if (source := file.table) is not None]
        if not sources:
            return ()
        if self._tables is None:
            execution = self._take(trusted=True).run(describe_code(sources))
            self._tables = read_description(execution.output + execution.error, sources)
        return self._tables

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The attached pictures."""
        return tuple(Picture(f.path, f.mime_type, f.label) for f in self._files if f.kind == "picture")

    @property
    def documents(self) -> tuple[str, ...]:
        """The paths of the other attached files."""
        return tuple(file.path for file in self._files if file.kind == "document")

    def run(self, code: str, *, trusted: bool, on_output: Callable[[str | bytes], None]) -> Execution:
        """Run a block of code; raises :class:`NotIsolated` for a model's code where nothing isolates."""
        session = self._take(trusted=trusted)
        if session.isolation.name == "none" and not trusted:
            raise NotIsolated()
        execution = session.run(code, on_output=on_output)
        if execution.status == "ok":
            self._replay.append(code)
        if not session.alive:
            self.give_back(None)  # the next run gets a fresh kernel, in which all that worked is run again
        return execution

    def interrupt(self) -> None:
        """Stop the code that runs now, if any; may be called from any thread."""
        if self._session is not None:
            self._session.interrupt()

    def give_back(self, tip: str | None) -> None:
        """Leave the kernel to the turn that follows ``tip``, or to nobody."""
        session, self._session = self._session, None
        if session is not None:
            self._pool.give_back(session, tip)

    def _take(self, *, trusted: bool) -> Session:
        if self._session is not None:
            return self._session
        session = self._session = self._pool.take(self._tip or None, trusted=trusted, waiting=self._waiting)
        for file in self._files if session.fresh else self._new_files:
            _put(file, session)
        if session.fresh and session.isolation.name != "none":
            for code in self._replay:
                session.run(code)
        return session


def _put(file: InputFile, session: Session) -> None:
    if file.source is None:
        session.put(file.path, file.data)
    else:
        with _opened(file.source) as source:
            session.put(file.path, source)
    if file.kind == "frame":
        session.run(_BIND.format(path=file.path, name=file.variable))


def _opened(source: Path) -> BinaryIO:
    try:
        return source.open("rb")
    except OSError as error:
        raise GeminiExecError(
            f"The data of {source.name}, attached earlier in this conversation, is gone.",
            hint="Refer to it again in the question.",
        ) from error


_BIND = """
import pyarrow as _arrow
with _arrow.memory_map({path!r}) as _file:
    {name} = _arrow.ipc.open_file(_file).read_all().to_pandas()
del _arrow, _file
"""


def successful_code(steps: tuple[Step, ...]) -> list[str]:
    """The blocks of a conversation that ended without an error, in order."""
    failed = {step.call_id for step in steps if isinstance(step, CodeExecutionResult) and step.is_error}
    return [step.code for step in steps if isinstance(step, CodeExecutionCall) and step.id not in failed]
