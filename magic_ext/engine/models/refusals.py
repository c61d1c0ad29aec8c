"""What a chat server's error means, and what to do: each server words it in its own way.

The words were seen with llama.cpp, or read in the trackers of LM Studio, Ollama and vLLM.
"""

from __future__ import annotations

import re

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.wire.content import Json

from .completions import one_line, text_in
from .servers import SERVERS, SETTINGS, LocalServer

__all__ = ["TooLong", "complaint_in", "refusal"]

_OVERFLOW = re.compile(
    r"exceed_context_size|context[ _](length|size|window)|maximum (context|model length)|n_ctx\b"
    r"|max_tokens must be at least 1, got -",  # vLLM, whose prompt left no room for an answer
    re.IGNORECASE,
)
_PICTURES = re.compile(
    r"image input|not support (images?|vision)|not a multimodal|mmproj|image\(s\)|no vision|vision model", re.IGNORECASE
)
_FORMAT = re.compile(r"response_format|json_schema|grammar", re.IGNORECASE)


class TooLong(GeminiExecError):
    """The conversation does not fit into the model's context window.

    >>> print(TooLong("qwen3:8b", "about 9,000 tokens, it holds 4,096"))
    The conversation does not fit into the context window of qwen3:8b (about 9,000 tokens, it holds 4,096).
    """

    def __init__(self, model: str, said: str) -> None:
        super().__init__(
            f"The conversation does not fit into the context window of {model} ({said}).",
            hint="Refer to fewer things or columns (@table[one, two]), ask anew without -c, or give the model a longer "
            "one: llama-server -c 32768, OLLAMA_CONTEXT_LENGTH=32768 ollama serve, LM Studio's Context Length.",
        )


def refusal(model: str, server: LocalServer, status: int | None, complaint: str) -> GeminiExecError:
    """The error for what a server said, by its status and its words."""
    if len(server.key) >= 8:
        complaint = complaint.replace(server.key, "***")
    said = one_line(complaint) or "no reason given"
    if _OVERFLOW.search(said):
        return TooLong(model, said)
    if _PICTURES.search(said):
        return GeminiExecError(
            f"{model} takes no pictures ({said}).",
            hint="Leave the picture out and ask anew without -c, or load a model that sees; in llama.cpp it needs its "
            "projector, --mmproj FILE.",
        )
    answered = "stopped with an error" if status in {None, 200} else f"answered {status}"
    return GeminiExecError(f"{model} at {server.host} {answered}: {said}", hint=_hint(status, said))


def _hint(status: int | None, said: str) -> str:
    if _FORMAT.search(said):
        return "This server does not take such a response_format: ask for JSON in the question, or use another server."
    if status in {401, 403}:
        return "Set OPENAI_API_KEY to the key that this server wants."
    if status in {404, 405}:
        return f"Check the model's name (%gemini models lists them), and {SETTINGS}: {SERVERS}."
    return "The server's own log may tell more."


def complaint_in(document: Json | None) -> str:
    """What an error document says, ``""`` if it is none; the servers have five ways to write one."""
    document = document or {}
    error = document.get("error")
    if isinstance(error, dict):
        said = [text_in(error.get(field)) for field in ("message", "type", "code")]
        return ", ".join(filter(None, said)) or "an error without a message"
    if document.get("object") == "error":
        error = document.get("message") or "an error without a message"
    found = error or document.get("error_message") or document.get("detail")
    return found if isinstance(found, str) else msgspec.json.encode(found).decode() if found else ""
