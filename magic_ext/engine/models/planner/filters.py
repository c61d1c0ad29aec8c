"""Phrases that say which rows: values, comparisons, negations, gaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import msgspec

from ..base import Column
from . import times  # noqa: F401  # declares the phrases that say when
from .grammar import Reader
from .lexicon import ATTRIBUTES, IDS, UNITS
from .phrases import In, Where, grammar
from .plan import Condition, Operator
from .schema import is_numeric, unit_of
from .tokens import singular, words

__all__ = ["OPPOSITES", "Conditions", "fits"]

rule = grammar.rule
replace = msgspec.structs.replace

Conditions = tuple[Condition, ...]
OPPOSITES: dict[str, Operator] = {
    "==": "!=", "!=": "==", "in": "not in", "not in": "in", "<": ">=", ">=": "<", ">": "<=", "<=": ">",
    "isna": "notna", "notna": "isna",
}  # fmt: skip


# --- values: "male", "Adelie or Gentoo", "male Gentoo penguins" -----------------------------------------------------


@rule("sameness", "<value>", "<kind:value>")
def _value(reader: Reader, value: Condition) -> Condition:
    return value


@grammar.terminal("kind")
def _kind(reader: Reader, at: int) -> Iterator[tuple[Condition, int]]:
    """“Double rooms" of a column room_type, "the Audio category", "category Audio"."""
    for value, end in reader.find("value", at):
        row = words(value.column.name)
        said = reader.tokens[end].key if end < len(reader.tokens) else ""
        if said and singular(said) in {singular(word) for word in (*row[:1], *row[-1:])}:
            yield value, end + 1


@grammar.terminal("bearer")
def _bearer(reader: Reader, at: int) -> Iterator[tuple[str, int]]:
    """“Guests" of guest_country: whom each row has one of, where no column tells them apart."""
    if at == len(reader.tokens) or reader.tokens[at].kind != "word" or reader.schema.column(reader.tokens, at):
        return
    noun = singular(reader.tokens[at].key)
    rows = [words(column.name) for column in reader.schema.table.columns]
    heads = [row for row in rows if len(row) == 2 and singular(row[0]) == noun]
    if any(row[1] in ATTRIBUTES for row in heads) and not any(row[1] in IDS for row in heads):
        yield reader.tokens[at].key, at + 1


@rule("sameness", "<value> <and:joined> <sameness>", "<value> <or:joined> <sameness>")
def _values(reader: Reader, value: Condition, joined: str, sameness: Condition) -> Condition | None:
    """Several values of one column; "and" and "or" are not mixed, but a comma follows what comes after it."""
    if value.column != sameness.column or sameness.joined not in {"", joined}:
        comma = joined == "and" and sameness.joined == "or" and value.column == sameness.column
        if not comma:
            return None
        joined = "or"
    return Condition(value.column, "in", value.values + sameness.values, joined=joined)


@rule("values", "<sameness>")
def _kinds_one(reader: Reader, sameness: Condition) -> Conditions:
    return (sameness,)


@rule("values", "<sameness> <values>")
def _kinds_more(reader: Reader, sameness: Condition, values: Conditions) -> Conditions | None:
    if any(condition.column == sameness.column for condition in values):
        return None
    return (sameness, *values)


@rule("noun", "[all] <row>")
def _noun_rows(reader: Reader, **_: Any) -> Where:
    return Where(())


@rule("noun_any", "<noun>")
def _noun_any(reader: Reader, noun: Where) -> Where:
    return noun


@rule("noun_any", "[all] <entity>", "[all] <values> <entity>", "[all] [<values>] <bearer:entity>")
def _noun_entity(reader: Reader, values: Conditions = (), **_: Any) -> Where:
    """Where nothing is counted, what has a number of its own in each row is a row."""
    return Where(values)


@rule("noun", "<values>", "[all] <values> <row>")
def _noun_values(reader: Reader, values: Conditions, **_: Any) -> Where:
    return Where(values)


