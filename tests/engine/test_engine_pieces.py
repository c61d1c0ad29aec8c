"""The engine's pieces without a kernel: requests read, jobs tailed, interactions stored, tables described."""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from magic_ext.engine.asked import read_body
from magic_ext.engine.errors import EngineError
from magic_ext.engine.files import EXPIRY, Files
from magic_ext.engine.inputs import check_addresses, input_files
from magic_ext.engine.jobs import Job
from magic_ext.engine.models.base import Code, Conversation, Text
from magic_ext.engine.models.registry import is_embedded, open_model
from magic_ext.engine.models.scripted import ScriptedModel
from magic_ext.engine.store import Store, StoredInteraction
from magic_ext.engine.tables import TableSource, describe_code, read_description
from magic_ext.engine.transcript import Transcript
from magic_ext.errors import GeminiExecError
from magic_ext.wire.assembly import Assembly
from magic_ext.wire.events import decode_event
from magic_ext.wire.sse import ServerSentEvent
from magic_ext.wire.steps import CodeExecutionCall, CodeExecutionResult, FunctionResult, UserInput, decode_steps

QUESTION = "What is the sum?"


@pytest.mark.parametrize(
    "shape",
    [
        QUESTION,
        {"type": "text", "text": QUESTION},
        [{"type": "text", "text": QUESTION}],
        [{"text": QUESTION}],
        [{"type": "user_input", "content": [{"type": "text", "text": QUESTION}]}],
    ],
)
def test_every_shape_of_input_is_the_same_question(shape: object) -> None:
    asked = read_body({"model": "models/m", "input": shape})
    assert asked.model == "m"
    assert [step.text for step in asked.steps if isinstance(step, UserInput)] == [QUESTION]


