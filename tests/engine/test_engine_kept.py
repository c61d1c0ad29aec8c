"""What is kept: interactions survive a kill, streams are replayed from the store, retention holds."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from magic_ext.client.interactions import Client
from magic_ext.engine.archive import Archive
from magic_ext.engine.embedded import open_engine
from magic_ext.engine.errors import EngineError
from magic_ext.engine.service import Engine
from magic_ext.engine.store import Retention, Store, StoredInteraction, data_folder, retention_from
from magic_ext.errors import GeminiExecError

WORKER = """
import sys, time
from magic_ext.engine.embedded import open_engine
engine = open_engine(local=True)
body = {"model": f"scripted:{sys.argv[1]}", "input": "?", "tools": [{"type": "code_execution"}]}
done, _, _ = engine.create(body | {"model": f"scripted:{sys.argv[2]}"})
done.wait()
job, _, _ = engine.create(body)
for event in job.tail():
    if event and event.get("delta", {}).get("result"):
        print(done.id, job.id, flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL there")
def test_a_killed_process_loses_nothing_that_had_ended(tmp_path: Path) -> None:
    slow = [[[{"code": "import time\nprint('begun', flush=True)\ntime.sleep(25)"}], []]]
    (tmp_path / "slow.json").write_text(json.dumps(slow))
    (tmp_path / "quick.json").write_text(json.dumps([[[{"text": "Done."}]]]))
    command = [sys.executable, "-c", WORKER, "slow.json", "quick.json"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        done, running = worker.stdout.readline().split()
        archive = Archive(Store(data_folder() / "interactions.sqlite"))
        seen = archive.job(running).document
        assert seen["status"] == "in_progress"
        assert [step["type"] for step in seen["steps"]] == ["code_execution_call"], "as far as it has come there"
        with pytest.raises(EngineError, match="not ended"):
            archive.chain(running)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    later = open_engine(local=True)
    try:
        assert later.get(done)["status"] == "completed"
        assert later.get(done)["steps"][0]["content"][0]["text"] == "Done."
        failed = later.get(running)
        assert failed["status"] == "failed"
        assert "ended" in failed["errors"][0]["message"]
        assert "time.sleep" in failed["steps"][0]["arguments"]["code"], "what it had said is not lost"
    finally:
        later.close()


def test_a_stored_stream_is_replayed_and_resumed_elsewhere(client: Client, engine: Engine, tmp_path: Path) -> None:
    script = tmp_path / "talk.json"
    script.write_text(json.dumps([[[{"text": "One, "}, {"text": "two."}]]]))
    job, _, _ = engine.create({"model": f"scripted:{script}", "input": "Count."})
    first = [event for event in job.tail() if event]
    later = open_engine(local=True)
    try:
        again = later.job(job.id)
        assert again is not job
        assert [event for event in again.tail() if event] == first
        assert [event for event in again.tail(first[3]["event_id"]) if event] == first[4:]
        assert later.get(job.id, include_input=True)["steps"][0]["type"] == "user_input"
        later.delete(job.id)
        with pytest.raises(EngineError, match="No interaction"):
            later.get(job.id)
    finally:
        later.close()


def test_what_is_deleted_while_it_runs_stays_deleted(engine: Engine, tmp_path: Path) -> None:
    script = tmp_path / "slow.json"
    script.write_text(json.dumps([[[{"code": "import time\ntime.sleep(25)"}], []]]))
    job, _, _ = engine.create({"model": f"scripted:{script}", "input": "?", "tools": [{"type": "code_execution"}]})
    engine.delete(job.id)
    assert job.wait(20)
    with pytest.raises(EngineError, match="No interaction"):
        engine.get(job.id)


def test_the_oldest_go_first_when_there_is_too_much(tmp_path: Path) -> None:
    store = Store(tmp_path / "i.sqlite", Retention(megabytes=0.01))
    for number in range(8):
        store.put(StoredInteraction(id=f"v1_{number}", head={"text": "x" * 3000}))
    store.sweep()
    kept = [number for number in range(8) if store.get(f"v1_{number}")]
    assert kept == [5, 6, 7]
    count, size = store.size
    assert count == 3 and size > 9000
    assert store.clear() == 3
    assert store.size[0] == 0


def test_the_retention_is_set_by_the_environment() -> None:
    assert retention_from({"GEMINI_EXEC_KEEP_MB": "5"}) == Retention(megabytes=5)
    assert retention_from({"GEMINI_EXEC_FILES_MB": "0.5"}).file_megabytes == 0.5
    for wrong in ("a week", "-1", "nan", "inf"):
        with pytest.raises(GeminiExecError, match="GEMINI_EXEC_KEEP_DAYS"):
            retention_from({"GEMINI_EXEC_KEEP_DAYS": wrong})


def test_a_process_that_keeps_running_forgets_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "i.sqlite", Retention(megabytes=0.01))
    for number in range(8):
        store.put(StoredInteraction(id=f"v1_{number}", head={"text": "x" * 3000}))
    store.end("v1_7", {"text": "x" * 3000}, ())
    assert store.size[0] == 8
    monkeypatch.setattr("magic_ext.engine.store._SWEPT_EVERY", -1.0)
    store.end("v1_7", {"text": "x" * 3000}, ())
    assert store.size[0] == 3
