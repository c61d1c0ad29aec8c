"""Questions whose answers are checked against pandas written independently of the planner."""

# ruff: noqa: E501  # a table of questions reads best with one on a line
from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

Frame = pd.DataFrame
Expected = Callable[[Frame], Any]


def month(d: Frame, code: str = "M") -> pd.Series:
    return d["date"].dt.to_period(code)


# (table, question, expected): a number, a Series or frame by label (in this order when it is a list of pairs), strings.
ANSWERS: list[tuple[str, str, Expected]] = [
    ("penguins", "What is the mean body mass?", lambda d: d.body_mass_g.mean()),
    ("penguins", "What's the average flipper length?", lambda d: d.flipper_length_mm.mean()),
    ("penguins", "median flipper length", lambda d: d.flipper_length_mm.median()),
    ("penguins", "What is the total body mass?", lambda d: d.body_mass_g.sum()),
    ("penguins", "maximum bill_depth_mm", lambda d: d.bill_depth_mm.max()),
    ("penguins", "What is the highest body mass?", lambda d: d.body_mass_g.max()),
    ("penguins", "Tell me the smallest flipper length, please", lambda d: d.flipper_length_mm.min()),
    ("penguins", "standard deviation of bill length", lambda d: d.bill_length_mm.std(ddof=1)),
    ("penguins", "variance of bill depth", lambda d: d.bill_depth_mm.var(ddof=1)),
    ("penguins", "what is the longest bill?", lambda d: d.bill_length_mm.max()),
    ("penguins", "How many penguins are there?", lambda d: len(d)),
    ("penguins", "How many rows does the table have?", lambda d: len(d)),
    ("penguins", "number of records", lambda d: len(d)),
    ("penguins", "count of body mass", lambda d: d.body_mass_g.count()),
    ("penguins", "How many species are there?", lambda d: d.species.nunique()),
    ("penguins", "How many different islands are there?", lambda d: d.island.nunique()),
    ("penguins", "number of distinct years", lambda d: d.year.nunique()),
    ("penguins", "How many columns are there?", lambda d: d.shape[1]),
    ("penguins", "How many Gentoo penguins are there?", lambda d: (d.species == "Gentoo").sum()),
    ("penguins", "How many penguins were there in 2008?", lambda d: (d.year == 2008).sum()),
    ("penguins", "How many penguins are female?", lambda d: (d.sex == "female").sum()),
    ("penguins", "How many females are there on Biscoe?", lambda d: ((d.sex == "female") & (d.island == "Biscoe")).sum()),
    ("penguins", "How many penguins were on Dream in 2009?", lambda d: ((d.island == "Dream") & (d.year == 2009)).sum()),
    ("penguins", "number of penguins since 2008", lambda d: (d.year >= 2008).sum()),
    ("penguins", "number of penguins after 2008", lambda d: (d.year > 2008).sum()),
    ("penguins", "number of penguins before 2008", lambda d: (d.year < 2008).sum()),
    ("penguins", "number of penguins between 2007 and 2008", lambda d: d.year.between(2007, 2008).sum()),
    ("penguins", "number of penguins from 2008 to 2009", lambda d: d.year.isin([2008, 2009]).sum()),
    ("penguins", "How many penguins have a body mass over 5,000?", lambda d: (d.body_mass_g > 5000).sum()),
    ("penguins", "How many penguins have a body mass of at least 5000 g?", lambda d: (d.body_mass_g >= 5000).sum()),
    ("penguins", "How many penguins are heavier than 5000 grams?", lambda d: (d.body_mass_g > 5000).sum()),
    ("penguins", "How many penguins weigh less than 3000 g?", lambda d: (d.body_mass_g < 3000).sum()),
    ("penguins", "How many penguins have body_mass_g >= 6000?", lambda d: (d.body_mass_g >= 6000).sum()),
    ("penguins", "How many penguins have missing sex?", lambda d: d.sex.isna().sum()),
    ("penguins", "How many missing values does sex have?", lambda d: d.sex.isna().sum()),
    ("penguins", "How many rows have missing values?", lambda d: d.isna().any(axis=1).sum()),
    ("penguins", "What is the mean body mass of male penguins?", lambda d: d[d.sex == "male"].body_mass_g.mean()),
    ("penguins", "mean body mass of male Gentoo penguins", lambda d: d.query("sex == 'male' and species == 'Gentoo'").body_mass_g.mean()),
    ("penguins", "mean body mass where species is Adelie and island is Dream", lambda d: d.query("species == 'Adelie' and island == 'Dream'").body_mass_g.mean()),
    ("penguins", "mean body mass of Adelie or Gentoo penguins", lambda d: d[d.species != "Chinstrap"].body_mass_g.mean()),
    ("penguins", "maximum body mass in 2009 of female Gentoo penguins", lambda d: d.query("year == 2009 and sex == 'female' and species == 'Gentoo'").body_mass_g.max()),
    ("penguins", "mean flipper length of penguins with body mass between 4000 and 5000", lambda d: d[d.body_mass_g.between(4000, 5000)].flipper_length_mm.mean()),
    ("penguins", "correlation between body mass and flipper length", lambda d: d.body_mass_g.corr(d.flipper_length_mm)),
    ("penguins", "How strongly are bill length and bill depth correlated?", lambda d: d.bill_length_mm.corr(d.bill_depth_mm)),
    ("penguins", "correlation of body mass and flipper length for females", lambda d: d[d.sex == "female"].body_mass_g.corr(d[d.sex == "female"].flipper_length_mm)),
    ("penguins", "What is the mean body mass by species?", lambda d: d.groupby("species").body_mass_g.mean()),
    ("penguins", "Mean body mass per island", lambda d: d.groupby("island").body_mass_g.mean()),
    ("penguins", "What is the average body mass for each species?", lambda d: d.groupby("species").body_mass_g.mean()),
    ("penguins", "By species, what is the median bill depth?", lambda d: d.groupby("species").bill_depth_mm.median()),
    ("penguins", "For male penguins, what is the mean body mass by species?", lambda d: d[d.sex == "male"].groupby("species").body_mass_g.mean()),
    ("penguins", "mean and median of body mass by species", lambda d: d.groupby("species").body_mass_g.agg(["mean", "median"])),
    ("penguins", "average bill length and bill depth by species", lambda d: d.groupby("species")[["bill_length_mm", "bill_depth_mm"]].mean()),
    ("penguins", "number of penguins and mean body mass by species", lambda d: pd.DataFrame({"n": d.groupby("species").size(), "m": d.groupby("species").body_mass_g.mean()})),
    ("penguins", "mean body mass by species and sex", lambda d: d.groupby(["species", "sex"]).body_mass_g.mean().unstack()),
    ("penguins", "number of penguins by species and island", lambda d: pd.crosstab(d.species, d.island)),
    ("penguins", "number of penguins by species", lambda d: d.species.value_counts().sort_index()),
    ("penguins", "How many penguins are there per year?", lambda d: d.year.value_counts().sort_index()),
    ("penguins", "In 2008, how many penguins were there by island?", lambda d: d[d.year == 2008].island.value_counts().sort_index()),
    ("penguins", "smallest body mass by species", lambda d: d.groupby("species").body_mass_g.min()),
    ("penguins", "mean body mass over the years", lambda d: d.groupby("year").body_mass_g.mean()),
    ("penguins", "How did the mean body mass change over time?", lambda d: d.groupby("year").body_mass_g.mean()),
    ("penguins", "Compare the mean body mass of Adelie and Gentoo penguins", lambda d: d[d.species != "Chinstrap"].groupby("species").body_mass_g.mean()),
    ("penguins", "value counts of island", lambda d: list(d.island.value_counts().items())),
    ("penguins", "mean body mass by species sorted descending", lambda d: list(d.groupby("species").body_mass_g.mean().sort_values(ascending=False).items())),
    ("penguins", "Which species has the highest mean body mass?", lambda d: list(d.groupby("species").body_mass_g.mean().nlargest(1).items())),
    ("penguins", "Which species has the lowest median bill depth?", lambda d: list(d.groupby("species").bill_depth_mm.median().nsmallest(1).items())),
    ("penguins", "Which island has the most penguins?", lambda d: list(d.island.value_counts().nlargest(1).items())),
    ("penguins", "Which island has the fewest penguins?", lambda d: list(d.island.value_counts().nsmallest(1).items())),
    ("penguins", "Which island had the most female penguins in 2009?", lambda d: list(d.query("sex == 'female' and year == 2009").island.value_counts().nlargest(1).items())),
    ("penguins", "top 2 islands by mean body mass", lambda d: list(d.groupby("island").body_mass_g.mean().nlargest(2).items())),
    ("penguins", "What is the most common species?", lambda d: list(d.species.value_counts().nlargest(1).items())),
    ("penguins", "What are the 2 most common islands?", lambda d: list(d.island.value_counts().nlargest(2).items())),
    ("penguins", "the least common species", lambda d: list(d.species.value_counts().nsmallest(1).items())),
    ("penguins", "unique values of island", lambda d: sorted(d.island.unique())),
    ("penguins", "What species are there?", lambda d: sorted(d.species.unique())),
    ("penguins", "List the islands", lambda d: sorted(d.island.unique())),
    ("penguins", "Which columns are there?", lambda d: list(d.columns)),
    ("penguins", "What are the data types?", lambda d: list(d.columns)),
    ("penguins", "How many rows and columns are there?", lambda d: pd.Series({"Rows:": 344, "Columns:": 8})),
    ("penguins", "What is the shape of `penguins`?", lambda d: pd.Series({"Rows:": 344, "Columns:": 8})),
    ("penguins", "How many missing values are there per column?", lambda d: d.isna().sum()),
    ("penguins", "Are there any missing values?", lambda d: d.isna().sum()),
    ("penguins", "correlation matrix", lambda d: d.select_dtypes("number").corr().round(3)),
    ("penguins", "Describe the table", lambda d: d.describe().T),
    ("penguins", "Give me an overview of the data.", lambda d: d.describe().T),
    ("penguins", "describe body_mass_g", lambda d: d[["body_mass_g"]].describe()),
    ("penguins", "Describe body mass by species", lambda d: d.groupby("species").body_mass_g.describe()),
    ("sales", "total revenue by city", lambda d: d.groupby("city").revenue.sum()),
    ("sales", "What is the total revenue in New York?", lambda d: d[d.city == "New York"].revenue.sum()),
    ("sales", "How many sales were there in Paris?", lambda d: (d.city == "Paris").sum()),
    ("sales", "total revenue of chairs in Paris", lambda d: d.query("product == 'Chair' and city == 'Paris'").revenue.sum()),
    ("sales", "monthly revenue", lambda d: d.groupby(month(d)).revenue.sum()),
    ("sales", "number of sales per month", lambda d: d.groupby(month(d)).size()),
    ("sales", "total revenue by quarter", lambda d: d.groupby(month(d, "Q")).revenue.sum()),
    ("sales", "yearly revenue by product", lambda d: d.groupby([d.date.dt.year, "product"]).revenue.sum().unstack()),
    ("sales", "monthly mean unit price", lambda d: d.groupby(month(d)).unit_price.mean()),
    ("sales", "weekly revenue in 2024", lambda d: d[d.date.dt.year == 2024].groupby(month(d, "W")).revenue.sum()),
    ("sales", "Which month had the highest revenue?", lambda d: list(d.groupby(month(d)).revenue.sum().nlargest(1).items())),
    ("sales", "top 3 cities by revenue", lambda d: list(d.groupby("city").revenue.sum().nlargest(3).items())),
    ("sales", "the 3 cities with the highest total revenue", lambda d: list(d.groupby("city").revenue.sum().nlargest(3).items())),
    ("sales", "Which city has the lowest total revenue?", lambda d: list(d.groupby("city").revenue.sum().nsmallest(1).items())),
    ("sales", "What is the total revenue in March 2024?", lambda d: d[(d.date.dt.year == 2024) & (d.date.dt.month == 3)].revenue.sum()),
    ("sales", "total revenue in 2023", lambda d: d[d.date.dt.year == 2023].revenue.sum()),
    ("sales", "total revenue since 2024-03-01", lambda d: d[d.date >= "2024-03-01"].revenue.sum()),
    ("sales", "total revenue before 2023-06-01", lambda d: d[d.date < "2023-06-01"].revenue.sum()),
    ("sales", "total revenue after 2023", lambda d: d[d.date.dt.year > 2023].revenue.sum()),
    ("sales", "total revenue between 2023-02-01 and 2023-03-15", lambda d: d[d.date.between("2023-02-01", "2023-03-15")].revenue.sum()),
    ("sales", "mean price by product", lambda d: d.groupby("product").unit_price.mean()),
    ("sales", "mean discount by city", lambda d: d.groupby("city").discount.mean()),
    ("sales", "total quantity by product and city", lambda d: d.groupby(["product", "city"]).quantity.sum().unstack()),
    ("sales", "number of sales with quantity of at least 5 and revenue over 200", lambda d: ((d.quantity >= 5) & (d.revenue > 200)).sum()),
    ("sales", "minimum and maximum revenue by city", lambda d: d.groupby("city").revenue.agg(["min", "max"])),
    ("people", "mean age by department", lambda d: d.groupby("department").age.mean()),
    ("people", "What is the mean weight?", lambda d: d.weight_kg.mean()),
    ("people", "How many people are older than 40?", lambda d: (d.age > 40).sum()),
    ("people", "How many people have grade B?", lambda d: (d.grade == "B").sum()),
    ("people", "How many A people are there?", lambda d: (d.grade == "A").sum()),
    ("people", "mean age where member is true", lambda d: d[d.member].age.mean()),
    ("people", "mean age of people in Research", lambda d: d[d.department == "Research"].age.mean()),
    ("people", "How many people are in Research?", lambda d: (d.department == "Research").sum()),
    ("people", "number of people where birth city is Paris", lambda d: (d.birth_city == "Paris").sum()),
    ("people", "How many people have height over 180 cm and weight under 70 kg?", lambda d: ((d.height_cm > 180) & (d.weight_kg < 70)).sum()),
    ("people", "number of people by department and grade", lambda d: pd.crosstab(d.department, d.grade)),
    ("people", "mean height by member", lambda d: d.groupby("member").height_cm.mean()),
    ("nasty", "mean unit price", lambda d: d["Unit price (EUR)"].mean()),
    ("nasty", 'mean of "a b"', lambda d: d["a b"].mean()),
    ("nasty", "mean of a_b", lambda d: d["a_b"].mean()),
    ("nasty", "mean größe by class", lambda d: d.groupby("class")["größe"].mean()),
    ("nasty", "mean of `say \"hi\"` by class", lambda d: d.groupby("class")['say "hi"'].mean()),
    ("nasty", "number of rows by `cost $`", lambda d: d["cost $"].value_counts().sort_index()),
    ("nasty", "number of high rows", lambda d: (d["class"] == "high").sum()),
    ("nasty", "mean share", lambda d: d["share"].mean()),
]  # fmt: skip


