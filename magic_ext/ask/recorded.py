"""Recorded answers: by what a question is found again, and which answers are worth keeping.

Only what goes to a model elsewhere is recorded. The planner is quicker than a file and always says the same, and a model
server on this computer costs nothing and is sent nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import msgspec

from magic_ext.client.recordings import Key, Recording, Recordings
from magic_ext.errors import GeminiExecError
from magic_ext.references.attach import Prepared
from magic_ext.references.digests import canonical_text, digest, digests
from magic_ext.references.manifest import Manifest
from magic_ext.wire.content import Json
from magic_ext.wire.interaction import Interaction
from magic_ext.wire.request import Request
from magic_ext.wire.steps import FunctionCall, decode_steps

__all__ = [
    "CACHE_USES",
    "Cache",
    "CacheUse",
    "NotRecorded",
    "conversation_key",
    "document_of",
    "find",
    "key_of",
    "record",
    "replayed",
]

CacheUse = Literal["use", "only", "refresh", "off"]
CACHE_USES: tuple[str, ...] = get_args(CacheUse)


class NotRecorded(GeminiExecError):
    """Only recorded answers may be given, and there is none."""


class Cache(msgspec.Struct, frozen=True, kw_only=True):
    """What a cell may do with recorded answers: give them (``use``), nothing else (``only``), ask anew and record
    (``refresh``), or neither (``off``). ``cell`` names the cell to people.
    """

    use: str = "off"
    recordings: Recordings | None = None
    cell: str = "This cell"


def key_of(prepared: Prepared, request: Request, system: str, parent: str) -> Key:
    """The key of a question that is prepared for a model elsewhere; ``parent`` is the conversation's so far.

    Where it is asked, how the answer travels, what the server keeps and what it may cost say nothing about the answer;
    nor do this package's own instructions, which change from version to version.
    """
    question = digest([canonical_text(prepared.prompt), digests(prepared), parent])
    options = [request.code_execution, request.google_search, request.thinking_level, request.thinking_summaries]
    full = digest([question, request.model, options, list(request.functions), canonical_text(system)])
    return Key(question, full)


def conversation_key(key: Key, steps: Sequence[Json]) -> str:
    """The key of a conversation after an answer. Its steps are in it: a new answer makes another conversation.

    >>> conversation_key(Key("q", "f"), []) == conversation_key(Key("q", "g"), [])
    True
    """
    return digest([key.question, list(steps)])


def find(cache: Cache, key: Key, model: str) -> Recording | None:
    """The recorded answer that may be given; without a model's name, one by any model.

    Raises :class:`NotRecorded` where there is none and nothing else may be given.
    """
    if cache.recordings is None or cache.use not in {"use", "only"}:
        return None
    found = cache.recordings.find(key) if model else cache.recordings.find_any(key)
    if found is None and cache.use == "only":
        raise NotRecorded(
            f"{cache.cell} has no recorded answer in {str(cache.recordings.folder)!r}.",
            hint="Prompt, data, model or options are not those of a recording: run it once with --cache use.",
        )
    return found


def replayed(manifest: Manifest) -> Manifest:
    """The manifest of a question that is answered from a recording: nothing of it leaves this computer."""
    return msgspec.structs.replace(manifest, destination="the recorded answers", remote=False, replayed=True)


def record(cache: Cache, key: Key, prepared: Prepared, model: str, place: str, answer: Json) -> str:
    """Keep a whole answer for the next time; returns what the user should know of that, mostly nothing.

    An answer for which functions of the user's were called is not kept: they would have to be called again.
    """
    called = any(isinstance(step, FunctionCall) for step in decode_steps(answer["steps"]))
    if cache.recordings is None or cache.use == "off" or called or answer.get("status") != "completed":
        return ""
    first = not cache.recordings.swept and not cache.recordings.size[0]
    recording = Recording(
        key=key,
        prompt=prepared.prompt,
        references=digests(prepared),
        model=model,
        place=place,
        interaction=answer,
    )
    try:
        cache.recordings.keep(recording)
    except GeminiExecError as error:  # the answer is there and paid for
        return f"{error} {error.hint}"
    folder = str(cache.recordings.folder)
    return (
        f"Answers are recorded in {folder!r}. They may quote your data: read them before you commit." if first else ""
    )


def document_of(interaction: Interaction, steps: Sequence[Json]) -> Json:
    """An answer as one document, in the form of a server that answers whole."""
    told = {name: interaction.raw[name] for name in _TOLD if name in interaction.raw}
    return {**told, "status": interaction.status, "usage": msgspec.to_builtins(interaction.usage), "steps": list(steps)}


_TOLD = ("id", "object", "model", "created", "updated")
