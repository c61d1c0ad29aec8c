"""The drawing part of a cell: titled, labelled, legible matplotlib figures."""

from __future__ import annotations

from .cell import Cell, literal
from .plan import Aggregate, Distribution, Regression, Rolling, Scatter, columns_of
from .schema import is_numeric, is_time, is_year
from .titles import group_name, measure_title, plain, title

__all__ = ["aggregate", "distribution", "heat", "regression", "rolling", "scatter"]

COLOUR = '"#4C72B0"'
MANY_BARS = 12


def aggregate(cell: Cell, question: Aggregate, result: str) -> None:
    """Bars, lines or slices of ``result``, one colour for each column it has."""
    first = question.groups[0]
    bars = question.rank.n if question.rank and question.rank.n else first.column.unique
    many = question.chart in {"bar", "stacked"} and not (first.period or is_year(first.column)) and bars > MANY_BARS
    lying = many or question.chart == "barh"
    height = "4.5" if not lying else f"{max(min(0.3 * bars + 1, 40), 3):.1f}"
    _start(cell, height)
    if question.chart == "pie":
        cell.add(f'ax.pie({result}, labels={result}.index.astype(str), autopct="%1.1f%%")')
        cell.add(f"ax.set_title({literal(title(question))})", "plt.tight_layout()", "plt.show()")
        return
    single = len(question.groups) == 1 and len(question.measures) == 1
    colour = f", color={COLOUR}" if single else ""
    if question.chart == "line":
        cell.add(f'{result}.plot.line(ax=ax, marker="o"{colour})')
    else:
        rotation = "" if lying else f", rot={0 if bars <= 6 and not first.period else 45}"
        stacked = ", stacked=True" if question.chart == "stacked" else ""
        cell.add(f"{result}.plot.{'barh' if lying else 'bar'}(ax=ax{rotation}{colour}{stacked})")
    if lying:
        cell.add("ax.invert_yaxis()")
    elif question.chart == "line" and is_year(first.column) and first.column.unique <= MANY_BARS:
        cell.add(f"ax.set_xticks({result}.index)")
    several = group_name(question.groups[1]) if len(question.groups) == 2 else ""
    legend = None if single else several
    value = _value_name(question)
    across, up = (value, group_name(first)) if lying else (group_name(first), value)
    _finish(cell, across, up, legend)


def _value_name(question: Aggregate) -> str:
    """The axis of the numbers: what they all are, if they are one thing."""
    hows = {measure.how for measure in question.measures}
    name = measure_title(question.measures[0])
    if len(question.measures) > 1:
        return name.split(" of ")[0] if len(hows) == 1 else "Value"
    return {"cumsum": f"Running {name[:1].lower()}{name[1:]}", "growth": "Growth in percent"}.get(
        question.running, name
    )


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
    bins = question.bins or (10 if cell.table.rows < 50 else 20 if cell.table.rows < 1000 else 30)
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


def regression(cell: Cell, question: Regression) -> None:
    """The points and the line of least squares; slope, intercept and R² are printed."""
    x, y = literal(question.x.name), literal(question.y.name)
    points, slope, intercept = cell.name("points"), cell.name("slope"), cell.name("intercept")
    cell.imports.add("import numpy as np")
    cell.add(
        f"print({literal(title(question))})",
        f"{points} = {cell.frame}[[{x}, {y}]].dropna().sort_values({x})",
        f"{slope}, {intercept} = np.polyfit({points}[{x}], {points}[{y}], 1)",
        f'print("points", len({points}))',
        f'print("slope", f"{{{slope}:.8g}}")',
        f'print("intercept", f"{{{intercept}:.8g}}")',
        f'print("R squared", round({points}[{x}].corr({points}[{y}]) ** 2, 4))',
    )
    _start(cell)
    cell.add(f"ax.scatter({points}[{x}], {points}[{y}], alpha=0.7, color={COLOUR})")
    cell.add(f'ax.plot({points}[{x}], {intercept} + {slope} * {points}[{x}], color="#C44E52", label="least squares")')
    _finish(cell, plain(question.x.name), plain(question.y.name), "")


def rolling(cell: Cell, question: Rolling, digits: int) -> None:
    """A rolling value along the dates; the first windows are shorter."""
    series, result = cell.name("series"), cell.name("result")
    over, column = literal(question.over.name), literal(question.column.name)
    cell.add(
        f"{series} = {cell.frame}.set_index({over})[{column}].sort_index()",
        f'{result} = {series}.rolling("{question.n}{question.unit}").{question.how}()',
        f"print({literal(title(question) + ' (last ten)')})",
        f"print({result}.tail(10).round({digits}).to_string())",
    )
    _start(cell)
    cell.add(f"{result}.plot.line(ax=ax, color={COLOUR})")
    _finish(cell, plain(question.over.name), title(question).split(" over ")[0], None)


def heat(cell: Cell) -> None:
    """The matrix of correlations as colours."""
    matrix = cell.name("matrix")
    cell.add(
        f"{matrix} = {cell.frame}.corr(numeric_only=True)",
        f"print({matrix}.round(3).to_string())",
    )
    _start(cell, "6")
    cell.add(
        f'image = ax.imshow({matrix}, vmin=-1, vmax=1, cmap="RdBu_r")',
        f'ax.set_xticks(range(len({matrix})), {matrix}.columns, rotation=45, ha="right")',
        f"ax.set_yticks(range(len({matrix})), {matrix}.columns)",
        'fig.colorbar(image, label="Pearson correlation")',
        f"ax.set_title({literal(title(cell.question))})",
        "plt.tight_layout()",
        "plt.show()",
    )


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