def last_number(line: str) -> float:
    return float(line.rsplit(maxsplit=1)[-1].replace("NaN", "nan"))


def close(printed: float, expected: float) -> bool:
    if math.isnan(expected) or math.isnan(printed):
        return math.isnan(expected) and math.isnan(printed)
    # Printed numbers are rounded to two decimals, or to three digits where they are small.
    return abs(printed - expected) <= max(0.00500001 if abs(expected) >= 0.1 else abs(expected) * 0.005, 1e-9)


def row_of(printed: str, label: object) -> list[float]:
    """The numbers of the last printed line that starts with ``label``."""
    found = [line.strip() for line in printed.splitlines() if re.match(rf"\s*{re.escape(str(label))}(\s|$)", line)]
    assert found, f"no line for {label!r}"
    rest = found[-1][len(str(label)) :].split()
    return [float(part) for part in rest if re.fullmatch(r"-?[\d.]+|NaN", part)]


def check(printed: str, expected: Any) -> None:
    match expected:
        case pd.DataFrame():
            for label, row in expected.iterrows():
                numbers = row_of(printed, label)
                assert all(any(close(number, value) for number in numbers) for value in row), (
                    label,
                    list(row),
                    numbers,
                )
        case pd.Series():
            for label, value in expected.items():
                assert any(close(number, value) for number in row_of(printed, label)), (label, value)
        case [(_, _), *_]:
            lines = printed.splitlines()[-len(expected) :]
            for line, (label, value) in zip(lines, expected, strict=True):
                assert line.startswith(str(label)) and close(last_number(line), value), (line, label, value)
        case list():
            lines = [line.split()[0] for line in printed.splitlines() if line.strip()]
            assert lines[-len(expected) :] == expected
        case _:
            lines = [line for line in printed.splitlines() if not line.startswith("Rows")] or printed.splitlines()
            values = re.sub(r" of \d+$", "", lines[-1])
            assert close(last_number(values), float(expected)), (lines[-1], expected)


