"""Servers of this computer: which one is set, which are found, how much their models read, what their errors mean."""

from __future__ import annotations

import socket
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from magic_ext.engine.models.base import Conversation, Text
from magic_ext.engine.models.chat import ChatModel
from magic_ext.engine.models.refusals import TooLong
from magic_ext.engine.models.registry import addressed, open_model
from magic_ext.engine.models.servers import LocalServer, Usual, found, model_names, server_set
from magic_ext.engine.models.windows import window_of
from magic_ext.errors import GeminiExecError
from magic_ext.frontend.offering import models_here
from magic_ext.wire import content
from magic_ext.wire.steps import UserInput

HERE, THERE = "http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1"


def asked(text: str) -> Conversation:
    return Conversation(steps=(UserInput((content.Text(text),)),))


@pytest.fixture
def answering(serve: Callable[..., Any], faults: SimpleNamespace) -> Callable[..., Any]:
    """Starts a server that answers by path: ``answering({"/v1/models": {...}})``; anything else is a 404."""

    def start(documents: dict[str, Any]) -> Any:
        def script(to: Any) -> None:
            document = documents.get(to.seen.target, {"error": "There is no such path."})
            if callable(document):
                document(to)
            else:
                faults.reply(200 if to.seen.target in documents else 404, document)(to)

        return serve(script)

    return start


def models(*names: object) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in names]}


# --- which one is set ---------------------------------------------------------------------------------------------


def test_the_trait_goes_before_the_environment() -> None:
    environ = {"OPENAI_BASE_URL": f" {THERE}\n", "OPENAI_API_KEY": "sk-1"}
    both, one, none = server_set(f" {HERE} ", environ), server_set("", environ), server_set("", {})
    assert both is not None and (both.address, both.setting, both.key) == (HERE, "local_base_url", "sk-1")
    assert one is not None and (one.address, one.setting) == (THERE, "OPENAI_BASE_URL")
    assert none is None


