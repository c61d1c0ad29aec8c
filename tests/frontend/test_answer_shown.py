"""An answer that is the value of a cell: text, code and results, neutralised."""

from __future__ import annotations

from magic_ext.answer import Answer
from magic_ext.references.manifest import Manifest
from magic_ext.wire.content import Text
from magic_ext.wire.steps import CodeExecutionCall, CodeExecutionResult, ModelOutput

SENT = Manifest(destination="here", remote=False, prompt_bytes=1, prompt_tokens=1)


def test_an_answer_shows_text_code_and_results_in_order() -> None:
    steps = (
        ModelOutput((Text("So: <script>alert(1)</script>"),)),
        CodeExecutionCall("c", "print('```')"),
        CodeExecutionResult("c", (Text("```\x1b[31m\n"),)),
        ModelOutput((Text("Done."),)),
    )
    shown = Answer(steps=steps, sent=SENT)._repr_mimebundle_()
    assert shown["text/markdown"] == (
        "So: <\u2060script>alert(1)<\u2060/script>\n\n````python\nprint('```')\n````\n\n````text\n```\n````\n\nDone."
    )
    assert shown["text/plain"].startswith("So: <script>")
    assert "\x1b" not in shown["text/plain"]


def test_an_empty_answer_has_a_plain_text() -> None:
    assert Answer(steps=(), sent=SENT)._repr_mimebundle_()["text/plain"].startswith("<Answer by")
