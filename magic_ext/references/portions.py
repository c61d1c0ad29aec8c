"""How much of a table or text a policy lets out, within what a model can read.

Tokens are estimated: four bytes of UTF-8 each. Sizes are judged by a bounded number of rows before anything is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import msgspec

from magic_ext.references.errors import BadPolicyError, UnsendableError
from magic_ext.references.policy import Policy
from magic_ext.references.tables.sheet import Sheet
from magic_ext.references.tables.table import Table, draw

__all__ = ["LIMIT_TOKENS", "WINDOW_TOKENS", "Excerpt", "Share", "excerpt", "share", "tokens"]

LIMIT_TOKENS = 30_000  # what ``auto`` sends at most for one reference
WINDOW_TOKENS = 1_000_000  # what the models of 2026 read at all (wire.md section 9)
_BYTES = 4
_LIMIT = LIMIT_TOKENS * _BYTES
_WINDOW = WINDOW_TOKENS * _BYTES
_READ = 64 * _WINDOW  # of a longer text no lines are drawn
_PROBE_ROWS, _PROBE_CELLS = 200, 50_000


class Share(msgspec.Struct, frozen=True):
    """The part of a table that goes out: no ``sheet`` when no row does; ``how`` is the policy as it came out."""

    how: str
    sheet: Sheet | None = None
    note: str = ""

    @property
    def rows(self) -> int:
        """The number of rows that go out."""
        return len(self.sheet.lines) if self.sheet else 0


class Excerpt(msgspec.Struct, frozen=True):
    """The part of a text that goes out."""

    how: str
    text: str = ""
    note: str = ""


def tokens(size: int) -> int:
    """Estimated tokens of ``size`` bytes of text.

    >>> tokens(10)
    3
    """
    return -(-size // _BYTES)


def share(table: Table, policy: Policy) -> Share:
    """What ``policy`` lets out of ``table``.

    Raises :class:`UnsendableError` when what was asked for is more than a model can read.
    """
    if policy.kind == "schema":
        return Share("schema")
    if not table.columns:
        if policy.kind != "auto":
            table.sheet(())  # says why it has no rows
        return Share("schema", note="no values sent: it is no table")
    if policy.kind == "head":
        return Share(str(policy), _all(table, min(policy.rows or 0, table.available)))
    if policy.kind == "sample":
        return _sample(table, policy.rows or table.available)
    if policy.kind == "full":
        if table.rows is None:
            hint = "Collect or load it first, or send a part, as in :head(1000)."
            raise UnsendableError("The number of its rows is not known, so it cannot be sent whole.", hint=hint)
        return Share("full", _all(table, table.rows))
    available = table.available  # computing the first rows of a lazy table may tell how many there are
    return _whole(table) or _sample(table, available)


def excerpt(lines: Iterable[str], size: int, policy: Policy) -> Excerpt:
    """What ``policy`` lets out of a text of ``size`` bytes, given line by line with line ends."""
    if policy.kind == "schema":
        return Excerpt("schema")
    if policy.kind == "head":
        return Excerpt(str(policy), _bounded("".join(islice(lines, policy.rows))))
    if policy.kind == "sample":
        if size > _READ:
            raise _too_large(size)
        kept = list(lines)
        drawn = _fitting([kept[at] for at in draw(len(kept), policy.rows or len(kept))])
        return Excerpt("sample", "".join(drawn), f"{len(drawn):,} of {len(kept):,} lines, drawn at random")
    if policy.kind == "full" or size <= _LIMIT:
        if size > _WINDOW:
            raise _too_large(size)
        return Excerpt("full", "".join(lines))
    begun = _fitting(islice(lines, _LIMIT))
    if not begun:
        raise BadPolicyError(
            f"It is too long to be sent by itself, about {tokens(size):,} tokens.",
            hint="Refer to a part of it, or add :full to send all.",
        )
    return Excerpt(f"head({len(begun)})", "".join(begun), f"the first {len(begun):,} lines")


def _whole(table: Table) -> Share | None:
    if table.rows is None or (table.rows > _PROBE_ROWS and _estimate(table, table.rows) > _LIMIT):
        return None
    sheet = table.sheet(range(table.rows))
    return Share("full", sheet) if len(sheet.data) <= _LIMIT else None


def _sample(table: Table, count: int) -> Share:
    count = min(count, table.available)
    fits = int(count * _LIMIT / max(1, _estimate(table, count)))
    count = max(1, min(count, fits)) if count else 0
    while True:
        sheet = table.sheet(draw(table.available, count))
        if len(sheet.data) <= _LIMIT:
            return Share("sample", sheet)
        if count == 1:
            return Share("schema", note="no row sent: one alone is more than 30,000 tokens")
        count = max(1, min(count - 1, int(count * _LIMIT / len(sheet.data) * 0.97)))


def _all(table: Table, count: int) -> Sheet:
    estimate = _estimate(table, count)
    if estimate > 1.5 * _WINDOW:
        raise _too_large(estimate)
    sheet = table.sheet(range(count))
    if len(sheet.data) > _WINDOW:
        raise _too_large(len(sheet.data))
    return sheet


def _estimate(table: Table, count: int) -> int:
    probe = min(count, table.available, max(5, min(_PROBE_ROWS, _PROBE_CELLS // max(1, len(table.columns)))))
    if not probe:
        return 0
    return len(table.sheet(draw(table.available, probe)).data) * count // probe


def _bounded(text: str) -> str:
    if len(text) > _WINDOW:
        raise _too_large(len(text))
    return text


def _fitting(lines: Iterable[str]) -> list[str]:
    kept: list[str] = []
    room = _LIMIT
    for line in lines:
        room -= len(line.encode("utf-8", "replace"))
        if room < 0:
            break
        kept.append(line)
    return kept


def _too_large(size: int) -> UnsendableError:
    hint = "Send a part: :sample, :head(1000), or fewer columns."
    return UnsendableError(
        f"That is about {tokens(size):,} tokens; a model reads at most {WINDOW_TOKENS:,}.", hint=hint
    )
