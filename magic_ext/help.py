"""What ``%%gemini_exec?`` and ``%gemini?`` say: made from the parser, the commands, the policies and the settings."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from magic_ext.options import COMMANDS, OPTIONS, Option
from magic_ext.references.policy import POLICIES

__all__ = ["cell_help", "line_help"]

_WIDTH = 96
_UNBROKEN = "\0"  # a space at which no line may break
_EXAMPLES = """\
%%gemini_exec --paste
Mean body mass by species in @penguins, as a bar chart.

%%gemini_exec -c
now by island

%%gemini_exec --dry-run -m gemini-3-flash-preview
Which rows of @sales[city,"unit price"]:head(20) miss the targets in @data/targets.csv?"""
_REFERENCES = (
    ("@sales", "a variable: a table, a text, a number, a dict or list, a figure"),
    ('@sales[city,"unit price"]', "only these columns of it"),
    ('@frames["train"], @model.coef_, @Out[5]', "an element, an attribute, an output"),
    ('@data/targets.csv, @"my file.csv"', "a file: a table, a text, a picture, a PDF"),
    ("@con, @con.trips", "a database by its connection, and a table of it"),
    ("@@", "a plain @"),
)


def cell_help(settings: Mapping[str, Any]) -> str:
    """The help of ``%%gemini_exec``; ``settings`` are the traits by name, whose default values it tells.

    >>> cell_help({}).splitlines()[0]
    'Ask about your data; get text, the code that ran, its results and figures, and the code back in a cell.'
    """
    flags = " ".join(f"[{_short(option)}]".replace(" ", _UNBROKEN) for option in OPTIONS)
    synopsis = _wrapped(f"%%gemini_exec [@REF{_UNBROKEN}...] {flags}", "    ")
    usage = [*(line.replace(_UNBROKEN, " ") for line in synopsis), "Your question, with @references anywhere in it."]
    parts = (
        "Ask about your data; get text, the code that ran, its results and figures, and the code back in a cell.",
        _section("Usage", usage),
        _section("Examples", _EXAMPLES.splitlines()),
        _section("References", _rows(_REFERENCES)),
        _section("What may leave of a reference, written behind it", _rows(POLICIES.items())),
        _section("Options", [line for option in OPTIONS for line in _told(option, settings)]),
        "`_gemini` is the last answer: .text, .code, .results, .images, .calls, .usage, .sent.\n"
        "Every default above is a setting: %config GeminiExecMagics lists them. %gemini? is what else there is.",
    )
    return "\n\n".join(parts)


def line_help() -> str:
    """The help of ``%gemini``."""
    commands = [(f"%gemini {command.usage}", command.help) for command in COMMANDS]
    return "\n\n".join(("What belongs to the answers: %gemini COMMAND.", _section("Commands", _rows(commands))))


def _short(option: Option) -> str:
    """The shortest way to write an option, as in ``-c[=NAME]``."""
    if not option.value:
        return option.flags[0]
    return option.flags[0] + (f"[={option.value}]" if option.bare is not None else f" {option.value}")


def _told(option: Option, settings: Mapping[str, Any]) -> Iterator[str]:
    """One option: how it is written, what it does, and what holds without it."""
    yield option.usage
    default = _default(option, settings)
    said = option.help + (f". Without it: {default}." if default else ".")
    yield from (f"    {line}" for line in _wrapped(said.replace("`", ""), ""))


def _default(option: Option, settings: Mapping[str, Any]) -> str:
    """What holds where the option is not written: its trait's default, in words where that is empty."""
    trait = settings.get(option.field)
    if trait is None or not option.value or option.many:
        return ""
    default = f"{trait.default_value:g}" if isinstance(trait.default_value, float) else str(trait.default_value)
    said = default or str(trait.help).partition("empty: ")[2].rstrip(".")
    return "" if f"({said})" in option.help else said


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, "-" * len(title), *(f"    {line}".rstrip() for line in lines)])


def _rows(pairs: Any) -> list[str]:
    """Two columns, the second one wrapped where it is long."""
    rows = list(pairs)
    width = max(len(left) for left, _ in rows)
    lines = []
    for left, right in rows:
        first, *more = textwrap.wrap(right, _WIDTH - width - 2) or [""]
        lines += [f"{left:{width}}  {first}", *(f"{'':{width}}  {line}" for line in more)]
    return lines


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, subsequent_indent=indent, break_on_hyphens=False, break_long_words=False)
