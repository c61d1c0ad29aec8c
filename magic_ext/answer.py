"""The answer to a question: what a cell returns and what stands under ``_gemini``."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import msgspec

from magic_ext.references.manifest import Manifest
from magic_ext.wire.content import Image, Json, decode_contents, text_of
from magic_ext.wire.steps import (
    CodeExecutionCall,
    CodeExecutionResult,
    FunctionCall,
    FunctionResult,
    ModelOutput,
    Step,
    output_text,
)
from magic_ext.wire.usage import Usage

if TYPE_CHECKING:
    from PIL.Image import Image as PILImage

__all__ = ["Answer", "Attempt", "Call", "Picture", "printed"]


class Attempt(msgspec.Struct, frozen=True):
    """One block of code with what it printed; ``failed`` when it ended in an error."""

    code: str
    result: str
    failed: bool


class Call(msgspec.Struct, frozen=True):
    """A call of one of the user's functions; ``result`` is what the model was told of what it returned or raised.

    ``failed`` when it raised. ``seconds`` is ``None`` where nobody measured.
    """

    name: str
    arguments: Json
    result: str
    failed: bool = False
    seconds: float | None = None


def printed(results: Iterable[CodeExecutionResult]) -> str:
    r"""What the results of one call printed, each on lines of its own.

    >>> from magic_ext.wire.content import Text
    >>> printed([CodeExecutionResult("c", (Text("1"),)), CodeExecutionResult("c", (Text("ZeroDivisionError"),), True)])
    '1\nZeroDivisionError'
    """
    text = ""
    for result in results:
        text += "\n" if text and result.text and not text.endswith("\n") else ""
        text += result.text
    return text


class Picture(bytes):
    """The bytes of an image (PNG unless the model says otherwise), shown as an image, a PIL image on demand."""

    def pil(self) -> PILImage:
        """The picture as a PIL image; raises ``ImportError`` where Pillow is not installed."""
        import io

        import PIL.Image

        return PIL.Image.open(io.BytesIO(self))

    def _repr_png_(self) -> bytes | None:
        return bytes(self) if self.startswith(b"\x89PNG") else None

    def _repr_jpeg_(self) -> bytes | None:
        return bytes(self) if self.startswith(b"\xff\xd8") else None

    def __repr__(self) -> str:
        return f"<picture, {len(self):,} bytes>"


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What came back for one question.

    ``place`` says where the code ran (``"your kernel"``, ``"Google's sandbox"``); ``sent`` is the manifest of what
    the question carried; ``status`` is the interaction's (``completed``, ``incomplete``, ``failed``, ...) or
    ``interrupted``.
    ``steps`` holds everything, in order; the properties are readings of it. ``call_seconds`` are those that the user's
    functions took, in the order of their results.
    """

    steps: tuple[Step, ...]
    sent: Manifest
    usage: Usage = Usage()
    interaction_id: str = ""
    model: str = ""
    place: str = ""
    status: str = "completed"
    seconds: float = 0.0
    call_seconds: tuple[float, ...] = ()

    @property
    def text(self) -> str:
        """The model's words, in Markdown."""
        return output_text(self.steps)

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Each block of code with its printed result, in order."""
        return tuple(
            Attempt(
                step.code,
                printed(self._results(step, position)),
                any(result.is_error for result in self._results(step, position)),
            )
            for position, step in enumerate(self.steps)
            if isinstance(step, CodeExecutionCall)
        )

    @property
    def code(self) -> list[str]:
        """The blocks of code that ran, in order, failed attempts included."""
        return [attempt.code for attempt in self.attempts]

    @property
    def results(self) -> list[str]:
        """What each block of :attr:`code` printed."""
        return [attempt.result for attempt in self.attempts]

    @property
    def calls(self) -> tuple[Call, ...]:
        """The calls of the user's functions that the model asked for and got an answer to, in order.

        >>> asked = FunctionCall("f1", "weather", {"city": "Kyiv"}), FunctionResult("f1", "weather", "-3 degrees")
        >>> sent = Manifest(destination="Google", remote=True, prompt_bytes=0, prompt_tokens=0)
        >>> Answer(steps=asked, sent=sent, call_seconds=(0.5,)).calls
        (Call(name='weather', arguments={'city': 'Kyiv'}, result='-3 degrees', failed=False, seconds=0.5),)
        """
        asked = {step.id: step for step in self.steps if isinstance(step, FunctionCall)}
        results = [step for step in self.steps if isinstance(step, FunctionResult)]
        return tuple(
            Call(result.name or call.name, call.arguments, _told(result), result.is_error, seconds)
            for result, seconds in itertools.zip_longest(results, self.call_seconds[: len(results)])
            for call in [asked.get(result.call_id, FunctionCall())]
        )

    @property
    def images(self) -> list[Picture]:
        """The figures and pictures that came back, wherever they stood (wire.md section 2.5)."""
        return [
            Picture(block.content)
            for step in self.steps
            if isinstance(step, ModelOutput | CodeExecutionResult)
            for block in step.content
            if isinstance(block, Image) and block.content
        ]

    def _results(self, call: CodeExecutionCall, position: int) -> list[CodeExecutionResult]:
        # A server may leave the call id out (seen from others); the results then are those right behind the call.
        if call.id:
            return [s for s in self.steps if isinstance(s, CodeExecutionResult) and s.call_id == call.id]
        following: list[CodeExecutionResult] = []
        for step in self.steps[position + 1 :]:
            if not isinstance(step, CodeExecutionResult):
                break
            following.append(step)
        return following

    def __repr__(self) -> str:
        model = self.model or "an unnamed model"
        return f"<Answer by {model}: {len(self.text)} characters, {len(self.code)} code, {len(self.images)} images>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        from magic_ext.markdown import fence, neutralise, visible

        pieces: list[tuple[str, str]] = []
        for position, step in enumerate(self.steps):
            match step:
                case ModelOutput() if step.text:
                    pieces.append((neutralise(step.text), visible(step.text)))
                case CodeExecutionCall(_, code, language):
                    pieces.append((fence(code, language), visible(code)))
                    if text := printed(self._results(step, position)):
                        pieces.append((fence(text, "text"), visible(text)))
                case _:
                    pass
        markdown, plain = zip(*pieces, strict=True) if pieces else ((), ())
        return {"text/markdown": "\n\n".join(markdown), "text/plain": "\n\n".join(plain) or repr(self)}


def _told(result: FunctionResult) -> str:
    """What a function's result says to the model, in words; a picture has none."""
    if isinstance(result.result, str | list | None):
        return text_of(decode_contents(result.result))
    return msgspec.json.encode(result.result).decode()
