"""Which turn follows which: cells run again, threads, restarts, and what is written down."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from magic_ext.ask import Tip
from magic_ext.errors import GeminiExecError
from magic_ext.frontend.conversations import Conversations, gone_from
from magic_ext.frontend.kept import kept_file, kept_names
from magic_ext.references.attach import Binding


def ask(conversations: Conversations, cell: str, name: str | None, answer: str, *, new: bool = False) -> str:
    """Run a cell; the id of the interaction that it continued."""
    position = conversations.position(cell, name, new=new)
    before = conversations.tip(position)
    conversations.remember(position, Tip(interaction_id=answer, place="here"), f"question of {answer}")
    return before.interaction_id if before else ""


def test_a_new_cell_goes_on_from_the_last_turn() -> None:
    talk = Conversations()
    assert ask(talk, "a", None, "a1") == ""
    assert ask(talk, "b", "", "b1") == "a1"
    assert ask(talk, "c", None, "c1") == ""
    assert ask(talk, "d", "", "d1") == "c1"


def test_a_cell_run_again_keeps_its_parent_and_replaces_its_turn() -> None:
    talk = Conversations()
    ask(talk, "a", None, "a1")
    ask(talk, "b", "", "b1")
    ask(talk, "c", "", "c1")
    assert ask(talk, "b", "", "b2") == "a1", "not c1, which came after it"
    assert ask(talk, "c", "", "c2") == "b2", "what follows branches from the new one"
    assert ask(talk, "a", None, "a2") == ""
    assert ask(talk, "b", "", "b3") == "a2"


def test_a_cell_that_now_goes_on_does_not_follow_its_own_children() -> None:
    talk = Conversations()
    ask(talk, "z", None, "z1")
    ask(talk, "a", None, "a1")
    ask(talk, "b", "", "b1")
    assert ask(talk, "a", "", "a2") == "z1"
    with pytest.raises(GeminiExecError, match="no answer yet"):
        ask(talk, "z", "", "z2")


def test_threads_have_names() -> None:
    talk = Conversations()
    assert ask(talk, "a", "prices", "a1") == "", "a thread begins with its first question"
    ask(talk, "b", None, "b1")
    assert ask(talk, "c", "prices", "c1") == "a1"
    assert ask(talk, "d", "", "d1") == "c1", "without a name the last turn of all"
    assert ask(talk, "e", "prices", "e1") == "d1", "which belongs to the thread that it followed"
    assert talk.names == ("prices",)
    assert ask(talk, "f", "prices", "f1", new=True) == ""
    assert ask(talk, "g", "prices", "g1") == "f1"


def test_an_interactions_name_branches_from_it() -> None:
    talk = Conversations()
    ask(talk, "a", "prices", "v1_a")
    ask(talk, "b", "", "v1_b")
    assert ask(talk, "c", "v1_a", "v1_c") == "v1_a"
    assert talk.names == ("prices",)
    assert ask(talk, "c", "v1_a", "v1_c2") == "v1_a"


def test_new_forgets_the_parent_of_the_first_run() -> None:
    talk = Conversations()
    ask(talk, "a", None, "a1")
    ask(talk, "b", "", "b1")
    assert ask(talk, "b", "", "b2", new=True) == ""
    assert ask(talk, "c", "", "c1") == "b2"


def test_without_cell_ids_every_run_is_a_turn() -> None:
    talk = Conversations()
    ask(talk, "", None, "a1")
    assert ask(talk, "", "", "b1") == "a1"
    assert ask(talk, "", "", "c1") == "b1"


def test_without_cell_ids_a_new_kernel_goes_on_from_the_last_turn(tmp_path: Path) -> None:
    talk = Conversations(tmp_path / "x.json")
    ask(talk, "", None, "a1")
    ask(talk, "", "", "b1")
    later = Conversations(tmp_path / "x.json")
    assert ask(later, "", "", "c1") == "b1"
    assert ask(later, "", None, "d1") == ""


def test_nothing_to_continue_is_said() -> None:
    with pytest.raises(GeminiExecError, match="no answer yet to continue"):
        Conversations().position("a", "")


def test_they_survive_a_restart_and_hold_no_value(tmp_path: Path) -> None:
    file = tmp_path / "state" / "x.json"
    talk = Conversations(file)
    binding = Binding(name="sales", expression="sales", rows=3, rows_sent=3)
    position = talk.position("a", None)
    secret = ({"type": "user_input", "content": [{"type": "text", "text": "canary-value"}]},)
    code = ('print(sales[sales["who"] == "canary-value"])',)
    talk.remember(
        position,
        Tip(interaction_id="a1", place="here", history=secret, bindings=(binding,), code=code),
        "Mean of @sales?",
    )
    assert b"canary-value" not in file.read_bytes()
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600

    again = Conversations(file)
    tip = again.tip(again.position("b", ""))
    assert tip is not None and (tip.interaction_id, tip.bindings) == ("a1", (binding,))
    assert gone_from(tip.bindings, {}) == ["sales"] and gone_from(tip.bindings, {"sales": 1}) == []
    assert ask(again, "c", "prices", "c1") == ""
    assert kept_names(file) == again.names == ("prices",)
    again.clear()
    assert not file.exists() and Conversations(file).tree().startswith("Nothing")


def test_what_only_the_kernel_kept_is_said_to_be_gone(tmp_path: Path) -> None:
    talk = Conversations(tmp_path / "x.json")
    talk.remember(talk.position("a", None), Tip(interaction_id="", place="here", history=({"type": "x"},)), "hi")
    assert talk.tip(talk.position("b", "")) is not None
    again = Conversations(tmp_path / "x.json")
    with pytest.raises(GeminiExecError, match="has been restarted"):
        again.tip(again.position("b", ""))


@pytest.mark.parametrize("damage", [b"", b"{", b'[{"position": 1}]', b"\xff\x00"])
def test_a_damaged_file_is_none(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "x.json").write_bytes(damage)
    assert Conversations(tmp_path / "x.json").names == kept_names(tmp_path / "x.json") == ()


def test_the_tree() -> None:
    talk = Conversations()
    ask(talk, "a", "prices", "a1")
    ask(talk, "b", "prices", "b1")
    ask(talk, "c", None, "c1")
    ask(talk, "b", "prices", "b2")
    assert talk.tree().splitlines() == [
        "question of a1  (here, -c=prices)",
        "  question of b2  (here, -c=prices, ← last)",
        "question of c1  (here)",
    ]


def test_what_went_on_from_an_answer_that_was_replaced_is_out_of_date() -> None:
    talk = Conversations()
    for cell, name in (("a", None), ("b", ""), ("c", ""), ("x", None)):
        ask(talk, cell, name, f"{cell}1")
    assert "out of date" not in talk.tree()
    ask(talk, "a", None, "a2")
    marked = {line.split()[2]: "out of date" in line for line in talk.tree().splitlines()}
    assert marked == {"a2": False, "b1": True, "c1": True, "x1": False}, "what follows a stale turn is stale"
    at_d = talk.position("d", "")
    assert talk.outdated(at_d) is None, "it follows the last answer, a2"
    at_c = talk.position("c", "")
    stale = talk.outdated(at_c)
    assert stale is not None and stale.words == "question of b1", "the first that has to be run again"
    ask(talk, "b", "", "b2")
    assert talk.outdated(at_c) is None
    assert [line.split()[2] for line in talk.tree().splitlines() if "out of date" in line] == ["c1"]
    ask(talk, "c", "", "c2")
    assert "out of date" not in talk.tree()


def test_the_ids_of_answers_are_those_that_branch() -> None:
    talk = Conversations()
    ask(talk, "a", None, "v1_the_first")
    ask(talk, "b", "", "v1_the_second")
    assert talk.tree(ids=True).splitlines()[1] == "  -c=v1_the_first"
    assert ask(talk, "c", "v1_the_first", "v1_the_third") == "v1_the_first"
    with pytest.raises(GeminiExecError, match="no answer v1_no_such_one here"):
        talk.position("d", "v1_no_such_one")


def test_what_can_be_done_where_turns_end_with_the_kernel(tmp_path: Path) -> None:
    with pytest.raises(GeminiExecError, match="does not tell the notebook's name") as unnamed:
        Conversations().position("a", "")
    assert "Run the cells before it again" in unnamed.value.hint
    assert "does not tell the notebook's name" in Conversations().tree()
    with pytest.raises(GeminiExecError, match=r"no answer yet to continue\.$") as named:
        Conversations(tmp_path / "x.json").position("a", "")
    assert named.value.hint == "Ask without -c first."


def test_a_notebook_without_a_name_keeps_nothing() -> None:
    assert kept_file("") is None
    first, second = kept_file("/a/x.ipynb"), kept_file("/b/x.ipynb")
    assert first != second and first is not None and "x.ipynb" not in str(first)


def test_an_interrupted_question_is_listed_and_nothing_goes_on_from_it(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    talk = Conversations(file)
    talk.interrupted(talk.position("x", "rep"), "here", "How many?")
    assert talk.names == kept_names(file) == ()
    with pytest.raises(GeminiExecError, match="no answer yet to continue"):
        talk.position("y", "")
    ask(talk, "a", None, "a1")
    ask(talk, "b", "", "b1")
    talk.interrupted(talk.position("b", ""), "here", "By city?")
    talk.interrupted(talk.position("c", ""), "here", "And a\nchart?")
    assert Conversations(file).tree() == talk.tree()
    assert talk.tree().splitlines() == [
        "How many?  (here, -c=rep, interrupted, no answer)",
        "question of a1  (here)",
        "  question of b1  (here, interrupted when it asked 'By city?', ← last)",
        "    And a chart?  (here, interrupted, no answer)",
    ]
    assert ask(talk, "d", "", "d1") == "b1"
    assert ask(talk, "c", "", "c1") == "b1", "it keeps its place"
    assert ask(talk, "b", "", "b2") == "a1"
    assert "interrupted" not in "".join(talk.tree().splitlines()[1:])


def test_a_name_that_is_new_among_answers_is_told(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    talk = Conversations(file)
    assert talk.beginning(talk.position("a", "rep")) == "", "the first of a notebook is no follow-up"
    ask(talk, "a", None, "a1")
    told = "No conversation was called 'rep': it begins here"
    assert talk.beginning(talk.position("b", "rep")) == f"{told} (without a name, -c goes on from the last answer)."
    ask(talk, "b", "rep", "b1")
    assert talk.beginning(talk.position("b", "rep")) == "", "run again"
    assert talk.beginning(talk.position("c", "rep")) == talk.beginning(talk.position("c", "")) == ""
    assert talk.beginning(talk.position("c", "nix")) == "No conversation was called 'nix': it begins here (known: rep)."
    again = Conversations(file)
    assert again.beginning(again.position("c", "rep")) == "" and ask(again, "c", "rep", "c1") == "b1"
