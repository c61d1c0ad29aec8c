"""The models' paths: list, get, countTokens (wire.md section 6)."""

from __future__ import annotations

from typing import Any

from magic_ext.wire.content import Document, Image, Json, Text
from magic_ext.wire.steps import UserInput

from .accounting import estimate
from .errors import bad_request, not_found
from .exchange import Call, Reply, decoded, json_reply
from .service import Engine

__all__ = ["models_reply"]


def models_reply(engine: Engine, call: Call, name: list[str]) -> Reply:
    """List the models, show one, or count the tokens of some contents for it."""
    if call.method == "GET" and not name:
        return json_reply({"models": [_model(known) for known in engine.models.names]})
    wanted, _, action = "/".join(name).partition(":")
    if not engine.serves(wanted):
        raise not_found(f"The model '{wanted}' is not served here.", "model_not_found")
    if call.method == "GET" and not action:
        return json_reply(_model(wanted))
    if call.method == "POST" and action == "countTokens":
        return json_reply({"totalTokens": _count(decoded(call.body))})
    raise not_found(f"There is no {call.method} {call.path} here.")


def _count(body: object) -> int:
    """Estimated tokens of ``contents`` in generateContent's shape, the only one that the call knows."""
    contents = body.get("contents") if isinstance(body, dict) else None
    if not isinstance(contents, list) or not contents:
        raise bad_request("The parameter 'contents' is required.")
    parts: list[Any] = [
        part for content in contents if isinstance(content, dict) for part in content.get("parts") or ()
    ]
    blocks = tuple(_block(part) for part in parts if isinstance(part, dict))
    return int(estimate([UserInput(blocks)], (), 1)["total_input_tokens"])


def _block(part: Json) -> Text | Image | Document:
    inline = part.get("inlineData") or part.get("inline_data")
    if isinstance(inline, dict):
        kind = str(inline.get("mimeType") or inline.get("mime_type") or "")
        return (Image if kind.startswith("image/") else Document)(data=str(inline.get("data", "")))
    return Text(str(part.get("text", "")))


def _model(name: str) -> Json:
    return {
        "name": f"models/{name}",
        "displayName": name,
        "description": "Served by gemini-exec on this computer.",
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": ["createInteraction", "countTokens"],
    }
