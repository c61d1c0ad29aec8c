"""No value leaves under ``:schema``: canaries in every place where a table keeps values."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

import dask.dataframe as dd
import duckdb
import geopandas
import ibis
import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st

from magic_ext.references.attach import Remote, prepare
from magic_ext.references.policy import Policy
from magic_ext.wire.content import encode_content

CANARY = "kanarienvogel"
NUMBER = 918273645


def leaves(prompt: str, tmp_path: Path, default: Policy = Policy(), **namespace: Any) -> str:  # noqa: B008
    """All that would leave this computer, as one text."""
    prepared, manifest = prepare(prompt, (), namespace, tmp_path, Remote("host"), default)
    contents = "".join(str(encode_content(content)) for content in prepared.contents)
    bindings = str(msgspec.to_builtins(prepared.bindings))
    return prepared.prompt + prepared.description + contents + str(msgspec.to_builtins(manifest)) + bindings


def assert_silent(text: str) -> None:
    assert CANARY not in text.lower()
    assert str(NUMBER) not in text
    assert f"{NUMBER:,}" not in text


WORDS = st.text(st.characters(codec="ascii", categories=["L"]), max_size=3).map(lambda text: text + CANARY)
NUMBERS = st.integers(0, 9).map(lambda digit: int(f"{NUMBER}{digit}"))
INDEXES = [
    lambda n: pd.RangeIndex(n),
    lambda n: pd.Index([f"{CANARY}{i}" for i in range(n)], name="key"),
    lambda n: pd.MultiIndex.from_product([[CANARY], range(NUMBER, NUMBER + n)], names=["a", "b"]),
    lambda n: pd.CategoricalIndex([CANARY] * n),
    lambda n: pd.RangeIndex(NUMBER, NUMBER + n),
]


@settings(deadline=None, max_examples=60)
@given(
    words=st.lists(WORDS, min_size=1, max_size=4),
    numbers=st.lists(NUMBERS, min_size=1, max_size=4),
    index=st.sampled_from(INDEXES),
)
def test_a_pandas_frame(words: list[str], numbers: list[int], index: Any) -> None:
    n = min(len(words), len(numbers))
    words, numbers = words[:n], numbers[:n]
    frame = pd.DataFrame(
        {
            "text": words,
            "number": numbers,
            "category": pd.Categorical(words, [*dict.fromkeys(words), f"{CANARY} unseen"], ordered=True),
            "codes": pd.Categorical(numbers),
            "sparse": pd.arrays.SparseArray([float(NUMBER)] * n, fill_value=float(NUMBER)),
            "interval": pd.arrays.IntervalArray.from_tuples([(NUMBER, NUMBER + 1)] * n),
            "nested": [[word] for word in words],
            "decimal": [Decimal(number) for number in numbers],
            "bytes": [CANARY.encode()] * n,
            "mixed": [*words[:-1], NUMBER],
        },
        index=index(n),
    )
    frame.attrs["source"] = CANARY
    frame["text"].attrs["source"] = CANARY
    for prompt in ("@df:schema", '@df["text"]:schema', "@df.category:schema", "@df.index:schema"):
        assert_silent(leaves(prompt, Path(), df=frame))
    assert_silent(leaves("@df and @df.number, @x", Path(), Policy("schema"), df=frame, x=NUMBER))


def stored(statements: str) -> Any:
    """A database in which this was done."""
    connection = duckdb.connect()
    connection.execute(statements).fetchall()
    return connection


@pytest.mark.parametrize(
    "value",
    [
        pl.DataFrame({"e": pl.Series([CANARY], dtype=pl.Enum([CANARY, f"{CANARY}2"])), "n": [NUMBER], "l": [[CANARY]]}),
        pl.DataFrame({"e": pl.Series([[CANARY]], dtype=pl.List(pl.Enum([CANARY])))}),
        pl.LazyFrame({"c": pl.Series([CANARY], dtype=pl.Categorical)}),
        pl.Series("s", [CANARY]),
        dd.from_pandas(pd.DataFrame({"c": pd.Categorical([CANARY]), "n": [NUMBER]}), npartitions=1),
        duckdb.sql(f"SELECT '{CANARY}'::ENUM ('{CANARY}') AS e, {{'a': {NUMBER}}} AS s"),
        stored(f"CREATE TABLE t (e ENUM ('{CANARY}', ')', 'a''b')); INSERT INTO t VALUES ('{CANARY}')"),
        ibis.memtable(pa.table({"s": [CANARY]})),
        scipy.sparse.csr_array([[NUMBER]]),
        xr.DataArray([NUMBER], {"x": [CANARY]}, name="v"),
        geopandas.GeoSeries.from_wkt([f"POINT ({NUMBER} 1)"]),
        {"a": [CANARY], "b": [NUMBER]},
        pa.table({"d": pa.array([CANARY]).dictionary_encode(), "n": [NUMBER]}),
        [{"a": CANARY, "b": NUMBER}],
        np.array([NUMBER]),
        np.array([[CANARY]]),
        np.full((2, 2, 2), NUMBER),
        {CANARY: NUMBER},
        [CANARY, NUMBER],
        f"{CANARY}\n{CANARY}",
        CANARY,
        NUMBER,
        dt.timedelta(NUMBER),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_objects(value: Any, tmp_path: Path) -> None:
    assert_silent(leaves("@x:schema", tmp_path, x=value))
    assert_silent(leaves("@x", tmp_path, Policy("schema"), x=value))


def test_pictures_and_files(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.suptitle(CANARY)
    (tmp_path / "x.csv").write_text(f"name,n\n{CANARY},{NUMBER}\n")
    (tmp_path / "x.txt").write_text(CANARY)
    (tmp_path / "x.json").write_text(f'{{"{CANARY}": {NUMBER}}}')
    (tmp_path / "x.pdf").write_bytes(b"%PDF" + CANARY.encode())
    text = leaves("@x.csv @x.txt @x.json @x.pdf @fig", tmp_path, Policy("schema"), fig=figure)
    assert_silent(text)
    prepared, _ = prepare("@x.csv @x.pdf @fig", (), {"fig": figure}, tmp_path, Remote("host"), Policy("schema"))
    assert prepared.contents == ()
    (tmp_path / "bare.csv").write_text(f"{CANARY},{NUMBER}.5\n{CANARY},1.5\n")
    assert_silent(leaves("@bare.csv:schema", tmp_path))


def test_a_part_shows_no_categories_but_its_own(tmp_path: Path) -> None:
    frame = pd.DataFrame({"c": pd.Categorical(["a", "b", CANARY], ["a", "b", CANARY, f"{CANARY}2"])})
    text = leaves("@df:head(2)", tmp_path, df=frame)
    assert "['a', 'b']" in text
    assert_silent(text)
    native = pl.DataFrame({"c": pl.Series(["a", CANARY], dtype=pl.Enum(["a", CANARY]))})
    assert_silent(leaves("@df:head(1)", tmp_path, df=native))
    assert_silent(leaves("@df[n]", tmp_path, df=pd.DataFrame({"n": [1], "secret": [CANARY]})))
