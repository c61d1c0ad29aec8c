"""Recorded answers in a notebook: given again without a request, and only where they are the answer to the question."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ASK = "%%gemini_exec -m gemini-3-flash-preview"
CALL = {"type": "code_execution_call", "id": "c1", "signature": "c2ln"}
RESULT = {"type": "code_execution_result", "call_id": "c1"}
STEPS = (
    ({"type": "thought", "summary": []}, [{"type": "thought_signature", "signature": "b3BhcXVl"}]),
    (CALL, [{"type": "code_execution_call", "arguments": {"code": "print(6 * 7)", "language": "python"}}]),
    (RESULT, [{"type": "code_execution_result", "result": "42\n", "is_error": False}]),
    ({"type": "model_output"}, [{"type": "text", "text": "It is "}, {"type": "text", "text": "42."}]),
)
REPLAYED = "replayed, nothing sent; --cache refresh asks again"
USAGE = {"total_tokens": 58, "total_input_tokens": 7, "total_output_tokens": 51}


def saying(text: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return {"type": "model_output"}, [{"type": "text", "text": text}]


@pytest.fixture
def caching(notebook: Any, tmp_path: Path) -> Iterator[Any]:
    """The module's notebook, which records from now on, in a folder of this test's."""
    notebook.do(f'%config GeminiExecMagics.cache = "use"\n%config GeminiExecMagics.cache_dir = {str(tmp_path)!r}')
    yield notebook
    notebook.do('%config GeminiExecMagics.cache = "off"\n%config GeminiExecMagics.cache_dir = ""')


def shown(ran: Any) -> list[Any]:
    """What is below a cell between the receipt and the footer."""
    return list(ran.outputs[1:-1])


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


@pytest.mark.parametrize("live", [False, True], ids=["static", "live"])
def test_what_was_asked_before_is_not_asked_again(
    caching: Any, asked_at: Callable[..., Any], google: Any, live: bool
) -> None:
    server = asked_at(google(*STEPS, usage=USAGE))
    first = caching.run(f"{ASK}\nSix times seven?", live=live)
    second = caching.run(f"{ASK}\nSix times seven?", live=live)
    assert first.status == second.status == "ok"
    assert len(server.seen) == 1
    assert REPLAYED not in first.text and REPLAYED in second.outputs[-1]["text/plain"]
    assert second.outputs[0]["text/plain"].startswith("Receipt: replayed, nothing sent (asking again sends ")
    assert shown(second) == shown(first)
    assert caching.value("[_gemini.text, _gemini.code, _gemini.usage.total_tokens, _gemini.sent.remote]") == [
        "It is 42.",
        ["print(6 * 7)"],
        0,
        False,
    ]


def test_refresh_asks_again_and_records_that(caching: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(google(saying("One.")), google(saying("Two.")))
    for options, answer in (("", "One."), ("--cache refresh", "Two."), ("", "Two."), ("--cache only", "Two.")):
        assert answer in caching.run(f"{ASK} {options}\nWell?").text
    assert len(server.seen) == 2


def test_off_neither_records_nor_replays(
    caching: Any, asked_at: Callable[..., Any], google: Any, tmp_path: Path
) -> None:
    server = asked_at(google(saying("Yes.")))
    caching.run(f"{ASK} --cache off\nWell?")
    assert not files(tmp_path)
    caching.run(f"{ASK}\nWell?")
    caching.run(f"{ASK} --cache off\nWell?")
    assert len(server.seen) == 3


def test_only_names_the_cell_that_has_no_recording(caching: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(google(saying("Yes.")))
    line = caching.refuses(f"{ASK} --cache only\nWas this\nnever asked?")
    assert "('Was this never asked?') has no recorded answer" in line
    assert line.startswith("Cell [")
    assert not server.seen


@pytest.mark.parametrize(
    ("change", "options"),
    [
        ("sales.loc[1, 'amount'] = 31", ""),
        ("sales = sales.rename(columns={'city': 'town'})", ""),
        ("pass", "--send schema"),
        ("pass", "--no-code"),
        ("pass", "--system 'Be brief.'"),
        ("pass", "--thinking low"),
        ("pass", "-m gemini-3-pro-preview"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_another_question_is_asked(
    caching: Any, asked_at: Callable[..., Any], google: Any, change: str, options: str
) -> None:
    server = asked_at(google(saying("Yes.")))
    caching.do("import pandas as pd\nsales = pd.DataFrame({'city': ['A', 'B'], 'amount': [30, 40]})")
    ask = "%%gemini_exec" if "-m" in options else ASK
    caching.run(f"{ASK}\nSum of amount in @sales?")
    caching.do(change)
    caching.run(f"{ask} {options}\nSum of amount in @sales?")
    assert len(server.seen) == 2
    caching.run(f"{ask} {options}\nSum of amount in @sales?")
    assert len(server.seen) == 2


def test_rows_that_do_not_go_out_do_not_count(caching: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(google(saying("Yes.")))
    caching.do("import pandas as pd\nsales = pd.DataFrame({'city': ['A', 'B'], 'amount': [30, 40]})")
    caching.run(f"{ASK}\nWhich columns has @sales:schema?")
    caching.do("sales.loc[1, 'amount'] = 31")
    assert REPLAYED in caching.run(f"{ASK}\nWhich columns has @sales:schema?").text
    assert len(server.seen) == 1


def test_what_is_not_a_whole_answer_is_not_recorded(
    caching: Any, asked_at: Callable[..., Any], google: Any, faults: Any, tmp_path: Path
) -> None:
    broken = faults.streamed(faults.sse(faults.CREATED, faults.START, faults.DELTA))
    server = asked_at(
        google(saying("Half"), status="incomplete"),
        google(saying("No"), status="failed"),
        broken,
        faults.reply(400, {"error": {"code": "invalid_request", "message": "No."}}),
        google(saying("Whole.")),
    )
    for _ in range(5):
        caching.run(f"{ASK}\nWell?")
        assert not server.seen[5:]
    assert len(server.seen) == 5
    assert len(files(tmp_path)) == 1
    assert "Whole." in caching.run(f"{ASK}\nWell?").text


def test_an_interrupted_answer_is_not_recorded(
    caching: Any, asked_at: Callable[..., Any], faults: Any, tmp_path: Path
) -> None:
    def endless(to: Any) -> None:
        to.send(faults.STREAM_HEAD)
        to.send(faults.chunk(faults.sse(faults.CREATED, faults.START, faults.DELTA)))
        to.client_has_gone()

    asked_at(endless, faults.reply(200, {"id": "v1_a", "status": "cancelled", "steps": []}))
    begun = caching.begin(f"{ASK}\nWell?", live=True)
    while "Grüße" not in json.dumps(caching.hear(begun)["content"], ensure_ascii=False):
        pass
    caching.interrupt()
    assert caching.finish(begun).status == "error"
    assert not files(tmp_path)


def test_an_answer_that_called_functions_is_not_recorded(
    caching: Any, asked_at: Callable[..., Any], google: Any, tmp_path: Path
) -> None:
    caching.do('calls = 0\ndef note() -> int:\n    """Note."""\n    global calls\n    calls += 1\n    return calls')
    asking = ({"type": "function_call", "id": "f1", "name": "note", "arguments": {}}, [])
    script = (google(asking, status="requires_action"), google(saying("Noted.")))
    server = asked_at(*script, *script)
    for _ in range(2):
        assert "Noted." in caching.run(f"{ASK} --tool note\nNote it.").text
    assert caching.value("calls") == 2
    assert len(server.seen) == 4
    assert not files(tmp_path)


def test_an_answer_in_the_background_is_recorded_too(caching: Any, asked_at: Callable[..., Any], faults: Any) -> None:
    whole = {
        "id": "v1_a",
        "status": "completed",
        "steps": [{"type": "model_output", "content": [{"type": "text", "text": "Done."}]}],
    }
    server = asked_at(faults.reply(200, {"id": "v1_a", "status": "in_progress", "steps": []}), faults.reply(200, whole))
    for _ in range(2):
        assert "Done." in caching.run(f"{ASK} --background\nWell?").text
    assert len(server.seen) == 2
    assert REPLAYED in caching.run(f"{ASK}\nWell?").text, "however it travelled"


def test_a_recording_holds_digests_and_no_header(
    caching: Any, asked_at: Callable[..., Any], google: Any, tmp_path: Path, key: str
) -> None:
    asked_at(google(*STEPS))
    caching.do("import pandas as pd\nstaff = pd.DataFrame({'name': ['Wilhelmina'], 'salary': [912873]})")
    caching.run(f"{ASK}\nHow many in @staff?")
    [file] = files(tmp_path)
    text = file.read_text(encoding="utf-8")
    recording = json.loads(text)
    assert [step["type"] for step in recording["interaction"]["steps"]] == [start["type"] for start, _ in STEPS]
    assert recording["interaction"]["steps"][0]["signature"] == "b3BhcXVl"
    assert recording["references"] and all(len(digest) == 64 for digest in recording["references"])
    for secret in ("Wilhelmina", "912873", key, "x-goog", "api-revision"):
        assert secret not in text
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_damaged_recording_or_one_of_another_format_counts_as_not_there(
    caching: Any, asked_at: Callable[..., Any], google: Any, tmp_path: Path
) -> None:
    server = asked_at(google(saying("Yes.")))
    caching.run(f"{ASK}\nWell?")
    [file] = files(tmp_path)
    whole = file.read_bytes()
    for times, damaged in enumerate(
        (whole[:-20], b"", b"\xff\xfe", b"[]", whole.replace(b'"format":1', b'"format":2')), 2
    ):
        file.write_bytes(damaged)
        assert "Yes." in caching.run(f"{ASK}\nWell?").text
        assert len(server.seen) == times
        assert file.read_bytes() != damaged


def test_a_folder_of_your_own_is_told_of_once(
    caching: Any, asked_at: Callable[..., Any], google: Any, tmp_path: Path
) -> None:
    asked_at(google(saying("Yes.")))
    caching.do('%config GeminiExecMagics.cache_dir = "answers"')
    first, second = caching.run(f"{ASK}\nOne?"), caching.run(f"{ASK}\nTwo?")
    [told] = first.of("stream")
    assert told["name"] == "stderr" and "may quote your data" in told["text"]
    assert not second.of("stream")
    assert len(files(caching.folder / "answers")) == 2, "the folder is beside the notebook"


def test_a_folder_that_can_not_be_written_does_not_cost_the_answer(
    caching: Any, asked_at: Callable[..., Any], google: Any, tmp_path: Path
) -> None:
    asked_at(google(saying("Yes.")))
    (tmp_path / "file").write_text("")
    caching.do(f"%config GeminiExecMagics.cache_dir = {str(tmp_path / 'file')!r}")
    ran = caching.run(f"{ASK}\nWell?")
    assert ran.status == "ok" and "Yes." in ran.text
    assert "can't be recorded" in ran.text


def test_a_dry_run_shows_what_asking_would_send(caching: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(google(saying("Yes.")))
    caching.run(f"{ASK}\nWell?")
    assert REPLAYED not in caching.run(f"{ASK} --dry-run\nWell?").text
    assert len(server.seen) == 1
