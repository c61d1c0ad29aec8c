"""What goes out comes back: by CSV and load line as in Google's sandbox, by Arrow as in the embedded engine."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from magic_ext.references.attach import Prepared
from magic_ext.references.errors import UnsendableError

Preparing = Callable[..., Prepared]
Running = Callable[[Prepared], dict[str, Any]]

STAMPS = pd.to_datetime(["2024-03-30 12:00:00.0", "2024-10-27 02:30:00.5", None])
DAYS = pd.to_datetime(["2024-01-31", None, "2024-02-29"])

FRAMES = {
    "plain": pd.DataFrame({"city": ["Rome", "Oslo", "Köln"], "n": [1, 2, 3], "x": [0.1, 1e-300, np.pi]}),
    "missing": pd.DataFrame({"city": ["Rome", None, "Oslo"], "x": [1.5, np.nan, np.inf], "b": [True, None, False]}),
    "texts taken for missing": pd.DataFrame({"country": ["NA", None, "NULL"], "x": [1.0, np.nan, 2.0]}),
    "empty texts": pd.DataFrame({"a": ["", None, "x"], "b": ["NA", "", "<NA>"]}),
    "texts taken for numbers": pd.DataFrame({"zip": ["00501", "10115", None], "yes": ["True", "false", "TRUE"]}),
    "quoting": pd.DataFrame(
        {"a": ['say "hi"', "x,y", "two\nlines"], "b": ["\r", " edge ", "'"], "c": ["=1+1", "#", "\\"]}
    ),
    "dates": pd.DataFrame({"day": DAYS, "at": STAMPS, "n": [1, 2, 3]}),
    "nanoseconds": pd.DataFrame(
        {"at": pd.to_datetime(["2024-01-01 00:00:00.000000001", "2024-01-02 00:00:00.000000000"])}
    ),
    "time zones": pd.DataFrame(
        {"a": STAMPS.tz_localize("UTC"), "b": STAMPS.tz_localize("UTC").tz_convert("Europe/Berlin")}
    ),
    "python dates": pd.DataFrame({"d": [dt.date(2024, 1, 31), None, dt.date(1900, 1, 1)]}),
    "timedeltas": pd.DataFrame({"d": pd.to_timedelta(["1 days 02:03:04.5", None, "-1 days"])}),
    "decimals": pd.DataFrame({"price": [Decimal("1.10"), None, Decimal("-3.00")]}),
    "nullable": pd.DataFrame(
        {
            "i": pd.array([1, None, 3], dtype="Int64"),
            "f": pd.array([1.5, None, 3], dtype="Float64"),
            "b": pd.array([True, None, False], dtype="boolean"),
            "s": pd.array(["1", None, "x"], dtype="string"),
        }
    ),
    "small types": pd.DataFrame(
        {"i": np.array([1, 2], "int8"), "f": np.array([0.1, 2], "float32"), "u": np.array([1, 2**64 - 1], "uint64")}
    ),
    "categories": pd.DataFrame(
        {
            "size": pd.Categorical(["S", None, "L"], ["S", "M", "L"], ordered=True),
            "code": pd.Categorical(["01", "02", "01"]),
            "n": pd.Categorical([3, 1, 3]),
        }
    ),
    "periods": pd.DataFrame({"m": pd.PeriodIndex(["2024-01", "2024-02"], freq="M")}),
    "complex": pd.DataFrame({"z": [1 + 2j, 3j]}),
    "huge integers": pd.DataFrame({"n": [2**70, -(2**70)]}),
    "named index": pd.DataFrame({"n": [1, 2]}, index=pd.Index(["a", "b"], name="key")),
    "unnamed index": pd.DataFrame({"n": [1, 2]}, index=["a", "b"]),
    "integer index": pd.DataFrame({"n": [1, 2]}, index=[7, 3]),
    "date index": pd.DataFrame(
        {"n": [1, 2]}, index=pd.date_range("2024-01-01", periods=2, name="day", tz="Asia/Tokyo")
    ),
    "row levels": pd.DataFrame({"n": [1, 2]}, index=pd.MultiIndex.from_tuples([("a", 1), ("b", 2)], names=["k", None])),
    "index named as a column": pd.DataFrame({"n": [1, 2]}, index=pd.Index([5, 6], name="n")),
    "column levels": pd.DataFrame(
        [[1, 2.5], [3, 4.5]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y")], names=["u", None])
    ),
    "integer labels": pd.DataFrame([[1, 2], [3, 4]]),
    "years as labels": pd.DataFrame([["a", 1], ["b", 2]], columns=pd.Index([2019, 2020], name="year")),
    "strange labels": pd.DataFrame([[1, 2, 3, 4]], columns=["a\nb", "", "[gemini-exec] x", 'q"uo,te']),
    "sparse": pd.DataFrame({"s": pd.arrays.SparseArray([0, 0, 3]), "x": pd.arrays.SparseArray([np.nan, 1.5, np.nan])}),
    "one column of missing": pd.DataFrame({"a": [None, "x", None]}),
    "formulas": pd.DataFrame({"=cmd()": ["=1+1", "@x", "-3"], "<b>": ["*", "|", "`"]}),
    "columns of missing": pd.DataFrame(
        {
            "at": pd.to_datetime([None, None]),
            "zone": pd.to_datetime([None, None]).tz_localize("Europe/Berlin"),
            "took": pd.to_timedelta([None, None]),
            "s": pd.array([None, None], dtype="str"),
        }
    ),
    "an offset as time zone": pd.DataFrame({"a": STAMPS.tz_localize(dt.timezone(dt.timedelta(hours=5, minutes=30)))}),
    "no rows of dates": pd.DataFrame({"at": STAMPS, "zone": STAMPS.tz_localize("Asia/Tokyo"), "d": STAMPS - STAMPS[0]})[
        :0
    ],
    "no rows": pd.DataFrame({"a": pd.Series([], dtype="int64"), "b": pd.Series([], dtype="str")}),
}

# What a CSV cannot tell, and Arrow can.
LOOSE = {"check_dtype": False, "check_column_type": False, "check_index_type": False, "check_freq": False}


def same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(alike(left), alike(right), **LOOSE)  # type: ignore[call-overload]


def alike(frame: pd.DataFrame) -> pd.DataFrame:
    """One unit for datetimes, one kind of missing among objects: a CSV tells neither."""
    frame = frame.copy()
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        if column.dtype.kind in "Mm" and not (column.dtype.kind == "M" and column.dt.nanosecond.any()):
            frame.isetitem(position, column.dt.as_unit("us"))
        elif column.dtype == object:
            lists = column.map(lambda cell: cell.tolist() if isinstance(cell, np.ndarray) else cell)
            frame.isetitem(position, lists.where(column.notna(), None))
    return frame


@pytest.mark.parametrize("name", FRAMES)
def test_csv_and_load_line_give_the_same_values(name: str, remote: Preparing, sandbox: Running) -> None:
    frame = FRAMES[name]
    before = frame.copy(deep=True)
    loaded = sandbox(remote("@df", df=frame))["df"]
    same(loaded, frame)
    for label, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if isinstance(dtype, pd.CategoricalDtype):
            assert loaded[label].dtype == dtype
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("name", FRAMES)
def test_arrow_gives_an_equal_frame(name: str, local: Preparing, kernel: Running) -> None:
    frame = FRAMES[name]
    before = frame.copy(deep=True)
    if name == "huge integers" or name == "complex":
        pd.testing.assert_frame_equal(kernel(local("@df", df=frame))["df"], frame.map(str), check_dtype=False)
    else:
        same(kernel(local("@df", df=frame))["df"], frame)
    pd.testing.assert_frame_equal(frame, before)


def test_two_columns_of_one_name(remote: Preparing, local: Preparing, sandbox: Running) -> None:
    frame = pd.DataFrame([[1, "x"], [2, "y"]], columns=["a", "a"])
    same(sandbox(remote("@df", df=frame))["df"], frame)
    with pytest.raises(UnsendableError, match="more than one column 'a'") as caught:
        local("@df", df=frame)
    assert caught.value.hint


def test_labels_that_have_no_source(remote: Preparing) -> None:
    frame = pd.DataFrame([[1, 2]], columns=pd.interval_range(0, 2))
    with pytest.raises(UnsendableError, match="Interval") as caught:
        remote("@df", df=frame)
    assert "astype(str)" in caught.value.hint


def test_nested_values(remote: Preparing, local: Preparing, sandbox: Running, kernel: Running) -> None:
    frame = pd.DataFrame({"tags": [["a", "b"], [], None], "d": [{"x": 1}, {"x": 2}, None]})
    same(sandbox(remote("@df", df=frame))["df"], frame)
    arrived = kernel(local("@df", df=frame))["df"]
    assert [None if tags is None else list(tags) for tags in arrived["tags"]] == [["a", "b"], [], None]
    assert list(arrived["d"]) == [{"x": 1}, {"x": 2}, None]


def test_mixed_types_go_as_text_with_a_note(
    remote: Preparing, local: Preparing, sandbox: Running, kernel: Running
) -> None:
    frame = pd.DataFrame({"m": [1, "a", None, 2.5], "n": [1, 2, 3, 4]})
    expected = pd.DataFrame({"m": ["1", "a", None, "2.5"], "n": [1, 2, 3, 4]})
    here, there = local("@df", df=frame), remote("@df", df=frame)
    same(kernel(here)["df"], expected)
    same(sandbox(there)["df"], expected)
    assert "'m': values of mixed types" in here.entries[0].note
    assert "'m': values of mixed types" in there.entries[0].note


def test_binary_values_are_not_sent(remote: Preparing) -> None:
    prepared = remote("@df", df=pd.DataFrame({"b": [b"secret", b"x"]}))
    assert b"secret" not in prepared.contents[0].content
    assert "binary" in prepared.entries[0].note


OTHERS = {
    "polars": pl.DataFrame(
        {
            "c": ["x", None],
            "d": [dt.date(2024, 1, 1), None],
            "n": [1, None],
            "l": [[1], [2, 3]],
            "t": [dt.timedelta(1), None],
        }
    ),
    "polars categories": pl.DataFrame(
        {"e": pl.Series(["b", "a"], dtype=pl.Enum(["a", "b"])), "z": [dt.datetime(2024, 1, 1, 5), None]}
    ),
    "polars without rows": pl.DataFrame(schema={"s": pl.String, "at": pl.Datetime, "took": pl.Duration}),
    "lazy": pl.LazyFrame({"n": [1, 2], "x": [0.5, None]}),
    "arrow": pa.table(
        {
            "n": [1, 2],
            "s": ["x", None],
            "z": pa.array([dt.datetime(2024, 7, 1)] * 2, pa.timestamp("us", "Europe/Berlin")),
        }
    ),
    "records": [{"a": 1, "b": "x"}, {"a": 2, "c": 1.5}],
    "vector": np.array([1.5, np.nan, 3]),
    "matrix": np.array([[1, 2], [3, 4]], dtype="int16"),
    "stamps": np.array(["2024-01-01T05", "NaT"], dtype="datetime64[h]"),
    "structured": np.array([("Rome", 1)], dtype=[("city", "U10"), ("n", "i8")]),
    "series": pd.Series([1, 2], name="n", index=["a", "b"]),
    "unnamed series": pd.Series(["x", "y"]),
    "index": pd.Index(["x", "y"], name="k"),
    "polars series": pl.Series("n", [1, 2]),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_tables_arrive_as_their_live_expression_says(
    name: str,
    remote: Preparing,
    local: Preparing,
    sandbox: Running,
    kernel: Running,
    live: Callable[..., dict[str, Any]],
) -> None:
    there, here = remote("@obj", obj=OTHERS[name]), local("@obj", obj=OTHERS[name])
    (bound,) = there.bindings
    assert bound.name == "obj_df"  # code must not replace obj itself
    expected = live(there, {"obj": OTHERS[name]})["obj_df"]
    arrived = sandbox(there)["obj_df"]
    same(arrived, expected)
    same(kernel(here)["obj_df"], live(here, {"obj": OTHERS[name]})["obj_df"])


def test_python_objects_in_polars_go_as_text(
    remote: Preparing, local: Preparing, sandbox: Running, kernel: Running
) -> None:
    frame = pl.DataFrame({"o": pl.Series([Decimal("1.5"), {1}, None], dtype=pl.Object)})
    expected = pd.DataFrame({"o": ["1.5", "{1}", None]})
    same(sandbox(remote("@df", df=frame))["df_df"], expected)
    same(kernel(local("@df", df=frame))["df_df"], expected)


_CELLS = st.one_of(
    st.none(),
    st.text(max_size=8),
    st.sampled_from(["NA", "", "1", "nan", "True", "1e5", "2024-01-01", '"', ",", "\r\n"]),
)
_COLUMN = st.one_of(
    st.lists(_CELLS, min_size=3, max_size=3),
    st.lists(st.one_of(st.none(), st.floats()), min_size=3, max_size=3),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    st.lists(st.booleans(), min_size=3, max_size=3),
    st.lists(
        st.one_of(st.none(), st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1))), min_size=3, max_size=3
    ),
)
_LABELS = st.one_of(st.text(max_size=5), st.integers(-5, 5), st.sampled_from(["a", "c0", "c1", "NA"]))


@given(columns=st.dictionaries(_LABELS, _COLUMN, min_size=1, max_size=3), index=st.permutations([0, 1, 2]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
def test_any_frame_comes_back(
    columns: dict[Any, list[Any]], index: list[int], remote: Preparing, sandbox: Running
) -> None:
    frame = pd.DataFrame(columns, index=index)
    # pandas cannot hold a lone surrogate, nor read_csv a NUL: neither occurs in data that came from a file.
    if any("\0" in str(cell) for cells in columns.values() for cell in cells):
        return
    loaded = sandbox(remote("@df", df=frame))["df"]
    assert list(loaded.columns) == list(frame.columns)
    for position in range(frame.shape[1]):
        for left, right in zip(loaded.iloc[:, position], frame.iloc[:, position], strict=True):
            assert (pd.isna(left) and pd.isna(right)) or left == right or math.isclose(left, right)
    assert list(loaded.index) == index
