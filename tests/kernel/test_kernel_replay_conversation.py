"""Conversations with recorded answers, questions without a key, and what belongs to the recordings."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ASK = "%%gemini_exec -m gemini-3-flash-preview"
REPLAYED = "replayed, nothing sent"
EXPIRED = {"error": {"code": "not_found", "message": "Interaction not found."}}
ODD = {"type": "novelty", "depth": {"x": None}, "signature": ""}
AS_THEY_CAME = [
    {"type": "thought", "summary": [], "signature": "b3BhcXVl"},
    ODD,
    {"type": "model_output", "content": [{"type": "text", "text": "It is 42."}]},
]
STEPS = (
    ({"type": "thought", "summary": []}, [{"type": "thought_signature", "signature": "b3BhcXVl"}]),
    (ODD, []),
    ({"type": "model_output"}, [{"type": "text", "text": "It is "}, {"type": "text", "text": "42."}]),
)


def saying(text: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return {"type": "model_output"}, [{"type": "text", "text": text}]


def said(text: str) -> dict[str, Any]:
    return {"type": "user_input", "content": [{"type": "text", "text": text}]}


@pytest.fixture
def caching(notebook: Any, tmp_path: Path, key: str) -> Iterator[Any]:
    """The module's notebook, which records from now on, in a folder of this test's."""
    notebook.do(f'%config GeminiExecMagics.cache = "use"\n%config GeminiExecMagics.cache_dir = {str(tmp_path)!r}')
    yield notebook
    notebook.do('%config GeminiExecMagics.cache = "off"\n%config GeminiExecMagics.cache_dir = ""')
    notebook.do('%config GeminiExecMagics.send = "auto"')
    notebook.do(f"import os; os.environ['GEMINI_API_KEY'] = {key!r}")


def without_key(notebook: Any) -> None:
    notebook.do("import os; del os.environ['GEMINI_API_KEY']")


def test_a_conversation_is_replayed_whole_and_goes_on_with_its_history(
    caching: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    server = asked_at(google(*STEPS), google(saying("84."), id="v1_b"), google(saying("126."), id="v1_c"))
    for _ in range(2):
        caching.run(f"{ASK}\nSix times seven?")
        second = caching.run(f"{ASK} -c\nTwice that?")
    assert len(server.seen) == 2 and REPLAYED in second.text
    third = caching.run(f"{ASK} -c\nThree times?")
    asked = body_of(server.seen[2])
    assert asked["input"] == [
        said("Six times seven?"),
        *AS_THEY_CAME,
        said("Twice that?"),
        {"type": "model_output", "content": [{"type": "text", "text": "84."}]},
        said("Three times?"),
    ]
    assert "previous_interaction_id" not in asked
    assert "(the conversation so far)" in third.text and "sent again: the last answer was replayed" in third.text
    caching.run(f"{ASK} -c\nFour times?")
    assert body_of(server.seen[3])["previous_interaction_id"] == "v1_c", "what was just asked, the server has"


def test_a_new_answer_makes_another_conversation(caching: Any, asked_at: Callable[..., Any], google: Any) -> None:
    server = asked_at(*(google(saying(f"Answer {number}.")) for number in range(4)))
    caching.run(f"{ASK}\nA fruit?")
    caching.run(f"{ASK} -c\nWhich colour has it?")
    caching.run(f"{ASK} --cache refresh\nA fruit?")
    assert "Answer 3." in caching.run(f"{ASK} -c\nWhich colour has it?").text
    assert len(server.seen) == 4


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, EXPIRED),
        (400, {"error": {"code": "invalid_request", "message": "previous_interaction_id: no such interaction."}}),
    ],
)
def test_what_the_server_has_forgotten_is_sent_again(
    caching: Any, asked_at: Callable[..., Any], google: Any, faults: Any, body_of: Any, status: int, error: Any
) -> None:
    server = asked_at(google(*STEPS), faults.reply(status, error), google(saying("84.")))
    caching.run(f"{ASK} --cache off\nSix times seven?")
    ran = caching.run(f"{ASK} -c\nTwice that?")
    assert ran.status == "ok" and "84." in ran.text
    bodies = [body_of(seen) for seen in server.seen]
    assert bodies[1]["previous_interaction_id"] == "v1_a"
    assert "previous_interaction_id" not in bodies[2]
    assert bodies[2]["input"] == [said("Six times seven?"), *AS_THEY_CAME, said("Twice that?")]
    assert "(the conversation so far)" in ran.text and "the server no longer had it" in ran.text


def test_data_of_a_replayed_question_goes_again_with_the_history(
    caching: Any, asked_at: Callable[..., Any], google: Any, body_of: Any
) -> None:
    server = asked_at(google(saying("70.")), google(saying("140.")))
    caching.do("import pandas as pd\nsales = pd.DataFrame({'amount': [30, 40]})")
    for _ in range(2):
        caching.run(f"{ASK}\nSum of @sales?")
    caching.run(f"{ASK} -c\nTwice that?")
    first, second = (body_of(seen)["input"] for seen in server.seen)
    assert second[0] == first[0], "as it was sent the first time"
    assert second[0]["content"][0]["mime_type"] == "text/csv"


@pytest.mark.parametrize(
    "answer", [(404, "model_not_found", "models/gemini-9 is not found"), (400, "invalid_request", "Bad.")]
)
def test_another_refusal_is_no_reason_to_send_it_again(
    caching: Any, asked_at: Callable[..., Any], google: Any, faults: Any, answer: tuple[int, str, str]
) -> None:
    status, code, message = answer
    server = asked_at(google(*STEPS), faults.reply(status, {"error": {"code": code, "message": message}}))
    caching.run(f"{ASK} --cache off\nSix times seven?")
    caching.fails(f"{ASK} -c\nTwice that?")
    assert len(server.seen) == 2


def test_without_a_key_a_recording_answers_before_the_planner(
    caching: Any, asked_at: Callable[..., Any], google: Any
) -> None:
    server = asked_at(google(saying("Seventy, said Gemini.")), google(saying("A hundred and forty.")))
    caching.do("import pandas as pd\nsales = pd.DataFrame({'city': ['A', 'B'], 'amount': [30, 40]})")
    caching.run("%%gemini_exec -m gemini-3-pro-preview --thinking high\nSum of amount in @sales")
    caching.run("%%gemini_exec -m gemini-3-pro-preview -c\nTwice that?")
    without_key(caching)
    ran = caching.run("%%gemini_exec\nSum of amount in @sales")
    assert "Seventy, said Gemini." in ran.text and REPLAYED in ran.text
    assert "gemini-3-flash-preview" in ran.outputs[-1]["text/plain"], "as the server named itself"
    assert "A hundred and forty." in caching.run("%%gemini_exec -c\nTwice that?").text
    planned = caching.run("%%gemini_exec\nMean of amount in @sales")
    assert "offline-planner" in planned.text and "35" in planned.text
    assert "offline-planner" in caching.run("%%gemini_exec -m offline-planner\nSum of amount in @sales").text
    assert "offline-planner" in caching.run("%%gemini_exec --cache refresh\nSum of amount in @sales").text
    assert len(server.seen) == 2


def test_without_a_key_a_named_model_is_replayed_or_refused(
    caching: Any, asked_at: Callable[..., Any], google: Any
) -> None:
    server = asked_at(google(saying("Yes.")))
    caching.run(f"{ASK}\nWell?")
    without_key(caching)
    assert "Yes." in caching.run(f"{ASK}\nWell?").text
    assert "needs an API key" in caching.refuses(f"{ASK}\nWell, then?")
    assert "has no recorded answer" in caching.refuses(f"{ASK} --cache only\nWell, then?")
    assert "has no recorded answer" in caching.refuses("%%gemini_exec --cache only\nWell, then?")
    assert len(server.seen) == 1


def test_the_planner_is_not_recorded(caching: Any, tmp_path: Path) -> None:
    caching.do("import pandas as pd\nsales = pd.DataFrame({'amount': [30, 40]})")
    for use in ("use", "only", "refresh"):
        assert "70" in caching.run(f"%%gemini_exec -m offline-planner --cache {use}\nSum of amount in @sales").text
    assert not list(tmp_path.iterdir())


def test_offline_a_recording_answers_and_google_is_not_asked(
    caching: Any, asked_at: Callable[..., Any], google: Any
) -> None:
    asked_at(google(saying("Yes.")))
    caching.run(f"{ASK}\nWell?")
    caching.do("os.environ['GEMINI_EXEC_OFFLINE'] = '1'; del os.environ['GOOGLE_GEMINI_BASE_URL']")
    try:
        assert "Yes." in caching.run(f"{ASK}\nWell?").text
        line = caching.fails(f"{ASK}\nWell, then?").red_line
        assert "No connection to generativelanguage.googleapis.com is opened" in line
        assert "GEMINI_EXEC_OFFLINE" in caching.do("%gemini doctor")
    finally:
        caching.do("del os.environ['GEMINI_EXEC_OFFLINE']")


def test_a_very_large_attachment_of_a_replayed_question_is_uploaded_again(
    caching: Any, asked_at: Callable[..., Any], google: Any, faults: Any, body_of: Any
) -> None:
    """Measured by what stands in the request: an address in the history, not 16 MB of base64."""
    file = {
        "file": {
            "name": "files/a",
            "uri": "https://x/files/a",
            "state": "ACTIVE",
            "expirationTime": "2099-01-01T00:00:00Z",
        }
    }
    begin = faults.reply(200, b"{}", x_goog_upload_url="http://127.0.0.1/upload?upload_id=u")
    upload = faults.reply(200, file)
    server = asked_at(begin, upload, upload, google(saying("A picture.")), google(saying("Still.")))
    caching.do("big = b'\\x89PNG\\r\\n\\x1a\\n' + bytes(12_000_000)")
    for _ in range(2):
        assert "A picture." in caching.run(f"{ASK}\nWhat is @big?").text
    asked = len(server.seen)
    assert "Still." in caching.run(f"{ASK} -c\nSure?").text
    history = body_of(server.seen[-1])["input"]
    assert history[0]["content"][0]["uri"] == "https://x/files/a"
    assert len(server.seen) == asked + 1, "what was uploaded an hour ago is still there"


def test_after_a_restart_a_replayed_conversation_goes_on_by_its_name(
    open_notebook: Callable[..., Any], serve: Callable[..., Any], google: Any, body_of: Any, tmp_path: Path, key: str
) -> None:
    """What was sent before is with the kernel that is gone: a part of it must not pass for the whole."""
    server = serve(google(*STEPS), google(saying("84."), id="v1_b"), google(saying("126."), id="v1_c"))
    environment = {"GEMINI_API_KEY": key, "GOOGLE_GEMINI_BASE_URL": server.url, "JPY_SESSION_NAME": "/home/me/a.ipynb"}

    def kernel() -> Any:
        opened = open_notebook(**environment)
        opened.do('%load_ext magic_ext\n%config GeminiExecMagics.cache = "use"')
        opened.do(f"%config GeminiExecMagics.cache_dir = {str(tmp_path)!r}")
        return opened

    first = kernel()
    first.run(f"{ASK}\nSix times seven?", live=True, cell="one")
    first.run(f"{ASK} -c\nTwice that?", live=True, cell="two")
    again = kernel()
    assert REPLAYED in again.run(f"{ASK} -c\nTwice that?", live=True, cell="two").text
    assert "126." in again.run(f"{ASK} -c\nThree times?", live=True, cell="three").text
    assert [body_of(seen).get("previous_interaction_id") for seen in server.seen] == [None, "v1_a", "v1_b"]


def test_what_ran_here_is_not_recorded_and_nothing_that_follows_it_is_taken_for_a_beginning(
    caching: Any, asked_at: Callable[..., Any], google: Any, tmp_path: Path
) -> None:
    server = asked_at(google(saying("Of fruit.")), google(saying("Here.")), google(saying("Of what ran here.")))
    caching.run(f"{ASK}\nWhat was that about?")
    assert len(list(tmp_path.iterdir())) == 1
    assert "Here." in caching.run(f"{ASK} --run local\nRun it here.").text
    assert "Of what ran here." in caching.run(f"{ASK} -c\nWhat was that about?").text
    assert "has no recorded answer" in caching.refuses(f"{ASK} --run local --cache only\nRun it here.")
    assert len(server.seen) == 3
    assert len(list(tmp_path.iterdir())) == 1


def test_a_replayed_answer_sends_nothing_and_so_asks_nothing(
    caching: Any, asked_at: Callable[..., Any], google: Any
) -> None:
    """Neither whether values may leave, nor whether a key may."""
    server = asked_at(google(saying("Seventy.")))
    token = "ghp_0aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA"
    caching.do(f"import pandas as pd\nsales = pd.DataFrame({{'token': [{token!r}], 'amount': [70]}})")
    caching.run(f"{ASK} --send auto --allow-secrets\nSum of amount in @sales?")
    caching.do('%config GeminiExecMagics.send = ""')
    assert REPLAYED in caching.run(f"{ASK}\nSum of amount in @sales?").text
    assert "looks like a key" in caching.refuses(f"{ASK} --send auto\nMean of amount in @sales?")
    caching.do("sales = sales[['amount']]")
    assert "nobody can be asked here" in caching.refuses(f"{ASK}\nMean of amount in @sales?")
    assert len(server.seen) == 1
