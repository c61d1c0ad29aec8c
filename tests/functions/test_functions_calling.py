"""Calls: arguments by their hints, results of every kind, errors as results."""

from __future__ import annotations

import datetime as dt
import io
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
from google.genai import interactions as sdk
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.functions.calling import Called, Terms, call
from magic_ext.functions.declaring import declare
from magic_ext.references.policy import Policy
from magic_ext.wire.steps import FunctionCall, encode_step

AUTO = Policy()


def _called(function: Any, arguments: dict[str, Any] | None = None, policy: Policy = AUTO, name: str = "f") -> Called:
    called = call(FunctionCall("c1", name, arguments or {}), declare(["f"], {"f": function}), Terms(policy))
    sdk.FunctionResultStep.model_validate(encode_step(called.result))
    assert called.result.call_id == "c1" and called.result.name == name
    return called


def _text(called: Called) -> str:
    [block] = called.result.result
    return str(block["text"])


def test_arguments_are_made_what_the_hints_say() -> None:
    @dataclass
    class Place:
        city: str

    def f(place: Place, day: dt.date, count: int, /, *, ratio: float = 2.0) -> str:
        return f"{place.city} {day.year + count} {ratio}"

    f.__annotations__["place"] = Place
    given_ = {"place": {"city": "Kyiv"}, "day": "2024-01-02", "count": 1.0}
    assert _text(_called(f, given_)) == "Kyiv 2025 2.0"
    assert _text(_called(f, given_ | {"count": "1", "ratio": 3})) == "Kyiv 2025 3.0"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, "missing required field `n`"),
        ({"n": "many"}, "`int`"),
        ({"n": None}, "`int`"),
        ({"n": 2.5}, "`int`"),
        ({"n": 1, "m": 2}, "unknown field `m`"),
    ],
)
def test_arguments_that_do_not_fit_never_reach_the_function(arguments: dict[str, Any], says: str) -> None:
    reached: list[int] = []

    def f(n: int) -> None:
        reached.append(n)

    called = _called(f, arguments)
    assert called.result.is_error and says in _text(called)
    assert reached == []


def test_a_function_that_was_not_declared_is_not_called() -> None:
    called = _called(lambda: 1, name="system")
    assert called.result.is_error
    assert _text(called) == "LookupError: there is no function 'system'; declared: f"


def test_an_exception_is_one_line_without_local_values() -> None:
    def f() -> None:
        password = "tulip-in-a-local"  # noqa: F841
        raise ValueError("no such\ncity " + "x" * 5000)

    called = _called(f)
    text = _text(called)
    assert called.result.is_error
    assert text.startswith("ValueError: no such city x") and len(text) == 500
    assert "tulip" not in text and "Traceback" not in text


def test_leaving_python_is_an_error_and_an_interrupt_is_not() -> None:
    def leaves() -> None:
        raise SystemExit(3)

    def stops() -> None:
        raise KeyboardInterrupt

    assert _called(leaves).result.is_error
    with pytest.raises(KeyboardInterrupt):
        _called(stops)


class _Odd:
    def __str__(self) -> str:
        return "an odd thing"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain text", "plain text"),
        (None, "null"),
        ([1, 2.5, None], "[1,2.5,null]"),
        ({"a": dt.date(2024, 1, 2)}, '{"a":"2024-01-02"}'),
        ([{"a": 1}, {"a": 2}], '[{"a":1},{"a":2}]'),
        ({"n": np.int64(3), "x": np.float64(0.5)}, '{"n":3,"x":0.5}'),
        (np.int64(7), "7"),
        (_Odd(), '"an odd thing"'),
        ({(1, 2): 3}, '{"(1, 2)":3}'),
        ({"x": 3 + 1j}, '{"x":"(3+1j)"}'),
    ],
)
def test_results_go_back_as_json_where_they_can(value: Any, text: str) -> None:
    called = _called(lambda: value)
    assert _text(called) == text
    assert called.bytes == len(text.encode())
    assert not called.result.is_error


def test_a_frame_goes_back_as_far_as_the_policy_lets_it() -> None:
    frame = pd.DataFrame({"city": ["Kyiv", "Bonn", "Riga"], "sales": [1, 2, 3]})
    whole = _text(_called(lambda: frame))
    assert "3 rows" in whole and pd.read_csv(io.StringIO(whole[whole.index("city,") :])).equals(frame)
    assert "Kyiv" not in _text(_called(lambda: frame, policy=Policy("schema")))
    head = _text(_called(lambda: frame, policy=Policy("head", 1)))
    assert "Kyiv" in head and "Bonn" not in head


def test_a_huge_result_is_cut_and_says_so() -> None:
    text = _text(_called(lambda: "x" * 1_000_000))
    assert len(text) < 121_000 and "1,000,000 characters" in text
    frame = pd.DataFrame({"n": range(1_000_000)})
    assert len(_text(_called(lambda: frame))) < 130_000


def test_a_picture_goes_back_as_one() -> None:
    from PIL import Image

    called = _called(lambda: Image.new("RGB", (2, 2)))
    words, picture = called.result.result
    assert words["text"] == "a PIL image"
    assert picture["type"] == "image" and picture["mime_type"] == "image/png"
    assert called.bytes > len(words["text"])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=9,
)


@given(JSON)
def test_json_comes_back_as_it_was(value: Any) -> None:
    text = _text(_called(lambda: value))
    assert text == value if isinstance(value, str) else msgspec.json.decode(text) == value
