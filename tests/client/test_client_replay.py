"""The files of recorded answers, and the transport that answers from one."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.client import recordings as module
from magic_ext.client.endpoint import Endpoint
from magic_ext.client.errors import NotFound
from magic_ext.client.interactions import Client
from magic_ext.client.recordings import Key, Recording, Recordings, user_recordings
from magic_ext.client.replay import ReplayTransport
from magic_ext.wire.assembly import Assembly
from magic_ext.wire.events import InteractionCompleted

KEY = Key("a" * 64, "b" * 64)
STEPS = [
    {"type": "thought", "summary": [], "signature": "c2ln"},
    {"type": "code_execution_call", "id": "c1", "arguments": {"code": "print('ü')", "language": "python"}},
    {"type": "code_execution_result", "call_id": "c1", "result": "ü\n", "is_error": False},
    {"type": "novelty", "depth": {"x": [None, 1.5]}},
    {"type": "model_output", "content": [{"type": "text", "text": "\u2028 \U0001f600", "annotations": [{"x": 1}]}]},
]
WHOLE = {"id": "v1_a", "status": "completed", "usage": {"total_tokens": 5}, "steps": STEPS}


def recorded(key: Key = KEY, interaction: dict[str, Any] = WHOLE, model: str = "m") -> Recording:
    return Recording(key=key, prompt="hi", model=model, place="there", interaction=interaction)


def replaying(interaction: dict[str, Any]) -> Client:
    return Client(
        Endpoint(base_url="https://nowhere.example.com"), transport=ReplayTransport(recorded(KEY, interaction))
    )


@pytest.mark.parametrize("how", ["stream", "background"])
def test_the_client_reads_a_recording_as_it_reads_a_server(how: str) -> None:
    assembly = Assembly()
    with replaying(WHOLE) as client:
        events = list(getattr(client, how)({"model": "m", "input": "hi", how: True}))
    for event in events:
        assembly.apply(event)
    assert isinstance(events[-1], InteractionCompleted)
    assert events[-1].interaction.usage.total_tokens == 5
    assert list(assembly.raw_steps) == STEPS, "a conversation goes on with its steps as they came"


def test_it_answers_nothing_but_its_question() -> None:
    with replaying(WHOLE) as client, pytest.raises(NotFound):
        client.get("v1_a")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(min_size=1), inner, max_size=3),
    max_leaves=8,
)
STEP = st.dictionaries(st.text(min_size=1), JSON, max_size=4).flatmap(
    lambda fields: st.sampled_from(["thought", "model_output", "code_execution_result", "google_search_call", "x"]).map(
        lambda kind: {**fields, "type": kind}
    )
)


@given(st.lists(STEP, max_size=5))
def test_any_steps_come_back_as_they_were(steps: list[dict[str, Any]]) -> None:
    def heard(told: list[dict[str, Any]]) -> list[Any]:
        assembly = Assembly()
        with replaying({**WHOLE, "steps": told}) as client:
            for event in client.stream({"model": "m", "input": "hi", "stream": True}):
                assembly.apply(event)
        return list(assembly.raw_steps)

    assert heard(heard(steps)) == heard(steps)


def test_a_recording_is_for_its_question_alone(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "new" / "folder")
    assert recordings.find(KEY) is None and recordings.empty
    recordings.keep(recorded())
    assert recordings.find(KEY) is not None
    for other in (Key("a" * 64, "c" * 64), Key("a" * 32 + "c" * 32, "b" * 64), Key("a" * 64, "b" * 32 + "c" * 32)):
        assert recordings.find(other) is None
    assert recordings.find_any(Key("a" * 64, "")) is not None
    assert recordings.find_any(Key("a" * 32 + "c" * 32, "")) is None


def test_of_several_models_the_latest_answer_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recordings = Recordings(tmp_path)
    for model, year in (("first", 2024), ("latest", 2026), ("second", 2025)):
        key = Key(KEY.question, model * 12)
        recordings.keep(recorded(key, model=model))
        [file] = [path for path in tmp_path.glob("*.json") if model in path.name]
        document = json.loads(file.read_bytes())
        file.write_text(json.dumps(document | {"recorded": f"{year}-01-01T00:00:00+00:00"}))
    found = recordings.find_any(KEY)
    assert found is not None and found.model == "latest"


def test_nobody_else_can_read_them(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path / "answers")
    recordings.keep(recorded())
    [file] = recordings.folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(recordings.folder.stat().st_mode) == 0o700


def test_several_processes_write_one_folder_and_nobody_reads_half_a_file(tmp_path: Path) -> None:
    """Large files, written again and again by others, while this process reads."""
    code = """
