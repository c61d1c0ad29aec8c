"""Where references stand in a text, and where they do not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magic_ext.references.errors import BadPolicyError, BadReferenceError
from magic_ext.references.grammar import Attribute, Item, find_references, literal, rewrite, split_line
from magic_ext.references.policy import Policy, parse_policy


@pytest.mark.parametrize(
    ("text", "written", "span"),
    [
        ("mean of @sales", "sales", "@sales"),
        ("@sales.", "sales", "@sales"),
        ("@sales, and", "sales", "@sales"),
        ("(@sales)", "sales", "@sales"),
        ("@sales: what is it", "sales", "@sales"),
        ("@sales:10 o'clock", "sales", "@sales"),
        ("@sales's mean", "sales", "@sales"),
        ("@sales…", "sales", "@sales"),
        ("**@sales**", "sales", "@sales"),
        ("@sales-2", "sales", "@sales"),
        ("x=@sales", "sales", "@sales"),
        ("@Ümsatz_2!", "Ümsatz_2", "@Ümsatz_2"),
        ("@data/targets.csv,", "data/targets.csv", "@data/targets.csv"),
        ("@data/targets.csv.", "data/targets.csv", "@data/targets.csv"),
        ("@my-file.csv?", "my-file.csv", "@my-file.csv"),
        ("@./x.png)", "./x.png", "@./x.png"),
        ("@../x.csv", "../x.csv", "@../x.csv"),
        ("@~/x.csv", "~/x.csv", "@~/x.csv"),
        ("@/abs/x.csv", "/abs/x.csv", "@/abs/x.csv"),
        (r"@C:\data\x.csv, and", r"C:\data\x.csv", r"@C:\data\x.csv"),
        (r"@data\x.csv", r"data\x.csv", r"@data\x.csv"),
        (r"@.\x.csv", r".\x.csv", r"@.\x.csv"),
        ("@C:/data/x.csv", "C:/data/x.csv", "@C:/data/x.csv"),
        ('@"my file.csv".', "my file.csv", '@"my file.csv"'),
        ("@Out[5].", "Out[5]", "@Out[5]"),
        ("@Out[-1]", "Out[-1]", "@Out[-1]"),
        ('@frames["train"]', 'frames["train"]', '@frames["train"]'),
        ("@frames['a b'].x", "frames['a b'].x", "@frames['a b'].x"),
        ("@obj.attr.", "obj.attr", "@obj.attr"),
        ('@sales[city,"unit price"]', "sales", '@sales[city,"unit price"]'),
        ('@sales["price [EUR]", b]:schema', "sales", '@sales["price [EUR]", b]:schema'),
        ("@sales:head(20).", "sales", "@sales:head(20)"),
        ("@sales:full, please", "sales", "@sales:full"),
        ("@data/targets.csv[city]:sample", "data/targets.csv", "@data/targets.csv[city]:sample"),
        (r"$@x\alpha$", "x", "@x"),
        ("@a/@b", "a", "@a"),
    ],
)
def test_a_reference_and_its_span(text: str, written: str, span: str) -> None:
    reference = find_references(text)[0]
    assert reference.written == written
    assert text[reference.start : reference.end] == span


@pytest.mark.parametrize(
    "text",
    [
        "bob@example.org",
        "bob.jones+x@example.org",
        "https://medium.com/@bob/post",
        "A @ B",
        "@",
        "@@sales",
        "@ sales",
        "@1",
        "see `@sales` here",
        "see ``a ` @sales`` here",
        "```python\n@sales\n```",
        "~~~\n@sales\n~~~\n",
        "```\n@sales",
        "@cache\ndef f(): ...",
        "@app.route('/x')\n@other\nasync def f(): ...",
        "    @property\n    def f(self): ...",
        "@dataclass\nclass A: ...",
        "{'a': 1} $x {{y}} % \\frac{a}{b} ${z}$",
    ],
)
def test_what_is_no_reference(text: str) -> None:
    assert find_references(text) == ()


@pytest.mark.parametrize(
    "text", ["`open tick @sales", "```a``` @sales", "a\n\n` @sales\n\n`", "@sales\ndefine it", "```\nx\n```\n@sales"]
)
def test_what_looks_like_code_but_is_none(text: str) -> None:
    assert [reference.written for reference in find_references(text)] == ["sales"]


def test_parts_of_a_chain() -> None:
    (reference,) = find_references('@models["a"].history[-1]["x", y]:head(3)')
    assert reference.root == "models"
    assert reference.chain == (Item("a"), Attribute("history"), Item(-1))
    assert reference.columns == ("x", "y")
    assert reference.policy == Policy("head", 3)


def test_a_dotted_name_may_be_a_file() -> None:
    (reference,) = find_references("@targets.csv")
    assert (reference.root, reference.chain, reference.file) == ("targets", (Attribute("csv"),), "targets.csv")


@pytest.mark.parametrize("text", ["@sales:shcema", "@sales:Schema", "@sales:heads", "@sales:schema-only", "@s:ful"])
def test_a_misspelt_policy_is_refused(text: str) -> None:
    with pytest.raises(BadPolicyError) as caught:
        find_references(text)
    assert "Did you mean :" in caught.value.hint


@pytest.mark.parametrize("text", ["@sales[driver's age]", "@sales[", "@sales[]", '@sales["a]'])
def test_brackets_that_cannot_be_read_are_refused(text: str) -> None:
    with pytest.raises(BadReferenceError, match="brackets"):
        find_references(text)


@pytest.mark.parametrize(
    "text", ["head(x)", "head(0)", "head(-1)", "full(3)", "schema(1)", "everything", "", "head(٣)"]
)
def test_policies_that_mean_nothing(text: str) -> None:
    with pytest.raises(BadPolicyError):
        parse_policy(text)


@pytest.mark.parametrize("text", ["auto", "schema", "full", "head(7)", "sample(500)"])
def test_a_policy_reads_back(text: str) -> None:
    assert str(parse_policy(text)) == text


def test_the_error_of_a_policy_names_the_known_ones() -> None:
    with pytest.raises(BadPolicyError) as caught:
        parse_policy("smaple")
    assert "sample?" in caught.value.hint
    assert "auto, schema, sample, head(N), full" in caught.value.hint


@pytest.mark.parametrize(
    ("line", "written", "rest"),
    [
        ("@sales[a, b] -c --run local", ["sales"], ["-c", "--run", "local"]),
        ('--run local @"my file.csv":schema', ["my file.csv"], ["--run", "local"]),
        (r"-m x @C:\data\x.csv", [r"C:\data\x.csv"], ["-m", "x"]),
        ("-c @sales", ["sales"], ["-c"]),
        ('--system="mail @bob" @sales["k", "b"]', ["sales"], ['--system="mail', '@bob"']),
        ("--out x", [], ["--out", "x"]),
    ],
)
def test_the_magic_line(line: str, written: list[str], rest: list[str]) -> None:
    references, left = split_line(line)
    assert [reference.written for reference in references] == written
    assert left.split() == rest


def test_literal_at_signs() -> None:
    assert literal("@@bob, @sales, `@@x`, a@@b") == "@bob, @sales, `@@x`, a@b"


_TEXT = st.text(st.sampled_from("@ab .:,\\/[]\"'`\n~()-_1é"), max_size=40)


def _found(text: str) -> tuple[object, ...]:
    try:
        return find_references(text)
    except BadReferenceError:
        return ()


@settings(deadline=None)
@given(st.text())
def test_text_without_at_signs_is_unchanged(text: str) -> None:
    text = text.replace("@", "")
    assert find_references(text) == ()
    assert literal(text) == text


@settings(deadline=None)
@given(_TEXT)
def test_spans_are_ordered_and_begin_with_an_at_sign(text: str) -> None:
    position = 0
    for reference in _found(text):
        assert reference.start >= position
        assert text[reference.start] == "@"
        assert text[reference.start : reference.end].startswith(("@" + reference.written, f'@"{reference.written}"'))
        position = reference.end


@settings(deadline=None)
@given(_TEXT)
def test_rewriting_touches_only_references_and_literals(text: str) -> None:
    try:
        same = rewrite(text, lambda reference: text[reference.start : reference.end])
    except BadReferenceError:
        return
    assert same.replace("@", "") == text.replace("@", "")


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(["@a[", "`", "@a ", "```\n", "@a[x,", "@x\n", '@"', "@a:b"]), st.integers(1, 5_000))
def test_repetition_is_read_quickly(piece: str, count: int) -> None:
    _found(piece * count)
