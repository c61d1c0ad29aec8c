"""From plans to a notebook cell: pandas as a person would write it."""

from __future__ import annotations

import keyword
import math
from collections.abc import Iterable, Sequence

from ..base import Column
from . import figures
from .cell import Cell, literal
from .plan import (
    Aggregate,
    Columns,
    Correlation,
    Describe,
    Distribution,
    Group,
    Head,
    Measure,
    Missing,
    Plan,
    Rows,
    Scatter,
    Unique,
    columns_of,
)
from .schema import is_numeric
from .titles import PERIOD_NAMES, measure_title, title

__all__ = ["compile_plans"]

MOST_LINES = 100  # of a printed table


def compile_plans(plans: Sequence[Plan], taken: Iterable[str] = ()) -> str:
    """One cell for ``plans``; ``taken`` are further names that must not be assigned to. Raises ValueError for a table
    whose name is no Python identifier.
    """
    names = frozenset({*taken, *(plan.table.name for plan in plans), "pd", "plt", "print", "len", "round", "str"})
    imports: set[str] = set()
    loads: dict[str, None] = {}
    blocks: list[str] = []
    for plan in plans:
        if not plan.table.name.isidentifier() or keyword.iskeyword(plan.table.name):
            raise ValueError(f"{plan.table.name!r} is not a variable's name")
        cell = Cell(plan.table, plan.question, names)
        _body(cell)
        imports |= cell.imports
        if plan.table.load:
            loads[plan.table.load] = None
            imports |= {"import pandas as pd"} if "pd." in plan.table.load else set()
        blocks.append("\n".join(cell.lines))
    head = sorted(imports, key=lambda line: ("pandas" not in line, line))
    parts = ["\n".join(head), "\n".join(loads), *blocks]
    return "\n\n".join(part for part in parts if part) + "\n"


def _body(cell: Cell) -> None:
    match cell.question:
        case Aggregate() as question:
            _left_out(cell)
            _grouped(cell, question) if question.groups else _scalars(cell, question)
        case Rows(column, rank):
            _left_out(cell)
            _print_title(cell)
            method = "nlargest" if rank.largest else "nsmallest"
            result = cell.name("result")
            cell.add(f'{result} = {cell.frame}.{method}({rank.n}, {literal(column.name)}, keep="all")')
            cell.add(f"print({result}.to_string())")
        case Head(n, last):
            cell.add(f"print({cell.frame}.{'tail' if last else 'head'}({n}).to_string())")
        case Columns(what):
            _columns(cell, what)
        case Describe() as question:
            _describe(cell, question)
        case Missing() as question:
            _missing(cell, question)
        case Unique(column):
            values = cell.name("values")
            cell.add(f"{values} = {cell.column(column)}.dropna().drop_duplicates().sort_values()")
            cell.add(f'print("Distinct values:", len({values}))')
            cell.add(f"print({values}.head({MOST_LINES}).to_string(index=False))")
        case Distribution() as question:
            figures.distribution(cell, question, decimals([question.column]))
        case Scatter() as question:
            figures.scatter(cell, question)
        case Correlation() as question:
            _correlation(cell, question)


def _print_title(cell: Cell) -> None:
    cell.add(f"print({literal(title(cell.question))})")


def _left_out(cell: Cell) -> None:
    """Among filtered rows only the code can count what is missing; among all rows the reading has said it."""
    for column in columns_of(cell.question):
        if cell.where and column.missing and not any(test.column == column for test in cell.where):
            cell.add(f"print({literal(f'Rows without {column.name}:')}, {cell.column(column)}.isna().sum())")


def decimals(columns: Iterable[Column]) -> int:
    """How many decimals show about three digits of the smallest of the columns; never fewer than two.

    >>> decimals([Column("share", "number", low=0.0, high=0.004)])
    5
    """
    needed = [2]
    for column in columns:
        bounds = [abs(bound) for bound in (column.low, column.high) if isinstance(bound, int | float)]
        size = max(bounds, default=0.0)
        if 0 < size < 1 and math.isfinite(size):
            needed.append(min(2 - math.floor(math.log10(size)), 12))
    return max(needed)