@pytest.mark.parametrize(("table", "question", "expected"), ANSWERS, ids=[question for _, question, _ in ANSWERS])
def test_the_answer_is_what_pandas_says(bench: Any, table: str, question: str, expected: Expected) -> None:
    frame = bench.FRAMES[table]()
    ran = bench.run({table: frame}, question)
    assert ran.code, ran.text
    check(ran.printed, expected(frame))
    assert ran.closing


def test_the_corpus_is_large_enough() -> None:
    assert len({question for _, question, _ in ANSWERS}) >= 120


def test_the_checker_refuses_the_neighbour(bench: Any) -> None:
    frame = bench.penguins()
    printed = bench.run({"penguins": frame}, "mean body mass by species").printed
    with pytest.raises(AssertionError):
        check(printed, frame.groupby("species").body_mass_g.median())
    with pytest.raises(AssertionError):
        check(printed, frame.groupby("island").body_mass_g.mean())
    with pytest.raises(AssertionError):
        check(bench.run({"penguins": frame}, "mean body mass").printed, frame.body_mass_g.median())


ROWS: list[tuple[str, str, Expected]] = [
    ("penguins", "5 heaviest penguins", lambda d: d.nlargest(5, "body_mass_g", keep="all")),
    ("penguins", "What is the heaviest penguin?", lambda d: d.nlargest(1, "body_mass_g", keep="all")),
    ("penguins", "Which penguin has the longest bill?", lambda d: d.nlargest(1, "bill_length_mm", keep="all")),
    ("penguins", "top 3 penguins by flipper length", lambda d: d.nlargest(3, "flipper_length_mm", keep="all")),
    ("penguins", "bottom 3 penguins by flipper length", lambda d: d.nsmallest(3, "flipper_length_mm", keep="all")),
    ("penguins", "the 4 lightest female penguins", lambda d: d[d.sex == "female"].nsmallest(4, "body_mass_g", keep="all")),
    ("penguins", "five heaviest penguins on Dream", lambda d: d[d.island == "Dream"].nlargest(5, "body_mass_g", keep="all")),
    ("penguins", "Show the first 3 rows", lambda d: d.head(3)),
    ("penguins", "head", lambda d: d.head()),
    ("penguins", "show me the last 4 rows", lambda d: d.tail(4)),
    ("penguins", "first 6 Gentoo penguins", lambda d: d[d.species == "Gentoo"].head(6)),
    ("people", "tallest 3 people", lambda d: d.nlargest(3, "height_cm", keep="all")),
    ("people", "the oldest 2 people", lambda d: d.nlargest(2, "age", keep="all")),
    ("sales", "the 3 sales with the highest revenue", lambda d: d.nlargest(3, "revenue", keep="all")),
]  # fmt: skip


