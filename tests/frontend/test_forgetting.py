"""``%gemini forget`` and the doctor: what is asked, what is deleted, what is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from magic_ext import cli, doctor
from magic_ext.client.endpoint import Endpoint, Secret
from magic_ext.client.files import Uploads
from magic_ext.client.recordings import Key, Recording, Recordings, user_recordings
from magic_ext.engine.store import Store, StoredInteraction, data_folder
from magic_ext.errors import GeminiExecError
from magic_ext.frontend import forgetting


class Session:
    """A session that has asked elsewhere; what it does there is recorded."""

    def __init__(self, remote: list[tuple[str, str]]) -> None:
        self.remote, self.forgot = remote, False

    def stored_elsewhere(self) -> list[tuple[str, str]]:
        return self.remote

    def forget(self) -> None:
        self.forgot = True


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Store]:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(forgetting, "UPLOADS", Uploads())
    store = Store(data_folder() / "interactions.sqlite")
    store.put(StoredInteraction(id="v1_a", head={"status": "completed"}))
    yield store


@pytest.mark.parametrize(("said", "left"), [("y", 0), ("YES ", 0), ("", 1), ("n", 1), ("yeah?", 1)])
def test_it_asks_first(said: str, left: int, kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", lambda question: asked.append(question) or said)
    session: Any = Session([])
    forgetting.forget(session, settings=None)  # type: ignore[arg-type]
    assert "1 interactions" in asked[0]
    assert "conversations, and what you have allowed to leave or to run, are forgotten too" in asked[0]
    assert kept.size[0] == left
    assert session.forgot is (left == 0)


def test_recorded_answers_go_too_but_not_those_of_a_project(
    kept: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    mine, projects = user_recordings(), Recordings(tmp_path / "project")
    for recordings in (mine, projects):
        recordings.keep(Recording(key=Key("q", "f"), prompt="hi", model="m", place="here", interaction={}))
    monkeypatch.setattr("builtins.input", lambda question: "y" if "1 recorded answers" in question else "n")
    session: Any = Session([])
    assert "1 recorded answers" in forgetting.forget(session, settings=None)  # type: ignore[arg-type]
    assert mine.empty and not projects.empty
    assert "1 recorded answers" in doctor.report(None, (), projects)


def test_where_nobody_can_be_asked_nothing_is_deleted(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_stdin(question: str) -> str:
        raise RuntimeError("raw_input was called, but this frontend does not support input requests.")

    monkeypatch.setattr("builtins.input", no_stdin)
    session: Any = Session([])
    with pytest.raises(GeminiExecError, match="Nobody can be asked"):
        forgetting.forget(session, settings=None)  # type: ignore[arg-type]
    assert kept.size[0] == 1


def test_what_the_server_keeps_is_deleted_there_first(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr("magic_ext.client.interactions.Client.delete", lambda self, stored: calls.append(stored))
    here = Endpoint(base_url="http://127.0.0.1:9", key=Secret("k"))
    monkeypatch.setattr("magic_ext.frontend.settings.endpoint", lambda settings, key: here)
    monkeypatch.setattr("builtins.input", lambda question: "y")
    session: Any = Session([("a.example", "v1_x"), ("a.example", "v1_y")])
    session.composing = SimpleNamespace(find_key=lambda settings: None)
    with pytest.raises(GeminiExecError, match="no key"):
        forgetting.forget(session, settings=None)  # type: ignore[arg-type]
    assert kept.size[0] == 1
    session.composing = SimpleNamespace(find_key=lambda settings: Secret("k"))
    said = forgetting.forget(session, settings=None)  # type: ignore[arg-type]
    assert calls == ["v1_x", "v1_y"] and "2 answers at a.example" in said
    assert kept.size[0] == 0


def test_the_doctor_tells_where_things_are_and_no_key(
    kept: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GEMINI_API_KEY", "AIza-a-very-secret-key")
    assert cli.main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert str(kept.path) in said and "1 interactions" in said
    assert "GEMINI_API_KEY" in said and "secret" not in said
    assert "runs under" in said
