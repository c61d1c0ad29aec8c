"""Attachments for Google: policies, budgets, names, sentences."""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magic_ext.errors import GeminiExecError
from magic_ext.references.attach import Local, Prepared, Remote, prepare
from magic_ext.references.errors import BadPolicyError, UnsendableError
from magic_ext.references.grammar import split_line
from magic_ext.references.policy import Policy
from magic_ext.references.portions import LIMIT_TOKENS, tokens
from magic_ext.references.prepared import PREFIX
from magic_ext.references.tables.pandas_frames import PandasTable
from magic_ext.references.tables.sheet import Sheet
from magic_ext.wire.content import Document, Image, Text

Preparing = Callable[..., Prepared]
PENGUINS = Path(__file__).parents[2] / "notebooks" / "data" / "penguins.csv"


def frame(rows: int) -> pd.DataFrame:
    return pd.DataFrame({"n": range(rows), "s": ["some text that takes room"] * rows})


def test_a_sentence_with_references(remote: Preparing, tmp_path: Path) -> None:
    (tmp_path / "targets.csv").write_text("a\n1\n")
    prepared = remote(
        "Is @sales above @limit, as in @targets.csv and @frames['x']? {a} $b `@c` @@d a@b.de",
        sales=frame(1),
        limit=2.5,
        frames={"x": frame(2)},
    )
    assert prepared.prompt == "Is `sales` above 2.5, as in `targets.csv` and `frames_x`? {a} $b `@c` @d a@b.de"
    assert [binding.name for binding in prepared.bindings] == ["sales", "targets", "frames_x"]
    assert [entry.name for entry in prepared.entries] == ["sales", "targets.csv", "frames['x']", "limit"]
    assert all(line.startswith(PREFIX) for line in prepared.description.splitlines())


def test_the_same_twice_is_attached_once(remote: Preparing, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a\n1\n")
    prepared = remote('@x.csv @"x.csv" @./x.csv @f["a"] @f[\'a\'] @f["a"]:full', f={"a": frame(1)})
    assert prepared.prompt == "`x.csv` `x.csv` `x.csv` `f_a` `f_a` `f_a`"
    assert len(prepared.contents) == 2


def test_two_policies_for_one_table(remote: Preparing) -> None:
    with pytest.raises(BadPolicyError, match="two policies, schema and full"):
        remote("@df:schema @df:full", df=frame(1))
    assert remote("@df @df:schema", df=frame(1)).contents == ()


def test_names_are_unique_and_spare_the_users_variables(remote: Preparing, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "sales.csv").write_text("x\n1\n")
    (tmp_path / "2 x-y.csv").write_text("x\n1\n")
    (tmp_path / "class.csv").write_text("x\n1\n")
    prepared = remote(
        '@a/sales.csv @b/sales.csv @sales @sales[n] @sales[s] @"2 x-y.csv" @class.csv @pl',
        sales=frame(1),
        pl=pl.DataFrame({"n": [1]}),
    )
    assert [binding.name for binding in prepared.bindings] == [
        "sales_csv",
        "sales_csv_2",
        "sales",
        "sales_df",
        "sales_df_2",
        "_2_x_y",
        "class_",
        "pl_df",
    ]


def test_references_of_the_line_come_first(tmp_path: Path) -> None:
    references, _ = split_line("@a -c")
    prepared, manifest = prepare("and @b", references, {"a": frame(1), "b": frame(2)}, tmp_path, Remote("host"))
    assert prepared.prompt == "and `b`"
    assert [entry.file for entry in manifest.entries] == ["input_file_0.csv", "input_file_1.csv"]
    assert manifest.remote
    assert manifest.destination == "host"


def test_the_manifest_counts_what_goes_out(tmp_path: Path) -> None:
    namespace = {"a": frame(5), "d": {"x": [1, 2]}, "s": "ä"}
    prepared, manifest = prepare("@a @d @s", (), namespace, tmp_path, Remote("host", first_file=3))
    sizes = [len(c.text.encode()) if isinstance(c, Text) else len(c.content) for c in prepared.contents]
    assert [entry.bytes for entry in manifest.entries] == [*sizes, 0]
    assert manifest.prompt_bytes == len((prepared.prompt + prepared.description).encode())
    assert "input_file_3.csv" in prepared.description


def test_auto_sends_a_small_table_whole(remote: Preparing) -> None:
    prepared = remote("@df", df=pd.read_csv(PENGUINS))
    (entry,) = prepared.entries
    assert (entry.policy, entry.rows, entry.rows_sent, entry.columns) == ("full", 344, 344, 8)
    assert "all rows are attached as input_file_0.csv" in prepared.description


def test_auto_samples_a_large_table_within_the_limit(remote: Preparing) -> None:
    df = frame(50_000)
    prepared = remote("@df", df=df)
    (entry,) = prepared.entries
    assert entry.policy == "sample"
    assert LIMIT_TOKENS * 0.8 < entry.tokens <= LIMIT_TOKENS
    numbers = [int(line.split(",")[0]) for line in prepared.contents[0].content.decode().splitlines()[1:]]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == entry.rows_sent
    assert f"{entry.rows_sent:,} of 50,000 rows, drawn at random" in prepared.description
    assert remote("@df", df=df).contents == prepared.contents


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=300), st.integers(1, 300))
def test_auto_never_exceeds_the_limit(lengths: list[int], factor: int) -> None:
    df = pd.DataFrame({"s": ["x" * length for length in lengths] * factor})
    _, manifest = prepare("@df", (), {"df": df}, Path(), Remote("host"))
    (entry,) = manifest.entries
    assert entry.tokens <= LIMIT_TOKENS
    assert entry.rows_sent