def test_a_function_result_is_an_input() -> None:
    asked = read_body({"model": "m", "input": [{"type": "function_result", "call_id": "c", "result": {"a": 1}}]})
    assert asked.steps == (FunctionResult("c", "", {"a": 1}, False),)


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        ([], "invalid_request", "object"),
        ({"input": "x"}, "invalid_request", "model"),
        ({"model": "m"}, "invalid_request", "input"),
        ({"model": "m", "input": []}, "invalid_request", "empty"),
        ({"model": "m", "input": ["x"]}, "invalid_request", "input[0]"),
        ({"model": "m", "input": 3}, "invalid_request", "input"),
        ({"model": 3, "input": "x"}, "invalid_request", "model"),
        ({"model": "m", "input": "x", "top_k": 3}, "parameter_unknown", "top_k"),
        ({"model": "m", "input": "x", "tools": [{"type": "bogus"}]}, "invalid_request", "tools[0]"),
        ({"model": "m", "input": "x", "tools": "code_execution"}, "invalid_request", "tools"),
        ({"model": "m", "input": "x", "store": False, "background": True}, "invalid_request", "store"),
        ({"model": "m", "input": "x", "response_format": {"type": "image"}}, "invalid_request", "response_format"),
        ({"model": "m", "agent": "a", "input": "x"}, "invalid_request", "model"),
        ({"model": "m", "input": [{"type": "user_input"}, {"type": "telepathy"}]}, "invalid_request", "telepathy"),
    ],
)
def test_a_bad_body_is_a_400_in_googles_shape(body: object, code: str, word: str) -> None:
    with pytest.raises(EngineError) as caught:
        read_body(body)
    assert caught.value.status == 400
    assert caught.value.document["error"]["code"] == code
    assert word in caught.value.document["error"]["message"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first text is slow to make where nothing is cached
@given(st.dictionaries(st.sampled_from(["model", "input", "tools", "generation_config", "store", "stream"]), JSON))
def test_any_json_is_read_or_refused(body: object) -> None:
    with contextlib.suppress(EngineError):
        read_body(body)


def _job() -> Job:
    return Job({"id": "v1_test", "object": "interaction", "status": "in_progress"})


def test_a_unary_reply_and_a_stream_tell_the_same_steps() -> None:
    job = _job()
    transcript = Transcript(job)
    transcript.thought("First ")
    transcript.text("I ")
    transcript.text("compute.")
    call = transcript_run(transcript)
    transcript.image(b"\x89PNG", "image/png")
    transcript.text("Two.")
    transcript.close()
    job.finish({**job.head, "status": "completed"})
    assembly = Assembly()
    for event in job.tail():
        assert event is not None
        decoded = decode_event(ServerSentEvent("", json.dumps(event).encode()))
        assert decoded is not None
        assembly.apply(decoded)
    assert list(assembly.raw_steps) == job.document["steps"]
    assert [step["type"] for step in job.document["steps"]] == [
        *("thought", "model_output", "code_execution_call", "code_execution_result", "model_output", "model_output")
    ]
    assert decode_steps(job.document["steps"])[:4] == transcript.steps[:4]
    assert CodeExecutionCall(call, "1+1") in transcript.steps


def transcript_run(transcript: Transcript) -> str:
    transcript.close()
    call = transcript.call("1+1")
    transcript.result_start(call)
    transcript.result_piece("2")
    transcript.result_piece("\n")
    transcript.result_end(call, is_error=False)
    return call


def test_readers_tail_a_job_from_where_they_left() -> None:
    job = _job()
    seen: list[list[str]] = [[], []]

    def read(number: int, after: str) -> None:
        seen[number] += [event["event_id"] for event in job.tail(after) if event is not None]

    readers = [threading.Thread(target=read, args=(0, "")), threading.Thread(target=read, args=(1, "evt_1"))]
    for reader in readers:
        reader.start()
    for number in range(4):
        job.emit({"event_type": "step.stop", "index": number})
    job.finish(job.head)
    for reader in readers:
        reader.join(10)
    assert seen == [["evt_0", "evt_1", "evt_2", "evt_3", "evt_4"], ["evt_2", "evt_3", "evt_4"]]


def test_a_silent_job_sends_heartbeats() -> None:
    job = _job()
    tail = job.tail(heartbeat=0.01)
    assert next(tail) is None
    job.finish(job.head)
    assert [event["event_type"] for event in tail if event] == ["interaction.completed"]


def test_a_job_is_cancelled_only_when_nobody_reads_it() -> None:
    job = _job()
    job.emit({"event_type": "step.stop", "index": 0})
    reader = job.tail()
    next(reader)
    job.cancel_if_unread()
    assert not job.cancelled.is_set()
    reader.close()
    job.cancel_if_unread()
    assert job.cancelled.is_set()


def _stored(id: str, previous: str = "") -> StoredInteraction:
    return StoredInteraction(id=id, previous=previous, input=({"type": "user_input"},), head={"id": id, "n": 1})


def test_the_store_gives_back_chains_and_branches(tmp_path: Path) -> None:
    store = Store(tmp_path / "deep" / "i.sqlite")
    for turn in (_stored("a"), _stored("b", "a"), _stored("c", "b"), _stored("d", "b"), _stored("e", "gone")):
        store.put(turn)
    again = Store(tmp_path / "deep" / "i.sqlite")  # another process
    assert [turn.id for turn in again.chain("c")] == ["a", "b", "c"]
    assert [turn.id for turn in again.chain("d")] == ["a", "b", "d"]
    assert [turn.id for turn in again.chain("e")] == ["e"]
    assert again.chain("nothing") == ()
    assert again.get("c") == _stored("c", "b")
    assert again.delete("c") and not again.delete("c")


def test_a_chain_that_bites_its_tail_ends(tmp_path: Path) -> None:
    store = Store(tmp_path / "i.sqlite")
    store.put(_stored("a", "b"))
    store.put(_stored("b", "a"))
    assert len(store.chain("a")) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_the_store_is_private(tmp_path: Path) -> None:
    store = Store(tmp_path / "i.sqlite")
    store.put(_stored("a"))
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_old_interactions_are_forgotten(tmp_path: Path) -> None:
    import sqlite3

    store = Store(tmp_path / "i.sqlite")
    store.put(_stored("old"))
    store.put(_stored("new"))
    with contextlib.closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE turns SET begun = '2020-01-01T00:00:00Z' WHERE id = 'old'")
    again = Store(tmp_path / "i.sqlite")
    assert again.get("old") is None
    assert again.get("new") is not None


def _described(frame: pd.DataFrame, load: str = "") -> dict[str, object]:
    source = TableSource(name="df", load=load)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(describe_code([source]), {"df": frame})
    (table,) = read_description(printed.getvalue(), [source])
    return {column.name: column for column in table.columns} | {"rows": table.rows}


def test_tables_are_described_as_pandas_sees_them(penguins_csv: Path) -> None:
    told = _described(pd.DataFrame(), f"df = pd.read_csv({str(penguins_csv)!r})")
    assert told["rows"] == 344
    mass, sex, year = told["body_mass_g"], told["sex"], told["year"]
    assert (mass.kind, mass.missing, mass.low, mass.high) == ("number", 2, 2700.0, 6300.0)  # type: ignore[attr-defined]
    assert (sex.kind, sex.missing, sex.values) == ("text", 11, ("male", "female"))  # type: ignore[attr-defined]
    assert (year.kind, set(year.values)) == ("integer", {2007, 2008, 2009})  # type: ignore[attr-defined]


def test_odd_columns_are_described_without_harm() -> None:
    frame = pd.DataFrame(
        {
            "when": pd.to_datetime(["2024-01-02", None]),
            "infinite": [float("inf"), 1.0],
            "nested": [[1], [2]],
            "mixed": ["a", 1],
            "flag": [True, False],
            "kind": pd.Categorical(["a", None]),
            "empty": [None, None],
            3: [1, 2],
        }
    )
    frame["twice"] = 1
    frame = pd.concat([frame, frame[["twice"]]], axis=1)
    kinds = {name: column.kind for name, column in _described(frame).items() if name != "rows"}  # type: ignore[attr-defined]
    assert kinds == {
        "when": "datetime",
        "infinite": "number",
        "nested": "other",
        "mixed": "other",
        "flag": "boolean",
        "kind": "text",
        "empty": "text",
        "3": "other",
        "twice": "other",
    }
    assert _described(frame)["when"].low == "2024-01-02T00:00:00"  # type: ignore[attr-defined]


def test_an_unreadable_table_is_an_error_that_names_it() -> None:
    with pytest.raises(GeminiExecError, match="FileNotFoundError"):
        _described(pd.DataFrame(), "df = pd.read_csv('there-is-no-such-file.csv')")
    with pytest.raises(GeminiExecError, match="could not be looked at"):
        read_description("nonsense", [TableSource(name="df")])


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "files")


