"""German questions: the same tables and the same judge as the English ones, and the names of a German table.

``prompts_de/*.txt`` are written as ``prompts/*.txt``; see :mod:`test_planner_quality`.
"""

from __future__ import annotations

import importlib.util
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import pytest

from magic_ext.engine.models.planner import german

HERE = Path(__file__).parent
TABLES = sorted(path.stem for path in (HERE / "prompts_de").glob("*.txt"))


def verkauf() -> pd.DataFrame:
    rows = range(200)
    return pd.DataFrame(
        {
            "Bestellnummer": [5000 + i for i in rows],
            "Datum": pd.to_datetime("2022-11-01") + pd.to_timedelta([i * 3 for i in rows], unit="D"),
            "Stadt": [["Köln", "Hof", "Bad Aibling", "München"][(i * i + i // 5) % 4] for i in rows],
            "Produkt": [["Stuhl", "Tisch", "Schränke"][(i * 5 + i // 7) % 3] for i in rows],
            "Umsatz": [round(12.5 + (i * 37 % 211) * 1.75, 2) for i in rows],
            "Größe_cm": [40 + (i * 29) % 160 for i in rows],
            "Gewicht_kg": [round(1.5 + (i * 17) % 40 / 4, 2) for i in rows],
            "Menge": [1 + (i * 13) % 7 for i in rows],
            "Kundenbewertung": [None if i % 9 == 0 else 1 + i % 5 for i in rows],
            "geliefert": [i % 4 != 0 for i in rows],
        }
    )


@pytest.fixture(scope="module")
def quality() -> ModuleType:
    """The judge of the English questions: with import mode importlib it cannot be imported by name."""
    spec = importlib.util.spec_from_file_location("planner_quality_judge", HERE / "test_planner_quality.py")
    assert spec and spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_seen: dict[str, dict[str, str]] = {}


def outcomes(quality: ModuleType, bench: Any, table: str) -> dict[str, str]:
    if table not in _seen:
        asked = [prompt for prompt in quality.prompts("prompts_de") if prompt.table == table]
        _seen[table] = {prompt.question: quality.judge(bench, prompt)[0] for prompt in asked}
    return _seen[table]


@pytest.fixture(autouse=True)
def _german_table(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(bench.FRAMES, "verkauf", verkauf)


@pytest.mark.parametrize("table", TABLES)
def test_no_german_answer_is_wrong(quality: ModuleType, bench: Any, table: str) -> None:
    assert not [question for question, outcome in outcomes(quality, bench, table).items() if outcome == "wrong"]


def test_the_readme_has_the_german_numbers(quality: ModuleType, bench: Any) -> None:
    count = Counter(outcome for table in TABLES for outcome in outcomes(quality, bench, table).values())
    asked = count["right"] + count["declined"] + count["wrong"]
    row = f"| in German | {asked} | {count['right']} | {count['declined']} | {count['wrong']} |"
    assert row in (HERE.parents[1] / "README.md").read_text(encoding="utf-8"), row


# --- every word counts ----------------------------------------------------------------------------------------------

STRANGE = ("ungefähr", "fast", "junge", "halb", "angeblich", "also", "zweimal")


@pytest.mark.parametrize("table", TABLES)
def test_no_german_word_is_passed_over(quality: ModuleType, bench: Any, table: str) -> None:
    tables = (bench.table_of(table, quality.frame_of(bench, table)),)
    asked = [
        prompt for prompt in quality.prompts("prompts_de") if prompt.table == table and "//" not in prompt.question
    ]
    for n, prompt in enumerate(asked[::3]):
        parts = prompt.question.split(" ")
        parts.insert(1 + n % max(len(parts) - 1, 1), STRANGE[n % len(STRANGE)])
        ran = bench.plan_only(tables, " ".join(parts))
        assert ran.declined, " ".join(parts)


def test_it_names_the_words_as_they_were_written(bench: Any) -> None:
    tables = (bench.table_of("penguins", bench.penguins()),)
    ran = bench.plan_only(tables, "Wie viele Pinguine leben auf Biscoe und fressen Fisch?")
    assert "Words I do not know here: “leben”, “fressen”, “Fisch”." in ran.text
    ran = bench.plan_only(tables, "Mittlere Länge nach Art")
    assert "“Länge” could be `bill_length_mm` or `flipper_length_mm`" in ran.text
    ran = bench.plan_only(tables, "Mittleres Gewicht nach Art")
    assert "“Gewicht” is taken for `body_mass_g`" in ran.text
    ran = bench.plan_only(tables, "Mittleres Gewicht nach Art der Median")
    assert ran.declined and "not in this order." in ran.text


# --- what is not German stays as it is ------------------------------------------------------------------------------


def hof() -> pd.DataFrame:
    """Names that are German words, in an English table."""
    rows = range(40)
    return pd.DataFrame(
        {
            "city": [["Hof", "Essen", "Wien", "Die"][i % 4] for i in rows],
            "die": [1 + i % 6 for i in rows],
            "art": [["Pop", "Not"][i % 2] for i in rows],
            "tag": [["ab", "an", "und"][i % 3] for i in rows],
            "price": [i * 1.5 for i in rows],
        }
    )


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("mean price in Hof", lambda d: d[d.city == "Hof"].price.mean()),
        ("mean price where city is Die", lambda d: d[d.city == "Die"].price.mean()),
        ("mean die", lambda d: d.die.mean()),
        ("How many rows are in Essen?", lambda d: (d.city == "Essen").sum()),
        ("mean price where tag is und", lambda d: d[d.tag == "und"].price.mean()),
        ('mean price where tag is "an"', lambda d: d[d.tag == "an"].price.mean()),
        ("mean price where art is Not", lambda d: d[d.art == "Not"].price.mean()),
        ("Durchschnitt von price, wo die größer als 3 ist", lambda d: d[d.die > 3].price.mean()),
        ("Durchschnitt von price in Essen", lambda d: d[d.city == "Essen"].price.mean()),
        ("Durchschnitt von price, wo tag „und“ ist", lambda d: d[d.tag == "und"].price.mean()),
    ],
)
def test_names_that_are_german_words(bench: Any, question: str, expected: Any) -> None:
    frame = hof()
    ran = bench.run({"rolls": frame}, question)
    assert not ran.declined, ran.text
    assert round(ran.numbers()[-1], 2) == round(float(expected(frame)), 2), ran.printed


@pytest.mark.parametrize(
    "question",
    [
        "What was the mean price in Hof and Essen last year",
        "price by die and art, but only for so many rows",
        "Was the price high?",
        "also by city",
        "Die by city",
        "man in Hof",
        "mean price nach city",
        "Zeige mean price by city",
    ],
)
def test_english_is_left_alone(bench: Any, question: str) -> None:
    assert german.english(question, (bench.table_of("rolls", hof()),)) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("über 1.000", "over 1000"),
        ("über 1.234.567,25", "over 1234567.25"),
        ("über 0,125", "over 0.125"),
        ("über 1.5", "over 1.5"),
        ("unter -3,5", "under -3.5"),
        ("am 1.3.2023", "on 2023-03-01"),
        ("nach dem 31.12.2023", "after 2023-12-31"),
        ("am 5. März 2023", "on 5 march 2023"),
        ("von Januar 2023 bis März 2023", "from january 2023 to march 2023"),
        ("vor 2008", "before 2008"),
        ("ab 2008", "since 2008"),
    ],
)
def test_numbers_and_dates(bench: Any, written: str, meant: str) -> None:
    found = german.english(f"Zeilen {written}", (bench.table_of("verkauf", verkauf()),))
    assert isinstance(found, tuple) and found[0] == f"rows {meant}", found


def test_two_tables(bench: Any) -> None:
    tables = (bench.table_of("penguins", bench.penguins()), bench.table_of("sales", bench.sales()))
    assert "`body_mass_g` by `species`" in bench.plan_only(tables, "Mittleres Körpergewicht nach Art").text
    assert "`revenue` by `city`" in bench.plan_only(tables, "Gesamtumsatz nach Stadt").text


def test_a_long_text_is_no_question(bench: Any) -> None:
    tables = (bench.table_of("penguins", bench.penguins()),)
    for part in ("wie hoch ist ", "Pinguine, die ", "deren ", "Anteil jeder Art am "):
        assert german.english(part * 3000, tables) is None
