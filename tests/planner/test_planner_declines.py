"""Questions that the planner must decline: everyday phrasing, traps, and what no single table can answer.

A declined question costs a sentence; one that is answered without one of its words costs trust.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

# (table, question or turns of a conversation divided by " // ")
DECLINED: list[tuple[str, str]] = [
    ("penguins", "What is the mean body mass in kg?"),
    ("penguins", "Is body mass normally distributed?"),
    ("penguins", "mean length by species"),
    ("penguins", "longest penguins"),
    ("penguins", "What is the average penguin?"),
    ("penguins", "Which species is the heaviest?"),
    ("penguins", "Which species has the highest body mass?"),
    ("penguins", "top 3 species by body mass"),
    ("penguins", "plot body mass"),
    ("penguins", "plot body mass by species"),
    ("penguins", "body mass by species"),
    ("penguins", "How many Emperor penguins are there?"),
    ("penguins", "How many penguins were there in 2008 and 2009?"),
    ("penguins", "How many penguins were there last year?"),
    ("penguins", "mean body mass of young penguins"),
    ("penguins", "Mean body mass in the thirties"),
    ("penguins", "mean body mass of the penguins in the first half of the data"),
    ("penguins", "weighted mean of body mass by bill length"),
    ("penguins", "geometric mean of body mass"),
    ("penguins", "trimmed mean body mass"),
    ("penguins", "mean of the log of body mass"),
    ("penguins", "mean body mass divided by flipper length"),
    ("penguins", "Predict body mass from flipper length"),
    ("penguins", "Is there a significant difference in body mass between males and females?"),
    ("penguins", "t-test of body mass by sex"),
    ("penguins", "cluster the penguins"),
    ("penguins", "mean body mass of males and females"),
    ("penguins", "How many penguins are male and female?"),
    ("penguins", "How many penguins have no more than two missing values?"),
    ("penguins", "mean body mass over 4000"),
    ("penguins", "penguins over 5000"),
    ("penguins", "How many penguins are longer than 50?"),
    ("penguins", "How many penguins are heavier than 5 kg?"),
    ("penguins", "How many penguins are heavier than 5000 lb?"),
    ("penguins", "How many penguins have a body mass over 5 kg"),
    ("penguins", "mean body mass by species without outliers"),
    ("penguins", "mean body mass by species ignoring missing values"),
    ("penguins", "violin plot of body mass by species"),
    ("penguins", "cumulative sum of body mass"),
    ("penguins", "rolling mean of body mass"),
    ("penguins", "second heaviest penguin"),
    ("penguins", "What is the third longest bill length?"),
    ("penguins", "top 10 percent of penguins by body mass"),
    ("penguins", "top 10% of penguins by body mass"),
    ("penguins", "monthly body mass"),
    ("penguins", "mean body mass in March"),
    ("penguins", "number of penguins between 2007 and 2009 exclusive"),
    ("penguins", "mean body mass for each species but only for males or Biscoe"),
    ("penguins", "mean body mass of Adelie or male penguins"),
    ("penguins", "heaviest penguins"),
    ("penguins", "5 best penguins"),
    ("penguins", "0 heaviest penguins"),
    ("penguins", "2.5 heaviest penguins"),
    ("penguins", "Who discovered the penguins?"),
    ("penguins", "Why are Gentoo penguins so heavy?"),
    ("penguins", "drop the missing values"),
    ("penguins", "Fill missing values with the mean"),
    ("penguins", "Delete the column sex"),
    ("penguins", "mean body mass and then some"),
    ("penguins", "mean body mass by species and the number of eggs"),
    ("penguins", "Which island has the fewest Chinstrap penguins?"),
    ("penguins", "mean body mass across all years"),
    ("penguins", "How many body mass are there?"),
    ("penguins", "mean species"),
    ("penguins", "average island"),
    ("penguins", "correlation of species and body mass"),
    ("penguins", "histogram of species and island"),
    ("penguins", "mean body mass by species by island by sex"),
    ("penguins", "mean body mass by body mass"),
    ("penguins", "approximately how many penguins are there?"),
    ("penguins", "almost all penguins by species"),
    ("penguins", "at least one penguin by species"),
    ("penguins", "How many penguins per island have a body mass below the average?"),
    ("penguins", "How many penguins are above average body mass?"),
    ("penguins", "penguins with body mass above the mean"),
    ("penguins", "mean body mass of the five heaviest penguins"),
    ("penguins", "mean body mass of top 5 penguins"),
    ("penguins", "mean body mass of penguins with the same sex"),
    ("penguins", "mean body mass of unmarried females"),
    ("penguins", "never mind the mean body mass"),
    ("penguins", "mean body mass by species? Not by island."),
    ("penguins", "What is the mean body mass by species in Germany?"),
    ("penguins", "mean body mass by species // in kilograms"),
    ("penguins", "mean body mass by species // in percent"),
    ("penguins", "mean body mass by species // explain the result"),
    ("penguins", "mean body mass by species // why?"),
    ("penguins", "as a bar chart"),
    ("penguins", "by island instead"),
    ("penguins", "Plot it"),
    ("sales", "Plot monthly revenue in `sales` and name the three months that stand out."),
    ("sales", "average monthly revenue"),
    ("sales", "mean daily revenue"),
    ("sales", "year over year revenue"),
    ("sales", "revenue last month"),
    ("sales", "revenue this year"),
    ("sales", "revenue in the last 30 days"),
    ("sales", "revenue per customer"),
    ("sales", "revenue in March"),
    ("sales", "total revenue until 2023-06-01"),
    ("sales", "total revenue in Madrid"),
    ("sales", "total revenue in York"),
    ("sales", "net revenue by city"),
    ("sales", "expected revenue by city"),
    ("sales", "how many customers are there?"),
    ("sales", "best selling product"),
    ("sales", "What is our most profitable product?"),
    ("sales", "forecast revenue for next month"),
    ("sales", "total revenue by city in euros"),
    ("sales", "revenue of returned orders"),
    ("sales", "median order value"),
    ("sales", "How many units were sold in Paris?"),
    ("sales", "which products were not sold in Paris?"),
    ("sales", "total revenue if unit price were doubled"),
    ("sales", "revenue by region"),
    ("people", "How many people are from Paris?"),
    ("people", "mean age in Paris"),
    ("people", "how many people have an A"),
    ("people", "mean age of non members"),
    ("people", "mean age of men"),
    ("people", "How many adults are there?"),
    ("people", "How many people are older than their manager?"),
    ("people", "How many people are older than 40 years and younger than 30 kg?"),
    ("people", "mean weight in pounds"),
    ("people", "average bmi"),
    ("people", "oldest people"),
    ("people", "mean age of people named Person"),
    ("people", "mean height in meters"),
    ("people", "list the names"),
    ("people", "mean age without grade A"),
    ("sales", "How many sales of 1200 are there?"),
    ("sales", "total revenue in 2019"),
    ("penguins", "How many penguins were there in 2015?"),
    ("penguins", "island"),
    ("penguins", "How many values of sex are there?"),
    ("penguins", "of body mass"),
    ("penguins", "compare mean body mass"),
    ("penguins", "Which species has the longest bill?"),
    ("penguins", "How many rows have no missing values?"),
    ("penguins", "How many missing values per species?"),
    ("penguins", "mean body mass by species as a histogram"),
    ("penguins", "values of island"),
    ("penguins", "How many islands have Gentoo penguins?"),
    ("penguins", "highest mean body mass by species"),
    ("penguins", "Average body mass by species for Biscoe and Dream"),
    ("sales", "Which product sold the most?"),
]  # fmt: skip


@pytest.mark.parametrize(("table", "question"), DECLINED, ids=[question for _, question in DECLINED])
def test_it_computes_nothing_and_says_so(bench: Any, table: str, question: str) -> None:
    ran = bench.plan_only((bench.table_of(table, bench.FRAMES[table]()),), *question.split(" // "))
    assert ran.declined, f"{ran.text}\n{ran.code}"
    assert "I computed nothing" in ran.text
    assert "GEMINI_API_KEY" in ran.text and "OpenAI-compatible" in ran.text
    assert ran.text.count("```python") <= 3


def test_the_corpus_is_large_enough() -> None:
    assert len(set(DECLINED)) >= 60


# Leaving one word out of a question that is answered, or putting one in, never goes unnoticed.
SOUND = [
    "What is the mean body mass by species?",
    "How many Gentoo penguins are there on Biscoe?",
    "Which species has the highest mean body mass?",
    "top 5 penguins by body mass",
    "Plot the average flipper length over time",
    "mean body mass of male penguins in 2008",
]
INTRUDERS = ["not", "without", "except", "almost", "half", "weighted", "log", "last", "percent", "kg", "never", "twice"]


@pytest.mark.parametrize("question", SOUND)
@pytest.mark.parametrize("intruder", INTRUDERS)
def test_a_word_more_is_noticed_wherever_it_stands(bench: Any, question: str, intruder: str) -> None:
    table = bench.table_of("penguins", bench.penguins())
    words = question.split()
    for place in range(len(words) + 1):
        asked = " ".join([*words[:place], intruder, *words[place:]])
        ran = bench.plan_only((table,), asked)
        opposite = intruder in {"not", "without", "except"} and ("!=" in ran.code or "~" in ran.code)
        assert ran.declined or opposite, asked


def test_the_unknown_words_are_named(bench: Any) -> None:
    table = bench.table_of("penguins", bench.penguins())
    text = bench.plan_only((table,), "What is the mean body mass of penguins in their thirties?").text
    assert "“their”" in text and "“thirties”" in text and "“mass”" not in text


def test_candidates_of_an_ambiguous_name_are_listed(bench: Any) -> None:
    table = bench.table_of("penguins", bench.penguins())
    text = bench.plan_only((table,), "mean length by species").text
    assert "`bill_length_mm`" in text and "`flipper_length_mm`" in text


def test_a_value_of_two_columns_is_not_guessed(bench: Any) -> None:
    text = bench.plan_only((bench.table_of("people", bench.people()),), "mean age in Paris").text
    assert "birth_city" in text and "home_city" in text


@pytest.mark.parametrize("name", ["penguins", "sales", "people", "nasty"])
def test_every_example_offered_is_answered(bench: Any, name: str) -> None:
    frame = bench.FRAMES[name]()
    table = bench.table_of(name, frame)
    text = bench.plan_only((table,), f"Why not predict a zebra with {name}?").text
    examples = re.findall("“([^”]+)”[,.]", text.partition("for example")[2])
    assert len(examples) == 2
    for example in examples:
        assert bench.run({name: frame}, example).code, example


def offered(text: str) -> str:
    return text.partition("for example")[2].partition("\n")[0]


def test_examples_are_about_what_was_asked(bench: Any) -> None:
    tables = tuple(bench.table_of(name, bench.FRAMES[name]()) for name in ("penguins", "sales"))
    assert "`flipper_length_mm`" in offered(bench.plan_only(tables, "wobbly flipper per dream").text)
    assert "`quantity`" in offered(bench.plan_only(tables, "forecast the quantity").text)
    assert "`unit_price`" in offered(bench.plan_only(tables, "wobbly unit price by city").text)
    assert "`quantity`" in offered(bench.plan_only(tables, "Why not predict a zebra with sales?").text)
    assert not offered(bench.plan_only(tables, "zebra crossing").text)


def test_no_table_is_said(bench: Any) -> None:
    text = bench.plan_only((), "mean revenue by city").text
    assert "no table is attached" in text and "GEMINI_API_KEY" in text


def test_it_never_calls_itself_intelligent(bench: Any) -> None:
    table = bench.table_of("penguins", bench.penguins())
    for question in ("hello", "zebra crossing", "mean body mass by species", "What are you?"):
        text = bench.plan_only((table,), question).text
        assert "AI" not in text.replace("OpenAI", "").split() and "intelligen" not in text.casefold()


def test_the_readings_are_offered_as_cells_that_run(bench: Any) -> None:
    frame = bench.penguins()
    text = bench.plan_only((bench.table_of("penguins", frame),), "Which species has the highest body mass?").text
    cells = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(cells) == 3
    for cell, how in zip(cells, ("mean", "sum", "max"), strict=True):
        names = {"penguins": frame}
        exec(compile(cell, "<cell>", "exec"), names)
        assert names["result"].index[0] == getattr(frame.groupby("species").body_mass_g, how)().idxmax()


@pytest.mark.parametrize("table", ["penguins", "sales", "people"])
def test_each_offer_runs_and_has_a_title_of_its_own(bench: Any, table: str) -> None:
    frame = bench.FRAMES[table]()
    known = bench.table_of(table, frame)
    for question in [question for name, question in DECLINED if name == table and " // " not in question][::3]:
        text = bench.plan_only((known,), question).text
        offers = re.findall(r"^(.+):\n```python\n(.*?)```", text, re.DOTALL | re.MULTILINE)
        assert len({name for name, _ in offers}) == len(offers), question
        for _, cell in offers:
            exec(compile(cell, "<cell>", "exec"), {table: frame.copy()})


def test_what_is_left_without_a_strange_word_is_offered_and_not_run(bench: Any) -> None:
    ran = bench.plan_only((bench.table_of("penguins", bench.penguins()),), "mean body mass by species in Germany")
    assert ran.declined and "(without “Germany”)" in ran.text and 'groupby("species"' in ran.text


def test_a_refusal_is_short(bench: Any) -> None:
    text = bench.plan_only((bench.table_of("penguins", bench.penguins()),), "zebra crossing").text
    assert len(text) < 450 and len(text.splitlines()) <= 3
