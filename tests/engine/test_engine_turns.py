"""Turns with real kernels: repairs, limits, state along a conversation, pictures, cancelling."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from magic_ext.client.errors import ApiError, BadRequest, NotFound
from magic_ext.client.interactions import Client
from magic_ext.engine.service import Engine
from magic_ext.wire.events import InteractionCompleted, StepDelta
from magic_ext.wire.interaction import Interaction
from magic_ext.wire.steps import CodeExecutionCall, CodeExecutionResult, FunctionCall, ModelOutput

Script = Callable[..., str]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    """Write a dialogue, get the name of the model that replays it."""

    def write(*turns: list[list[dict[str, Any]]]) -> str:
        path = tmp_path / f"talk{len(list(tmp_path.iterdir()))}.json"
        path.write_text(json.dumps(turns))
        return f"scripted:{path}"

    return write


def _ask(client: Client, model: str, question: Any = "?", **more: Any) -> Interaction:
    tools = [{"type": "code_execution"}]
    return client.create({"model": model, "input": question, "tools": tools, **more})


def _results(interaction: Interaction) -> list[tuple[str, bool]]:
    return [(step.text, step.is_error) for step in interaction.steps if isinstance(step, CodeExecutionResult)]


def test_code_is_repaired_until_it_works(client: Client, script: Script) -> None:
    model = script([[{"code": "1/0"}], [{"code": "print(6 * 7)"}], [{"text": "It is 42."}]])
    interaction = _ask(client, model)
    (failed, was_error), worked = _results(interaction)
    assert was_error and "ZeroDivisionError" in failed
    assert worked == ("42\n", False)
    assert interaction.status == "completed"
    assert isinstance(interaction.steps[-1], ModelOutput) and interaction.steps[-1].text == "It is 42."
    assert interaction.usage.total_tool_use_tokens > 0
    usage = interaction.usage
    assert usage.total_tokens == (
        usage.total_input_tokens + usage.total_output_tokens + usage.total_thought_tokens + usage.total_tool_use_tokens
    )


def test_five_new_tries_and_no_more(client: Client, script: Script) -> None:
    interaction = _ask(client, script([[{"code": f"1/0  # {n}"}] for n in range(20)]))
    calls = [step.code for step in interaction.steps if isinstance(step, CodeExecutionCall)]
    assert calls == [f"1/0  # {n}" for n in range(6)]
    assert interaction.status == "incomplete"
    assert "failed 6 times" in interaction.errors[0]["message"]


def test_state_lives_along_a_conversation_and_a_branch_has_its_own(client: Client, script: Script) -> None:
    model = script([[{"code": "x = [1]"}], []], [[{"code": "x.append(2); print(x)"}], []])
    other = script([[]], [[{"code": "x.append(3); print(x)"}], []])
    first = _ask(client, model)
    second = _ask(client, model, previous_interaction_id=first.id)
    branch = _ask(client, other, previous_interaction_id=first.id)
    assert _results(second) == [("[1, 2]\n", False)]
    assert _results(branch) == [("[1, 3]\n", False)]


def test_a_conversation_goes_on_in_another_engine(client: Client, engine: Engine, script: Script) -> None:
    from magic_ext.client.endpoint import Endpoint
    from magic_ext.engine.embedded import open_engine
    from magic_ext.engine.transport import EngineTransport

    model = script([[{"code": "x = 41"}], []], [[{"code": "print(x + 1)"}], []])
    first = _ask(client, model)
    later = open_engine(local=True)
    try:
        with Client(Endpoint(base_url="http://engine.localhost"), transport=EngineTransport(later)) as second:
            assert _results(_ask(second, model, previous_interaction_id=first.id)) == [("42\n", False)]
    finally:
        later.close()


def test_a_kernel_that_dies_is_replaced_and_brought_up_to_date(client: Client, script: Script) -> None:
    die = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"
    model = script(
        [[{"code": "x = 41"}], []], [[{"code": "y = x"}], [{"code": die}], [{"code": "print(x + 1, y)"}], []]
    )
    first = _ask(client, model)
    results = _results(_ask(client, model, previous_interaction_id=first.id))
    assert [is_error for _, is_error in results] == [False, True, False]
    assert results[-1] == ("42 41\n", False)


def test_attached_data_is_there_under_its_name(client: Client, script: Script, penguins_csv: Path) -> None:
    content = [
        {"type": "document", "data": base64.b64encode(penguins_csv.read_bytes()).decode(), "mime_type": "text/csv"},
        {"type": "text", "text": "How many rows?"},
    ]
    model = script([[{"code": "import pandas as pd\nprint(len(pd.read_csv('input_file_0.csv')))"}], []])
    assert _results(_ask(client, model, content)) == [("344\n", False)]


def test_figures_come_as_images_behind_the_result(client: Client, script: Script) -> None:
    code = "import matplotlib.pyplot as plt\nprint('drawn')\nplt.plot([1, 2])\nplt.show()"
    interaction = _ask(client, script([[{"text": "I draw."}, {"code": code}], [{"text": "Drawn."}]]))
    assert [type(step).__name__ for step in interaction.steps] == [
        *("ModelOutput", "CodeExecutionCall", "CodeExecutionResult", "ModelOutput", "ModelOutput")
    ]
    picture = interaction.steps[3]
    assert isinstance(picture, ModelOutput)
    assert picture.content[0].content.startswith(b"\x89PNG")  # type: ignore[union-attr]
    assert _results(interaction) == [("drawn\n", False)]


def test_printed_text_streams_while_the_code_runs(client: Client, script: Script) -> None:
    code = "import time\nfor n in range(3):\n    print(n, flush=True)\n    time.sleep(0.3)"
    pieces: list[str] = []
    for event in client.stream(
        {"model": script([[{"code": code}], []]), "input": "?", "tools": [{"type": "code_execution"}], "stream": True}
    ):
        if isinstance(event, StepDelta) and event.delta.get("result"):
            pieces.append(event.delta["result"])
    assert "".join(pieces) == "0\n1\n2\n"
    assert len(pieces) > 1


def test_a_closed_stream_stops_the_code(client: Client, engine: Engine, script: Script) -> None:
    model = script([[{"code": "import time\nprint('begun', flush=True)\ntime.sleep(25)"}], []])
    body = {"model": model, "input": "?", "tools": [{"type": "code_execution"}], "stream": True}
    events = client.stream(body)
    asked = ""
    for event in events:
        asked = asked or getattr(getattr(event, "interaction", None), "id", "")
        if isinstance(event, StepDelta) and event.delta.get("result"):
            break
    events.close()  # type: ignore[attr-defined]
    job = engine.job(asked)
    assert job.wait(15)
    assert job.document["status"] == "cancelled"
    with pytest.raises(BadRequest, match="cancelled"):
        _ask(client, model, previous_interaction_id=asked)


def test_cancel_from_another_thread(client: Client, engine: Engine, script: Script) -> None:
    model = script([[{"code": "import time\ntime.sleep(25)"}], []])
    job, _, _ = engine.create({"model": model, "input": "?", "tools": [{"type": "code_execution"}]})
    threading.Timer(1.0, lambda: engine.cancel(job.id)).start()
    began = time.monotonic()
    assert job.wait(20)
    assert job.document["status"] == "cancelled"
    assert time.monotonic() - began < 20


def test_function_calls_end_the_turn(client: Client, script: Script) -> None:
    model = script([[{"function_call": {"name": "weather", "arguments": {"city": "Kyiv"}}}], [{"text": "Cold."}]])
    asked = client.create({"model": model, "input": "?", "tools": [{"type": "function", "name": "weather"}]})
    (call,) = asked.steps
    assert asked.status == "requires_action"
    assert isinstance(call, FunctionCall) and call.arguments == {"city": "Kyiv"}
    answer = client.create(
        {
            "model": model,
            "previous_interaction_id": asked.id,
            "input": [{"type": "function_result", "call_id": call.id, "name": "weather", "result": "-3"}],
        }
    )
    assert answer.steps[-1].text == "Cold."  # type: ignore[union-attr]


def test_a_model_that_fails_ends_as_failed_with_its_reason(client: Client, script: Script) -> None:
    interaction = _ask(client, script([[{"text": "I "}, {"error": "The model broke."}]]))
    assert interaction.status == "failed"
    assert "The model broke." in interaction.errors[0]["message"]
    assert interaction.steps[0].text == "I "  # type: ignore[union-attr]


def test_code_without_the_tool_is_refused(client: Client, script: Script) -> None:
    interaction = client.create({"model": script([[{"code": "1"}]]), "input": "?"})
    assert interaction.status == "failed"
    assert not _results(interaction)


def test_thoughts_come_on_request_only(client: Client, script: Script) -> None:
    model = script([[{"thought": "Hm."}, {"text": "Yes."}]])
    assert len(_ask(client, model).steps) == 1
    assert len(_ask(client, model, generation_config={"thinking_summaries": "auto"}).steps) == 2


def test_unstored_interactions_are_gone(client: Client, script: Script) -> None:
    model = script([[{"text": "Hi."}]])
    interaction = _ask(client, model, store=False)
    with pytest.raises(NotFound):
        _ask(client, model, previous_interaction_id=interaction.id)


def test_errors_reach_the_client_by_their_kind(client: Client) -> None:
    with pytest.raises(NotFound, match="not served"):
        _ask(client, "gemini-3-flash-preview")
    with pytest.raises(BadRequest, match="empty"):
        _ask(client, "offline-planner", [])
    with pytest.raises(ApiError, match="to continue"):
        _ask(client, "offline-planner", previous_interaction_id="v1_nothing")


def test_the_planner_answers_about_a_real_table(client: Client, penguins_csv: Path) -> None:
    content = [
        {
            "type": "document",
            "uri": penguins_csv.as_uri(),
            "mime_type": "text/csv",
            "name": "data/penguins.csv",
            "load": 'penguins = pd.read_csv("data/penguins.csv")',
        },
        {"type": "text", "text": "What is the mean body mass by species in `data/penguins.csv`, as a bar chart?"},
    ]
    events = list(
        client.stream(
            {"model": "offline-planner", "input": content, "tools": [{"type": "code_execution"}], "stream": True}
        )
    )
    assert isinstance(events[-1], InteractionCompleted)
    told = json.dumps(engine_steps(client, events[-1].interaction.id))
    assert "5076.02" in told and "3700.66" in told
    assert "image/png" in told


def engine_steps(client: Client, id: str) -> object:
    return client._open("GET", f"interactions/{id}", None).read().decode()