def test_rows_that_are_too_long_are_not_sent(remote: Preparing) -> None:
    prepared = remote("@df", df=pd.DataFrame({"s": ["x" * 200_000] * 3}))
    assert prepared.contents == ()
    assert "one alone is more than 30,000 tokens" in prepared.entries[0].note


@pytest.mark.parametrize(
    ("policy", "sent", "how"),
    [
        ("full", 3000, "full"),
        ("head(7)", 7, "head(7)"),
        ("head(9999)", 3000, "head(9999)"),
        ("sample(5)", 5, "sample"),
        ("schema", 0, "schema"),
        ("head", 20, "head(20)"),
    ],
)
def test_policies(remote: Preparing, policy: str, sent: int, how: str) -> None:
    for prepared in (remote(f"@df:{policy}", df=frame(3000)), remote("@df", policy, df=frame(3000))):
        (entry,) = prepared.entries
        assert (entry.rows, entry.rows_sent, entry.policy) == (3000, sent, how)


def test_a_policy_of_the_reference_beats_the_default(remote: Preparing) -> None:
    assert remote("@df:head(2)", "schema", df=frame(9)).entries[0].rows_sent == 2


def test_full_refuses_what_no_model_reads(remote: Preparing) -> None:
    for prompt in ("@df:full", "@df:head(500000)"):
        with pytest.raises(UnsendableError, match=r"^@df: That is about [\d,]+ tokens") as caught:
            remote(prompt, df=frame(500_000))
        assert ":sample" in caught.value.hint


def test_only_the_head_of_a_lazy_frame_is_computed(remote: Preparing) -> None:
    seen: list[int] = []

    def watch(batch: pl.DataFrame) -> pl.DataFrame:
        seen.append(len(batch))
        return batch

    lazy = pl.LazyFrame({"n": range(50_000)}).head(50_000).map_batches(watch, streamable=True)
    prepared = remote("@df:schema", df=lazy)
    assert seen == []
    assert "an unknown number of rows x 1 column" in prepared.description
    prepared = remote("@df:head(3)", df=pl.LazyFrame({"n": range(50_000)}))
    assert prepared.contents[0].content == b"n\n0\n1\n2\n"
    assert remote("@df", df=pl.LazyFrame({"n": range(50_000)})).entries[0].rows_sent <= 10_000
    assert remote("@df:full", df=pl.LazyFrame({"n": [1]})).entries[0].rows_sent == 1
    unknown = pl.LazyFrame({"n": [1, 2]}).filter(pl.col("n") > 1)
    with pytest.raises(UnsendableError, match="number of its rows"):
        remote("@df:full", df=unknown)
    (entry,) = remote("@df", df=unknown).entries  # its head shows all there is
    assert (entry.rows, entry.rows_sent, entry.policy) == (1, 1, "full")


def test_the_load_line_of_a_later_file_does_not_take_another(remote: Preparing) -> None:
    many = {f"t{n}": pd.DataFrame({"n": [n]}) for n in range(12)}
    prepared = remote(" ".join(f"@{name}" for name in many), **many)
    names = [f"prefix-input_file_{n}.csv" for n in range(12)]
    scope = {"glob": type("glob", (), {"glob": lambda pattern: [n for n in names if pattern.strip("*") in n]})}
    for number, line in enumerate(line for line in prepared.description.splitlines() if "load: " in line):
        expression = line.partition("read_csv(")[2].partition(", ")[0].removesuffix(")")
        assert eval(expression, scope) == names[number]


