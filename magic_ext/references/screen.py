"""What never leaves, whatever the policy: columns by their names, and patterns such as e-mail addresses in any text."""

from __future__ import annotations

import fnmatch
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from magic_ext.references.errors import BadPolicyError, nearest
from magic_ext.references.secrets import secrets_in

if TYPE_CHECKING:
    from regex import Match, Pattern

__all__ = ["READY_MADE", "Cleaned", "Screen", "counted", "screen_from"]

READY_MADE = ("email", "phone", "key", "card")
_SECONDS = 2.0  # that one pattern may take on one text
_EMAIL = r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])"
# International; with a 0 in front, in one piece, after an area code, or in pairs; and as in North America.
_PHONE = (
    r"(?<![\w.+/-])(?:"
    r"(?:\+|00)[1-9](?:[ ()./-]{0,2}[0-9]){6,14}"
    r"|\(?0[1-9][0-9]{1,4}\)?[ /-]{1,3}[0-9](?:[ /-]?[0-9]){4,9}"
    r"|0[1-9][0-9]{8,11}"
    r"|0[1-9](?:[ .-][0-9]{2}){4}"
    r"|(?:\([2-9][0-9]{2}\) ?|[2-9][0-9]{2}[ .-])[2-9][0-9]{2}[ .-][0-9]{4}"
    r")(?![\w/-])"
)
_DIGITS = r"(?<![0-9.-])[0-9](?:[ -]?[0-9]){12,}(?![0-9])"


class Cleaned(msgspec.Struct, frozen=True):
    """A text without what matched; ``found`` counts what was replaced, by the name of the pattern."""

    text: str
    found: Counter[str] = Counter()


class _Rule(msgspec.Struct, frozen=True):
    """A pattern: its ``name`` stands in brackets where it matched; ``spans`` are the places of its matches."""

    name: str
    spans: Callable[[str], Iterable[tuple[int, int]]]


class Screen(msgspec.Struct, frozen=True):
    """What never leaves: ``columns`` are names with ``*`` and ``?``, ``rules`` patterns in any text.

    >>> screen = screen_from(["*mail"], ["email", "re:[A-Z]{2}-[0-9]+"])
    >>> screen.withholds("E-Mail"), screen.withholds("city")
    (True, False)
    >>> screen.clean("Ask bob@example.org about AB-17.").text
    'Ask [email] about [redacted].'
    """

    columns: tuple[str, ...] = ()
    rules: tuple[_Rule, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.columns or self.rules)

    def names(self, label: object) -> bool:
        """Whether ``deny_columns`` names a label; of a label of several levels one is enough."""
        parts = [str(label), *(map(str, label) if isinstance(label, tuple) else ())]
        return any(fnmatch.fnmatchcase(part.lower(), glob) for part in parts for glob in self.columns)

    def withholds(self, label: object) -> bool:
        """Whether a column of that label stays here: its name is denied, or itself something to be redacted."""
        return self.names(label) or bool(self.clean(str(label)).found)

    def clean(self, text: str) -> Cleaned:
        """The text with the matches of all patterns replaced; raises :class:`BadPolicyError` for one that hangs."""
        found: Counter[str] = Counter()
        for rule in self.rules:
            text = _replaced(text, rule, found)
        return Cleaned(text, found)

    def without_keys(self, value: Any) -> Any:
        """A JSON value without the fields that ``deny_columns`` names, at any depth."""
        match value:
            case Mapping():
                return {key: self.without_keys(item) for key, item in value.items() if not self.names(key)}
            case list() | tuple():
                return [self.without_keys(item) for item in value]
        return value


def screen_from(columns: Sequence[str], redact: Sequence[str]) -> Screen:
    """The screen of the traits ``deny_columns`` and ``redact``; raises :class:`BadPolicyError` for what is no pattern.

    ``redact`` lists names of :data:`READY_MADE`, and regular expressions after ``re:``.

    >>> screen_from([], ["mail"])
    Traceback (most recent call last):
    magic_ext.references.errors.BadPolicyError: There is no pattern 'mail' for redact.
    """
    return Screen(tuple(name.lower() for name in columns), tuple(map(_rule, dict.fromkeys(redact))))


def counted(found: Counter[str]) -> str:
    """What was replaced, in words; ``""`` for nothing.

    >>> counted(Counter(email=2, key=1))
    '3 replaced (2 email, 1 key)'
    """
    parts = ", ".join(f"{number:,} {name}" for name, number in sorted(found.items()))
    return f"{found.total():,} replaced ({parts})" if found else ""


def _rule(written: str) -> _Rule:
    kind, colon, source = written.partition(":")
    if colon and kind == "re":
        return _Rule("redacted", _spans(source, written))
    if written == "email":
        return _Rule(written, _spans(_EMAIL, written))
    if written == "phone":
        return _Rule(written, _spans(_PHONE, written))
    if written == "card":
        runs = _spans(_DIGITS, written)
        return _Rule(written, lambda text: [card for run in runs(text) for card in _cards(text, *run)])
    if written == "key":
        return _Rule(written, lambda text: [(secret.start, secret.end) for secret in secrets_in(text)])
    close = nearest(written, READY_MADE, 1)
    hint = f"Did you mean {close[0]}?" if close else f"Patterns are {', '.join(READY_MADE)}, and re:EXPRESSION."
    raise BadPolicyError(f"There is no pattern {written!r} for redact.", hint=hint)


def _spans(source: str, written: str) -> Callable[[str], Iterable[tuple[int, int]]]:
    import regex

    try:
        pattern: Pattern[str] = regex.compile(source)
    except regex.error as error:
        raise BadPolicyError(
            f"{written!r} in redact is no regular expression: {error}.", hint="Mend GeminiExecMagics.redact."
        ) from None

    def spans(text: str) -> list[tuple[int, int]]:
        try:
            matches: list[Match[str]] = list(pattern.finditer(text, timeout=_SECONDS))
        except TimeoutError:
            raise BadPolicyError(
                f"{written!r} in redact takes more than {_SECONDS:.0f} s on one text.",
                hint="Write it without nested repetitions.",
            ) from None
        return [match.span() for match in matches if match[0]]

    return spans


def _replaced(text: str, rule: _Rule, found: Counter[str]) -> str:
    pieces, end = [], 0
    for start, stop in rule.spans(text):
        if start < end:
            continue
        pieces += [text[end:start], f"[{rule.name}]"]
        found[rule.name] += 1
        end = stop
    return "".join([*pieces, text[end:]]) if pieces else text


def _cards(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The numbers of cards in a run of digits: whole groups, 13 to 19 digits, a first digit and a check digit that fit.

    The source is ISO/IEC 7812-1, with Luhn's formula.
    """
    groups = [(start + match.start(), start + match.end()) for match in re.finditer("[0-9]+", text[start:end])]
    at = 0
    while at < len(groups):
        fitting = (last for last in range(len(groups), at, -1) if _is_card(text[groups[at][0] : groups[last - 1][1]]))
        last = next(fitting, at)
        if last > at:
            yield groups[at][0], groups[last - 1][1]
        at = max(last, at + 1)


def _is_card(text: str) -> bool:
    digits = [int(mark) for mark in text if mark.isdigit()][::-1]
    if not 13 <= len(digits) <= 19 or not 2 <= digits[-1] <= 6:
        return False
    return (sum(digits[::2]) + sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])) % 10 == 0
