"""Policies: how much of what a reference names may go to a remote endpoint (design sections 3 and 5)."""

from __future__ import annotations

import re
from typing import Literal, get_args

import msgspec

from magic_ext.references.errors import BadPolicyError, nearest

__all__ = ["KINDS", "POLICIES", "Policy", "parse_policy"]

Kind = Literal["auto", "schema", "sample", "head", "full"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_DEFAULT_ROWS = {"sample": 1_000, "head": 20}
POLICIES: dict[str, str] = {
    ":auto, or none": "all of it up to about 30,000 tokens, else names, types and a seeded sample",
    ":schema": "names, types and shape, no value",
    ":sample, :sample(N)": f"a seeded sample, of N rows ({_DEFAULT_ROWS['sample']:,}) and about 30,000 tokens at most",
    ":head, :head(N)": f"the first N rows ({_DEFAULT_ROWS['head']})",
    ":full": "all of it",
}
"""How each is written behind a reference, and what it lets out."""

_CALL = re.compile(r"\s*([^\s()]+)\s*(?:\(\s*([^()]*?)\s*\))?\s*")


class Policy(msgspec.Struct, frozen=True):
    """How much goes out.

    ``auto``: all of it up to 30,000 tokens, else names, types and a sample that fits. ``schema``: names, types and
    shape, no value. ``sample``: at most ``rows`` rows, drawn with a fixed seed. ``head``: the first ``rows`` rows.
    ``full``: all.
    """

    kind: Kind = "auto"
    rows: int | None = None

    def __str__(self) -> str:
        return self.kind if self.rows is None else f"{self.kind}({self.rows})"


def parse_policy(text: str) -> Policy:
    """Read a policy as it is written after a colon or as the value of ``--send``.

    Raises :class:`BadPolicyError`, which names the known policies.

    >>> parse_policy("head(20)"), parse_policy("schema")
    (Policy(kind='head', rows=20), Policy(kind='schema', rows=None))
    """
    match = _CALL.fullmatch(text)
    kind = next((known for known in KINDS if match and match[1] == known), None)
    if match is None or kind is None:
        close = nearest(text.split("(", maxsplit=1)[0].strip(), KINDS, 1)
        known = ", ".join("head(N)" if name == "head" else name for name in KINDS)
        hint = f"Did you mean {close[0]}? " if close else ""
        raise BadPolicyError(f"There is no policy {text!r}.", hint=f"{hint}Policies are {known}.")
    if match[2] is None:
        return Policy(kind, _DEFAULT_ROWS.get(kind))
    if kind not in _DEFAULT_ROWS:
        raise BadPolicyError(
            f"The policy {kind} takes no number of rows.", hint=f"Write {kind}, head(20) or sample(500)."
        )
    if not match[2].isascii() or not match[2].isdigit() or int(match[2]) == 0:
        raise BadPolicyError(f"{text!r} does not say how many rows.", hint=f"Write a number, as in {kind}(20).")
    return Policy(kind, int(match[2]))
