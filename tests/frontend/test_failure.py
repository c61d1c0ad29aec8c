"""A failing cell: an error message on iopub, one red line, no key in it."""

from __future__ import annotations

from typing import Any

import pytest

from magic_ext.errors import GeminiExecError
from magic_ext.frontend.failure import CellFailure, in_one_line, without_secrets

KEY = "AIza" + "SyD-0123456789abcdefghijklmnopqrstu"
SETUP = f"""
from magic_ext.errors import GeminiExecError
from magic_ext.frontend.failure import in_one_line
def ask(error, **options):
    def work():
        try:
            raise ExceptionGroup("several", [ValueError("{KEY}")])
        except ExceptionGroup:
            raise error
    in_one_line(work, **options)
"""


@pytest.fixture(scope="module")
def fail(run: Any) -> Any:
    assert run(SETUP).reply["status"] == "ok"

    def execute(call: str) -> tuple[dict[str, Any], Any]:
        done = run(call)
        assert done.reply["status"] == "error"
        (error,) = done.of_type("error")  # UsageError sends none, and nbval would stay green
        assert not done.of_type("stream")
        return error, done

    return execute


def test_a_failure_is_one_red_line_with_what_to_do(fail: Any) -> None:
    error, _ = fail(
        'ask(GeminiExecError("The server\\ndid not answer.", hint="Try again, or choose another with -m."))'
    )
    assert error["traceback"] == ["\x1b[31mThe server did not answer. Try again, or choose another with -m.\x1b[0m"]
    assert error["evalue"] == "The server did not answer."
    assert error["ename"] == "CellFailure"


def test_queued_cells_do_not_run_after_it(fail: Any, run: Any) -> None:
    fail('ask(GeminiExecError("No."))')
    assert run("1 + 1").reply["status"] == "ok"


def test_debug_shows_the_whole_traceback_without_keys(fail: Any) -> None:
    call = f'ask(GeminiExecError("Bad key {KEY}", hint="x"), debug=True, secrets=["hunter2-and-more"])'
    error, _ = fail(f'"hunter2-and-more"; {call}')
    text = "\n".join(error["traceback"])
    assert "in work" in text
    assert "ExceptionGroup" in text
    assert KEY not in text + error["evalue"]
    assert "hunter2" not in text
    assert error["traceback"][-1] == "\x1b[31mBad key *** x\x1b[0m"


def test_a_fault_of_ours_shows_where_it_happened(fail: Any) -> None:
    error, _ = fail(f'ask(KeyError("{KEY}"))')
    assert "in work" in "\n".join(error["traceback"])
    assert KEY not in str(error)


def test_an_interrupt_passes() -> None:
    def work() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_one_line(work)


def test_the_result_comes_back_and_the_failure_is_one_of_ours() -> None:
    assert in_one_line(lambda: 42) == 42
    with pytest.raises(GeminiExecError) as caught:
        in_one_line(lambda: 1 / 0)
    assert isinstance(caught.value, CellFailure)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "text",
    [
        f"key={KEY}",
        f"'x-goog-api-key': '{KEY}'",
        "x-goog-api-key: s3cret-value",
        "{'x-goog-api-key': 's3cret-value'}",
        "Headers([(b'x-goog-api-key', b's3cret-value')])",
        "Authorization: Bearer s3cret-value",
        "the value s3cret-value alone",
        "sk-s3cret-value-0123456789",
    ],
)
def test_keys_are_taken_out(text: str) -> None:
    clean = without_secrets(text, ["s3cret-value"])
    assert "s3cret" not in clean
    assert KEY not in clean


@pytest.mark.parametrize(
    "text",
    ["x-goog-api-key: s3cret-value", "{'x-goog-api-key': 's3cret-value'}", "Authorization: Bearer s3cret-value"],
)
def test_headers_give_their_values_away_to_nobody(text: str) -> None:
    assert "s3cret" not in without_secrets(text)