@pytest.mark.parametrize(("table", "question", "expected"), ROWS, ids=[question for _, question, _ in ROWS])
def test_rows_are_the_right_ones(bench: Any, table: str, question: str, expected: Expected) -> None:
    frame = bench.FRAMES[table]()
    ran = bench.run({table: frame}, question)
    assert ran.code, ran.text
    printed = [line for line in ran.printed.splitlines() if re.match(r"\d+ ", line)]
    assert [int(line.split()[0]) for line in printed] == list(expected(frame).index)


# --- figures ---------------------------------------------------------------------------------------------------------


def bars(axes: Any) -> list[float]:
    return [float(patch.get_height()) for patch in axes.patches]


def lines(axes: Any) -> list[list[float]]:
    return [[float(y) for y in line.get_ydata()] for line in axes.lines]


BARS: list[tuple[str, str, Expected]] = [
    ("penguins", "Plot the mean body mass by species as a bar chart", lambda d: d.groupby("species").body_mass_g.mean()),
    ("penguins", "Bar chart of mean body mass by island", lambda d: d.groupby("island").body_mass_g.mean()),
    ("penguins", "bar chart of species", lambda d: d.species.value_counts()),
    ("penguins", "Plot the number of penguins per species", lambda d: d.groupby("species").size()),
    ("penguins", "Show the mean body mass by species and plot it as a bar chart", lambda d: d.groupby("species").body_mass_g.mean()),
    ("penguins", "What is the mean body mass by species? Plot it.", lambda d: d.groupby("species").body_mass_g.mean()),
    ("penguins", "plot the number of penguins per species and sex", lambda d: pd.crosstab(d.species, d.sex).T.stack()),
    ("sales", "total revenue by city in 2023 as a bar chart", lambda d: d[d.date.dt.year == 2023].groupby("city").revenue.sum()),
    ("sales", "Make a bar chart of monthly revenue", lambda d: d.groupby(month(d)).revenue.sum()),
    ("penguins", "mean flipper length by species from highest to lowest as a bar chart", lambda d: d.groupby("species").flipper_length_mm.mean().sort_values(ascending=False)),
]  # fmt: skip


