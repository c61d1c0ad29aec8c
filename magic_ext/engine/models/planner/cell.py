"""A notebook cell under construction: imports at the top, names and values only by ``repr``."""

from __future__ import annotations

from ..base import Column, Table
from .plan import Condition, Question, columns_of, conditions_of
from .schema import is_time

__all__ = ["Cell", "literal"]


def literal(value: object) -> str:
    r"""Python source of a string or number, with double quotes where that needs no escapes.

    >>> literal("unit price"), literal('a"b'), literal(3.5)
    ('"unit price"', '\'a"b\'', '3.5')
    """
    source = repr(value)
    inner = source[1:-1]
    return f'"{inner}"' if source[0] == "'" and '"' not in inner and "\\" not in inner else source


class Cell:
    """Lines of code for one question about one table.

    ``taken`` are the names of all attached tables: none of them is ever assigned to.
    """

    def __init__(self, table: Table, question: Question, taken: frozenset[str]) -> None:
        self.table = table
        self.question = question
        self.taken = taken
        self.imports: set[str] = set()
        self.lines: list[str] = []
        self.frame = table.name
        self._dates()
        self._filter()

    def add(self, *lines: str) -> None:
        """Append lines."""
        self.lines.extend(lines)

    def name(self, wanted: str) -> str:
        """A variable's name that is no table's."""
        while wanted in self.taken:
            wanted += "_"
        return wanted

    def column(self, column: Column) -> str:
        """Source of one column of the rows that count."""
        return f"{self.frame}[{literal(column.name)}]"

    @property
    def where(self) -> tuple[Condition, ...]:
        """The question's conditions."""
        return conditions_of(self.question)

    def _dates(self) -> None:
        """Dates that are still text (from a CSV file) become dates in a copy."""
        texts = [column for column in columns_of(self.question) if column.kind == "text" and is_time(column)]
        for column in texts:
            self.imports.add("import pandas as pd")
            name = literal(column.name)
            data = self.name("data")
            if self.frame != data:
                self.add(f"{data} = {self.frame}.copy()")
            self.frame = data
            self.add(f'{data}[{name}] = pd.to_datetime({data}[{name}], format="ISO8601")')

    def _filter(self) -> None:
        if not self.where:
            return
        tests = [self._test(condition) for condition in self.where]
        mask = tests[0] if len(tests) == 1 else " & ".join(f"({test})" for test in tests)
        selected = self.name("selected")
        self.add(f"{selected} = {self.frame}[{mask}]")
        self.add(f'print("Rows:", len({selected}), "of", len({self.frame}))')
        self.frame = selected

    def _test(self, condition: Condition) -> str:
        column = self.column(condition.column)
        values = [literal(value) for value in condition.values]
        match condition.operator:
            case "isna":
                return f"{column}.isna()"
            case "in":
                return f"{column}.isin([{', '.join(values)}])"
            case "between":
                return f"{column}.between({values[0]}, {values[1]})"
            case "==" if isinstance(condition.values[0], bool):
                return f"{column}.eq({values[0]})"
            case operator:
                return f"{column} {operator} {values[0]}"
