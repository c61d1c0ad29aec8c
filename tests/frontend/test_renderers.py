"""Renderers: in a real kernel, live and static; in memory with a clock in hand; in a terminal."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from magic_ext.frontend.bundles import Footer, Output
from magic_ext.frontend.cells import Cell
from magic_ext.frontend.layout import final_outputs, layout
from magic_ext.frontend.renderers.live import Live, Pace
from magic_ext.frontend.renderers.static import Static
from magic_ext.frontend.renderers.terminal import Terminal
from magic_ext.references.manifest import Entry, Manifest
from magic_ext.runtime.outputs import Collector
from magic_ext.wire.content import Annotation, Image, RawContent, Text
from magic_ext.wire.steps import (
    CodeExecutionCall,
    CodeExecutionResult,
    ModelOutput,
    RawStep,
    Step,
    Thought,
    decode_steps,
    encode_step,
)
from magic_ext.wire.usage import Usage

MANIFEST = Manifest(
    destination="a.example",
    remote=True,
    prompt_bytes=80,
    prompt_tokens=20,
    entries=(
        Entry(name="sales", kind="DataFrame", policy="sample", rows=3412118, columns=4, rows_sent=2000, bytes=12_320),
    ),
)
FOOTER = Footer(
    model="scripted",
    place="Google's sandbox",
    rows_line="2,000 of 3,412,118 rows",
    sent_line="sent 12.4 kB to a.example",
    seconds=3.2,
    usage=Usage(total_tokens=1234),
    interaction_id="v1_x",
    cells={0: (Cell("a = 1", block=1), Cell("b = 2", block=2)), 1: (Cell("a = 1", block=1),)},
)


def _text(text: str) -> ModelOutput:
    return ModelOutput((Text(text),))


def _course(png: str) -> list[Step]:
    """An answer with everything: text, a first failure, a retry with figure, thoughts, a step of the future."""
    return [
        Thought("sig", (Text("I think about <b>it</b>."),)),
        _text("First I look.\n\n" + "\n\n".join(f"Paragraph {n}: " + "word " * 60 for n in range(30))),
        CodeExecutionCall("c1", "1/0"),
        CodeExecutionResult("c1", (Text("Traceback\nZeroDivisionError: division by zero"),), is_error=True),
        CodeExecutionCall("c2", "plt.title('Sales <by> month')\nprint(2)"),
        CodeExecutionResult("c2", (Text("\x1b[32m2\x1b[0m\n"),)),
        ModelOutput((Image(png, mime_type="image/png"), Text("The result is **2**. <script>alert(1)</script>"))),
        RawStep({"type": "telepathy", "waves": "<img src=x onerror=alert(1)>"}),
    ]


def _deltas(steps: Sequence[Step], size: int = 40) -> Iterator[tuple[int, Step, bool]]:
    """Each step as it grows."""
    for index, step in enumerate(steps):
        if isinstance(step, ModelOutput) and step.text and len(step.content) == 1:
            for end in range(size, len(step.text), size):
                yield index, _text(step.text[:end]), False
        yield index, step, True


SETUP = """
from magic_ext.frontend.renderers import choose_renderer
from magic_ext.wire.steps import decode_steps, ModelOutput
from magic_ext.wire.content import Text
import msgspec, sys
from magic_ext.frontend.bundles import Footer
from magic_ext.references.manifest import Manifest
def draw(manifest, footer, steps, abandon=""):
    ip = get_ipython()
    renderer = choose_renderer(ip)
    manifest, footer = msgspec.convert(manifest, Manifest), msgspec.convert(footer, Footer)
    steps = decode_steps(steps)
    renderer.start(manifest)
    renderer.status("running the code")
    for index, step in enumerate(steps):
        if isinstance(step, ModelOutput) and step.text:
            for end in range(1, len(step.text), 97):
                renderer.update(index, lambda: ModelOutput((Text(step.text[:end]),)), False)
        renderer.update(index, lambda: step, True)
    renderer.abandon(abandon, footer, steps) if abandon else renderer.finish(footer, steps)
"""


@pytest.fixture(scope="module")
def draw(run: Any) -> Callable[..., Any]:
    import msgspec

    assert run(SETUP).reply["status"] == "ok"

    def execute(steps: Sequence[Step], *, cell_id: str = "", note: str = "") -> Any:
        encoded = [encode_step(step) for step in steps]
        arguments = [msgspec.to_builtins(MANIFEST), msgspec.to_builtins(FOOTER), encoded, note]
        reply = run(f"draw(*{arguments!r})", cell_id)
        assert reply.reply["status"] == "ok", reply.reply
        return reply

    return execute


def _comparable(outputs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Outputs without what may vary: the metadata, and seconds and tokens in the footer."""
    data = [dict(output["data"]) for output in outputs]
    for kind in ("text/plain", "text/markdown"):
        data[-1][kind] = data[-1][kind].replace(" · 3.2 s · 1,234 tokens", "")
    return data