def test_tables_are_numbered_before_pictures(remote: Preparing, tmp_path: Path) -> None:
    (tmp_path / "x.gif").write_bytes(b"GIF89a\x01\0\x01\0")
    (tmp_path / "x.pdf").write_bytes(b"%PDF-1.4\n")
    prepared = remote("@x.gif @x.pdf @df", df=frame(1))
    assert prepared.prompt == "`x.gif` `x.pdf` `df`"
    assert [type(content) for content in prepared.contents] == [Document, Image, Document]
    assert "input_file_0.csv" in prepared.description
    mime_types = [content.mime_type for content in prepared.contents if not isinstance(content, Text)]
    assert mime_types == ["text/csv", "image/gif", "application/pdf"]


def test_texts_and_values(remote: Preparing, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_bytes("```\nfenced ä\n```\n".encode())
    (tmp_path / "x.json").write_text('{"a": 1}')
    prepared = remote("@notes.md @x.json @d", d={"k": [1, 2]})
    assert [content.text for content in prepared.contents if isinstance(content, Text)] == [
        "Content of `notes.md`:\n\n````md\n```\nfenced ä\n```\n````\n",
        'Content of `x.json`:\n\n```json\n{"a": 1}\n```\n',
        'Content of `d`:\n\n```json\n{"k":[1,2]}\n```\n',
    ]
    assert [(binding.file, binding.name) for binding in prepared.bindings] == [("", "d")]


def test_a_long_text_is_cut_at_a_line(remote: Preparing, tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("".join(f"line {n}\n" for n in range(100_000)))
    (entry,) = remote("@x.log").entries
    assert tokens(100_000) < entry.tokens <= LIMIT_TOKENS + 20
    assert "the first" in entry.note
    assert remote("@x.log:head(2)").contents[0].text == "Content of `x.log`:\n\n```log\nline 0\nline 1\n```\n"
    sampled = remote("@x.log:sample(3)").contents[0].text.splitlines()[3:-1]
    assert len(sampled) == 3
    with pytest.raises(BadPolicyError, match="by itself"):
        remote("@x", x={"a": "x" * 200_000})


@pytest.mark.parametrize("prompt", ["@x:head(3)", "@d:sample", "@fig:head(2)"])
def test_rows_of_what_has_none(remote: Preparing, prompt: str) -> None:
    from matplotlib.figure import Figure

    with pytest.raises(BadPolicyError, match="has no rows"):
        remote(prompt, x=1, d={"a": 1}, fig=Figure())


def test_a_default_for_rows_leaves_alone_what_has_none(remote: Preparing) -> None:
    prepared = remote("@x @d @s", "head(1)", x=1, d={"a": [1, 2]}, s="one\ntwo\n")
    assert prepared.prompt == "1 `d` `s`"
    assert [entry.policy for entry in prepared.entries] == ["full", "full", "head(1)"]
    assert "two" not in str(prepared.contents)


def test_binary_files(remote: Preparing, tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    with pytest.raises(UnsendableError, match=r"^@x.parquet: ") as caught:
        remote("@x.parquet")
    assert "pd.read_parquet" in caught.value.hint


def test_arrays_of_many_dimensions(remote: Preparing) -> None:
    prepared = remote("@x", x=np.zeros((2, 3, 4)))
    assert "NumPy array 2 x 3 x 4 of float64" in prepared.description
    assert prepared.contents == ()
    with pytest.raises(UnsendableError, match="3 dimensions"):
        remote("@x:full", x=np.zeros((2, 3, 4)))


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1, max_size=4, unique=True))
def test_no_name_begins_a_line_of_the_description(names: list[str]) -> None:
    df = pd.DataFrame([range(len(names))], columns=names)
    prepared, _ = prepare("@df", (), {"df": df}, Path(), Remote("host"))
    assert all(line.startswith(PREFIX) for line in prepared.description.splitlines())


def test_long_names_and_many_columns_are_cut(remote: Preparing) -> None:
    df = pd.DataFrame([[0] * 2000], columns=[f"{'x' * 500}{n}" for n in range(2000)])
    description = remote("@df:schema", df=df).description
    assert "and 1,700 more" in description
    assert len(description) < 40_000


def test_a_million_rows_are_not_scanned(remote: Preparing, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[int] = []
    whole = PandasTable.sheet

    def counting(table: PandasTable, positions: Sequence[int]) -> Sheet:
        written.append(len(positions))
        return whole(table, positions)

    monkeypatch.setattr(PandasTable, "sheet", counting)
    rng = np.random.default_rng(0)
    remote("@df", df=pd.DataFrame({f"x{n}": rng.normal(size=1_000_000) for n in range(20)}))
    assert 0 < sum(written) < 3_000


def test_frames_that_live_elsewhere(remote: Preparing) -> None:
    elsewhere = type("DataFrame", (), {"__module__": "daft.dataframe"})()
    with pytest.raises(UnsendableError) as caught:
        remote("@df", df=elsewhere)
    assert "df.to_pandas()" in caught.value.hint


def test_local_hands_over_whole_whatever_the_policy(tmp_path: Path) -> None:
    big = frame(200_000)
    prepared, manifest = prepare("@df:schema @x", (), {"df": big, "x": 5}, tmp_path, Local(tmp_path), Policy("schema"))
    assert prepared.prompt == "`df` 5"
    assert (manifest.destination, manifest.remote) == ("this computer", False)
    assert manifest.entries[0].rows_sent == 200_000
    (document,) = prepared.contents
    assert isinstance(document, Document)
    assert document.name == "df"
    assert (document.uri or "").startswith("file://")
    assert all(line.startswith(PREFIX) for line in prepared.description.splitlines())


def test_local_files_stay_where_the_code_may_reach_them(local: Preparing, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for path in ("a/x.csv", "x.csv", "notes.txt", "b.parquet"):
        (tmp_path / path).write_text("n\n1\n")
    prepared = local(
        f'@a/x.csv @./x.csv @"{tmp_path}/a/../x.csv" @notes.txt @b.parquet @d @s', d={"k": 1}, s="two\nlines"
    )
    assert [content.name for content in prepared.contents] == [
        "a/x.csv",
        "x.csv",
        "notes.txt",
        "b.parquet",
        "d.json",
        "s.txt",
    ]
    assert prepared.contents[1].load == "x_2 = pd.read_csv('x.csv')"
    assert prepared.prompt == "`a/x.csv` `x.csv` `x.csv` `notes.txt` `b.parquet` `d` `s`"


def test_local_files_of_one_name_get_places_of_their_own(local: Preparing, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for path in ("a/x.csv", "x.csv"):
        (tmp_path / path).write_text("n\n1\n")
    prepared = local(f'@x.csv @"{tmp_path}/a/x.csv"')
    assert [content.name for content in prepared.contents] == ["x.csv", "x_2.csv"]


def test_local_pictures_and_arrays(local: Preparing, tmp_path: Path) -> None:
    (tmp_path / "x.gif").write_bytes(b"GIF89a\x01\0\x01\0")
    prepared = local("@x.gif @cube", cube=np.zeros((2, 2, 2), "float32"))
    picture, cube = prepared.contents
    assert isinstance(picture, Image)
    assert picture.data == base64.b64encode(b"GIF89a\x01\0\x01\0").decode()
    assert cube.name == "cube.npy"
    assert "load: cube = np.load('cube.npy')" in prepared.description
    with pytest.raises(UnsendableError, match=r"^@cube: "):
        local("@cube", cube=np.empty((1, 1, 1), object))


def test_every_error_is_one_line_with_advice(remote: Preparing, tmp_path: Path) -> None:
    for prompt in ("@nothing", "@x:head(1)", "@df[nothing]", "@f", "@x.csv"):
        with pytest.raises(GeminiExecError) as caught:
            remote(prompt, x=1, df=frame(1), f=len)
        assert "\n" not in str(caught.value) + caught.value.hint
        assert caught.value.hint


def test_nothing_heavy_is_imported_to_recognise_a_plain_value(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from magic_ext.references.attach import Remote, prepare
prepared, _ = prepare("@x @d @r", (), {"x": 5, "d": {"a": [1]}, "r": [{"a": 1}]}, Path(), Remote("host"))
assert prepared.prompt == "5 `d` `r_df`", prepared.prompt
heavy = {"pandas", "polars", "pyarrow", "numpy", "narwhals", "matplotlib", "PIL", "IPython", "charset_normalizer"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