@pytest.mark.parametrize(("table", "question", "expected"), BARS, ids=[question for _, question, _ in BARS])
def test_bars_have_the_right_heights(bench: Any, table: str, question: str, expected: Expected) -> None:
    frame = bench.FRAMES[table]()
    ran = bench.run({table: frame}, question)
    (figure,) = ran.figures
    axes = figure.axes[0]
    assert bars(axes) == pytest.approx(list(expected(frame)))
    assert axes.get_title() and axes.get_xlabel() and axes.get_ylabel()


LINES: list[tuple[str, str, Expected]] = [
    ("penguins", "line chart of mean body mass by year", lambda d: d.groupby("year").body_mass_g.mean()),
    ("penguins", "Plot the average flipper length over time", lambda d: d.groupby("year").flipper_length_mm.mean()),
    ("penguins", "trend of body mass over time", lambda d: d.groupby("year").body_mass_g.mean()),
    ("sales", "Plot monthly revenue", lambda d: d.groupby(month(d)).revenue.sum()),
    ("sales", "Plot revenue over time", lambda d: d.groupby("date").revenue.sum()),
    ("sales", "Show a line chart of the monthly revenue in Paris", lambda d: d[d.city == "Paris"].groupby(month(d)).revenue.sum()),
]  # fmt: skip


