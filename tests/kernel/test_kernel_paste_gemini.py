"""Code that Gemini wrote for its sandbox, pasted: it runs in the kernel, on all of the live data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

SETUP = """
import pandas as pd, polars as pl
sales = pd.DataFrame({"city": ["Rome", "Oslo", "Bern", "Rome"], "revenue": [1.0, 2.0, 3.5, 4.0],
                      "day": pd.date_range("2026-01-01", periods=4)})
goals = pl.DataFrame({"city": ["Rome", "Oslo"], "goal": [10, 20]})
before = sales.copy()
"""
TYPED = (
    "import io\nimport pandas as pd\ndf = pd.read_csv(io.StringIO('''city,revenue,day\nROWS'''))\n"
    "print(df.revenue.sum())"
)


@pytest.fixture(scope="module", autouse=True)
def _module(notebook: Any) -> None:
    notebook.do("%config GeminiExecMagics.model = 'gemini-3-flash-preview'")


@pytest.fixture
def answering(notebook: Any, asked_at: Callable[..., Any], google: Callable[..., Any]) -> Callable[..., Any]:
    """Asks a Google-like server that has answered with these blocks of code; the last one's cell."""

    def ask(cell: str, *codes: str) -> Any:
        asked_at(google(*_steps(codes)))
        notebook.do(SETUP)
        ran = notebook.run(cell)
        assert ran.status == "ok", ran.of("error")
        return ran

    return ask


def _steps(codes: Sequence[str]) -> Iterator[Any]:
    for number, code in enumerate(codes):
        call = {"type": "code_execution_call", "id": f"call-{number}", "signature": ""}
        yield call, [{"type": "code_execution_call", "arguments": {"code": code, "language": "python"}}]
        result = {"type": "code_execution_result", "call_id": f"call-{number}", "signature": ""}
        yield result, [{"type": "code_execution_result", "result": "done\n", "is_error": False}]


def pasted(ran: Any) -> str:
    [payload] = ran.payload
    return str(payload["text"])


def printed(ran: Any) -> list[str]:
    """The lines that stand below the cell as plain output, one each."""
    return [line for stream in ran.of("stream") if stream["name"] == "stdout" for line in stream["text"].splitlines()]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import pandas as pd\ndf = pd.read_csv('input_file_0.csv')\nprint(df['revenue'].sum())", "10.5"),
        (
            "import pandas as pd\nsales = pd.read_csv('input_file_0.csv')\n"
            "sales['day'] = pd.to_datetime(sales['day'])\nsales['month'] = sales['day'].dt.month\n"
            "print(f\"{sales['month'].max()} {sales['revenue'].sum()}\")",
            "1 10.5",
        ),
        ("import glob\nimport pandas as pd\nfor f in glob.glob('*.csv'):\n    print(f, len(pd.read_csv(f)))", "csv 4"),
        ("import csv\nwith open('input_file_0.csv') as f:\n    print(len(list(csv.DictReader(f))))", "4"),
    ],
)
def test_code_for_the_sandbox_runs_here(notebook: Any, answering: Any, code: str, expected: str) -> None:
    ran = answering("%%gemini_exec --paste\nLook at @sales:head(2).", code)
    for _ in range(2):
        assert expected in notebook.do(pasted(ran)), pasted(ran)
    assert notebook.value("bool(sales.equals(before))")
    assert "computed on 2 of 4 rows of sales" in pasted(ran)


def test_two_tables_of_two_libraries(notebook: Any, answering: Any) -> None:
    code = (
        "import pandas as pd\nsales = pd.read_csv('input_file_0.csv')\ngoals = pd.read_csv('input_file_1.csv')\n"
        "print(sales.merge(goals, on='city')['goal'].sum())"
    )
    ran = answering("%%gemini_exec --paste\nCompare @sales:head(2) with @goals:head(1).", code)
    assert "40" in notebook.do(pasted(ran)), pasted(ran)
    assert notebook.value("type(goals).__module__.split('.')[0]") == "polars"


def test_an_earlier_block_comes_along(notebook: Any, answering: Any) -> None:
    first = "import pandas as pd\npath = 'input_file_0.csv'\ndf = pd.read_csv(path)"
    ran = answering("%%gemini_exec --paste=last\nLook at @sales:head(2).", first, "x = 1", "print(df['revenue'].max())")
    code = pasted(ran)
    assert "4.0" in notebook.do(code), code
    assert "x = 1" not in code


def test_rows_that_were_typed_in_are_named(notebook: Any, answering: Any) -> None:
    rows = "Rome,1.0,2026-01-01\nOslo,2.0,2026-01-02\n"
    ran = answering("%%gemini_exec --paste\nSum of @sales:head(2).", TYPED.replace("ROWS", rows))
    line = "The code holds 2 rows of sales typed in; they are replaced by your live sales."
    assert line in printed(ran)
    assert f"# {line}" in pasted(ran)
    assert "10.5" in notebook.do(pasted(ran)), pasted(ran)


def test_other_rows_that_were_typed_in_are_named_only(notebook: Any, answering: Any) -> None:
    rows = "Rome,1.0,2026-01-01\nOslo,2.0,2026-01-02\nLima,7.0,2026-01-03\n"
    ran = answering("%%gemini_exec --paste\nSum of @sales:head(2).", TYPED.replace("ROWS", rows))
    assert "The code holds 2 rows of sales typed in; it does not use your live sales." in printed(ran)
    assert "10.0" in notebook.do(pasted(ran))


def test_what_is_not_installed_is_named_before_it_is_pasted(notebook: Any, answering: Any) -> None:
    code = "import nowhere_to_be_found as sns\nimport pandas as pd\ndf = pd.read_csv('input_file_0.csv')"
    line = "This code imports nowhere_to_be_found, which is not installed here: %pip install nowhere_to_be_found"
    ran = answering("%%gemini_exec --paste\nDraw @sales:head(2).", code)
    assert printed(ran) == [line]
    assert f"# {line}" in pasted(ran)
    again = notebook.run("%gemini paste")
    assert printed(again) == [line]
    assert pasted(again) == pasted(ran)


def test_nothing_is_said_where_nothing_is_missing(notebook: Any, answering: Any) -> None:
    ran = answering("%%gemini_exec --paste\nLook at @sales:head(2).", "import json, pandas as pd\nprint(1)")
    assert printed(ran) == []


def test_a_block_of_an_earlier_answer_comes_along(
    notebook: Any, asked_at: Callable[..., Any], google: Callable[..., Any]
) -> None:
    first = ["import pandas as pd\ndf = pd.read_csv('input_file_0.csv')", "unasked = 1"]
    asked_at(google(*_steps(first)), google(*_steps(["print(df['revenue'].max())"]), id="v1_b"))
    notebook.do(SETUP)
    notebook.run("%%gemini_exec\nLook at @sales:head(2).")
    ran = notebook.run("%%gemini_exec -c --paste\nAnd its largest revenue?")
    code = pasted(ran)
    assert "4.0" in notebook.do(code), code
    assert code.index("pd.read_csv(io.StringIO(sales") < code.index("print(df")
    assert "unasked" not in code
