"""Generated code on live data: what is edited, what is left, what comes along; the result is run."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.frontend.binding import Binding, bind, bind_all, with_needed_blocks
from magic_ext.frontend.needed import names_of


class Sent(NamedTuple):
    file: str = "input_file_0.csv"
    name: str = "sales"
    expression: str = "sales"
    rows: int | None = 3412
    rows_sent: int | None = 2000


SALES: Binding = Sent()


def _code(bound: str) -> str:
    return "\n".join(line for line in bound.split("\n") if not line.startswith("# "))


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('df = pd.read_csv("input_file_0.csv")', "df = sales.copy()"),
        ("df = pd.read_csv('/mnt/data/input_file_0.csv', sep=';', encoding='utf-8')", "df = sales.copy()"),
        ('df = pandas.read_csv("input_file_0")', "df = sales.copy()"),
        ('import pandas as p\ndf = p.read_csv("input_file_0.csv")', "import pandas as p\ndf = sales.copy()"),
        ('df = pd.read_csv(next(iter(glob.glob("*input_file_0*"))), parse_dates=["d"])', "df = sales.copy()"),
        ('df = pd.read_csv(sorted(glob.glob("input_file_0.*"))[0])', "df = sales.copy()"),
        ('df = pd.read_csv(Path("input_file_0.csv"), header=0)', "df = sales.copy()"),
        ('df = pl.read_csv("input_file_0.csv", try_parse_dates=True)', "df = sales.clone()"),
        ('df = pl.scan_csv("input_file_0.csv").collect()', "df = sales.lazy().collect()"),
        ('p = "input_file_0.csv"\ndf = pd.read_csv(p)', 'p = "input_file_0.csv"\ndf = sales.copy()'),
        ('p = Path("input_file_0.csv")\ndf = pd.read_csv(p)', 'p = Path("input_file_0.csv")\ndf = sales.copy()'),
        (
            'p = glob.glob("*input_file_0*")[0]\ndf = pd.read_csv(p)',
            "p = 'input_file_0.csv'\ndf = sales.copy()",
        ),
        (
            'sales = pd.read_csv("input_file_0.csv", dtype={"a": "Int64"}).assign(**{"b": lambda d: d["b"]})'
            '.set_index(["d"]).rename_axis(index=["Day"]).dropna()',
            "sales = sales.copy().dropna()",
        ),
        ('df = pd.read_csv("input_file_0.csv").set_index("d")', 'df = sales.copy().set_index("d")'),
        ('größe = "ä"; df = pd.read_csv("input_file_0.csv")  # ü', 'größe = "ä"; df = sales.copy()  # ü'),
        (
            'x = f(\n    pd.read_csv(\n        "input_file_0.csv",  # the data\n    ),\n)',
            "x = f(\n    sales.copy(),\n)",
        ),
        (
            'def load():\n    sales = pd.read_csv("input_file_0.csv")\n    return sales',
            "def load():\n    sales = globals()['sales'].copy()\n    return sales",
        ),
        ('%matplotlib inline\ndf = pd.read_csv("input_file_0.csv")', "%matplotlib inline\ndf = sales.copy()"),
    ],
)
def test_load_calls_become_the_live_data(code: str, expected: str) -> None:
    assert _code(bind(code, [SALES])) == expected


@pytest.mark.parametrize(
    "code",
    [
        'df = pd.read_csv("input_file_0.csv", usecols=["a"])',
        'df = pd.read_csv("input_file_0.csv", nrows=10)',
        'df = pd.read_csv("input_file_0.csv", header=None)',
        'df = pd.read_csv("input_file_0.csv", ",")',
        'df = pd.read_csv("input_file_0.csv", **options)',
        'if True:\n    x = 1; df = pd.read_csv("input_file_0.csv", index_col=0)',
    ],
)
def test_what_is_not_understood_is_left_and_marked(code: str) -> None:
    bound = bind(code, [SALES])
    assert [line for line in bound.split("\n") if not line.strip().startswith("#")] == code.split("\n")
    assert "# Left as it was: it loads what was sent of sales" in bound
    ast.parse(bound)


@pytest.mark.parametrize(
    "code",
    [
        'df = pd.read_csv("other.csv")',
        'df = pd.read_csv("input_file_01.csv")',
        'df = other.read_csv("input_file_0.csv")',
        'with open("input_file_0.csv") as f:\n    n = len(f.read())',
        'name = "input_file_0.csv"\nname = "b.csv"\ndf = pd.read_csv(name)',
        "print(1)",
    ],
)
def test_what_loads_nothing_of_ours_stays_as_it_is(code: str) -> None:
    assert bind(code, [SALES]) == code


def test_comments_say_what_changed_and_on_how_many_rows() -> None:
    bound = bind('df = pd.read_csv("input_file_0.csv")', [SALES])
    assert bound.split("\n")[:-1] == [
        '# Bound to the live data: pd.read_csv("input_file_0.csv") is now sales.copy()',
        "# The answer was computed on 2,000 of 3,412 rows of sales; this code takes all of them.",
    ]
    whole = bind('df = pd.read_csv("input_file_0.csv")', [Sent(rows_sent=3412)])
    assert "# The answer was computed on all 3,412 rows of sales." in whole


def test_a_cell_magic_stays_in_front() -> None:
    assert bind('%%time\ndf = pd.read_csv("input_file_0.csv")', [SALES]).startswith("%%time\n# Bound")


def test_what_is_no_python_is_left() -> None:
    assert bind("x = ]", [SALES]).endswith("\nx = ]")
    assert bind("x = ]", []) == "x = ]"


def test_data_that_the_engine_had_loaded_gets_its_name() -> None:
    train = Sent(file="train.arrow", name="frames_train", expression='frames["train"]', rows=3, rows_sent=3)
    assert _code(bind("print(frames_train)", [train])) == 'frames_train = frames["train"].copy()\nprint(frames_train)'
    assert _code(bind("print(sales)", [Sent(file="")])) == "print(sales)"
    assert _code(bind("sales['x'] = 1", [Sent(file="")])) == "sales = sales.copy()\nsales['x'] = 1"
    records = Sent(file="", name="rows", expression="pd.DataFrame(rows)")
    assert _code(bind("print(rows.a)", [records])) == "rows = pd.DataFrame(rows)\nprint(rows.a)"


def test_a_name_is_given_its_data_once_in_a_row_of_blocks() -> None:
    polars = Sent(file="sales.arrow", expression="sales.to_pandas()")
    first, second = bind_all(["print(sales)", "sales['x'] = 1"], [polars])
    assert _code(first) == "sales = sales.to_pandas()\nprint(sales)"
    assert _code(second) == "sales['x'] = 1"
    loaded, later = bind_all(
        ['sales = pd.read_csv("input_file_0.csv")', "print(sales)"], [polars._replace(file=SALES.file)]
    )
    assert _code(loaded) == "sales = sales.to_pandas()"
    assert _code(later) == "print(sales)"


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
    exec(bind(code, [SALES]), namespace)
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
    binding: Binding = Sent("sales.csv", "sales", "pd.read_csv('data/sales.csv')", None, None)
    assert bind(code, [binding]) == code
