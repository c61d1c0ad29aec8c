"""The planner's own sentences: how a question was read, what came out, and why one is declined."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..base import Column, Conversation, Table
from .cell import endless
from .compile import compile_plans
from .parse import Declined, parse
from .plan import (
    Aggregate,
    Correlation,
    Derived,
    Describe,
    Duplicates,
    Flag,
    Missing,
    Plan,
    Rows,
    columns_of,
    conditions_of,
    opposites,
    unknown_of,
)
from .questions import grammar
from .schema import Schema, is_numeric, is_time, is_year
from .titles import chart_phrase, code_span, plain, title
from .tokens import singular, tokenize, words

__all__ = ["closing", "declined", "examples", "going_on", "greeting", "picture", "reading"]

ENGINES = (
    "Free questions need a language model: set `GEMINI_API_KEY`, or use `-m openai:NAME` with an OpenAI-compatible "
    "server."
)


def reading(plans: Sequence[Plan]) -> str:
    """How the question was read, a sentence for each plan."""
    return "\n\n".join(_reading(plan) for plan in plans)


def going_on(last: Sequence[Plan]) -> str:
    """What a follow-up changes when the question right before it was declined."""
    return f"The question before was not answered; this goes on from “{title(last[-1].question, code_span)}”."


def _reading(plan: Plan) -> str:
    question, table = plan.question, plan.table
    text = title(question, code_span, table=code_span(table.label or table.name))
    known = _known(plan)
    part = f", of the {table.part}" if table.part else ""
    text += f"{known}{part}{chart_phrase(question)}."
    if isinstance(question, Aggregate) and any(group.period for group in question.groups):
        text += " Periods without any row do not appear."
    text += "".join(f" {code_span(c.name)} is in hours." for c in columns_of(question) if c.cast == "hours")
    text += "".join(
        f" {code_span(c.name)} is missing in {c.missing} of {table.rows} rows; they are left out."
        for c in opposites(question)
    )
    text += "".join(
        f" {code_span(c.name)} is missing in {c.missing} of {table.rows} rows: they count as rows without it in the "
        "share of all rows, and are left out of the share where it is known."
        for c in unknown_of(question)
    )
    infinite = [c for c in columns_of(question) if endless(c)]
    text += "".join(f" Infinite values of {code_span(c.name)} are left out." for c in infinite)
    if plan.notes:
        text += f" {'; '.join(plan.notes)}."
    return text


def _gaps(plan: Plan) -> list[Column]:
    """The columns whose missing values leave rows out, as far as the table's profile tells."""
    question = plan.question
    if isinstance(question, Missing | Describe | Correlation | Rows | Duplicates) or conditions_of(question):
        return []
    flagged = any(isinstance(column, Flag) for column in columns_of(question))
    return [c for c in columns_of(question) if c.missing and not isinstance(c, Derived | Flag) and not flagged]


def _known(plan: Plan) -> str:
    rows, gaps = plan.table.rows, _gaps(plan)
    if len(gaps) == 1:
        return f", over the {rows - gaps[0].missing} of {rows} rows where {code_span(gaps[0].name)} is known"
    if gaps:
        counts = ", ".join(f"{code_span(column.name)} in {column.missing}" for column in gaps)
        return f", leaving out rows where a value is missing (of {rows} rows: {counts})"
    return ""


def closing(plans: Sequence[Plan], printed: str) -> str:
    """What was done, after the code ran; a printed line is quoted as text."""
    if re.search(r"^Rows: 0 of \d", printed, re.MULTILINE):
        return "No row matches the condition."
    parts = [_headline(plans, printed) or "Done."]
    for line in re.findall(r"^Rows without .*: [1-9]\d*$", printed, re.MULTILINE):
        name, count = line.removeprefix("Rows without ").rsplit(": ", 1)
        parts.append(f"Rows left out because {code_span(name)} is missing: {count}.")
    for column in dict.fromkeys(column for plan in plans for column in _gaps(plan)):
        parts.append(f"Rows left out because {code_span(column.name)} is missing: {column.missing}.")
    parts += [f"Only the {part} were looked at." for part in dict.fromkeys(p.table.part for p in plans if p.table.part)]
    return " ".join(parts)


