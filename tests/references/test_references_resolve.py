"""What a reference leads to, and what is said where it leads to nothing."""

from __future__ import annotations

import io
import os
import types
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from magic_ext.references.errors import BadReferenceError, UnknownReferenceError, UnsendableError
from magic_ext.references.grammar import find_references
from magic_ext.references.resolve import resolve
from magic_ext.references.tables.table import Table
from magic_ext.references.things import OtherFile, Picture, Referent, Scalar, TextFile, Value


def follow(text: str, cwd: Path, **namespace: Any) -> Referent:
    (reference,) = find_references(text)
    return resolve(reference, namespace, cwd)


FRAME = pd.DataFrame({"city": ["Rome"], "unit price": [1.5], 2019: [3]})


def test_a_variable_wins_over_a_file(tmp_path: Path) -> None:
    (tmp_path / "obj.csv").write_text("a\n1\n")
    holder = types.SimpleNamespace(csv=5)
    assert follow("@obj.csv", tmp_path, obj=holder).thing == Scalar("int", "5")
    assert isinstance(follow("@obj.csv", tmp_path).thing, Table)


def test_a_file_is_found_where_the_variable_has_no_such_attribute(tmp_path: Path) -> None:
    (tmp_path / "sales.csv").write_text("a\n1\n")
    assert follow("@sales.csv", tmp_path, sales=FRAME).path == (tmp_path / "sales.csv").resolve()


@pytest.mark.parametrize(
    ("text", "columns", "expression"),
    [
        ("@df", ["city", "unit price", "2019"], "df"),
        ('@df[city,"unit price"]', ["city", "unit price"], "df[['city', 'unit price']]"),
        ('@df["unit price"]', ["unit price"], "df[['unit price']]"),
        ("@df[2019]", ["2019"], "df[[2019]]"),
        ("@df.city", ["city"], "df.city.to_frame()"),
        ('@d["x"][city]', ["city"], "d['x'][['city']]"),
        ("@Out[5][city]", ["city"], "Out[5][['city']]"),
    ],
)
def test_columns_and_live_expressions(tmp_path: Path, text: str, columns: list[str], expression: str) -> None:
    namespace = {"df": FRAME, "d": {"x": FRAME}, "Out": {5: FRAME}}
    referent = follow(text, tmp_path, **namespace)
    assert isinstance(referent.thing, Table)
    assert [str(column.label) for column in referent.thing.columns] == columns
    live = referent.thing.live(referent.expression)
    assert live == expression
    assert list(map(str, eval(live, namespace).columns)) == columns


def test_columns_of_several_levels_are_chosen_by_the_first(tmp_path: Path) -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=pd.MultiIndex.from_tuples([("a", "x"), ("a", "y"), ("b", "x")]))
    referent = follow("@df[a]", tmp_path, df=frame)
    assert isinstance(referent.thing, Table)
    assert [column.label for column in referent.thing.columns] == [("a", "x"), ("a", "y")]


@pytest.mark.parametrize(
    "frame",
    [
        pl.DataFrame({"city": ["Rome"], "n": [1]}),
        pl.DataFrame({"city": ["Rome"], "n": [1]}).lazy(),
        pa.table({"city": ["Rome"], "n": [1]}),
        pa.record_batch({"city": ["Rome"], "n": [1]}),
        [{"city": "Rome", "n": 1}],
        np.array([("Rome", 1)], dtype=[("city", "U10"), ("n", "i8")]),
    ],
    ids=lambda frame: type(frame).__name__,
)
def test_every_kind_of_table(tmp_path: Path, frame: Any) -> None:
    referent = follow("@t", tmp_path, t=frame)
    assert isinstance(referent.thing, Table)
    assert [column.label for column in referent.thing.columns] == ["city", "n"]
    assert referent.thing.available == 1
    chosen = follow("@t[n]", tmp_path, t=frame)
    assert isinstance(chosen.thing, Table)
    if not isinstance(frame, pa.RecordBatch):
        assert list(eval(chosen.thing.live("t"), {"t": frame, "pd": pd}).columns) == ["n"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (2.5, "2.5"),
        (True, "True"),
        (None, "None"),
        ("Rome", "Rome"),
        (np.float64(2.5), "2.5"),
        (np.array(4), "4"),
        (pd.Timestamp("2024-01-02"), "2024-01-02T00:00:00"),
        (Path("a/b"), str(Path("a/b"))),
    ],
)
def test_scalars(tmp_path: Path, value: object, text: str) -> None:
    thing = follow("@x", tmp_path, x=value).thing
    assert isinstance(thing, Scalar)
    assert thing.text == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None]}, '{"a":[1,null]}'),
        ([1, 2], "[1,2]"),
        ((1, np.int64(2)), "[1,2]"),
        ({"t": pd.Timestamp("2024-01-02")}, '{"t":"2024-01-02T00:00:00"}'),
        ("two\nlines", "two\nlines"),
        ([], "[]"),
    ],
)
def test_plain_values(tmp_path: Path, value: object, text: str) -> None:
    thing = follow("@x", tmp_path, x=value).thing
    assert isinstance(thing, Value)
    assert thing.text == text


def recursive() -> list[Any]:
    value: list[Any] = []
    value.append(value)
    return value