def _digits(measures: Iterable[Measure]) -> int | None:
    columns = [m.column for m in measures if m.column and is_numeric(m.column) and m.how not in {"nunique", "count"}]
    return decimals(columns) if columns else None


def _scalars(cell: Cell, question: Aggregate) -> None:
    for measure in question.measures:
        if measure.column is None:
            value = f"len({cell.frame})"
        else:
            value = f"{cell.column(measure.column)}.{measure.how}()"
            digits = _digits([measure])
            value = value if digits is None else f"round({value}, {digits})"
        cell.add(f"print({literal(measure_title(measure) + ':')}, {value})")


# --- by group -------------------------------------------------------------------------------------------------------


def _grouped(cell: Cell, question: Aggregate) -> None:
    result = cell.name("result")
    keys = [_key(cell, group) for group in question.groups]
    by = keys[0] if len(keys) == 1 else f"[{', '.join(keys)}]"
    observed = ", observed=True" if any(group.column.kind in {"text", "other"} for group in question.groups) else ""
    groupby = f"{cell.frame}.groupby({by}{observed})"
    cell.add(*_result(cell, result, groupby, question))
    _print_title(cell)
    digits = _digits(question.measures)
    shown = result
    if _many_groups(question):
        cell.add(f'print("Groups:", len({result}), "(at most {MOST_LINES} are shown)")')
        shown = f"{result}.head({MOST_LINES})"
    rounded = shown if digits is None else f"{shown}.round({digits})"
    if any(group.period for group in question.groups) and _is_series(question):
        # A series of periods would print its frequency below the values.
        rounded += f".to_frame({literal(measure_title(question.measures[0]))})"
    cell.add(f"print({rounded}.to_string())")
    if question.chart:
        figures.aggregate(cell, question, result)


def _key(cell: Cell, group: Group) -> str:
    if not group.period:
        return literal(group.column.name)
    name = cell.name(PERIOD_NAMES[group.period])
    column = cell.column(group.column)
    zoned = isinstance(group.column.low, str) and group.column.low[10:].rstrip("Z")[-6:-5] in {"+", "-"}
    aware = zoned or (isinstance(group.column.low, str) and group.column.low.endswith("Z"))
    local = ".dt.tz_localize(None)" if aware else ""
    cell.add(f'{name} = {column}{local}.dt.to_period("{group.period}").rename("{PERIOD_NAMES[group.period]}")')
    return name


def _result(cell: Cell, result: str, groupby: str, question: Aggregate) -> list[str]:
    rank = question.rank
    if len(question.measures) == 1:
        measure = question.measures[0]
        column = f"[{literal(measure.column.name)}]" if measure.column else ""
        value = f"{groupby}{column}.{measure.how}()" if measure.column else f"{groupby}.size()"
        if rank and rank.n is not None:
            value += f'.{"nlargest" if rank.largest else "nsmallest"}({rank.n}, keep="all")'
        elif rank:
            value += f".sort_values(ascending={not rank.largest})"
        elif len(question.groups) == 2:
            value += ".unstack()" if measure.column else ".unstack(fill_value=0)"
        return [f"{result} = {value}"]
    cell.imports.add("import pandas as pd")
    groups = cell.name("groups")
    lines = [f"{groups} = {groupby}", f"{result} = pd.DataFrame(", "    {"]
    for measure in question.measures:
        value = f"{groups}[{literal(measure.column.name)}].{measure.how}()" if measure.column else f"{groups}.size()"
        lines.append(f"        {literal(measure_title(measure))}: {value},")
    lines += ["    }", ")"]
    if rank:
        by = literal(measure_title(question.measures[0]))
        keep = f".head({rank.n})" if rank.n is not None else ""
        lines.append(f"{result} = {result}.sort_values({by}, ascending={not rank.largest}){keep}")
    return lines