def _headline(plans: Sequence[Plan], printed: str) -> str:
    """The one line that answers a question with one answer; "" when there is none or it could be misread."""
    lines = [line for line in printed.strip().splitlines() if line.strip() and not line.startswith("Rows")]
    if len(plans) != 1 or not lines or not isinstance(plans[0].question, Aggregate):
        return ""
    question = plans[0].question
    if not question.groups and len(lines) == 1 + bool(unknown_of(question)) * len(question.measures):
        return " ".join(f"{code_span(line.strip())}." for line in reversed(lines))
    first = question.rank is not None and question.rank.n == 1 and len(question.groups) == 1
    heading = 3 if first and question.groups[0].period else 2
    if first and len(lines) == heading + 1 and len(lines[-1].split()) >= 2:  # one row: more would be a tie
        name, value = lines[-1].rsplit(maxsplit=1)
        return f"{code_span(name.strip())}: {code_span(value)}."
    return ""


# --- declining ------------------------------------------------------------------------------------------------------


def declined(why: Declined, conversation: Conversation, text: str) -> str:
    """Why a question is declined, up to three cells that could be meant, and who can answer it."""
    tables = conversation.tables
    if not tables:
        strange = f" Words I do not know: {_words(why.unknown)}." if why.unknown else ""
        return (
            "I did not understand this, and no table is attached: refer to one with `@name`, or ask for a small "
            f"computation such as “What is the sum of the first 50 prime numbers?”.{strange} {ENGINES}"
        )
    cells = _cells(why, tables)
    parts = [f"I computed nothing. {_reason(why)}", *cells]
    if not cells and (asked := _near(text, tables)[:2]):
        listed = ", ".join(f"“{example}”" for example in asked)
        parts[0] += f" I can answer, for example: {listed}."
    return "\n\n".join([*parts, ENGINES])


def _cells(why: Declined, tables: Sequence[Table]) -> list[str]:
    """The plans that come closest, as code to paste; what has the same title is offered once."""
    cells: dict[str, str] = {}
    for plan in why.readings[:3]:
        try:
            code = compile_plans((plan,), [table.name for table in tables])
        except ValueError:
            continue
        meant = any(reason.startswith("did you mean") for reason in why.reasons)
        without = f" (without {_words(why.unknown)})" if why.unknown and not meant else ""
        cells.setdefault(f"{title(plan.question, code_span)}{without}", code)
    return [f"{name}:\n```python\n{code}```" for name, code in cells.items()]


def _reason(why: Declined) -> str:
    if why.readings and not why.unknown:
        return "This can be read in several ways; paste the one that you mean."
    sentences = []
    if why.unknown:
        sentences.append(f"Words I do not know here: {_words(why.unknown)}.")
    if why.reasons:
        reasons = "; ".join(why.reasons)
        sentences.append(f"{reasons[0].upper()}{reasons[1:]}{'' if reasons.endswith('?') else '.'}")
    return " ".join(sentences) or "The question as a whole fits none of my rules."


def _words(unknown: Sequence[str]) -> str:
    return ", ".join(f"“{plain(word)}”" for word in dict.fromkeys(unknown))


def examples(table: Table) -> list[str]:
    """Up to three questions about ``table`` that the planner does answer."""
    return [question for question, _ in _examples(table) if not isinstance(parse(question, (table,)), Declined)][:3]