@pytest.mark.parametrize(("table", "question", "expected"), LINES, ids=[question for _, question, _ in LINES])
def test_lines_go_through_the_right_points(bench: Any, table: str, question: str, expected: Expected) -> None:
    frame = bench.FRAMES[table]()
    ran = bench.run({table: frame}, question)
    (figure,) = ran.figures
    assert lines(figure.axes[0]) == [pytest.approx(list(expected(frame)))]


def test_lines_by_group_have_a_legend(bench: Any) -> None:
    frame = bench.sales()
    (figure,) = bench.run({"sales": frame}, "plot monthly revenue by product").figures
    axes = figure.axes[0]
    expected = frame.groupby([month(frame), "product"]).revenue.sum().unstack()
    assert [text.get_text() for text in axes.get_legend().get_texts()] == list(expected.columns)
    assert lines(axes) == [pytest.approx(list(expected[name])) for name in expected]


@pytest.mark.parametrize(
    "question", ["Histogram of body mass", "Show the distribution of body mass", "How is body mass distributed?"]
)
def test_a_histogram_counts_every_known_row(bench: Any, question: str) -> None:
    ran = bench.run({"penguins": bench.penguins()}, question)
    (figure,) = ran.figures
    assert sum(bars(figure.axes[0])) == 342
    assert "342 of 344" in ran.text


