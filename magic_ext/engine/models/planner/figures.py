"""The drawing part of a cell: titled, labelled, legible matplotlib figures."""

from __future__ import annotations

from .cell import Cell, literal
from .plan import Aggregate, Distribution, Scatter, columns_of
from .schema import is_numeric, is_time, is_year
from .titles import group_name, measure_title, plain, title

__all__ = ["aggregate", "distribution", "scatter"]

COLOUR = '"#4C72B0"'
MANY_BARS = 12


def aggregate(cell: Cell, question: Aggregate, result: str) -> None:
    """Bars or lines of ``result``, one colour for each column it has."""
    first = question.groups[0]
    bars = question.rank.n if question.rank and question.rank.n else first.column.unique
    lying = question.chart == "bar" and not first.period and bars > MANY_BARS
    height = "4.5" if not lying else f"{min(0.3 * bars + 1, 40):.1f}"
    _start(cell, height)
    single = len(question.groups) == 1 and len(question.measures) == 1
    colour = f", color={COLOUR}" if single else ""
    if question.chart == "line":
        cell.add(f'{result}.plot.line(ax=ax, marker="o"{colour})')
    else:
        rotation = "" if lying else f", rot={0 if bars <= 6 and not first.period else 45}"
        cell.add(f"{result}.plot.{'barh' if lying else 'bar'}(ax=ax{rotation}{colour})")
    if lying:
        cell.add("ax.invert_yaxis()")
    elif question.chart == "line" and is_year(first.column) and first.column.unique <= MANY_BARS:
        cell.add(f"ax.set_xticks({result}.index)")
    if single and len(question.measures) == 1:
        legend = None
    else:
        legend = group_name(question.groups[1]) if len(question.groups) == 2 else ""
    value = measure_title(question.measures[0]) if len(question.measures) == 1 else ""
    across, up = (value, group_name(first)) if lying else (group_name(first), value)
    _finish(cell, across, up, legend)


def distribution(cell: Cell, question: Distribution, digits: int) -> None:
    """A histogram or box plot, with the five numbers behind it printed."""
    column = literal(question.column.name)
    names = ", ".join([column, *(literal(group.column.name) for group in question.groups)])
    known = cell.name("known")
    cell.add(f"{known} = {cell.frame}[[{names}]].dropna()")
    grouped = f"{known}.groupby({literal(question.groups[0].column.name)}, observed=True)" if question.groups else known
    cell.add(f"print({literal(title(question))})")
    cell.add(f"print({grouped}[{column}].describe().round({digits}).to_string())")
    _start(cell)
    if question.chart == "box":
        _box(cell, question, known)
    else:
        _histogram(cell, question, known)


def _histogram(cell: Cell, question: Distribution, known: str) -> None:
    column = literal(question.column.name)
    bins = 10 if cell.table.rows < 50 else 20 if cell.table.rows < 1000 else 30
    if question.groups:
        by = literal(question.groups[0].column.name)
        span = cell.name("span")
        cell.add(f"{span} = ({known}[{column}].min(), {known}[{column}].max())")
        cell.add(f"for name, group in {known}.groupby({by}, observed=True):")
        cell.add(f"    ax.hist(group[{column}], bins={bins}, range={span}, alpha=0.6, label=str(name))")
    else:
        cell.add(f'ax.hist({known}[{column}], bins={bins}, color={COLOUR}, edgecolor="white")')
    legend = group_name(question.groups[0]) if question.groups else None
    _finish(cell, plain(question.column.name), "Number of rows", legend)


def _box(cell: Cell, question: Distribution, known: str) -> None:
    column = literal(question.column.name)
    if question.groups:
        by = literal(question.groups[0].column.name)
        cell.add(f"{known}.boxplot(column={column}, by={by}, ax=ax, grid=False)", 'fig.suptitle("")')
        _finish(cell, group_name(question.groups[0]), plain(question.column.name), None)
    else:
        cell.add(f"ax.boxplot({known}[{column}])", "ax.set_xticks([])")
        _finish(cell, "", plain(question.column.name), None)


def scatter(cell: Cell, question: Scatter) -> None:
    """Points, and how many there are; the correlation of two numbers is printed."""
    x, y = literal(question.x.name), literal(question.y.name)
    names = ", ".join([x, y, *(literal(group.column.name) for group in question.groups)])
    points = cell.name("points")
    cell.add(f"{points} = {cell.frame}[[{names}]].dropna()", f'print("Points:", len({points}))')
    if is_numeric(question.x):
        cell.add(f'print("Correlation (Pearson):", round({points}[{x}].corr({points}[{y}]), 3))')
    _start(cell)
    if question.groups:
        by = literal(question.groups[0].column.name)
        cell.add(f"for name, group in {points}.groupby({by}, observed=True):")
        cell.add(f"    ax.scatter(group[{x}], group[{y}], alpha=0.7, label=str(name))")
    else:
        cell.add(f"ax.scatter({points}[{x}], {points}[{y}], alpha=0.7, color={COLOUR})")
    legend = group_name(question.groups[0]) if question.groups else None
    _finish(cell, plain(question.x.name), plain(question.y.name), legend)


def _start(cell: Cell, height: str = "4.5") -> None:
    cell.imports.add("import matplotlib.pyplot as plt")
    if _has_dollars(cell):
        cell.add('plt.rcParams["text.parse_math"] = False  # a "$" in the data is no formula')
    cell.add("", f"fig, ax = plt.subplots(figsize=(8, {height}))")


def _finish(cell: Cell, across: str, up: str, legend: str | None) -> None:
    """Title, labels and, unless ``legend`` is None, a legend under that title."""
    cell.add(f"ax.set_title({literal(title(cell.question))})")
    cell.add(f"ax.set_xlabel({literal(across)})", f"ax.set_ylabel({literal(up)})")
    if legend is not None:
        cell.add(f"ax.legend(title={literal(legend)})" if legend else "ax.legend()")
    cell.add("plt.tight_layout()", "plt.show()")


def _has_dollars(cell: Cell) -> bool:
    columns = columns_of(cell.question)
    texts = [column.name for column in columns] + [str(value) for column in columns for value in column.values]
    unseen = any(column.kind in {"text", "other"} and not column.values and not is_time(column) for column in columns)
    return unseen or any("$" in text for text in texts)
