"""A good model of the user's own, as its server would answer, asked from a real notebook; and who is not contacted."""

from __future__ import annotations

import base64
import json
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
ASK = "%%gemini_exec -o answer -m openai:qwen3:8b"
SETUP = """
%load_ext magic_ext
import os
import pandas as pd
import matplotlib.pyplot as plt
people = pd.DataFrame({"name": ["Ada", "Bob"], "age": [36, 41]})
fig, ax = plt.subplots(figsize=(1, 1))
ax.bar([0, 1], [3, 5])
fig.savefig("photo.png")
plt.close(fig)
def stock(article: str, shop: int = 1) -> str:
    "What a shop has of an article."
    return f"7 {article}s in shop {shop}"
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Callable[..., Any]) -> Any:
    """A notebook without any key."""
    opened = open_notebook()
    opened.do(SETUP)
    return opened


@pytest.fixture
def saying(faults: SimpleNamespace) -> Callable[..., Any]:
    """A script that streams an answer: a piece each of text, a dict each for any other delta."""

    def script(*pieces: str | dict[str, Any], finish: str = "stop", **usage: int) -> Any:
        deltas = [{"content": piece} if isinstance(piece, str) else piece for piece in pieces]
        documents = [{"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
        documents.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        documents += [{"choices": [], "usage": usage}] if usage else []
        events = [b"data: " + json.dumps(document).encode() + b"\n\n" for document in documents]
        return faults.streamed(*events, b"data: [DONE]\n\n")

    return script


@pytest.fixture
def at(notebook: Any, serve: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Puts a server with these scripts behind the notebook's ``local_base_url``."""

    def start(*scripts: Any) -> Any:
        server = serve(*scripts)
        notebook.do(f"%config GeminiExecMagics.local_base_url = '{server.url}/v1'")
        return server

    yield start
    notebook.do("%config GeminiExecMagics.local_base_url = ''\nos.environ.pop('OPENAI_BASE_URL', None)")


def test_code_text_and_a_follow_up(notebook: Any, at: Callable[..., Any], saying: Any, body_of: Any) -> None:
    thinking: list[str | dict[str, Any]] = [{"reasoning_content": "The mean, "}, {"reasoning_content": "then."}]
    code = "I compute.\n\n```python\nprint(people['age'].mean())\n```\nOutput: 12"
    server = at(
        saying(*thinking, *code.split(" ")[:1], *(f" {word}" for word in code.split(" ")[1:])),
        saying("It is ", "38.5 years.", prompt_tokens=400, completion_tokens=6),
        saying("Bob."),
    )
    ran = notebook.run(f"{ASK} --show-thoughts\nMean age in @people?", live=True)
    assert ran.status == "ok", ran.of("error")
    assert notebook.value("answer.results") == ["38.5\n"]
    assert notebook.value("answer.text") == "I compute.\n\n\n\nIt is 38.5 years."
    assert "The mean, then." in ran.text and "Output: 12" not in ran.text
    assert "nothing left this computer" in ran.outputs[-1]["text/plain"]
    assert notebook.run(f"{ASK} -c\nWho is older?").status == "ok"
    first, second, third = map(body_of, server.seen)
    assert (first["model"], first["stream"]) == ("qwen3:8b", True)
    assert "'age': integer, 36 to 41" in first["messages"][0]["content"]
    assert second["messages"][-1]["content"] == "Output:\n38.5"
    said = [message["content"] for message in third["messages"]]
    assert said[-2:] == ["It is 38.5 years.", "Who is older?"]


def test_the_readme_holds(notebook: Any, at: Callable[..., Any], saying: Any, body_of: Any) -> None:
    section = README.partition("### A model of your own")[2].partition("\n## ")[0]
    block = textwrap.dedent("".join(line for line in section.splitlines(True) if line.startswith("    ")))
    setting, magic, question = block.splitlines()
    server = at(saying("Tea."))
    notebook.do("sales = pd.DataFrame({'article': ['tea', 'ink'], 'day': ['Monday', 'Friday'], 'n': [3, 5]})")
    notebook.do(setting.replace("http://127.0.0.1:11434", server.url))
    assert notebook.run(f"{magic}\n{question}").status == "ok"
    [body] = map(body_of, server.seen)
    assert body["model"] == "qwen3:8b" and "'article': text, 2 different: 'tea', 'ink'" in str(body["messages"])


@pytest.mark.parametrize("reference", ["@photo.png", "@fig"])
def test_a_picture_goes_to_a_model_that_sees(
    reference: str, notebook: Any, at: Callable[..., Any], saying: Any, body_of: Any
) -> None:
    server = at(saying("Two bars, 3 and 5."))
    ran = notebook.run(f"{ASK}\nWhat is in {reference}?")
    assert ran.status == "ok", ran.of("error")
    [text, picture] = body_of(server.seen[0])["messages"][-1]["content"]
    assert "What is in" in text["text"] and picture["type"] == "image_url"
    kind, _, data = picture["image_url"]["url"].partition(",")
    assert kind == "data:image/png;base64"
    sent = base64.b64decode(data)
    assert sent.startswith(b"\x89PNG\r\n")
    if reference == "@photo.png":
        assert sent == (notebook.folder / "photo.png").read_bytes()


