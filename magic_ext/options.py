"""The options of ``%%gemini_exec`` and the commands of ``%gemini``: the tables of which all else is made.

Parser, help, completion and documentation come from them.
"""

from __future__ import annotations

import difflib
import keyword
import re
from typing import Any, Literal, get_args

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.wire.request import ThinkingLevel

__all__ = [
    "COMMANDS",
    "OPTIONS",
    "BadOption",
    "CacheUse",
    "Command",
    "Option",
    "Options",
    "Paste",
    "Run",
    "options_table",
    "parse_options",
]

Run = Literal["google", "local", "kernel"]
CacheUse = Literal["use", "only", "refresh", "off"]
Paste = Literal["last", "all", "none"]


class BadOption(GeminiExecError):
    """The magic's line has an option or a word that it can't have."""


class Option(msgspec.Struct, frozen=True, kw_only=True):
    """One option: its flags, the field of :class:`Options` that it sets, and what it takes.

    ``value`` names what it takes (``""`` for a switch); with ``bare`` the value may be left out, and where it is given
    it needs ``=``, so that ``-c @sales`` means what it says. With ``many`` it may be given several times.
    """

    flags: tuple[str, ...]
    field: str
    help: str
    value: str = ""
    choices: tuple[str, ...] = ()
    bare: str | None = None
    many: bool = False

    @property
    def usage(self) -> str:
        """How it is written, such as ``-m, --model NAME``."""
        value = "|".join(self.choices) or self.value
        if not value:
            return ", ".join(self.flags)
        return ", ".join(self.flags) + (f"[={value}]" if self.bare is not None else f" {value}")


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """One command of ``%gemini``, and what may stand behind it."""

    name: str
    help: str
    argument: str = ""

    @property
    def usage(self) -> str:
        """How it is written, such as ``paste [N ...]``."""
        return f"{self.name} {self.argument}".rstrip()


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """What a cell's first line asked for; ``None`` where it said nothing, so that the trait decides."""

    model: str | None = None
    thinking: str | None = None
    conversation: str | None = None
    new: bool = False
    run: str | None = None
    send: str | None = None
    allow_secrets: bool = False
    paste: str | None = None
    out: str | None = None
    dry_run: str | None = None
    cache: CacheUse | None = None
    budget: str | None = None
    search: bool | None = None
    tools: tuple[str, ...] = ()
    system: str | None = None
    timeout: float | None = None
    background: bool = False
    show_thoughts: bool | None = None
    no_code: bool | None = None
    debug: bool | None = None


OPTIONS: tuple[Option, ...] = (
    Option(
        flags=("-m", "--model"),
        field="model",
        value="NAME",
        help="the model that answers: a Gemini model, `offline-planner`, `openai:NAME`, or a replayed `scripted:FILE`",
    ),
    Option(
        flags=("--thinking",),
        field="thinking",
        value="LEVEL",
        choices=get_args(ThinkingLevel),
        help="how much Gemini thinks first",
    ),
    Option(
        flags=("-c", "--continue"),
        field="conversation",
        value="NAME",
        bare="",
        help="go on with the last answer, with the conversation NAME, or from the answer of that id",
    ),
    Option(flags=("--new",), field="new", help="begin a new conversation, though the cell went on from one before"),
    Option(
        flags=("--run",),
        field="run",
        value="PLACE",
        choices=get_args(Run),
        help="where code runs: Google's sandbox, isolated on this computer, or in your own kernel after a yes",
    ),
    Option(
        flags=("--send",),
        field="send",
        value="POLICY",
        help="what leaves of a table: `auto`, `schema`, `sample`, `head(N)` or `full`; a reference's own policy wins",
    ),
    Option(
        flags=("--allow-secrets",),
        field="allow_secrets",
        help="send what looks like a key too, which else stops the cell",
    ),
    Option(
        flags=("--paste",),
        field="paste",
        value="WHICH",
        choices=get_args(Paste),
        bare="last",
        help="put the code into a new cell below: the last block, or all",
    ),
    Option(flags=("-o", "--out"), field="out", value="NAME", help="keep the answer in the variable NAME"),
    Option(
        flags=("--dry-run",),
        field="dry_run",
        value="HOW",
        choices=("estimate", "count"),
        bare="estimate",
        help="show the request, its tokens and what it may cost, and send nothing; with `=count` Google counts the"
        " tokens, for which it gets the content",
    ),
    Option(
        flags=("--budget",),
        field="budget",
        value="AMOUNT",
        help="what the cell may cost, `20k` tokens or `0.05usd`: a larger question is not sent, an answer is cut there",
    ),
    Option(
        flags=("--search",), field="search", help="let Gemini search the web; the pages it cites stand below the text"
    ),
    Option(
        flags=("--tool",),
        field="tools",
        value="NAME",
        many=True,
        help="let the model call your function NAME, which runs here; may be given several times",
    ),
    Option(flags=("--system",), field="system", value="TEXT", help="an instruction for the model, for this cell"),
    Option(
        flags=("--cache",),
        field="cache",
        value="USE",
        choices=get_args(CacheUse),
        help="a recorded answer: `use` it, give `only` those, `refresh` it by asking again, or `off`",
    ),
    Option(flags=("--timeout",), field="timeout", value="SECONDS", help="the longest silence to wait through (120)"),
    Option(
        flags=("--background",),
        field="background",
        help="let the server work by itself and look for the answer every few seconds, for a very long question",
    ),
    Option(flags=("--show-thoughts",), field="show_thoughts", help="show the model's summaries of its thoughts"),
    Option(flags=("--no-code",), field="no_code", help="don't let the model run code"),
    Option(flags=("--debug",), field="debug", help="show the whole traceback of an error"),
)

