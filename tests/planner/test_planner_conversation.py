"""The planner as a model: its parts, follow-ups, several tables, pictures, computations without a table."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pandas as pd
import pytest

from magic_ext.engine.models.base import Code, Conversation, Picture, Text
from magic_ext.engine.models.planner import OfflinePlanner
from magic_ext.wire.content import Text as TextContent
from magic_ext.wire.steps import CodeExecutionCall, CodeExecutionResult, UserInput


def executed(code: str) -> str:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "<cell>", "exec"), {})
    return printed.getvalue()


# --- the protocol ---------------------------------------------------------------------------------------------------


def test_a_reply_is_a_reading_and_trusted_code(bench: Any) -> None:
    table = bench.table_of("penguins", bench.penguins())
    text, code = OfflinePlanner().reply(bench.conversation((table,), "mean body mass by species as a bar chart"))
    assert text == Text(
        "Mean of `body_mass_g` by `species`, over the 342 of 344 rows where `body_mass_g` is known, as a bar chart."
    )
    assert isinstance(code, Code) and code.trusted
    assert OfflinePlanner().name == "offline-planner"


def test_the_code_is_what_a_person_would_write(bench: Any) -> None:
    table = bench.table_of("sales", bench.sales(), "data/sales.csv", 'sales = pd.read_csv("data/sales.csv")')
    ran = bench.plan_only((table,), "What is the total revenue of chairs by city in `data/sales.csv`?")
    assert ran.code == (
        "import pandas as pd\n\n"
        'sales = pd.read_csv("data/sales.csv")\n\n'
        'selected = sales[sales["product"] == "Chair"]\n'
        'print("Rows:", len(selected), "of", len(sales))\n'
        'result = selected.groupby("city", observed=True)["revenue"].sum()\n'
        'print("Total of revenue by city, where product = Chair")\n'
        "print(result.round(2).to_string())\n"
    )


def test_the_closing_says_what_was_left_out(bench: Any) -> None:
    ran = bench.run({"penguins": bench.penguins()}, "Which species has the highest mean body mass?")
    assert ran.closing == "`Gentoo`: `5076.02`. Rows left out because `body_mass_g` is missing: 2."
    ran = bench.run({"penguins": bench.penguins()}, "mean body mass by sex on Torgersen")
    assert "`body_mass_g` is missing: 1." in ran.closing and "`sex` is missing: 5." in ran.closing


def test_no_matching_row_is_said(bench: Any) -> None:
    frame = bench.penguins()
    ran = bench.run({"penguins": frame}, "How many Gentoo penguins are there on Torgersen?")
    assert ran.closing == "No row matches the condition."


def test_after_a_failure_it_stops(bench: Any) -> None:
    table = bench.table_of("penguins", bench.penguins())
    asked = bench.conversation((table,), "mean body mass by species")
    failed = CodeExecutionResult("c", (TextContent("Traceback ...\nKeyError: 'body_mass_g'"),), is_error=True)
    steps = (*asked.steps, CodeExecutionCall("c", "..."), failed)
    (part,) = OfflinePlanner().reply(Conversation(steps=steps, tables=(table,)))
    assert isinstance(part, Text) and "`KeyError: 'body_mass_g'`" in part.text and "failed" in part.text


def test_without_code_execution_the_code_is_shown(bench: Any) -> None:
    table = bench.table_of("penguins", bench.penguins())
    ran = bench.plan_only((table,), "mean body mass", code_execution=False)
    assert ran.declined and "```python\nprint(" in ran.text and "not run" in ran.text


def test_lines_of_the_front_end_are_not_read(bench: Any) -> None:
    table = bench.table_of("penguins", bench.penguins())
    told = UserInput(
        (TextContent("mean body mass"), TextContent("[gemini-exec] Attached: penguins, 344 rows × 8 columns."))
    )
    parts = list(OfflinePlanner().reply(Conversation(steps=(told,), tables=(table,))))
    assert isinstance(parts[-1], Code)


def test_the_same_question_gives_the_same_answer(bench: Any) -> None:
    table = bench.table_of("penguins", bench.penguins())
    answers = {tuple(OfflinePlanner().reply(bench.conversation((table,), "describe the table"))) for _ in range(3)}
    assert len(answers) == 1


# --- follow-ups -----------------------------------------------------------------------------------------------------

FIRST = "mean body mass by species"
FOLLOW_UPS = [
    ("as a bar chart", "Mean of `body_mass_g` by `species`", "bar chart"),
    ("Plot it", "Mean of `body_mass_g` by `species`", "bar chart"),
    ("Show that as a bar chart, please", "Mean of `body_mass_g` by `species`", "bar chart"),
    ("now by island", "Mean of `body_mass_g` by `island`", ""),
    ("by sex instead", "Mean of `body_mass_g` by `sex`", ""),
    ("by species and sex", "Mean of `body_mass_g` by `species` and `sex`", ""),
    ("only 2008", "where `year` = 2008", ""),
    ("only females", "where `sex` = female", ""),
    ("just the males", "where `sex` = male", ""),
    ("for Biscoe only", "where `island` = Biscoe", ""),
    ("What about Biscoe?", "where `island` = Biscoe", ""),
    ("median instead", "Median of `body_mass_g` by `species`", ""),
    ("What about the median?", "Median of `body_mass_g` by `species`", ""),
    ("and for flipper length", "Mean of `flipper_length_mm` by `species`", ""),
    ("the same for bill depth", "Mean of `bill_depth_mm` by `species`", ""),
    ("only the top 2", "the 2 largest", ""),
    ("sort it in descending order", "largest first", ""),
]


@pytest.mark.parametrize(("then", "reading", "chart"), FOLLOW_UPS, ids=[then for then, _, _ in FOLLOW_UPS])
def test_a_follow_up_changes_the_last_plan(bench: Any, then: str, reading: str, chart: str) -> None:
    ran = bench.run({"penguins": bench.penguins()}, FIRST, then)
    assert reading in ran.text, ran.text
    assert chart in ran.text and bool(ran.figures) == bool(chart)


def test_follow_ups_add_up(bench: Any) -> None:
    frame = bench.penguins()
    ran = bench.run({"penguins": frame}, FIRST, "plot it", "now by island", "only males", "median instead")
    expected = frame[frame.sex == "male"].groupby("island").body_mass_g.median()
    assert [patch.get_height() for patch in ran.figures[0].axes[0].patches] == list(expected)


def test_a_second_filter_of_a_column_replaces_the_first(bench: Any) -> None:
    assert "`sex` = male" in bench.run({"penguins": bench.penguins()}, FIRST, "only females", "only males").text


def test_a_new_question_starts_anew(bench: Any) -> None:
    text = bench.run({"penguins": bench.penguins()}, FIRST, "only females", "How many penguins are there?").text
    assert text == "Number of rows."


def test_a_declined_turn_changes_nothing(bench: Any) -> None:
    text = bench.run({"penguins": bench.penguins()}, FIRST, "without outliers", "median instead").text
    text = text.removeprefix(
        "The question before was not answered; this goes on from “Mean of `body_mass_g` by `species`”. "
    )
    assert text.startswith("Median of `body_mass_g` by `species`")


# --- several tables, pictures ---------------------------------------------------------------------------------------


def both(bench: Any) -> tuple[Any, ...]:
    return (bench.table_of("penguins", bench.penguins()), bench.table_of("sales", bench.sales(), "data/sales.csv"))


def test_the_named_table_is_meant(bench: Any) -> None:
    assert "sales.head" in bench.plan_only(both(bench), "Show the first 3 rows of `data/sales.csv`").code
    assert "penguins.head" in bench.plan_only(both(bench), "Show the first 3 rows of penguins").code
    assert 'sales.groupby("city"' in bench.plan_only(both(bench), "total revenue by city").code


def test_it_asks_which_table(bench: Any) -> None:
    text = bench.plan_only(both(bench), "How many rows are there?").text
    assert "`penguins` or `data/sales.csv`" in text and "name one" in text


def test_two_tables_at_once_are_declined(bench: Any) -> None:
    assert bench.plan_only(both(bench), "mean body mass in `penguins` and total revenue in `sales`").declined


def test_a_follow_up_keeps_its_table(bench: Any) -> None:
    assert "penguins.tail" in bench.plan_only(both(bench), "first 3 rows of penguins", "last 2 rows").code


def test_no_name_of_a_table_is_assigned_to(bench: Any) -> None:
    frame = bench.penguins()
    ran = bench.run({"result": frame}, "mean body mass by species of females")
    assert ran.code.startswith("selected = result[") and "result_ = " in ran.code


def test_pictures_are_not_looked_at(bench: Any, tmp_path: Any) -> None:
    from PIL import Image

    path = tmp_path / 'a "b".png'
    Image.new("RGB", (12, 7)).save(path)
    picture = Picture(str(path), "image/png", "photo")
    text = bench.plan_only((), "What is in this picture?", pictures=(picture,)).text
    assert "cannot look at pictures" in text and "GEMINI_API_KEY" in text
    ran = bench.plan_only((), "What is the size of the picture?", pictures=(picture,))
    assert executed(ran.code) == "Width and height: (12, 7)\n"


@pytest.mark.parametrize(
    "said", ["hello", "Hi!", "I have a math question for you.", "help", "What can you do?", "", "Thanks!"]
)
def test_greetings_get_a_friendly_word(bench: Any, said: str) -> None:
    ran = bench.plan_only((), said)
    assert ran.declined and "Hello!" in ran.text


# --- computations ---------------------------------------------------------------------------------------------------

COMPUTED = [
    (
        "What is the sum of the first 50 prime numbers? "
        "Generate and run code for the calculation, and make sure you get all 50.",
        "Sum: 5117",
    ),
    ("sum of the first 10 primes", "Sum: 129"),
    ("List the first 5 primes", "How many: 5"),
    ("What is the 100th prime?", "541"),
    ("How many primes are there below 1000?", "How many: 168"),
    ("sum of all primes below 100", "Sum: 1060"),
    ("What is the 10th Fibonacci number?", "55"),
    ("first 12 fibonacci numbers", "How many: 12"),
    ("10!", "3628800"),
    ("What is the factorial of 5?", "120"),
    ("What is 17 * 23?", "391"),
    ("what is 17 times 23", "391"),
    ("calculate (3+4)*5/7", "5.0"),
    ("what is 2^10", "1024"),
    ("1,000 + 2,000", "3000"),
    ("What is 20% of 50?", "10.0"),
    ("What is the square root of 144?", "12.0"),
    ("gcd of 12 and 18", "6"),
    ("lcm of 4 and 6", "12"),
    ("sum of the numbers from 1 to 100", "5050"),
    ("sum of all even numbers from 1 to 100", "2550"),
    ("sum of the odd numbers from 2 to 9", "24"),
    ("is 97 prime?", "97 is prime - its divisors: [1, 97]"),
    ("prime factors of 84", "84 = 2 2 3 7"),
    ("solve x^2 - 5x + 6 = 0", "[2, 3]"),
]


@pytest.mark.parametrize(("question", "expected"), COMPUTED, ids=[question for question, _ in COMPUTED])
def test_computations_without_a_table(bench: Any, question: str, expected: str) -> None:
    ran = bench.plan_only((), question)
    assert ran.code, ran.text
    assert executed(ran.code).splitlines()[-1] == expected


@pytest.mark.parametrize(
    "question",
    [
        "What is the sum of the first 50 prime numbers? Make sure you get all 40.",
        "what is 9**9**9",
        "2^99999999",
        "what is 5 % 3",
        "2024-11-12",
        "sum of the first 2.5 primes",
        "What is the sum of the first 50 happy numbers?",
        "factorial of 10000000",
        "what is __import__('os').system('ls')",
        "solve x^2 + y = 3",
        "average of 3, 4 and five",
    ],
)
def test_other_computations_are_declined(bench: Any, question: str) -> None:
    assert bench.plan_only((), question).declined


def test_a_computation_needs_no_table_but_bears_one(bench: Any) -> None:
    ran = bench.plan_only((bench.table_of("penguins", bench.penguins()),), "What is 17 * 23?")
    assert executed(ran.code) == "391\n"


def test_pandas_is_not_imported_to_plan() -> None:
    import subprocess
    import sys

    code = "import sys, magic_ext.engine.models.planner; print({'pandas', 'matplotlib', 'IPython'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"


def test_the_number_of_rows_left_is_printed(bench: Any) -> None:
    frame = bench.penguins()
    printed = bench.run({"penguins": frame}, "mean body mass of females").printed
    assert f"Rows: {(frame.sex == 'female').sum()} of 344" in printed
    assert isinstance(frame, pd.DataFrame)
