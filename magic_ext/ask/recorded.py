"""Recorded answers: by what a question is found again, and which answers are worth keeping.

Only what a model elsewhere answers is recorded. The planner is quicker than a file and always says the same, and a
model server on this computer costs nothing and is sent nothing. Where a model's code runs on this computer, it has to
run there again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from magic_ext.client.recordings import Key, Recording
from magic_ext.errors import GeminiExecError
from magic_ext.references.attach import Prepared
from magic_ext.references.digests import canonical_text, digest, digests
from magic_ext.references.manifest import Manifest
from magic_ext.wire.content import Json
from magic_ext.wire.interaction import Interaction
from magic_ext.wire.request import Request

from .question import Question

__all__ = ["NotRecorded", "Recall", "key_of", "replayed"]


class NotRecorded(GeminiExecError):
    """Only recorded answers may be given, and there is none."""


class Recall:
    """What is known of a question from before: its key, and the ``recording`` that may be given as its answer.

    Raises :class:`NotRecorded` where only a recording may be given and there is none.
    """

    def __init__(self, question: Question, prepared: Prepared, request: Request) -> None:
        self._cache = question.cache
        self._prepared = prepared
        self._model = question.place.model
        self._elsewhere = question.place.endpoint is not None
        known = question.tip is None or bool(question.tip.key)  # else nobody can tell what was said before
        parent = question.tip.key if question.tip else ""
        recorded = self._elsewhere and known and not question.runs_by_call
        self._key = key_of(prepared, request, question.system, parent) if recorded else None
        self.recording = self._found()

    def conversation(self, steps: Sequence[Json]) -> str:
        """The key of the conversation after an answer. Its steps are in it: a new answer makes another conversation."""
        return digest([self._key.question, list(steps)]) if self._key is not None else ""

    def keep(self, interaction: Interaction, steps: Sequence[Json], place: str) -> str:
        """Record a whole answer for the next time; returns what the user should know of that, mostly nothing.

        An answer for which functions of the user's were called is not kept: they would have to be called again.
        """
        recordings, key = self._cache.recordings, self._key
        called = any(step.get("type") == "function_call" for step in steps)
        if key is None or recordings is None or self._cache.use == "off" or self.recording is not None:
            return ""
        if called or interaction.status != "completed":
            return ""
        first = not recordings.swept and recordings.empty
        recording = Recording(
            key=key,
            prompt=self._prepared.prompt,
            references=digests(self._prepared),
            model=self._model,
            place=place,
            interaction=_document(interaction, steps),
        )
        try:
            recordings.keep(recording)
        except GeminiExecError as error:  # the answer is there, and paid for
            return f"{error} {error.hint}"
        folder = str(recordings.folder)
        return f"Answers are recorded in {folder!r}; they may quote your data: read before you commit." if first else ""

    def _found(self) -> Recording | None:
        recordings = self._cache.recordings
        if not self._elsewhere or recordings is None or self._cache.use not in {"use", "only"}:
            return None
        found = None
        if self._key is not None:
            found = recordings.find(self._key) if self._model else recordings.find_any(self._key)
        if found is None and self._cache.use == "only":
            raise NotRecorded(
                f"{self._cache.cell} has no recorded answer in {str(recordings.folder)!r}.",
                hint="Prompt, data, model or options are not those of a recording; --cache use asks and records.",
            )
        return found


def key_of(prepared: Prepared, request: Request, system: str, parent: str) -> Key:
    """The key of a question that is prepared for a model elsewhere; ``parent`` is the conversation's so far.

    Where it is asked, how the answer travels, what the server keeps and what it may cost say nothing about the answer;
    nor do this package's own instructions, which change from version to version.
    """
    question = digest([canonical_text(prepared.prompt), digests(prepared), parent])
    options = [request.code_execution, request.google_search, request.thinking_level, request.thinking_summaries]
    full = digest([question, request.model, options, list(request.functions), canonical_text(system)])
    return Key(question, full)


def replayed(manifest: Manifest) -> Manifest:
    """The manifest of a question that is answered from a recording: nothing of it leaves this computer."""
    return msgspec.structs.replace(manifest, destination="the recorded answers", remote=False, replayed=True)


def _document(interaction: Interaction, steps: Sequence[Json]) -> Json:
    """An answer as one document, in the form of a server that answers whole."""
    told = {name: interaction.raw[name] for name in _TOLD if name in interaction.raw}
    return {**told, "status": interaction.status, "usage": msgspec.to_builtins(interaction.usage), "steps": list(steps)}


_TOLD = ("id", "object", "model", "created", "updated")
