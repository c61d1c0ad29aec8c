"""Bad input is refused in one red line before anything is sent, and the next cell runs."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

ASK = "Mean revenue by city in @sales."
SETUP = """
import sys, threading
import pandas as pd
sales = pd.DataFrame({"city": ["Rome", "Oslo", "Rome"], "revenue": [1.0, 2.0, 3.5]})
frames = {"train": sales, "test": sales}
def function(): return 1
generator = (n for n in [1])
opened = open("empty.csv")
lock = threading.Lock()
class Thing: pass
thing = Thing()
"""


@pytest.fixture(scope="module", autouse=True)
def _things(notebook: Any) -> None:
    folder = notebook.folder
    (folder / "empty.csv").touch()
    (folder / "data").mkdir()
    (folder / "data" / "targets.csv").write_text("city,target\nRome,1\n")
    (folder / "model.bin").write_bytes(bytes(range(256)) * 8)
    (folder / "really_binary.csv").write_bytes(b"\x00\x01\xff\xfe\x00" * 400)
    notebook.do(SETUP)


@pytest.fixture(autouse=True)
def _nothing_is_sent(asked_at: Callable[..., Any], faults: Any) -> Iterator[None]:
    server = asked_at(faults.FINE)
    yield
    assert server.seen == []


@pytest.mark.parametrize(
    "cell",
    ["", "\n", " \n \t\n", "# NBVAL_SKIP\n", "# NBVAL_IGNORE_OUTPUT\n\n   # NBVAL_CHECK_OUTPUT\n", "\u00a0\u2003\n"],
    ids=["nothing", "a line", "spaces", "one mark", "two marks", "wide spaces"],
)
def test_empty_cell(notebook: Any, cell: str) -> None:
    assert "asks nothing" in notebook.refuses(f"%%gemini_exec\n{cell}")
    assert "asks nothing" in notebook.refuses(f"%%gemini_exec -m gemini-3-flash-preview --paste\n{cell}")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (f"%%gemini_exec --modle x\n{ASK}", ["--modle", "Did you mean --model?"]),
        (f"%%gemini_exec --frobnicate\n{ASK}", ["--frobnicate", "%%gemini_exec?"]),
        (f"%%gemini_exec what is this\n{ASK}", ["'what'", "below"]),
        (f"%%gemini_exec -m\n{ASK}", ["-m needs a value", "NAME"]),
        (f"%%gemini_exec -m=\n{ASK}", ["-m needs a value"]),
        (f"%%gemini_exec -m --dry-run\n{ASK}", ["-m needs a value"]),
        (f"%%gemini_exec -m a -m b\n{ASK}", ["twice"]),
        (f"%%gemini_exec --thinking hihg\n{ASK}", ["'hihg'", "high"]),
        (f"%%gemini_exec --run mars\n{ASK}", ["'mars'", "google", "local"]),
        (f"%%gemini_exec --paste=most\n{ASK}", ["'most'", "last", "all"]),
        (f"%%gemini_exec --timeout soon\n{ASK}", ["'soon'", "number"]),
        (f"%%gemini_exec --timeout -1\n{ASK}", ["'-1'", "above 0"]),
        (f"%%gemini_exec --timeout nan\n{ASK}", ["'nan'", "number"]),
        (f"%%gemini_exec --no-code=yes\n{ASK}", ["--no-code takes no value"]),
        (f'%%gemini_exec --system "Be brief\n{ASK}', ["never closed"]),
        (f"%%gemini_exec -o not-a-name\n{ASK}", ["not-a-name", "variable"]),
        (f"%%gemini_exec -o class\n{ASK}", ["class", "variable"]),
        (f"%%gemini_exec --send fulll\n{ASK}", ["'fulll'", "Did you mean full"]),
        (f"%%gemini_exec --send head(x)\n{ASK}", ["head"]),
        (f"%%gemini_exec --dry-run -m offline-plannr\n{ASK}", ["offline-plannr", "offline-planner"]),
        (f"%%gemini_exec -m offline-plannr\n{ASK}", ["offline-plannr", "offline-planner"]),
        (f"%%gemini_exec -m offline-planner --run google\n{ASK}", ["--run google"]),
        (f"%%gemini_exec -c\n{ASK}", ["no answer yet", "Run the cells before it again"]),
    ],
)
def test_bad_option(notebook: Any, cell: str, said: list[str]) -> None:
    line = notebook.refuses(cell)
    assert all(word in line for word in said), line


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("mean of @slaes", ["'slaes'", "@sales", "@@slaes"]),
        ("mean of @nothing_like_it", ["nothing_like_it", "@@nothing_like_it"]),
        ("mean of @sales[cty]", ["'cty'", "'city'"]),
        ('mean of @sales["revnue"]', ["revnue", "revenue"]),
        ("mean of @sales[]", ["brackets"]),
        ("mean of @sales:shcema", ["shcema", ":schema"]),
        ("mean of @sales:head(-3)", ["head"]),
        ("mean of @sales:head(0)", ["head"]),
        ("mean of @sales:schema(3)", ["schema", "no number of rows"]),
        ('mean of @frames["tarin"]', ["tarin", "train"]),
        ("mean of @frames", ["cannot be sent", '["train"]']),
        ("mean of @sales.nothing", ["nothing"]),
        ("mean of @Out[99]", ["99"]),
        ("read @missing.csv", ["missing.csv"]),
        ("read @data/target.csv", ["target.csv", "targets.csv"]),
        ('read @"no such file.csv"', ["no such file.csv"]),
        ("read @data/", ["folder", "targets.csv"]),
        ("read @./data", ["folder", "targets.csv"]),
        ("read @data", ["folder", "targets.csv"]),
        ("read @empty.csv", ["empty.csv", "empty"]),
        ("what is @sys", ["@sys", "module"]),
        ("what is @function", ["@function", "function"]),
        ("what is @generator", ["@generator", "generator"]),
        ("what is @opened", ["@opened", "TextIOWrapper"]),
        ("what is @lock", ["@lock", "lock"]),
        ("what is @thing", ["@thing", "Thing"]),
        ("what is @Thing", ["@Thing", "class"]),
        ("what is @pd", ["@pd", "module"]),
    ],
)
@pytest.mark.parametrize("where", ["", "-m offline-planner"], ids=["Gemini", "here"])
def test_bad_reference(notebook: Any, where: str, prompt: str, said: list[str]) -> None:
    line = notebook.refuses(f"%%gemini_exec {where}\n{prompt}")
    assert all(word in line for word in said), line


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("mean of @sales:schema and @sales:full", "two policies"),
        ("read @model.bin", "model.bin"),
        ("read @really_binary.csv", "really_binary.csv"),
    ],
)
def test_what_must_not_leave(notebook: Any, prompt: str, said: str) -> None:
    assert said in notebook.refuses(f"%%gemini_exec\n{prompt}")


@pytest.mark.parametrize("ending", ["", ".csv", ".foo", "/x"])
def test_a_name_longer_than_any_file(notebook: Any, ending: str) -> None:
    assert "There is no" in notebook.refuses(f"%%gemini_exec\nwhat is @{'a' * 300}{ending}")


def test_reference_on_the_first_line(notebook: Any) -> None:
    assert "@sales" in notebook.refuses("%%gemini_exec @slaes\nmean of revenue")


def test_unreadable_file(notebook: Any) -> None:
    locked = notebook.folder / "locked.csv"
    locked.touch(0o000)
    if os.access(locked, os.R_OK):  # an administrator reads everything, but not this
        locked.unlink()
        locked.symlink_to("/proc/self/mem")
    if not locked.exists():
        pytest.skip("this machine has no file that an administrator cannot read")
    line = notebook.refuses("%%gemini_exec\nread @locked.csv")
    assert "locked.csv" in line
    assert "cannot be read" in line


@pytest.mark.parametrize("target", ["/dev/zero", "locked-in-itself.csv"], ids=["a device", "a link to itself"])
def test_what_is_no_file(notebook: Any, target: str) -> None:
    link = notebook.folder / "locked-in-itself.csv"
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    assert "locked-in-itself.csv" in notebook.refuses("%%gemini_exec\nread @locked-in-itself.csv")


def test_missing_key(open_notebook: Callable[..., Any]) -> None:
    notebook = open_notebook()
    notebook.do("%load_ext magic_ext")
    line = notebook.refuses("%%gemini_exec -m gemini-3-flash-preview\nhi")
    assert "gemini-3-flash-preview needs an API key" in line
    assert "set GEMINI_API_KEY, or type it after %gemini key" in line
    assert "needs an API key" in notebook.refuses("%%gemini_exec --run google\nhi")
    line = notebook.refuses("%%gemini_exec -m gpt-5\nhi")
    assert "gpt-5 is no model of this computer" in line and "-m openai:gpt-5" in line
