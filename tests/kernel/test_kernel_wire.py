"""What goes over the wire for a cell, and what a Google-like stream becomes below it."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

PNG = base64.b64encode(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
    )
).decode()
USAGE = {
    "total_input_tokens": 22,
    "total_output_tokens": 590,
    "total_tool_use_tokens": 198,
    "total_thought_tokens": 1173,
    "total_tokens": 1983,
}
CODE = "import pandas as pd\nprint(sum(range(1, 11)))"
STEPS = (
    (
        {"type": "thought"},
        [
            {"type": "thought_summary", "content": {"type": "text", "text": "**Plan** Add them up."}},
            {"type": "thought_signature", "signature": "c2ln"},
        ],
    ),
    (
        {"type": "code_execution_call", "id": "call-1", "signature": ""},
        [{"type": "code_execution_call", "arguments": {"code": CODE, "language": "python"}}],
    ),
    (
        {"type": "code_execution_result", "call_id": "call-1", "signature": ""},
        [{"type": "code_execution_result", "result": "55\n", "is_error": False}],
    ),
    (
        {"type": "model_output"},
        [
            {"type": "text", "text": "The sum is "},
            {"type": "text", "text": "**55**."},
            {"type": "image", "data": PNG, "mime_type": "image/png"},
        ],
    ),
)


@pytest.fixture(autouse=True)
def _plain_settings(notebook: Any) -> Iterator[None]:
    yield
    notebook.do(
        "for _name in ('model', 'system', 'stream', 'headers', 'api_version', 'thinking'):\n"
        "    _magics = get_ipython().magics_manager.registry['GeminiExecMagics']\n"
        "    setattr(_magics, _name, type(_magics).class_traits()[_name].default())"
    )


def text_of(body: dict[str, Any]) -> str:
    """The last text of the input: the prompt as it went out."""
    match body["input"]:
        case str(text):
            return text
        case [*_, {"type": "user_input", "content": [*_, {"text": text}]}]:
            return str(text)
        case [*_, {"text": text}]:
            return str(text)
    pytest.fail(f"no text in {body['input']!r:.300}")


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_the_happy_path(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any, key: str, live: bool
) -> None:
    server = asked_at(google(*STEPS, usage=USAGE))
    ran = notebook.run("%%gemini_exec --show-thoughts -o answer\nWhat is the sum of 1 to 10?", live=live)
    assert ran.status == "ok"
    assert ran.of("error") == []
    [seen] = server.seen
    assert (seen.method, seen.target) == ("POST", "/v1beta/interactions")
    assert seen.headers["x-goog-api-key"] == key
    assert seen.headers["api-revision"] == "2026-05-20"
    assert seen.headers["content-type"] == "application/json"
    assert "text/event-stream" in seen.headers["accept"]
    assert key.encode() not in seen.body
    body = body_of(seen)
    assert body["model"] == "gemini-3-flash-preview"
    assert body["tools"] == [{"type": "code_execution"}]
    assert body["stream"] is True
    assert body["generation_config"] == {"thinking_summaries": "auto"}
    assert "previous_interaction_id" not in body
    assert text_of(body) == "What is the sum of 1 to 10?"

    markdown = [data.get("text/markdown", "") for data in ran.outputs]
    assert any("Add them up." in one and "<details" in one for one in markdown)
    assert any(one.startswith("```python") and "range(1, 11)" in one for one in markdown)
    assert "The sum is **55**." in markdown
    assert {"text/plain": "55"} in ran.outputs
    [image] = [data["image/png"] for data in ran.outputs if "image/png" in data]
    assert base64.b64decode(image) == base64.b64decode(PNG)
    assert "gemini-3-flash-preview" in ran.outputs[-1]["text/plain"]

    assert notebook.value("answer.text") == "The sum is **55**."
    assert notebook.value("answer.code") == [CODE]
    assert notebook.value("answer.results") == ["55\n"]
    assert notebook.value("len(answer.images)") == 1
    assert notebook.value("answer is _gemini")
    assert notebook.value("answer.usage.total_tokens") == USAGE["total_tokens"]
    assert "1,983" in notebook.do("%gemini usage") or "3,966" in notebook.do("%gemini usage")


def test_the_magic_returns_nothing(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    asked_at(google(*STEPS))
    ran = notebook.run("%%gemini_exec\nWhat is the sum of 1 to 10?")
    assert ran.of("execute_result") == []


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_a_live_cell_ends_as_a_static_one(notebook: Any, asked_at: Callable[..., Any], google: Any, live: bool) -> None:
    asked_at(google(*STEPS))
    first = notebook.run("%%gemini_exec\nWhat is the sum of 1 to 10?")
    other = notebook.run("%%gemini_exec\nWhat is the sum of 1 to 10?", live=live)
    assert [sorted(data) for data in first.outputs] == [sorted(data) for data in other.outputs]
    assert first.outputs[1:-1] == other.outputs[1:-1]
    assert live == bool(other.of("update_display_data"))


def test_deltas_are_drawn_while_they_come(notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace) -> None:
    def script(to: Any) -> None:
        faults.streamed(faults.sse(faults.CREATED, faults.START), end=b"")(to)
        time.sleep(0.3)  # a front end gets ten messages a second
        to.send(faults.chunk(faults.sse(faults.DELTA)))
        waited.append(drawn.wait(faults.PATIENCE))
        to.send(faults.chunk(faults.sse(faults.STOP, faults.COMPLETED)) + b"0\r\n\r\n")

    drawn = threading.Event()
    waited: list[bool] = []
    asked_at(script)
    begun = notebook.begin("%%gemini_exec\nhi", live=True)
    while "Grüße" not in json.dumps(notebook.hear(begun)["content"], default=str, ensure_ascii=False):
        pass
    drawn.set()  # only now does the server go on
    assert notebook.finish(begun).status == "ok"
    assert waited == [True]


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_thoughts_only_when_asked_for(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any, live: bool
) -> None:
    server = asked_at(google(*STEPS[1:]))
    notebook.run("%%gemini_exec\nhi", live=live)
    assert "generation_config" not in body_of(server.seen[0])


@pytest.mark.parametrize(
    ("options", "path", "expected"),
    [
        ("--thinking low", ("generation_config", "thinking_level"), "low"),
        ("--thinking=high --show-thoughts", ("generation_config", "thinking_level"), "high"),
        ("-m gemini-4-argon", ("model",), "gemini-4-argon"),
        ("--no-code", ("tools",), None),
        ("--no-code --system 'Be brief.'", ("system_instruction",), "Be brief."),
        ("--no-code", ("system_instruction",), None),
        ("--run google", ("tools",), [{"type": "code_execution"}]),
    ],
)
def test_options_in_the_body(
    notebook: Any,
    asked_at: Callable[..., Any],
    google: Any,
    body_of: Any,
    options: str,
    path: tuple[str, ...],
    expected: Any,
) -> None:
    server = asked_at(google(*STEPS))
    assert notebook.run(f"%%gemini_exec {options}\nhi").status == "ok"
    found: Any = body_of(server.seen[0])
    for name in path:
        found = (found or {}).get(name)
    assert found == expected


def test_settings_in_the_request(notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any) -> None:
    server = asked_at(google(*STEPS))
    notebook.do(
        "%config GeminiExecMagics.system = 'Answer in German.'\n%config GeminiExecMagics.thinking = 'medium'\n"
        "%config GeminiExecMagics.model = 'gemini-4-argon'\n%config GeminiExecMagics.api_version = 'v1'\n"
        "%config GeminiExecMagics.headers = {'x-team': 'data'}"
    )
    notebook.run("%%gemini_exec\nhi")
    [seen] = server.seen
    body = body_of(seen)
    assert seen.target == "/v1/interactions"
    assert seen.headers["x-team"] == "data"
    assert body["model"] == "gemini-4-argon"
    assert "Answer in German." in body["system_instruction"]
    assert body["generation_config"]["thinking_level"] == "medium"


def test_without_streaming(notebook: Any, asked_at: Callable[..., Any], faults: SimpleNamespace, body_of: Any) -> None:
    notebook.do("%config GeminiExecMagics.stream = False")
    step = {"type": "model_output", "content": [{"type": "text", "text": "Forty-two."}]}
    server = asked_at(faults.reply(200, {"id": "v1_b", "status": "completed", "steps": [step], "usage": USAGE}))
    ran = notebook.run("%%gemini_exec -o whole\nhi")
    assert ran.status == "ok"
    assert "Forty-two." in ran.text
    assert not body_of(server.seen[0]).get("stream")
    assert notebook.value("[whole.interaction_id, whole.usage.total_tokens]") == ["v1_b", 1983]


def test_a_conversation(notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any) -> None:
    server = asked_at(*(google(*STEPS, id=f"v1_{name}") for name in "abcde"))
    ask = ["", "-c --system 'Be brief.'", "-c=other", "-c", "-c=other"]
    for options in ask:
        assert notebook.run(f"%%gemini_exec {options}\nAnd now?").status == "ok"
    bodies = [body_of(seen) for seen in server.seen]
    before = [body.get("previous_interaction_id") for body in bodies]
    assert before == [None, "v1_a", None, "v1_c", "v1_d"], "what goes on from a thread belongs to it"
    for body in bodies:  # carried over are inputs and outputs only: the rest has to be said again
        assert body["tools"] == [{"type": "code_execution"}]
        assert "Jupyter notebook" in body["system_instruction"]
    assert "Be brief." in bodies[1]["system_instruction"]


def test_a_conversation_across_places(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(google(*STEPS))
    notebook.run("%%gemini_exec\nhi")
    line = notebook.refuses("%%gemini_exec -c -m offline-planner\nAnd now?")
    assert "this computer does not know it" in line
    assert "-m" in line
    here = notebook.run("%%gemini_exec -m offline-planner\nWhat is the sum of the first 50 prime numbers?")
    assert "5117" in here.text
    assert "Leave out -c" in notebook.refuses("%%gemini_exec -c\nAnd now?")
    assert len(server.seen) == 1


def test_a_failed_question_does_not_break_the_conversation(
    notebook: Any, asked_at: Callable[..., Any], google: Any, faults: SimpleNamespace, body_of: Any
) -> None:
    server = asked_at(google(*STEPS, id="v1_good"), faults.reply(400, {"error": {"code": "x", "message": "No."}}),
                      google(*STEPS))  # fmt: skip
    notebook.run("%%gemini_exec\nhi")
    notebook.fails("%%gemini_exec -c\nbad")
    assert notebook.run("%%gemini_exec -c\nAnd now?").status == "ok"
    assert body_of(server.seen[2])["previous_interaction_id"] == "v1_good"


VERBATIM = [
    'Explain {"a": {b}} and {name} and {{ jinja }} and {%% block %%}.',
    "What do $HOME, $x, $$x$$ and !ls mean?",
    "100 % of %matplotlib and %%time, and 5%2",
    r"Solve $\int_0^1 \frac{x}{2}\,dx$ and \alpha \\ \n \t",
    "Write to bob@example.org or <ann.lee+x@mail.example.com>.",
    "Why does `@property` not work?\n```python\n@property\ndef x(self): ...\n```",
    "@dataclass\nclass A:\n    x: int\n\nWhat does this do?",
    "Compare `@sales` with `x @ y`; a @ b is a product.",
    "Übung macht den Meister \u2028 \U0001f600 \u202e x",
    "'single' \"double\" '''triple''' \"\"\"triple\"\"\" \\",
    "# a heading\n\n    indented\n\ttabbed\n-c --run local -m x",
    "    indented from the start\x0b\x0c\x85 on",
    "?help ??more x? object??",
]


@pytest.mark.parametrize("prompt", VERBATIM)
def test_prompts_go_out_as_they_are_written(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any, prompt: str
) -> None:
    notebook.do("x = 'EXPANDED'; name = 'EXPANDED'; b = 'EXPANDED'")
    server = asked_at(google(*STEPS))
    ran = notebook.run(f"%%gemini_exec --system 'Say {{x}} and $x.'\n{prompt}")
    assert ran.status == "ok", ran.of("error")
    body = body_of(server.seen[0])
    assert text_of(body) == prompt
    assert body["system_instruction"].endswith("Say {x} and $x.")


def test_a_doubled_at_is_one(notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any) -> None:
    server = asked_at(google(*STEPS))
    notebook.run("%%gemini_exec\nPing @@slaes.")
    assert text_of(body_of(server.seen[0])) == "Ping @slaes."


def test_marks_of_nbval_stay_here(notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any) -> None:
    server = asked_at(google(*STEPS))
    notebook.run("%%gemini_exec\n# NBVAL_IGNORE_OUTPUT\nhi\n  # NBVAL_SKIP")
    assert text_of(body_of(server.seen[0])) == "hi"


def test_a_table_goes_along(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any, penguins_csv: Path
) -> None:
    server = asked_at(google(*STEPS))
    notebook.do(f"import pandas as pd; penguins = pd.read_csv({str(penguins_csv)!r})")
    notebook.run("%%gemini_exec\nMean body mass in @penguins[species,body_mass_g]:head(3)?")
    sent = json.dumps(body_of(server.seen[0]))
    assert "body_mass_g" in sent
    assert "bill_length_mm" not in sent


def test_a_dry_run_sends_nothing(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(google(*STEPS))
    ran = notebook.run("%%gemini_exec --dry-run\nhi")
    assert ran.status == "ok"
    assert "status: not sent" in ran.text
    assert server.seen == []
