"""Conversations anchored to cells: run again, branched, after a restart of the kernel."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SETUP = "%load_ext magic_ext\nimport pandas as pd\nsales = pd.DataFrame({'city': ['Bern', 'Basel'], 'units': [3, 5]})"
PLAIN = "%%gemini_exec -m offline-planner"


@pytest.fixture
def named(open_notebook: Callable[..., Any], request: pytest.FixtureRequest) -> Callable[[], Any]:
    """Opens kernels of one and the same notebook."""

    def start() -> Any:
        opened = open_notebook(JPY_SESSION_NAME=f"/home/me/{request.node.name}.ipynb")
        opened.do(SETUP)
        return opened

    return start


def test_a_cell_run_again_keeps_its_place(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    step = ({"type": "model_output"}, [{"type": "text", "text": "Yes."}])
    server = asked_at(*(google(step, id=f"v1_{name}") for name in ("a1", "b1", "c1", "b2", "c2", "b3")))
    cells = {"a": "%%gemini_exec\na?", "b": "%%gemini_exec -c\nb?", "c": "%%gemini_exec -c\nc?"}
    for cell in "abcbc":
        assert notebook.run(cells[cell], live=True, cell=f"{cell}-cell").status == "ok"
    assert notebook.run("%%gemini_exec -c --new\nb?", live=True, cell="b-cell").status == "ok"
    before = [body_of(seen).get("previous_interaction_id") for seen in server.seen]
    assert before == [None, "v1_a1", "v1_b1", "v1_a1", "v1_b2", None]
    tree = notebook.do("%gemini history")
    assert "a?  (127.0.0.1" in tree and "← last" in tree
    assert tree.count("out of date") == 1 and "out of date" in next(line for line in tree.splitlines() if "c?" in line)
    ran = notebook.run("%%gemini_exec -c=v1_c2\nd?", live=True, cell="d-cell")
    assert "It went on from 'c?', which is out of date" in ran.text
    assert "-c=v1_c2" in notebook.do("%gemini history ids")


def test_a_name_never_used_is_told_where_it_brings_nothing(
    notebook: Any, asked_at: Callable[..., Any], google: Any
) -> None:
    step = ({"type": "model_output"}, [{"type": "text", "text": "Yes."}])
    asked_at(*(google(step, id=f"v1_{name}") for name in ("n1", "n2", "n3")))
    assert notebook.run("%%gemini_exec -c=rep\nOne?").status == "ok"
    ran = notebook.run("%%gemini_exec -c=nix\nby island")
    assert "No conversation was called 'nix': it begins here (known: rep)." in ran.text
    notebook.do("limit = 3")
    ran = notebook.run("%%gemini_exec -c=three\nAnd what is @limit?")
    assert ran.status == "ok" and "No conversation was called" not in ran.text


def test_a_restarted_kernel_goes_on(named: Callable[[], Any]) -> None:
    first = named()
    assert first.run(f"{PLAIN}\nTotal units by city in @sales", live=True, cell="a").status == "ok"
    second = named()
    ran = second.run(f"{PLAIN} -c\nas a bar chart", live=True, cell="b")
    assert ran.status == "ok", ran.of("error")
    assert any("image/png" in data for data in ran.outputs)
    assert "Total units by city" in second.do("%gemini history")


def test_blocks_of_an_earlier_kernel_come_along(named: Callable[[], Any], tmp_path: Path) -> None:
    script = [[[{"code": "total = sales['units'].sum()"}], []], [[{"code": "print(total * 2)"}], []]]
    (tmp_path / "two.json").write_text(json.dumps(script))
    ask = f"%%gemini_exec -m scripted:{tmp_path / 'two.json'}"
    assert named().run(f"{ask}\nSum up @sales.", live=True, cell="a").status == "ok"
    ran = named().run(f"{ask} -c --paste\nTwice that.", live=True, cell="b")
    assert ran.status == "ok", ran.of("error")
    [payload] = ran.payload
    assert payload["text"].index("total = sales") < payload["text"].index("print(total * 2)")


def test_blocks_that_went_with_an_earlier_kernel_are_told(
    open_notebook: Callable[..., Any], serve: Callable[..., Any], google: Any
) -> None:
    ran = ({"type": "code_execution_call", "id": "c1", "arguments": {"language": "python", "code": "b = 1"}}, [])
    result = ({"type": "code_execution_result", "call_id": "c1", "result": "", "is_error": False}, [])
    server = serve(google(ran, result, id="v1_a"), google(ran, result, id="v1_b"))
    surroundings = {
        "GEMINI_API_KEY": "k",
        "GOOGLE_GEMINI_BASE_URL": server.url,
        "JPY_SESSION_NAME": "/home/me/gone.ipynb",
    }
    texts = []
    for cell, line in (("a", ""), ("b", " -c")):
        kernel = open_notebook(**surroundings)
        kernel.do("%load_ext magic_ext")
        texts.append(kernel.run(f"%%gemini_exec{line}\nhi", live=True, cell=cell).text)
    assert ["went with an earlier kernel" in text for text in texts] == [False, True]


def test_variables_that_are_gone_are_told(named: Callable[[], Any]) -> None:
    first = named()
    assert first.run(f"{PLAIN}\nTotal units by city in @sales", live=True, cell="a").status == "ok"
    second = named()
    second.do("del sales")
    ran = second.run(f"{PLAIN} -c\nas a bar chart", live=True, cell="b")
    assert "speaks of sales, which this session does not have" in ran.text


def test_forgotten_conversations_are_gone(named: Callable[[], Any]) -> None:
    first = named()
    assert first.run(f"{PLAIN}\nTotal units by city in @sales", live=True, cell="a").status == "ok"
    assert first.run("%gemini forget", answers=["y"]).status == "ok"
    second = named()
    assert "Nothing has been asked" in second.do("%gemini history")
    assert "no answer yet to continue" in second.run(f"{PLAIN} -c\nas a bar chart", live=True, cell="b").red_line


def test_rows_of_a_policy_limit_what_leaves_and_the_footer_says_so(named: Callable[[], Any]) -> None:
    ran = named().run(f"{PLAIN}\nTotal units by city in @sales:head(1)")
    assert "all 2 rows (:head(1) limits only what leaves)" in ran.outputs[-1]["text/plain"]
    assert ":head(1) limits what leaves, not what code here works on" in ran.outputs[0]["text/plain"]
    assert "Basel    5" in ran.text


def test_changed_data_are_taken_where_they_are_named_again(named: Callable[[], Any]) -> None:
    notebook = named()
    assert notebook.run(f"{PLAIN}\nTotal units by city in @sales", live=True, cell="a").status == "ok"
    notebook.do("sales['units'] *= 10")
    before = notebook.run(f"{PLAIN} -c\nas a bar chart", live=True, cell="b")
    assert "all 2 rows as attached before" in before.text
    now = notebook.run(f"{PLAIN} -c --paste\nby city in @sales", live=True, cell="c")
    assert "as attached before" not in now.text
    assert "Basel    50" in now.text
    [payload] = now.payload
    assert payload["text"].count("# The answer was computed on all 2 rows of sales.") == 1
