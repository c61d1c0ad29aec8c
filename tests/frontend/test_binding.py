"""Generated code on live data: what is edited, what is left, what comes along; the result is run."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from magic_ext.frontend.binding import bind, bind_all, with_needed_blocks
from magic_ext.frontend.needed import names_of
from magic_ext.references.attach import Binding
from magic_ext.references.tables.sheet import Column, Sheet

SALES = Binding(
    file="input_file_0.csv",
    name="sales",
    expression="sales",
    rows=3412,
    rows_sent=2000,
    kind="pandas DataFrame",
    columns=(Column("a"), Column("d"), Column("n")),
    sheet=Sheet("a,d,n", ("Rome,2026-01-01,1", "Oslo,2026-01-02,2"), ", parse_dates=['d'])"),
)
FLAT = replace(SALES, columns=(Column("a"), Column("n")), sheet=Sheet("a,n", ("Rome,1", "Oslo,2")))
INDEXED = replace(
    SALES,
    columns=(Column("Day", index=True), Column("a")),
    sheet=Sheet("d,a", (), ", dtype={'a': str}).set_index(['d']).rename_axis(index=['Day'])"),
)
LEFT = "# Left as it was"
TEXT = "io.StringIO(sales.to_csv(index=False))"


def _code(bound: str) -> str:
    return "\n".join(line for line in bound.split("\n") if not line.startswith("# "))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('df = pd.read_csv("input_file_0.csv")', "df = sales.copy()"),
        ("df = pd.read_csv('/mnt/data/input_file_0.csv', sep=',', encoding='utf-8')", "df = sales.copy()"),
        ('df = pandas.read_csv("input_file_0")', "df = sales.copy()"),
        ('import pandas as p\ndf = p.read_csv("input_file_0.csv")', "import pandas as p\ndf = sales.copy()"),
        ('df = pd.read_csv(next(iter(glob.glob("*input_file_0*"))))', "df = sales.copy()"),
        ('df = pd.read_csv(sorted(glob.glob("input_file_0.*"))[0])', "df = sales.copy()"),
        ('df = pd.read_csv(Path("input_file_0.csv"), header=0)', "df = sales.copy()"),
        ('p = "input_file_0.csv"\ndf = pd.read_csv(p)', 'p = "input_file_0.csv"\ndf = sales.copy()'),
        ('p = Path("input_file_0.csv")\ndf = pd.read_csv(p)', 'p = Path("input_file_0.csv")\ndf = sales.copy()'),
        (
            'p = glob.glob("*input_file_0*")[0]\ndf = pd.read_csv(p)',
            "p = ['input_file_0.csv'][0]\ndf = sales.copy()",
        ),
        ('größe = "ä"; df = pd.read_csv("input_file_0.csv")  # ü', 'größe = "ä"; df = sales.copy()  # ü'),
        (
            'x = f(\n    pd.read_csv(\n        "input_file_0.csv",  # the data\n    ),\n)',
            "x = f(\n    sales.copy(),\n)",
        ),
        (
            'def load():\n    sales = pd.read_csv("input_file_0.csv")\n    return sales',
            "def load():\n    gemini_sales = sales.copy()\n    return gemini_sales",
        ),
        ('%matplotlib inline\ndf = pd.read_csv("input_file_0.csv")', "%matplotlib inline\ndf = sales.copy()"),
        ('df = pd.read_csv("input_file_0.csv", usecols=["n"])', "df = sales[['n']].copy()"),
        ('df = pd.read_csv("input_file_0.csv", nrows=10)', "df = sales.head(10).copy()"),
        ('df = pd.read_csv("input_file_0.csv", index_col=0)', "df = sales.set_index('a').copy()"),
    ],
)
def test_load_calls_become_the_live_data(code: str, expected: str) -> None:
    assert _code(bind(code, [FLAT])) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('df = pd.read_csv("input_file_0.csv", parse_dates=["d"])', "df = sales.copy()"),
        ('df = pd.read_csv("input_file_0.csv")', f"import io\ndf = pd.read_csv({TEXT})"),
        (
            'df = pd.read_csv("input_file_0.csv")\ndf["d"] = pd.to_datetime(df["d"])',
            'df = sales.copy()\ndf["d"] = pd.to_datetime(df["d"])',
        ),
        ('df = pd.read_csv("input_file_0.csv", header=None)', f"import io\ndf = pd.read_csv({TEXT}, header=None)"),
        ('with open("input_file_0.csv") as f:\n    n = 1', f"import io\nwith {TEXT} as f:\n    n = 1"),
        (
            'import polars as pl\ndf = pl.read_csv("input_file_0.csv", try_parse_dates=True)',
            "import polars as pl\ndf = pl.from_pandas(sales)",
        ),
    ],
)
def test_types_of_the_codes_own_are_kept(code: str, expected: str) -> None:
    assert _code(bind(code, [SALES])) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            'df = pd.read_csv("input_file_0.csv", dtype={"a": str})'
            '.set_index(["d"]).rename_axis(index=["Day"]).dropna()',
            "df = sales.copy().dropna()",
        ),
        (
            'df = pd.read_csv("input_file_0.csv", dtype={"a": str})\ndf = df.set_index("d")',
            "df = sales.reset_index(names=['d'])\ndf = df.set_index(\"d\")",
        ),
    ],
)
def test_the_export_is_undone(code: str, expected: str) -> None:
    assert _code(bind(code, [INDEXED])) == expected


def test_polars_stays_polars() -> None:
    frame = replace(FLAT, expression="sales.to_pandas()", kind="polars DataFrame")
    assert _code(bind('df = pl.read_csv("input_file_0.csv")', [frame])) == "df = sales.clone()"
    assert _code(bind('df = pd.read_csv("input_file_0.csv")', [frame])) == "df = sales.to_pandas()"
    scanned = bind('df = pl.scan_csv("input_file_0.csv").collect()', [frame])
    assert _code(scanned) == "df = sales.lazy().collect()"


@pytest.mark.parametrize(
    "code",
    [
        'df = pd.read_csv("input_file_0.csv", ",")',
        'df = pd.read_csv("input_file_0.csv", **options)',
        'df = pd.read_csv("input_file_0.csv", compression="gzip")',
        'if True:\n    x = 1; df = pd.read_csv("input_file_0.csv", nobody_knows=0)',
        'df = other.read_csv("input_file_0.csv")',
        'n = os.path.getsize("input_file_0.csv")',
    ],
)
def test_what_is_not_understood_is_left_and_marked(code: str) -> None:
    bound = bind(code, [SALES])
    assert [line for line in bound.split("\n") if not line.strip().startswith("#")] == code.split("\n")
    assert "# Left as it was: it loads what was sent of sales" in bound
    assert "# This would write the file: sales.to_csv('input_file_0.csv', index=False)" in bound
    assert "none of them" in bound
    ast.parse(bound)


@pytest.mark.parametrize(
    "code",
    [
        'df = pd.read_csv("other.csv")',
        'df = pd.read_csv("input_file_01.csv")',
        'name = "input_file_0.csv"\nname = "b.csv"\ndf = pd.read_csv(name)',
        "print(1)",
        'df.to_csv("sales.csv")\ndf = pd.read_csv("sales.csv")',
    ],
)
def test_what_loads_nothing_of_ours_stays_as_it_is(code: str) -> None:
    assert bind(code, [SALES]) == code


def test_comments_say_what_changed_and_on_how_many_rows() -> None:
    bound = bind('df = pd.read_csv("input_file_0.csv")', [FLAT])
    assert bound.split("\n")[:-1] == [
        '# Bound to the live data: pd.read_csv("input_file_0.csv") is now sales.copy()',
        "# The answer was computed on 2,000 of 3,412 rows of sales; this code takes all of them.",
    ]
    whole = bind('df = pd.read_csv("input_file_0.csv")', [replace(FLAT, rows_sent=3412)])
    assert "# The answer was computed on all 3,412 rows of sales." in whole


def test_a_cell_magic_stays_in_front() -> None:
    assert bind('%%time\ndf = pd.read_csv("input_file_0.csv")', [FLAT]).startswith("%%time\n# Bound")


def test_what_is_no_python_is_left() -> None:
    assert bind("x = ]", [SALES]).endswith("\nx = ]")
    assert bind("x = ]", []) == "x = ]"


LOADED = Binding(name="sales", expression="sales", rows=3, rows_sent=3, kind="pandas DataFrame")


def test_data_that_the_engine_had_loaded_gets_its_name() -> None:
    train = replace(LOADED, file="train.arrow", name="frames_train", expression='frames["train"]')
    assert _code(bind("print(frames_train)", [train])) == 'frames_train = frames["train"].copy()\nprint(frames_train)'
    assert _code(bind("print(sales)", [LOADED])) == "print(sales)"
    assert _code(bind("sales['x'] = 1", [LOADED])) == "gemini_sales = sales.copy()\ngemini_sales['x'] = 1"
    records = replace(LOADED, name="rows", expression="pd.DataFrame(rows)")
    assert _code(bind("print(rows.a)", [records])).endswith("gemini_rows = pd.DataFrame(rows)\nprint(gemini_rows.a)")


def test_a_plain_value_is_copied_where_it_is_changed() -> None:
    config = Binding(name="config", expression="config", kind="dict of 2")
    assert bind("print(config['x'])", [config]) == "print(config['x'])"
    changed = _code(bind("config['x'] = 1", [config]))
    assert changed == "import copy\ngemini_config = copy.deepcopy(config)\ngemini_config['x'] = 1"


@pytest.mark.parametrize(
    "code",
    [
        "sales['x'] = 1",
        "df = sales\ndf['x'] = 1",
        "def f(d):\n    d['x'] = 1\nf(sales)",
        "sales.pipe(f)\ndef f(d):\n    d.loc[0] = 1",
        "for part in [sales]:\n    part['x'] = 1",
        "sales.drop(columns='n', inplace=True)",
        "s = sales['n']\ns[0] = 1",
        "sales.loc[0, 'n'] = 5",
        "sales.columns = ['a', 'b']",
        "values = sales['n'].values\nvalues.sort()",
        "sales['n'].values[0] = 9",
        "del sales['n']",
        "np.random.shuffle(sales.values)",
        "np.add(sales.values, 1, out=sales.values)",
        "sales.__setitem__('x', 1)",
        "np.copyto(sales['n'].values, 0)",
        "random.shuffle(sales)",
        "sorted(sales)[0]['x'] = 1",
        "sales = sales.dropna()",
        "sales += 1",
    ],
)
def test_what_may_change_the_users_frame_works_on_a_copy(code: str) -> None:
    bound = bind(code, [LOADED])
    assert "gemini_sales = sales.copy()" in bound
    assert "# It works on gemini_sales, so that your sales stays as it is." in bound


@pytest.mark.parametrize(
    "code",
    [
        "total = sales.groupby('a').sum()\ntotal['x'] = 1",
        "df = sales.copy()\ndf['x'] = 1",
        "ax = sales.plot()\nax.set_title('sales')",
        "counts = {}\nfor name in sales['a'].unique():\n    counts[name] = 1",
        "fig, ax = plt.subplots()\nbars = ax.bar(sales['a'], sales['n'])\nprint(sales.head())",
    ],
)
def test_what_only_reads_the_users_frame_reads_it(code: str) -> None:
    assert "copy()" not in bind(code, [LOADED]).replace(code, "")


def test_a_name_is_given_its_data_once_in_a_row_of_blocks() -> None:
    polars = replace(LOADED, name="sales_df", expression="sales.to_pandas()")
    first, second = bind_all(["print(sales_df)", "sales_df['x'] = 1"], [polars])
    assert _code(first) == "sales_df = sales.to_pandas()\nprint(sales_df)"
    assert _code(second) == "sales_df['x'] = 1"
    loaded, later = bind_all(['sales = pd.read_csv("input_file_0.csv")', "print(sales)"], [FLAT])
    assert _code(loaded) == "sales = sales.copy()"
    assert _code(later) == "print(sales)"


def test_a_path_is_known_from_an_earlier_block() -> None:
    _, later = bind_all(['path = "input_file_0.csv"', "df = pd.read_csv(path)"], [FLAT])
    assert _code(later) == "df = sales.copy()"


def test_two_files_are_told_apart_when_the_code_runs() -> None:
    stores = replace(FLAT, file="input_file_1.csv", name="stores", expression="stores")
    code = "frames = {f: pd.read_csv(f) for f in glob.glob('*.csv')}"
    bound = bind(code, [FLAT, stores])
    assert "lambda: sales.copy()" in bound
    assert "lambda: stores.copy()" in bound
    assert LEFT not in bound


SHEET = Sheet("n,day", ("1,2026-01-01",), ", parse_dates=['day'])")


def test_bound_code_runs_on_the_live_frame_and_leaves_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pandas as pd

    monkeypatch.chdir(tmp_path)  # no such file here: a load call that is left would fail
    code = (
        "import glob\nimport pandas as pd\n"
        'path = next(iter(glob.glob("*input_file_0*")))\n'
        'df = pd.read_csv(path, parse_dates=["day"])\n'
        'df["double"] = df["n"] * 2  # ä\n'
        'total = int(df["double"].sum())\n'
    )
    sales = pd.DataFrame({"n": [1, 2, 3], "day": pd.to_datetime(["2026-01-01"] * 3)})
    namespace: dict[str, Any] = {"sales": sales}
    exec(bind(code, [replace(SALES, columns=(Column("n"), Column("day")), sheet=SHEET)]), namespace)
    assert namespace["total"] == 12
    assert list(sales.columns) == ["n", "day"]


STATEMENTS = [
    'df = pd.read_csv("input_file_0.csv")  # é',
    'x = pd.read_csv("input_file_0.csv", usecols=[0])',
    'p = glob.glob("*input_file_0*")[0]',
    "y = [pd.read_csv(p) for _ in 'äöü']",
    "def f(sales=1):\n    return pd.read_csv('input_file_0.csv').sum()",
    's = """\n%magic\n"""; z = pd.read_csv("input_file_0.csv", nrows=1)',
    "sales['é'] = f'{pd.read_csv(\"input_file_0.csv\")!r:>{3}} ü'",
    "if x: y = pd.read_csv('input_file_0.csv', skiprows=1)",
    "%time pass",
    "sales.sort_values('a', inplace=True)",
]


@given(st.lists(st.sampled_from(STATEMENTS), max_size=6).map("\n".join))
def test_binding_keeps_code_valid_and_comments_where_they_are(code: str) -> None:
    bound = bind(code, [SALES])
    ast.parse(bound.replace("%time", "#time").replace("%magic", "magic"))
    assert bound.count("# é") == code.count("# é")
    assert [line for line in bound.split("\n") if line.lstrip().startswith("%")] == [
        line for line in code.split("\n") if line.lstrip().startswith("%")
    ]


# --- blocks that come along ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        (["import pandas as pd", "x = 1", "pd.DataFrame()"], [0, 2]),
        (["df = load()", "df = df.dropna()", "other = 1", "print(df)"], [0, 1, 3]),
        (["df = {}", 'df["x"] = 1', "print(df)"], [0, 1, 2]),
        (["rows = []", "rows.append(1)", "len(rows)"], [0, 1, 2]),
        (["df = load()", "df.drop(columns='a', inplace=True)", "df"], [0, 1, 2]),
        (["df = load()", "df = other()", "print(df)"], [1, 2]),
        (["def f(): return g()", "def g(): return 1", "f()"], [0, 2]),
        (["g = 1", "def f(): return g", "f()"], [0, 1, 2]),
        (["i = 1", "[i for i in range(3)]"], [1]),
        (["i = [1]", "[i for i in i]"], [0, 1]),
        (["print = 1", "print(2)"], [1]),
        (["x = ]", "y = 1", "x"], [2]),
        (["%matplotlib inline\nx = 1", "x"], [0, 1]),
        (["fig, (a, b) = plots()", "b.draw()"], [0, 1]),
        (["with open(p) as f:\n    t = f.read()", "t"], [0, 1]),
        (["total = 0", "total += 1", "total"], [0, 1, 2]),
    ],
)
def test_earlier_blocks_come_along_by_the_names_that_are_needed(blocks: list[str], expected: list[int]) -> None:
    assert with_needed_blocks(blocks, len(blocks) - 1) == [blocks[n] for n in expected]


def test_later_blocks_never_come_along() -> None:
    assert with_needed_blocks(["print(x)", "x = 1"], 0) == ["print(x)"]


def test_names_in_handlers_and_lambdas() -> None:
    names = names_of("try:\n    a\nexcept E as e:\n    print(e, b)\nk = lambda x=c: x + d\nclass K(B):\n    z = y")
    assert names.needs == {"a", "E", "b", "c", "d", "B", "y"}
    assert {"k", "K"} <= names.binds


def test_a_load_line_that_fits_as_it_stands_is_left_without_a_word() -> None:
    code = "sales = pd.read_csv('data/sales.csv')\nprint(sales)"
    binding = Binding(file="sales.csv", name="sales", expression="pd.read_csv('data/sales.csv')", kind="CSV file")
    assert bind(code, [binding]) == code
