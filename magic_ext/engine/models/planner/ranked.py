"""Questions for the largest or smallest: groups ("which species has the most penguins") and single rows."""

from __future__ import annotations

from typing import Any

import msgspec

from ..base import Column
from .filters import Conditions
from .grammar import Reader
from .lexicon import PEOPLE
from .phrases import Where, grammar, only_date
from .plan import Aggregate, Group, Measure, Operator, Rank, Rows
from .questions import whole_number
from .refine import apply, settle
from .schema import is_flag, is_numeric, is_time
from .tokens import singular, words

__all__ = ["grammar"]

rule = grammar.rule
replace = msgspec.structs.replace

# --- ranked groups: "which species has the highest mean body mass" --------------------------------------------------

_HAS = (
    "(has|had|have|with|shows|show|saw|sees|gave|gives|got|gets|received|receives|made|makes|scored|scores|recorded"
    "|records|contains|contain|holds|handles|handled|handle)"
)
_EARNS = (
    "(bought|buys|sold|sells|generated|generates|generate|earned|earns|spent|spends|ordered|orders|produced|produces"
    "|produce|used|uses|won|wins|brought|brings|brings in|brought in|collected|collects|consumed|consumes)"
)


@rule("ranked", "<superlative> <measures>", "<superlative> <open:measures>")
def _ranked(reader: Reader, superlative: tuple[bool], measures: Any) -> tuple[bool, Aggregate]:
    return superlative[0], measures if isinstance(measures, Aggregate) else Aggregate(measures)


@rule("ranked", "(most|greatest number of|highest number of|largest number of) <noun>", largest=True)
@rule("ranked", "(fewest|least|lowest number of|smallest number of) <noun>", largest=False)
def _ranked_rows(reader: Reader, noun: Where, largest: bool) -> tuple[bool, Aggregate]:
    return largest, Aggregate((Measure("rows"),), where=noun.conditions)


@rule("ranked", "most [different|distinct] <column>", largest=True)
@rule("ranked", "(fewest|least) [different|distinct] <column>", largest=False)
def _ranked_kinds(reader: Reader, column: Column, largest: bool) -> tuple[bool, Aggregate] | None:
    kinds = column.kind == "text" and not is_flag(column) and not reader.schema.is_key(column)
    return (largest, Aggregate((Measure("kinds", column),))) if kinds else None


@rule("core", f"(which|what) [<number>] <group> {_HAS} <ranked>")
@rule("core", "(in|on|at|for|from|during) (which|what) [<number>] <group> (was|is|are|were) <ranked>")
@rule(
    "core",
    "(in|on|at|for|from|during) (which|what) [<number>] <group> (do|did) (we|you|they) "
    "(have|get|see|make|sell) <ranked>",
)
@rule("core", "<number> <group> (with|that have|having) <ranked>", "<group> with <ranked>")
def _core_which(reader: Reader, group: Group, ranked: tuple[bool, Aggregate], number: float = 1) -> Aggregate | None:
    n = whole_number(number)
    largest, amounts = ranked
    return replace(amounts, groups=(group,), rank=Rank(largest, n)) if n and len(amounts.measures) == 1 else None


@rule(
    "core",
    "(which|what) <group> (do|did|does) [the] most <noun:of> "
    "(come|belong|live|use|have|prefer|choose|work|fall|go) [from|to|in|into|at|on]",
)
@rule("core", "from (which|what) <group> (do|did|does) [the] most <noun:of> come")
@rule(
    "core",
    "(which|what) <group> (do|did|does) [the] most <bearer> "
    "(come|belong|live|use|have|prefer|choose|work) [from|to|in|at|on]",
)
@rule("core", "where (do|did|does) [the] most <noun:of> come from (by|per) <group>")
def _core_most_come(reader: Reader, group: Group, of: Where | None = None, **_: Any) -> Aggregate:
    """“Which country do most guests come from?”"""
    return Aggregate((Measure("rows"),), (group,), of.conditions if of else (), rank=Rank(True, 1))


