"""Names and values are hostile: whatever they contain, the code stays the code of the plan."""

from __future__ import annotations

import ast
import contextlib
import io
import warnings
from typing import Any

import pandas as pd
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ALLOWED_NAMES = {"pd", "np", "plt", "print", "len", "round", "str", "float", "range"}
ALLOWED_IMPORTS = {"pandas", "numpy", "matplotlib.pyplot"}
NASTY = [
    '"',
    "'",
    "\\",
    "\n",
    "\r",
    "`",
    "{",
    "}",
    "$",
    "#",
    ")",
    "é",
    "名",
    "\u2028",
    "%",
    ";",
    '"""',
    "\x00",
    "_",
    " ",
]
ATTACKS = [
    '"]; __import__("os").system("id"); x["',
    "'); print('owned') #",
    "\nimport os\n",
    "{__import__('os')}",
    "`); import os",
    "a\\",
    '"""',
    "$\\frac{",
]
text = st.one_of(
    st.sampled_from(ATTACKS),
    st.lists(st.sampled_from([*NASTY, "a", "b", "mean", "by"]), min_size=1, max_size=8).map("".join),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
).filter(lambda value: value.strip() and "`" not in value and "\n" not in value)
anything = st.one_of(
    st.sampled_from(ATTACKS), st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
)


def calls_only_what_it_should(code: str) -> None:
    tree = ast.parse(code)
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= ALLOWED_IMPORTS
        assert not isinstance(node, ast.ImportFrom | ast.FunctionDef | ast.ClassDef | ast.Lambda | ast.Delete)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            assert node.id in ALLOWED_NAMES | bound | {"table"}, node.id
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_") and node.attr not in {"eval", "query", "to_pickle", "to_csv", "system"}


QUESTIONS = [
    "mean of `{number}` by `{kind}`",
    "Plot the mean `{number}` by `{kind}` as a bar chart",
    "How many rows where `{kind}` is `{value}`",
    "mean `{number}` where `{kind}` is `{value}`",
    "histogram of `{number}` by `{kind}`",
    "top 2 rows by `{number}`",
    "unique values of `{kind}`",
    "describe `{number}`",
    "missing values in `{kind}`",
    "scatter plot of `{number}` against `{other}` by `{kind}`",
    "mean of `{number}` / `{other}` by `{kind}`",
    "percentage of rows where `{kind}` is `{value}`",
    "rows where `{kind}` contains `{value}`",
    "rows where `{kind}` is not `{value}`",
    "regression of `{number}` on `{other}`",
    "outliers in `{number}`",
    "duplicates in `{kind}`",
    "top 2 rows by `{number}` per `{kind}`",
    "correlation between `{number}` and `{other}` by `{kind}`",
    "pie chart of `{kind}`",
    "90th percentile of `{number}` by `{kind}`",
]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(text, min_size=3, max_size=3, unique_by=lambda name: name.strip().casefold()),
    values=st.lists(anything, min_size=2, max_size=4, unique=True),
    question=st.sampled_from(QUESTIONS),
)
def test_names_and_values_never_break_out(bench: Any, names: list[str], values: list[str], question: str) -> None:
    import matplotlib.pyplot as plt

    number, other, kind = names
    frame = pd.DataFrame(
        {
            number: [float(i) for i in range(12)],
            other: [i * i for i in range(12)],
            kind: pd.Series([values[i % len(values)] for i in range(12)], dtype=object),
        }
    )
    table = bench.table_of("table", frame)
    asked = question.format(number=number, other=other, kind=kind, value=values[0])
    ran = bench.plan_only((table,), asked)
    if ran.declined:
        return
    calls_only_what_it_should(ran.code)
    ran.code.encode("utf-8")
    names_after: dict[str, Any] = {"table": frame.copy()}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.filterwarnings("ignore", "Glyph|.*font|.*missing from")
        exec(compile(ran.code, "<cell>", "exec"), names_after)
    plt.close("all")
    pd.testing.assert_frame_equal(names_after["table"], frame)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=80))
def test_any_text_gets_an_answer(bench: Any, said: str) -> None:
    table = bench.table_of("table", pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}))
    ran = bench.plan_only((table,), said)
    if ran.code:
        ast.parse(ran.code)


SALAD = """
    what is the mean median of by and in for body mass species sex island male
    female Gentoo Biscoe 2008 over top 3 5000 highest lowest penguins how many are there with
    plot bar chart as missing values which has most number not only year histogram against ,
    per each between first rows
"""
WORDS = st.sampled_from(SALAD.split())


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(WORDS, min_size=1, max_size=14))
def test_word_salad_never_crashes_and_its_code_uses_every_name(bench: Any, salad: list[str]) -> None:
    """Each value, number and column word of an answered question is found in the code."""
    table = bench.table_of("penguins", bench.penguins())
    ran = bench.plan_only((table,), " ".join(salad))
    if ran.declined:
        return
    ast.parse(ran.code)
    for word in set(salad) & {"species", "sex", "island", "male", "female", "Gentoo", "Biscoe", "2008", "5000", "3"}:
        assert word in ran.code, (salad, ran.code)
    assert "mean" not in salad or "mean(" in ran.code or ".describe(" in ran.code
    assert "median" not in salad or "median(" in ran.code
    assert "not" not in salad or "!= " in ran.code or "~" in ran.code


def test_hostile_text_in_a_message_stays_in_its_code_span(bench: Any) -> None:
    frame = pd.DataFrame({"a`b**<b>": [1.0, 2.0], "k": ["x", "y"]})
    ran = bench.run({"table": frame}, "mean of 'a`b**<b>' by k")
    assert "`` a`b**<b> ``" in ran.text


def test_a_table_that_is_no_variable_is_refused(bench: Any) -> None:
    table = bench.table_of("x; import os", pd.DataFrame({"a": [1]}))
    assert bench.plan_only((table,), "How many rows are there?").declined


def test_a_long_question_is_read_in_moderate_time(bench: Any) -> None:
    table = bench.table_of("penguins", bench.penguins())
    asked = "mean body mass by species and sex in 2008 for male penguins on Biscoe as a bar chart, " * 12
    assert bench.plan_only((table,), asked).declined
