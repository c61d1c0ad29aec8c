"""Digests of what goes out: the same for the same values, whatever pandas or an editor makes of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.references.attach import Remote, prepare
from magic_ext.references.digests import canonical_text, digest, digests
from magic_ext.references.prepared import Prepared

Digested = Callable[..., tuple[str, ...]]


def prepared(prompt: str, folder: Path = Path(), **names: Any) -> Prepared:
    return prepare(prompt, [], names, folder, Remote("example.com"))[0]


def of(prompt: str, folder: Path = Path(), **names: Any) -> str:
    return digest(digests(prepared(prompt, folder, **names)))


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "city": ["Zürich", "Bern", None, "a\nb"],
            "n": [1, 2, 3, 4],
            "x": [1.5, None, 0.1, 1e300],
            "nullable": pd.array([1, None, 3, 4], dtype="Int64"),
            "flag": pd.array([True, None, False, True], dtype="boolean"),
            "text": pd.array(["a", None, "c", "7"], dtype="string"),
            "day": pd.to_datetime(["2024-01-01", "2024-02-29", None, "2024-12-31"]),
            "zoned": pd.to_datetime(["2024-01-01 10:00", None, "2024-07-01", "2024-12-31"], format="mixed", utc=True),
            "delta": pd.to_timedelta(["1 days", "2h", None, "3s"]),
            "kind": pd.Categorical(["b", "a", "b", None], categories=["b", "a", "unused"]),
            "size": pd.Categorical([1, 2, 1, 3], ordered=True),
            "date": [dt.date(2024, 1, 1)] * 4,
            "mixed": [1, "a", None, 2.5],
        }
    )


# Written by pandas 2.2.3 and by 3.1.1. Whoever changes them makes every recorded answer a miss.
@pytest.mark.parametrize(
    ("prompt", "known"),
    [
        ("@table", "79b5dc0bba60b8d1"),
        ("@table:schema", "53e73b11ede07d9b"),
        ("@table:head(2)", "da234732f4b9d18a"),
        ("@indexed", "5d610ef2c5e7c564"),
        ("@series", "734539b0feb4d310"),
        ("@empty", "8258b3003fd77a01"),
        ("@index", "bea508c0ff130b08"),
        ("@records", "f222be0eb52a8360"),
        ("@number and @words", "baf119606e25fd0d"),
    ],
)
def test_every_version_of_pandas_makes_the_same(prompt: str, known: str) -> None:
    whole = table()
    names = {
        "table": whole,
        "indexed": whole.set_index(["city", "n"])[["x"]],
        "series": whole["city"],
        "empty": whole.head(0),
        "index": pd.Index(["a", "b"]),
        "records": [{"a": 1, "b": "x"}, {"a": 2, "b": None}],
        "number": 5,
        "words": "long " * 100,
    }
    assert of(prompt, **names)[:16] == known


@pytest.mark.parametrize("name", ["notes.txt", "sales.csv", "sales.tsv", "notes.md"])
def test_line_ends_make_no_difference(tmp_path: Path, name: str) -> None:
    (tmp_path / "lf").mkdir()
    (tmp_path / "crlf").mkdir()
    text = 'a\tb\n1\t"x\ny"\n2\tz\n'.replace("\t", "\t" if name.endswith("tsv") else ",")
    (tmp_path / "lf" / name).write_bytes(text.encode())
    (tmp_path / "crlf" / name).write_bytes(text.replace("\n", "\r\n").encode())
    for policy in ("", ":schema"):
        assert of(f"@{name}{policy}", tmp_path / "lf") == of(f"@{name}{policy}", tmp_path / "crlf")
    (tmp_path / "lf" / name).write_bytes(text.replace("z", "Z").encode())
    assert of(f"@{name}", tmp_path / "lf") != of(f"@{name}", tmp_path / "crlf")


def test_line_ends_make_no_difference_to_a_text_that_is_cut(tmp_path: Path) -> None:
    text = "".join(f"line {number}\n" for number in range(30_000))
    for folder, data in (("lf", text), ("crlf", text.replace("\n", "\r\n"))):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "long.log").write_bytes(data.encode())
    for policy in ("", ":head(50)", ":sample(50)", ":full"):
        assert of(f"@long.log{policy}", tmp_path / "lf") == of(f"@long.log{policy}", tmp_path / "crlf")


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.assign(n=[1, 2, 3, 5]),
        lambda t: t.assign(city=["Zürich", "Bern", "", "a\nb"]),
        lambda t: t.rename(columns={"n": "m"}),
        lambda t: t.assign(n=t["n"].astype("int32")),
        lambda t: t.iloc[::-1],
        lambda t: t.drop(columns="x"),
        lambda t: t.set_index("n"),
        lambda t: t.assign(kind=t["kind"].cat.remove_unused_categories()),
        lambda t: t.assign(size=t["size"].cat.as_unordered()),
    ],
)
def test_every_value_and_every_type_counts(change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    assert of("@table", table=change(table())) != of("@table", table=table())


def test_what_stays_here_does_not_count() -> None:
    other = table().assign(n=[5, 6, 7, 8])
    assert of("@table:schema", table=other) == of("@table:schema", table=table())
    assert of("@table[x,city]", table=other) == of("@table[x,city]", table=table())
    assert of("@table:head(2)", table=other.assign(n=[1, 2, 9, 9])) == of("@table:head(2)", table=table())
    assert of("@table:schema", table=table()) != of("@table", table=table())
    assert of("@table[x]", table=table()) != of("@table[x,n]", table=table())


def test_names_of_types_in_a_label_are_left_alone() -> None:
    labels = ("a object, b", "a str, b", "' str'", "\" str, ' object")
    made = {of("@t:schema", t=pd.DataFrame({label: ["x"]})) for label in labels}
    assert len(made) == len(labels)


@given(st.text())
def test_canonical_text_has_one_kind_of_line_end_and_is_utf8(text: str) -> None:
    canonical = canonical_text(text)
    assert "\r\n" not in canonical.replace("\r\r\n", "")
    canonical.encode()
    assert canonical_text(text.replace("\r", "").replace("\n", "\r\n")) == canonical_text(text.replace("\r", ""))