@rule("modifier", "(of|for|among|in|on|from|at|within|with) <noun_any:noun> [only]")
@rule(
    "modifier", "(that|who|which) (are|is|were|was) [in|on|at|from] <noun>", "(are|is|were|was) [in|on|at|from] <noun>"
)
@rule(
    "modifier", "[that|who|which] (come|comes|came|live|lives|lived|work|works|worked|are based) (from|on|in|at) <noun>"
)
@rule(
    "modifier",
    "[that|who|which] [are|is|were|was] "
    "(paid|bought|ordered|booked|sold|made|done|sent|shipped|used) (by|with|via|through|in|on) <value:only>",
)
def _of(reader: Reader, noun: Where | None = None, only: Condition | None = None) -> Where:
    return noun or Where((only,) if only else ())


@rule("modifier", "by <value>")
def _by_value(reader: Reader, value: Condition) -> Where:
    """“Titles by Ito”."""
    return Where((value,))


@rule("modifier", "(of|for|in|on|at) [the] <column> <values>")
def _of_column(reader: Reader, column: Column, values: Conditions) -> Where | None:
    """“For the species Gentoo”: the column must be that of the value."""
    return Where(values) if all(condition.column == column for condition in values) else None


# --- predicates: "body mass over 5000", "island is Biscoe" ----------------------------------------------------------


@rule("over", "(over|above|exceeding|exceeds|exceed|>)", operator=">")
@rule("over", "(more|greater|higher|larger|bigger) than", operator=">")
@rule("over", "(at least|>=|no less than)", operator=">=")
@rule("over", "(under|below|<)", operator="<")
@rule("over", "(less|lower|smaller|fewer) than", operator="<")
@rule("over", "(at most|<=|up to|no more than)", operator="<=")
@rule("over", "(=|==|equal to|exactly)", operator="==")
def _over(reader: Reader, operator: str) -> str:
    return operator


@grammar.terminal("unit")
def _unit(reader: Reader, at: int) -> Iterator[tuple[str, int]]:
    key = reader.tokens[at].key if at < len(reader.tokens) else ""
    for unit, names in UNITS.items():
        if key in names:
            yield unit, at + 1


_IS = {"is", "are", "was", "were", "=", "==", "equals", "of"}


@rule(
    "isnt",
    "(is|are|was|were|does|do) not [equal|equal to]",
    "(isn't|aren't|wasn't|weren't|!=|other than|not)",
    "(is|are) (other than|different from)",
)
def _isnt(reader: Reader) -> str:
    return "isn't"


@grammar.terminal("is_value")
def _is_value(reader: Reader, at: int) -> Iterator[tuple[Condition, int]]:
    """“Island is Biscoe”, "species Gentoo or Adelie": the values are looked for in that column only."""
    for column, after in reader.find("column", at):
        starts = [(after, False)]
        if after < len(reader.tokens) and reader.tokens[after].key in _IS:
            starts.append((after + 1, False))
        starts += [(end, True) for _, end in reader.find("isnt", after)]
        for start, opposite in starts:
            for condition, end in _own_values(reader, column, start, required=start > after):
                yield (replace(condition, operator=OPPOSITES[condition.operator]) if opposite else condition), end


def _own_values(reader: Reader, column: Column, start: int, *, required: bool) -> Iterator[tuple[Condition, int]]:
    key = reader.tokens[start].key if start < len(reader.tokens) else ""
    if column.kind == "boolean" and required and key in {"true", "false"}:
        yield Condition(column, "==", (key == "true",)), start + 1
    values: list[str] = []
    found = reader.schema.value(reader.tokens, start, only=column)
    while found and len(found.candidates) == 1:
        values.append(cast(str, found.candidates[0][1]))
        if len(set(values)) == len(values):
            yield Condition(column, "in" if len(values) > 1 else "==", tuple(values)), found.end
        more = [end for name in ("or",) for _, end in reader.find(name, found.end)]
        found = reader.schema.value(reader.tokens, more[-1], only=column) if more else None


