"""Python source as bytes and syntax tree: parse it whatever magics stand in it, edit it without writing it anew."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["Edit", "applied", "faithful", "parsed", "span_of"]

_MAGIC_LINE = re.compile(r"^([ \t]*)[%!?](?=\S)", re.MULTILINE)


class Edit(NamedTuple):
    """Replace the bytes from ``start`` to ``end`` of a source in UTF-8."""

    start: int
    end: int
    source: str


def parsed(code: str) -> ast.Module | None:
    r"""The syntax tree, or ``None`` for what is no Python; lines of IPython's magics are taken for comments.

    Offsets in the tree are those in ``code``, since a magic's first character is swapped for a ``#`` of the same width.

    >>> [type(node).__name__ for node in parsed("%matplotlib inline\nx = 1").body]
    ['Assign']
    """
    for source in dict.fromkeys([code, _MAGIC_LINE.sub(r"\1#", code)]):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # a model's "\d" in a plain string is no news to the user
                return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def span_of(code: str, node: ast.expr) -> tuple[int, int]:
    """First and last byte of an expression in ``code``, whose lines end in a line feed."""
    lines = code.encode().split(b"\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or node.col_offset
    return starts[node.lineno - 1] + node.col_offset, starts[end_line - 1] + end_column


def faithful(code: str, node: ast.expr) -> bool:
    """Whether the span of an expression really holds it: inside an f-string it does not before Python 3.12."""
    start, end = span_of(code, node)
    try:
        there = ast.parse(b"(" + code.encode()[start:end] + b")", mode="eval").body
    except (SyntaxError, ValueError):
        return False
    return ast.dump(there) == ast.dump(node)


def applied(code: str, edits: Iterable[Edit]) -> str:
    """The source with all edits made; one that lies inside another one gives way.

    >>> applied("a = f(x)", [Edit(4, 8, "g"), Edit(6, 7, "y")])
    'a = g'
    """
    source = code.encode()
    pieces: list[bytes] = []
    at = 0
    for edit in sorted(edits, key=lambda edit: (edit.start, -edit.end)):
        if edit.start < at:
            continue
        pieces += [source[at : edit.start], edit.source.encode()]
        at = edit.end
    return b"".join([*pieces, source[at:]]).decode()
