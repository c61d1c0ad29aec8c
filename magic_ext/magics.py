"""``%%gemini_exec`` and ``%gemini``: the traits, the two magics, nothing more. What a cell does is in ``frontend``.

Nothing heavy is imported here: ``%load_ext magic_ext`` must not be felt.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, get_args

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from traitlets import Bool, Dict, Enum, Float, Int, List, TraitError, Unicode

from magic_ext.help import cell_help, line_help
from magic_ext.options import CacheUse, Paste, Run
from magic_ext.runtime.limits import LEAST_MEMORY, LEAST_OUTPUT, LEAST_PROCESSES, LEAST_SECONDS, amount
from magic_ext.wire.request import ThinkingLevel

if TYPE_CHECKING:
    from magic_ext.frontend.asking import Asking
    from magic_ext.frontend.settings import Settings

__all__ = ["GeminiExecMagics", "with_body"]


class _Hidden(str):
    """A text that a listing of the settings does not give away."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'" if self else "''"


class _Key(Unicode[str, str]):
    """A text that `%config GeminiExecMagics` lists as `***`."""

    def validate(self, obj: Any, value: Any) -> str:
        return _Hidden(super().validate(obj, value))


class _HiddenDict(dict[str, str]):
    """Headers whose values a listing of the settings does not give away."""

    def __repr__(self) -> str:
        return repr(dict.fromkeys(self, "***"))


class _Headers(Dict):
    """Headers, which `%config GeminiExecMagics` lists with `***` for their values: one may be a key."""

    def validate(self, obj: Any, value: Any) -> dict[str, str]:
        return _HiddenDict(super().validate(obj, value) or {})


class _Amount(Unicode[str, str]):
    """An amount of bytes as in `512MB`, at least `least` of them, or nothing."""

    def validate(self, obj: Any, value: Any) -> str:
        text: str = super().validate(obj, value)
        try:
            if text:
                amount(text, self.metadata["least"])
        except ValueError as error:
            raise TraitError(f"GeminiExecMagics.{self.name}: {error}.") from None
        return text


