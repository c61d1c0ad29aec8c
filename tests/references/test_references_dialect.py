"""CSV files as people have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from magic_ext.references.attach import Prepared
from magic_ext.references.tables import csv_files
from magic_ext.references.tables.dialect import Dialect, detect
from magic_ext.wire.content import Document

FILES: dict[str, tuple[bytes, Dialect, pd.DataFrame]] = {
    "plain": (b"city,n\nRome,1\nOslo,2\n", Dialect(), pd.DataFrame({"city": ["Rome", "Oslo"], "n": [1, 2]})),
    "german excel": (
        "sep=;\r\nStadt;Umsatz\r\nKöln;1.234,5\r\nBonn;2,5\r\n".encode("cp1252"),
        Dialect("cp1252", ";", ",", ".", skip=1),
        pd.DataFrame({"Stadt": ["Köln", "Bonn"], "Umsatz": [1234.5, 2.5]}),
    ),
    "byte order mark": (
        "Größe;n\nL;1,5\n".encode("utf-8-sig"),
        Dialect("utf-8-sig", ";", ","),
        pd.DataFrame({"Größe": ["L"], "n": [1.5]}),
    ),
    "utf-16": ("a\tb\nx\t1\n".encode("utf-16"), Dialect("utf-16", "\t"), pd.DataFrame({"a": ["x"], "b": [1]})),
    "bars": (b"a|b\nx,y|1\nz|2\n", Dialect(delimiter="|"), pd.DataFrame({"a": ["x,y", "z"], "b": [1, 2]})),
    "quoted lines": (
        b'a,b\n"x\ny;z",1\n"q ""r""",2\n',
        Dialect(),
        pd.DataFrame({"a": ["x\ny;z", 'q "r"'], "b": [1, 2]}),
    ),
    "dates": (
        b"day,n\n2024-01-31,1\n2024-02-29,2\n",
        Dialect(),
        pd.DataFrame({"day": pd.to_datetime(["2024-01-31", "2024-02-29"]), "n": [1, 2]}),
    ),
    "no header": (b"Rome,1.5\nOslo,2.5\n", Dialect(header=False), pd.DataFrame({0: ["Rome", "Oslo"], 1: [1.5, 2.5]})),
    "years as header": (
        b"city,2019,2020\nRome,1,2\n",
        Dialect(),
        pd.DataFrame({"city": ["Rome"], "2019": [1], "2020": [2]}),
    ),
    "one column": (b"name\nA\n\nB\n", Dialect(), pd.DataFrame({"name": ["A", "B"]})),
    "thousands commas": (
        b'n;x\n"1,234.5";a\n"2,000.0";b\n',
        Dialect(delimiter=";", thousands=","),
        pd.DataFrame({"n": [1234.5, 2000.0], "x": ["a", "b"]}),
    ),
    "french": (
        "Prénom;Âge\nZoé;31\nHélène;29\n".encode("latin-1"),
        Dialect("cp1252", ";"),
        pd.DataFrame({"Prénom": ["Zoé", "Hélène"], "Âge": [31, 29]}),
    ),
}


def same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(left, right, check_dtype=False, check_column_type=False)


@pytest.mark.parametrize("name", FILES)
def test_what_is_told_about_a_file(name: str, tmp_path: Path) -> None:
    data, dialect, _ = FILES[name]
    (tmp_path / "x.csv").write_bytes(data)
    assert detect(tmp_path / "x.csv") == dialect


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_loaded_alike_everywhere(
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    remote: Callable[..., Prepared],
    local: Callable[..., Prepared],
    sandbox: Callable[[Prepared], dict[str, Any]],
    live: Callable[..., dict[str, Any]],
) -> None:
    data, _, expected = FILES[name]
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x y.csv").write_bytes(data)
    there, here = remote('@"data/x y.csv"'), local('@"data/x y.csv"')
    same(sandbox(there)["x_y"], expected)
    monkeypatch.chdir(tmp_path)
    same(live(there, {})["x_y"], expected)
    scope: dict[str, Any] = {"pd": pd}
    (document,) = here.contents
    assert isinstance(document, Document)
    exec(document.load or "", scope)
    same(scope["x_y"], expected)


def test_tsv_files_are_separated_by_tabs(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("a b, c\td\n1,5\t2\n")
    assert detect(tmp_path / "x.tsv").delimiter == "\t"


def test_cyrillic_text_is_not_taken_for_western(tmp_path: Path) -> None:
    text = "город;население\nМосква;12500000\nКазань;1250000\nНовосибирск;1600000\nЕкатеринбург;1500000\n" * 5
    (tmp_path / "x.csv").write_bytes(text.encode("cp1251"))
    assert (tmp_path / "x.csv").read_text(detect(tmp_path / "x.csv").encoding) == text


def test_columns_of_a_file(tmp_path: Path, remote: Callable[..., Prepared], local: Callable[..., Prepared]) -> None:
    (tmp_path / "x.csv").write_text("city,pop,n\nRome,2,1\nOslo,3\n")
    prepared = remote("@x.csv[n,city]")
    assert prepared.contents[0].content == b"n,city\n1,Rome\n,Oslo\n"
    assert prepared.bindings[0].expression == "pd.read_csv('x.csv')[['n', 'city']]"
    assert local("@x.csv[n]").contents[0].load == "x = pd.read_csv('x.csv')[['n']]"


def test_a_large_file_is_sampled_in_order(tmp_path: Path, remote: Callable[..., Prepared]) -> None:
    (tmp_path / "x.csv").write_text("n,s\n" + "".join(f"{n},{'x' * 90}\n" for n in range(20_000)))
    prepared = remote("@x.csv")
    (entry,) = prepared.entries
    numbers = [int(line.split(",")[0]) for line in prepared.contents[0].content.decode().splitlines()[1:]]
    assert (entry.rows, entry.rows_sent) == (20_000, len(numbers))
    assert numbers == sorted(numbers)
    assert numbers[-1] > 15_000
    assert 100_000 < entry.bytes <= 120_000
    assert remote("@x.csv").contents == prepared.contents


def test_the_rows_of_a_huge_file_are_not_counted(
    tmp_path: Path, remote: Callable[..., Prepared], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.csv").write_text("n\n" + "1\n" * 500)
    monkeypatch.setattr(csv_files, "_COUNTED_BYTES", 100)
    monkeypatch.setattr(csv_files, "_HEAD_ROWS", 50)
    prepared = remote("@x.csv")
    assert prepared.entries[0].rows is None
    assert prepared.entries[0].rows_sent == 50
    assert "50 of an unknown number of rows" in prepared.description
