"""Phrases about columns of yes and no: "returned orders", "did not pass", "who survived"."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from .grammar import Reader
from .phrases import Where, grammar
from .plan import Condition
from .schema import truths
from .tokens import same_root, singular, words

__all__ = ["untrue"]

rule = grammar.rule
replace = msgspec.structs.replace


@grammar.terminal("flag")
def _flag(reader: Reader, at: int) -> Iterator[tuple[Condition, int]]:
    for column, end in reader.find("column", at):
        if both := truths(column):
            yield Condition(column, "==", (both[0],)), end


@grammar.terminal("did")
def _did(reader: Reader, at: int) -> Iterator[tuple[Condition, int]]:
    """“Pass” of passed, "cancelled" of canceled, "survival" of survived: what rows have a column of yes and no for."""
    if at == len(reader.tokens) or reader.tokens[at].kind != "word":
        return
    said = reader.tokens[at].key
    flags = [(c, both) for c in reader.schema.table.columns if (both := truths(c, text=True))]
    meant = [(c, both) for c, both in flags if same_root(said, words(c.name)[-1:])]
    if len(meant) == 1 and not reader.schema.value(reader.tokens, at):
        column, both = meant[0]
        if words(column.name) != (said,):
            reader.partial.setdefault(column.name, reader.tokens[at].text)
        yield Condition(column, "==", (both[0],)), at + 1


@rule("values", "<flag>", "<done:flag>")
def _kinds_flag(reader: Reader, flag: Condition) -> tuple[Condition, ...] | None:
    """“Returned orders”; what a column counts, such as red cards, is no kind of row."""
    counted = flag.column.kind == "integer" and any(singular(w) != w for w in words(flag.column.name)[-1:])
    return None if counted else (flag,)


@rule("values", "<flag> <values>")
def _kinds_flag_more(reader: Reader, flag: Condition, values: tuple[Condition, ...]) -> tuple[Condition, ...] | None:
    return None if any(condition.column == flag.column for condition in values) else (flag, *values)


@rule("predicate", "<flag>", "[is|are|was|were] <flag>")
def _predicate_flag(reader: Reader, flag: Condition) -> Condition:
    return flag


@rule("predicate", "not <flag>", "<flag> (is|are) not true")
def _predicate_not(reader: Reader, flag: Condition) -> Condition:
    return untrue(flag)


def untrue(flag: Condition) -> Condition:
    """The rows where a column of yes and no says no."""
    both = truths(flag.column, text=True)
    return replace(flag, values=(both[1],)) if both else replace(flag, operator="!=")


@rule("modifier", "[are|is|were|was] <predicate_flag>")
def _where_flag(reader: Reader, predicate_flag: Condition) -> Where:
    """“Orders that were returned”, "were not returned"."""
    return Where((predicate_flag,))


@rule("predicate_flag", "<flag>", "not <flag:opposite>")
def _predicate_flagged(reader: Reader, flag: Condition | None = None, opposite: Condition | None = None) -> Any:
    return flag or (untrue(opposite) if opposite else None)


@rule("modifier", "(have|has|had|with|having) no <flag>", "without [any] <flag>")
@rule("modifier", "[that|who|which] (never|did not|didn't|have not|haven't|has not) [yet] <getting> [any] <flag>")
@rule("modifier", "(have|has|having) never <getting> [any] <flag>")
def _where_none(reader: Reader, flag: Condition, **_: Any) -> Where | None:
    """“Customers without orders”."""
    return Where((untrue(flag),)) if flag.column.kind == "boolean" else None


@rule(
    "getting", "(buy|bought|order|ordered|purchase|purchased|place|placed|make|made|have|had|get|got|do|done|receive)"
)
def _getting(reader: Reader) -> str:
    return "got"


@rule("done", "<did>")
def _done(reader: Reader, did: Condition) -> Condition | None:
    """Without a verb, "smokers" could be something else than rows."""
    return did if did.column.kind != "text" else None


@rule("modifier", "[that|who|which] (have|has|had|got|get) <did>", "(that|who|which) <did>", "<done:did>")
@rule("modifier", "[that|who|which] (are|is|was|were|got|get|gets|been|have been|has been) <did>")
@rule("modifier", "[that|who|which] (did not|didn't|do not|don't|does not|doesn't|never) <did:not_did>")
@rule("modifier", "[that|who|which] (have not|haven't|has not|hasn't|are not|aren't|were not|weren't) <did:not_did>")
@rule("modifier", "[that|who|which] (was not|wasn't|is not|isn't) <did:not_did>")
@rule("modifier", "(who|that|which) (would|will|could|can|did|do|does) <did>")
def _where_did(reader: Reader, did: Condition | None = None, not_did: Condition | None = None) -> Where | None:
    """“Students who didn't pass”, "bookings got canceled"."""
    condition = did or (untrue(not_did) if not_did else None)
    return Where((condition,)) if condition else None