def test_live_and_static_leave_the_same_behind(draw: Callable[..., Any], png: str) -> None:
    live = draw(_course(png), cell_id="0b1c")
    static = draw(_course(png))
    assert _comparable(live.outputs()) == _comparable(static.outputs())
    assert live.of_type("update_display_data")
    assert not static.of_type("update_display_data", "clear_output", "comm_open")
    assert "3.2 s" in live.outputs()[-1]["data"]["text/plain"]
    assert "3.2 s" not in static.outputs()[-1]["data"]["text/plain"]


def test_an_interrupted_answer_keeps_what_arrived_live_and_static(draw: Callable[..., Any], png: str) -> None:
    steps = _course(png)[:3]
    live = draw(steps, cell_id="0b1c", note="Interrupted: this is not the whole answer.").outputs()
    static = draw(steps, note="Interrupted: this is not the whole answer.").outputs()
    assert _comparable(live) == _comparable(static)
    assert live[-3]["data"]["text/plain"] == "Interrupted: this is not the whole answer."
    assert "First I look." in live[2]["data"]["text/plain"]


def test_what_the_kernel_sends_passes_notebook_validation(draw: Callable[..., Any], png: str) -> None:
    import nbformat.v4 as nb
    from nbformat import validate

    outputs = [nb.new_output("display_data", **output) for output in draw(_course(png)).outputs()]
    validate(nb.new_notebook(cells=[nb.new_code_cell("x", outputs=outputs)]))


def test_nothing_that_lasts_lives_in_a_widget(draw: Callable[..., Any], png: str) -> None:
    live = draw(_course(png), cell_id="0b1c")
    first = live.of_type("display_data")[0]
    assert "application/vnd.jupyter.widget-view+json" in first["data"]
    assert not any("widget" in kind for output in live.outputs() for kind in output["data"])
    assert "tokens to a.example" in live.outputs()[0]["data"]["text/markdown"]
    said = [message["data"].get("state", {}).get("value") for message in live.of_type("comm_msg")]
    assert '<span class="gemini-exec-progress">running the code</span>' in said
    assert live.of_type("comm_close")


def test_progress_falls_back_to_text_without_widgets(run: Any, draw: Callable[..., Any]) -> None:
    run("import sys; kept = sys.modules.get('ipywidgets'); sys.modules['ipywidgets'] = None")
    try:
        live = draw([_text("hi")], cell_id="0b1c")
    finally:
        run("sys.modules.pop('ipywidgets'); sys.modules.update({'ipywidgets': kept} if kept else {})")
    assert live.of_type("display_data")[0]["data"] == {"text/plain": "Asking a.example …"}
    assert not live.of_type("comm_open")
    assert any(update["data"] == {"text/plain": "running the code"} for update in live.of_type("update_display_data"))


# --- in memory ----------------------------------------------------------------------------------------------------


class Screen:
    """A front end: remembers what was shown when."""

    def __init__(self) -> None:
        self.now = 0.0
        self.outputs: dict[str, Output] = {}
        self.sent: list[tuple[float, str, bool]] = []

    def __call__(self, output: Output, *, display_id: str = "", update: bool = False) -> None:
        display_id = display_id or str(len(self.outputs))
        assert update == (display_id in self.outputs)
        self.outputs[display_id] = output
        self.sent.append((self.now, display_id, update))


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    monkeypatch.setitem(__import__("sys").modules, "ipywidgets", None)
    return Screen()


def _live(screen: Screen) -> Live:
    live = Live(screen, lambda: screen.now)
    live.start(MANIFEST)
    return live


def test_at_most_ten_draws_a_second_and_the_end_is_drawn(screen: Screen) -> None:
    live = _live(screen)
    calls = 0

    def snapshot() -> Step:
        nonlocal calls
        calls += 1
        return _text("word " * calls)

    for delta in range(1, 2001):  # 500 deltas a second
        screen.now = delta / 500
        live.update(0, snapshot, False)
    assert 30 <= calls <= 41
    for start in range(40):
        drawn = {at for at, _, _ in screen.sent if start / 10 < at <= start / 10 + 1}
        assert len(drawn) <= 10
    live.finish(FOOTER, (_text("the end"),))
    assert [output.plain for output in screen.outputs.values()][1] == "the end"


def test_the_last_words_of_a_step_do_not_wait_for_the_next_event(screen: Screen) -> None:
    live = _live(screen)
    live.update(0, lambda: _text("The answer"), False)
    screen.now = 0.02
    live.update(0, lambda: _text("The answer is 42."), True)
    assert [output.plain for output in screen.outputs.values()][1] == "The answer is 42."


