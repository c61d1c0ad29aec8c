"""Canaries: under ``schema`` no value is on the wire by any path, decoded or not."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ASK = "%%gemini_exec -m gemini-3-flash-preview"
CANARY = "kanarienvogel"
NUMBER = 918273645
SETUP = """
import io, json
from decimal import Decimal
import numpy as np, pandas as pd, polars as pl, pyarrow as pa
from matplotlib.figure import Figure
CANARY, NUMBER = "kanarien" + "vogel", 918_273_645
n = 3
words = [f"{CANARY}{at}" for at in range(n)]
frame = pd.DataFrame({
    "text": words, "number": [NUMBER + at for at in range(n)], "real": [NUMBER + 0.5] * n,
    "category": pd.Categorical(words, [*words, CANARY + " unseen"], ordered=True),
    "codes": pd.Categorical([NUMBER] * n),
    "sparse": pd.arrays.SparseArray([float(NUMBER)] * n, fill_value=float(NUMBER)),
    "interval": pd.arrays.IntervalArray.from_tuples([(NUMBER, NUMBER + 1)] * n), "nested": [[word] for word in words],
    "fields": [{CANARY: word} for word in words], "decimal": [Decimal(NUMBER)] * n, "bytes": [CANARY.encode()] * n,
    "mixed": [*words[:-1], NUMBER], "object": [io.StringIO(word) for word in words],
}, index=pd.MultiIndex.from_arrays([words, range(NUMBER, NUMBER + n)], names=["a", "b"]))
frame.attrs["source"] = CANARY
grouped = frame.set_index(pd.CategoricalIndex(words))
series = frame["text"]
index = frame.index
enum = pl.Series([CANARY], dtype=pl.Enum([CANARY]))
polars = pl.DataFrame({"e": enum, "n": [NUMBER], "l": [[CANARY]], "s": [{"x": CANARY}]})
lazy = polars.lazy()
arrow = pa.table({"d": pa.array([CANARY]).dictionary_encode(), "n": [NUMBER]}).replace_schema_metadata({"k": CANARY})
records = [{"a": CANARY, "b": NUMBER}]
array = np.array([[CANARY]])
tensor = np.full((2, 2, 2), NUMBER)
mapping = {CANARY: NUMBER, "k": [CANARY]}
text = CANARY + chr(10) + CANARY
word, number = CANARY, NUMBER
figure = Figure(); figure.suptitle(CANARY)
class Loud(Exception):
    pass
Loud.__name__ = CANARY
def fails(kind: str) -> str:
    "Fails."
    raise {"key": KeyError, "loud": Loud, "value": ValueError}[kind](f"{CANARY} {NUMBER}")
def returns(kind: str) -> object:
    "Returns."
    return globals()[kind]
