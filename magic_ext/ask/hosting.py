"""Where the data of a question go, and what runs its code there: a server, an isolated kernel, or the user's own."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from magic_ext.engine.embedded import Handover
from magic_ext.engine.models.registry import OFFLINE_PLANNER
from magic_ext.errors import GeminiExecError
from magic_ext.references.attach import Here, Local, Prepared, Remote
from magic_ext.wire.content import ARROW, Document

from .isolated import Isolated
from .question import Question
from .running import CodeRuns, Runner

__all__ = ["InKernel", "code_runs", "destination", "is_withheld"]

InKernel = Callable[[Prepared], Runner]
"""Makes what runs code in the user's own kernel, given what the question refers to."""

_handover = Handover()
_NOT_IN_MEMORY = re.compile(r"(dask|duckdb|ibis|pyspark|sqlframe|sqlite)\b|polars LazyFrame")


def destination(question: Question) -> Remote | Local | Here:
    """Who gets what is referred to: the model's server, a kernel of this computer, or nobody."""
    endpoint = question.place.endpoint
    if question.runs_by_call and question.place.model != OFFLINE_PLANNER:  # which plans by the columns' values
        folder = None if question.place.run == "kernel" else _handover.folder()
        return Here(endpoint.host if endpoint is not None else "", folder)
    if endpoint is not None:
        return Remote(endpoint.host, question.tip.files if question.tip else 0)
    return Local(_handover.folder())


def is_withheld(question: Question, prepared: Prepared) -> bool:
    """Whether nothing that code prints goes to the model; a conversation that withheld it goes on so."""
    return prepared.withheld or (question.tip is not None and question.tip.withheld)


def code_runs(question: Question, prepared: Prepared, in_kernel: InKernel | None) -> CodeRuns | None:
    """What runs the model's code on this computer, ``None`` where its server does.

    Raises :class:`GeminiExecError` where what may not leave could not be kept from going out.
    """
    if not question.runs_by_call:
        return None
    before = question.tip.runner if question.tip else None
    if question.place.run == "local":
        runner: Runner = Isolated(
            prepared.here, before if isinstance(before, Isolated) else None, limits=question.limits
        )
    elif in_kernel is not None:
        _check_columns(question)
        _check_planner(question, prepared)
        runner = in_kernel(prepared)
    else:
        raise GeminiExecError("There is no kernel to run code in.", hint="Use --run local.")
    return CodeRuns(
        runner,
        withheld=is_withheld(question, prepared),
        remote=question.place.endpoint is not None,
        screen=question.screen,
    )


def _check_columns(question: Question) -> None:
    """Code in the user's kernel reaches every column; even under ``schema`` the shape of what it makes can tell one."""
    if question.place.endpoint is not None and question.screen.columns:
        raise GeminiExecError(
            "GeminiExecMagics.deny_columns can't be kept from code that runs in your kernel.",
            hint="Use --run local: its kernel gets the data without those columns.",
        )


def _check_planner(question: Question, prepared: Prepared) -> None:
    """The planner's code takes its table whole, by its name or by the path that it was told: both have to be there."""
    if question.place.model != OFFLINE_PLANNER:
        return
    far = [f"@{entry.name} is a {entry.kind}" for entry in prepared.entries if _NOT_IN_MEMORY.match(entry.kind)]
    for document in (content for content in prepared.contents if isinstance(content, Document)):
        path = Path(url2pathname(urlsplit(document.uri or "").path))
        if document.mime_type != ARROW and Path(document.name or "").resolve() != path.resolve():
            far.append(f"{document.name} does not lie below this folder")
    if far:
        raise GeminiExecError(
            f"{OFFLINE_PLANNER} computes in your kernel with frames in memory and files below its folder; {far[0]}.",
            hint="Ask another model with -m: its code runs on the data where they are.",
        )