@rule("core", f"(which|what) [<number>] <group> {_EARNS} most <column>", largest=True)
@rule("core", f"(which|what) [<number>] <group> {_EARNS} (least|fewest) <column>", largest=False)
def _core_earns(reader: Reader, group: Group, column: Column, largest: bool, number: float = 1) -> Aggregate | None:
    """“Which customer bought the most items?”: what somebody buys, earns or spends is added up."""
    n = whole_number(number)
    adds = is_numeric(column) and column not in reader.schema.years and not reader.schema.is_key(column)
    return Aggregate((Measure("sum", column),), (group,), rank=Rank(largest, n)) if n and adds else None


@rule(
    "core",
    "(busiest|most popular|most used|most common) <group>",
    "(which|what) (is|was) [the] busiest <group>",
    largest=True,
)
@rule("core", "(quietest|least busy|least popular|least used) <group>", largest=False)
@rule(
    "core",
    "(which|what) <group> (is|was|are|were) (the busiest|busiest|most popular|used most often|used "
    "[the] most|chosen most often)",
    largest=True,
)
@rule(
    "core",
    "(which|what) <group> (is|was|are|were) (quietest|least popular|used least often|used [the] least)",
    largest=False,
)
@rule("core", "(which|what) <group> (occurs|appears|comes up) (most often|most frequently|most|the most)", largest=True)
@rule("core", "(which|what) <group> (occurs|appears|comes up) (least often|least frequently|least)", largest=False)
def _core_busiest(reader: Reader, group: Group, largest: bool) -> Aggregate | None:
    """“Busiest weekday": with the most rows; a "day" could be one of the week, and fame is not always in numbers."""
    rated = reader.schema.columns_ending([(word,) for word in ("popularity", "vote", "view", "like", "rating", "sale")])
    popular = any(token.key == "popular" for token in reader.tokens)
    if group.period == "D" or (popular and rated):
        return None
    return Aggregate((Measure("rows"),), (group,), rank=Rank(largest, 1))


@rule(
    "core",
    "top <group> (by|in) <open:amounts>",
    "top <group> (by|in) <amounts>",
    "(rank|sort|order) <group> by <amounts>",
    largest=True,
)
@rule("core", "(rank|sort|order) <group> by <open:amounts>", largest=True)
@rule("core", "ranking of <group> by <amounts>", "ranking of <group> by <open:amounts>", largest=True)
def _core_ranking(reader: Reader, group: Group, amounts: Aggregate, largest: bool) -> Aggregate | None:
    return replace(amounts, groups=(group,), rank=Rank(largest)) if len(amounts.measures) == 1 else None


@rule("core", "(which|what) <group> (has|had) <amounts> <superlative>")
@rule("core", "(in|on|at|for|during) (which|what) <group> (is|was|were|are) <amounts> <superlative>")
@rule("core", "(in|on|at|for|during) (which|what) <group> (is|was|were|are) <open:amounts> <superlative>")
@rule("core", "when (was|were|is|are) <amounts> <superlative> [by] <group>")
def _core_where_highest(reader: Reader, group: Group, amounts: Aggregate, superlative: tuple[bool]) -> Aggregate | None:
    """“In which month was the total amount highest?”"""
    draft = replace(amounts, groups=(group,), rank=Rank(superlative[0], 1))
    return draft if len(amounts.measures) == 1 else None


@rule("core", "top <number> <group> (by|in) <amounts>", "top <number> <group> (by|in) <open:amounts>", largest=True)
@rule("core", "<number> (best|top) <group> by <amounts>", "<number> (best|top) <group> by <open:amounts>", largest=True)
@rule(
    "core", "bottom <number> <group> (by|in) <amounts>", "bottom <number> <group> (by|in) <open:amounts>", largest=False
)
def _core_top(reader: Reader, number: float, group: Group, amounts: Aggregate, largest: bool) -> Aggregate | None:
    n = whole_number(number)
    return replace(amounts, groups=(group,), rank=Rank(largest, n)) if n and len(amounts.measures) == 1 else None