import pathlib
pathlib.Path("data.csv").write_text(f"name,n\\n{CANARY},{NUMBER}\\n")
pathlib.Path("bare.csv").write_text(f"{CANARY},{NUMBER}.5\\n{CANARY},1.5\\n")
pathlib.Path("data.json").write_text(json.dumps(mapping))
pathlib.Path("data.txt").write_text(text)
pathlib.Path("data.pdf").write_bytes(b"%PDF" + CANARY.encode())
figure.savefig("data.png", metadata={"Title": CANARY})
"""
OBJECTS = (
    *("frame", "grouped", "series", "index", "polars", "lazy", "arrow", "records", "array", "tensor", "mapping"),
    *("text", "word", "number", "figure"),
)
FILES = ("data.csv", "bare.csv", "data.json", "data.txt", "data.pdf", "data.png")
EVERYTHING = " ".join(f"@{name}" for name in (*OBJECTS, *FILES))
ONE_BY_ONE = EVERYTHING.replace(" ", ":schema ") + ":schema"


@pytest.fixture(scope="module", autouse=True)
def _things(notebook: Any) -> None:
    notebook.do(SETUP)


@pytest.fixture(autouse=True)
def _plain(notebook: Any) -> Iterator[None]:
    notebook.do("%config GeminiExecMagics.send = 'schema'")
    yield
    notebook.do(
        "%config GeminiExecMagics.send = 'auto'\n%config GeminiExecMagics.store = True\n"
        "%config GeminiExecMagics.cache = 'off'\n%config GeminiExecMagics.cache_dir = ''"
    )


def decoded(data: bytes) -> Iterator[bytes]:
    """The bytes, and whatever base64 in them decodes to."""
    yield data.lower()
    for run in re.findall(rb"[A-Za-z0-9+/]{16,}={0,2}", data):
        try:
            yield base64.b64decode(run + b"=" * (-len(run) % 4)).lower()
        except binascii.Error:
            continue


def assert_silent(server: Any, requests: int) -> None:
    assert len(server.seen) == requests
    for seen in server.seen:
        for data in decoded(seen.body + seen.target.encode() + str(seen.headers).encode()):
            assert CANARY.encode() not in data
            assert not re.search(rb"918[,_]?273[,_]?64", data)
            assert b"iend\xaeb`\x82" not in data, "no picture either"


def said(text: str) -> Any:
    return {"type": "model_output"}, [{"type": "text", "text": text}]


def call(name: str, id: str, **arguments: Any) -> Any:
    return {"type": "function_call", "id": id, "name": name, "arguments": arguments}, []


@pytest.mark.parametrize(
    "cell", [f"{ASK}\nSee {EVERYTHING} .", f"{ASK} {EVERYTHING}\nSee them.", f"{ASK} --send auto\nSee {ONE_BY_ONE} ."]
)
def test_the_first_question(notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any, cell: str) -> None:
    server = asked_at(google(said("Well.")))
    ran = notebook.run(cell)
    assert ran.status == "ok", ran.of("error")
    assert_silent(server, 1)
    body = body_of(server.seen[0])
    assert "tools" not in body
    assert "not executed: schema only" in ran.outputs[-1]["text/plain"]
    assert "No code was executed" not in ran.text
    assert all(name in json.dumps(body) for name in OBJECTS)


def test_with_something_else_code_is_run(
    notebook: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    notebook.do("free = pd.DataFrame({'x': [1, 2]})")
    server = asked_at(google(said("Well.")))
    ran = notebook.run(f"{ASK}\nSee @frame and @free:full.")
    assert_silent(server, 1)
    assert body_of(server.seen[0])["tools"] == [{"type": "code_execution"}]
    assert "not executed" not in ran.text
    ran = notebook.run(f"{ASK} --no-code\nSee @frame.")
    assert "not executed" not in ran.text
    notebook.run(f"{ASK}\nWhat is 6 times 7?")
    assert body_of(server.seen[-1])["tools"] == [{"type": "code_execution"}]


@pytest.mark.parametrize("how", ["in the stream", "as the status"])
def test_a_model_that_writes_code_all_the_same(
    notebook: Any, asked_at: Callable[..., Any], google: Any, faults: Any, how: str
) -> None:
    error = {"code": "unexpected_tool_call", "message": "Model tried to call an undeclared function."}
    if how == "as the status":
        script = google(said("Let me see."), status="failed", errors=[error])
    else:
        script = faults.streamed(faults.sse({"event_type": "error", "error": error}), faults.DONE)
    server = asked_at(script)
    line = notebook.run(f"{ASK}\nSee @frame.").red_line
    assert "was sent names and types alone: there is nothing to run it on. Add --run local" in line
    assert "--send sample" in line and len(server.seen) == 1
    assert "which --no-code forbids" in notebook.run(f"{ASK} --no-code\nSee @frame.").red_line


@pytest.mark.parametrize("store", [True, False])
def test_a_conversation_with_functions(notebook: Any, asked_at: Callable[..., Any], google: Any, store: bool) -> None:
    kinds = [("fails", kind) for kind in ("key", "loud", "value", "other")]
    kinds += [("returns", kind) for kind in (*OBJECTS, "words", "CANARY")]
    calls = [call(name, f"f{at}", kind=kind) for at, (name, kind) in enumerate(kinds)]
    scripts = []
    for at in range(0, len(calls), 8):
        scripts.append(google(*calls[at : at + 8], id=f"v1_{at}", status="requires_action"))
    server = asked_at(*scripts, google(said("Well."), id="v1_z"), google(said("And.")))
    notebook.do(f"%config GeminiExecMagics.store = {store}")
    ran = notebook.run(f"{ASK} --tool fails --tool returns\nSee {EVERYTHING} .")
    assert ran.status == "ok", ran.of("error")
    assert notebook.run(f"{ASK} -c\nAnd @frame @data.csv ?").status == "ok"
    assert_silent(server, len(scripts) + 2)
    told = b"".join(seen.body for seen in server.seen)
    assert b"KeyError" in told and b"ValueError" in told and b"an error" in told


def test_an_exception_keeps_its_message_where_a_reference_is_schema_only(
    notebook: Any, asked_at: Callable[..., Any], google: Any
) -> None:
    server = asked_at(google(call("fails", "f1", kind="value"), status="requires_action"), google(said("Well.")))
    assert notebook.run(f"{ASK} --send auto --tool fails\nSee @frame:schema.").status == "ok"
    assert_silent(server, 2)


def test_after_an_error(notebook: Any, asked_at: Callable[..., Any], google: Any, faults: Any) -> None:
    bad = faults.reply(400, {"error": {"code": "invalid_request", "message": "No."}})
    server = asked_at(bad, faults.reply(503, {}, retry_after="0"), google(said("Well.")), google(said("Again.")))
    notebook.fails(f"{ASK}\nSee {EVERYTHING} .")
    assert notebook.run(f"{ASK}\nSee {EVERYTHING} .").status == "ok"
    notebook.do("try:\n    frame['" + CANARY + "']\nexcept KeyError:\n    pass")
    assert notebook.run(f"{ASK} -c\nIt failed. See {EVERYTHING} .").status == "ok"
    assert_silent(server, 4)


def test_large_things_are_not_uploaded(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    notebook.do("import pandas as pd\nlarge = pd.DataFrame({'w': [CANARY * 1000] * 20_000})")
    server = asked_at(google(said("Well.")))
    assert notebook.run(f"{ASK}\nSee @large.").status == "ok"
    assert_silent(server, 1)


CODE = """
import pandas as pd
print(frame if "frame" in globals() else 0, CANARY if "CANARY" in globals() else 1, frame.index.tolist())
import matplotlib.pyplot as plt
plt.title(frame["text"].iloc[0]); plt.plot([1]); plt.show()
"""
FAILING = (
    "globals()[frame['text'].iloc[0]] = 1\nclass E(Exception): pass\nE.__name__ = frame['text'].iloc[0]\nraise E(1)"
)


@pytest.mark.parametrize("store", [True, False])
@pytest.mark.parametrize("place", ["local", "kernel"])
def test_code_that_runs_here(
    notebook: Any, asked_at: Callable[..., Any], google: Any, place: str, store: bool, tmp_path: Path
) -> None:
    notebook.do(
        f"%config GeminiExecMagics.store = {store}\n%config GeminiExecMagics.run_unasked = True\n"
        "plain = frame[['text', 'number', 'category']].reset_index(); small = plain"
    )
    codes = (CODE.replace("frame", "plain"), FAILING.replace("frame", "plain"), "raise KeyError(plain['text'].iloc[0])")
    calls = [
        google(call("run_python", f"f{at}", code=code), id=f"v1_{at}", status="requires_action")
        for at, code in enumerate(codes)
    ]
    server = asked_at(*calls, google(said("Well."), id="v1_y"), google(said("And."), id="v1_z"))
    ran = notebook.run(f"{ASK} --run {place}\nSee @plain, @data.csv and @word.")
    assert ran.status == "ok", ran.of("error")
    assert CANARY in ran.text.lower(), "the user sees it"
    assert notebook.run(f"{ASK} --run {place} -c\nAnd @plain?").status == "ok"
    assert_silent(server, 5)
    notebook.do("%config GeminiExecMagics.run_unasked = False")


def test_recorded_answers(notebook: Any, asked_at: Callable[..., Any], google: Any, tmp_path: Path) -> None:
    notebook.do(f"%config GeminiExecMagics.cache = 'use'\n%config GeminiExecMagics.cache_dir = {str(tmp_path)!r}")
    server = asked_at(google(said("Well."), id="v1_a"), google(said("And."), id="v1_b"))
    for options in ("", "", " --cache refresh"):
        assert notebook.run(f"{ASK}{options}\nSee {EVERYTHING} .").status == "ok"
    assert_silent(server, 2)
    assert notebook.run(f"{ASK} -c\nAnd @frame?").status == "ok"
    assert_silent(server, 3)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert CANARY.encode() not in path.read_bytes().lower()


def test_the_canaries_are_found_where_they_leave(notebook: Any, asked_at: Callable[..., Any], google: Any) -> None:
    for name in (*OBJECTS, *FILES):
        if name in {"lazy", "tensor"}:
            continue
        server = asked_at(google(said("Well.")))
        assert notebook.run(f"{ASK} --send full\nSee @{name} .").status == "ok", name
        with pytest.raises(AssertionError):
            assert_silent(server, 1)