@rule("predicate", "<is_value>")
def _predicate_value(reader: Reader, is_value: Condition) -> Condition:
    return is_value


@rule("test", "<over> <number> [<unit>]")
def _test(reader: Reader, over: str, number: float, unit: str = "") -> tuple[str, float, str]:
    return over, number, unit


@rule("test", "<number> [<unit>] (or|and) (more|higher|above|over|larger|greater|up)", over=">=")
@rule("test", "<number> [<unit>] (or|and) (less|fewer|lower|below|under|smaller)", over="<=")
def _test_or(reader: Reader, number: float, over: str, unit: str = "") -> tuple[str, float, str]:
    return over, number, unit


@rule("predicate", "<column> [is|are|was|were|of] <test>", "<test> [in] <column>")
def _predicate_number(reader: Reader, column: Column, test: tuple[str, float, str]) -> Condition | None:
    operator, number, unit = test
    return Condition(column, cast(Operator, operator), (number,)) if fits(reader, column, unit) else None


@rule("modifier", "(exceed|exceeds|exceeded|exceeding) [a] <column> of <number> [<unit>]")
def _exceed(reader: Reader, column: Column, number: float, unit: str = "") -> Where | None:
    return Where((Condition(column, ">", (number,)),)) if fits(reader, column, unit) else None


@rule("predicate", "<column> <is_word> <number> [<unit>]", "<column> <number> [<unit>]", "<number> <column>")
def _predicate_equal(reader: Reader, column: Column, number: float, unit: str = "", **_: Any) -> Condition | None:
    return Condition(column, "==", (number,)) if fits(reader, column, unit) else None


@rule("predicate", "<column> <isnt> <number> [<unit>]")
def _predicate_unequal(reader: Reader, column: Column, number: float, unit: str = "", **_: Any) -> Condition | None:
    return Condition(column, "!=", (number,)) if fits(reader, column, unit) else None


@rule("predicate", "<column> <isnt> <test>")
def _predicate_not_over(reader: Reader, column: Column, test: tuple[str, float, str], **_: Any) -> Condition | None:
    return Condition(column, OPPOSITES[test[0]], (test[1],)) if fits(reader, column, test[2]) else None


@rule("predicate", "<column> [is|are|of] <number:low> or <number:high>", "<number:low> or <number:high> <column>")
def _predicate_two(reader: Reader, column: Column, low: float, high: float) -> Condition | None:
    return Condition(column, "in", (low, high)) if low != high and fits(reader, column, "") else None


@rule("predicate", "<column> [is|are|was|were] <over> <column:other>")
def _predicate_columns(reader: Reader, column: Column, other: Column, over: str) -> Condition | None:
    if column == other or not (is_numeric(column) and is_numeric(other)):
        return None
    return Condition(column, cast(Operator, over), (other,))


@rule("predicate", "<column> (contains|contain|containing|includes|including) <text>", operator="contains")
@rule("predicate", "<column> (starts|start|begins|begin|starting|beginning) with <text>", operator="startswith")
@rule("predicate", "<column> (ends|end|ending) with <text>", operator="endswith")
def _predicate_text(reader: Reader, column: Column, text: str, operator: str) -> Condition | None:
    return Condition(column, cast(Operator, operator), (text,)) if column.kind == "text" else None


@grammar.terminal("text")
def _text(reader: Reader, at: int) -> Iterator[tuple[str, int]]:
    if at < len(reader.tokens) and reader.tokens[at].kind in {"quoted", "word"}:
        yield reader.tokens[at].text, at + 1


@rule("is_word", "(is|equals|of|=|==)")
def _is_word(reader: Reader) -> str:
    return "is"


