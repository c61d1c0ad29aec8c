"""Steps to outputs: what an answer looks like below its cell. A pure function, so that every renderer ends the same."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from magic_ext.answer import Attempt, printed
from magic_ext.frontend.bundles import (
    Footer,
    Output,
    cells_output,
    code_output,
    failures_output,
    footer_output,
    image_output,
    note_output,
    raw_output,
    receipt_output,
    result_output,
    text_output,
    thought_output,
    with_buttons,
)
from magic_ext.frontend.citations import marked, sources
from magic_ext.frontend.tool_outputs import SEARCHES, function_output, returned_output, search_outputs
from magic_ext.markdown import fence, parts
from magic_ext.references.manifest import Manifest
from magic_ext.wire.content import Content, Document, Image, Text
from magic_ext.wire.steps import (
    CodeExecutionCall,
    CodeExecutionResult,
    FunctionCall,
    FunctionResult,
    ModelOutput,
    RawStep,
    Step,
    Thought,
    UserInput,
)

__all__ = ["closing_notes", "final_outputs", "layout"]

_PART = 3000  # characters of text an output: what JupyterLab re-renders ten times a second without falling behind
_DEEDS = CodeExecutionCall | CodeExecutionResult | FunctionCall
_LIMIT = 44  # with receipt, notes, buttons and footer below the 50 outputs that JupyterLab shows of a cell


class _Run(msgspec.Struct, frozen=True):
    """A call with all its results; ``number`` counts the calls of an answer."""

    call: CodeExecutionCall
    results: tuple[CodeExecutionResult, ...]
    number: int

    @property
    def failed(self) -> bool:
        return any(result.is_error for result in self.results)

    @property
    def text(self) -> str:
        return printed(self.results)


def layout(steps: Sequence[Step], footer: Footer | None = None) -> list[Output]:
    """The outputs of an answer's steps, in order, at most 44; with its ``footer`` the code gets its buttons.

    Text is cut into parts of about 3 kB. A failed attempt is folded under the attempt that came after it; until there
    is one, it stands in full.
    """
    page = _Page(steps, footer)
    for position, step in enumerate(steps):
        page.add(position, step)
    return _tail_joined(page.outputs)


class _Page:
    """The outputs so far, and what the next ones depend on."""

    def __init__(self, steps: Sequence[Step], footer: Footer | None) -> None:
        self.outputs: list[Output] = []
        self._steps = steps
        self._footer = footer
        self._runs, self._owned = _runs(steps)
        self._failures: list[Attempt] = []
        self._images = 0
        self._title = ""

    def add(self, position: int, step: Step) -> None:
        match step:
            case UserInput():
                pass
            case ModelOutput(content, error):
                self.outputs += _said(content)
                if error:
                    self.outputs.append(note_output(f"The model stopped: {error.get('message') or error}"))
                self._pictures(content)
            case Thought():
                self.outputs += [thought_output(step.text)] if step.text.strip() else []
            case CodeExecutionCall():
                self._ran(position)
            case CodeExecutionResult(_, content):
                if position not in self._owned and step.text.strip():
                    self.outputs.append(result_output(step.text, "_gemini.steps", failed=step.is_error))
                self._pictures(content)
            case FunctionCall(id):
                later = (s for s in self._steps[position:] if isinstance(s, FunctionResult) and s.call_id == id)
                self.outputs.append(function_output(step, next(later, None)))
            case FunctionResult(call_id):
                if not any(isinstance(s, FunctionCall) and s.id == call_id for s in self._steps[:position]):
                    self.outputs.append(returned_output(step))
            case RawStep(raw) if step.type in SEARCHES:
                self.outputs += search_outputs(raw)
            case _:
                self.outputs.append(raw_output(step))

    def _ran(self, position: int) -> None:
        run = self._runs[position]
        self._title = _title(run.call.code)
        if run.failed and any(later > position for later in self._runs):
            self._failures.append(Attempt(run.call.code, run.text, failed=True))
            return
        code = code_output(run.call.code, run.call.language)
        self.outputs.append(with_buttons(code, self._footer, run.number + 1) if self._footer else code)
        if self._failures:
            self.outputs.append(failures_output(self._failures))
            self._failures = []
        if run.text.strip():
            self.outputs.append(result_output(run.text, f"_gemini.results[{run.number}]", failed=run.failed))

    def _pictures(self, content: Sequence[Content]) -> None:
        for block in content:
            if isinstance(block, Image):
                self.outputs.append(image_output(block, self._images, self._title))
                self._images += 1


def final_outputs(
    manifest: Manifest, steps: Sequence[Step], footer: Footer, *, note: str = "", live: bool = False
) -> list[Output]:
    """Everything that stands below a cell in the end: receipt, steps, notes, buttons, footer."""
    carried = msgspec.structs.replace(manifest, entries=(*manifest.entries, *footer.returned))
    return [
        receipt_output(carried),
        *layout(steps, footer),
        *map(note_output, closing_notes(steps, footer, note)),
        *([cells_output(footer.cells[0])] if footer.cells else []),
        footer_output(footer, live=live),
    ]


def closing_notes(steps: Sequence[Step], footer: Footer, note: str = "") -> list[str]:
    """What has to be said below an answer: that it is not whole, or that no code ran though code was asked for.

    A model that searched or called functions has done something; one that did nothing speaks from memory.
    """
    if note:
        return [note]
    idle = not any(isinstance(step, _DEEDS) or (isinstance(step, RawStep) and step.type in SEARCHES) for step in steps)
    return ["No code was executed."] if footer.code_expected and idle else []


def _runs(steps: Sequence[Step]) -> tuple[dict[int, _Run], set[int]]:
    """The calls, each with its results (those that name it, else those right behind it), and where these stand."""
    runs: dict[int, _Run] = {}
    owned: set[int] = set()
    by_id: dict[str, int] = {}
    last: int | None = None
    for position, step in enumerate(steps):
        if isinstance(step, CodeExecutionCall):
            runs[position] = _Run(step, (), len(runs))
            last = position
            if step.id:
                by_id[step.id] = position
        elif isinstance(step, CodeExecutionResult):
            owner = by_id.get(step.call_id) if step.call_id else last
            if owner is not None:
                owned.add(position)
                runs[owner] = msgspec.structs.replace(runs[owner], results=(*runs[owner].results, step))
        else:
            last = None
    return runs, owned


def _said(content: Sequence[Content]) -> list[Output]:
    outputs = [text_output(part) for part in (*parts(marked(content), _PART), sources(content)) if part.strip()]
    for block in content:
        if isinstance(block, Document) and block.uri:
            outputs.append(text_output(f"A document: <{block.uri}>"))
        elif not isinstance(block, Text | Image):
            outputs.append(raw_output(ModelOutput((block,))))
    return outputs


_TITLE = re.compile(r"title\(\s*+[rf]?(?:\"([^\"\n{]{1,120})\"|'([^'\n{]{1,120})')")


def _title(code: str) -> str:
    """The last title that the code gives to a figure, as its alternative text."""
    titles = _TITLE.findall(code)
    return "".join(titles[-1]) if titles else ""


def _tail_joined(outputs: list[Output]) -> list[Output]:
    """All that exceeds the limit in one last output."""
    if len(outputs) <= _LIMIT:
        return outputs
    kept, rest = outputs[: _LIMIT - 1], outputs[_LIMIT - 1 :]
    markdown = [output.data.get("text/markdown") or fence(output.plain, "text") for output in rest]
    plain = [output.plain for output in rest]
    return [*kept, Output({"text/markdown": "\n\n".join(markdown), "text/plain": "\n\n".join(plain)})]