@pytest.mark.parametrize("trait", ["https://api.openai.com/v1", "http://192.0.2.7:8000/v1", "127.0.0.1:8000"])
def test_an_address_elsewhere_is_refused_and_the_environments_does_not_step_in(
    trait: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", HERE)
    with pytest.raises(GeminiExecError, match=r"is not this computer|local_base_url is not an http"):
        open_model(addressed("openai:qwen", trait))


@pytest.mark.parametrize("name", ["gpt-oss:120b-cloud", "glm-4.6:cloud"])
def test_a_model_that_is_passed_on_to_a_cloud_is_refused(name: str) -> None:
    with pytest.raises(GeminiExecError, match="runs in Ollama's cloud"):
        open_model(addressed(f"openai:{name}", HERE))


def test_neither_key_nor_password_is_shown() -> None:
    server = LocalServer(address="http://me:secret-1@127.0.0.1:1/v1", key="secret-2")
    assert "secret" not in f"{server!r} {server.host}"


# --- which ones are found -----------------------------------------------------------------------------------------


def test_what_runs_at_a_usual_port_is_found_without_a_key(
    answering: Callable[..., Any], serve: Callable[..., Any], faults: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    answers = answering({"/v1/models": models("qwen3:8b", "gpt-oss:20b-cloud", "a\nb", 7, "", 'x"y', "Llama 3")})
    silent = serve(lambda to: to.client_has_gone())
    others = [serve(faults.reply(200, body)) for body in (b"<html>Hello</html>", [1], {"data": 7}, models())]
    refusing = serve(faults.reply(401, {"error": "Who are you?"}))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        ports = [silent.port, closed.getsockname()[1], *(other.port for other in others), refusing.port, answers.port]
        usual = tuple(Usual(f"Program {number}", port) for number, port in enumerate(ports))
        [only] = found(usual)
    assert (only.usual, only.models) == (usual[-1], ("qwen3:8b", "Llama 3"))
    [seen] = answers.seen
    assert (seen.method, seen.target) == ("GET", "/v1/models")
    assert "authorization" not in seen.headers


def test_what_is_found_is_listed_with_the_lines_to_use_it(answering: Callable[..., Any]) -> None:
    first, second = answering({"/v1/models": models("one", "two words")}), answering({"/v1/models": models("x", "y")})
    usual = (Usual("Ollama", first.port), Usual("vLLM", second.port))
    assert list(models_here(f"{first.url}/v1/", usual))[1:] == [
        f"at 127.0.0.1:{first.port}, which local_base_url names:",
        "  %%gemini_exec -m openai:one",
        '  %%gemini_exec -m "openai:two words"',
        f"found at vLLM's port {second.port}; to use it:",
        f'  %config GeminiExecMagics.local_base_url = "{second.url}/v1"',
        "  %%gemini_exec -m openai:x",
        "  %%gemini_exec -m openai:y",
    ]
    [_, nobody] = models_here("", (Usual("Ollama", 1),))
    assert nobody == "openai:NAME: no server of your own is running at the usual ports (Ollama 1)"
    [_, elsewhere, _] = models_here("https://api.openai.com/v1", (Usual("Ollama", 1),))
    assert "api.openai.com is not this computer" in elsewhere


def test_a_list_that_never_ends_is_given_up(serve: Callable[..., Any], faults: SimpleNamespace) -> None:
    def endless(to: Any) -> None:
        to.send(faults.head(200, {"content-type": "application/json"}))
        while True:
            to.send(b" " * 100_000)

    server = serve(endless)
    with pytest.raises(GeminiExecError, match="No server lists its models"):
        model_names(LocalServer(address=f"{server.url}/v1"))


# --- how much a model reads ---------------------------------------------------------------------------------------

TOLD = {
    "llama.cpp": {"/v1/models": {"data": [{"id": "qwen", "meta": {"n_ctx_train": 32768, "n_ctx": 4096}}]}},
    "llama.cpp, older": {"/v1/models": models("qwen"), "/props": {"default_generation_settings": {"n_ctx": 4096}}},
    "vLLM": {"/v1/models": {"data": [{"id": "other", "max_model_len": 7}, {"id": "qwen", "max_model_len": 4096}]}},
    "Ollama": {"/v1/models": models("qwen"), "/api/ps": {"models": [{"name": "qwen:latest", "context_length": 4096}]}},
    "LM Studio": {
        "/v1/models": models("qwen"),
        "/api/v0/models": {"data": [{"id": "qwen", "max_context_length": 131072, "loaded_context_length": 4096}]},
    },
}


@pytest.mark.parametrize("program", TOLD)
def test_the_window_is_read_where_the_server_tells_it(program: str, answering: Callable[..., Any]) -> None:
    server = LocalServer(address=f"{answering(TOLD[program]).url}/v1")
    assert window_of(server, "qwen") == 4096
    assert window_of(server, "llama") == (4096 if "older" in program else None), "of one model alone, where it has more"


def test_a_server_that_does_not_tell(answering: Callable[..., Any]) -> None:
    nonsense = {"/v1/models": {"data": [{"id": "qwen", "max_model_len": True, "n_ctx": "x"}, 7]}, "/props": [1]}
    assert window_of(LocalServer(address=f"{answering(nonsense).url}/v1"), "qwen") is None


def test_what_does_not_fit_is_not_sent(answering: Callable[..., Any]) -> None:
    server = answering(TOLD["vLLM"])
    with pytest.raises(TooLong, match="it holds 4,096") as caught:
        list(ChatModel("qwen", LocalServer(address=f"{server.url}/v1")).reply(asked("word " * 5000)))
    assert "-c" in caught.value.hint and "\n" not in caught.value.hint
    assert {seen.method for seen in server.seen} == {"GET"}


@pytest.mark.parametrize(("words", "shown"), [(5000, False), (3000, True), (10, True)])
def test_ollama_tells_once_the_model_is_loaded_and_cuts_off_without_a_word(
    words: int, shown: bool, answering: Callable[..., Any], faults: SimpleNamespace
) -> None:
    documents: dict[str, Any] = {"/v1/models": models("qwen"), "/api/ps": {"models": []}}

    def load_and_answer(to: Any) -> None:
        documents.update(TOLD["Ollama"])
        said = {"choices": [{"message": {"content": "What rules?"}, "finish_reason": "stop"}]}
        faults.reply(200, said)(to)

    documents["/v1/chat/completions"] = load_and_answer
    server = answering(documents)
    reply = ChatModel("qwen", LocalServer(address=f"{server.url}/v1")).reply(asked("word " * words))
    if shown:
        assert Text("What rules?") in list(reply)
    else:
        with pytest.raises(TooLong):
            next(reply)
    if words == 10:
        assert [seen.method for seen in server.seen] == ["POST"], "of a short question nothing is looked up"


def test_nobody_is_sent_on_to_another_server(serve: Callable[..., Any], faults: SimpleNamespace) -> None:
    other = serve(faults.reply(200, models("qwen")))
    server = serve(faults.reply(307, b"", location=f"{other.url}/v1/models"))
    address = LocalServer(address=f"{server.url}/v1")
    with pytest.raises(GeminiExecError, match="answered 307"):
        list(ChatModel("qwen", address).reply(asked("Well?")))
    with pytest.raises(GeminiExecError):
        model_names(address)
    assert len(server.seen) == 2 and other.seen == []


# --- what their errors mean ---------------------------------------------------------------------------------------

LENGTH = (
    '{"error":{"code":400,"message":"request (9031 tokens) exceeds the available context size (1024 tokens), try '
    'increasing it","type":"exceed_context_size_error","n_prompt_tokens":9031,"n_ctx":1024}}',
    '{"object":"error","message":"This model\'s maximum context length is 16384 tokens. However, you requested 122946 '
    'tokens (112946 in the messages, 10000 in the completion).","type":"BadRequestError","param":null,"code":400}',
    '{"error":{"message":"max_tokens must be at least 1, got -186.","type":"BadRequestError","code":400}}',
    '{"error":{"message":"The decoder prompt (length 9000) is longer than the maximum model length of 8192."}}',
    '{"error":"Trying to keep the first 15857 tokens when context the overflows. However, the model is loaded with '
    'context length of only 4096 tokens, which is not enough."}',
    '{"error":"Context size has been exceeded."}',
    '{"error":"Cannot truncate prompt with n_keep (16144) >= n_ctx (4096)"}',
    '{"error":{"message":"the input length exceeds the context length","type":"invalid_request_error"}}',
    '{"error":{"message":"Requested tokens (2285) exceed context window of 2048"}}',
)
PICTURES = (
    '{"error":{"code":500,"message":"image input is not supported - hint: if this is unexpected, you may need to '
    'provide the mmproj","type":"server_error"}}',
    '{"error":"Model does not support images. Please use a model that does."}',
    '{"error":{"message":"this model is missing data required for image input","type":"api_error"}}',
    '{"object":"error","message":"opt-125m is not a multimodal model","type":"BadRequestError","code":400}',
    '{"error":{"message":"At most 0 image(s) may be provided in one prompt."}}',
)


@pytest.mark.parametrize(
    ("document", "said", "hint"),
    [
        *((one, "does not fit into the context window of qwen", "OLLAMA_CONTEXT_LENGTH") for one in LENGTH),
        *((one, "qwen takes no pictures", "Leave the picture out") for one in PICTURES),
    ],
    ids=[*(f"length-{n}" for n in range(len(LENGTH))), *(f"pictures-{n}" for n in range(len(PICTURES)))],
)
@pytest.mark.parametrize("status", [400, 500, 200], ids=str)
def test_an_error_says_what_to_do(
    document: str, said: str, hint: str, status: int, serve: Callable[..., Any], faults: SimpleNamespace
) -> None:
    server = serve(faults.reply(status, document.encode()))
    with pytest.raises(GeminiExecError) as caught:
        list(ChatModel("qwen", LocalServer(address=f"{server.url}/v1")).reply(asked("Well?")))
    assert said in str(caught.value) and hint in caught.value.hint
    assert "\n" not in f"{caught.value} {caught.value.hint}"
