"""Code as Gemini writes it: what it gives on the sent file, the bound code gives on the live data.

Each piece runs twice: as it is, in a folder with the file that would be sent of all rows, as in the sandbox; and bound,
in a folder without any file, in a session with the live object. Only the head of the table was sent when it was bound.
"""

from __future__ import annotations

import contextlib
import decimal
import io
import itertools
import sqlite3
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from magic_ext.frontend.binding import bind
from magic_ext.references.attach import Remote, prepare
from magic_ext.references.policy import parse_policy

N = 40
LEFT = "# Left as it was"


def plain() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "city": rng.choice(["Rome", "Oslo", "Bern, CH"], N),
            "revenue": rng.normal(100, 20, N).round(2),
            "units": rng.integers(1, 90, N),
        }
    )


def typed() -> pd.DataFrame:
    frame = plain().assign(date=pd.date_range("2026-01-01", periods=N, freq="D"), zip=[f"0{n:04d}" for n in range(N)])
    frame["kind"] = pd.Categorical(["a", "b"] * (N // 2))
    frame.loc[3, "revenue"] = np.nan
    return frame


def indexed() -> pd.DataFrame:
    return typed().set_index("date")


def zoned() -> pd.DataFrame:
    frame = plain().assign(when=pd.date_range("2026-03-28", periods=N, freq="h", tz="Europe/Rome"))
    frame["price"] = [decimal.Decimal(n) / 4 for n in range(N)]
    frame["tags"] = [["a", n] for n in range(N)]
    frame["date"] = [date(2026, 1, 1 + n % 28) for n in range(N)]
    return frame


def filtered() -> pd.DataFrame:
    return plain().iloc[::2]


FRAMES: dict[str, Callable[[], Any]] = {
    "plain": plain,
    "typed": typed,
    "indexed": indexed,
    "filtered": filtered,
    "zoned": zoned,
    "polars": lambda: pl.from_pandas(plain()),
    "lazy": lambda: pl.from_pandas(plain()).lazy(),
    "arrow": lambda: pa.Table.from_pandas(plain()),
    "records": lambda: plain().to_dict("records"),
}
HEAD = "import decimal, json\nimport pandas as pd\nimport numpy as np\n"
# Every piece leaves its result in ``out``. "LOAD" is the load line that was given to the model.
PANDAS = [
    "sales = LOAD\nout = sales.groupby('city')['revenue'].sum()",
    "df = LOAD\ndf = df.reset_index()\nout = (df.shape, df['units'].sum())",
    "df = pd.read_csv('input_file_0.csv')\nout = df.groupby('city')['revenue'].mean()",
    "df = pd.read_csv('input_file_0.csv')\nprint(df.dtypes)\nprint(df.head())\nout = df.describe()",
    "df = pd.read_csv('input_file_0.csv')\nout = list(df.columns), df.shape, df.dtypes.astype(str).tolist()",
    "df = pd.read_csv('/mnt/data/input_file_0.csv')\nout = df['revenue'].sum()",
    "df = pd.read_csv('./input_file_0.csv', encoding='utf-8', low_memory=False)\nout = df['revenue'].sum()",
    "df = pd.read_csv('sales.csv')\nout = df['units'].max()",
    "df = pd.read_csv(filepath_or_buffer='input_file_0.csv')\nout = df['units'].max()",
    "df = pd.read_csv('input_file_0.csv', sep=',', header=0)\nout = df['units'].max()",
    "df = pd.read_csv('input_file_0.csv', usecols=['revenue', 'city'])\nout = df",
    "df = pd.read_csv('input_file_0.csv', usecols=['revenue'])['revenue']\nout = df.sum()",
    "df = pd.read_csv('input_file_0.csv', usecols=lambda c: c != 'units')\nout = df.shape",
    "df = pd.read_csv('input_file_0.csv', dtype={'units': float})\nout = df['units'].head(3).tolist()",
    "df = pd.read_csv('input_file_0.csv', dtype=str)\nout = (df['units'] + '!').tolist()",
    "df = pd.read_csv('input_file_0.csv', index_col='city')\nout = df.loc['Rome', 'revenue'].sum()",
    "df = pd.read_csv('input_file_0.csv', index_col=0)\nout = (df.index.name, df.shape)",
    "df = pd.read_csv('input_file_0.csv', index_col=0, parse_dates=True)\nout = (df.index.dtype.kind, df.shape)",
    "df = pd.read_csv('input_file_0.csv', nrows=5)\nout = df",
    "df = pd.read_csv('input_file_0.csv', skiprows=[1, 2])\nout = df.shape, df['units'].sum()",
    "df = pd.read_csv('input_file_0.csv', skiprows=1, header=None)\nout = df.shape",
    "df = pd.read_csv('input_file_0.csv', names=list('abcdefgh')[:LEN], skiprows=1)\nout = df.iloc[:, :3]",
    "df = pd.read_csv('input_file_0.csv', na_values=['Rome'])\nout = df['city'].isna().sum()",
    "df = pd.read_csv('input_file_0.csv', engine='python')\nout = df['units'].sum()",
    "df = pd.read_csv('input_file_0.csv', sep=None, engine='python')\nout = df['units'].sum()",
    "df = pd.read_csv('input_file_0.csv', sep=None, engine='python', on_bad_lines='skip')\nout = df['units'].sum()",
    "df = pd.read_csv('input_file_0.csv', converters={'units': lambda t: int(t) * 2})\nout = df['units'].sum()",
    "out = 0\nfor chunk in pd.read_csv('input_file_0.csv', chunksize=7):\n    out += chunk['units'].sum()",
    "with pd.read_csv('input_file_0.csv', chunksize=7) as reader:\n    out = sum(len(part) for part in reader)",
    "df = pd.read_csv('input_file_0.csv').dropna().sort_values('revenue')\nout = df['revenue'].tolist()",
    "out = pd.read_csv('input_file_0.csv').query('units > 40').shape",
    "from pandas import read_csv\ndf = read_csv('input_file_0.csv')\nout = df['units'].sum()",
    "import pandas\ndf = pandas.read_csv('input_file_0.csv')\nout = df['units'].sum()",
    "df = pd.read_table('input_file_0.csv', sep=',')\nout = df['units'].sum()",
    "path = 'input_file_0.csv'\ndf = pd.read_csv(path)\nout = df['units'].sum()",
    "DATA = '/mnt/data/'\ndf = pd.read_csv(DATA + 'input_file_0.csv')\nout = df['units'].sum()",
    "import os\ndf = pd.read_csv(os.path.join('.', 'input_file_0.csv'))\nout = df['units'].sum()",
    "from pathlib import Path\ndf = pd.read_csv(Path('.') / 'input_file_0.csv')\nout = df['units'].sum()",
    "from pathlib import Path\ndf = pd.read_csv(Path('input_file_0.csv'))\nout = df['units'].sum()",
    "import glob\nf = glob.glob('*.csv')[0]\ndf = pd.read_csv(f)\nout = df['units'].sum()",
    "import glob\nfor f in glob.glob('*.csv'):\n    df = pd.read_csv(f)\n    out = (f, df['units'].sum())",
    "import glob\nout = pd.concat([pd.read_csv(f) for f in glob.glob('*.csv')]).shape",
    "import glob\nout = pd.concat(map(pd.read_csv, glob.glob('*.csv'))).shape",
    "import glob\ndf = pd.read_csv(sorted(glob.glob('*input_file_0*'))[0])\nout = df['units'].sum()",
    "from glob import glob\ndf = pd.read_csv(glob('input_file_*')[0])\nout = df['units'].sum()",
    "import os\nfiles = [f for f in os.listdir('.') if f.endswith('.csv')]\ndf = pd.read_csv(files[0])\nout = df.shape",
    "import os\nfor name in os.listdir('.'):\n    if name.endswith('.csv'):\n        out = pd.read_csv(name).shape",
    "from pathlib import Path\nout = [pd.read_csv(p).shape for p in Path('.').glob('*.csv')]",
    "from pathlib import Path\nout = [pd.read_csv(p).shape for p in sorted(Path('.').iterdir()) if p.suffix == '.csv']",
    "import os\nout = None\nif os.path.exists('input_file_0.csv'):\n    out = pd.read_csv('input_file_0.csv').shape",
    "from pathlib import Path\np = Path('input_file_0.csv')\nout = pd.read_csv(p).shape if p.exists() else None",
    "try:\n    df = pd.read_csv('input_file_0.csv')\nexcept FileNotFoundError:\n    df = None\nout = df.shape",
    "try:\n    df = pd.read_csv('data.csv')\nexcept OSError:\n    df = pd.read_csv('input_file_0.csv')\nout = df.shape",
    "def load():\n    return pd.read_csv('input_file_0.csv')\nout = load()['units'].sum()",
    "def load(path):\n    df = pd.read_csv(path)\n    return df\nout = load('input_file_0.csv')['units'].sum()",
    "def load(path='input_file_0.csv'):\n    return pd.read_csv(path)\nout = load()['units'].sum()",
    "def total():\n    sales = pd.read_csv('input_file_0.csv')\n    sales['units'] *= 2\n"
    "    return sales['units'].sum()\nout = total()",
    "class Report:\n    def __init__(self, path):\n        self.df = pd.read_csv(path)\n"
    "out = Report('input_file_0.csv').df.shape",
    "class Report:\n    def __init__(self, path):\n        self.path = path\n    def load(self):\n"
    "        return pd.read_csv(self.path)\nout = Report(path='input_file_0.csv').load().shape",
    "class Report:\n    def read(self, path):\n        return pd.read_csv(path)\n"
    "out = Report().read('input_file_0.csv').shape",
    "sales = pd.read_csv('input_file_0.csv')\nsales['double'] = sales['units'] * 2\nout = sales['double'].sum()",
    "sales = pd.read_csv('input_file_0.csv')\nsales = sales[sales['units'] > 40]\n"
    "whole = pd.read_csv('input_file_0.csv')\nout = len(sales), len(whole)",
    "a = pd.read_csv('input_file_0.csv')\na['units'] = 0\nb = pd.read_csv('input_file_0.csv')\nout = b['units'].sum()",
    "df = pd.read_csv('input_file_0.csv')\ndf.drop(columns='city', inplace=True)\nout = df.shape",
    "df = pd.read_csv('input_file_0.csv')\nview = df['units']\nview.iloc[0] = 1000\nout = view.sum()",
    "df = pd.read_csv('input_file_0.csv')\narr = df['units'].to_numpy(copy=True)\narr.sort()\nout = arr.tolist()",
    "df = pd.read_csv('input_file_0.csv')\ndf.columns = [c.upper() for c in df.columns]\nout = list(df.columns)",
    "sales = pd.read_csv('input_file_0.csv')\nprint(f\"Total: {sales['units'].sum():,.0f}\")\n"
    "sales['x'] = 1\nout = f\"{sales['x'].sum()} of {len(sales)}\"",
    "df = pd.read_csv('input_file_0.csv')\ndel df['city']\nout = df.shape",
    "import os\npath = None\nfor f in os.listdir('.'):\n    if f.endswith('.csv'):\n        path = f\n        break\n"
    "out = pd.read_csv(path).shape",
    "import glob\ndef find():\n    files = glob.glob('*.csv')\n    return files[0] if files else None\n"
    "out = pd.read_csv(find()).shape",
    "import os\nfor p in ['data.csv', '/mnt/data/nowhere.csv', 'input_file_0.csv']:\n    if os.path.exists(p):\n"
    "        df = pd.read_csv(p)\n        break\nout = df.shape",
    "for p in ('data.csv', 'input_file_0.csv'):\n    try:\n        df = pd.read_csv(p)\n        break\n"
    "    except FileNotFoundError:\n        continue\nout = df.shape",
    "import os\nfiles = list(filter(lambda f: f.endswith('.csv'), os.listdir()))\nout = pd.read_csv(files[0]).shape",
    "out = pd.read_csv('input_file_{}.csv'.format(0)).shape",
    "out = pd.read_csv('input_file_%d.csv' % 0).shape",
    "import io\ntext = open('input_file_0.csv').read()\nout = pd.read_csv(io.StringIO(text)).shape",
    "import csv\nout = pd.DataFrame(list(csv.DictReader(open('input_file_0.csv')))).shape",
    "out = [len(line) for line in open('input_file_0.csv')][:2]",
    "df = pd.read_csv('input_file_0.csv', index_col=False)\nout = df.shape",
    "def read_csv(path):\n    return pd.read_csv(path)\nout = read_csv('input_file_0.csv').shape",
    "df: pd.DataFrame = pd.read_csv('input_file_0.csv')\nout = df.shape",
    "import os\nif 'input_file_0.csv' in os.listdir():\n    out = pd.read_csv('input_file_0.csv').shape",
    "from pathlib import Path\nimport glob\nout = {Path(f).stem: pd.read_csv(f).shape for f in glob.glob('*.csv')}",
    "with open('input_file_0.csv') as f:\n    df = pd.read_csv(f)\nout = df['units'].sum()",
    "import io\nwith open('input_file_0.csv', 'rb') as f:\n    df = pd.read_csv(io.BytesIO(f.read()))\nout = df.shape",
]
TEXT = [
    "import csv\nwith open('input_file_0.csv') as f:\n    rows = list(csv.reader(f))\nout = rows[0], len(rows)",
    "import csv\nwith open('input_file_0.csv', newline='', encoding='utf-8') as f:\n"
    "    out = sum(float(r['revenue'] or 0) for r in csv.DictReader(f))",
    "import csv\nrows = list(csv.DictReader(open('input_file_0.csv')))\nout = max(int(r['units']) for r in rows)",
    "with open('input_file_0.csv', 'r') as f:\n    lines = f.read().splitlines()\nout = len(lines), lines[0]",
    "with open('input_file_0.csv') as f:\n    header = next(f).strip().split(',')\n    n = sum(1 for line in f)\n"
    "out = header, n",
    "from pathlib import Path\ntext = Path('input_file_0.csv').read_text()\nout = len(text.strip().split('\\n'))",
    "from pathlib import Path\nout = Path('input_file_0.csv').read_bytes()[:20]",
    "from pathlib import Path\nwith Path('input_file_0.csv').open() as f:\n    out = f.readline()",
    "import io\nf = io.open('input_file_0.csv', encoding='utf-8')\nout = len(f.readlines())",
    "def parse(path):\n    with open(path) as f:\n        return [line.split(',')[0] for line in f][1:]\n"
    "out = parse('input_file_0.csv')[:3]",
    "data = np.genfromtxt('input_file_0.csv', delimiter=',', skip_header=1, usecols=(USECOL,))\nout = np.nansum(data)",
    "data = np.loadtxt('input_file_0.csv', delimiter=',', skiprows=1, usecols=(USECOL,), quotechar='\"')\n"
    "out = data.sum(), data.shape",
]
POLARS = [
    "import polars as pl\ndf = pl.read_csv('input_file_0.csv')\nout = df['units'].sum(), type(df).__name__",
    "import polars as pl\ndf = pl.scan_csv('input_file_0.csv')\n"
    "out = df.select(pl.col('units').sum()).collect().item()",
    "import polars as pl\ndf = pl.read_csv('input_file_0.csv', columns=['units'])\nout = df.columns",
    "import polars as pl\ndf = pl.read_csv('input_file_0.csv', try_parse_dates=True)\n"
    "out = [str(t) for t in df.dtypes]",
    "from polars import read_csv\nout = read_csv('input_file_0.csv').shape",
    "import polars as pl\ndf = pl.read_csv('input_file_0.csv')\nout = [str(t) for t in df.dtypes]",
]
ARROW = ["from pyarrow import csv\ntable = csv.read_csv('input_file_0.csv')\nout = table.num_rows, table.column_names"]


def _attached(live: Any, policy: str, tmp_path: Path) -> Any:
    prepared, _ = prepare("@sales", (), {"sales": live}, tmp_path, Remote("host"), parse_policy(policy))
    return prepared


def _run(code: str, folder: Path, monkeypatch: pytest.MonkeyPatch, session: dict[str, Any]) -> Any:
    folder.mkdir(exist_ok=True)
    monkeypatch.chdir(folder)
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, session)
    out = session["out"]
    if isinstance(out, pd.DataFrame | pd.Series):
        out = out.to_string()
    return repr(out), printed.getvalue()


def _same(live: Any, before: Any) -> bool:
    match live:
        case pd.DataFrame():
            return live.equals(before) and live.columns.equals(before.columns) and live.index.equals(before.index)
        case pl.LazyFrame():
            return live.collect().equals(before.collect())
        case _:
            return bool(live.equals(before)) if hasattr(live, "equals") else live == before


@pytest.mark.filterwarnings("ignore")  # of pandas, about what models write
@pytest.mark.parametrize(
    ("number", "kind"), list(itertools.product(range(len(PANDAS + TEXT + POLARS + ARROW)), FRAMES))
)
def test_bound_code_gives_what_the_sent_file_gave(
    number: int, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = FRAMES[kind]()
    whole = _attached(live, "full", tmp_path)
    [binding] = whole.bindings
    code = HEAD + (PANDAS + TEXT + POLARS + ARROW)[number]
    header = binding.sheet.header.split(",")
    load = binding.sheet.expression("'input_file_0.csv'")
    code = code.replace("LOAD", load).replace("LEN", str(len(header))).replace("USECOL", str(header.index("units")))
    sandbox = tmp_path / "sandbox"
    sandbox.mkdir()
    for name in ("input_file_0.csv", *(["sales.csv"] if "'sales.csv'" in code else [])):
        (sandbox / name).write_bytes(binding.sheet.data)
    try:
        expected = _run(code.replace("/mnt/data/", "./"), sandbox, monkeypatch, {})
    except Exception as error:  # such code failed in the sandbox too, and is never pasted
        pytest.skip(f"fails as it is: {error}")
    [sent] = _attached(live, "head(7)", tmp_path).bindings
    bound = bind(code, [sent])
    before = FRAMES[kind]()
    if LEFT in bound:
        pytest.fail(bound)
    session = {"sales": live}
    for _ in range(2):  # a cell is run again
        assert _run(bound, tmp_path / "here", monkeypatch, session) == expected, bound
        assert _same(live, before), bound
        assert _same(session["sales"], before), bound


CHANGING = [
    "df = pd.read_csv('input_file_0.csv')\ndf.iloc[0, 0] = df.iloc[1, 0]\ndf.iloc[:, -1] = 0\nout = df.shape",
    "df = LOAD\ndf.iloc[0, 0] = df.iloc[1, 0]\ndf.iloc[:, -1] = 0\nout = df.shape",
    "df = LOAD\nvalues = np.array(df.iloc[:, -1])\nvalues[:] = values[::-1].copy()\nout = values.tolist()",
    "df = LOAD\ndf.sort_values(df.columns[-1], inplace=True)\ndf.drop(df.index[0], inplace=True)\nout = df.shape",
    "df = LOAD\ndf.insert(0, 'new', 1)\ndf.columns = df.columns.astype(str).str.upper()\nout = list(df.columns)",
    "live = LOAD\nlive.iloc[0, -1] = live.iloc[1, -1]\nlive.rename(columns=str.upper, inplace=True)\nout = live.shape",
]
OBJECTS: dict[str, Callable[[], Any]] = {
    "series": lambda: plain()["revenue"],
    "unnamed series": lambda: pd.Series([1.5, 2.5, 4.0]),
    "index": lambda: pd.Index([3, 1, 2], name="n"),
    "columns": lambda: plain()[["units", "revenue"]],
    "vector": lambda: np.array([1.0, 2.0, 5.0]),
    "matrix": lambda: np.arange(12.0).reshape(4, 3),
    "records": lambda: plain().to_dict("records"),
    "polars series": lambda: pl.Series("n", [1.0, 2.0, 4.0]),
    "polars": lambda: pl.DataFrame({"a": ["x", "y"], "n": [1.0, 2.0]}),
    "chunked": lambda: pa.chunked_array([[1.0, 2.0], [3.0]]),
    "batch": lambda: pa.RecordBatch.from_pydict({"a": ["x", "y"], "n": [1.0, 2.0]}),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", OBJECTS)
@pytest.mark.parametrize("piece", CHANGING)
def test_whatever_the_code_does_the_users_object_stays(
    piece: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = OBJECTS[kind]()
    prepared, _ = prepare("@live", (), {"live": live}, tmp_path, Remote("host"), parse_policy("full"))
    [binding] = prepared.bindings
    code = HEAD + piece.replace("LOAD", binding.sheet.expression("'input_file_0.csv'"))
    (tmp_path / "input_file_0.csv").write_bytes(binding.sheet.data)
    expected = _run(code, tmp_path, monkeypatch, {})
    (tmp_path / "input_file_0.csv").unlink()
    bound = bind(code, prepared.bindings)
    assert LEFT not in bound
    session = {"live": live}
    for _ in range(2):
        assert _run(bound, tmp_path, monkeypatch, session) == expected, bound
        assert session["live"] is live, bound
        assert _text(live) == _text(OBJECTS[kind]()), bound


def _text(value: Any) -> str:
    return value.to_string() if hasattr(value, "to_string") else repr(value)


def _duckdb(frame: pd.DataFrame) -> Any:
    return pytest.importorskip("duckdb").from_df(frame)


def _dask(frame: pd.DataFrame) -> Any:
    return pytest.importorskip("dask.dataframe").from_pandas(frame, npartitions=3)


def _ibis(frame: pd.DataFrame) -> Any:
    return pytest.importorskip("ibis").memtable(frame)


ELSEWHERE: dict[str, tuple[Callable[[pd.DataFrame], Any], str]] = {
    "duckdb": (_duckdb, "sales.df()"),
    "dask": (_dask, "sales.compute()"),
    "ibis": (_ibis, "sales.to_pandas()"),
    "polars": (lambda frame: pl.from_pandas(frame).lazy(), "sales.collect().to_pandas()"),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ELSEWHERE)
@pytest.mark.parametrize(
    "piece",
    [
        "df = pd.read_csv('input_file_0.csv')\nout = df['units'].sum(), len(df)",
        "sales = pd.read_csv('input_file_0.csv')\nsales['x'] = 1\nout = sales.shape",
        "import polars as pl\nout = pl.read_csv('input_file_0.csv')['units'].sum()",
        "import csv\nout = len(list(csv.DictReader(open('input_file_0.csv'))))",
    ],
)
def test_what_lies_elsewhere_is_brought_here_in_so_many_words(
    piece: str, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, source = ELSEWHERE[kind]
    live = make(plain())
    (tmp_path / "input_file_0.csv").write_bytes(plain().to_csv(index=False).encode())
    expected = _run(HEAD + piece, tmp_path, monkeypatch, {})
    (tmp_path / "input_file_0.csv").unlink()
    [sent] = _attached(live, "head(3)", tmp_path).bindings
    bound = bind(HEAD + piece, [sent])
    session = {"sales": live}
    assert _run(bound, tmp_path, monkeypatch, session) == expected, bound
    assert session["sales"] is live
    assert source in bound or source.removesuffix(".to_pandas()") in bound
    if source in bound:
        assert f"# {source} brings all of it into memory: " in bound


def test_a_table_of_a_database_is_read_by_its_query(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(":memory:")
    plain().to_sql("sales", connection, index=False)
    prepared, _ = prepare("@store.sales", (), {"store": connection}, tmp_path, Remote("host"), parse_policy("head(3)"))
    bound = bind(HEAD + "df = pd.read_csv('input_file_0.csv')\nout = len(df)", prepared.bindings)
    assert _run(bound, tmp_path, monkeypatch, {"store": connection})[0] == str(N)
    assert "brings all of it into memory" in bound
    connection.close()
