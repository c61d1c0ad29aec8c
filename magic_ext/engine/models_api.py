"""The models' paths: list, get, countTokens (wire.md section 6)."""

from __future__ import annotations

from typing import Any

from magic_ext.wire.content import Document, Image, Json, Text
from magic_ext.wire.steps import UserInput

from .accounting import tokens_read
from .errors import bad_request, not_found
from .exchange import Call, Reply, decoded, json_reply
from .files import Files
from .inputs import check_addresses, size_of
from .service import Engine

__all__ = ["models_reply"]

_ATTACHED = ("inlineData", "inline_data", "fileData", "file_data")


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
        return json_reply(_counted(decoded(call.body), engine.files))
    raise not_found(f"There is no {call.method} {call.path} here.")


def _counted(body: object, files: Files) -> Json:
    """Estimated tokens of ``contents`` in generateContent's shape, the only one that the call knows."""
    asked: Any = body.get("generateContentRequest", body) if isinstance(body, dict) else None
    contents = asked.get("contents") if isinstance(asked, dict) else None
    if not isinstance(contents, list) or not contents:
        raise bad_request("The parameter 'contents' is required.")
    if isinstance(instruction := asked.get("systemInstruction"), dict):
        contents = [instruction, *contents]
    parts: list[Any] = [
        part for content in contents if isinstance(content, dict) for part in content.get("parts") or ()
    ]
    step = UserInput(tuple(_block(part) for part in parts if isinstance(part, dict)))
    check_addresses([step], files, local=False)
    read = tokens_read([step], lambda block: size_of(block, files))
    details = [{"modality": kind.upper(), "tokenCount": count} for kind, count in read.items() if count]
    return {"totalTokens": sum(read.values()), "promptTokensDetails": details}


def _block(part: Json) -> Text | Image | Document:
    given = next((found for name in _ATTACHED if isinstance(found := part.get(name), dict)), None)
    if given is None:
        return Text(str(part.get("text", "")))
    data, uri, mime_type = (given.get(name) for name in ("data", "fileUri", "mimeType"))
    kind = Image if str(mime_type or given.get("mime_type")).startswith("image/") else Document
    return kind(data=str(data or ""), uri=str(uri or given.get("file_uri") or "") or None)


def _model(name: str) -> Json:
    return {
        "name": f"models/{name}",
        "displayName": name,
        "description": "Served by gemini-exec on this computer.",
        "inputTokenLimit": 1048576,
        "outputTokenLimit": 65536,
        "supportedGenerationMethods": ["createInteraction", "countTokens"],
    }
