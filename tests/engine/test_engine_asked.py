"""Requests: settings of the generation, contents and tools that are known, and nothing taken that is then ignored."""

from __future__ import annotations

import json
from typing import Any

import pytest

from magic_ext.client.errors import BadRequest
from magic_ext.client.interactions import Client
from magic_ext.engine.asked import Asked, read_body
from magic_ext.engine.errors import EngineError

WEATHER = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
CLOCK = {"type": "function", "name": "clock"}
CODE = {"type": "code_execution"}


def _read(**body: Any) -> Asked:
    return read_body({"model": "m", "input": "x", "tools": [CODE, WEATHER, CLOCK], **body})


def test_settings_are_read() -> None:
    given = {"max_output_tokens": 9, "temperature": 0, "top_p": 0.5, "seed": 7, "stop_sequences": ["END"]}
    settings = _read(generation_config=given | {"thinking_level": "low", "thinking_summaries": "auto"}).generation
    assert (settings.max_output_tokens, settings.thinking_summaries) == (9, True)
    assert settings.sampling == {"temperature": 0, "top_p": 0.5, "seed": 7, "stop": ["END"]}
    assert _read(generation_config={"seed": None, "stop_sequences": []}).generation.sampling == {}


@pytest.mark.parametrize(
    ("choice", "tools"),
    [
        ("auto", ["code_execution", "weather", "clock"]),
        ("validated", ["code_execution", "weather", "clock"]),
        ("any", ["code_execution", "weather", "clock"]),
        ("none", []),
        ({"allowed_tools": {"mode": "any", "tools": ["clock"]}}, ["clock"]),
        ({"allowed_tools": {"mode": "auto", "tools": ["code_execution", "weather"]}}, ["code_execution", "weather"]),
        ({"allowed_tools": {"mode": "none", "tools": ["clock"]}}, []),
        ({"allowed_tools": {"mode": "any"}}, ["code_execution", "weather", "clock"]),
    ],
)
def test_the_choice_of_tools_is_heeded(choice: object, tools: list[str]) -> None:
    asked = _read(generation_config={"tool_choice": choice})
    assert [tool.get("name", tool["type"]) for tool in asked.tools] == tools
    assert asked.code_execution == ("code_execution" in tools)


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        ({"generation_config": {"top_k": 3}}, "parameter_unknown", "generation_config.top_k"),
        ({"generation_config": {"seed": "7"}}, "invalid_request", "seed"),
        ({"generation_config": {"seed": True}}, "invalid_request", "seed"),
        ({"generation_config": {"temperature": "hot"}}, "invalid_request", "temperature"),
        ({"generation_config": {"stop_sequences": "END"}}, "invalid_request", "stop_sequences"),
        ({"generation_config": {"stop_sequences": [1]}}, "invalid_request", "stop_sequences"),
        ({"generation_config": {"thinking_level": "deep"}}, "invalid_request", "deep"),
        ({"generation_config": {"thinking_summaries": True}}, "invalid_request", "thinking_summaries"),
        ({"generation_config": {"tool_choice": "all"}}, "invalid_request", "all"),
        ({"generation_config": {"tool_choice": 1}}, "invalid_request", "tool_choice"),
        ({"generation_config": {"tool_choice": {"tools": []}}}, "parameter_unknown", "tool_choice.tools"),
        ({"generation_config": {"tool_choice": {"allowed_tools": {"mode": "x"}}}}, "invalid_request", "mode"),
        ({"generation_config": {"speech_config": [{"voice": "Kore"}]}}, "invalid_request", "speech_config"),
        ({"generation_config": []}, "invalid_request", "generation_config"),
        ({"webhook_config": {"uris": ["https://a.example"]}}, "invalid_request", "webhook_config"),
        ({"environment": "env_1"}, "invalid_request", "environment"),
        ({"cached_content": "cachedContents/a"}, "invalid_request", "cached_content"),
        ({"continuation_token": "tok1"}, "invalid_request", "continuation_token"),
        ({"tools": [{"type": "function"}]}, "invalid_request", "tools[0]"),
        ({"tools": [{"type": "function", "name": "f", "parameters": "none"}]}, "invalid_request", "parameters"),
        ({"input": [{"type": "audio", "data": "AAAA", "mime_type": "audio/wav"}]}, "invalid_request", "audio"),
        ({"input": [{"role": "user", "content": "hi"}]}, "invalid_request", "text, image, document"),
        ({"input": [{"type": "text"}]}, "invalid_request", "text"),
        ({"input": [{"type": "user_input", "content": [{"type": "hologram"}]}]}, "invalid_request", "hologram"),
        ({"input": [{"type": "user_input"}, {"type": "text", "text": "x"}]}, "invalid_request", "input[1]"),
    ],
)
def test_what_would_be_ignored_is_refused(body: dict[str, Any], code: str, word: str) -> None:
    with pytest.raises(EngineError) as caught:
        _read(**body)
    assert (caught.value.status, caught.value.code) == (400, code)
    assert word in str(caught.value)


def test_settings_reach_a_chat_server(serve: Any, faults: Any, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve(faults.reply(body={"choices": [{"message": {"content": "Hi."}, "finish_reason": "stop"}]}))
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")

    def sent(**settings: Any) -> Any:
        body = {"model": "openai:qwen", "input": "x", "tools": [CODE, WEATHER], "generation_config": settings}
        assert client.create(body).status == "completed"
        return json.loads(server.seen[-1].body)

    body = sent(temperature=0.5, seed=7, stop_sequences=["END"], max_output_tokens=9)
    assert (body["temperature"], body["seed"], body["stop"], body["max_tokens"]) == (0.5, 7, ["END"], 9)
    assert "tool_choice" not in body and len(body["tools"]) == 1
    assert sent(tool_choice="any")["tool_choice"] == "required"
    assert "tools" not in sent(tool_choice="none")


def test_what_was_sent_is_given_back_as_it_came(client: Client) -> None:
    unusual = [
        {"type": "user_input", "content": [{"type": "text", "text": "What is 6 * 7?", "colour": "red"}]},
        {"type": "code_execution_call", "id": "c", "arguments": {"code": "print(42)"}, "signature": "c2ln"},
        {"type": "model_output", "content": [{"type": "hologram"}]},
        {"type": "user_input", "content": [{"type": "text", "text": "What is 6 * 7?"}]},
    ]
    made = client.create({"model": "offline-planner", "input": unusual})
    raw = json.loads(client._open("GET", f"interactions/{made.id}?include_input=true", None).read())
    assert raw["steps"][:4] == unusual


def test_a_result_that_answers_no_call_is_refused(client: Client) -> None:
    result = {"type": "function_result", "call_id": "call_x", "result": "7"}
    with pytest.raises(BadRequest, match="call_x"):
        client.create({"model": "offline-planner", "input": [result], "tools": [WEATHER]})
