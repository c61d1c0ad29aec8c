"""From plans to a notebook cell: pandas as a person would write it."""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Sequence

from . import figures, grouped
from .cell import Cell, literal
from .grouped import MOST_LINES, decimals, key
from .plan import (
    Aggregate,
    Columns,
    Correlation,
    Derived,
    Describe,
    Distribution,
    Duplicates,
    Flag,
    Head,
    Missing,
    Outliers,
    Plan,
    Question,
    Regression,
    Rolling,
    Rows,
    Scatter,
    Unique,
    columns_of,
)
from .schema import is_numeric
from .titles import title

__all__ = ["compile_plans"]

_USED = ("pd", "np", "plt", "print", "len", "round", "str", "list", "float", "range")


def compile_plans(plans: Sequence[Plan], taken: Iterable[str] = ()) -> str:
    """One cell for ``plans``; ``taken`` are further names that must not be assigned to. Raises ValueError for a table
    whose name is no Python identifier.
    """
    names = frozenset({*taken, *(plan.table.name for plan in plans), *_USED})
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
    start = len(cell.lines)
    match cell.question:
        case Head(n, last):
            cell.add(f"print({cell.frame}.{'tail' if last else 'head'}({n}).to_string())")
        case Columns(what):
            _columns(cell, what)
        case Missing() as question:
            _missing(cell, question)
        case question:
            _left_out(cell)
            _table(cell, question)
    if cell.where and _draws(cell.question) and not _surely_some(cell):
        body = [f"    {line}" if line else "" for line in cell.lines[start:]]
        cell.lines[start:] = [f"if {cell.frame}.empty:", '    print("No row matches.")', "else:", *body]


def _table(cell: Cell, question: Question) -> None:
    match question:
        case Aggregate():
            grouped.amounts(cell, question)
        case Rows():
            _rows(cell, question)
        case Describe():
            _describe(cell, question)
        case Unique(column):
            values = cell.name("values")
            cell.add(f"{values} = {cell.column(column)}.dropna().drop_duplicates().sort_values()")
            cell.add(f'print("Distinct values:", len({values}))')
            cell.add(f"print({values}.head({MOST_LINES}).to_string(index=False))")
        case Distribution(column):
            figures.distribution(cell, question, decimals([column]))
        case Scatter():
            figures.scatter(cell, question)
        case Regression():
            figures.regression(cell, question)
        case Rolling():
            figures.rolling(cell, question, decimals([question.column]))
        case Correlation():
            _correlation(cell, question)
        case Outliers():
            _outliers(cell, question)
        case Duplicates():
            _duplicates(cell, question)


def _draws(question: Question) -> bool:
    charted = isinstance(question, Aggregate | Correlation) and bool(question.chart)
    return charted or isinstance(question, Distribution | Scatter | Regression | Rolling)


def _surely_some(cell: Cell) -> bool:
    """Whether the one condition is met by some row, as far as the table's profile tells."""
    one = cell.where[0]
    return len(cell.where) == 1 and one.operator in {"==", "in"} and not one.part and one.values[0] in one.column.values


def _print_title(cell: Cell) -> None:
    cell.add(f"print({literal(title(cell.question))})")


def _left_out(cell: Cell) -> None:
    """Among filtered rows only the code can count what is missing; among all rows the reading has said it."""
    if isinstance(cell.question, Rows | Duplicates | Correlation | Describe) or not cell.where:
        return
    tested = {test.column for test in cell.where}
    for column in columns_of(cell.question):
        if column.missing and column not in tested and not isinstance(column, Derived | Flag):
            cell.add(f"print({literal(f'Rows without {column.name}:')}, {cell.column(column)}.isna().sum())")


# --- rows -----------------------------------------------------------------------------------------------------------


