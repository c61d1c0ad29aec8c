"""What a model is told of a function, and which functions it can't be given."""

from __future__ import annotations

import datetime as dt
import enum
import functools
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import pandas as pd
import pytest
from google.genai import interactions as sdk

from magic_ext.functions.declaring import BadFunction, declare
from magic_ext.functions.schema import inlined


class Unit(enum.Enum):
    C = "c"
    F = "f"


@dataclass
class Place:
    city: str
    zone: int = 0


@dataclass
class Tree:
    children: list[Tree]


def _schema(function: Any) -> dict[str, Any]:
    [declared] = declare(["f"], {"f": function})
    sdk.Function.model_validate(declared.declaration)
    return dict(declared.declaration["parameters"])


def test_hints_become_a_schema_without_references() -> None:
    def f(
        place: Place,
        day: dt.date,
        units: list[Unit],
        how: Literal["fast", "slow"] = "fast",
        top: Annotated[int, msgspec.Meta(ge=1, le=9, description="how many")] = 3,
        limits: dict[str, float] | None = None,
    ) -> None: ...

    schema = _schema(f)
    assert "$" not in msgspec.json.encode(schema).decode()
    assert schema["required"] == ["place", "day", "units"]
    told = schema["properties"]
    assert told["place"] == {
        "title": "Place",
        "type": "object",
        "properties": {"city": {"type": "string"}, "zone": {"type": "integer"}},
        "required": ["city"],
    }
    assert told["day"] == {"type": "string", "format": "date"}
    assert told["units"] == {"type": "array", "items": {"title": "Unit", "enum": ["c", "f"], "type": "string"}}
    assert told["how"] == {"enum": ["fast", "slow"], "type": "string"}
    assert told["top"] == {"type": "integer", "minimum": 1, "maximum": 9, "description": "how many"}
    assert told["limits"]["anyOf"][1] == {"type": "null"}


def test_a_parameter_may_have_the_name_of_a_schemas_keyword() -> None:
    def f(items: list[int], properties: str, default: int) -> None: ...

    schema = _schema(f)
    assert schema["required"] == ["items", "properties", "default"]
    assert schema["properties"]["default"] == {"type": "integer"}


def test_defaults_stay_here() -> None:
    frame = pd.DataFrame({"secret": ["tulip"]})

    def f(city: str, data: pd.DataFrame = frame, note: str = "a private default", *more: int, **extra: int) -> None: ...

    [declared] = declare(["f"], {"f": f})
    assert "private" not in str(declared.declaration) and "tulip" not in str(declared.declaration)
    assert list(declared.declaration["parameters"]["properties"]) == ["city", "note"]
    assert "description" not in declared.declaration


def test_a_default_stands_for_a_missing_hint() -> None:
    assert _schema(lambda n=3, ratio=0.5, name="x", deep=False: n)["properties"] == {
        "n": {"type": "integer"},
        "ratio": {"type": "number"},
        "name": {"type": "string"},
        "deep": {"type": "boolean"},
    }


def test_methods_and_partials_are_functions_too() -> None:
    class Shop:
        def price(self, item: str) -> float:
            return 1.0

    assert list(_schema(Shop().price)["properties"]) == ["item"]

    def pay(item: str, cents: int) -> None: ...

    assert _schema(functools.partial(pay, cents=3))["required"] == ["item"]


def _unhinted(x): ...  # type: ignore[no-untyped-def]


def _framed(data: pd.DataFrame) -> None: ...


def _recursive(tree: Tree) -> None: ...


def _unknown(x: Nowhere) -> None: ...  # type: ignore[name-defined]  # noqa: F821


async def _waits(x: int) -> None: ...


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("wether", "no function 'wether'.*weather"),
        ("number", "'number' is no function"),
        ("größe", "can't call"),
        ("unhinted", "'x' of unhinted has no type hint"),
        ("framed", "'data' of framed is a DataFrame"),
        ("recursive", "Tree contains itself"),
        ("unknown", "can't be read.*Nowhere"),
        ("waits", "asynchronous"),
        ("int", "no function 'int'"),
    ],
)
def test_what_cannot_be_declared_is_refused(name: str, says: str) -> None:
    session = {
        "weather": lambda: 1,
        "number": 3,
        "größe": lambda: 1,
        "unhinted": _unhinted,
        "framed": _framed,
        "recursive": _recursive,
        "unknown": _unknown,
        "waits": _waits,
    }
    with pytest.raises(BadFunction) as caught:
        declare([name], session)
    assert re.search(says, f"{caught.value} {caught.value.hint}")
    assert caught.value.hint and "\n" not in str(caught.value)


def test_one_named_twice_is_declared_once() -> None:
    assert len(declare(["f", "f"], {"f": lambda: 1})) == 1


def test_unknown_keywords_are_left_out_and_constants_become_choices() -> None:
    assert inlined({"const": "a", "pattern": "x+", "default": 3}) == {"enum": ["a"], "type": "string"}
