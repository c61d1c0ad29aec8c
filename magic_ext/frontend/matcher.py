"""The completion's way into IPython, and so into every front end: a matcher (``IPython/core/completer.py``)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher

__all__ = ["matcher_for"]


def matcher_for(
    shell: Any, conversations: Callable[[], Sequence[str]]
) -> Callable[[CompletionContext], SimpleMatcherResult]:
    """A matcher for ``shell``, where ``conversations`` tells their names; what it needs is imported at first use."""

    @context_matcher(identifier="gemini_exec", priority=1000)  # type: ignore[untyped-decorator]
    def gemini_exec_matcher(context: CompletionContext) -> SimpleMatcherResult:
        nothing = SimpleMatcherResult(completions=[], suppress=False)
        if "%gemini" not in context.full_text:
            return nothing
        from magic_ext.frontend.completing import complete

        found = complete(
            context.full_text, context.cursor_line, context.cursor_position, _surroundings(shell, conversations)
        )
        if found is None:
            return nothing
        completions = [SimpleCompletion(text=one.text, type=one.kind) for one in found.found]
        if not completions and found.word:  # IPython silences Python's names only for a matcher that offers something
            completions = [SimpleCompletion(text=found.word, type="text")]
        return SimpleMatcherResult(completions=completions, matched_fragment=found.word, suppress=True, ordered=True)

    return gemini_exec_matcher  # type: ignore[no-any-return]


def _surroundings(shell: Any, conversations: Callable[[], Sequence[str]]) -> Any:
    from magic_ext.costs.prices import known_models
    from magic_ext.engine.models.registry import OFFLINE_PLANNER
    from magic_ext.frontend.completing import Surroundings

    return Surroundings(
        namespace=shell.user_ns,
        hidden=shell.user_ns_hidden,
        folder=Path(),
        models=(OFFLINE_PLANNER, *known_models(), "openai:", "scripted:"),
        conversations=conversations,
    )