_IN_EACH = "(per|in each|for each|in every|within each)"


@rule("core", f"top <number> <group> {_IN_EACH} <group:first> by <amounts>", rank=True)
@rule("core", f"top <number> <group> {_IN_EACH} <group:first> by <open:amounts>", rank=True)
@rule("core", f"bottom <number> <group> {_IN_EACH} <group:first> by <amounts>", rank=False)
def _core_top_within(reader: Reader, number: float, amounts: Aggregate, rank: bool, **groups: Group) -> Any:
    n = whole_number(number)
    first, second = groups["first"], groups["group"]
    fits = n and len(amounts.measures) == 1 and first != second
    return replace(amounts, groups=(first, second), rank=Rank(rank, n), within=True) if fits else None


# --- groups by their value: "departments with more than 20 staff" ---------------------------------------------------


@rule("core", "[which|what] <group> (with|have|has|having|that have|had) <test> <noun>")
def _core_having_rows(reader: Reader, group: Group, test: tuple[Operator, float, str], noun: Where) -> Aggregate | None:
    if test[2] or noun.conditions:
        return None
    return Aggregate((Measure("rows"),), (group,), having=(test[0], test[1]))


@rule("core", "[which|what] <group> (with|have|has|having|where|whose|that have) <amounts> [is|are|of] <over> <number>")
def _core_having(reader: Reader, group: Group, amounts: Aggregate, over: Any, number: float) -> Aggregate | None:
    if len(amounts.measures) != 1 or amounts.where:
        return None
    return replace(amounts, groups=(group,), having=(over, number))


# --- single rows: "the five heaviest penguins" ----------------------------------------------------------------------


@rule("extreme", "<adjective>")
def _extreme_adjective(reader: Reader, adjective: tuple[Column, bool]) -> tuple[Column, bool]:
    return adjective


@rule("extreme", "<superlative> <quantity:column>")
def _extreme_column(reader: Reader, superlative: tuple[bool], column: Column) -> tuple[Column, bool]:
    return column, superlative[0]


@rule("extreme", "<dateword> <column>")
def _extreme_date(reader: Reader, dateword: tuple[bool], column: Column) -> tuple[Column, bool] | None:
    return (column, dateword[0]) if is_time(column) else None


@rule("recent", "(latest|newest|most recent)", largest=True)
@rule("recent", "(earliest|oldest)", largest=False)
def _recent(reader: Reader, largest: bool) -> tuple[Column, bool] | None:
    """“Latest order”: by the only date; "oldest" only where nothing holds an age."""
    aged = reader.schema.columns_ending([("age",)])
    return (reader.schema.dates[0], largest) if not aged and only_date(reader) else None


@rule("best", "[<number>] (<adjective:extreme>|<recent:extreme>) <things:of_rows>")
@rule("best", "(<adjective:extreme>|<recent:extreme>) <number> <things:of_rows>")
@rule("best", "[which|what] [<number>] <things:of_rows> (with|has|have|had) <extreme>")
@rule("best", "(which|what) <of_rows> (is|are|was|were) (<adjective:extreme>|<recent:extreme>)")
def _best(
    reader: Reader, extreme: tuple[Column, bool], of_rows: tuple[str, Conditions], number: float = 0
) -> Rows | None:
    return _extreme(extreme, of_rows, number)


@rule("best", "top <number> <things:of_rows> (by|in) <column>", largest=True)
@rule("best", "bottom <number> <things:of_rows> (by|in) <column>", largest=False)
def _best_by(
    reader: Reader, number: float, of_rows: tuple[str, Conditions], column: Column, largest: bool
) -> Rows | None:
    return _extreme((column, largest), of_rows, number)


