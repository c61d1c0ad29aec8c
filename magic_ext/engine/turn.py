"""One turn: ask the model, run its code, show it the result, ask again (the guide: five new tries after an error)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from magic_ext.engine.models import base
from magic_ext.errors import GeminiExecError
from magic_ext.wire.content import Json
from magic_ext.wire.running import RUN_PYTHON, all_as_code

from .accounting import by_modality, estimate
from .asked import Asked
from .formats import fault_of
from .jobs import Job
from .transcript import Transcript
from .workbench import Workbench

__all__ = ["REGENERATIONS", "Ending", "take_turn"]

REGENERATIONS = 5
_LOOKS = 30  # a bound on replies in one turn, whatever the model does


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a turn ended: the interaction's status, what went wrong if anything did, and the token counts."""

    status: str
    usage: Json
    errors: tuple[Json, ...] = ()


class _Stop(Exception):
    """Ends the turn with a status."""

    def __init__(self, status: str, code: str = "", message: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.errors: tuple[Json, ...] = ({"code": code, "message": message},) if code else ()


class _Turn:
    def __init__(self, job: Job, asked: Asked, model: base.Model, bench: Workbench) -> None:
        self._job = job
        self._asked = asked
        self._model = model
        self._bench = bench
        self._transcript = Transcript(job)
        self._failures = 0
        self.looks = 0
        self._called = False
        self._said: list[str] = []
        # An answer in a certain form is looked at before it is given out, as long as there may be prose beside it.
        self._withholding = asked.response_format is not None and (asked.code_execution or bool(asked.functions))
        self._counted: list[base.Usage] = []

    def run(self) -> str:
        """Ask until the model is content; returns the status."""
        while self.looks < _LOOKS:
            self.looks += 1
            match self._reply():
                case base.Code() as code:
                    self._run(code)
                    if self._called:  # beside the code, in the same reply
                        return "requires_action"
                case base.FunctionCall():
                    return "requires_action"
                case None if self._in_form():
                    return "completed"
        raise _Stop("incomplete", "too_many_tool_calls", f"The model ran code {_LOOKS} times without an answer.")

    @property
    def usage(self) -> Json:
        """The token counts: the model's own where it counts, else estimates."""
        read = self._bench.tokens_read
        usage = estimate(sum(read.values()), self._transcript.steps, self.looks)
        if self._counted:
            usage["total_input_tokens"] = self._counted[0].input_tokens
            usage["total_tool_use_tokens"] = sum(count.input_tokens for count in self._counted[1:])
            usage["total_output_tokens"] = sum(count.output_tokens for count in self._counted)
            usage["total_thought_tokens"] = sum(count.thought_tokens for count in self._counted)
            usage["total_tokens"] = sum(v for k, v in usage.items() if k != "total_tokens")
        return by_modality(usage, read, self.looks)

    def _in_form(self) -> bool:
        """Whether the answer will do; one that won't is asked for again without tools, which can be forced."""
        form, answer = self._asked.response_format, "".join(self._said)
        if form is None:
            return True
        fault = fault_of(answer, form)
        if fault and not self._withholding:
            raise _Stop("failed", "api_error", f"The answer does not keep to 'response_format': {fault}")
        if not fault and self._withholding:
            self._transcript.text(answer)
            self._transcript.close()
        self._withholding = False
        return not fault

    def _reply(self) -> base.Code | base.FunctionCall | None:
        self._said = []
        self._called = False
        called: base.FunctionCall | None = None
        for part in self._parts():
            if self._job.cancelled.is_set():
                raise _Stop("cancelled")
            match part:
                case base.Text(text):
                    self._said.append(text)
                    if not self._withholding:
                        self._transcript.text(text)
                case base.Thought(text):
                    if self._asked.generation.thinking_summaries:
                        self._transcript.thought(text)
                case base.Image(data, mime_type):
                    self._transcript.image(data, mime_type)
                case base.Usage():
                    self._counted.append(part)
                case base.FunctionCall(name, arguments):
                    self._transcript.close()
                    self._transcript.function_call(name, arguments)
                    called, self._called = part, True
                case base.Code():
                    self._transcript.close()
                    return part
        self._transcript.close()
        return called

    def _parts(self) -> Iterable[base.Part]:
        tools = self._withholding or self._asked.response_format is None
        others = tuple(function for function in self._asked.functions if function.get("name") != RUN_PYTHON)
        by_call = not self._asked.code_execution and len(others) < len(self._asked.functions)
        steps = (*self._bench.steps, *self._transcript.steps)
        conversation = base.Conversation(
            steps=all_as_code(steps) if by_call else steps,
            tables=self._bench.tables,
            pictures=self._bench.pictures,
            documents=self._bench.documents,
            system_instruction=self._asked.system_instruction,
            code_execution=(self._asked.code_execution or by_call) and tools,
            functions=(others if by_call else self._asked.functions) if tools else (),
            max_output_tokens=self._asked.generation.max_output_tokens,
            sampling=self._asked.generation.sampling,
            must_call=self._asked.generation.tool_choice == "any",
            response_format=self._asked.response_format,
            stopping=self._job.stopping,
        )
        parts = self._model.reply(conversation)
        return _with_calls(parts) if by_call else parts

    def _run(self, code: base.Code) -> None:
        if not self._asked.code_execution:
            raise _Stop("failed", "unexpected_tool_call", "The model wrote code, but the request did not allow it.")
        call_id = self._transcript.call(code.code)
        images: list[bytes] = []
        self._transcript.result_start(call_id)

        def pass_on(output: str | bytes) -> None:
            if isinstance(output, bytes):
                images.append(output)
            else:
                self._transcript.result_piece(output)

        try:
            execution = self._bench.run(code.code, trusted=code.trusted, on_output=pass_on)
        except BaseException:
            self._transcript.result_end(call_id, is_error=True)
            raise
        failed = execution.status != "ok"
        if failed:
            self._transcript.result_piece(execution.error)
        self._transcript.result_end(call_id, is_error=failed)
        for image in images:
            self._transcript.image(image, "image/png")
        if self._job.cancelled.is_set():
            raise _Stop("cancelled")
        self._count(failed)

    def _count(self, failed: bool) -> None:
        self._failures += failed
        if self._failures > REGENERATIONS:
            self._transcript.text(f"The code failed {self._failures} times; the last error stands above.")
            self._transcript.close()
            raise _Stop("incomplete", "too_many_tool_calls", f"The code failed {self._failures} times.")


def _with_calls(parts: Iterable[base.Part]) -> Iterator[base.Part]:
    """The reply of a model whose code is run by whoever asks: the code becomes a call of ``run_python``."""
    for part in parts:
        if isinstance(part, base.Code):
            yield base.FunctionCall(RUN_PYTHON, {"code": part.code})
            return
        yield part


def take_turn(job: Job, asked: Asked, model: base.Model, bench: Workbench) -> Ending:
    """Answer one question into ``job``; returns how it ended and never raises.

    A turn ends early when the job is cancelled, when the model or the isolation refuses, and after five failed repairs.
    """
    turn = _Turn(job, asked, model, bench)
    try:
        return Ending(status=turn.run(), usage=turn.usage)
    except _Stop as stop:
        return Ending(status=stop.status, usage=turn.usage, errors=stop.errors)
    except Exception as error:
        return _broken(error, turn, cancelled=job.cancelled.is_set())


def _broken(error: Exception, turn: _Turn, *, cancelled: bool) -> Ending:
    """How a turn ended that an error has ended; what a cancellation breaks off is no failure."""
    if cancelled:
        return Ending(status="cancelled", usage=turn.usage)
    status, code, message = "failed", "api_error", f"{type(error).__name__}: {error}"
    if isinstance(error, GeminiExecError):
        code, message = "failed_precondition", f"{error} {error.hint}".strip()
    if isinstance(error, base.Incomplete):
        status, code = "incomplete", "max_tokens"
    return Ending(status=status, usage=turn.usage, errors=({"code": code, "message": message},))
