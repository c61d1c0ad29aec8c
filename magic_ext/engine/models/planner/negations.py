"""Phrases that leave rows out: "not on Biscoe", "except Adelie", "without a rating"."""

from __future__ import annotations

from typing import Any

import msgspec

from ..base import Column
from .filters import OPPOSITES, Conditions
from .grammar import Reader
from .phrases import Where, grammar
from .plan import Condition
from .schema import is_numeric, truths

__all__ = ["negated"]

rule = grammar.rule
replace = msgspec.structs.replace


def negated(reader: Reader, conditions: Conditions) -> Conditions | None:
    """All other rows; rows where the value is missing are none of them."""
    if len(conditions) != 1 or conditions[0].operator not in OPPOSITES or conditions[0].either:
        reader.refuse("only one condition at a time can be turned into its opposite")
        return None
    (one,) = conditions
    said = {str(value).casefold() for value in one.values}
    if any(said & set(str(other).casefold().split()) for other in one.column.values if other not in one.values):
        reader.refuse(f"other values of `{one.column.name}` have the same word in them, such as “very ...”")
        return None
    both = truths(one.column)
    if both and one.operator == "==" and one.values[0] in both:
        return (replace(one, values=(both[one.values[0] == both[0]],)),)
    return (replace(one, operator=OPPOSITES[one.operator], joined=""),)


_NOT = "(not|except|excluding|without|outside|other than|but not|apart from|besides|ignoring|leaving out)"


@rule("modifier", f"{_NOT} [for|in|on|from|of|at] [<row>] [in|on|from|at] <noun_any:noun>")
@rule(
    "modifier",
    "[that|who|which] (are|is|were|was) not [in|on|at|from] <noun>",
    "(that|who|which) (aren't|isn't) <noun>",
)
def _not_of(reader: Reader, noun: Where, **_: Any) -> Where | None:
    conditions = negated(reader, noun.conditions) if noun.conditions else None
    return Where(conditions) if conditions else None


_ALL_BUT = "(except|except for|but|but not|excluding|other than|apart from|without)"


@rule("modifier", f"(for|of|in|across|from) all <column> {_ALL_BUT} [<row>] [in|on|from|at] <noun_any:noun>")
@rule(
    "modifier",
    f"(for|of|in) (all|everyone|everybody|everything|all <row>) {_ALL_BUT} [<row>] [in|on|from|at] <noun_any:noun>",
)
def _all_but(reader: Reader, noun: Where, column: Column | None = None, **_: Any) -> Where | None:
    fits = noun.conditions and (column is None or noun.conditions[0].column == column)
    conditions = negated(reader, noun.conditions) if fits else None
    return Where(conditions) if conditions else None


@rule("modifier", "[that|which|who] (don't|do not|doesn't|does not|didn't|did not) have <predicates>")
def _where_not(reader: Reader, predicates: Conditions) -> Where | None:
    conditions = negated(reader, predicates)
    return Where(conditions) if conditions else None


@rule("modifier", "(have|has|had|with|having) (no|missing|unknown) <column> [value|values|data]", "without <column>")
def _without(reader: Reader, column: Column) -> Where | None:
    """“No rating” is a missing one; of a number that can be 0 it may be that."""
    zero = is_numeric(column) and isinstance(column.low, float) and column.low <= 0
    if zero and not column.missing and column.kind == "integer":
        return Where((Condition(column, "==", (0,)),))
    if zero or column.kind == "boolean" or not column.missing:
        reader.refuse(f"“no {column.name}” could be missing or 0; say “`{column.name}` is missing”")
        return None
    return Where((Condition(column, "isna"),))


@rule("modifier", "(have|has|had|with|having) [any] <column>")
def _with(reader: Reader, column: Column) -> Where | None:
    """“Have a rating”: it is known."""
    zero = is_numeric(column) and isinstance(column.low, float) and column.low <= 0
    return Where((Condition(column, "notna"),)) if column.missing and not zero else None
