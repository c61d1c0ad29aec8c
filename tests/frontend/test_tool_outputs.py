"""Calls of functions as outputs: folded, harmless whatever stands in them, the same in a terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest

from magic_ext.frontend.bundles import Footer
from magic_ext.frontend.layout import layout
from magic_ext.frontend.renderers.terminal import Terminal
from magic_ext.references.manifest import Manifest
from magic_ext.wire.steps import FunctionCall, FunctionResult, Step

HOSTILE = "<img src=x onerror=alert(1)>\n```\n</details>"


def _result(text: Any, id: str = "f1", **more: Any) -> FunctionResult:
    return FunctionResult(id, "f", [{"type": "text", "text": text}], **more)


def test_a_call_and_its_result_are_one_output() -> None:
    call, other = FunctionCall("f1", "f", {"x": 1}), FunctionCall("f2", "f", {"x": 2})
    [waiting] = layout([call])
    assert waiting.plain == "[f(x=1)]"
    first, second = layout([call, other, _result("two", "f2"), _result("one")])
    assert [first.plain, second.plain] == ["[f(x=1)] one", "[f(x=2)] two"]
    assert first.data["text/markdown"] == (
        "<details><summary>Function: f(x=1)</summary>\n\n```text\none\n```\n\n</details>"
    )


@pytest.mark.parametrize("failed", [False, True])
def test_names_arguments_and_results_are_harmless(failed: bool) -> None:
    call = FunctionCall("f1", "f" + HOSTILE, {HOSTILE: HOSTILE})
    both: list[list[Step]] = [[call, _result(HOSTILE, is_error=failed)], [_result(HOSTILE)]]
    for steps in both:
        [output] = layout(steps)
        head, _, body = output.data["text/markdown"].partition("</summary>")
        assert "<img" not in head
        fences = [line for line in body.split("\n") if line.startswith("````")]
        assert len(fences) in {2, 4} and body.index("<img") > body.index("````")
        assert body.endswith("````\n\n</details>")


def test_a_long_call_is_folded_whole_under_its_beginning() -> None:
    [output] = layout([FunctionCall("f1", "f", {"x": "y" * 300})])
    head, _, body = output.data["text/markdown"].partition("</summary>")
    assert "…" in head and "y" * 200 not in head and "y" * 300 in body


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (None, "null"),
        ("text", "text"),
        (7, "7"),
        ({"a": 1}, '{"a":1}'),
        ([1, 2], "[1,2]"),
        ([{"type": "text", "text": "a"}, {"type": "image", "data": "AAAA"}], "a (with a picture)"),
    ],
)
def test_results_of_any_shape_are_shown(result: Any, shown: str) -> None:
    [output] = layout([FunctionCall("f1", "f"), FunctionResult("f1", "f", result)])
    assert output.plain == f"[f()] {shown}"


def test_a_terminal_tells_them_one_after_the_other() -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.start(Manifest(destination="a.example", remote=True, prompt_bytes=1, prompt_tokens=1))
    steps: list[Step] = [FunctionCall("f1", "f", {"x": 1}), _result("one")]
    for index, step in enumerate(steps):
        terminal.update(index, lambda step=step: step, True)  # type: ignore[misc]
    terminal.finish(Footer(model="m", place="p", code_expected=False), steps)
    assert "[f(x=1)]\n[f returned] one\n" in stream.getvalue()
