"""Plain text for IPython in a terminal: text as it comes, code and results under a line, figures as files."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TextIO

from magic_ext.frontend.bundles import Footer, footer_output, image_output, receipt_output, shortened
from magic_ext.frontend.citations import marked, quoted_sources
from magic_ext.frontend.layout import closing_notes, layout
from magic_ext.markdown import visible
from magic_ext.references.manifest import Manifest
from magic_ext.wire.content import Image
from magic_ext.wire.steps import CodeExecutionCall, CodeExecutionResult, ModelOutput, Step, UserInput

__all__ = ["Terminal"]


class Terminal:
    """Writes to ``stream`` (the standard output by default); nothing is ever written twice."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream
        self._written: dict[int, int] = {}
        self._ended: set[int] = set()
        self._figure = 0
        self._folder: Path | None = None

    def start(self, manifest: Manifest) -> None:
        """Say what the question carries."""
        self._write(receipt_output(manifest).plain + "\n\n")

    def status(self, text: str) -> None:
        """Nothing: a line that changes would be in the way of the text."""

    def update(self, index: int, snapshot: Callable[[], Step], done: bool) -> None:
        """Write what a text has grown by, and any other step when it is done."""
        if index not in self._ended:
            self._step(index, snapshot(), done)

    def flush(self) -> None:
        """Nothing: what is whole is written already."""

    def finish(self, footer: Footer, steps: Sequence[Step]) -> None:
        """Write what is left, and the footer."""
        self.abandon("", footer, steps)

    def abandon(self, note: str, footer: Footer, steps: Sequence[Step]) -> None:
        """Write what is left, the note and the footer."""
        for index, step in enumerate(steps):
            if index not in self._ended:
                self._step(index, step, done=True)
        closing = [*closing_notes(steps, footer, note), footer_output(footer, live=True).plain]
        self._write("".join(f"{visible(line)}\n" for line in closing))

    def _step(self, index: int, step: Step, done: bool) -> None:
        match step:
            case UserInput():
                return
            case ModelOutput(content):
                # Citations come when the text is written already (wire.md section 3.3): marks go where nothing is yet.
                written = self._written.get(index, 0)
                text = visible(step.text if written or not done else marked(content))
                self._write(text[written:])
                self._written[index] = len(text)
            case _ if not done:
                return
            case CodeExecutionCall(_, code, language):
                self._write(f"--- {visible(language)} ---\n{visible(code).rstrip()}\n")
            case CodeExecutionResult(_, _, is_error):
                printed = shortened(visible(step.text).rstrip("\n"), "_gemini.results")
                self._write(f"--- {'the code failed' if is_error else 'result'} ---\n{printed}\n---\n")
            case _:
                self._write("".join(f"{output.plain}\n" for output in layout([step])))
        if done:
            self._ended.add(index)
            if isinstance(step, ModelOutput):
                self._write("\n\n" if step.text else "")
                self._write(f"{visible(pages)}\n\n" if (pages := quoted_sources(step.content)) else "")
            if isinstance(step, ModelOutput | CodeExecutionResult):
                self._figures(step)

    def _figures(self, step: ModelOutput | CodeExecutionResult) -> None:
        for image in step.content:
            if not isinstance(image, Image):
                continue
            output = image_output(image, self._figure)
            self._figure += 1
            kind = next((kind for kind in output.data if kind.startswith("image/")), "")
            if not kind:
                self._write(f"{output.plain}\n")
                continue
            self._folder = self._folder or Path(tempfile.mkdtemp(prefix="gemini-exec-"))
            path = self._folder / f"figure-{self._figure}.{kind.removeprefix('image/')}"
            path.write_bytes(image.content)
            self._write(f"[Figure {self._figure}: {path}]\n")

    def _write(self, text: str) -> None:
        stream = self._stream or sys.stdout
        stream.write(text)
        stream.flush()
