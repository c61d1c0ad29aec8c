"""What a question asks for in one line of English, for figures, printed labels and the reading alike."""

from __future__ import annotations

from collections.abc import Callable

from .lexicon import HOW_LABELS
from .plan import (
    Aggregate,
    Columns,
    Condition,
    Correlation,
    Describe,
    Distribution,
    Group,
    Head,
    Measure,
    Missing,
    Question,
    Rank,
    Rows,
    Scatter,
    Unique,
    conditions_of,
)

__all__ = ["PERIOD_NAMES", "chart_phrase", "code_span", "group_name", "measure_title", "plain", "title"]

PERIOD_NAMES = {"D": "day", "W": "week", "M": "month", "Q": "quarter", "Y": "year"}
_OPERATORS = {"==": "=", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_CHARTS = {"bar": "a bar chart", "line": "a line chart"}

Quote = Callable[[str], str]


def plain(name: str) -> str:
    """A name on one line, without control characters."""
    return "".join(character if character.isprintable() else " " for character in name)


def code_span(name: str) -> str:
    """A name as a Markdown code span, whatever it contains.

    >>> code_span("body_mass_g"), code_span("a`b")
    ('`body_mass_g`', '`` a`b ``')
    """
    text = plain(name)
    longest = max((len(run) for run in _runs(text)), default=0)
    return f"`{text}`" if longest == 0 else f"{'`' * (longest + 1)} {text} {'`' * (longest + 1)}"


def _runs(text: str) -> list[str]:
    return [run for run in "".join(c if c == "`" else " " for c in text).split() if run]


def title(question: Question, quote: Quote = plain, *, table: str = "") -> str:
    """One line such as ``Mean of body_mass_g by species, where sex = male``."""
    return _what(question, quote, table) + _where(question, quote)


def _what(question: Question, quote: Quote, table: str) -> str:
    match question:
        case Aggregate():
            return _aggregate(question, quote)
        case Rows(column, rank):
            return f"The {_extreme(rank)} of {quote(column.name)}, row by row"
        case Head(n, last):
            return f"The {'last' if last else 'first'} {n} rows"
        case Columns(what):
            about = {"shape": "Rows and columns", "number": "Number of columns", "columns": "The columns"}
            return about.get(what, "The types of the columns") + (f" of {table}" if table else "")
        case Describe(columns, groups):
            of = f"Summary of {_listed([quote(c.name) for c in columns])}" if columns else "Overview of the table"
            return of + _by(groups, quote)
        case Missing(columns, rows):
            if rows:
                return "Rows with at least one missing value"
            return "Missing values " + (f"of {_listed([quote(c.name) for c in columns])}" if columns else "per column")
        case Unique(column):
            return f"The distinct values of {quote(column.name)}"
        case Distribution(column, chart, groups):
            return f"{'Distribution' if chart == 'hist' else 'Box plot'} of {quote(column.name)}" + _by(groups, quote)
        case Scatter(x, y, groups):
            return f"{quote(y.name)} against {quote(x.name)}" + _by(groups, quote)
        case Correlation(columns):
            between = f" of {_listed([quote(c.name) for c in columns])}" if columns else "s of all numeric columns"
            return f"Correlation{between} (Pearson)"


def chart_phrase(question: Question) -> str:
    """``", as a bar chart"`` for a question that is drawn."""
    match question:
        case Aggregate(chart=chart) if chart:
            return f", as {_CHARTS[chart]}"
        case Distribution(chart="hist"):
            return ", as a histogram"
        case Scatter():
            return ", as a scatter plot"
    return ""


def _aggregate(question: Aggregate, quote: Quote) -> str:
    text = _listed([measure_title(measure, quote) for measure in question.measures]) + _by(question.groups, quote)
    if question.rank and question.rank.n is not None:
        return f"{text}, the {_extreme(question.rank)}"
    if question.rank:
        return f"{text}, {'largest' if question.rank.largest else 'smallest'} first"
    return text


def _extreme(rank: Rank) -> str:
    word = "largest" if rank.largest else "smallest"
    return word if rank.n == 1 else f"{rank.n} {word}"


def measure_title(measure: Measure, quote: Quote = plain) -> str:
    """``Mean of body_mass_g``."""
    if measure.column is None:
        return "Number of rows"
    return f"{HOW_LABELS[measure.how]} of {quote(measure.column.name)}"


def group_name(group: Group, quote: Quote = plain) -> str:
    """``species``, or ``month of date``."""
    return f"{PERIOD_NAMES[group.period]} of {quote(group.column.name)}" if group.period else quote(group.column.name)


def _by(groups: tuple[Group, ...], quote: Quote) -> str:
    return f" by {_listed([group_name(group, quote) for group in groups])}" if groups else ""


def _where(question: Question, quote: Quote) -> str:
    conditions = conditions_of(question)
    return f", where {_listed([_condition(c, quote) for c in conditions])}" if conditions else ""


def _condition(condition: Condition, quote: Quote) -> str:
    name = quote(condition.column.name)
    values = [plain(str(value)) for value in condition.values]
    match condition.operator:
        case "isna":
            return f"{name} is missing"
        case "in":
            return f"{name} is {' or '.join(values)}"
        case "between":
            return f"{name} is from {values[0]} to {values[1]}"
        case operator:
            return f"{name} {_OPERATORS[operator]} {values[0]}"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