def test_inline_attachments_are_numbered_over_the_conversation(files: Files) -> None:
    csv = {"type": "document", "data": "YSxiCjEsMgo=", "mime_type": "text/csv"}
    picture = {"type": "image", "data": "iVBORw==", "mime_type": "image/png"}
    text = {"type": "text", "text": "[gemini-exec] load it with: sales = pd.read_csv(glob.glob('*input_file_2*')[0])"}
    turns = [{"type": "user_input", "content": [csv, picture]}, {"type": "user_input", "content": [csv, text]}]
    assert [(file.path, file.kind, file.load) for file in input_files(decode_steps(turns), files)] == [
        ("input_file_0.csv", "table", "df = pd.read_csv('input_file_0.csv')"),
        ("input_file_1.png", "picture", ""),
        ("input_file_2.csv", "table", "sales = pd.read_csv('input_file_2.csv')"),
    ]
    second = input_files(decode_steps(turns[1:]), files, earlier=decode_steps(turns[:1]))
    assert [file.path for file in second] == ["input_file_2.csv"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "C:\\secret.txt", "a/../../b.csv"])
def test_an_attachment_never_leaves_the_working_folder(name: str, tmp_path: Path, files: Files) -> None:
    block = {"type": "document", "uri": (tmp_path / "x").as_uri(), "mime_type": "text/plain", "name": name}
    (file,) = input_files(decode_steps([{"type": "user_input", "content": [block]}]), files)
    assert "/" not in file.path and ".." not in file.path


