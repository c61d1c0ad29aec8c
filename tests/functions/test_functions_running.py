"""A model's code as calls of a function: what goes back of a run, by the types of Google's SDK; when it is enough."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from google.genai import interactions as sdk

from magic_ext.ask.running import TRIES, CodeRuns, Tell, shape_of
from magic_ext.errors import GeminiExecError
from magic_ext.frontend.watchdog import Watchdog
from magic_ext.references.screen import screen_from
from magic_ext.runtime.execution import Execution
from magic_ext.wire.content import decode_contents, text_of
from magic_ext.wire.running import RUN_PYTHON_TOOL
from magic_ext.wire.steps import CodeExecutionCall, FunctionResult, encode_step

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 100


class Played:
    """A runner whose runs end as they are told to."""

    place = "a test"
    seconds = 30.0

    def __init__(self, *executions: Execution | None) -> None:
        self._executions = list(executions)
        self.asked: list[list[str]] = []

    def check(self) -> None:
        pass

    def allows(self, code: str, asking: Callable[[], None]) -> bool:
        asking()
        if self._executions[0] is None:
            self._executions.pop(0)
            return False
        return True

    def run(self, code: str, tell: Tell) -> Execution:
        execution = self._executions.pop(0)
        assert execution is not None
        return execution

    def shapes(self, names: Sequence[str]) -> Mapping[str, str]:
        self.asked.append(list(names))
        return {name: "DataFrame, 1 x 1" for name in names if name == "top"}

    def leave(self, *, kept: bool) -> None:
        pass


def _call(code: str = "print(1)") -> CodeExecutionCall:
    return CodeExecutionCall("f1", code)


def _text(result: FunctionResult) -> str:
    sdk.FunctionResultStep.model_validate(encode_step(result))
    return text_of(decode_contents(result.result))


def test_the_declaration_is_one_of_the_sdk() -> None:
    sdk.Function.model_validate(RUN_PYTHON_TOOL)


def test_text_and_figures_go_back_within_limits_and_into_the_receipt() -> None:
    runs = CodeRuns(
        Played(Execution(status="ok", output="x" * 50_000, images=(PNG,) * 10)), withheld=False, remote=True
    )
    ran = runs.run(_call(), "run_python")
    text = _text(ran.result)
    assert 20_000 < len(text) < 20_200 and "characters left out" in text
    pictures = [block for block in ran.result.result if block["type"] == "image"]
    assert len(pictures) == 8
    assert len(ran.shown.text) == 50_000 and len(ran.shown.content) == 11
    [entry] = ran.entries
    assert entry.bytes == len(text) + 8 * len(PNG) and entry.note == "with 8 figures"


def test_a_model_on_this_computer_carries_nothing_out() -> None:
    runs = CodeRuns(Played(Execution(status="ok", output="1\n")), withheld=False, remote=False)
    assert runs.run(_call(), "run_python").entries == ()


def test_what_is_to_be_redacted_does_not_go_back() -> None:
    failed = Execution(status="error", output="ask bob@example.org\n", error="ValueError: eve@example.org")
    runs = CodeRuns(Played(failed), withheld=False, remote=True, screen=screen_from([], ["email"]))
    ran = runs.run(_call(), "run_python")
    assert _text(ran.result) == "ask [email]\nValueError: [email]" and "bob@example.org" in ran.shown.text


def test_with_values_withheld_only_names_of_the_code_are_asked_for() -> None:
    played = Played(
        Execution(status="ok", output="canary", images=(PNG,)),
        Execution(status="timeout", output="canary", error="canary"),
        Execution(status="dead", error="canary"),
        Execution(status="error", output="canary", error="canary", exception="IndexError", line=99),
        None,
    )
    runs = CodeRuns(played, withheld=True, remote=True)
    told = [
        _text(runs.run(_call("top = 1\nfor n in []: pass\nf(x)"), "run_python").result).partition("\n")[0]
        for _ in range(5)
    ]
    assert told == [
        "It worked.",
        "It ran too long and was stopped.",
        "The kernel died; all variables are lost.",
        "It failed: IndexError.",
        "The user did not allow this code to run.",
    ]
    assert played.asked == [["top", "n"]]


def test_after_five_failures_nothing_runs_any_more() -> None:
    played = Played(*[Execution(status="error", error="KeyError: 1")] * TRIES)
    runs = CodeRuns(played, withheld=False, remote=True)
    results = [runs.run(_call(), "run_python").result for _ in range(TRIES + 1)]
    assert all(result.is_error for result in results)
    assert ["Run no more" in _text(result) for result in results] == [False] * (TRIES - 1) + [True] * 2
    with pytest.raises(GeminiExecError, match="ran code 5 times"):
        runs.run(_call(), "run_python")


def test_a_call_without_code_is_an_error_and_runs_nothing() -> None:
    ran = CodeRuns(Played(), withheld=False, remote=True).run(_call(" "), "run_python")
    assert ran.result.is_error and "needs code" in _text(ran.result)


def test_only_tables_in_memory_have_a_shape() -> None:
    class DataFrame:
        shape = ("a value", 1)

    assert shape_of(pd.DataFrame({"a": [1, 2]})) == "DataFrame, 2 x 1"
    assert shape_of(pd.Series([1, 2])) == "Series, 2" and shape_of(np.float64(1.5)) == ""
    assert shape_of(DataFrame()) == "" and shape_of("text") == ""


def test_the_watchdog_ends_a_sleep_and_a_loop_and_code_that_goes_on() -> None:
    watchdog = Watchdog(0.05)
    with pytest.raises(KeyboardInterrupt), watchdog:
        time.sleep(60)
    assert watchdog.bitten
    again = Watchdog(0.05)
    with pytest.raises(KeyboardInterrupt), again:
        try:
            while True:
                pass
        except KeyboardInterrupt:
            time.sleep(60)
    assert again.bitten


def test_the_watchdog_lets_go_of_what_ended_in_time() -> None:
    watchdog = Watchdog(60)
    with watchdog:
        [thread] = [thread for thread in threading.enumerate() if thread.name == "gemini-exec-watchdog"]
    thread.join(10)
    assert not watchdog.bitten and not thread.is_alive()
    with pytest.raises(KeyboardInterrupt), Watchdog(60):
        signal.raise_signal(signal.SIGINT)  # the user's own
