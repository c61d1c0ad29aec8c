"""The command line: the demo as a newcomer runs it, the server's refusals, the Lab's call."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from magic_ext import cli, demo


@pytest.mark.slow
def test_the_demo_answers_two_questions_and_leaves_a_notebook_and_a_page(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "magic_ext.cli", "demo"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.count("%%gemini_exec") == 2
    for seen in ("Code:", "Result:", "5076.02", "Figure:", "offline planner answered", "GEMINI_API_KEY", "lab"):
        assert seen in done.stdout
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {f"gemini-exec-demo{end}" for end in (".ipynb", ".html", ".csv", "-1.png", "-2.png")}
    notebook = nbformat.read(tmp_path / "gemini-exec-demo.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert all(f"{tmp_path / name}" in done.stdout for name in names if not name.endswith(".csv"))
    assert 'src="http' not in (tmp_path / "gemini-exec-demo.html").read_text(encoding="utf-8")


def test_the_lab_opens_the_demos_notebook(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    called: list[list[str]] = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(subprocess, "call", lambda command: called.append(command) or 0)
    assert cli.main(["lab", "--no-browser"]) == 0
    assert called == [[sys.executable, "-m", "jupyterlab", str(tmp_path / "gemini-exec-demo.ipynb"), "--no-browser"]]
    assert (tmp_path / "gemini-exec-demo.csv").exists()
    (tmp_path / "gemini-exec-demo.ipynb").write_text("mine")
    assert demo.lab_notebook().read_text() == "mine"


def test_a_port_in_use_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert cli.main(["serve", "--port", str(taken.getsockname()[1])]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "--port" in said


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--host", "0.0.0.0", "--token", "x" * 16], "--allow-remote"),
        (["--host", "::", "--token", "x" * 16], "--allow-remote"),
        (["--host", "0.0.0.0", "--allow-remote"], "GEMINI_EXEC_TOKEN"),
        (["--host", "0.0.0.0", "--allow-remote", "--token", "short"], "16 characters"),
        (["--host", "192.0.2.7", "--allow-remote", "--token", "x" * 16], "can't be used"),
        (["--host", "no.such.host.invalid"], "can't be used"),
        (["--host", "127.0.0.1", "--port", "70000"], "can't be used"),
    ],
)
def test_only_who_means_it_serves_other_computers(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if "::" in arguments and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    assert cli.main(["serve", "--port", "0", *arguments]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and word in said


def test_the_server_of_a_local_model_is_on_this_computer(capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = ["--model", "openai:qwen", "--local-base-url", "https://models.example.com/v1"]
    assert cli.main(["serve", "--port", "0", *elsewhere]) == 1
    assert "models.example.com is not this computer" in capsys.readouterr().err


@pytest.mark.parametrize("model", ["gemini-3-flash-preview", "scripted:nowhere.json"])
def test_a_model_that_cannot_be_served_is_said_in_one_line(model: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["serve", "--port", "0", "--model", model]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and model.removeprefix("scripted:") in said


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["serve"]) == 1
    assert "gemini-exec[serve]" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "reason"),
    [
        (("--run-memory", "10MB"), "'10MB' is too little: 512 MB is the least."),
        (("--run-output", "much"), "'much' is no amount"),
        (("--run-seconds", "0"), "0 s is too little"),
        (("--run-processes", "3"), "3 processes are too few"),
    ],
)
def test_serve_refuses_what_is_no_limit(
    option: tuple[str, str], reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["serve", "--port", "0", *option]) == 1
    said = capsys.readouterr().err
    assert reason in said and "gemini-exec serve --help" in said
