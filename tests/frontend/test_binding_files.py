"""Files of the user's own, and several tables: bound code reads the file here, or tells the tables apart."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from magic_ext.frontend.binding import bind
from magic_ext.references.attach import Local, Remote, prepare
from magic_ext.references.grammar import find_references
from magic_ext.references.policy import parse_policy

LEFT = "# Left as it was"
ROWS = [("Rom", "12,5", "3", "01.02.2026"), ("Bern", "7,25", "11", "15.02.2026"), ("Zürich", "0,5", "8", "03.03.2026")]
GERMAN = "Stadt;Umsatz;Menge;Tag\n" + "".join(f"{';'.join(row)}\n" for row in ROWS)
PLAIN = "city,revenue,units\n" + "".join(f"c{n % 3},{n * 1.5},{n}\n" for n in range(20))
BARE = "".join(f"{n},{n * 1.5},{n % 4}\n" for n in range(20))
FILES = {"data/sales.csv": (PLAIN, "utf-8"), "umsatz.csv": (GERMAN, "cp1252"), "bare.csv": (BARE, "utf-8")}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, (text, encoding) in FILES.items():
        path = tmp_path / "here" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode(encoding))
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"


def bindings(prompt: str, here: Path, policy: str, **session: Any) -> Any:
    return prepare(prompt, find_references(""), session, here, Remote("host"), parse_policy(policy))[0].bindings


def run(code: str, session: dict[str, Any]) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, session)
    out = session["out"]
    return out.to_string() if isinstance(out, pd.DataFrame | pd.Series) else repr(out)


def in_the_sandbox(code: str, bound: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    folder.mkdir()
    for binding in bound:
        (folder / binding.file).write_bytes(binding.sheet.data)
    with monkeypatch.context() as patch:
        patch.chdir(folder)
        return run(code, {})


HEAD = "import csv, glob, io, os\nimport pandas as pd\nimport numpy as np\nfrom pathlib import Path\n"
ONE = [
    "df = LOAD\nout = df.describe(include='all')",
    "df = pd.read_csv('input_file_0.csv')\nout = df",
    "df = pd.read_csv('input_file_0.csv', sep=None, engine='python')\nout = df.shape",
    "df = pd.read_csv('input_file_0.csv', sep=SEP)\nout = df",
    "df = pd.read_csv('input_file_0.csv', sep=SEP, decimal=',')\nout = df",
    "df = pd.read_csv('input_file_0.csv', sep=SEP, nrows=2)\nout = df",
    "df = pd.read_csv('input_file_0.csv', sep=SEP, header=None)\nout = df",
    "df = pd.read_csv('NAME', sep=SEP)\nout = df.shape",
    "with open('input_file_0.csv', encoding='utf-8') as f:\n    out = list(csv.reader(f, delimiter=SEP))",
    "out = Path('input_file_0.csv').read_text(encoding='utf-8').splitlines()",
    "text = open('input_file_0.csv', 'rb').read().decode('utf-8')\nout = text.split()",
    "out = [pd.read_csv(f, sep=SEP).shape for f in glob.glob('*.csv')]",
    "for name in os.listdir():\n    if name.startswith('input'):\n"
    "        out = pd.read_csv(name, sep=SEP).columns.tolist()",
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("reference", ["data/sales.csv", "data/sales.csv[units,city]", "umsatz.csv", "bare.csv"])
@pytest.mark.parametrize("piece", ONE)
def test_a_file_is_read_here(
    piece: str, reference: str, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = bindings(f"@{reference}", here, "full")
    [binding] = whole
    code = HEAD + piece.replace("LOAD", binding.sheet.expression("'input_file_0.csv'"))
    code = code.replace("SEP", repr(";" if "umsatz" in reference else ",")).replace("NAME", f"{binding.name}.csv")
    if "_csv.csv" in code:
        code = code.replace(f"{binding.name}.csv", "input_file_0.csv")
    if f"{binding.name}.csv" in code:
        monkeypatch.setattr("pathlib.Path.write_bytes", _also_as(f"{binding.name}.csv"))
    expected = in_the_sandbox(code, whole, tmp_path / "sandbox", monkeypatch)
    [sent] = bindings(f"@{reference}", here, "head(2)")
    bound = bind(code, [sent])
    if LEFT in bound:
        assert "[" in reference or "bare" in reference, bound
        assert "no counterpart" in bound
        return
    assert run(bound, {}) == expected, bound


def _also_as(name: str) -> Any:
    write = Path.write_bytes

    def both(path: Path, data: bytes) -> int:
        write(path.with_name(name), data)
        return write(path, data)

    return both


TWO = [
    "a = pd.read_csv('input_file_0.csv')\nb = pd.read_csv('input_file_1.csv')\n"
    "out = a.merge(b, on='city')['goal'].sum()",
    "frames = [pd.read_csv(f) for f in sorted(glob.glob('*.csv'))]\nout = [f.shape for f in frames]",
    "frames = {f: pd.read_csv(f) for f in sorted(glob.glob('input_file_*.csv'))}\nout = frames['input_file_1.csv']",
    "frames = {}\nfor name in sorted(os.listdir('.')):\n    frames[name] = pd.read_csv(name)\n"
    "out = {name: list(frame.columns) for name, frame in frames.items()}",
    "files = {'sales': 'input_file_0.csv', 'goals': 'input_file_1.csv'}\n"
    "frames = {name: pd.read_csv(path) for name, path in files.items()}\nout = frames['goals']['goal'].max()",
    "out = [pd.read_csv(f'input_file_{i}.csv').shape for i in range(2)]",
    "out = [pd.read_csv('input_file_' + str(i) + '.csv').shape for i in range(2)]",
    "def load(path):\n    return pd.read_csv(path)\n"
    "out = load('input_file_0.csv').shape, load('input_file_1.csv').shape",
    "first, second = sorted(glob.glob('*.csv'))\nout = first, second",
    "paths = sorted(Path('.').glob('*.csv'))\nout = [(p.name, pd.read_csv(p).shape) for p in paths]",
    "paths = sorted(glob.glob('*.csv'))\nout = pd.read_csv(paths[1])['goal'].sum(), pd.read_csv(paths[-1]).shape",
    "for i, path in enumerate(sorted(glob.glob('*.csv'))):\n    with open(path) as f:\n        out = (i, f.readline())",
    "out = sum(len(list(csv.reader(open(p)))) for p in ('input_file_0.csv', 'input_file_1.csv'))",
    "sales = pd.read_csv('input_file_0.csv')\nsales = sales.merge(pd.read_csv('input_file_1.csv'), on='city')\n"
    "out = sales['goal'].sum(), f\"{len(sales):,} rows\"",
    "names = ['sales', 'goals']\nfor name, f in zip(names, sorted(glob.glob('*.csv'))):\n"
    "    globals()[name + '_df'] = pd.read_csv(f)\nout = goals_df.shape",
    "one, two = 'input_file_0.csv', 'input_file_1.csv'\nout = pd.read_csv(two).shape, pd.read_csv(one).shape",
    "def f(f):\n    return pd.read_csv(f)\nout = [f(p).shape for p in ('input_file_0.csv', 'input_file_1.csv')]",
    "files = ['input_file_0.csv', 'input_file_0.csv', 'input_file_1.csv']\nout = pd.read_csv(files[1]).shape",
    "files = sorted(f for f in os.listdir() if f.endswith('_1.csv'))\nout = pd.read_csv(files[0]).shape",
    "files = sorted(glob.glob('*.csv'))\nfiles.reverse()\nout = pd.read_csv(files[0]).shape",
    "files = sorted(glob.glob('*.csv'), reverse=True)\nout = pd.read_csv(files[0]).shape",
    "files = sorted(glob.glob('*.csv'))[1:]\nout = pd.read_csv(files[0]).shape",
    "newest = max(glob.glob('*.csv'), key=len)\nout = len(newest) > 3 and pd.read_csv(max(glob.glob('*.csv'))).shape",
    "a, b = pd.read_csv('input_file_0.csv'), pd.read_csv('input_file_1.csv')\nout = a.shape, b.shape",
    "goals = pd.read_csv('input_file_1.csv').set_index('city')['goal']\ndf = pd.read_csv('input_file_0.csv')\n"
    "out = df['city'].map(goals).tolist()",
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("dated", [False, True], ids=["plain", "dated"])
@pytest.mark.parametrize("piece", TWO)
def test_two_tables_are_told_apart(
    piece: str, dated: bool, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sales = pd.DataFrame({"city": ["Rome", "Oslo", "Bern"] * 4, "units": range(12)})
    goals = pd.DataFrame({"city": ["Rome", "Oslo", "Bern"], "goal": [10, 20, 30]})
    if dated:
        goals["day"] = pd.date_range("2026-01-01", periods=3)
    before = sales.copy(), goals.copy()
    session = {"sales": sales, "goals": goals}
    whole = bindings("@sales @goals", here, "full", **session)
    expected = in_the_sandbox(HEAD + piece, whole, tmp_path / "sandbox", monkeypatch)
    bound = bind(HEAD + piece, bindings("@sales @goals", here, "head(2)", **session))
    assert LEFT not in bound, bound
    for _ in range(2):
        assert run(bound, session) == expected, bound
        assert sales.equals(before[0])
        assert goals.equals(before[1])
        assert session["sales"].equals(before[0]), bound
        assert session["goals"].equals(before[1]), bound


GERMAN, ELSEWHERE = "umsatz.csv", ["data/sales.csv", "../elsewhere/sales.csv"]  # the German one is no UTF-8
LOCAL = [
    ("df = LOAD\nout = df.shape", [GERMAN, *ELSEWHERE]),
    ("df = pd.read_csv('PLACE', sep=SEP)\nout = df.shape", ELSEWHERE),
    ("with open('PLACE', encoding=ENCODING) as f:\n    out = f.readline()", [GERMAN, *ELSEWHERE]),
    ("out = [pd.read_csv(f, sep=SEP, encoding=ENCODING).shape for f in glob.glob('*.csv')]", [GERMAN]),
    (
        "sales = pd.read_csv('PLACE', sep=SEP, encoding=ENCODING)\nsales['x'] = 1\nout = sales.shape",
        [GERMAN, *ELSEWHERE],
    ),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("piece", "reference"), [(piece, file) for piece, files in LOCAL for file in files])
def test_code_that_ran_on_this_computer_reads_the_same_file(
    piece: str, reference: str, here: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "sales.csv").write_text(PLAIN)
    german = reference == GERMAN
    prepared, _ = prepare(f"@{reference}", (), {}, here, Local(tmp_path), parse_policy("full"))
    [document] = prepared.contents
    place = str(getattr(document, "name", ""))
    code = HEAD + piece.replace("LOAD", str(getattr(document, "load", "")).partition(" = ")[2]).replace("PLACE", place)
    code = code.replace("SEP", repr(";" if german else ",")).replace("ENCODING", repr("cp1252" if german else "utf-8"))
    kernel = tmp_path / "kernel"
    (kernel / place).parent.mkdir(parents=True)
    (kernel / place).write_bytes((here / reference).read_bytes())
    with monkeypatch.context() as patch:
        patch.chdir(kernel)
        expected = run(code, {})
    bound = bind(code, prepared.bindings)
    assert LEFT not in bound, bound
    assert run(bound, {}) == expected, bound
