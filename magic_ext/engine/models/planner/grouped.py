"""Amounts, overall and by group, as lines of pandas."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ..base import Column
from . import figures
from .cell import Cell, literal
from .plan import Aggregate, Derived, Flag, Group, Measure, unknown_of
from .schema import is_numeric
from .titles import PERIOD_NAMES, WEEKDAY_NAMES, group_name, measure_title, title

__all__ = ["MOST_LINES", "amounts", "decimals", "key"]

MOST_LINES = 100  # of a printed table
_UNSORTED = {
    "quotient",
    "share",
    "percent",
    "part",
    "iqr",
    "spread",
}  # sums of several terms: ranked in a line of their own


def decimals(columns: Iterable[Column]) -> int:
    """How many decimals show about three digits of the smallest of the columns; never fewer than two.

    >>> decimals([Column("share", "number", low=0.0, high=0.004)])
    5
    """
    needed = [2]
    for column in columns:
        bounds = [abs(bound) for bound in (column.low, column.high) if isinstance(bound, int | float)]
        size = max(bounds, default=0.0)
        if isinstance(column, Derived) and column.operator == "/":
            size = 0.01
        if 0 < size < 1 and math.isfinite(size):
            needed.append(min(2 - math.floor(math.log10(size)), 12))
    return max(needed)


def amounts(cell: Cell, question: Aggregate) -> None:
    """The measures as printed lines, or as one table by group, and its figure."""
    for flag in dict.fromkeys(measure.column for measure in question.measures if isinstance(measure.column, Flag)):
        cell.add(f"{_matching(cell)} = {cell.flag(flag)}")
    if question.groups:
        _grouped(cell, question)
    else:
        _shares_of_known(cell, question)
        _scalars(cell, question)


def _shares_of_known(cell: Cell, question: Aggregate) -> None:
    """Percentages of the rows where it is known, before those of all rows: a gap is no "no"."""
    columns = unknown_of(question)
    if not columns:
        return
    known = cell.name("known")
    cell.add(f"{known} = {_both(f'{cell.column(column)}.notna()' for column in columns)}")
    named = " and ".join(column.name for column in columns)
    for measure in question.measures:
        if measure.how == "percent":
            label = f"{measure_title(measure)} (of the rows with {named}):"
            value = f'round({_matching(cell)}[{known}].mean() * 100, 2) if {known}.any() else "no rows"'
            cell.add(f"print({literal(label)}, {value})")


def _both(tests: Iterable[str]) -> str:
    listed = list(tests)
    return listed[0] if len(listed) == 1 else " & ".join(listed)


def _matching(cell: Cell) -> str:
    return cell.name("matching")


def _digits(measures: Iterable[Measure]) -> int | None:
    measured = [m for m in measures if m.how not in {"rows", "nunique", "count"}]
    if not measured or any(m.column and not is_numeric(m.column) and not isinstance(m.column, Flag) for m in measured):
        return None
    if any(m.how == "quotient" for m in measured):
        return 4
    return decimals([m.column for m in measured if m.column and m.how not in {"share", "percent", "part"}])


def _scalars(cell: Cell, question: Aggregate) -> None:
    for measure in question.measures:
        if measure.column is None:
            value = f"len({cell.frame})"
        else:
            value = _value(cell, measure, cell.column(measure.column), cell.frame)
            digits = _digits([measure])
            value = value if digits is None else f"round({value}, {digits})"
            if cell.where and measure.how not in {"sum", "nunique", "count"}:
                value += f' if len({cell.frame}) else "no rows"'
        cell.add(f"print({literal(measure_title(measure) + ':')}, {value})")


def _value(cell: Cell, measure: Measure, of: str, whole: str) -> str:
    """Source of a measure ``of`` a series, grouped or not; ``whole`` is what the series is a column of."""
    if measure.how == "percent":
        return f"{_matching(cell)}.mean() * 100"
    if measure.how == "part" and measure.of:
        total = cell.column(measure.of)
        return f"{total}[{_matching(cell)}].sum() / {total}.sum() * 100"
    if measure.how == "quotient" and measure.of:
        return f"{of}.sum() / {whole}[{literal(measure.of.name)}].sum()"
    if measure.how == "spread":
        return f"{of}.max() - {of}.min()"
    if measure.how == "iqr":
        return f"{of}.quantile(0.75) - {of}.quantile(0.25)"
    if measure.how.startswith("q0"):
        return f"{of}.quantile({measure.how[1:]})"
    return f"{of}.{measure.how}()"


# --- by group -------------------------------------------------------------------------------------------------------


def _grouped(cell: Cell, question: Aggregate) -> None:
    result = cell.name("result")
    keys = [key(cell, group) for group in question.groups]
    observed = any(group.column.kind in {"text", "other"} or group.period == "weekday" for group in question.groups)
    cell.add(*_result(cell, result, keys, ", observed=True" if observed else "", question))
    if question.outer:
        _outer(cell, question, result)
        return
    columns = unknown_of(question)
    if columns and len(question.measures) == 1:
        for column in columns:
            label = literal(f"Rows with unknown {column.name}, not counted in the first table:")
            cell.add(f"print({label}, {cell.column(column)}.isna().sum())")
        _known_by_group(cell, question, keys, observed, columns)
    cell.add(f"print({literal(title(question))})")
    _print(cell, question, result)
    if question.contrast:
        _contrast(cell, question, result)
    if question.chart:
        figures.aggregate(cell, question, result)


def _known_by_group(
    cell: Cell, question: Aggregate, keys: list[str], observed: bool, columns: Iterable[Column]
) -> None:
    """The percentages by group of the rows where it is known."""
    known, share = cell.name("known"), cell.name("share")
    by = [f"{cell.frame}[{one}]" if one[0] in "\"'" else one for one in keys]
    listed = by[0] if len(by) == 1 else f"[{', '.join(by)}]"
    cell.add(f"{known} = {_both(f'{cell.column(column)}.notna()' for column in columns)}")
    source = f"{_matching(cell)}.where({known}).astype(float).groupby({listed}{', observed=True' if observed else ''})"
    cell.add(f"{share} = {source}.mean() * 100")
    named = " and ".join(column.name for column in columns)
    cell.add(f"print({literal(f'{title(question)}, of the rows with {named}')})")
    cell.add(f"print({share}.round(2){'.unstack()' if len(keys) == 2 else ''}.to_string())")


def _contrast(cell: Cell, question: Aggregate, result: str) -> None:
    """The first group's value minus, or divided by, the second's."""
    column = question.groups[0].column
    one, other = next(literals for test in cell.where if (literals := test.values) and test.column == column)
    named = {"-": "Difference", "/": "Ratio"}[question.contrast]
    label = literal(f"{named} ({one} {question.contrast} {other}):")
    digits = max(_digits(question.measures) or 2, 3 if question.contrast == "/" else 2)
    none = 'float("nan")'
    ends = f"{result}.get({literal(one)}, {none}) {question.contrast} {result}.get({literal(other)}, {none})"
    gap = cell.name("difference" if question.contrast == "-" else "ratio")
    cell.add(f"{gap} = {ends}")
    if question.contrast == "-":
        cell.add(f'print("Difference without its sign:", round(abs({gap}), {digits}))')
    cell.add(f"print({label}, round({gap}, {digits}))")


def _outer(cell: Cell, question: Aggregate, result: str) -> None:
    cell.add(f'print("Groups:", len({result}))')
    digits = _digits(question.measures) or 2
    cell.add(f"print({literal(title(question) + ' =')}, round({result}.{question.outer}(), {digits}))")


def _print(cell: Cell, question: Aggregate, result: str) -> None:
    digits = _digits(question.measures) if question.running != "growth" else 2
    shown = result
    if _many_groups(question):
        cell.add(f'print("Groups:", len({result}), "(at most {MOST_LINES} are shown)")')
        shown = f"{result}.head({MOST_LINES})"
    rounded = shown if digits is None else f"{shown}.round({digits})"
    name = literal(measure_title(question.measures[0]))
    if question.within:
        cell.add(f"print({rounded}.rename({name}).reset_index().to_string(index=False))")
        return
    if any(group.period for group in question.groups) and _is_series(question):
        # A series of periods would print its frequency below the values.
        rounded += f".to_frame({name})"
    cell.add(f"print({rounded}.to_string())")


def key(cell: Cell, group: Group) -> str:
    """Source of what to group by; dates are first rounded down, or a part is taken of them."""
    if not group.period:
        return literal(group.column.name)
    label = PERIOD_NAMES[group.period]
    name = cell.name(label.split()[0])
    column = cell.column(group.column)
    zoned = isinstance(group.column.low, str) and group.column.low[10:].rstrip("Z")[-6:-5] in {"+", "-"}
    aware = zoned or (isinstance(group.column.low, str) and group.column.low.endswith("Z"))
    match group.period:
        case "weekday":
            days = cell.name("days")
            cell.imports.add("import pandas as pd")
            cell.add(f"{days} = pd.CategoricalDtype({list(WEEKDAY_NAMES)}, ordered=True)".replace("'", '"'))
            source = f"{column}.dt.day_name().astype({days})"
        case "weekend":
            source = f'({column}.dt.day_of_week >= 5).map({{True: "weekend", False: "Monday to Friday"}})'
        case "hour" | "month" | "quarter":
            source = f"{column}.dt.{group.period}"
        case "h":
            source = f'{column}.dt.floor("h")'
        case period:
            local = ".dt.tz_localize(None)" if aware else ""
            source = f'{column}{local}.dt.to_period("{period}")'
    cell.add(f"{name} = {source}.rename({literal(label)})")
    return name


def _result(cell: Cell, result: str, keys: list[str], observed: str, question: Aggregate) -> list[str]:
    if len(question.measures) == 1:
        return [f"{result} = {_single(cell, keys, observed, question)}", *_reshaped(cell, result, question)]
    cell.imports.add("import pandas as pd")
    groups = cell.name("groups")
    by = keys[0] if len(keys) == 1 else f"[{', '.join(keys)}]"
    lines = [f"{groups} = {cell.frame}.groupby({by}{observed})", f"{result} = pd.DataFrame(", "    {"]
    for measure in question.measures:
        value = _measured(cell, measure, groups, keys, observed)
        lines.append(f"        {literal(measure_title(measure))}: {value},")
    lines += ["    }", ")"]
    if question.rank:
        first = literal(measure_title(question.measures[0]))
        keep = f".head({question.rank.n})" if question.rank.n is not None else ""
        lines.append(f"{result} = {result}.sort_values({first}, ascending={not question.rank.largest}){keep}")
    return lines


def _measured(cell: Cell, measure: Measure, grouped: str, keys: list[str], observed: str) -> str:
    if measure.how == "percent":
        by = [f"{cell.frame}[{one}]" if one[0] in "\"'" else one for one in keys]
        listed = by[0] if len(by) == 1 else f"[{', '.join(by)}]"
        return f"{_matching(cell)}.groupby({listed}{observed}).mean() * 100"
    if measure.how == "part" and measure.of:
        name = literal(measure.of.name)
        named = keys[0] if len(keys) == 1 else f"[{', '.join(keys)}]"
        matched = f"{cell.frame}[{_matching(cell)}].groupby({named}{observed})[{name}].sum()"
        return f"({matched} / {grouped}[{name}].sum() * 100).fillna(0)"
    if measure.column is None:
        return f"{grouped}.size()"
    return _value(cell, measure, f"{grouped}[{literal(measure.column.name)}]", grouped)


def _single(cell: Cell, keys: list[str], observed: str, question: Aggregate) -> str:
    measure, rank = question.measures[0], question.rank
    by = keys[0] if len(keys) == 1 else f"[{', '.join(keys)}]"
    shared = Measure("sum" if measure.column else "rows", measure.column)
    value = _measured(
        cell, shared if measure.how == "share" else measure, f"{cell.frame}.groupby({by}{observed})", keys, observed
    )
    plain_rank = rank and not (question.within or measure.how in _UNSORTED)
    if plain_rank and rank and rank.n is not None:
        return f'{value}.{"nlargest" if rank.largest else "nsmallest"}({rank.n}, keep="all")'
    if plain_rank and rank:
        return f"{value}.sort_values(ascending={not rank.largest})"
    if len(question.groups) == 2 and not (question.within or rank or question.having or measure.how == "percent"):
        return value + (".unstack()" if measure.column else ".unstack(fill_value=0)")
    return value


def _reshaped(cell: Cell, result: str, question: Aggregate) -> list[str]:
    """What is done to the one series: shares, running values, groups by their value, ranks."""
    lines, rank, how = [], question.rank, question.measures[0].how
    if how == "share":
        lines.append(f"{result} = {result} / {result}.sum() * 100")
    if question.having:
        operator, number = question.having
        lines.append(f"{result} = {result}[{result} {operator} {literal(number)}].sort_values(ascending=False)")
    if question.running:
        lines += _running(cell, result, question)
    if question.within and rank:
        ranks = f'{result}.groupby(level=0, observed=True).rank(method="min", ascending={not rank.largest})'
        lines.append(f"{result} = {result}[{ranks} <= {rank.n}]")
        lines.append(
            f"{result} = {result}.sort_values(ascending={not rank.largest})"
            '.sort_index(level=0, sort_remaining=False, kind="stable")'
        )
    elif rank and how in _UNSORTED and rank.n is not None:
        lines.append(f'{result} = {result}.{"nlargest" if rank.largest else "nsmallest"}({rank.n}, keep="all")')
    elif rank and how in _UNSORTED:
        lines.append(f"{result} = {result}.sort_values(ascending={not rank.largest})")
    elif how == "percent" and len(question.groups) == 2:
        lines.append(f"{result} = {result}.unstack()")
    return lines


def _running(cell: Cell, result: str, question: Aggregate) -> list[str]:
    if question.running == "cumsum":
        return [f"{result} = {result}.cumsum()"]
    cell.imports.add("import pandas as pd")
    period = question.groups[0].period
    every = f'pd.period_range({result}.index.min(), {result}.index.max(), freq="{period}")'
    name = literal(group_name(question.groups[0]))
    filled = [f"{result} = {result}.reindex({every}, fill_value=0).rename_axis({name})"] if period else []
    return [*filled, f"{result} = {result}.pct_change() * 100"]


def _many_groups(question: Aggregate) -> bool:
    first = question.groups[0]
    cut = question.rank is not None and question.rank.n is not None and not question.within
    return not cut and first.period in {"", "D", "h"} and first.column.unique > MOST_LINES


def _is_series(question: Aggregate) -> bool:
    return len(question.measures) == 1 and (len(question.groups) == 1 or question.rank is not None)