def test_a_histogram_by_group(bench: Any) -> None:
    (figure,) = bench.run({"penguins": bench.penguins()}, "distribution of flipper length by species").figures
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["Adelie", "Chinstrap", "Gentoo"]
    assert sum(bars(axes)) == 342


@pytest.mark.parametrize(
    "question",
    ["Make a scatter plot of bill length against bill depth", "plot bill length vs bill depth", "scatter plot of bill depth and bill length"],
)  # fmt: skip
def test_a_scatter_plot_has_all_points(bench: Any, question: str) -> None:
    frame = bench.penguins().dropna(subset=["bill_length_mm", "bill_depth_mm"])
    (figure,) = bench.run({"penguins": bench.penguins()}, question).figures
    (points,) = figure.axes[0].collections
    assert np.allclose(points.get_offsets(), frame[["bill_depth_mm", "bill_length_mm"]])
    assert figure.axes[0].get_ylabel() == "bill_length_mm"


def test_a_scatter_plot_coloured_by_group(bench: Any) -> None:
    ran = bench.run({"penguins": bench.penguins()}, "Plot body mass against flipper length coloured by species")
    axes = ran.figures[0].axes[0]
    assert [len(points.get_offsets()) for points in axes.collections] == [151, 68, 123]
    assert axes.get_legend().get_title().get_text() == "species"


@pytest.mark.parametrize("question", ["box plot of body mass by species", "Draw a boxplot of body mass by species"])
def test_a_box_plot_shows_the_medians(bench: Any, question: str) -> None:
    frame = bench.penguins()
    (figure,) = bench.run({"penguins": frame}, question).figures
    heights = {round(float(y), 3) for line in figure.axes[0].lines for y in line.get_ydata()}
    assert set(frame.groupby("species").body_mass_g.median().round(3)) <= heights


def test_two_asks_joined_by_and(bench: Any) -> None:
    frame = bench.sales()
    ran = bench.run({"sales": frame}, "Plot monthly revenue and name the three months with the highest revenue")
    best = frame.groupby(month(frame)).revenue.sum().nlargest(3)
    check(ran.printed, list(best.items()))
    assert lines(ran.figures[0].axes[0]) == [pytest.approx(list(frame.groupby(month(frame)).revenue.sum()))]
    assert ran.code.count("import matplotlib.pyplot as plt") == 1


def test_dates_that_are_text_become_dates_in_a_copy(bench: Any) -> None:
    frame = bench.sales()
    text = frame.assign(date=frame.date.dt.strftime("%Y-%m-%d"))
    ran = bench.run({"sales": text}, "monthly revenue")
    check(ran.printed, frame.groupby(month(frame)).revenue.sum())


def test_a_dollar_in_the_data_is_no_formula(bench: Any) -> None:
    ran = bench.run({"nasty": bench.nasty()}, "bar chart of `cost $`")
    assert bars(ran.figures[0].axes[0]) == [15, 15]
    assert 'plt.rcParams["text.parse_math"] = False' in ran.code