@rule("best", "[top] <number> <adjective:extreme> <things:of_rows> (by|in terms of|according to) <column>")
@rule("best", "[top] <number> <things:of_rows> with <extreme> [(by|in terms of) <column>]")
@rule("best", "top <number> <adjective:extreme> <things:of_rows>")
def _best_again(
    reader: Reader,
    number: float,
    extreme: tuple[Column, bool],
    of_rows: tuple[str, Conditions],
    column: Column | None = None,
) -> Rows | None:
    """“Top 5 most expensive bookings by price”."""
    return _extreme(extreme, of_rows, number) if column in {None, extreme[0]} else None


@rule("best", "(which|what) <number> <things:of_rows> (are|were) [the] <adjective:extreme>")
@rule("best", "(which|what) are [the] <number> <adjective:extreme> <things:of_rows>")
def _best_which(reader: Reader, number: float, extreme: tuple[Column, bool], of_rows: tuple[str, Conditions]) -> Any:
    return _extreme(extreme, of_rows, number)


@rule("best", "<adjective:extreme> <values>")
def _best_kind(reader: Reader, extreme: tuple[Column, bool], values: Conditions) -> Rows | None:
    """“Cheapest single room": one, where the last word is no plural."""
    said = reader.tokens[-1].key
    one = singular(said) == said and all(test.operator == "==" for test in values)
    return _extreme(extreme, ("one", values), 0) if one else None


@rule("best", "top <number:n> [highest|largest] <column>", largest=True)
@rule("best", "bottom <number:n> [lowest|smallest] <column>", largest=False)
@rule("best", "<number:n> (highest|largest|biggest) <column>", largest=True)
@rule("best", "<number:n> (lowest|smallest) <column>", largest=False)
def _best_values(reader: Reader, n: float, column: Column, largest: bool, **_: Any) -> Rows | None:
    """“Top 3 salaries”."""
    return _extreme((column, largest), ("many", ()), n) if is_numeric(column) else None


@rule("best", "who (has|had|have) <extreme>", "who (is|was) <adjective:extreme>")
@rule(
    "best", "who (are|were) <number> <adjective:extreme> [<row>]", "who (are|were) <adjective:extreme> <number> [<row>]"
)
def _best_who(reader: Reader, extreme: tuple[Column, bool], number: float = 1, **_: Any) -> Rows | None:
    """“Who”, where the rows are people: by the table's name, or by a name in each row."""
    table = reader.schema.table
    people = {*words(table.name), *words(table.label)} & PEOPLE
    named = [c for c in table.columns if words(c.name)[-1:] == ("name",) and reader.schema.is_key(c)]
    if not people and not named:
        reader.refuse("no column tells who the rows are about")
        return None
    return _extreme(extreme, ("many", ()), number)


@rule("best", "who (was|were|is|are) <dated:column> last", largest=True)
@rule("best", "who (was|were|is|are) <dated:column> first", largest=False)
def _best_dated(reader: Reader, column: Column, largest: bool) -> Rows | None:
    """“Who was hired first?”"""
    return _best_who(reader, (column, largest))


@rule("core", "<best>")
def _core_best(reader: Reader, best: Rows) -> Rows:
    return best


@rule("core", "when (is|was|were) <extreme>", "when did <extreme> (occur|happen)")
@rule("core", "when (is|was|were) <column> <superlative>", "on (which|what) (day|date) (is|was) <column> <superlative>")
def _core_when(
    reader: Reader,
    extreme: tuple[Column, bool] | None = None,
    column: Column | None = None,
    superlative: tuple[bool] = (True,),
) -> Rows | None:
    """“When was the highest wind?”: the date of that row."""
    of, largest = extreme or (column, superlative[0])
    if of is None or not is_numeric(of) or not only_date(reader):
        return None
    return Rows(of, Rank(largest, 1), show=(reader.schema.dates[0], of))


@rule("core", "when (is|was) <dateword> <row>", "date of <dateword> <row>")
def _core_when_first(reader: Reader, dateword: tuple[bool], row: str) -> Aggregate | None:
    """“When was the first order?”"""
    if row != "one" or not only_date(reader):
        return None
    return Aggregate((Measure("max" if dateword[0] else "min", reader.schema.dates[0]),))