COMMANDS: tuple[Command, ...] = (
    Command(
        name="paste",
        argument="[N ...]",
        help="put the last answer's code, or its blocks N, into new cells",
    ),
    Command(name="usage", help="tokens of this session and what they cost, by cell and by model"),
    Command(
        name="history",
        argument="[ids]",
        help="what was asked here, which question went on from which, what is out of date; ids are for -c=ID",
    ),
    Command(name="models", help="the models that can be asked"),
    Command(name="key", help="type in an API key, for this session"),
    Command(name="doctor", help="what is here, what is missing and the command that mends it, where things are kept"),
    Command(
        name="forget",
        help="delete what is kept, here and at the server, and what you have allowed, after a yes",
    ),
)

_BY_FLAG = {flag: option for option in OPTIONS for flag in option.flags}
_TOKEN = re.compile(r"""(?:"[^"]*"|'[^']*'|[^\s"'])+|["'].*""")


def parse_options(line: str) -> Options:
    """Read the options of a magic's line, references already taken out; raises :class:`BadOption`.

    >>> parse_options('-m gemini-3-flash-preview -c --system "Be brief." --paste=all').paste
    'all'
    >>> parse_options("--tool weather --tool=route").tools
    ('weather', 'route')
    >>> parse_options("--modle x")
    Traceback (most recent call last):
    magic_ext.options.BadOption: There is no option --modle.
    """
    given: dict[str, Any] = {}
    tokens = _TOKEN.findall(line)[::-1]
    while tokens:
        flag, equals, value = tokens.pop().partition("=")
        option = _option(flag)
        if option.field in given and not option.many:
            raise BadOption(f"{flag} is given twice.", hint="Leave one of them out.")
        if equals:
            chosen: Any = _checked(option, flag, _unquoted(value))
        elif not option.value:
            chosen = True
        elif option.bare is not None:
            chosen = option.bare
        elif not tokens or tokens[-1] in _BY_FLAG:
            raise BadOption(f"{flag} needs a value.", hint=f"Write {option.usage}.")
        else:
            chosen = _checked(option, flag, _unquoted(tokens.pop()))
        given[option.field] = (*given.get(option.field, ()), chosen) if option.many else chosen
    return Options(**given)


def options_table() -> str:
    """The options as a Markdown table, for the help and the README."""
    rows = (f"| `{option.usage.replace('|', chr(92) + '|')}` | {option.help} |" for option in OPTIONS)
    return "\n".join(("| option | what it does |", "| --- | --- |", *rows))


def _option(flag: str) -> Option:
    if flag in _BY_FLAG:
        return _BY_FLAG[flag]
    if not flag.startswith("-"):
        raise BadOption(
            f"{flag!r} on the first line is neither an option nor a @reference.",
            hint="The question goes on the lines below.",
        )
    near = _near(flag)
    hint = f"Did you mean {' or '.join(near)}?" if near else "%%gemini_exec? lists them."
    raise BadOption(f"There is no option {flag}.", hint=hint)


def _near(flag: str) -> list[str]:
    """The options that a misspelt one may mean: those that it begins, else those spelt much like it.

    >>> _near("--modle"), _near("--th"), _near("-contineu")
    (['--model'], ['--thinking'], ['--continue'])
    """
    word = flag.lstrip("-")
    names = {known.removeprefix("--"): known for known in _BY_FLAG if known.startswith("--")}
    begun = [name for name in names if word and name.startswith(word)]
    return [names[name] for name in begun or difflib.get_close_matches(word, names, n=2, cutoff=0.7)]


def _checked(option: Option, flag: str, value: str) -> str | float:
    if not option.value:
        raise BadOption(f"{flag} takes no value.", hint=f"Write {option.usage}.")
    if not value:
        raise BadOption(f"{flag} needs a value.", hint=f"Write {option.usage}.")
    if option.choices and value not in option.choices:
        raise BadOption(f"{flag} can't be {value!r}.", hint=f"It can be {', '.join(option.choices)}.")
    if option.field == "out" and (not value.isidentifier() or keyword.iskeyword(value)):
        raise BadOption(f"{flag} {value!r} is not a variable's name.", hint="Use letters, digits and _.")
    return _seconds(flag, value) if option.field == "timeout" else value


def _seconds(flag: str, value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise BadOption(f"{flag} can't be {value!r}.", hint="It takes a number of seconds above 0.")
    return seconds


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    if value[:1] in {'"', "'"}:
        raise BadOption(
            f"The quotation mark before {value[1:13]!r} is never closed.", hint=f"Add a {value[0]} after it."
        )
    return value
