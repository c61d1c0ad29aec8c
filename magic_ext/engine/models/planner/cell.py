"""A notebook cell under construction: imports at the top, names and values only by ``repr``."""

from __future__ import annotations

import math

from ..base import Column, Table
from .plan import Condition, Derived, Flag, Question, columns_of, conditions_of, opposites
from .schema import is_numeric, is_time

__all__ = ["Cell", "endless", "literal"]


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
        self._prepare()
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

    def _prepare(self) -> None:
        """In a copy: dates that are still text become dates, infinite numbers gaps, and computed columns are added."""
        for column in columns_of(self.question):
            if isinstance(column, Derived):
                self._computed(column)
            elif column.cast:
                self._cast(column)
            elif column.kind == "text" and is_time(column):
                self.imports.add("import pandas as pd")
                source = f"pd.to_datetime({self._copied()}[{literal(column.name)}], format={literal(column.form)})"
                self.add(f"{self.frame}[{literal(column.name)}] = {source}")
            elif endless(column):
                self._without_infinite(column)

    def _cast(self, column: Column) -> None:
        frame, name = self._copied(), literal(column.name)
        source = f"{frame}[{name}]"
        if column.cast == "datetime":
            self.imports.add("import pandas as pd")
        cast = {"float": f"{source}.astype(float)", "hours": f"{source}.dt.total_seconds() / 3600"}
        self.add(f"{frame}[{name}] = {cast.get(column.cast, f'pd.to_datetime({source})')}")

    def _computed(self, column: Derived) -> None:
        frame, name = self._copied(), literal(column.name)
        left, right = literal(column.left.name), literal(column.right.name)
        self.add(f"{frame}[{name}] = {frame}[{left}] {column.operator} {frame}[{right}]")
        bounds = (column.right.low, column.right.high)
        positive = all(isinstance(bound, float) and bound > 0 for bound in bounds)
        if column.operator == "/" and not positive:
            self._without_infinite(column)

    def _without_infinite(self, column: Column) -> None:
        frame, name = self._copied(), literal(column.name)
        self.add(f'{frame}[{name}] = {frame}[{name}].replace([float("inf"), float("-inf")], float("nan"))')

    def _copied(self) -> str:
        data = self.name("data")
        if self.frame != data:
            self.add(f"{data} = {self.frame}.copy()")
            self.frame = data
        return data

    def _filter(self) -> None:
        if not self.where:
            return
        tests = [self.test(condition) for condition in self.where]
        mask = tests[0] if len(tests) == 1 else " & ".join(f"({test})" for test in tests)
        selected = self.name("selected")
        self.add(f"{selected} = {self.frame}[{mask}]")
        self.add(f'print("Rows:", len({selected}), "of", len({self.frame}))')
        for column in opposites(self.question):
            self.add(f"print({literal(f'Rows without {column.name}:')}, {self.column(column)}.isna().sum())")
        self.frame = selected

    def test(self, condition: Condition) -> str:
        """Source of a mask: True for the rows that the condition is about."""
        either = [self._test(one) for one in (condition, *condition.either)]
        return either[0] if len(either) == 1 else " | ".join(f"({test})" for test in either)

    def flag(self, flag: Flag) -> str:
        """Source of a mask for all tests of a flag."""
        tests = [self.test(condition) for condition in flag.tests]
        return tests[0] if len(tests) == 1 else " & ".join(f"({test})" for test in tests)

    def _test(self, condition: Condition) -> str:
        column = self.column(condition.column)
        known = f"{column}.notna()"
        if condition.part:
            column += f".dt.{'day_of_week' if condition.part == 'weekday' else condition.part}"
        values = [self.column(v) if isinstance(v, Column) else literal(v) for v in condition.values]
        match condition.operator:
            case "isna" | "notna" as gap:
                return f"{column}.{gap}()"
            case "in":
                return f"{column}.isin([{', '.join(values)}])"
            case "not in":
                outside = f"~{column}.isin([{', '.join(values)}])"
                return f"{known} & {outside}" if condition.column.missing else outside
            case "between":
                return f"{column}.between({values[0]}, {values[1]})"
            case "contains":
                return f"{column}.str.contains({values[0]}, case=False, regex=False, na=False)"
            case "startswith" | "endswith" as text:
                return f"{column}.str.lower().str.{text}({literal(str(condition.values[0]).lower())}, na=False)"
            case "==" if isinstance(condition.values[0], bool):
                return f"{column}.eq({values[0]})"
            case "!=" if condition.column.missing:
                return f"{known} & ({column} != {values[0]})"
            case operator:
                return f"{column} {operator} {values[0]}"


def endless(column: Column) -> bool:
    """Whether a column of numbers has infinite ones, as far as the table's profile tells."""
    return column.kind == "number" and column.unique > 0 and not isinstance(column, Derived) and not _finite(column)


def _finite(column: Column) -> bool:
    bounds = (column.low, column.high)
    return is_numeric(column) and all(isinstance(bound, int | float) and math.isfinite(bound) for bound in bounds)