@rule("core", "<columns> (of|for) <best>")
def _core_of_best(reader: Reader, columns: tuple[Column, ...], best: Rows) -> Rows:
    """“The names of the five oldest people”."""
    by = (best.column,) if best.column and best.column not in columns else ()
    return replace(best, show=(*columns, *by))


def _extreme(extreme: tuple[Column, bool], of_rows: tuple[str, Conditions], number: float) -> Rows | None:
    """“The heaviest penguin” is one, "the heaviest penguins" are nobody knows how many."""
    (column, largest), (row, where) = extreme, of_rows
    n = whole_number(number) if number else (1 if row == "one" else None)
    return Rows(column, Rank(largest, n), where) if n and (is_numeric(column) or is_time(column)) else None


# --- all rows that fit: "rows with amount over 7000" ----------------------------------------------------------------


@rule("of_rows", "<row>")
def _of_rows(reader: Reader, row: str) -> tuple[str, Conditions]:
    return row, ()


@rule("of_rows", "<values> <row>")
def _of_rows_values(reader: Reader, values: Conditions, row: str) -> tuple[str, Conditions]:
    return row, values


@rule("things", "<of_rows>")
def _things(reader: Reader, of_rows: tuple[str, Conditions]) -> tuple[str, Conditions]:
    return of_rows


@rule("things", "<entity>", "<values> <entity>")
def _things_entity(reader: Reader, entity: tuple[str, Column], values: Conditions = ()) -> tuple[str, Conditions]:
    return entity[0], values


@rule("core", "<row:rows> (by|per|for each|in each) <groups>", "<values> <row:rows> (by|per|for each|in each) <groups>")
def _core_rows_by(reader: Reader, rows: str, groups: tuple[Group, ...], values: Conditions = ()) -> Aggregate | None:
    """“Loans by month”: how many."""
    return Aggregate((Measure("rows"),), groups, values) if rows == "many" else None


@rule("core", "<entity> (by|per|for each|in each) <groups>")
def _core_entity_by(reader: Reader, entity: tuple[str, Column], groups: tuple[Group, ...]) -> Aggregate:
    """“Orders per month” where an order may have two rows."""
    return Aggregate((Measure("entity", entity[1]),), groups)


@rule(
    "core",
    "[all] <things:of_rows> (sorted|ordered|ranked|by order of) [by] <column> [in] [descending|decreasing] [order]",
    largest=True,
)
@rule(
    "core",
    "[all] <things:of_rows> (sorted|ordered|ranked) by <column> [in] (ascending|increasing) [order]",
    largest=False,
)
def _core_sorted(reader: Reader, of_rows: tuple[str, Conditions], column: Column, largest: bool) -> Rows:
    said = {token.key for token in reader.tokens}
    return Rows(column, Rank(largest and bool(said & {"descending", "decreasing"})), of_rows[1])


@rule("question", "[are there|show|list] <things:of_rows> <modifiers> (:|,|-) (how many|count)")
def _how_many_behind(reader: Reader, of_rows: tuple[str, Conditions], modifiers: tuple[Any, ...]) -> Any:
    """“Bookings between 1 June and 31 August 2022: how many?”"""
    return settle(reader, apply(reader, Aggregate((Measure("rows"),), where=of_rows[1]), modifiers))


@rule("core", "[all|which|what] <things:of_rows>")
def _core_rows(reader: Reader, of_rows: tuple[str, Conditions]) -> Rows:
    return Rows(where=of_rows[1])


@rule("core", "[all] <columns> of [all] <things:of_rows>")
def _core_columns_of(reader: Reader, columns: tuple[Column, ...], of_rows: tuple[str, Conditions]) -> Rows:
    """“Name and salary of staff in Finance”."""
    return Rows(where=of_rows[1], show=columns)