@pytest.mark.parametrize(
    "value",
    [
        os,
        len,
        lambda: 1,
        Path,
        (x for x in "ab"),
        io.StringIO(),
        object(),
        b"bytes",
        {"a": object()},
        recursive(),
        {"f": FRAME},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_holds_no_data_is_refused(tmp_path: Path, value: object) -> None:
    with pytest.raises(UnsendableError, match=r"^@x: A ") as caught:
        follow("@x", tmp_path, x=value)
    assert "@@" in caught.value.hint
    assert "\n" not in str(caught.value) + caught.value.hint


def test_pictures(tmp_path: Path) -> None:
    from IPython.display import Image as Shown
    from matplotlib.figure import Figure
    from PIL import Image

    figure = Figure(figsize=(2, 1), dpi=50)
    axes = figure.subplots(1, 2)
    small = Image.new("CMYK", (3, 2))
    stored = io.BytesIO()
    Image.new("RGB", (3, 2)).save(stored, format="PNG")
    for value, size in [(figure, (100, 50)), (axes[0], (100, 50)), (axes, (100, 50)), (small, (3, 2))]:
        thing = follow("@x", tmp_path, x=value).thing
        assert isinstance(thing, Picture)
        assert thing.data.startswith(b"\x89PNG")
        assert thing.size == size
    assert follow("@x", tmp_path, x=Shown(data=stored.getvalue())).thing.size == (3, 2)
    with pytest.raises(UnsendableError, match="only a link"):
        follow("@x", tmp_path, x=Shown(url="https://example.org/x.png"))
    assert follow("@x", tmp_path, x=stored.getvalue()).thing.mime_type == "image/png"
    huge = follow("@x", tmp_path, x=Figure(figsize=(100, 10), dpi=100)).thing
    assert max(huge.size) <= 3_000


def test_files_are_told_by_their_content(tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(b"GIF89a\x02\0\x03\0")
    (tmp_path / "b.dat").write_bytes(b"%PDF-1.7\n")
    (tmp_path / "c.txt").write_text("hello")
    (tmp_path / "d.csv").write_text("a\n1\n")
    (tmp_path / "e.parquet").write_bytes(b"PAR1\0\0")
    assert follow('@"a.dat"', tmp_path).thing.size == (2, 3)
    assert isinstance(follow('@"b.dat"', tmp_path).thing, OtherFile)
    assert isinstance(follow("@c.txt", tmp_path).thing, TextFile)
    assert isinstance(follow("@d.csv", tmp_path).thing, Table)
    assert isinstance(follow("@e.parquet", tmp_path).thing, OtherFile)


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("@slaes", "There is no variable or file 'slaes'.", "Did you mean @sales?"),
        ("@targest.csv", "There is no file 'targest.csv'", "Did you mean targets.csv?"),
        ("@data/x.csv", "There is no file 'data/x.csv'", "@@"),
        ("@everyone", "There is no variable or file 'everyone'.", "@@everyone"),
        ("@sales.ctiy", "sales has no 'ctiy'.", "Did you mean city"),
        ('@frames["trian"]', "frames has no item 'trian'.", "Did you mean train?"),
        ("@frames[7]", "frames has no item 7.", ""),
        ("@sales[ctiy]", "There is no column 'ctiy'", "Did you mean 'city'?"),
        ("@targets.csv[ctiy]", "There is no column 'ctiy'", "Did you mean 'city'?"),
        ("@x.real.imagg", "x.real has no 'imagg'.", "Did you mean imag"),
    ],
)
def test_unknown_names(tmp_path: Path, text: str, message: str, hint: str) -> None:
    (tmp_path / "targets.csv").write_text("city,n\nRome,1\n")
    with pytest.raises(UnknownReferenceError) as caught:
        follow(text, tmp_path, sales=FRAME, frames={"train": FRAME}, x=1)
    assert message in str(caught.value)
    assert hint in caught.value.hint


def test_files_that_cannot_be_sent(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.csv").write_text("a\n1\n")
    with pytest.raises(UnsendableError, match="is empty"):
        follow("@empty.csv", tmp_path)
    with pytest.raises(UnsendableError, match="is a folder") as caught:
        follow("@./data", tmp_path)
    assert "x.csv" in caught.value.hint
    with pytest.raises(UnsendableError, match="is a folder"):
        follow("@data", tmp_path)
    with pytest.raises(UnknownReferenceError):
        follow('@"a\0b.csv"', tmp_path)


def test_a_file_without_a_suffix(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("free")
    assert isinstance(follow("@LICENSE", tmp_path).thing, TextFile)
    assert follow("@LICENSE", tmp_path, LICENSE=1).thing == Scalar("int", "1")


def test_one_column_of_a_lazy_frame(tmp_path: Path) -> None:
    thing = follow('@t["n"]', tmp_path, t=pl.LazyFrame({"city": ["Rome"], "n": [1]})).thing
    assert isinstance(thing, Table)
    assert [column.label for column in thing.columns] == ["n"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(UnsendableError, match="no regular file"):
        follow("@pipe.csv", tmp_path)


def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    (tmp_path / "x.csv").chmod(0)
    if os.access(tmp_path / "x.csv", os.R_OK):  # the superuser may read everything, so the system's answer is made up

        def refuse(path: Path, *_: object, **__: object) -> None:
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(UnsendableError, match="cannot be read"):
        follow("@x.csv", tmp_path)


def test_columns_of_what_has_none(tmp_path: Path) -> None:
    with pytest.raises(BadReferenceError, match="has no columns"):
        follow("@d[a,b]", tmp_path, d={"a": 1})
    with pytest.raises(UnsendableError, match="no columns"):
        follow("@df", tmp_path, df=pd.DataFrame(index=[1, 2]))
