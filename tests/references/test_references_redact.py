"""``deny_columns`` and ``redact``: what they hold back, and that what is left loads as it did."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magic_ext.functions.calling import Terms, call
from magic_ext.functions.declaring import declare
from magic_ext.functions.results import told_of
from magic_ext.references import screen as screen_module
from magic_ext.references.attach import Here, Local, Prepared, Remote, prepare
from magic_ext.references.errors import BadPolicyError, BadReferenceError, UnsendableError
from magic_ext.references.policy import Policy
from magic_ext.references.screen import Screen, screen_from
from magic_ext.wire.content import Document, encode_content
from magic_ext.wire.steps import FunctionCall

CANARY = "kanarienvogel"
MAIL = "ada.lovelace+x@mail.example.org"
CARD = 4111111111111111
DENY = screen_from(["e*mail", "SALARY"], [])
REDACT = screen_from([], ["email", "phone", "key", "card", r"re:\bPN-\d{4}\b"])


def prepared(prompt: str, screen: Screen, folder: Path, policy: str = "auto", **namespace: Any) -> Prepared:
    return prepare(prompt, (), namespace, folder, Remote("host"), Policy(policy), screen)[0]  # type: ignore[arg-type]


def leaves(one: Prepared) -> str:
    """All that goes over the wire, and the receipt."""
    contents = "".join(
        content.content.decode() if isinstance(content, Document) else str(encode_content(content))
        for content in one.contents
    )
    return one.prompt + one.description + contents + str(msgspec.to_builtins(one.entries))


PEOPLE = pd.DataFrame(
    {
        "city": ["Rome", "Oslo", "Kyiv"],
        "E-Mail": [f"{CANARY}1", f"{CANARY}2", f"{CANARY}3"],
        "n": pd.array([1, None, 3], dtype="Int64"),
        "salary": [918273645, 918273645, 918273645],
        "day": pd.date_range("2024-01-01", periods=3, tz="Europe/Berlin"),
    },
    index=pd.MultiIndex.from_tuples(
        [(f"{CANARY}4", "a"), (f"{CANARY}5", "b"), (f"{CANARY}6", "c")], names=["email", "k"]
    ),
)
RECORDS = [{"city": "Rome", "email": CANARY, "more": {"email": CANARY, "x": 1}}]
DENIED: list[Any] = [
    PEOPLE,
    PEOPLE.reset_index(drop=True),
    PEOPLE.droplevel("k"),
    PEOPLE.droplevel("k").iloc[0].drop("salary").rename("row"),
    PEOPLE.T.droplevel("email", axis=1),
    PEOPLE.rename(columns={"city": ("a", "b"), "E-Mail": ("email", "x"), "n": ("a", "c")})[
        [("a", "b"), ("email", "x")]
    ],
    pd.concat({"email": PEOPLE, "rest": PEOPLE[["city"]]}, axis=1).droplevel("email"),
    PEOPLE.set_index("E-Mail")[["city", "n"]],
    pl.DataFrame({"city": ["Rome"], "email": [CANARY]}),
    pl.LazyFrame({"city": ["Rome"], "email": [CANARY]}),
    pl.DataFrame({"city": ["Rome"], "who": [{"email": CANARY, "n": 1}]}),
    pa.table({"city": ["Rome"], "Email": [CANARY]}),
    RECORDS,
    {"a": {"b": [{"email": CANARY}]}, "E-MAIL": [CANARY], "c": 1},
    np.array([("Rome", CANARY)], dtype=[("city", "U20"), ("email", "U20")]),
]


@pytest.mark.parametrize("policy", ["auto", "schema", "sample", "full"])
@pytest.mark.parametrize("value", DENIED, ids=lambda value: type(value).__name__)
def test_a_denied_column_never_leaves(value: Any, policy: str, tmp_path: Path) -> None:
    if policy == "full" and isinstance(value, pl.LazyFrame):
        value = value.collect()
    out = leaves(prepared("Look at @x.", DENY, tmp_path, policy, x=value))
    assert CANARY not in out
    assert "918273645" not in out
    assert "mail" not in out.lower()
    if policy == "full":
        assert CANARY in leaves(prepared("Look at @x.", Screen(), tmp_path, policy, x=value))


def test_the_model_and_the_user_are_told_how_many_columns_stay(tmp_path: Path) -> None:
    one = prepared("Look at @df.", DENY, tmp_path, df=PEOPLE)
    assert "3 columns are withheld" in one.description
    assert "3 columns are withheld" in one.entries[0].note
    assert one.entries[0].columns_sent == 3


@pytest.mark.parametrize(
    "prompt", ["@df[city,salary]", '@df["E-Mail"]', "@df.salary", '@row["salary"]', '@d["a"]["email"]', "@x.csv[email]"]
)
def test_to_ask_for_one_is_an_error_that_names_the_setting(prompt: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("email,b\n1,2\n")
    things = {"df": PEOPLE, "row": PEOPLE.iloc[0], "d": {"a": {"email": 1}}}
    with pytest.raises(BadReferenceError, match=r"GeminiExecMagics\.deny_columns withholds"):
        prepared(prompt, DENY, tmp_path, **things)
    with pytest.raises(UnsendableError, match="Every column"):
        prepared("@s", DENY, tmp_path, s=PEOPLE["salary"])


def test_a_csv_file(tmp_path: Path, sandbox: Callable[[Prepared], dict[str, Any]]) -> None:
    (tmp_path / "x.csv").write_text(f"id;e_mail;n;mail2\n1;{CANARY};2,5;{MAIL}\n2;{CANARY};3,5;-\n")
    screen = screen_from(["e_mail"], ["email"])
    one = prepared("@x.csv", screen, tmp_path)
    assert CANARY not in leaves(one) and MAIL not in leaves(one)
    frame = sandbox(one)["x"]
    assert list(frame.columns) == ["id", "n", "mail2"]
    assert list(frame["n"]) == [2.5, 3.5] and list(frame["mail2"]) == ["[email]", "-"]


def test_a_text_with_such_a_field_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"a": {"email": "b"}}')
    for prompt in ("@x.json", "@text"):
        with pytest.raises(UnsendableError, match="field 'email', which GeminiExecMagics"):
            prepared(prompt, DENY, tmp_path, text='Some text that holds\n{"email": "b"}\n')
    (tmp_path / "y.json").write_text('{"a": "email"}')
    assert "email" in leaves(prepared("@y.json", DENY, tmp_path))


def test_pasted_code_sees_what_was_sent(
    tmp_path: Path,
    live: Callable[[Prepared, Mapping[str, Any]], dict[str, Any]],
    sandbox: Callable[..., dict[str, Any]],
) -> None:
    one = prepared("@df", DENY, tmp_path, df=PEOPLE)
    [frame] = live(one, {"df": PEOPLE}).values()
    assert list(frame.columns) == ["city", "n", "day"] and frame.index.names == ["k"]
    pd.testing.assert_frame_equal(sandbox(one)["df_df"], frame, check_dtype=False)
    assert "E-Mail" in PEOPLE


REDACTED = {
    "mail": f"Write to {MAIL}!",
    "phone": "call +49 30 1234567-8 or (030) 123 45 67",
    "card": "4111 1111 1111 1111",
    "key": "AKIA" + "Q7" * 8,
    "number": "PN-1234",
}


@pytest.mark.parametrize("text", REDACTED.values(), ids=REDACTED)
def test_matches_are_replaced_in_every_kind_of_value(text: str, tmp_path: Path) -> None:
    hidden = REDACT.clean(text).text
    assert hidden != text and "[" in hidden
    (tmp_path / "x.csv").write_text(f'a,b\n"{text}",1\n')
    (tmp_path / "x.txt").write_text(f"a\n{text}\n")
    (tmp_path / "x.json").write_text(msgspec.json.encode({"a": [text]}).decode())
    frame = pd.DataFrame(
        {"t": [text, "plain"], "c": pd.Categorical([text, "x"]), "o": [[text], {"k": text}], "n": [1, 2]}
    )
    values = {
        "df": frame,
        "ix": frame.set_index("t"),
        "unused": pd.DataFrame({"c": pd.Categorical(["x", "x"], ["x", text])}),
        "s": frame["t"],
        "p": pl.DataFrame({"t": [text], "e": pl.Series([text], dtype=pl.Enum([text]))}),
        "named": pd.DataFrame({text: [1], "b": [2]}),
        "axis": pd.DataFrame({"b": [2]}).rename_axis(columns=text),
        "records": [{"a": text}],
        "d": {"a": [text], text: 1},
        "short": text,
        "long": f"{text}\n{text}",
    }
    for prompt in [*(f"@{name}" for name in values), "@x.csv", "@x.txt", "@x.json"]:
        out = leaves(prepared(f"Look at {prompt} there.", REDACT, tmp_path, **values))
        assert not REDACT.clean(out).found, (prompt, out)
        assert text not in out
    for value in values.values():
        called = call(FunctionCall("1", "f"), declare(["f"], {"f": lambda value=value: value}), Terms(Policy(), REDACT))
        assert text not in str(called) and "[" in str(called.result.result)


def test_what_is_left_loads(tmp_path: Path, sandbox: Callable[[Prepared], dict[str, Any]]) -> None:
    frame = pd.DataFrame(
        {
            "t": [MAIL, None, "x,y"],
            "n": pd.array([1, None, 3], dtype="Int32"),
            "card": [CARD, 5, 6],
            "c": pd.Categorical([MAIL, "x", "x"], ["x", MAIL, "z"], ordered=True),
            "d": pd.date_range("2024-01-01 10:30", periods=3, tz="Europe/Berlin"),
            "o": [[MAIL], {"k": 1}, None],
            "m": [dt.date(2024, 1, 2)] * 3,
        },
        index=pd.Index([MAIL, "b", "c"], name="who"),
    )
    one = prepared("@df", REDACT, tmp_path, df=frame)
    back = sandbox(one)["df"]
    assert list(back.index) == ["[email]", "b", "c"] and back.index.name == "who"
    assert list(back["t"].fillna("")) == ["[email]", "", "x,y"]
    assert list(back["card"]) == ["[card]", "5", "6"]
    assert list(back["c"]) == ["[email]", "x", "x"]
    assert back["n"].dtype == "Int32" and back["d"].dtype == frame["d"].dtype
    assert back["d"].tolist() == frame["d"].tolist() and back["m"].tolist() == frame["m"].tolist()
    assert "5 replaced (1 card, 4 email)" in one.entries[0].note
    assert "5 replaced (1 card, 4 email)" in one.description


def test_an_untouched_table_goes_out_as_it_did(tmp_path: Path) -> None:
    plain = pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=pd.Index(["k", "l"], name="i"))
    assert (
        prepared("@df", REDACT, tmp_path, df=plain).contents == prepared("@df", Screen(), tmp_path, df=plain).contents
    )


@pytest.mark.parametrize(
    "text",
    [
        *(
            "2024-01-02",
            "2024-01-02 10:30:00",
            "12.50",
            "1,234,567.89",
            "1706745600000",
            "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        ),
        *(
            "192.168.100.200",
            "x@y",
            "a @ b",
            "@property",
            "01.02.2024",
            "4111111111111112",
            "1234567890",
            "version 1.2.3.4",
        ),
        *("5e-324", "-179.99999999", "00000001", "ISBN 978-3-16-148410-0", "0.123456789012"),
    ],
)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert REDACT.clean(text).text == text


@settings(max_examples=200, deadline=None)
@given(st.text(), st.sampled_from([MAIL, "+49 30 1234567", "5555 5555 5555 4444"]), st.text())
def test_nothing_is_left_wherever_it_stands(before: str, found: str, after: str) -> None:
    cleaned = REDACT.clean(f"{before} {found} {after}").text
    assert found not in cleaned


@pytest.mark.parametrize(
    ("redact", "said"),
    [
        (["emails"], "Did you mean email?"),
        (["secret stuff"], "re:EXPRESSION"),
        (["re:("], "no regular expression"),
        (["re:[a-"], "no regular expression"),
    ],
)
def test_a_bad_pattern_is_told_at_once(redact: list[str], said: str) -> None:
    with pytest.raises(BadPolicyError) as told:
        screen_from([], redact)
    assert said in f"{told.value} {told.value.hint}"


def test_a_pattern_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen_module, "_SECONDS", 0.2)
    screen = screen_from([], [r"re:^(\w|\s|\w\w)*$"])
    with pytest.raises(BadPolicyError, match="takes more than"):
        screen.clean("a" * 80 + "!")


def test_nothing_is_held_back_from_this_computer(tmp_path: Path) -> None:
    both = screen_from(["city"], ["email"])
    frame = pd.DataFrame({"city": ["Rome"], "who": [MAIL]})
    for destination in (Local(tmp_path), Here("", tmp_path)):
        one, _ = prepare("@df", (), {"df": frame}, tmp_path, destination, Policy(), both)
        [document] = one.contents or one.here
        with pa.ipc.open_file(tmp_path / Path(str(document.uri)).name) as file:
            assert file.read_all().to_pylist()[0] == {"city": "Rome", "who": MAIL}


def test_code_of_a_model_elsewhere_gets_no_denied_column(tmp_path: Path) -> None:
    one, _ = prepare("@df", (), {"df": PEOPLE.droplevel("email")}, tmp_path, Here("host", tmp_path), Policy(), DENY)
    assert CANARY not in leaves(one)
    for path in tmp_path.iterdir():
        assert CANARY.encode() not in path.read_bytes()
    (tmp_path / "x.csv").write_text(f"email,b\n{CANARY},2\n")
    folder = tmp_path / "handed"
    folder.mkdir()
    for prompt in ("@df", "@x.csv"):
        with pytest.raises(UnsendableError, match="deny_columns can't be kept from code"):
            prepare(prompt, (), {"df": PEOPLE}, tmp_path, Here("host", folder), Policy(), DENY)


def test_results_of_functions() -> None:
    screen = screen_from(["email"], ["phone"])
    told = str(told_of({"email": CANARY, "x": [{"email": CANARY}]}, Policy(), screen))
    told += str(told_of(pd.DataFrame({"email": [CANARY], "b": ["+49 30 1234567"]}), Policy(), screen))
    assert CANARY not in told and "1234567" not in told
    assert "b" in told
    schema = str(told_of({"x": CANARY}, Policy("schema")))
    schema += str(told_of(CANARY, Policy("schema"))) + str(told_of(PEOPLE[["E-Mail"]], Policy("schema")))
    assert CANARY not in schema and "dict of 1" in schema and "str of 13" in schema and "3 rows" in schema
