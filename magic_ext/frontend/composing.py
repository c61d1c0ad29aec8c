"""From a cell to a question on its way: what its line and the settings say, where it goes, what it goes on from."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from magic_ext.ask import CacheUse, Course, Question, Tip
from magic_ext.ask.running import Runner
from magic_ext.client.endpoint import Endpoint, Secret
from magic_ext.client.keys import FoundKey, find_key
from magic_ext.costs.budget import Budget, parse_budget
from magic_ext.engine.models.registry import is_embedded
from magic_ext.errors import GeminiExecError
from magic_ext.options import Options
from magic_ext.place import Place, choose_place, no_key
from magic_ext.references.attach import Prepared
from magic_ext.references.grammar import Reference
from magic_ext.references.policy import parse_policy
from magic_ext.references.screen import screen_from

from .consent import Consent
from .permission import Permission
from .replaying import cache_for, recordings_in
from .settings import Settings, endpoint
from .shells import is_live

__all__ = ["Asked", "Composing"]


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a cell says, what holds where it says nothing, and where its conversation stands.

    ``begins`` is the name of a conversation that begins with it; ``left`` what is left of the session's budget.
    """

    prompt: str
    references: tuple[Reference, ...]
    options: Options
    settings: Settings
    tip: Tip | None = None
    begins: str = ""
    left: Budget | None = None


class Composing:
    """Makes the questions of one shell; keeps a key that was typed in, and what the user has allowed."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self.consent = Consent(shell)
        self.permission = Permission(shell)
        self.typed_key: Secret | None = None

    def course(self, asked: Asked) -> Course:
        """The question on its way, once its values may leave; made anew where only a schema may."""
        made = self._course(asked)
        said = asked.options.send or asked.settings.send or asked.options.dry_run == "estimate"
        return self._course(asked) if not said and self.permission.ask(made) else made

    def find_key(self, settings: Settings) -> FoundKey | None:
        """The API key, wherever it is; the keyring is asked only from a front end with a person before it."""
        interactive = is_live(self._shell)
        return find_key(trait=settings.api_key, environ=os.environ, interactive=interactive, typed=self.typed_key)

    def _course(self, asked: Asked) -> Course:
        """Where neither a key nor a model's name is given, any model's recorded answer comes before the planner's."""
        options, settings = asked.options, asked.settings
        place = self._place(options, settings)
        use = _cache_use(asked)
        unnamed = not (options.model or settings.model or options.run or settings.run)
        recorded = use == "only" or (use == "use" and not recordings_in(settings.cache_dir, _cwd).empty)
        if place.endpoint is None and unnamed and recorded:
            try:
                found = self._made(asked, Place(model="", endpoint=endpoint(settings, _NO_KEY)))
                if found.answerable:
                    return found
            except GeminiExecError:  # what can't be sent may still be asked about here
                if use == "only":
                    raise
        made = self._made(asked, place)
        if not (made.answerable or options.dry_run):
            raise no_key(place.model)
        return made

    def _made(self, asked: Asked, place: Place) -> Course:
        question = self._question(asked, place)
        return Course(question, self._shell.user_ns, _cwd(), self._in_kernel(question, asked.settings))

    def _place(self, options: Options, settings: Settings) -> Place:
        model = options.model or settings.model
        return choose_place(
            model=model,
            run=options.run or settings.run,
            endpoint=None if is_embedded(model) else self._endpoint(options, settings),
            local_base_url=settings.local_base_url,
        )

    def _question(self, asked: Asked, place: Place) -> Question:
        options, settings = asked.options, asked.settings
        recordings = recordings_in(settings.cache_dir, _cwd)
        return Question(
            prompt=asked.prompt,
            place=place,
            references=asked.references,
            policy=parse_policy(options.send or settings.send or self.permission.policy(place.name)),
            screen=screen_from(settings.deny_columns, settings.redact),
            allow_secrets=options.allow_secrets or settings.allow_secrets,
            tip=_held_with(place, asked.tip),
            begins=asked.begins,
            code_execution=settings.code and not options.no_code,
            search=options.search or settings.search,
            tools=(*settings.tools, *options.tools),
            thinking=options.thinking or settings.thinking or None,
            show_thoughts=options.show_thoughts or settings.show_thoughts,
            system=options.system or settings.system,
            stream=settings.stream,
            store=settings.store,
            background=options.background or settings.background,
            timeout=options.timeout or settings.timeout,
            budget=parse_budget(options.budget or settings.budget),
            session_budget=asked.left,
            limits=settings.limits,
            cache=cache_for(_cache_use(asked), recordings, asked.prompt, self._shell),
        )

    def _endpoint(self, options: Options, settings: Settings) -> Endpoint | None:
        """The server of Gemini models, ``None`` without a key; a dry run and a recorded answer need none."""
        key = self.find_key(settings)
        replays = (options.cache or settings.cache) in {"use", "only"}
        if key is None and (options.model or settings.model) and (options.dry_run or replays):
            key = _NO_KEY
        return endpoint(settings, key) if key is not None else None

    def _in_kernel(self, question: Question, settings: Settings) -> Callable[[Prepared], Runner]:
        """What runs code in this kernel, made once it is known what is referred to."""

        def runner(prepared: Prepared) -> Runner:
            from .running import InKernel

            before = question.tip.runner if question.tip else None
            return InKernel(
                self._shell,
                self.consent,
                unasked=settings.run_unasked,
                seconds=settings.run_seconds or KERNEL_SECONDS,
                output_bytes=settings.limits.output_bytes,
                lent=prepared.bindings,
                before=before if isinstance(before, InKernel) else None,
            )

        return runner


KERNEL_SECONDS = 300.0  # that a block may run in the user's kernel: it may ask a cluster
_NO_KEY = FoundKey(Secret(""), "")


def _cache_use(asked: Asked) -> CacheUse:
    return "off" if asked.options.dry_run else asked.options.cache or asked.settings.cache


def _held_with(place: Place, tip: Tip | None) -> Tip | None:
    """The tip, if that place knows of it."""
    if tip is not None and tip.place != place.name:
        raise GeminiExecError(
            f"That conversation was held with {tip.place}; {place.name} does not know it.",
            hint="Leave out -c, or choose with -m the model that answered before.",
        )
    return tip


def _cwd() -> Path:
    try:
        return Path.cwd()
    except OSError:
        raise GeminiExecError("This notebook's folder is gone.", hint="Go to another one with %cd.") from None