import sys
from pathlib import Path
from magic_ext.client.recordings import Key, Recording, Recordings
recordings = Recordings(Path(sys.argv[1]))
for number in range(60):
    text = sys.argv[2] * 300_000
    recordings.keep(Recording(key=Key("a" * 64, "b" * 64), prompt=text, model="m", place="", interaction={"t": text}))
"""
    writers = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path), letter]) for letter in "xyz"]
    recordings, seen = Recordings(tmp_path), 0
    while any(writer.poll() is None for writer in writers):
        found = recordings.find(KEY)
        if found is not None:
            seen += 1
            assert found.prompt == found.interaction["t"] and len(set(found.prompt)) == 1
        else:
            assert not seen, "once there, it stays there"
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert recordings.find(KEY) is not None
    assert [path.name for path in tmp_path.iterdir()] == [f"{'a' * 32}-{'b' * 32}.json"], "nothing else is left"


def test_what_nobody_uses_goes_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recordings = Recordings(tmp_path, swept=True)
    keys = [Key(letter * 64, "f" * 64) for letter in "abcd"]
    for age, key in enumerate(keys):
        recordings.keep(recorded(key))
        [file] = tmp_path.glob(f"{key.question[:32]}-*")
        os.utime(file, (time.time() - age * 40 * 86_400,) * 2)
    recordings.keep(recorded(Key("e" * 64, "f" * 64)))
    assert [recordings.find(key) is not None for key in keys] == [True, True, True, False]
    project = Recordings(tmp_path / "project")
    project.keep(recorded())
    [file] = project.folder.iterdir()
    os.utime(file, (0, 0))
    project.keep(recorded(keys[1]))
    assert project.size[0] == 2, "a project's are kept"


def test_a_use_counts_as_a_use(tmp_path: Path) -> None:
    recordings = Recordings(tmp_path, swept=True)
    recordings.keep(recorded())
    [file] = tmp_path.iterdir()
    os.utime(file, (time.time() - 89 * 86_400,) * 2)
    assert recordings.find(KEY) is not None
    assert time.time() - file.stat().st_mtime < 3600


def test_there_is_never_more_than_half_a_gigabyte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP_BYTES", 10_000)
    recordings = Recordings(tmp_path, swept=True)
    for number, letter in enumerate("abcdef"):
        recordings.keep(recorded(Key(letter * 64, "f" * 64), {"text": "x" * 3_000}))
        [file] = tmp_path.glob(f"{letter * 32}-*")
        os.utime(file, (time.time() - 1000 + number,) * 2)
    assert recordings.size[1] <= 10_000
    assert recordings.find(Key("f" * 64, "f" * 64)) is not None, "the last one is there"
    assert recordings.clear() == 3 and recordings.empty


def test_the_users_own_lie_in_the_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_recordings().folder.is_relative_to(tmp_path) or sys.platform != "linux"
    assert user_recordings().swept


@given(st.binary(max_size=200))
def test_whatever_a_file_holds_it_counts_as_not_there(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    recordings = Recordings(tmp_path_factory.getbasetemp() / "damaged")
    recordings.folder.mkdir(exist_ok=True)
    (recordings.folder / f"{'a' * 32}-{'b' * 32}.json").write_bytes(data)
    assert recordings.find(KEY) is None
    assert recordings.find_any(KEY) is None
