"""Formulas: what sympy is asked, and that nothing but a formula becomes code."""

from __future__ import annotations

import ast
import contextlib
import io
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magic_ext.engine.models.planner.compute import compute

ASKED = {
    "solve x^2-5x+6=0": "[2, 3]",
    "Solve 3x + 2 = 11 for x": "[3]",
    "what is x if 2x=10?": "[5]",
    "find x such that x^2 = 16": "[-4, 4]",
    "solve x + y = 5 and x - y = 1": "{x: 3, y: 2}",
    "derivative of x^2 sin(x)": "x**2*cos(x) + 2*x*sin(x)",
    "second derivative of x^3": "6*x",
    "What is the integral of 2x dx from 1 to 3?": "8",
    "integral of 1/x": "log(x)",
    "limit of sin(x)/x as x goes to 0": "1",
    "sum of 1/n^2 for n from 1 to infinity": "pi**2/6",
    "expand (x+1)^2": "x**2 + 2*x + 1",
    "factor x^2-1": "(x - 1)*(x + 1)",
    "first 5 squares": "[1, 4, 9, 16, 25]",
    "first 4 powers of 2": "[1, 2, 4, 8]",
    "first 3 multiples of 7": "[7, 14, 21]",
    "sum of the first 4 cubes": "Sum: 100",
}


@pytest.mark.parametrize(("question", "expected"), ASKED.items(), ids=list(ASKED))
def test_what_sympy_says(question: str, expected: str) -> None:
    computation = compute(question)
    assert computation is not None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning, module="mpmath")
        exec(computation.code, {})
    assert expected in printed.getvalue()


@pytest.mark.parametrize(
    "question",
    [
        "solve 2x + 3y = 6",
        "what is the derivative of the revenue",
        "integrate revenue over time",
        "solve x = __import__('os')",
        "derivative of x.real",
        "solve x**x**x**9 = 3",
        "expand (x+1)^999",
        "limit of penguins as x goes to 0",
    ],
)
def test_what_is_no_formula_is_no_code(question: str) -> None:
    assert compute(question) is None


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.sampled_from([*"xyn()+-*/^=.,", "sin(", "2", "e", "pi", "os.", "__", "lambda ", "exec("]), max_size=12)
)
def test_a_formula_has_only_numbers_symbols_and_functions(parts: list[str]) -> None:
    for verb in ("solve ", "derivative of ", "expand "):
        computation = compute(verb + "".join(parts))
        if computation is None:
            continue
        for node in ast.walk(ast.parse(computation.code)):
            assert not isinstance(node, ast.Lambda | ast.Subscript | ast.Starred)
            if isinstance(node, ast.Attribute):
                assert isinstance(node.value, ast.Name) and node.value.id in {"sp"} and not node.attr.startswith("_")