@magics_class
class GeminiExecMagics(Magics):
    """The magics and their settings: ``%config GeminiExecMagics.model = "..."``, or in a config file."""

    model = Unicode("", help="The model that answers; empty: Gemini with a key, else offline-planner.").tag(config=True)
    thinking = Enum(["", *get_args(ThinkingLevel)], "", help="How much Gemini thinks; empty: as it likes.").tag(
        config=True
    )
    run = Enum(["", *get_args(Run)], "", help="Where code runs; empty: where the model is.").tag(config=True)
    run_unasked = Bool(False, help="With run = kernel, run a model's code without asking first.").tag(config=True)
    run_seconds = Float(
        None, allow_none=True, min=LEAST_SECONDS, help="How long a block may run; None: 30 s, in your kernel 300 s."
    ).tag(config=True)
    run_memory = _Amount("", help="Memory of isolated code, as in 2GB; empty: 4 GB, or half of a container's.").tag(
        config=True, least=LEAST_MEMORY
    )
    run_processes = Int(150, min=LEAST_PROCESSES, help="How many processes isolated code may have.").tag(config=True)
    run_output = _Amount("1MB", help="How much text a block may print, as in 200KB.").tag(
        config=True, least=LEAST_OUTPUT
    )
    send = Unicode("", help="What leaves: auto, schema, sample, head(N), full; empty: auto, but ask.").tag(config=True)
    deny_columns = List(Unicode(), help="Columns that never leave, with * and ?.").tag(config=True)
    redact = List(Unicode(), help="What is replaced: email, phone, key, card, re:PATTERN.").tag(config=True)
    allow_secrets = Bool(False, help="Send what looks like a key.").tag(config=True)
    paste = Enum(get_args(Paste), "none", help="Code that goes into a new cell by itself.").tag(config=True)
    system = Unicode("", help="An instruction for the model.").tag(config=True)
    timeout = Float(120.0, min=0.001, help="The longest silence to wait through, in seconds.").tag(config=True)
    show_thoughts = Bool(False, help="Show the model's summaries of its thoughts.").tag(config=True)
    code = Bool(True, help="Let the model run code.").tag(config=True)
    cache = Enum(get_args(CacheUse), "use", help="Recorded answers: use, only, refresh or off.").tag(config=True)
    cache_dir = Unicode("", help="The folder of recorded answers; empty: one in your cache folder.").tag(config=True)
    budget = Unicode("", help="What one cell may cost, as in 20k tokens or 0.05usd; empty: no limit.").tag(config=True)
    session_budget = Unicode("5M", help="What a kernel's session may cost, tokens or usd.").tag(config=True)
    search = Bool(False, help="Let Gemini search the web.").tag(config=True)
    tools = List(Unicode(), help="Names of your functions that the model may call.").tag(config=True)
    debug = Bool(False, help="Show the whole traceback of an error.").tag(config=True)
    stream = Bool(True, help="Show the answer while it comes.").tag(config=True)
    background = Bool(False, help="Let the server work by itself; look for the answer.").tag(config=True)
    store = Bool(True, help="Let the server keep questions and answers; False: it keeps nothing.").tag(config=True)
    api_key = _Key("", help="The Gemini API key; better in GEMINI_API_KEY or by %gemini key.").tag(config=True)
    base_url = Unicode("", help="The server; empty: GOOGLE_GEMINI_BASE_URL, else Google's.").tag(config=True)
    local_base_url = Unicode("", help="The server of openai:NAME; empty: OPENAI_BASE_URL.").tag(config=True)
    api_version = Unicode("", help="The version in the server's paths; empty: the package's.").tag(config=True)
    headers = _Headers(help="Further headers for every request.").tag(config=True)

    def __init__(self, shell: Any = None, **kwargs: Any) -> None:
        super().__init__(shell, **kwargs)
        self._asking: Asking | None = None

    @no_var_expand
    @cell_magic
    def gemini_exec(self, line: str, cell: str) -> None:
        """``%%gemini_exec?`` shows the help; it is made from the parser, below this class."""
        self._in_one_line(
            lambda: self.asking.run_cell(line, cell, self._settings()), debug=self.debug or "--debug" in line.split()
        )

    @no_var_expand
    @line_magic
    def gemini(self, line: str) -> None:
        """``%gemini?`` shows the help; it is made from the table of commands, below this class."""
        from magic_ext.frontend.commands import run_command

        self._in_one_line(lambda: run_command(line, self.asking, self._settings()), debug=self.debug)

    @property
    def asking(self) -> Asking:
        """The session's questions; what they need is imported with the first one."""
        if self._asking is None:
            from magic_ext.frontend.asking import Asking

            self._asking = Asking(self.shell)
        return self._asking

    @property
    def conversations(self) -> tuple[str, ...]:
        """The names of the notebook's conversations; before the first question they are read where they are kept."""
        if self._asking is not None:
            return self._asking.conversations.names
        from magic_ext.frontend.kept import kept_file, kept_names
        from magic_ext.frontend.shells import notebook_name

        return kept_names(kept_file(notebook_name(self.shell)))

    def _settings(self) -> Settings:
        from magic_ext.frontend.settings import Settings

        names = Settings.__struct_fields__
        return Settings(**{name: getattr(self, name) for name in names})

    def _in_one_line(self, work: Any, *, debug: bool) -> None:
        from magic_ext.frontend.failure import in_one_line

        in_one_line(work, debug=debug, secrets=self._keys())

    def _keys(self) -> list[str]:
        """Every key there is: none of them may be seen in what goes wrong."""
        names = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "OPENAI_API_KEY")
        environment = [os.environ.get(name, "").strip() for name in names]
        typed = self._asking.composing.typed_key if self._asking is not None else None
        return [self.api_key.strip(), *environment, typed.value if typed is not None else ""]


GeminiExecMagics.gemini_exec.__doc__ = cell_help(GeminiExecMagics.class_traits(config=True))
GeminiExecMagics.gemini.__doc__ = line_help()


def with_body(lines: list[str]) -> list[str]:
    r"""An input transformer: a lone first line gets an empty line below it.

    IPython itself refuses a cell magic without a body, by a ``UsageError``, which sends no ``error`` message.

    >>> with_body(["%%gemini_exec -c\n"]), with_body(["%%time\n"])
    (['%%gemini_exec -c\n', '\n'], ['%%time\n'])
    """
    lone = len(lines) == 1 and lines[0].split()[:1] == ["%%gemini_exec"]
    return [*lines, "\n"] if lone else lines


with_body.has_side_effects = True  # type: ignore[attr-defined]  # else a terminal takes the first line for all of it
