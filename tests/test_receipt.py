"""The receipt counts what goes along unasked: instructions, and the conversation that no server keeps."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pandas as pd

from magic_ext.ask import Course, Question, Tip
from magic_ext.client.endpoint import Endpoint, Secret
from magic_ext.frontend.bundles import receipt_output
from magic_ext.place import Place
from magic_ext.references.policy import Policy
from magic_ext.wire.request import encode_request

GOOGLE = Place(model="gemini-3-flash-preview", endpoint=Endpoint(key=Secret("k")))
HISTORY = ({"type": "user_input", "content": [{"type": "text", "text": "Describe the incomes 41000, 52000."}]},)


def _course(**more: object) -> Course:
    question = Question(prompt="Mean of @df:head(2)?", place=GOOGLE, policy=Policy(), **more)  # type: ignore[arg-type]
    return Course(question, {"df": pd.DataFrame({"n": [1, 2, 3]})}, Path.cwd())


def test_instructions_stand_in_the_receipt() -> None:
    course = _course(system="Answer in French.")
    body = encode_request(course.request)
    (told,) = [entry for entry in course.manifest.entries if entry.name == "(instructions)"]
    assert told.bytes == len(body["system_instruction"].encode())
    assert "(instructions)" in receipt_output(course.manifest).plain
    assert "@(" not in receipt_output(course.manifest).plain


def test_a_conversation_that_is_sent_again_stands_in_the_receipt() -> None:
    tip = Tip(interaction_id="", place=GOOGLE.name, history=HISTORY)
    course = _course(store=False, tip=tip)
    body = msgspec.json.encode(encode_request(course.request))
    (again,) = [entry for entry in course.manifest.entries if entry.name == "(the conversation so far)"]
    assert b"41000" in body
    assert again.bytes == len(msgspec.json.encode(HISTORY))
    # what is left are names, braces and base64: the body is not much more than the receipt says
    assert course.manifest.bytes < len(body) < course.manifest.bytes * 1.34 + 700


def test_nothing_is_added_where_nothing_leaves() -> None:
    question = Question(prompt="Mean of @df?", place=Place(model="offline-planner"), policy=Policy(), system="x")
    course = Course(question, {"df": pd.DataFrame({"n": [1]})}, Path.cwd())
    assert [entry.name for entry in course.manifest.entries] == ["df"]
