"""Frames of other libraries, databases and arrays: as tables, by their own engines, never collected whole."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dask.dataframe as dd
import duckdb
import geopandas
import ibis
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import xarray as xr
from shapely import Point

from magic_ext.functions.results import told_of
from magic_ext.references.attach import Here, Prepared, prepare
from magic_ext.references.errors import UnknownReferenceError, UnsendableError
from magic_ext.references.policy import Policy
from magic_ext.references.tables import partial

Preparing = Callable[..., Prepared]
Running = Callable[[Prepared], dict[str, Any]]

ROWS = {
    "city": ["Rome", "Oslo", None],
    "n": [1, None, 2**60 + 1],
    "day": [dt.date(2024, 1, 31), None, dt.date(1999, 12, 31)],
    "unit price": [Decimal("1.50"), Decimal("2.25"), None],
    "at": [dt.datetime(2024, 7, 1, 5, 30), None, dt.datetime(2024, 1, 1)],
}
SCHEMA = pa.schema(
    {"city": "string", "n": "int64", "day": "date32", "unit price": pa.decimal128(8, 2), "at": pa.timestamp("us")}
)
TABLE = pa.table(ROWS, SCHEMA)


@pytest.fixture(scope="module")
def parquet(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file of 30,000 rows."""
    path = tmp_path_factory.mktemp("data") / "x.parquet"
    pl.DataFrame({"n": range(30_000), "s": ["text"] * 30_000}).write_parquet(path)
    return str(path)


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """One session for all tests: it takes seconds to start."""
    if shutil.which("java") is None:
        pytest.skip("needs java (apt install default-jre-headless)")
    from pyspark.sql import SparkSession

    settings = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "1", "spark.driver.host": "127.0.0.1"}
    settings |= {"spark.driver.bindAddress": "127.0.0.1", "spark.sql.timestampType": "TIMESTAMP_NTZ"}
    builder = SparkSession.builder.master("local[1]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        session = builder.getOrCreate()
    yield session
    session.stop()


FRAMES: dict[str, Callable[[], Any]] = {
    "polars": lambda: pl.from_arrow(TABLE),
    "polars lazy": lambda: pl.from_arrow(TABLE).lazy(),  # type: ignore[union-attr]
    "pyarrow": lambda: TABLE,
    "duckdb": lambda: duckdb.connect().from_arrow(TABLE),
    "ibis": lambda: ibis.memtable(TABLE),
    "dask": lambda: dd.from_pandas(TABLE.to_pandas(types_mapper=pd.ArrowDtype), npartitions=2),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_keeps_its_values_here_and_there(
    name: str, remote: Preparing, local: Preparing, sandbox: Running, kernel: Running
) -> None:
    frame = FRAMES[name]()
    for prepared, loaded in ((p := remote("@t", t=frame), sandbox(p)), (p := local("@t", t=frame), kernel(p))):
        (entry,) = prepared.entries
        assert (entry.rows, entry.rows_sent, entry.columns, entry.policy) == (3, 3, 5, "full")
        (bound,) = prepared.bindings
        check(loaded[bound.name])


def check(frame: pd.DataFrame) -> None:
    assert frame["city"].tolist()[:2] == ["Rome", "Oslo"]
    assert frame["city"].isna().tolist() == [False, False, True]
    assert frame["n"].tolist()[::2] == [1, 2**60 + 1], "no large integer becomes another one"
    assert pd.isna(frame["n"][1])
    assert [pd.Timestamp(day) for day in frame["day"].dropna()] == [
        pd.Timestamp(2024, 1, 31),
        pd.Timestamp(1999, 12, 31),
    ]
    assert frame["unit price"].dropna().tolist() == [Decimal("1.50"), Decimal("2.25")]
    assert frame["at"].dropna().tolist() == [pd.Timestamp(2024, 7, 1, 5, 30), pd.Timestamp(2024, 1, 1)]


@pytest.mark.filterwarnings("ignore:The 'future.infer_string' option")  # ibis 12 sets it
@pytest.mark.parametrize("name", FRAMES)
def test_columns_and_the_live_expression(name: str, remote: Preparing, live: Callable[..., dict[str, Any]]) -> None:
    frame = FRAMES[name]()
    for written in ('@t[city,"unit price"]', '@t["unit price"]'):
        prepared = remote(written, t=frame)
        labels = ["city", "unit price"] if "city" in written else ["unit price"]
        assert prepared.contents[0].content.decode().splitlines()[0] == ",".join(labels)
        assert list(live(prepared, {"t": frame})["t_df"].columns) == labels
    with pytest.raises(UnknownReferenceError) as caught:
        remote("@t[unit_price]", t=frame)
    assert "Did you mean 'unit price'?" in caught.value.hint


@pytest.mark.slow
def test_spark(spark: Any, remote: Preparing, local: Preparing, sandbox: Running, kernel: Running) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pyspark 4 warns of pandas 3
        frame = spark.createDataFrame(TABLE)
    check(sandbox(remote("@t", t=frame))["t_df"])
    check(kernel(local("@t", t=frame))["t_df"])
    prepared = remote("@t[n]:schema", t=frame)
    assert "pyspark DataFrame, an unknown number of rows x 1 column" in prepared.description
    many = spark.range(50_000).selectExpr("id", "id * 2 AS twice")
    (entry,) = remote("@t", t=many).entries
    assert (entry.rows, entry.policy) == (None, "sample")
    assert entry.rows_sent <= 10_000


@pytest.mark.parametrize("policy", ["auto", "schema", "sample(5)", "head(5)"])
def test_lazy_parquet_is_counted_and_its_head_read(policy: str, remote: Preparing, parquet: str) -> None:
    con = duckdb.connect()
    frames = [
        pl.scan_parquet(parquet),
        dd.read_parquet(parquet),
        con.read_parquet(parquet),
        con.sql(f"FROM '{parquet}'"),
    ]
    for frame in frames:
        (entry,) = remote(f"@t:{policy}", t=frame).entries
        assert entry.rows == 30_000, "a file's own number of rows costs nothing"
        assert entry.rows_sent in ({"schema": [0], "auto": range(1_000, 10_001)}.get(policy, [5]))


def test_what_must_be_computed_is_not_counted(remote: Preparing, parquet: str) -> None:
    con = duckdb.connect()
    con.sql("CREATE TABLE t AS SELECT range AS n FROM range(20_000)")
    frames = [
        pl.scan_parquet(parquet).filter(pl.col("n") > 3),
        pl.scan_parquet(parquet).with_columns(m=pl.col("n") * 2).unique(),
        dd.read_parquet(parquet).query("n > 3"),
        con.sql("SELECT n, count(*) FROM t GROUP BY n"),
        con.table("t").filter("n > 3"),
    ]
    for frame in frames:
        prepared = remote("@t:sample(7)", t=frame)
        assert prepared.entries[0].rows is None
        assert "7 of an unknown number of rows, drawn at random from the first 10,000" in prepared.description
    (entry,) = remote("@t", t=con.table("t").filter("n < 4")).entries  # its head shows all there is
    assert (entry.rows, entry.policy) == (4, "full")


def test_only_so_much_is_handed_over_and_said(
    local: Preparing, kernel: Running, parquet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial, "HANDED_ROWS", 12_000)
    con = duckdb.connect()
    matrix = scipy.sparse.random_array((30_000, 2), density=0.1)
    for frame, known in (
        (pl.scan_parquet(parquet), True),
        (pl.scan_parquet(parquet).filter(pl.col("n") % 2 >= 0), False),
        (dd.read_parquet(parquet), True),
        (con.read_parquet(parquet), True),
        (con.read_parquet(parquet).filter("n % 2 >= 0"), False),
        (xr.Dataset({"v": ("x", np.zeros(30_000))}), True),
        (matrix, True),
    ):
        prepared = local("@t", t=frame)
        (entry,), (bound,) = prepared.entries, prepared.bindings
        assert (entry.rows_sent, entry.rows) == (12_000, 30_000 if known else None)
        assert entry.policy == "head(12000)"
        of = "30,000" if known else "an unknown number of"
        assert f"only the first 12,000 of {of} rows" in entry.note
        assert "--run kernel" in entry.note
        assert f"only the first 12,000 of {of} rows" in prepared.description
        assert len(kernel(prepared)[bound.name]) == 12_000


def test_wide_rows_are_handed_over_by_their_bytes(local: Preparing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial, "HANDED_BYTES", 2_000_000)
    lazy = pl.LazyFrame({"s": ["x" * 100] * 30_000})
    (entry,) = local("@t", t=lazy).entries
    assert entry.rows == 30_000
    assert 10_000 <= entry.rows_sent < 20_000


def test_a_distributed_frame_computes_as_few_partitions_as_hold_the_rows(remote: Preparing) -> None:
    read: list[int] = []

    def part(number: int) -> pd.DataFrame:
        read.append(number)
        return pd.DataFrame({"n": range(4_000)})

    frame = dd.from_map(part, range(100), meta={"n": "int64"})
    remote("@t:schema", t=frame)
    assert read == []
    import dask

    with dask.config.set(scheduler="sync"):
        remote("@t", t=frame)
    assert len(set(read)) <= 5


def test_a_lazy_frame_that_fails_says_so_in_one_line(remote: Preparing, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("n\n1\ntext\n")
    lazy = pl.scan_csv(tmp_path / "x.csv", schema={"n": pl.Int64})
    with pytest.raises(UnsendableError, match=r"^@t: The polars LazyFrame could not be computed: ") as caught:
        remote("@t", t=lazy)
    assert "\n" not in str(caught.value) + caught.value.hint


GEO = geopandas.GeoDataFrame({"n": [1, 2]}, geometry=[Point(0, 1), None], crs="EPSG:4326")
GRID = xr.Dataset(
    {"t": (("x", "y"), np.arange(6.0).reshape(2, 3)), "h": ("x", [1, 2])},
    coords={"x": pd.date_range("2024-01-01", periods=2), "lab": ("x", ["a", "b"]), "k": 7},
)
PICKED = {
    "geopandas": GEO,
    "geometries": GEO.geometry,
    "xarray": GRID,
    "xarray array": GRID["t"],
    "unnamed array": xr.DataArray([[1, 2], [3, 4]], dims=("a", "b")),
    "sparse matrix": scipy.sparse.csr_matrix([[0, 1.5], [2, 0]]),
    "sparse array": scipy.sparse.coo_array([[0, 1], [2, 0], [0, 0]]),
    "dict of columns": {"a": [1, None], "b": ["x", "y"]},
}


@pytest.mark.parametrize("name", PICKED)
def test_other_tables(
    name: str, remote: Preparing, local: Preparing, sandbox: Running, kernel: Running, live: Callable[..., Any]
) -> None:
    value = PICKED[name]
    there, here = remote("@t", t=value), local("@t", t=value)
    expected = pd.DataFrame(live(there, {"t": value})["t_df"])
    for arrived in (sandbox(there)["t_df"], kernel(here)["t_df"]):
        assert list(arrived.columns) == list(expected.columns)
        pd.testing.assert_frame_equal(plain(arrived), plain(expected), check_dtype=False)
    assert remote("@t:schema", t=value).contents == ()


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    dates = frame.select_dtypes("datetime").columns
    frame = frame.astype(dict.fromkeys(dates, "datetime64[us]"))
    return frame.astype(object).where(frame.notna(), None)


@pytest.fixture
def con() -> Iterator[sqlite3.Connection]:
    """A database of two tables and a view."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(
        """
        CREATE TABLE sales (id INTEGER PRIMARY KEY, city TEXT, "unit price" REAL);
        INSERT INTO sales VALUES (1, 'Rome', 1.5), (2, NULL, 2.5), (3, 'Oslo', NULL);
        CREATE TABLE "weather data" (day DATE);
        CREATE VIEW dear AS SELECT * FROM sales WHERE "unit price" > 2;
        """
    )
    connection.row_factory = sqlite3.Row
    yield connection
    connection.close()


@pytest.mark.parametrize("library", ["sqlite", "duckdb"])
def test_a_connection_gives_the_schemas_of_its_tables(
    library: str, con: sqlite3.Connection, remote: Preparing, local: Preparing
) -> None:
    connection: Any = con if library == "sqlite" else in_duckdb()
    for prepared in (remote("@con:full", con=connection), local("@con", con=connection)):
        assert prepared.prompt == "`con`"
        assert prepared.contents == ()
        for told in (
            f"{library} connection with 3 tables; no row",
            "'weather data', columns: 'day' DATE",
            "'unit price'",
        ):
            assert told in prepared.description
        assert "Rome" not in prepared.description
        (entry,) = prepared.entries
        assert (entry.policy, entry.bytes) == ("schema", 0)


def in_duckdb() -> Any:
    connection = duckdb.connect()
    connection.execute(
        """
        CREATE TABLE sales (id INTEGER, city TEXT, "unit price" DOUBLE);
        INSERT INTO sales VALUES (1, 'Rome', 1.5), (2, NULL, 2.5), (3, 'Oslo', NULL);
        CREATE TABLE "weather data" (day DATE);
        CREATE VIEW dear AS SELECT * FROM sales WHERE "unit price" > 2;
        """
    ).fetchall()
    return connection


@pytest.mark.parametrize("library", ["sqlite", "duckdb"])
def test_a_table_of_a_connection(
    library: str,
    con: sqlite3.Connection,
    remote: Preparing,
    local: Preparing,
    sandbox: Running,
    kernel: Running,
    live: Callable[..., dict[str, Any]],
) -> None:
    connection: Any = con if library == "sqlite" else in_duckdb()
    prepared = remote("@con.sales", con=connection)
    assert prepared.prompt == "`con_sales`"
    (entry,) = prepared.entries
    assert (entry.rows, entry.rows_sent, entry.columns) == (3, 3, 3)
    expected = live(prepared, {"con": connection})["con_sales"]
    assert expected["id"].tolist() == [1, 2, 3]
    handed = local("@con.sales", con=connection)
    for arrived in (sandbox(prepared)["con_sales"], kernel(handed)["con_sales"]):
        pd.testing.assert_frame_equal(plain(arrived), plain(expected))
    chosen = remote('@con.SALES[city,"unit price"]', con=connection)
    assert list(live(chosen, {"con": connection})["con_SALES"].columns) == ["city", "unit price"]
    assert remote('@con.sales["unit price"]', con=connection).entries[0].columns == 1
    assert remote('@con["weather data"]', con=connection).entries[0].rows_sent == 0
    assert remote("@con.dear", con=connection).entries[0].rows_sent == 1
    for wrong, near in (
        ("@con.slaes", "sales"),
        ('@con["wether data"]', "weather data"),
        ("@con.sales[ctiy]", "'city'"),
    ):
        with pytest.raises(UnknownReferenceError) as caught:
            remote(wrong, con=connection)
        assert f"Did you mean {near}" in caught.value.hint


def test_a_large_table_of_sqlite_is_not_counted(con: sqlite3.Connection, remote: Preparing) -> None:
    numbers = "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 1000001) SELECT n FROM c"
    con.execute(f"CREATE TABLE big AS {numbers}")
    (entry,) = remote("@con.big", con=con).entries
    assert entry.rows is None
    assert entry.rows_sent
    con.execute("DELETE FROM big WHERE n = 7")
    assert remote("@con.big:head(2)", con=con).entries[0].rows == 1_000_000


def test_a_closed_connection(remote: Preparing) -> None:
    closed = sqlite3.connect(":memory:")
    closed.close()
    with pytest.raises(UnsendableError, match=r"^@con: The connection does not answer: .*closed"):
        remote("@con", con=closed)


class Model:
    """An object that says what it is sent as."""

    def __init__(self, said: Any) -> None:
        self.said = said

    def _repr_gemini_(self) -> Any:
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def test_an_object_says_what_it_is_sent_as(
    remote: Preparing, local: Preparing, live: Callable[..., dict[str, Any]]
) -> None:
    frame = pd.DataFrame({"layer": ["a", "b", "c"], "size": [1, 2, 3]})
    prepared = remote("@m[size]:head(2)", m=Model(frame))
    assert prepared.contents[0].content == b"size\n1\n2\n"
    assert prepared.entries[0].policy == "head(2)"
    (bound,) = prepared.bindings
    assert bound.name == "m_df", "the frame must not take the object's name"
    assert bound.expression == "m._repr_gemini_()[['size']]"
    assert remote("@m:schema", m=Model(frame)).contents == ()
    assert remote("@m", m=Model("ten layers")).prompt == "ten layers"
    assert '{"layers":3}' in remote("@m", m=Model({"layers": 3})).contents[0].text
    assert remote("@m", m=Model(b"GIF89a\x01\0\x01\0")).contents[0].mime_type == "image/gif"
    assert remote("@m", m=Model(pl.LazyFrame(frame))).entries[0].kind == "polars LazyFrame"
    assert remote("@d['m']", d={"m": Model(frame)}).entries[0].rows_sent == 3
    assert local("@m", m=Model(frame)).contents[0].name == "m_df"
    with pytest.raises(UnsendableError, match="A Model cannot be sent"):
        remote("@m", m=Model(None))
    with pytest.raises(UnsendableError, match="A Model cannot be sent"):
        remote("@m", m=Model(Model(frame)))  # what is said is taken as it is


@pytest.mark.parametrize("isolated", [False, True])
def test_code_that_runs_here_reaches_each_where_it_is(
    isolated: bool, con: sqlite3.Connection, tmp_path: Path, parquet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial, "HANDED_ROWS", 12_000)
    namespace = {"con": con, "lf": pl.scan_parquet(parquet), "grid": GRID}
    here = Here("host", tmp_path if isolated else None)
    prepared, manifest = prepare("@con @con.sales @lf @grid", (), namespace, tmp_path, here)
    assert prepared.contents == ()
    assert "Rome" not in prepared.description
    assert ("note: only the first 12,000 of 30,000 rows" in prepared.description) == isolated
    assert [entry.rows_sent for entry in manifest.entries[1:]] == [0, 0, 0]
    expected = "`con` `con_sales` `lf_df` `grid_df`" if isolated else f"`con` `{SALES}` `lf` `grid`"
    assert prepared.prompt == expected


SALES = """pd.read_sql_query('SELECT * FROM "sales"', con)"""


def test_what_a_function_returns_may_say_it_too() -> None:
    told = told_of(Model(pd.DataFrame({"layer": ["a"]})), Policy("schema"))
    assert "layer" in str(told) and "DataFrame" in str(told)


def test_tables_within_a_dict_are_named_as_they_are_written(remote: Preparing) -> None:
    holder = SimpleNamespace(frames={"train": pd.DataFrame({"n": [1]})})
    with pytest.raises(UnsendableError) as caught:
        remote("@data.frames", data=holder)
    assert 'as in @data.frames["train"].' in caught.value.hint


def test_an_object_that_fails_to_say_it(remote: Preparing) -> None:
    with pytest.raises(UnsendableError) as caught:
        remote("@m", m=Model(ValueError("no\nweights")))
    assert str(caught.value) == "@m: The _repr_gemini_ of this Model failed: ValueError: no"
    with pytest.raises(UnsendableError, match="A class cannot be sent"):
        remote("@m", m=Model)


def test_no_library_is_imported_to_recognise_anothers_frame(tmp_path: Path) -> None:
    code = """
import sqlite3, sys
from pathlib import Path
from magic_ext.references.attach import Remote, prepare
con = sqlite3.connect(":memory:")
con.execute("CREATE TABLE t (n)")
con.execute("INSERT INTO t VALUES (1)")
prepared, _ = prepare("@con @con.t @c", (), {"con": con, "c": {"a": [1], "b": [2]}}, Path(), Remote("host"))
assert len(prepared.contents) == 2, prepared
heavy = {"pandas", "polars", "pyarrow", "numpy", "narwhals", "duckdb", "dask", "ibis", "pyspark", "scipy", "xarray"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