def test_a_flood_of_finished_steps_is_no_flood_of_messages() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    allowed = []
    for step in range(5000):
        now = step / 1000
        if pace.allows(ended=True):
            allowed.append(now)
    assert all(sum(start <= at < start + 1 for at in allowed) <= 10 for start in allowed)
    assert len(allowed) >= 40


def test_finished_outputs_are_never_touched_again(screen: Screen) -> None:
    live = _live(screen)
    text = "\n\n".join(f"Paragraph {n}: " + "word " * 40 for n in range(200))
    for end in range(0, len(text), 50):
        screen.now += 0.1
        live.update(0, lambda end=end: _text(text[:end]), False)  # type: ignore[misc]
    live.finish(FOOTER, (_text(text),))
    order = list(screen.outputs)
    assert len(order) > 10
    for number, display_id in enumerate(order[1:-1], start=1):
        later = [at for at, sent, update in screen.sent if sent == order[number + 1] and not update]
        assert all(at <= later[0] for at, sent, _ in screen.sent if sent == display_id)


def test_any_course_of_deltas_ends_as_static_would(png: str) -> None:
    steps = _course(png)
    screen, static = Screen(), []
    live = _live(screen)
    for index, step, done in _deltas(steps):
        screen.now += 0.03
        live.update(index, lambda step=step: step, done)  # type: ignore[misc]
    live.finish(FOOTER, steps)
    renderer = Static(lambda output, display_id="", update=False: static.append(output))
    renderer.start(MANIFEST)
    renderer.finish(FOOTER, steps)
    assert list(screen.outputs.values())[:-1] == static[:-1]


def test_a_second_failure_folds_away(draw: Callable[..., Any]) -> None:
    failing = [
        step
        for n in range(3)
        for step in (
            CodeExecutionCall(f"c{n}", f"fail({n})"),
            CodeExecutionResult(f"c{n}", (Text(f"Traceback\nNameError: {n}"),), is_error=True),
        )
    ]
    steps = [*failing, CodeExecutionCall("ok", "print(1)"), CodeExecutionResult("ok", (Text("1"),))]
    live = draw(steps, cell_id="0b1c")
    assert live.of_type("clear_output")
    assert _comparable(live.outputs()) == _comparable(draw(steps).outputs())
    plain = [output["data"]["text/plain"] for output in live.outputs()]
    assert plain[1:4] == ["print(1)", "[3 failed attempts]\nNameError: 0\nNameError: 1\nNameError: 2", "1"]


# --- layout -------------------------------------------------------------------------------------------------------


def test_the_last_failure_stands_in_full() -> None:
    steps = decode_steps(
        [
            {"type": "code_execution_call", "id": "c1", "arguments": {"code": "1/0"}},
            {"type": "code_execution_result", "call_id": "c1", "result": "before\n"},
            {"type": "code_execution_result", "call_id": "c1", "result": "ZeroDivisionError", "is_error": True},
        ]
    )
    assert [output.plain for output in layout(steps)] == ["1/0", "The code failed:\nbefore\nZeroDivisionError"]


def test_figures_have_a_text_and_only_real_pictures_are_shown(png: str) -> None:
    svg = "PHN2ZyBvbmxvYWQ9YWxlcnQoMSk+"
    steps = [
        CodeExecutionCall("c", "ax.set_title('Sales')"),
        ModelOutput((Image(png), Image(svg, mime_type="image/png"), Image(uri="https://e.example/<b>.png"))),
    ]
    figure, fake, linked = layout(steps)[1:]
    assert figure.metadata == {"image/png": {"alt": "Figure 1: Sales"}}
    assert figure.plain == "[Figure 1: Sales; _gemini.images[0]]"
    assert list(fake.data) == ["text/plain"]
    assert set(linked.data) == {"text/markdown", "text/plain"}
    assert "![" not in linked.data["text/markdown"]


def test_long_results_are_cut_in_the_middle_and_say_where_all_is() -> None:
    long = "\n".join(f"row {n}" for n in range(5000))
    shown = layout([CodeExecutionCall("c", "x"), CodeExecutionResult("c", (Text(long),))])[1].plain
    assert shown.startswith("row 0\n")
    assert shown.endswith("row 4999")
    assert "_gemini.results[0]" in shown
    assert len(shown) < 7000
    wide = layout([CodeExecutionCall("c", "x"), CodeExecutionResult("c", (Text("x" * 10**6),))])[1].plain
    assert len(wide) < 7000


@pytest.mark.parametrize("count", [10, 100, 1000])
def test_never_more_outputs_than_jupyterlab_shows(count: int) -> None:
    steps: list[Step] = []
    for n in range(count):
        steps += [
            CodeExecutionCall(f"c{n}", f"print({n})"),
            CodeExecutionResult(f"c{n}", (Text(str(n)),)),
            _text(f"T{n}"),
        ]
    outputs = final_outputs(MANIFEST, steps, FOOTER, note="cut")
    assert len(outputs) <= 50
    assert f"T{count - 1}" in "".join(output.plain for output in outputs)


