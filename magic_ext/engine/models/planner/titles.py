"""What a question asks for in one line of English, for figures, printed labels and the reading alike."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from ..base import Column
from .lexicon import HOW_LABELS, MONTHS
from .plan import (
    Aggregate,
    Columns,
    Condition,
    Correlation,
    Describe,
    Distribution,
    Duplicates,
    Group,
    Head,
    Measure,
    Missing,
    Outliers,
    Question,
    Rank,
    Regression,
    Rolling,
    Rows,
    Scatter,
    Unique,
    conditions_of,
)

__all__ = [
    "PERIOD_NAMES",
    "WEEKDAY_NAMES",
    "chart_phrase",
    "code_span",
    "condition_title",
    "group_name",
    "measure_title",
    "plain",
    "title",
]

PERIOD_NAMES = {
    "D": "day", "W": "week", "M": "month", "Q": "quarter", "Y": "year", "h": "hour",
    "weekday": "weekday", "weekend": "part of the week",
    "hour": "hour of the day", "month": "month of the year", "quarter": "quarter of the year",
}  # fmt: skip
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTH_NAMES = tuple(word.capitalize() for word in MONTHS)
_OPERATORS = {"==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}
_TEXT_TESTS = {"contains": "contains", "startswith": "starts with", "endswith": "ends with"}
_CHARTS = {
    "bar": "a bar chart", "barh": "a bar chart", "stacked": "a stacked bar chart", "line": "a line chart",
    "pie": "a pie chart",
}  # fmt: skip

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
        case Rows():
            return _rows(question, quote)
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
        case Correlation(columns, _, groups):
            between = f" of {_listed([quote(c.name) for c in columns])}" if columns else "s of all numeric columns"
            return f"Correlation{between} (Pearson)" + _by(groups, quote)
        case _:
            return _series(question, quote)


def _series(question: Question, quote: Quote) -> str:
    match question:
        case Regression(x, y):
            return f"Linear regression of {quote(y.name)} on {quote(x.name)}"
        case Outliers(column, count):
            return f"{'Number of outliers' if count else 'Outliers'} of {quote(column.name)}"
        case Duplicates(columns, count):
            of = f" of {_listed([quote(c.name) for c in columns])}" if columns else ""
            return f"{'Number of rows that repeat an earlier one' if count else 'Rows that occur more than once'}" + (
                f", by the values{of}" if columns else ""
            )
        case Rolling(column, how, n, unit, over):
            span = {"D": "day", "h": "hour"}[unit]
            return f"{n}-{span} rolling {HOW_LABELS[how].lower()} of {quote(column.name)} over {quote(over.name)}"
    raise TypeError(f"no title for {question!r}")


def _rows(question: Rows, quote: Quote) -> str:
    show = f"{_listed([quote(column.name) for column in question.show])} of the rows" if question.show else "The rows"
    if not question.column or not question.rank:
        return show
    if question.rank.n is None:
        return f"{show}, by {quote(question.column.name)}, {'largest' if question.rank.largest else 'smallest'} first"
    text = f"{show} with the {_extreme(question.rank)} {quote(question.column.name)}"
    return text + (f" in each {group_name(question.groups[0], quote)}" if question.groups else "")


def chart_phrase(question: Question) -> str:
    """``", as a bar chart"`` for a question that is drawn."""
    match question:
        case Aggregate(chart=chart) if chart:
            return f", as {_CHARTS[chart]}"
        case Distribution(chart="hist"):
            return ", as a histogram"
        case Scatter():
            return ", as a scatter plot"
        case Correlation(chart="heat"):
            return ", as a heat map"
    return ""


def _aggregate(question: Aggregate, quote: Quote) -> str:
    text = _listed([measure_title(measure, quote) for measure in question.measures])
    if question.outer:
        return f"{HOW_LABELS[question.outer]} over all {group_name(question.groups[0], quote)} of: {_lower(text)}"
    running = {"cumsum": "Running total: ", "growth": "Growth in percent: "}.get(question.running, "")
    text = (running + _lower(text) if running else text) + _by(question.groups, quote)
    if question.contrast:
        text += ", and their " + ("difference" if question.contrast == "-" else "ratio")
    if question.having:
        text += f", where that is {_OPERATORS[question.having[0]]} {question.having[1]}"
    if question.within and question.rank:
        return f"{text}, the {_extreme(question.rank)} in each {group_name(question.groups[0], quote)}"
    if question.rank and question.rank.n is not None:
        return f"{text}, the {_extreme(question.rank)}"
    if question.rank:
        return f"{text}, {'largest' if question.rank.largest else 'smallest'} first"
    return text


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _extreme(rank: Rank) -> str:
    word = "largest" if rank.largest else "smallest"
    return word if rank.n == 1 else f"{rank.n} {word}"


def measure_title(measure: Measure, quote: Quote = plain) -> str:
    """``Mean of body_mass_g``."""
    how = measure.how
    if measure.column is None:
        return "Share of rows in percent" if how == "share" else "Number of rows"
    name = quote(measure.column.name)
    if how == "part" and measure.of:
        return f"Share of the total of {quote(measure.of.name)} in percent where {name}"
    if how == "quotient" and measure.of:
        return f"Total of {name} / total of {quote(measure.of.name)}"
    if how == "percent":
        return f"Percentage of rows where {name}"
    if how == "share":
        return f"Share of the total of {name} in percent"
    if how.startswith("q0"):
        return f"{round(float(how[1:]) * 100, 4):g}% quantile of {name}"
    return f"{HOW_LABELS[how]} of {name}"


def group_name(group: Group, quote: Quote = plain) -> str:
    """``species``, or ``month of date``."""
    return f"{PERIOD_NAMES[group.period]} of {quote(group.column.name)}" if group.period else quote(group.column.name)


def _by(groups: tuple[Group, ...], quote: Quote) -> str:
    return f" by {_listed([group_name(group, quote) for group in groups])}" if groups else ""


def _where(question: Question, quote: Quote) -> str:
    conditions = conditions_of(question)
    return f", where {_listed([condition_title(c, quote) for c in conditions])}" if conditions else ""


def condition_title(condition: Condition, quote: Quote = plain) -> str:
    """``body_mass_g > 4000``."""
    one = replace(condition, either=())
    return " or ".join(_condition(part, quote) for part in (one, *condition.either))


def _condition(condition: Condition, quote: Quote) -> str:
    name = quote(condition.column.name)
    if condition.part:
        name = f"{_PARTS[condition.part]} of {name}"
    values = [_value(condition, value, quote) for value in condition.values]
    match condition.operator:
        case "isna":
            return f"{name} is missing"
        case "notna":
            return f"{name} is known"
        case "in":
            return f"{name} is {' or '.join(values)}"
        case "not in":
            return f"{name} is not {' or '.join(values)}"
        case "between":
            return f"{name} is from {values[0]} to {values[1]}"
        case "contains" | "startswith" | "endswith" as test:
            return f"{name} {_TEXT_TESTS[test]} “{values[0]}”"
        case operator if condition.part == "weekday" and operator in {"<", ">="}:
            return f"{name} is {'on a weekend' if operator == '>=' else 'from Monday to Friday'}"
        case operator:
            return f"{name} {_OPERATORS[operator]} {values[0]}"


_PARTS = {"weekday": "weekday", "month": "month", "quarter": "quarter", "hour": "hour", "year": "year"}


def _value(condition: Condition, value: object, quote: Quote) -> str:
    if isinstance(value, Column):
        return quote(value.name)
    if condition.part == "weekday" and isinstance(value, int):
        return WEEKDAY_NAMES[value % 7]
    if condition.part == "month" and isinstance(value, int):
        return _MONTH_NAMES[value - 1]
    return plain(str(value))


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]
