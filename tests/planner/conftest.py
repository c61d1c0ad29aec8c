"""Tables, prompts and a small runner that the planner's tests share."""

from __future__ import annotations

import contextlib
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest
from pandas.api import types

from magic_ext.engine import tables
from magic_ext.engine.models.base import Code, Column, Conversation, Table, Text
from magic_ext.engine.models.planner import OfflinePlanner
from magic_ext.wire.content import Text as TextContent
from magic_ext.wire.steps import CodeExecutionCall, CodeExecutionResult, UserInput

PENGUINS = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"


def kind_of(series: pd.Series) -> str:
    if types.is_bool_dtype(series):
        return "boolean"
    if types.is_integer_dtype(series):
        return "integer"
    if types.is_numeric_dtype(series):
        return "number"
    if types.is_datetime64_any_dtype(series):
        return "datetime"
    return "text" if all(isinstance(value, str) for value in series.dropna()) else "other"


def column_of(name: str, series: pd.Series) -> Column:
    kind = kind_of(series)
    known = series.dropna()
    counted = known.value_counts()
    listed = kind in {"text", "boolean", "integer"} and len(counted) <= 200
    values = tuple(value.item() if hasattr(value, "item") else value for value in counted.index) if listed else ()
    low: Any = None
    high: Any = None
    if len(known) and kind in {"integer", "number"}:
        low, high = float(known.min()), float(known.max())
    elif len(known) and kind == "datetime":
        low, high = known.min().isoformat(), known.max().isoformat()
    plain = Column(name, kind, int(series.isna().sum()), len(counted), values, low, high)
    found = _DESCRIBING["_dated"](series) if kind == "text" and len(known) else {}
    return msgspec.structs.replace(plain, **{key: tuple(v) if key == "values" else v for key, v in found.items()})


_DESCRIBING: dict[str, Any] = {}
exec(tables._DESCRIBE, _DESCRIBING)


def table_of(name: str, frame: pd.DataFrame, label: str = "", load: str = "") -> Table:
    columns = tuple(column_of(str(column), frame[column]) for column in frame.columns)
    return Table(name, len(frame), columns, load, label or name)


def penguins() -> pd.DataFrame:
    return pd.read_csv(PENGUINS)


def sales() -> pd.DataFrame:
    """400 orders of two years, written without a random number generator."""
    rows = range(400)
    cities = ["Paris", "London", "New York", "Berlin", "Rome"]
    products = ["Chair", "Desk", "Lamp"]
    return pd.DataFrame(
        {
            "order_id": [1000 + i for i in rows],
            "date": pd.to_datetime("2023-01-02") + pd.to_timedelta([(i * 7) // 4 for i in rows], unit="D"),
            "city": [cities[(i * i + i // 3) % 5] for i in rows],
            "product": [products[(i * 7 + i // 5) % 3] for i in rows],
            "quantity": [1 + (i * 13) % 9 for i in rows],
            "unit_price": [round(5 + (i * 37 % 101) * 0.75, 2) for i in rows],
            "revenue": [round((1 + (i * 13) % 9) * (5 + (i * 37 % 101) * 0.75), 2) for i in rows],
            "discount": [None if i % 11 == 0 else round((i % 5) / 20, 2) for i in rows],
        }
    )


def people() -> pd.DataFrame:
    rows = range(60)
    return pd.DataFrame(
        {
            "name": [f"Person {i:02d}" for i in rows],
            "age": [18 + (i * 17) % 50 for i in rows],
            "height_cm": [150 + (i * 29) % 45 + 0.5 for i in rows],
            "weight_kg": [None if i in {3, 30} else 50 + (i * 31) % 40 + 0.25 for i in rows],
            "department": [["Sales", "Research", "Support"][(i * i) % 3] for i in rows],
            "grade": [["A", "B", "C"][(i // 2) % 3] for i in rows],
            "member": [i % 4 != 0 for i in rows],
            "birth_city": [["Paris", "Lyon", "Nice"][(i * 5 + i // 7) % 3] for i in rows],
            "home_city": [["Paris", "Lyon", "Oslo"][(i * 3 + i // 4) % 3] for i in rows],
        }
    )


def nasty() -> pd.DataFrame:
    rows = range(30)
    return pd.DataFrame(
        {
            "Unit price (EUR)": [2.5 + i for i in rows],
            'say "hi"': [i % 4 for i in rows],
            "it's": [["x'y", 'q"r', "n\nl"][i % 3] for i in rows],
            "größe": [i * 2 for i in rows],
            "a b": [i + 1 for i in rows],
            "a_b": [i + 2 for i in rows],
            "cost $": [["$1", "$2"][i % 2] for i in rows],
            "class": [["low", "high"][i % 2] for i in rows],
            "share": [i / 10000 for i in rows],
        }
    )


@dataclass
class Ran:
    """What one turn came to."""

    text: str
    code: str = ""
    printed: str = ""
    names: dict[str, Any] = field(default_factory=dict)
    figures: list[Any] = field(default_factory=list)
    closing: str = ""

    @property
    def declined(self) -> bool:
        return not self.code

    def numbers(self) -> list[float]:
        return [float(found) for found in re.findall(r"(?<![\w.-])-?\d+(?:\.\d+)?(?![\w])", self.printed)]


def conversation(tables: tuple[Table, ...], *turns: str, **more: Any) -> Conversation:
    return Conversation(steps=tuple(UserInput((TextContent(turn),)) for turn in turns), tables=tables, **more)


def plan_only(tables: tuple[Table, ...], *turns: str, **more: Any) -> Ran:
    parts = list(OfflinePlanner().reply(conversation(tables, *turns, **more)))
    text = "".join(part.text for part in parts if isinstance(part, Text))
    codes = [part.code for part in parts if isinstance(part, Code)]
    assert text.strip(), "an answer is never empty"
    return Ran(text, codes[0] if codes else "")


def run(frames: dict[str, pd.DataFrame], *turns: str) -> Ran:
    """Plan the last of ``turns`` and execute its code on copies of ``frames``."""
    import matplotlib.pyplot as plt

    tables = tuple(table_of(name, frame) for name, frame in frames.items())
    ran = plan_only(tables, *turns)
    if ran.declined:
        return ran
    plt.close("all")
    ran.names = {name: frame.copy() for name, frame in frames.items()}
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(ran.code, "<cell>", "exec"), ran.names)
    for name, frame in frames.items():
        pd.testing.assert_frame_equal(ran.names[name], frame)
    ran.printed = printed.getvalue()
    ran.figures = [plt.figure(number) for number in plt.get_fignums()]
    asked = conversation(tables, *turns)
    steps = (
        *asked.steps,
        CodeExecutionCall("c1", ran.code),
        CodeExecutionResult("c1", (TextContent(ran.printed),)),
    )
    after = list(OfflinePlanner().reply(Conversation(steps=steps, tables=tables)))
    assert all(isinstance(part, Text) for part in after)
    ran.closing = "".join(part.text for part in after)
    return ran


FRAMES = {"penguins": penguins, "sales": sales, "people": people, "nasty": nasty}


@pytest.fixture
def bench() -> Iterator[Any]:
    """This module: with import mode importlib a test cannot import it by name."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    with plt.rc_context():
        yield sys.modules[__name__]
    plt.close("all")
