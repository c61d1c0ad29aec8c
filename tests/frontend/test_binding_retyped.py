"""A table that the model typed into its code: found, named, and replaced where that is plain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from magic_ext.frontend.binding import Bound, bound
from magic_ext.references.attach import Remote, prepare
from magic_ext.references.policy import parse_policy

N = 12
SALES = pd.DataFrame(
    {
        "city": ["Rome", "Oslo", "Bern"] * 4,
        "revenue": [100.5 + n * n for n in range(N)],
        "units": [n * 3 % 7 for n in range(N)],
    }
)
DATED = SALES.assign(day=pd.date_range("2026-01-01", periods=N), zip=[f"0{n}" for n in range(N)])
CSV = SALES.to_csv(index=False)
COLUMNS = SALES.to_dict("list")
HEAD = "import csv, io\nfrom io import StringIO\nimport pandas as pd\n"
REPLACED = "The code holds 12 rows of sales typed in; they are replaced by your live sales."
NAMED = "The code holds 12 rows of sales typed in; it does not use your live sales."


def made(code: str, live: Any = SALES, policy: str = "full") -> Bound:
    prepared, _ = prepare("@sales", (), {"sales": live}, Path(), Remote("host"), parse_policy(policy))
    return bound([HEAD + code], prepared.bindings)


def result(code: str, **session: Any) -> Any:
    exec(code, session)
    out = session["out"]
    return out.to_string() if isinstance(out, pd.DataFrame | pd.Series) else out


@pytest.mark.parametrize("live", [SALES, DATED], ids=["plain", "dated"])
@pytest.mark.parametrize(
    "code",
    [
        "data = '''CSV'''\ndf = pd.read_csv(io.StringIO(data))\nout = df.drop(columns='city')",
        "df = pd.read_csv(StringIO('''\nCSV'''.strip()))\nout = df.groupby('city')['revenue'].sum()",
        "data = '''CSV'''\nout = sum(float(row['revenue']) for row in csv.DictReader(io.StringIO(data)))",
        "data = '''\\\nCSV'''\nlines = data.strip().split('\\n')\nout = len(lines), lines[0]",
        "data = COLUMNS\ndf = pd.DataFrame(data)\nout = df",
        "data = COLUMNS\ndf = pd.DataFrame(data)\nout = df, data['city'][0]\nout = str(out)",
        "df = pd.DataFrame(COLUMNS)\nout = df['revenue'].mean()",
        "df = pd.DataFrame(REVERSED)\nout = df",
        "df = pd.DataFrame(RECORDS)\nout = df",
        "rows = RECORDS\nout = pd.DataFrame(rows).describe()",
    ],
)
def test_a_table_typed_in_whole_becomes_the_live_one(code: str, live: pd.DataFrame) -> None:
    texts = live.assign(day=live["day"].dt.strftime("%Y-%m-%d")) if "day" in live else live
    code = code.replace("CSV", texts.to_csv(index=False)).replace("COLUMNS", repr(texts.to_dict("list")))
    code = code.replace("REVERSED", repr(texts.iloc[:, ::-1].to_dict("list")))
    code = code.replace("RECORDS", repr(texts.to_dict("records")))
    made_of = made(code, live)
    assert made_of.notes == [REPLACED]
    assert f"# {REPLACED}" in made_of.blocks[0]
    assert result(made_of.blocks[0], sales=live.copy()) == result(HEAD + code)
    changed = live.assign(revenue=live["revenue"] * 2, units=live["units"] + 1)
    if "len(" not in code:
        assert result(made_of.blocks[0], sales=changed) != result(HEAD + code), "it is live"


def test_the_rows_that_were_sent_stand_for_all_of_them() -> None:
    code = f"sales = pd.read_csv(io.StringIO('''{SALES.head(7).to_csv(index=False)}'''))\nout = len(sales)"
    blocks, notes = made(code, SALES, "head(7)")
    assert result(blocks[0], sales=SALES) == N
    assert notes == ["The code holds 7 rows of sales typed in; they are replaced by your live sales."]
    assert "# The answer was computed on 7 of 12 rows of sales; this code takes all of them." in blocks[0]


@pytest.mark.parametrize(
    "code",
    [
        f"df = pd.DataFrame({SALES.values.tolist()!r}, columns=['city', 'revenue', 'units'])",
        f"df = pd.DataFrame({COLUMNS!r}, index=range(12))",
        f"revenue = {COLUMNS['revenue']!r}",
        f"rows = {list(SALES.itertuples(index=False, name=None))!r}",
        f"df = pd.DataFrame({{'Stadt': {COLUMNS['city']!r}, 'revenue': {COLUMNS['revenue']!r}}})",
        f"import numpy as np\nunits = np.array({COLUMNS['units']!r})",
        f"df = pd.DataFrame({{'city': {COLUMNS['city']!r}, 'revenue': {COLUMNS['revenue']!r}, 'units': range(12)}})",
    ],
)
def test_a_table_typed_in_some_other_way_is_named(code: str) -> None:
    blocks, notes = made(code)
    assert notes == [NAMED]
    assert blocks == [f"# {NAMED}\n{HEAD}{code}"]


def test_a_part_of_the_rows_is_named() -> None:
    code = f"df = pd.read_csv(io.StringIO('''{SALES.head(5).to_csv(index=False)}'''))"
    blocks, notes = made(code)
    assert notes == ["The code holds 5 rows of sales typed in; it does not use your live sales."]
    assert blocks[0].endswith(code)


@pytest.mark.parametrize(
    "code",
    [
        "cities = ['Rome', 'Oslo', 'Bern']",
        "n = [0, 1, 2, 3, 4, 5]",
        "text = '''Revenue of Rome\nand Oslo\nand Bern'''",
        "prices = {'Rome': [1, 2], 'Oslo': [3, 4]}",
        "pairs = [('Rome', 1), ('Oslo', 2)]",
        "config = [{'city': 'Paris', 'revenue': 1, 'units': 2}, {'city': 'Lima', 'revenue': 3, 'units': 4}]",
        "x = [100.5, 1, 2, 3, 4, 8]",
        "def f():\n    '''Add up.\n\n    city,revenue,units\n    '''",
    ],
)
def test_what_is_no_table_of_the_users_is_not_named(code: str) -> None:
    assert made(code) == Bound([HEAD + code], [])


def test_a_schema_has_no_rows_that_could_be_typed_in() -> None:
    assert made(f"df = pd.DataFrame({COLUMNS!r})", SALES, "schema").notes == []
