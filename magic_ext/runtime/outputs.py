"""From kernel messages to what the code put out: text, PNG images, one error.

The messages come from a sandbox and may be forged. Only stream text, ``text/plain``, ``image/png`` and errors are
read; HTML, JavaScript, comms, payloads and pickles are not looked at. All sizes are limited here again.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from magic_ext.runtime.limits import in_words

__all__ = ["CUT", "Collector", "plain", "shorten"]

ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
CUT = "[The output was cut here: more than"
MOST_IMAGES = 50
IMAGE_BYTES = 20_000_000
ERROR_CHARACTERS = 20_000
LINE = re.compile(r"^ *Cell In\[\d+\], line (\d+)", re.MULTILINE)


def plain(text: str) -> str:
    r"""Return ``text`` without terminal escape sequences.

    >>> plain("\x1b[31mred\x1b[0m")
    'red'
    """
    return ANSI.sub("", text)


def shorten(text: str, size: int) -> str:
    r"""Cut the middle out of ``text`` if it is longer than ``size`` characters; an error's end says most.

    >>> shorten("abcdefgh", 4)
    'a\n[...]\nfgh'
    """
    if len(text) <= size:
        return text
    head = size // 4
    return f"{text[:head]}\n[...]\n{text[head - size :]}"


class Collector:
    """Gathers the outputs of one execution and hands each on as it comes."""

    def __init__(self, output_bytes: int, emit: Callable[[str | bytes], None]) -> None:
        self._size = self._left = output_bytes
        self._image_left = IMAGE_BYTES
        self._emit = emit
        self._texts: list[str] = []
        self._cut = False
        self.images: list[bytes] = []
        self.error = self.exception = ""
        self.line: int | None = None

    @property
    def output(self) -> str:
        """All text so far."""
        return "".join(self._texts)

    def add(self, message: dict[str, Any]) -> None:
        """Read one message from the kernel's iopub channel; what is not understood is dropped."""
        content = message.get("content")
        if not isinstance(content, dict):
            return
        match message.get("msg_type"):
            case "stream":
                self._text(content.get("text"))
            case "display_data" | "execute_result":
                self._bundle(content.get("data"))
            case "error":
                self._error(content)

    def _bundle(self, data: object) -> None:
        if not isinstance(data, dict):
            return
        if isinstance(image := data.get("image/png"), str):
            self._image(image)
        elif isinstance(text := data.get("text/plain"), str) and text:
            starts_line = not self._texts or self._texts[-1].endswith("\n")
            self._text(f"{'' if starts_line else chr(10)}{text}\n")

    def _image(self, encoded: str) -> None:
        try:
            image = base64.b64decode(encoded)
        except (binascii.Error, ValueError):
            return
        if not image.startswith(PNG_SIGNATURE):
            return
        if len(self.images) >= MOST_IMAGES or len(image) > self._image_left:
            self._text("[an image was left out: too many or too large]\n")
            return
        self._image_left -= len(image)
        self.images.append(image)
        self._emit(image)

    def _text(self, text: object) -> None:
        if not isinstance(text, str) or not text or self._cut:
            return
        encoded = plain(text).encode(errors="replace")
        kept = encoded[: self._left].decode(errors="ignore")
        self._left -= len(encoded)
        if self._left < 0:
            self._cut = True
            kept += f"\n{CUT} {in_words(self._size)}.]\n"
        if kept:
            self._texts.append(kept)
            self._emit(kept)

    def _error(self, content: dict[str, Any]) -> None:
        lines = content.get("traceback")
        text = "\n".join(str(line).strip("\n") for line in lines) if isinstance(lines, list) else ""
        text = text or f"{content.get('ename', 'Error')}: {content.get('evalue', '')}"
        self.error = shorten(plain(text).strip(), ERROR_CHARACTERS)
        self.exception = str(content.get("ename", ""))
        lines_of_the_code = LINE.findall(self.error)
        self.line = int(lines_of_the_code[-1][:6]) if lines_of_the_code else None
