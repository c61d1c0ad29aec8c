"""The chat model against a scripted server on a real socket, alone and behind the engine with a real kernel."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.client.endpoint import Endpoint
from magic_ext.client.interactions import Client
from magic_ext.engine.embedded import open_engine
from magic_ext.engine.models import chat
from magic_ext.engine.models.base import Code, Column, Conversation, FunctionCall, Part, Table, Text, Thought, Usage
from magic_ext.engine.models.chat import ChatModel
from magic_ext.engine.models.fences import chat_messages, code_apart, thoughts_apart
from magic_ext.engine.models.registry import addressed, is_embedded, open_model
from magic_ext.engine.models.servers import LocalServer
from magic_ext.engine.transport import EngineTransport
from magic_ext.errors import GeminiExecError
from magic_ext.wire import content, steps
from magic_ext.wire.events import StepDelta

QUESTION = steps.UserInput((content.Text("What is 6 * 7?"),))
ASKED = Conversation(steps=(QUESTION,))
FENCED = "Let me compute.\n\n```python\nprint(6 * 7)\n```\nOutput: 41"


class Answer:
    """What the server says to one request: a status, headers, and pieces that are flushed one by one."""

    def __init__(self, *pieces: bytes, status: int = 200, type: str = "text/event-stream", length: int | None = None):
        self.pieces, self.status, self.type, self.length = pieces, status, type, length


class ChatServer(ThreadingHTTPServer):
    """Gives the next of ``answers`` to each request, and keeps what it was sent."""

    daemon_threads = True
    allow_reuse_address = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Answer] = []
        self.bodies: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.keys: list[str | None] = []
        self.hung_up = threading.Event()
        self.go_on = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A reader that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer

    def do_POST(self) -> None:
        server = self.server
        server.paths.append(self.path)
        server.keys.append(self.headers.get("authorization"))
        server.bodies.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        answer = server.answers.pop(0)
        self.send_response(answer.status)
        self.send_header("content-type", answer.type)
        if answer.length is not None:
            self.send_header("content-length", str(answer.length))
        self.end_headers()
        try:
            for piece in answer.pieces:
                if piece == WAIT:
                    server.go_on.wait(30)
                self.wfile.write(piece)
                self.wfile.flush()
        except OSError:
            server.hung_up.set()

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


WAIT = b": wait\n\n"
DONE = b"data: [DONE]\n\n"


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.go_on.set()
        server.shutdown()
        thread.join()


def sse(document: object) -> bytes:
    return b"data: " + json.dumps(document).encode() + b"\n\n"


def delta(finish: str | None = None, **fields: Any) -> bytes:
    return sse({"choices": [{"index": 0, "delta": fields, "finish_reason": finish}], "object": "chat.completion.chunk"})


def spoken(*pieces: str, finish: str = "stop", usage: dict[str, int] | None = None) -> Answer:
    """An answer as llama.cpp streams it."""
    chunks = [delta(role="assistant", content=None), *(delta(content=piece) for piece in pieces), delta(finish)]
    if usage:
        chunks.append(sse({"choices": [], "usage": usage}))
    return Answer(*chunks, DONE)


def reply(server: ChatServer, *answers: Answer, conversation: Conversation = ASKED, key: str = "") -> list[Part]:
    server.answers += answers
    return list(ChatModel("qwen", LocalServer(address=server.url, key=key)).reply(conversation))


def without_usage(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if not isinstance(part, Usage)]


def text_of(parts: Sequence[Part]) -> str:
    return "".join(part.text for part in parts if isinstance(part, Text))


def failure(server: ChatServer, *answers: Answer, **more: Any) -> GeminiExecError:
    with pytest.raises(GeminiExecError) as caught:
        reply(server, *answers, **more)
    error = caught.value
    assert error.hint
    assert "\n" not in f"{error} {error.hint}"
    return error


# --- the reply ----------------------------------------------------------------------------------------------------


def test_text_streams_and_the_servers_count_is_passed_on(server: ChatServer) -> None:
    counted = {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}
    parts = reply(server, spoken("It ", "is ", "42.", usage=counted))
    assert parts == [Text("It "), Text("is "), Text("42."), Usage(11, 5)]
    (body,) = server.bodies
    assert server.paths == ["/v1/chat/completions"]
    assert body["model"] == "qwen"
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}
    assert "tools" not in body
    assert "max_tokens" not in body
    assert [message["role"] for message in body["messages"]] == ["system", "user"]
    assert body["messages"][1]["content"] == "What is 6 * 7?"


def test_reasoning_tokens_are_counted_apart(server: ChatServer) -> None:
    counted: Any = {"prompt_tokens": 3, "completion_tokens": 9, "completion_tokens_details": {"reasoning_tokens": 7}}
    assert reply(server, spoken("Yes.", usage=counted))[-1] == Usage(3, 2, 7)


def test_text_comes_before_the_answer_is_whole(server: ChatServer) -> None:
    server.answers.append(Answer(delta(content="First "), WAIT, delta(content="second."), delta("stop"), DONE))
    parts = ChatModel("qwen", LocalServer(address=server.url)).reply(ASKED)
    assert next(parts) == Text("First ")
    server.go_on.set()
    assert text_of(list(parts)) == "second."


def test_the_first_python_fence_ends_the_reply_and_hangs_up(server: ChatServer) -> None:
    endless = [delta(content="Output: 41\n" * 200)] * 2000
    server.answers.append(Answer(*(delta(content=piece) for piece in FENCED.split(" ")), *endless))
    parts = list(ChatModel("qwen", LocalServer(address=server.url)).reply(ASKED))
    assert [type(part) for part in parts][-2:] == [Usage, Code]
    assert server.hung_up.wait(20)


def test_code_follows_its_prose(server: ChatServer) -> None:
    parts = reply(server, spoken(*FENCED))
    assert text_of(parts) == "Let me compute.\n\n"
    assert parts[-1] == Code("print(6 * 7)\n")
    (usage,) = (part for part in parts if isinstance(part, Usage))
    assert usage.input_tokens > 100
    assert 0 < usage.output_tokens < 20


def test_without_the_tool_a_fence_stays_text(server: ChatServer) -> None:
    conversation = Conversation(steps=(QUESTION,), code_execution=False)
    parts = reply(server, spoken(*FENCED), conversation=conversation)
    assert text_of(parts) == FENCED
    assert not any(isinstance(part, Code) for part in parts)


def test_reasoning_deltas_are_thoughts(server: ChatServer) -> None:
    said = [delta(reasoning_content="Hm, ", content=None), delta(reasoning="```python\n1\n```\n"), delta(content="42.")]
    parts = reply(server, Answer(*said, delta("stop"), DONE))
    assert without_usage(parts) == [Thought("Hm, "), Thought("```python\n1\n```\n"), Text("42.")]


def test_odd_chunks_are_tolerated(server: ChatServer) -> None:
    odd = [{}, {"choices": []}, {"choices": None}, {"choices": [{}]}, {"choices": [{"delta": None}]}, {"choices": [7]}]
    odd += [{"choices": [{"delta": {"content": 7, "tool_calls": [None]}}]}, {"usage": None}, {"usage": {"x": "y"}}]
    parts = reply(server, Answer(b": ping\n\n", *map(sse, odd), delta(content="42."), delta("stop"), DONE))
    assert parts == [Text("42."), Usage()]


def test_a_server_that_does_not_stream_is_heard(server: ChatServer) -> None:
    whole = {"choices": [{"message": {"content": FENCED}, "finish_reason": "stop"}], "usage": {"prompt_tokens": 4}}
    parts = reply(server, Answer(json.dumps(whole).encode(), type="application/json"))
    assert parts == [Text("Let me compute.\n"), Text("\n"), Usage(4), Code("print(6 * 7)\n")]


def test_the_end_of_the_stream_may_lack_its_mark(server: ChatServer) -> None:
    assert text_of(reply(server, Answer(delta(content="42."), delta("stop")))) == "42."
    assert text_of(reply(server, Answer(delta(content="42."), DONE))) == "42."
    assert text_of(reply(server, Answer(delta(content="42."), delta("stop"), length=10_000))) == "42."


# --- tool calls ---------------------------------------------------------------------------------------------------


def called(*calls: dict[str, Any]) -> Answer:
    return Answer(*(delta(tool_calls=[call]) for call in calls), delta("tool_calls"), DONE)


def call(arguments: object, name: str | None = "run_python", **more: Any) -> dict[str, Any]:
    return {**more, "function": {"arguments": arguments, **({"name": name} if name else {})}}


@pytest.mark.parametrize(
    "calls",
    [
        [call("", index=0, id="a"), call('{"code": "pri', None, index=0), call('nt(1)"}', None, index=0)],
        [call('{"code": "print(1)"}', index=0, id="a")],
        [call('{"code": "print(1)"}', id="a")],
        [call('{"code": "pri'), call('nt(1)"}', None)],
        [call('{"code": "pri', id="a"), call('nt(1)"}', None, id="a")],
        [call({"code": "print(1)"}, index=0)],
        [call("print(1)", index=0)],
        [call('{"code": "print(1)"}', index=0, id="a"), call('{"code": "print(2)"}', index=0, id="b")],
    ],
)
def test_a_call_of_run_python_is_code(server: ChatServer, calls: list[dict[str, Any]]) -> None:
    assert without_usage(reply(server, called(*calls))) == [Code("print(1)")]


def test_functions_of_the_caller_are_offered_and_called(server: ChatServer) -> None:
    declared = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
    conversation = Conversation(steps=(QUESTION,), functions=(declared,))
    calls = [call('{"city": "Bonn"}', "weather", index=0), call("{}", "weather", index=1)]
    parts = without_usage(reply(server, called(*calls), conversation=conversation))
    assert parts == [FunctionCall("weather", {"city": "Bonn"}), FunctionCall("weather", {})]
    (tool,) = server.bodies[0]["tools"]
    assert tool == {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def test_the_callers_own_function_goes_before_ours(server: ChatServer) -> None:
    conversation = Conversation(steps=(QUESTION,), functions=({"type": "function", "name": "python"},))
    parts = reply(server, called(call('{"code": "1"}', "python")), conversation=conversation)
    assert without_usage(parts) == [FunctionCall("python", {"code": "1"})]


@pytest.mark.parametrize("bad", [call("{}", "launch"), call("print(1)", None), call("not json", "weather")])
def test_a_call_that_can_not_be_answered_is_an_error(server: ChatServer, bad: dict[str, Any]) -> None:
    conversation = Conversation(steps=(QUESTION,), functions=({"type": "function", "name": "weather"},))
    assert "call" in str(failure(server, called(bad), conversation=conversation))


def test_run_python_without_the_tool_is_an_error(server: ChatServer) -> None:
    conversation = Conversation(steps=(QUESTION,), code_execution=False)
    assert "run_python" in str(failure(server, called(call('{"code": "1"}')), conversation=conversation))


# --- errors -------------------------------------------------------------------------------------------------------


def refused(document: object, status: int) -> Answer:
    return Answer(json.dumps(document).encode(), status=status, type="application/json")


@pytest.mark.parametrize(
    ("answer", "said", "hint"),
    [
        (refused({"error": {"message": 'model "qwen" not found,\n try pulling'}}, 404), "not found, try", "11434"),
        (refused({"error": {"message": "Invalid API Key"}}, 401), "401", "OPENAI_API_KEY"),
        (refused({"error": "boom"}, 500), "boom", "log"),
        (refused({"detail": [{"msg": "no such field"}]}, 422), "no such field", "log"),
        (refused({"object": "error", "message": "bad"}, 400), "bad", "log"),
        (refused({"error": {"type": "exceed_context_size_error", "message": "too big"}}, 400), "context window", "-c"),
        (Answer(b"<html>\x1b[31mBad Gateway</html>", status=502, type="text/html"), "502", "log"),
        (Answer(b"", status=503), "503", "log"),
        (Answer(b"hello", type="text/plain"), "hello", "log"),
        (refused({"error": {}, "choices": []}, 200), "without a message|{}", "log"),
        (Answer(sse({"error": {"message": "out of memory", "code": 500}})), "out of memory", "log"),
        (Answer(b"event: error\n" + sse({"error": {"message": "The context length is 4096"}})), "context window", "-c"),
        (Answer(sse({"error_type": "x", "error_message": "model crashed"})), "model crashed", "log"),
        (Answer(b"data: {broken\n\n"), "broken", "log"),
        (Answer(delta(content="Half an ans")), "broke off", "again"),
        (Answer(delta(content="```python\nprint(1)\n")), "broke off", "again"),
        (Answer(delta(content="Half"), length=10_000), "broke off", "again"),
        (Answer(), "broke off", "again"),
        (spoken("A long", finish="length"), "cut", "limit"),
        (spoken("```python\nprint(", finish="length"), "cut", "limit"),
        (spoken(), "answered nothing", "context window"),
        (spoken("<think>Hm.</think>\n\n"), "answered nothing", "context window"),
    ],
)
def test_what_goes_wrong_is_said_in_one_line(server: ChatServer, answer: Answer, said: str, hint: str) -> None:
    error = failure(server, answer)
    assert any(word in str(error) for word in said.split("|"))
    assert hint in error.hint
    assert "\x1b" not in str(error)


def test_what_came_before_a_break_is_kept(server: ChatServer) -> None:
    server.answers.append(Answer(delta(content="Half an ans")))
    heard: list[Part] = []
    with pytest.raises(GeminiExecError):
        heard.extend(ChatModel("qwen", LocalServer(address=server.url)).reply(ASKED))
    assert heard == [Text("Half an ans")]


def test_silence_is_an_error(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chat, "SILENCE", 0.2)
    assert "said nothing for 0.2 s" in str(failure(server, Answer(delta(content="Well"), WAIT)))


def test_no_server_is_an_error() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        model = ChatModel("qwen", LocalServer(address=f"http://127.0.0.1:{free.getsockname()[1]}/v1"))
        with pytest.raises(GeminiExecError, match="No server answers at 127") as caught:
            next(model.reply(ASKED))
    assert "OPENAI_BASE_URL" in caught.value.hint


def test_nothing_more_to_say_after_a_result_is_no_error(server: ChatServer) -> None:
    ran = (QUESTION, steps.CodeExecutionCall("c", "print(42)"), steps.CodeExecutionResult("c", (content.Text("42"),)))
    assert without_usage(reply(server, spoken(), conversation=Conversation(steps=ran))) == []


def test_the_key_is_sent_where_there_is_one_and_never_shown(server: ChatServer) -> None:
    reply(server, spoken("Yes."))
    error = failure(server, refused({"error": "the key sk-local-123 is wrong"}, 401), key="sk-local-123")
    assert server.keys == [None, "Bearer sk-local-123"]
    assert "sk-local" not in str(error)


def test_no_proxy_is_asked(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert text_of(reply(server, spoken("Yes."))) == "Yes."


# --- names and addresses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1",
        "http://192.168.1.7:11434/v1",
        "http://0.0.0.0:11434/v1",
        "http://127.0.0.1@example.org/v1",
        "http://127.0.0.1.example.org/v1",
        "http://localhost.example.org/v1",
        "http://2130706433/v1",
    ],
)
def test_an_address_elsewhere_is_refused(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    with pytest.raises(GeminiExecError, match="is not this computer"):
        open_model("openai:qwen")


@pytest.mark.parametrize("url", ["127.0.0.1:11434", "ftp://127.0.0.1/", "http://", "http://127.0.0.1:x", "http://[::1"])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(GeminiExecError, match="is not an http"):
        LocalServer(address=url)


@pytest.mark.parametrize("url", ["http://localhost:1234/v1/", "http://[::1]:8080/v1", "https://127.0.0.2/v1"])
def test_addresses_of_this_computer_are_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", f" {url} ")
    assert is_embedded("openai:qwen3:8b")
    assert open_model("openai:qwen3:8b").name == "openai:qwen3:8b"


def test_the_key_comes_from_the_environment(server: ChatServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1\n")
    server.answers.append(spoken("Yes."))
    assert text_of(list(open_model("openai:qwen").reply(ASKED))) == "Yes."
    assert server.keys == ["Bearer sk-1"]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(GeminiExecError, match="local_base_url nor OPENAI_BASE_URL is set") as caught:
        open_model("openai:qwen")
    assert all(server in caught.value.hint for server in ("Ollama", "LM Studio", "llama.cpp"))
    with pytest.raises(GeminiExecError, match="names no model"):
        ChatModel("", LocalServer(address="http://127.0.0.1:1/v1"))
    with pytest.raises(GeminiExecError, match="key"):
        LocalServer(address="http://127.0.0.1:1/v1", key="ключ")


# --- the messages -------------------------------------------------------------------------------------------------


def test_the_history_alternates_between_user_and_assistant() -> None:
    picture = content.Image(base64.b64encode(b"png").decode(), mime_type="image/png")
    history = (
        QUESTION,
        steps.Thought("", (content.Text("secret"),)),
        steps.ModelOutput((content.Text("Let me see.\n"),)),
        steps.CodeExecutionCall("a", "1 / 0\n"),
        steps.CodeExecutionResult("a", (content.Text("ZeroDivisionError"),), is_error=True),
        steps.CodeExecutionCall("b", "plot()\n"),
        steps.CodeExecutionResult("b"),
        steps.ModelOutput((picture,)),
        steps.ModelOutput((content.Text("Done."),)),
        steps.UserInput((content.Text("And this?"), picture)),
    )
    system, *messages = chat_messages(Conversation(steps=history, system_instruction="Be brief."))
    assert system["role"] == "system"
    assert system["content"].endswith("Be brief.")
    roles = [message["role"] for message in messages]
    assert roles == ["user", "assistant", "user", "assistant", "user", "assistant", "user"]
    assert messages[1]["content"] == "Let me see.\n\n```python\n1 / 0\n```"
    assert messages[2]["content"] == "Error:\nZeroDivisionError"
    assert messages[4]["content"] == "Output:\n(nothing was printed)\n\n(A figure was shown.)"
    text, image = messages[6]["content"]
    assert text == {"type": "text", "text": "And this?"}
    assert image["image_url"]["url"] == "data:image/png;base64," + picture.data
    assert "secret" not in str(messages)


def test_tables_are_described() -> None:
    city = Column("ci\nty", "text", missing=3, unique=9, values=("Bonn", "Köln"))
    price = Column("price", "number", low=0.5, high=1e6)
    many = tuple(Column(f"c{n}", "integer") for n in range(200))
    tables = (Table("sales", 1200, (city, price)), Table("wide", 1, many, "wide = pd.read_csv('w.csv')"))
    image = content.Image(data=base64.b64encode(b"png").decode(), mime_type="image/png")
    asked = Conversation(steps=(steps.UserInput((image,)),), tables=tables, documents=("notes.txt",))
    system, question = chat_messages(asked)
    assert "`sales`, a pandas DataFrame of 1,200 rows; it is loaded already" in system["content"]
    assert r"- 'ci\nty': text, 3 missing, 9 different: 'Bonn', 'Köln'" in system["content"]
    assert "- 'price': number, 0.5 to 1e+06" in system["content"]
    assert "after this line: wide = pd.read_csv('w.csv')" in system["content"]
    assert "- and 120 more" in system["content"]
    assert "'notes.txt'" in system["content"]
    assert question["content"][1]["image_url"]["url"].endswith(base64.b64encode(b"png").decode())


def test_long_results_are_shortened_and_functions_answered() -> None:
    history = (
        QUESTION,
        steps.FunctionCall("f", "weather", {"city": "Bonn"}),
        steps.FunctionResult("f", "weather", {"text": "x" * 100_000}),
    )
    *_, asked, answered = chat_messages(Conversation(steps=history))
    assert asked["tool_calls"][0]["function"] == {"name": "weather", "arguments": '{"city":"Bonn"}'}
    assert answered["role"] == "tool"
    assert answered["tool_call_id"] == "f"
    assert "92,011 characters left out" in answered["content"]
    assert len(answered["content"]) < 8100


# --- fences -------------------------------------------------------------------------------------------------------


def read(*pieces: str) -> list[Part]:
    """What a reply in ``pieces`` comes to, neighbours of a kind joined."""
    joined: list[Part] = []
    for part in code_apart(thoughts_apart([Text(piece) for piece in pieces])):
        last = joined[-1] if joined else None
        if isinstance(part, Text | Thought) and type(last) is type(part):
            joined[-1] = type(part)(last.text + part.text)  # type: ignore[union-attr]
        else:
            joined.append(part)
    return joined


@pytest.mark.parametrize(
    ("reply", "parts"),
    [
        ("```py\n1\n```", [Code("1\n")]),
        ("```python " + "x" * 200 + "\n1\n```\n", [Text("```python " + "x" * 200 + "\n1\n```\n")]),
        ("``` Python title=x\r\n1\r\n```\r\nmore", [Code("1\r\n")]),
        ("~~~python\n```\n~~~", [Code("```\n")]),
        ("````python\n'''\n```\n'''\n````\n", [Code("'''\n```\n'''\n")]),
        ("1. First\n   ```python\n   if x:\n       y\n   ```\n", [Text("1. First\n"), Code("if x:\n    y\n")]),
        ("```python\nprint(1)", [Code("print(1)")]),
        ("```python\n```\nNothing.", [Text("Nothing.")]),
        ("```python", []),
        ("```\nprint(1)\n```\n", [Text("```\nprint(1)\n```\n")]),
        ("```text\n```python\n1\n```\n", [Text("```text\n```python\n1\n```\n")]),
        ("```sh\nls\n```\n```python\n1\n```", [Text("```sh\nls\n```\n"), Code("1\n")]),
        ("So: ```python\n1\n```\n", [Text("So: ```python\n1\n```\n")]),
        ("Use ```python blocks``` here", [Text("Use ```python blocks``` here")]),
        ("`a` and ``b``\n", [Text("`a` and ``b``\n")]),
        ("<think>\n\n</think>\n\nYes.", [Text("Yes.")]),
        ("<think>```python\n1\n```</think>No.", [Thought("```python\n1\n```"), Text("No.")]),
        ("<think>a < b </thin", [Thought("a < b </thin")]),
        ("<thinking", [Text("<thinking")]),
        ("<thi", [Text("<thi")]),
        ("Say <think>aloud</think>", [Text("Say <think>aloud</think>")]),
        ("", []),
        (" \n", []),
    ],
)
def test_a_reply_is_read_the_same_however_it_is_cut(reply: str, parts: list[Part]) -> None:
    assert read(reply) == read(*reply) == parts
    for cut in range(len(reply)):
        assert read(reply[:cut], reply[cut:]) == parts


MARKDOWN = st.lists(
    st.sampled_from(
        ["```", "```python", "`", "~~~", "\n", "\n", "  ", "x = 1", "<think>", "</think>", "</", "é", "\r\n"]
    ),
    max_size=20,
)


@given(MARKDOWN, st.data())
def test_any_cut_gives_the_same(words: list[str], data: st.DataObject) -> None:
    text = "".join(words)
    pieces, rest = [], text
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        pieces.append(rest[:size])
        rest = rest[size:]
    assert read(*pieces) == read(text)


@given(MARKDOWN)
def test_no_text_is_lost_where_there_is_no_python(words: list[str]) -> None:
    text = "".join(words).replace("python", "text")
    said = "".join(part.text for part in code_apart([Text(text)]) if isinstance(part, Text))
    assert said == text


# --- behind the engine --------------------------------------------------------------------------------------------


def test_the_engine_repairs_what_failed(server: ChatServer, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.answers = [
        spoken(*"Let me compute.\n```python\nx = 6\nprint(x * y)\n```\nIt is 41."),
        spoken(*"<think>y is missing.</think>I forgot y.\n```python\ny = 7\nprint(x * y)\n```"),
        spoken("It is ", "42.", usage={"prompt_tokens": 300, "completion_tokens": 4}),
    ]
    body = {"model": "openai:qwen", "input": "What is 6 * 7?", "tools": [{"type": "code_execution"}]}
    interaction = client.create(body)
    assert interaction.status == "completed"
    kinds = [type(step) for step in interaction.steps]
    ran = [steps.CodeExecutionCall, steps.CodeExecutionResult]
    assert kinds == [steps.ModelOutput, *ran, steps.ModelOutput, *ran, steps.ModelOutput]
    failed, worked = (step for step in interaction.steps if isinstance(step, steps.CodeExecutionResult))
    assert failed.is_error
    assert "NameError" in failed.text
    assert not worked.is_error
    assert worked.text.strip() == "42"
    assert steps.output_text(interaction.steps[-1:]) == "It is 42."
    assert interaction.usage.total_output_tokens > 4
    repaired, final = server.bodies[1]["messages"], server.bodies[2]["messages"]
    assert [message["role"] for message in repaired] == ["system", "user", "assistant", "user"]
    assert repaired[-1]["content"].startswith("Error:\n")
    assert "NameError" in repaired[-1]["content"]
    assert final[-1]["content"] == "Output:\n42"


def test_a_follow_up_carries_the_conversation(
    server: ChatServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.answers = [spoken("Forty-two."), spoken("I said 42.")]
    first = client.create({"model": "openai:qwen", "input": "What is 6 * 7?"})
    client.create({"model": "openai:qwen", "input": "Once more?", "previous_interaction_id": first.id})
    assert [message["content"] for message in server.bodies[1]["messages"][1:]] == [
        "What is 6 * 7?",
        "Forty-two.",
        "Once more?",
    ]


def test_a_failing_server_is_a_failed_interaction(
    server: ChatServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.answers = [refused({"error": {"message": "model requires more system memory"}}, 500)]
    interaction = client.create({"model": "openai:qwen", "input": "What is 6 * 7?"})
    assert interaction.status == "failed"
    assert "more system memory" in str(interaction.errors)


def test_a_server_of_ours_answers_by_the_model_at_its_address(server: ChatServer) -> None:
    server.answers = [spoken("Forty-two.")]
    engine = open_engine(serving=addressed("openai:qwen", server.url))
    with Client(Endpoint(base_url="http://engine.localhost"), transport=EngineTransport(engine)) as client:
        interaction = client.create({"model": "gemini-3-flash-preview", "input": "What is 6 * 7?"})
    engine.close()
    assert (interaction.model, steps.output_text(interaction.steps)) == ("openai:qwen", "Forty-two.")


def test_who_stops_listening_stops_the_server(
    server: ChatServer, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    server.answers = [Answer(*[delta(content="and so on " * 100)] * 20_000)]
    events = client.stream({"model": "openai:qwen", "input": "Tell me more.", "stream": True})
    assert any(isinstance(event, StepDelta) for event in events)
    events.close()
    assert server.hung_up.wait(20)
