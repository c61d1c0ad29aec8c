"""The stretches of a text in which ``@`` means nothing: code and decorators in a prompt, quoted values on a line."""

from __future__ import annotations

import re

__all__ = ["decorators", "quoted_values", "verbatim"]

Span = tuple[int, int]
_FENCE = re.compile(r"^ {0,3}(?P<marks>`{3,}(?=[^`\n]*$)|~{3,})[^\n]*", re.MULTILINE)
_TICKS = re.compile(r"`+")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_DECORATOR = re.compile(r"[ \t]*@[^\W\d][\w.]*(?:\(.*\))?[ \t]*\n?")
_DECORATED = re.compile(r"[ \t]*(?:async[ \t]+def|def|class)\b")
_QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""")


def verbatim(text: str) -> list[Span]:
    """Spans of fenced code and code spans in Markdown, in order; an unclosed fence runs to the end.

    >>> text = "see `@x` and @y"
    >>> [text[start:end] for start, end in verbatim(text)]
    ['`@x`']
    """
    spans: list[Span] = []
    position = 0
    while opening := _FENCE.search(text, position):
        marks = opening["marks"]
        closing = re.compile(rf"^ {{0,3}}{re.escape(marks[0])}{{{len(marks)},}}[ \t]*$", re.MULTILINE).search(
            text, opening.end()
        )
        end = closing.end() if closing else len(text)
        spans += _code_spans(text, position, opening.start())
        spans.append((opening.start(), end))
        position = end
    return spans + _code_spans(text, position, len(text))


def decorators(text: str) -> list[Span]:
    """Spans of decorator lines that stand before ``def`` or ``class``."""
    spans: list[Span] = []
    start = end = 0
    for line in text.splitlines(keepends=True):
        if _DECORATED.match(line) and start < end:
            spans.append((start, end))
        decorates = _DECORATOR.fullmatch(line)
        end += len(line)
        start = start if decorates else end
    return spans


def quoted_values(line: str) -> list[Span]:
    """Spans of quoted values on a magic line; a quote right behind ``@`` or within brackets belongs to a reference."""
    spans = []
    for match in _QUOTED.finditer(line):
        before = line[: match.start()]
        if not before.endswith("@") and before.count("[") <= before.count("]"):
            spans.append(match.span())
    return spans


def _code_spans(text: str, start: int, end: int) -> list[Span]:
    # CommonMark: a run of backticks is closed by the next run of the same length in the same paragraph.
    spans: list[Span] = []
    position = start
    while opening := _TICKS.search(text, position, end):
        blank = _BLANK_LINE.search(text, opening.end(), end)
        paragraph_end = blank.start() if blank else end
        runs = _TICKS.finditer(text, opening.end(), paragraph_end)
        closing = next((run for run in runs if len(run[0]) == len(opening[0])), None)
        position = closing.end() if closing else opening.end()
        if closing:
            spans.append((opening.start(), position))
    return spans
