"""``response_format``: its shapes read or refused, answers held to it, by a script and by a chat server."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.client.errors import BadRequest
from magic_ext.client.interactions import Client
from magic_ext.engine.asked import read_body
from magic_ext.engine.errors import EngineError
from magic_ext.engine.formats import fault_of, read_format
from magic_ext.engine.models.base import Conversation, JsonFormat
from magic_ext.engine.models.chat import ChatModel
from magic_ext.engine.models.servers import LocalServer
from magic_ext.errors import GeminiExecError
from magic_ext.wire import content, steps
from magic_ext.wire.interaction import Interaction

SUM = {"type": "object", "properties": {"sum": {"type": "integer"}}, "required": ["sum"], "additionalProperties": False}
JSON = "application/json"
TEXT = {"type": "text", "mime_type": JSON, "schema": SUM}
TOOLS = [{"type": "code_execution"}]


@pytest.mark.parametrize(
    ("body", "form"),
    [
        ({}, None),
        ({"response_format": None}, None),
        ({"response_format": {}}, None),
        ({"response_format": []}, None),
        ({"response_format": {"type": "text"}}, None),
        ({"response_format": {"type": "text", "mime_type": "text/plain"}}, None),
        ({"response_format": [{"type": "text"}]}, None),
        ({"response_mime_type": "text/plain", "response_modalities": ["text"]}, None),
        ({"response_modalities": ["TEXT"]}, None),
        ({"response_mime_type": JSON}, JsonFormat()),
        ({"response_format": {"type": "text", "mime_type": JSON}}, JsonFormat()),
        ({"response_format": {"type": "text"}, "response_mime_type": JSON}, JsonFormat()),
        ({"response_format": TEXT}, JsonFormat(SUM)),
        ({"response_format": [TEXT]}, JsonFormat(SUM)),
        ({"response_format": {"type": "text", "mimeType": JSON, "schema": SUM}}, JsonFormat(SUM)),
        ({"response_format": {"type": "text", "schema": SUM}}, JsonFormat(SUM)),
        ({"response_format": SUM}, JsonFormat(SUM)),
        ({"response_format": SUM, "response_mime_type": JSON}, JsonFormat(SUM)),
        ({"response_format": {"enum": ["a", "b"]}}, JsonFormat({"enum": ["a", "b"]})),
    ],
)
def test_every_shape_that_can_be_honoured_is_read(body: dict[str, Any], form: JsonFormat | None) -> None:
    assert read_format(body) == form
    assert read_body({"model": "m", "input": "x", **body}).response_format == form


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"response_format": {"type": "image", "aspect_ratio": "1:1"}}, "image"),
        ({"response_format": {"type": "audio", "mime_type": "audio/mp3"}}, "audio"),
        ({"response_format": {"type": "video"}}, "video"),
        ({"response_format": [{"type": "text"}, {"type": "image"}]}, "one format"),
        ({"response_format": {"type": "hologram"}}, "hologram"),
        ({"response_format": {"type": ["text"]}}, "type"),
        ({"response_format": {"type": "text", "mime_type": "text/html"}}, "text/html"),
        ({"response_format": {"type": "text", "mime_type": 7}}, "mime_type"),
        ({"response_format": {"type": "text", "mime_type": "text/plain", "schema": SUM}}, JSON),
        ({"response_format": {"type": "text", "schema": [SUM]}}, "schema"),
        ({"response_format": {"type": "text", "schema": {"type": "thing"}}}, "thing"),
        ({"response_format": {"type": "text", "schema": {"$schema": ["x"]}}}, "not valid"),
        ({"response_format": {"type": "text", "colour": "red"}}, "response_format.colour"),
        ({"response_format": "json"}, "object"),
        ({"response_format": ["json"]}, "object"),
        ({"response_format": SUM, "response_mime_type": "text/plain"}, JSON),
        ({"response_mime_type": "image/png"}, "image/png"),
        ({"response_modalities": ["text", "image"]}, "response_modalities"),
        ({"response_modalities": "audio"}, "response_modalities"),
    ],
)
def test_every_other_shape_is_a_clear_400(body: dict[str, Any], word: str) -> None:
    with pytest.raises(EngineError) as caught:
        read_body({"model": "m", "input": "x", **body})
    assert caught.value.status == 400
    assert word in str(caught.value)


ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["text", "object", JSON, "#", "http://127.0.0.1:9/x"]),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.sampled_from(["type", "schema", "mime_type", "$ref", "$schema", "$id", "properties", "items", "enum"]),
            inner,
        )
    ),
)


@given(ANY, ANY)
def test_any_format_is_read_or_refused_and_any_answer_judged(raw: object, answer: object) -> None:
    with contextlib.suppress(EngineError):
        form = read_format({"response_format": raw})
        if form is not None:
            assert isinstance(fault_of(json.dumps(answer), form), str)


def test_an_answer_is_judged_as_google_judges_it() -> None:
    form = JsonFormat({**SUM, "properties": {"sum": {"type": "integer"}, "word": {"type": "string", "maxLength": 2}}})
    assert fault_of('{"sum": 5117}', form) == ""
    assert fault_of('{"sum": 5117, "word": "much"}', form) == ""  # lengths are not enforced
    assert "required" in fault_of("{}", form)
    assert "$.sum" in fault_of('{"sum": "5117"}', form)
    assert "no JSON" in fault_of("```json\n{}\n```", JsonFormat())
    assert "no JSON" in fault_of("", JsonFormat())
    assert fault_of("[" * 100_000, JsonFormat())
    assert "followed" in fault_of("{}", JsonFormat({"$ref": "http://127.0.0.1:9/schema.json"}))


def test_without_jsonschema_a_schema_is_refused_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    with pytest.raises(EngineError, match=r"pip install 'gemini-exec\[serve\]'") as caught:
        read_format({"response_format": TEXT})
    assert (caught.value.status, caught.value.code) == (400, "failed_precondition")
    assert read_format({"response_mime_type": JSON}) == JsonFormat()


# --- a script -----------------------------------------------------------------------------------------------------


@pytest.fixture
def ask(client: Client, tmp_path: Path) -> Callable[..., Interaction]:
    """Ask a script of one turn for a sum as JSON."""

    def ask(*replies: list[dict[str, Any]], **more: Any) -> Interaction:
        path = tmp_path / "talk.json"
        path.write_text(json.dumps([list(replies)]))
        return client.create({"model": f"scripted:{path}", "input": "?", "response_format": TEXT, **more})

    return ask


def test_a_script_that_writes_json_completes(ask: Callable[..., Interaction]) -> None:
    interaction = ask([{"text": '{"sum": '}, {"text": "5117}"}])
    assert interaction.status == "completed"
    assert steps.output_text(interaction.steps) == '{"sum": 5117}'


def test_a_script_that_does_not_fails_and_what_it_wrote_is_seen(ask: Callable[..., Interaction]) -> None:
    interaction = ask([{"text": '{"sum": "many"}'}])
    assert interaction.status == "failed"
    assert "$.sum" in interaction.errors[0]["message"]
    assert steps.output_text(interaction.steps) == '{"sum": "many"}'


def test_prose_beside_the_tools_is_not_part_of_the_answer(ask: Callable[..., Interaction]) -> None:
    interaction = ask(
        [{"text": "I compute it."}, {"code": "print(5117)"}], [{"text": '{"sum": 5117}'}], tools=TOOLS, store=False
    )
    assert interaction.status == "completed"
    assert [type(step) for step in interaction.steps] == [
        steps.CodeExecutionCall,
        steps.CodeExecutionResult,
        steps.ModelOutput,
    ]
    assert steps.output_text(interaction.steps) == '{"sum": 5117}'


def test_the_planner_says_that_it_writes_no_json(client: Client) -> None:
    body = {"model": "offline-planner", "input": "What is 6 * 7?", "tools": TOOLS}
    with pytest.raises(BadRequest, match=r"response_format.* is not supported by offline-planner"):
        client.create({**body, "response_format": TEXT})
    assert client.create({**body, "response_format": {"type": "text"}}).status == "completed"


# --- a chat server ------------------------------------------------------------------------------------------------


def _says(faults: Any, text: str, finish: str = "stop") -> Any:
    return faults.reply(body={"choices": [{"message": {"content": text}, "finish_reason": finish}]})


@pytest.fixture
def chat(client: Client, serve: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Interaction, list[Any]]]:
    """Ask a chat server that gives these replies; returns the interaction and the bodies that the server was sent."""

    def ask(*replies: Any, **more: Any) -> tuple[Interaction, list[Any]]:
        server = serve(*replies)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
        interaction = client.create({"model": "openai:qwen", "input": "?", "response_format": TEXT, **more})
        return interaction, [json.loads(seen.body) for seen in server.seen]

    return ask


def test_a_chat_server_is_held_to_the_schema(faults: Any, chat: Callable[..., Any]) -> None:
    interaction, (body,) = chat(_says(faults, '{"sum": 5117}'))
    assert interaction.status == "completed"
    assert body["response_format"] == {"type": "json_schema", "json_schema": {"name": "answer", "schema": SUM}}
    assert json.dumps(SUM, separators=(",", ":")) in body["messages"][0]["content"]


def test_a_chat_server_is_held_to_json_where_there_is_no_schema(faults: Any, chat: Callable[..., Any]) -> None:
    interaction, (body,) = chat(_says(faults, "{}"), response_format=None, response_mime_type=JSON)
    assert interaction.status == "completed"
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_with_tools_the_answer_is_asked_for_once_more_where_it_has_to_be(faults: Any, chat: Callable[..., Any]) -> None:
    code = "Let me see.\n\n```python\nprint(5117)\n```\n"
    replies = (code, "The sum is 5117.", '{"sum": 5117}')
    interaction, bodies = chat(*(_says(faults, text) for text in replies), tools=TOOLS)
    assert interaction.status == "completed"
    assert steps.output_text(interaction.steps) == '{"sum": 5117}'
    assert ["response_format" in body for body in bodies] == [False, False, True]
    assert "```python" in bodies[0]["messages"][0]["content"]
    assert "No code can be run" in bodies[2]["messages"][0]["content"]
    assert "5117" in bodies[2]["messages"][-1]["content"]
    interaction, bodies = chat(_says(faults, '{"sum": 5117}'), tools=TOOLS)
    assert (interaction.status, len(bodies)) == ("completed", 1)


def test_a_server_that_ignores_the_schema_is_found_out(faults: Any, chat: Callable[..., Any]) -> None:
    interaction, _ = chat(_says(faults, "The sum is 5117."))
    assert interaction.status == "failed"
    assert "no JSON" in interaction.errors[0]["message"]


@pytest.mark.parametrize(
    "said",
    [
        'response_format type must be one of "text" or "json_object", but got: json_schema',
        "Failed to parse grammar",
        "Invalid json_schema",
    ],
)
def test_a_server_that_refuses_the_schema_is_told_apart(said: str, faults: Any, chat: Callable[..., Any]) -> None:
    interaction, _ = chat(faults.reply(400, {"error": {"message": said}}))
    assert interaction.status == "failed"
    (error,) = interaction.errors
    assert error["code"] == "failed_precondition"
    assert said.partition(" ")[0] in error["message"] and "ask for JSON in the question" in error["message"]


def test_an_answer_that_is_cut_is_incomplete(faults: Any, chat: Callable[..., Any]) -> None:
    interaction, (body,) = chat(
        _says(faults, "A long", "length"), response_format=None, generation_config={"max_output_tokens": 2}
    )
    assert body["max_tokens"] == 2
    assert interaction.status == "incomplete"
    assert interaction.errors[0]["code"] == "max_tokens"
    assert steps.output_text(interaction.steps) == "A long"


def test_a_model_is_only_held_to_a_format_that_was_asked_for(serve: Any, faults: Any) -> None:
    server = serve(_says(faults, "Hi."), faults.reply(400, {"error": "response_format?"}))
    asked = Conversation(steps=(steps.UserInput((content.Text("Hi"),)),), code_execution=False)
    model = ChatModel("qwen", LocalServer(address=f"{server.url}/v1"))
    list(model.reply(asked))
    assert "response_format" not in json.loads(server.seen[0].body)
    with pytest.raises(GeminiExecError, match="response_format"):
        list(model.reply(asked))
