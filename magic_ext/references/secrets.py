"""Strings that look like keys: Google's, OpenAI's, those of AWS, private key blocks, and some hundred others.

The rules are Kingfisher's (``kingfisher-secret-scanner``), which ships those of Betterleaks: of its rules only the ones
with a fixed beginning or a named field, which it calls of high confidence, and none that guesses by entropy. A few
stand here because there they need a second half beside them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from magic_ext.errors import GeminiExecError

__all__ = ["Secret", "secrets_in"]

# By the bytes that they begin with, which are found faster than any pattern.
_OURS: dict[bytes, tuple[str, re.Pattern[bytes]]] = {
    start: (kind, re.compile(re.escape(start) + rest))
    for start, kind, rest in (
        (b"AKIA", "AWS access key", rb"[A-Z2-7]{16}(?![A-Za-z0-9])"),
        (b"ASIA", "AWS access key", rb"[A-Z2-7]{16}(?![A-Za-z0-9])"),
        (b"AIza", "Google API key", rb"[\w-]{35}(?![\w-])"),
        (b"AQ.", "Google API key", rb"[\w-]{40,120}"),
        (b"ya29.", "Google OAuth token", rb"[\w.-]{20,}"),
        (b"GOCSPX-", "Google OAuth secret", rb"[\w-]{28}"),
        (b"sk-proj-", "OpenAI API key", rb"[\w-]{40,}"),
        (b"sk-svcacct-", "OpenAI API key", rb"[\w-]{40,}"),
        (b"sk-admin-", "OpenAI API key", rb"[\w-]{40,}"),
        (
            b"-----BEGIN ",
            "private key",
            rb"(?:[A-Z0-9]{2,10} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            rb"(?s:.{0,20000}?-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----)?",
        ),
    )
}
_AWS_SECRET = re.compile(
    rb"(?i)aws[\w ]{0,20}?secret[\w ]{0,20}[\"']?\s{0,3}[=:,]\s{0,3}[\"']?([A-Za-z0-9/+]{40})(?![\w/+])"
)
# No key is shorter, and one of letters alone is much longer. What holds nothing like it needs no rules.
_LIKELY = re.compile(rb"(?=[A-Za-z_+/=-]{0,64}[0-9])[A-Za-z0-9_+/=-]{16}|[A-Za-z_+/=-]{30}")
_LARGE = 1 << 20
# Its rules want a blank, a quotation mark or a semicolon behind a key; in a CSV or a sentence it is another mark.
_ENDS = bytes.maketrans(b",|()[]{}<>&*!?\\", b"               ")


class Secret(msgspec.Struct, frozen=True, order=True):
    """Where something stands that looks like a key: a span of what was searched, and the ``kind`` of key.

    It does not hold the key itself.
    """

    start: int
    end: int
    kind: str


def secrets_in(text: str | bytes, known: Sequence[str] = ()) -> list[Secret]:
    """The keys in a text, in order; spans count characters of a ``str``, bytes of ``bytes``.

    ``known`` are keys that may look like anything. Raises :class:`GeminiExecError` where the rules can't be loaded.

    >>> secrets_in("id AKIA" + "Q7" * 8), secrets_in("nothing to see")
    ([Secret(start=3, end=23, kind='AWS access key')], [])
    """
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    found = sorted({*_known(data, known), *_ours(data), *_theirs(data)})
    apart = [one for at, one in enumerate(found) if not at or one.start >= max(other.end for other in found[:at])]
    if isinstance(text, bytes) or not apart:
        return apart
    return [Secret(_characters(data, one.start), _characters(data, one.end), one.kind) for one in apart]


def _characters(data: bytes, count: int) -> int:
    return len(data[:count].decode("utf-8", "ignore"))


def _known(data: bytes, known: Sequence[str]) -> Iterator[Secret]:
    for key in known:
        if len(key) >= 8:  # a shorter word is no secret (local)
            for match in re.finditer(re.escape(key.encode()), data):
                yield Secret(*match.span(), "your own key for the server")


def _ours(data: bytes) -> Iterator[Secret]:
    for start, (kind, pattern) in _OURS.items():
        at = data.find(start)
        while at >= 0:
            match = pattern.match(data, at)
            if match and not data[max(0, at - 1) : at].isalnum():
                yield Secret(*match.span(), kind)
            at = data.find(start, match.end() if match else at + 1)
    if b"aws" in data or b"AWS" in data:
        for match in _AWS_SECRET.finditer(data):
            yield Secret(*match.span(1), "AWS secret key")


def _theirs(data: bytes) -> Iterator[Secret]:
    if len(data) < _LARGE and not _LIKELY.search(data):
        return
    scanner = _scanner()
    plain = data.translate(_ENDS).replace(b". ", b"  ").replace(b".\n", b" \n")
    plain = plain[:-1] + b" " if plain.endswith(b".") else plain
    for version in (data, plain):
        for one in scanner.scan(version):
            if one.visible:
                kind = str(one.rule_id).rpartition(".")[2].replace("-", " ")
                yield Secret(one.location["start_offset"], one.location["end_offset"], kind)


@cache
def _scanner() -> Any:
    """Kingfisher with its rules, which take some seconds to be made once and a third of one from then on."""
    try:
        from kingfisher_sdk import Rules, Scanner
    except ImportError as error:
        raise GeminiExecError(
            "What goes out can't be searched for keys: kingfisher-secret-scanner is not here.",
            hint="pip install kingfisher-secret-scanner, or add --allow-secrets.",
        ) from error
    import platformdirs

    folder = Path(platformdirs.user_cache_dir("gemini-exec", appauthor=False)) / "rules"
    return Scanner(Rules(confidence="high", cache_dir=str(folder)), base64=False)