def _rows(cell: Cell, question: Rows) -> None:
    _print_title(cell)
    result, column, rank = cell.name("result"), question.column, question.rank
    columns = f"[[{', '.join(literal(column.name) for column in question.show)}]]" if question.show else ""
    if column and rank and question.groups:
        by, name = literal(question.groups[0].column.name), literal(column.name)
        ranks = cell.name("rank")
        grouping = f"{cell.frame}.groupby({by}, observed=True)[{name}]"
        cell.add(f'{ranks} = {grouping}.rank(method="min", ascending={not rank.largest})')
        order = f"[{by}, {name}], ascending=[True, {not rank.largest}]"
        cell.add(f"{result} = {cell.frame}[{ranks} <= {rank.n}].sort_values({order}){columns}")
    elif column and rank and rank.n is None:
        order = f"{literal(column.name)}, ascending={not rank.largest}"
        cell.add(f"{result} = {cell.frame}.sort_values({order}){columns}")
    elif column and rank:
        method = "nlargest" if rank.largest else "nsmallest"
        cell.add(f'{result} = {cell.frame}.{method}({rank.n}, {literal(column.name)}, keep="all"){columns}')
    elif columns:
        cell.add(f"{result} = {cell.frame}{columns}")
    else:
        result = cell.frame
    cell.add(
        f"print({result}.head({MOST_LINES}).to_string())" if not (rank and rank.n) else f"print({result}.to_string())"
    )


def _outliers(cell: Cell, question: Outliers) -> None:
    _print_title(cell)
    column, digits = cell.column(question.column), decimals([question.column])
    low, high, reach, found = (cell.name(wanted) for wanted in ("low", "high", "reach", "outliers"))
    cell.add(
        f"{low}, {high} = {column}.quantile([0.25, 0.75])",
        f"{reach} = 1.5 * ({high} - {low})",
        f"{found} = {cell.frame}[({column} < {low} - {reach}) | ({column} > {high} + {reach})]",
        f'print("Usual range:", round({low} - {reach}, {digits}), "to", round({high} + {reach}, {digits}))',
        f'print("Outliers:", len({found}), "of", len({cell.frame}))',
    )
    if not question.count:
        cell.add(f"print({found}.head({MOST_LINES}).to_string())")


def _duplicates(cell: Cell, question: Duplicates) -> None:
    columns = ", ".join(literal(column.name) for column in question.columns)
    if any(column.missing for column in question.columns):
        known = cell.name("known")
        cell.add(f"{known} = {cell.frame}.dropna(subset=[{columns}])")
        cell.frame = known
    subset = f"subset=[{columns}]" if columns else ""
    repeated = cell.name("repeated")
    if question.count:
        cell.add(f"{repeated} = {cell.frame}.duplicated({subset}).sum()")
        cell.add(f'print("Repeated rows:", {repeated}, "of", len({cell.frame}))')
        return
    cell.add(f"{repeated} = {cell.frame}[{cell.frame}.duplicated({subset}{', ' if subset else ''}keep=False)]")
    cell.add(f"print({literal(title(question) + ':')}, len({repeated}))")
    cell.add(f"print({repeated}.head({MOST_LINES}).to_string())")


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
        keys = [key(cell, group) for group in question.groups]
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
        _print_title(cell)
        if question.chart:
            figures.heat(cell)
        else:
            cell.add(f"print({cell.frame}.corr(numeric_only=True).round(3).to_string())")
        return
    columns = [*question.columns, *(group.column for group in question.groups)]
    pairs = cell.name("pairs")
    first, second = (literal(column.name) for column in question.columns)
    cell.add(f"{pairs} = {cell.frame}[[{', '.join(literal(column.name) for column in columns)}]].dropna()")
    cell.add(f'print("Rows with both:", len({pairs}))')
    if question.groups:
        by = literal(question.groups[0].column.name)
        _print_title(cell)
        result = cell.name("result")
        grouping = f"{pairs}.groupby({by}, observed=True)[[{first}, {second}]]"
        cell.add(f"{result} = {grouping}.corr().unstack().iloc[:, 1]")
        cell.add(f"print({result}.round(3).to_string(header=False))")
    else:
        cell.add(f"print({literal(title(question) + ':')}, round({pairs}[{first}].corr({pairs}[{second}]), 3))")