def test_functions_are_called_from_pieces(notebook: Any, at: Callable[..., Any], saying: Any, body_of: Any) -> None:
    def piece(index: int, arguments: str, **named: str) -> dict[str, Any]:
        function = {"arguments": arguments, **({"name": "stock"} if named else {})}
        return {"tool_calls": [{"index": index, "function": function, **named}]}

    pieces = [piece(0, "", id="a"), piece(0, '{"article": "par'), piece(0, 'ka"}'), piece(1, "{", id="b")]
    pieces += [piece(1, '"article": "hat", "shop": 2'), piece(1, "}")]
    server = at(saying(*pieces, finish="tool_calls"), saying("Both."))
    ran = notebook.run(f"{ASK} --tool stock\nWhat is there?")
    assert ran.status == "ok", ran.of("error")
    assert notebook.value("[call.arguments for call in answer.calls]") == [
        {"article": "parka"},
        {"article": "hat", "shop": 2},
    ]
    asked, told = map(body_of, server.seen)
    assert [tool["function"]["name"] for tool in asked["tools"]] == ["stock"]
    results = [message["content"] for message in told["messages"] if message["role"] == "tool"]
    assert ["7 parkas in shop 1" in results[0], "7 hats in shop 2" in results[1]] == [True, True]


def test_arguments_that_are_no_json_are_told(notebook: Any, at: Callable[..., Any], saying: Any) -> None:
    broken = {"tool_calls": [{"index": 0, "id": "a", "function": {"name": "stock", "arguments": '{"article": "par'}}]}
    at(saying(broken, finish="tool_calls"))
    line = notebook.fails(f"{ASK} --tool stock\nWhat is there?").red_line
    assert "qwen3:8b made a call that can't be answered: stock(" in line


def test_an_answer_that_was_cut_says_why(notebook: Any, at: Callable[..., Any], saying: Any) -> None:
    at(saying("Half an ans", finish="length"))
    ran = notebook.run(f"{ASK}\nTell me more.")
    assert (
        "Half an ans" in ran.text and "status: incomplete" in ran.text and "The answer of qwen3:8b was cut" in ran.text
    )


def test_the_trait_goes_before_the_environment_and_doctor_says_which_holds(
    notebook: Any, at: Callable[..., Any], serve: Callable[..., Any], saying: Any, faults: SimpleNamespace
) -> None:
    listed = faults.reply(200, {"data": [{"id": "qwen3:8b"}, {"id": "llama3.2"}]})
    environments = serve(listed)
    notebook.do(f"os.environ['OPENAI_BASE_URL'] = '{environments.url}/v1'")
    host = environments.url.removeprefix("http://")
    told = notebook.do("%gemini doctor")
    assert f"openai:NAME is asked at {host}, which OPENAI_BASE_URL names\nit answers; models there: 2" in told
    seen = len(environments.seen)
    traits = at(saying("Yes."), listed)
    assert notebook.run(f"{ASK}\nYes?").status == "ok"
    host = traits.url.removeprefix("http://")
    told = notebook.do("%gemini doctor")
    assert f"asked at {host}, which local_base_url names\nit answers; models there: 2" in told
    assert (len(traits.seen), len(environments.seen)) == (2, seen)
    traits.close()
    assert f"No server lists its models at {host}" in notebook.do("%gemini doctor")
    assert f"No server answers at {host}" in notebook.fails(f"{ASK}\nYes?").red_line


@pytest.mark.parametrize(
    "setting",
    ["os.environ['OPENAI_BASE_URL']", "get_ipython().magics_manager.registry['GeminiExecMagics'].local_base_url"],
    ids=["environment", "trait"],
)
def test_nothing_goes_to_an_address_elsewhere(setting: str, notebook: Any, at: Callable[..., Any]) -> None:
    notebook.do(f"{setting} = 'http://models.example.com/v1'")
    told = "models.example.com is not this computer, and what your data look like would go there."
    assert told in notebook.refuses(f"{ASK}\nMean age in @people?")
    assert told in notebook.do("%gemini doctor") and told in notebook.do("%gemini models")
    notebook.do("%config GeminiExecMagics.local_base_url = ''\nos.environ.pop('OPENAI_BASE_URL', None)")
    assert "neither GeminiExecMagics.local_base_url nor OPENAI_BASE_URL is set" in notebook.refuses(f"{ASK}\nHm?")


def test_a_model_that_ollama_passes_on_is_refused(notebook: Any, at: Callable[..., Any], saying: Any) -> None:
    server = at(saying("Yes."))
    line = notebook.refuses("%%gemini_exec -m openai:gpt-oss:120b-cloud\nMean age in @people?")
    assert "runs in Ollama's cloud, and what your data look like would go there" in line
    assert server.seen == []


def test_servers_at_the_usual_ports_are_only_contacted_by_models(
    notebook: Any, at: Callable[..., Any], serve: Callable[..., Any], saying: Any, faults: SimpleNamespace
) -> None:
    usual = serve(faults.reply(200, {"data": [{"id": "llama3.2"}]}))
    notebook.do(
        "os.environ['OPENAI_API_KEY'] = 'sk-secret'\n"
        "from magic_ext.engine.models.servers import Usual\nimport magic_ext.frontend.offering as offering\n"
        f"offering.models_here.__defaults__ = ((Usual('Ollama', {usual.port}),),)"
    )
    assert notebook.run("%%gemini_exec\nMean age in @people?").status == "ok"
    assert notebook.run("%%gemini_exec\nWrite me a poem.").status == "ok"
    assert "is set" in notebook.refuses(f"{ASK}\nMean age in @people?")
    at(saying("Yes."))
    assert notebook.run(f"{ASK}\nYes?").status == "ok"
    notebook.do("%gemini doctor")
    notebook.do("%gemini usage")
    notebook.complete("%%gemini_exec -m open|")
    assert usual.seen == []
    listed = notebook.do("%gemini models")
    assert f'  %config GeminiExecMagics.local_base_url = "{usual.url}/v1"\n  %%gemini_exec -m openai:llama3.2' in listed
    [seen] = usual.seen
    assert (seen.method, seen.target, "authorization" in seen.headers) == ("GET", "/v1/models", False)
