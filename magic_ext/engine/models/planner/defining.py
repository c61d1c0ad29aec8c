"""A column that the question itself defines: "let revenue = nights * price; total revenue per room type"."""

from __future__ import annotations

import re

from msgspec.structs import replace

from ..base import Table
from .grammar import Reader
from .plan import Derived
from .questions import grammar
from .schema import Schema
from .titles import code_span
from .tokens import tokenize

__all__ = ["defined"]

_ADD = re.compile(
    r"""^\s*(?:please\s+)?
    (?:(?:add|create|make|define|compute|calculate)\s+(?:a\s+)?(?:new\s+)?(?:column\s+|variable\s+)?(?:called\s+|named\s+)?|let\s+)
    `?(?P<name>[^\W\d]\w*)`?\s*(?:=|:=|\bas\b|\bbe\b|\bis\b)\s*
    (?P<formula>[^.;,]+?)\s*
    (?:[.;,]\s*(?:and\s+)?(?:then\s+)?|\s+and\s+(?:then\s+)?)
    (?P<rest>(?:show|plot|give|what|which|how|compute|calculate|list|find|draw|tell|print|the|total|mean|average|median)\b.+)$
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def defined(text: str, table: Table) -> tuple[str, Table, str] | None:
    """The question behind a definition, the table with the column that it defines, and a word on it; else None."""
    found = _ADD.match(text)
    if not found or any(column.name.casefold() == found["name"].casefold() for column in table.columns):
        return None
    formula = found["formula"]
    reader = Reader(grammar, Schema(table, formula).without_articles(tokenize(formula)), Schema(table, formula))
    meant = [one for name in ("quantity", "inner") for one in reader.whole(name) if isinstance(one, Derived)]
    if len(set(meant)) != 1:
        return None
    note = f"{code_span(found['name'])} is {code_span(meant[0].name)}"
    column = replace(meant[0], name=found["name"])
    return found["rest"], replace(table, columns=(*table.columns, column)), note