@rule("predicate", "<column> [is|are|of] between <number:low> and <number:high> [<unit>]")
@rule(
    "predicate",
    "between <number:low> and <number:high> <column>",
    "<column> from <number:low> to <number:high> [<unit>]",
)
def _predicate_between(reader: Reader, column: Column, low: float, high: float, unit: str = "") -> Condition | None:
    if low > high or not fits(reader, column, unit):
        return None
    return Condition(column, "between", (low, high))


@rule("predicate", "(missing|unknown|empty) <column>", "<column> (is|are) (missing|unknown|null|nan|empty)")
def _predicate_gap(reader: Reader, column: Column) -> Condition:
    return Condition(column, "isna")


@rule("predicate", "known <column>", "<column> (is|are) (known|not missing|not null|given)")
def _predicate_known(reader: Reader, column: Column) -> Condition:
    return Condition(column, "notna")


@rule("predicates", "<predicate>")
def _predicates_one(reader: Reader, predicate: Condition) -> Conditions:
    return (predicate,)


@rule("predicates", "<predicate> (and|, and|, but|but) [with|where|whose|have|has] <predicates>")
def _predicates_more(reader: Reader, predicate: Condition, predicates: Conditions) -> Conditions | None:
    return None if any(one.either for one in predicates) else (predicate, *predicates)


@rule("predicates", "<predicate> or [with|where|whose|have|has] <predicate:other>")
def _predicates_or(reader: Reader, predicate: Condition, other: Condition) -> Conditions:
    return (replace(predicate, either=(other,)),)


@rule("predicates", "<predicate> or <test>")
def _predicates_or_test(reader: Reader, predicate: Condition, test: tuple[str, float, str]) -> Conditions | None:
    """“Below 0 or above 40” of one column."""
    if not fits(reader, predicate.column, test[2]) or predicate.operator not in {"<", "<=", ">", ">=", "=="}:
        return None
    return (replace(predicate, either=(Condition(predicate.column, cast(Operator, test[0]), (test[1],)),)),)


@rule("modifier", "(with|where|whose|having|have|has|had|when|for which|if|in which) <predicates>")
@rule("modifier", "(that|which|who) (have|has|had) <predicates>", "(that|which|who) <predicates>")
def _where(reader: Reader, predicates: Conditions) -> Where:
    return Where(predicates)


@rule("modifier", "(have|has|had|with|having) more <column:left> than <column:right>", operator=">")
@rule("modifier", "(have|has|had|with|having) (fewer|less) <column:left> than <column:right>", operator="<")
def _more_than(reader: Reader, left: Column, right: Column, operator: Any) -> Where | None:
    both = is_numeric(left) and is_numeric(right) and left != right
    return Where((Condition(left, operator, (right,)),)) if both else None


@grammar.terminal("verbal")
def _verbal(reader: Reader, at: int) -> Iterator[tuple[Any, int]]:
    """“... and come from Europe”: a further condition with a verb of its own."""
    keys = [token.key for token in reader.tokens[at : at + 2]]
    if len(keys) == 2 and keys[0] in {"and", "but"} and keys[1] in _VERBAL:
        yield from reader.find("modifier", at + 1)


_VERBAL = {
    "come",
    "comes",
    "came",
    "are",
    "is",
    "was",
    "were",
    "have",
    "has",
    "had",
    "who",
    "that",
    "which",
    "weigh",
    "earn",
}


@rule("modifier", "in <unit>")
def _in_unit(reader: Reader, unit: str) -> In:
    return In(unit)


@rule("modifier", "<verbal>")
def _and_verbal(reader: Reader, verbal: Any) -> Where | None:
    return verbal if isinstance(verbal, Where) else None


def fits(reader: Reader, column: Column, unit: str) -> bool:
    """Whether one can compare the column with a number given in ``unit``."""
    if not is_numeric(column):
        reader.refuse(f"`{column.name}` is not a column of numbers")
        return False
    if unit and unit_of(column) != unit:
        reader.refuse(f"`{column.name}` does not say that it is in {unit}, and units are not converted")
        return False
    return True