def test_a_book_of_text_stays_within_the_limit() -> None:
    text = "\n\n".join("word " * 100 for _ in range(2000))
    assert len(layout([_text(text)])) <= 44


def test_no_code_was_executed_is_said_only_when_code_was_asked_for() -> None:
    def closing(**changes: Any) -> str:
        import msgspec

        footer = msgspec.structs.replace(FOOTER, cells={}, **changes)
        return final_outputs(MANIFEST, [_text("I computed it: 42.")], footer)[-2].plain

    assert closing() == "No code was executed."
    assert closing(code_expected=False) == "I computed it: 42."


def test_cited_pages_are_named_below_the_text() -> None:
    cited = Text(
        "So it is.", (Annotation(url="https://e.example/a", title="A [b] <c>"), Annotation(url="javascript:x"))
    )
    shown = layout([ModelOutput((cited,))])[1].data["text/markdown"]
    assert "1. [A &#91;b&#93; \\<\u2060c\\>](https://e.example/a)" in shown
    assert "<javascript:" not in shown


def test_what_is_unknown_is_folded_not_lost() -> None:
    steps = [RawStep({"type": "telepathy", "n": 1}), ModelOutput((RawContent({"type": "hologram"}),))]
    shown = [output.data["text/markdown"] for output in layout(steps)]
    assert all(markdown.startswith("<details><summary>Step: ") for markdown in shown)
    assert '"n": 1' in shown[0]
    assert "hologram" in shown[1]


def test_the_receipt_counts_everything_and_escapes_names() -> None:
    entry = Entry(name='frames["a|b"]', kind="<b>", rows=3, columns=2, rows_sent=3, bytes=100, tokens=25)
    manifest = Manifest(destination="this computer", remote=False, prompt_bytes=20, prompt_tokens=5, entries=(entry,))
    output = final_outputs(manifest, [], FOOTER)[0]
    assert "Receipt: nothing leaves this computer (120 bytes for its own engine)" in output.data["text/markdown"]
    assert '@frames&#91;"a\\|b"&#93;' in output.data["text/markdown"]
    assert "<b>" not in output.data["text/markdown"]


def test_what_varies_stands_in_the_metadata_of_the_footer() -> None:
    output = final_outputs(MANIFEST, [], FOOTER)[-1]
    assert output.metadata["gemini_exec"]["usage"]["total_tokens"] == 1234
    assert output.metadata["gemini_exec"]["interaction_id"] == "v1_x"
    assert output.plain == "scripted · Google's sandbox · 2,000 of 3,412,118 rows · sent 12.4 kB to a.example"


def test_no_output_sets_a_colour(png: str) -> None:
    shown = "".join(str(output.data) for output in final_outputs(MANIFEST, _course(png), FOOTER))
    assert not re.search(r"(?i)color|style=|#[0-9a-f]{6}|\x1b", shown)


# --- terminal -----------------------------------------------------------------------------------------------------


def test_of_a_result_that_was_cut_not_all_is_promised() -> None:
    collector = Collector(9000, lambda _: None)
    collector.add({"msg_type": "stream", "content": {"text": "z" * 9001}})
    cut = [CodeExecutionCall("c1", "print(1)"), CodeExecutionResult("c1", (Text(collector.output),))]
    assert "characters left out; what was kept of it: _gemini.results[0]" in layout(cut)[1].plain
    whole = [CodeExecutionCall("c1", "print(1)"), CodeExecutionResult("c1", (Text("z" * 9000),))]
    assert "characters left out; all of it: _gemini.results[0]" in layout(whole)[1].plain


def test_a_terminal_gets_readable_text_once(png: str) -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.start(MANIFEST)
    steps = _course(png)
    for index, step, done in _deltas(steps, size=7):
        terminal.update(index, lambda step=step: step, done)  # type: ignore[misc]
    terminal.finish(FOOTER, steps)
    shown = stream.getvalue()
    assert shown.count("Paragraph 29") == shown.count("The result is") == shown.count("print(2)") == 1
    assert "--- the code failed ---" in shown
    assert "\x1b" not in shown
    assert "scripted · Google's sandbox" in shown
    path = re.search(r"\[Figure 1: (.+)\]", shown)
    assert path is not None
    assert Path(path[1]).read_bytes().startswith(b"\x89PNG")


def test_a_terminal_writes_what_came_without_deltas_and_the_note(png: str) -> None:
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.start(MANIFEST)
    terminal.abandon("Interrupted.", FOOTER, (_text("Half an ans"),))
    assert "Half an ans\n" in stream.getvalue()
    assert "Interrupted.\n" in stream.getvalue()