def _attached(uri: str) -> tuple[Any, ...]:
    block = {"type": "document", "uri": uri, "mime_type": "text/csv"}
    return decode_steps([{"type": "user_input", "content": [block]}])


def test_addresses_are_refused_from_outside(files: Files) -> None:
    check_addresses(_attached("file:///etc/passwd"), files, local=True)
    for uri, local in (("file:///etc/passwd", False), ("https://a.example/x.csv", True), ("gs://b/c", False)):
        with pytest.raises(EngineError, match="send the data inline"):
            check_addresses(_attached(uri), files, local=local)
    with pytest.raises(EngineError, match="no file"):
        check_addresses(_attached("http://h/v1beta/files/gone"), files, local=False)


def test_files_are_uploaded_in_chunks_and_a_chunk_may_come_twice(files: Files) -> None:
    upload = files.begin("text/csv", "sales.csv", 6)
    assert files.append(upload.id, 0, b"a,b", final=False) is None
    assert files.append(upload.id, 0, b"a,b", final=False) is None
    with pytest.raises(EngineError, match="begins at 5"):
        files.append(upload.id, 5, b"x", final=False)
    with pytest.raises(EngineError, match="announced 6"):
        files.append(upload.id, 3, b"\n", final=True)
    file = files.append(upload.id, 3, b"\n1,", final=True)
    assert file is not None and (file.size, file.mime_type, file.display_name) == (6, "text/csv", "sales.csv")
    assert files.read(file.id) == b"a,b\n1,"
    with pytest.raises(EngineError, match="no such upload"):
        files.append(upload.id, 6, b"2", final=True)
    assert [found.id for found in files.list()] == [file.id]
    (attached,) = input_files(_attached(f"http://h/v1beta/files/{file.id}"), files)
    assert (attached.path, attached.data) == ("input_file_0.csv", b"a,b\n1,")
    files.delete(file.id)
    for call in (files.get, files.read, files.delete):
        with pytest.raises(EngineError, match="no file"):
            call(file.id)


def test_files_expire(files: Files, tmp_path: Path) -> None:
    file = files.append(files.begin("text/plain").id, 0, b"x", final=True)
    left = files.begin("text/plain")
    assert file is not None
    long_ago = time.time() - EXPIRY.total_seconds() - 60
    for path in (tmp_path / "files").iterdir():
        os.utime(path, (long_ago, long_ago))
    again = Files(tmp_path / "files")
    assert again.list() == []
    assert not list((tmp_path / "files").iterdir()), left


@pytest.mark.parametrize("id", ["../../x", "", "A", "a/b", "."])
def test_a_files_id_never_leads_out_of_its_folder(id: str, files: Files) -> None:
    with pytest.raises(EngineError, match="no such file"):
        files.get(id)


def test_a_script_replays_turn_by_turn(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(json.dumps([[[{"text": "a"}, {"code": "1"}], [{"text": "b"}]], [[{"text": "c"}]]]))
    model = ScriptedModel(path)
    question, call, result = UserInput(), CodeExecutionCall("i", "1"), CodeExecutionResult("i")
    assert list(model.reply(Conversation(steps=(question,)))) == [Text("a"), Code("1")]
    assert list(model.reply(Conversation(steps=(question, call, result)))) == [Text("b")]
    assert list(model.reply(Conversation(steps=(question, call, result, question)))) == [Text("c")]
    assert list(model.reply(Conversation(steps=(question, question, question)))) == [Text("The script ends here.")]


@pytest.mark.parametrize("text", ["", "{}", "[[[{}]]", "not json"])
def test_a_broken_script_is_an_error_that_says_how_it_should_look(text: str, tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_text(text)
    with pytest.raises(GeminiExecError, match=r"talk\.json"):
        ScriptedModel(path)


def test_models_are_opened_by_name() -> None:
    assert open_model("offline-planner").name == "offline-planner"
    assert not is_embedded("gemini-3-flash-preview")
    with pytest.raises(GeminiExecError, match="no model"):
        open_model("gemini-3-flash-preview")
    with pytest.raises(GeminiExecError, match="can't be read"):
        open_model("scripted:there-is-none.json")