def _many_groups(question: Aggregate) -> bool:
    first = question.groups[0]
    cut = question.rank is not None and question.rank.n is not None
    return not cut and first.period in {"", "D"} and first.column.unique > MOST_LINES


def _is_series(question: Aggregate) -> bool:
    return len(question.measures) == 1 and (len(question.groups) == 1 or question.rank is not None)


# --- the table itself -----------------------------------------------------------------------------------------------


def _columns(cell: Cell, what: str) -> None:
    frame = cell.frame
    if what in {"shape", "number"}:
        if what == "shape":
            cell.add(f'print("Rows:", len({frame}))')
        cell.add(f'print("Columns:", len({frame}.columns))')
    elif what == "columns":
        cell.add(f"for column in {frame}.columns:", "    print(column)")
    else:
        cell.add(f"print({frame}.dtypes.to_string())")


def _describe(cell: Cell, question: Describe) -> None:
    frame = cell.frame
    if question.groups:
        keys = [_key(cell, group) for group in question.groups]
        by = keys[0] if len(keys) == 1 else f"[{', '.join(keys)}]"
        column = question.columns[0]
        _print_title(cell)
        grouped = f"{frame}.groupby({by}, observed=True)[{literal(column.name)}]"
        cell.add(f"print({grouped}.describe().round({decimals([column])}).to_string())")
    elif question.columns:
        names = ", ".join(literal(column.name) for column in question.columns)
        digits = decimals(question.columns)
        numeric = all(is_numeric(column) for column in question.columns)
        rounded = f".round({digits})" if numeric else ""
        cell.add(f"print({frame}[[{names}]].describe(){rounded}.to_string())")
    else:
        _profile(cell)


def _profile(cell: Cell) -> None:
    frame = cell.frame
    cell.imports.add("import pandas as pd")
    profile = cell.name("profile")
    cell.add(f'print("Rows:", len({frame}), " Columns:", len({frame}.columns))')
    cell.add(
        f"{profile} = pd.DataFrame(",
        f'    {{"type": {frame}.dtypes.astype(str), "missing": {frame}.isna().sum(), "distinct": {frame}.nunique()}}',
        ")",
        f"print({profile}.to_string())",
    )
    numbers = [column for column in cell.table.columns if is_numeric(column)]
    if numbers:
        cell.add(f'print({frame}.describe(include="number").round({decimals(numbers)}).T.to_string())')


def _missing(cell: Cell, question: Missing) -> None:
    frame = cell.frame
    if question.rows:
        incomplete = cell.name("incomplete")
        cell.add(f"{incomplete} = {frame}.isna().any(axis=1).sum()")
        cell.add(f'print("Rows with at least one missing value:", {incomplete}, "of", len({frame}))')
    elif question.columns:
        for column in question.columns:
            label = literal(f"Missing values of {column.name}:")
            cell.add(f'print({label}, {cell.column(column)}.isna().sum(), "of", len({frame}))')
    else:
        missing = cell.name("missing")
        cell.add(f"{missing} = {frame}.isna().sum()")
        cell.add('print("Missing values per column")', f"print({missing}.to_string())")
        cell.add(f'print("In total:", {missing}.sum())')


def _correlation(cell: Cell, question: Correlation) -> None:
    if not question.columns:
        cell.add("print(" + literal(title(question)) + ")")
        cell.add(f"print({cell.frame}.corr(numeric_only=True).round(3).to_string())")
        return
    names = ", ".join(literal(column.name) for column in question.columns)
    pairs = cell.name("pairs")
    first, second = (literal(column.name) for column in question.columns)
    cell.add(f"{pairs} = {cell.frame}[[{names}]].dropna()")
    cell.add(f'print("Rows with both:", len({pairs}))')
    cell.add(f"print({literal(title(question) + ':')}, round({pairs}[{first}].corr({pairs}[{second}]), 3))")