def _near(text: str, tables: Sequence[Table]) -> list[str]:
    """Questions about columns that ``text`` speaks of; of a table that it only names, any; else none."""
    found: list[str] = []
    for table in tables:
        said = _spoken_of(text, table)
        named = not said and any(Schema(table, text).named(tokenize(text), at) for at in range(len(tokenize(text))))
        asked = _examples(table, said)
        near = [(question, used) for question, used in asked if named or said & used]
        for question, _ in sorted(near, key=lambda one: -len(said & one[1]) / max(len(one[1]), 1)):
            ends = f" in `{table.label or table.name}`{question[-1]}"
            ways = (question, question[:-1] + ends)
            found += [way for way in ways if not isinstance(parse(way, tables), Declined)][:1]
    return found


def _spoken_of(text: str, table: Table) -> frozenset[Column]:
    """The columns that the words of ``text`` name, hold as a value, or have in their name."""
    schema, tokens = Schema(table, text), tokenize(text)
    found: set[Column] = set()
    for at in range(len(tokens)):
        for one in (schema.column(tokens, at), schema.value(tokens, at)):
            found |= {column for column, _ in one.candidates} if one else set()
    said = {singular(token.key) for token in tokens if len(token.key) > 2 and token.key not in grammar.vocabulary}
    return frozenset(found | {c for c in table.columns if said & {singular(word) for word in words(c.name)}})


def _examples(table: Table, first: frozenset[Column] = frozenset()) -> list[tuple[str, frozenset[Column]]]:
    """Questions about ``table`` and the columns that they use, those in ``first`` before others."""
    schema = Schema(table, "")
    number = [c for c in table.columns if is_numeric(c) and not is_year(c) and words(c.name)[-1:] != ("id",)]
    number = [c for c in number if not schema.is_key(c) and (c.kind == "number" or c.unique > 6)]
    kind = [c for c in table.columns if c.kind == "text" and 2 <= c.unique <= 20 and not is_time(c)]
    number, kind = (sorted(columns, key=lambda column: column not in first)[:1] for columns in (number, kind))
    name = {column: f"`{plain(column.name)}`" for column in table.columns}
    asked: list[tuple[str, set[Column]]] = [
        (f"What is the mean {name[n]} by {name[k]}?", {n, k}) for n in number for k in kind
    ]
    asked += [(f"Plot the mean {name[n]} over time.", {n}) for n in number if is_time_table(table)]
    asked += [(f"Show a histogram of {name[n]}.", {n}) for n in number]
    asked += [(f"How many rows are there by {name[k]}?", {k}) for k in kind]
    asked += [("How many missing values are there per column?", set()), ("Describe the table.", set())]
    return [(question, frozenset(used)) for question, used in asked]


def is_time_table(table: Table) -> bool:
    """Whether the table has exactly one column to follow over time."""
    return len([c for c in table.columns if is_time(c)] or [c for c in table.columns if is_year(c)]) == 1


# --- other texts ----------------------------------------------------------------------------------------------------

GREETING = (
    "Hello! I am the offline planner: fixed rules, no language model. I turn plain questions about a table into pandas "
    "and matplotlib code (counts, means and totals by group, filters, top lists, missing values, histograms, bar, line "
    "and scatter charts, correlations), and I do small computations such as “What is the sum of the first 50 prime "
    "numbers?”. When a word is not clear to me I say so and compute nothing."
)


def greeting(conversation: Conversation) -> str:
    """What the planner can do, with examples about the first table."""
    asked = examples(conversation.tables[0]) if conversation.tables else []
    listed = "\n".join(f"- {example}" for example in asked)
    return "\n\n".join([GREETING, *([f"For example:\n{listed}"] if listed else []), ENGINES])


def picture(conversation: Conversation) -> str:
    """The honest word about pictures."""
    names = ", ".join(
        code_span(one.label or one.path.replace("\\", "/").rsplit("/", 1)[-1]) for one in conversation.pictures
    )
    return (
        f"I cannot look at pictures ({names}): I am a set of fixed rules for questions about tables and can only tell "
        f"a picture's size. {ENGINES}"
    )
