"""Numbers, dates and codes of CSV files come out as what they are, or as text with a word about it: never as guesses.

Every file is read by the load lines themselves: the one for Google's sandbox, the local one, and the live expression.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from magic_ext.references.attach import Prepared
from magic_ext.references.tables.notation import form_of
from magic_ext.wire.content import Document

Preparing = Callable[..., Prepared]
Reading = Callable[[str], list[pd.DataFrame]]
NOTE = "numbers with separators are read as text; say how to convert"


@pytest.fixture
def read(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    remote: Preparing,
    local: Preparing,
    sandbox: Callable[[Prepared], dict[str, Any]],
    live: Callable[..., dict[str, Any]],
) -> Reading:
    """Write a file and read it in the three ways."""

    def reading(text: str) -> list[pd.DataFrame]:
        (tmp_path / "x.csv").write_text(text, encoding="utf-8")
        there, here = remote("@x.csv"), local("@x.csv")
        frames = [sandbox(there)["x"]]
        monkeypatch.chdir(tmp_path)
        frames.append(live(there, {})["x"])
        (document,) = here.contents
        assert isinstance(document, Document)
        scope: dict[str, Any] = {"pd": pd}
        exec(document.load or "", scope)
        return [*frames, scope["x"]]

    return reading


def test_three_digits_after_every_separator_are_never_guessed(read: Reading, remote: Preparing) -> None:
    for text, values in (
        ('city,amount\nA,"1,250"\nB,"12,300"\nA,"2,000"\n', ["1,250", "12,300", "2,000"]),
        ("city;amount\nA;1.250\nB;950\nA;12.300\n", ["1.250", "950", "12.300"]),
        ("city\tamount\nA\t-1,250\nB\t\n", ["-1,250", None]),
    ):
        for frame in read(text):
            assert frame["amount"].astype(object).where(frame["amount"].notna(), None).tolist() == values
        prepared = remote("@x.csv")
        assert "'amount' text" in prepared.description
        assert f"note: 'amount': {NOTE}" in prepared.description
        assert prepared.entries[0].note == f"'amount': {NOTE}"
        assert "dtype={'amount': str}" in prepared.description
        assert "decimal=" not in prepared.description
        assert "thousands=" not in prepared.description


def test_the_local_engine_is_told_too(tmp_path: Path, local: Preparing) -> None:
    (tmp_path / "x.csv").write_text("city;amount\nA;1.250\n")
    prepared = local("@x.csv")
    assert f"note: 'amount': {NOTE}" in prepared.description
    assert prepared.entries[0].note == f"'amount': {NOTE}"
    assert prepared.contents[0].load == "x = pd.read_csv('x.csv', sep=\";\", dtype={'amount': str})"


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('n,m\n"1,250.50",1\n"12",2\n', [1250.5, 12]),
        ('n,m\n"1,250,000",1\n"1,250",2\n', [1_250_000, 1250]),
        ('n,m\n"1.250,50",1\n"12",2\n', [1250.5, 12]),
        ("n,m\n1.250.000,1\n1.250,2\n", [1_250_000, 1250]),
        ('n,m\n"3,5",1\n"1,250",2\n', [3.5, 1.25]),
        ("n;m\n1.250,50;1\n2.000;2\n", [1250.5, 2000]),
        ("n;m\n3.5;1\n10.25;2\n", [3.5, 10.25]),
        ("n;m\n0.125;1\n1.250;2\n", [0.125, 1.25]),
        ("n;m\n1250.125;1\n1.5e3;2\n", [1250.125, 1500]),
        ("n;m\n-3,5;1\n10,25;2\n", [-3.5, 10.25]),
    ],
)
def test_numbers_that_can_be_read_in_one_way_only_are_numbers(
    text: str, values: list[float], read: Reading, remote: Preparing
) -> None:
    for frame in read(text):
        assert frame["n"].tolist() == values
        assert frame["m"].tolist() == [1, 2]
    assert NOTE not in remote("@x.csv").description


def test_thousands_elsewhere_in_the_file_settle_a_column(read: Reading) -> None:
    for frame in read("price;count;rate\n1.250,50;1.250;1,250\n2,50;950;2,500\n"):
        assert frame["count"].tolist() == [1250, 950]
        assert frame["rate"].tolist() == [1.25, 2.5]
    for frame in read('price,count,rate\n"1,250.50","1,250",1.250\n2.50,950,2.500\n'):
        assert frame["count"].tolist() == [1250, 950]
        assert frame["rate"].tolist() == [1.25, 2.5]


def test_thousands_do_no_harm_to_other_columns(read: Reading, remote: Preparing) -> None:
    frames = read(
        "day;seen;iso;version;plz;rate;name;sum\n"
        "31.12.2024;1.2.2024 9:05;2024-12-31;1.1.0;01001;3.5;A.1;1.234,50\n"
        "01.02.2024;;2024-01-31;1.10;99999;12.30;2;10,00\n"
    )
    for frame in frames:
        assert frame["day"].tolist() == [pd.Timestamp("2024-12-31"), pd.Timestamp("2024-02-01")]
        assert frame["seen"][0] == pd.Timestamp("2024-02-01 09:05")
        assert frame["seen"].isna()[1]
        assert frame["iso"].tolist() == [pd.Timestamp("2024-12-31"), pd.Timestamp("2024-01-31")]
        assert frame["version"].tolist() == ["1.1.0", "1.10"]
        assert frame["plz"].tolist() == ["01001", "99999"]
        assert frame["rate"].tolist() == ["3.5", "12.30"]
        assert frame["name"].tolist() == ["A.1", "2"]
        assert frame["sum"].tolist() == [1234.5, 10]
    assert (
        "'day' date, 'seen' date, 'iso' date, 'version' text, 'plz' text, 'rate' text, 'name' text, 'sum' number"
    ) in remote("@x.csv").description


def test_one_cell_that_thousands_would_damage_is_enough() -> None:
    assert form_of(["1.1.0", "beta"], ",", ".").cast == "str"
    assert not form_of(["1.1.0", "beta"], ",", "").cast
    assert not form_of(["Dr. No", "12"], ",", ".").cast


def test_codes_and_german_dates_of_a_plain_file(read: Reading, remote: Preparing) -> None:
    for frame in read("plz,day,n\n01001,31.12.2024,0\n80331,1.2.2025,10\n"):
        assert frame["plz"].tolist() == ["01001", "80331"]
        assert frame["day"].tolist() == [pd.Timestamp("2024-12-31"), pd.Timestamp("2025-02-01")]
        assert frame["n"].tolist() == [0, 10]
    assert "'plz' text, 'day' date, 'n' integer" in remote("@x.csv").description


def test_what_is_no_date_stays_text(read: Reading, remote: Preparing) -> None:
    for frame in read("day;n\n31.13.2024;1.234,5\n01.02.2024;2,5\n"):
        assert frame["day"].tolist() == ["31.13.2024", "01.02.2024"]
    assert "'day' text" in remote("@x.csv").description


def test_columns_without_header_and_without_label(read: Reading) -> None:
    for frame in read("01001;31.12.2024;2,5\n80331;01.01.2025;1.234,5\n"):
        assert frame[0].tolist() == ["01001", "80331"]
        assert frame[1].tolist() == [pd.Timestamp("2024-12-31"), pd.Timestamp("2025-01-01")]
        assert frame[2].tolist() == [2.5, 1234.5]
    for frame in read(",n\n001,1\n002,2\n"):
        assert frame["Unnamed: 0"].tolist() == ["001", "002"]


def test_two_conventions_in_one_file_are_not_mixed(read: Reading, remote: Preparing) -> None:
    for frame in read('us,de\n"1,250.50","3,5"\n"2,000.00","10,25"\n'):
        assert frame["us"].tolist() == [1250.5, 2000]
        assert frame["de"].tolist() == ["3,5", "10,25"]
    assert f"'de': {NOTE}" in remote("@x.csv").description


def test_a_separator_that_comes_late_is_seen(read: Reading) -> None:
    for frame in read("n;m\n" + "950;1\n" * 5_000 + "1.250;1\n"):
        assert set(frame["n"]) == {"950", "1.250"}


def test_a_file_takes_no_name_of_the_session(tmp_path: Path, remote: Preparing, local: Preparing) -> None:
    for name in ("verkauf.csv", "verkauf.tsv"):
        (tmp_path / name).write_text("a\n1\n")
    frame = pd.DataFrame({"n": [1]})

    def names(prompt: str, **namespace: Any) -> list[list[str]]:
        return [[b.name for b in prepare(prompt, **namespace).bindings] for prepare in (remote, local)]

    assert names("@verkauf.csv") == [["verkauf"]] * 2
    assert names("@verkauf.csv", verkauf=1) == [["verkauf_csv"]] * 2
    assert names("@verkauf.csv @verkauf", verkauf=frame) == [["verkauf_csv", "verkauf"]] * 2
    assert names("@verkauf.csv", verkauf=1, verkauf_csv=2) == [["verkauf_csv_2"]] * 2
    assert names("@./verkauf.csv @verkauf.tsv", verkauf=1) == [["verkauf_csv", "verkauf_tsv"]] * 2
    assert local("@./verkauf.csv", verkauf=1).contents[0].load == "verkauf_csv = pd.read_csv('verkauf.csv')"
    assert names("@frames['x']", frames={"x": frame}, frames_x=1) == [["frames_x"]] * 2
