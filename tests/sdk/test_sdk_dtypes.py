"""Types survive the trip to a remote model: random frames go out over HTTP, and code loads them by their load lines.

The model is a script: its code runs the load lines that were sent and prints what it saw, which must be what was there.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from magic_ext.client.endpoint import Endpoint, Secret
from magic_ext.client.interactions import Client
from magic_ext.references.attach import Remote, prepare
from magic_ext.wire.content import Document, Text
from magic_ext.wire.request import Request, encode_request
from magic_ext.wire.steps import CodeExecutionResult

SEEN = r'''
def seen(frame):
    """Types without their units, and every cell by its type and value."""
    import re

    import pandas as pd

    def cell(value):
        if value is None or value is pd.NaT or value is pd.NA or value != value:
            return None
        if isinstance(value, pd.Timestamp):
            return [value.isoformat(), str(value.tz)]
        if isinstance(value, pd.Timedelta):
            return str(value.as_unit("ns"))
        return repr(value.item() if type(value).__module__ == "numpy" else value)

    columns = {name: [cell(value) for value in frame[name].array] for name in frame.columns}
    dtypes = {}
    for name, dtype in frame.dtypes.items():
        text = re.sub(r"\[(ns|us|ms|s)", "[", str(dtype))
        if text == "category":
            text = repr((dtype.categories.tolist(), dtype.ordered))
        dtypes[name] = "text" if text in ("object", "str", "string") else text
    return {"columns": columns, "dtypes": dtypes, "index": [cell(value) for value in frame.index]}
'''
SCOPE: dict[str, Any] = {}
exec(SEEN, SCOPE)
NAMES = ("a", "unit price", "NA", "datetime", "ä,\"'")
CODE = f"""
import json
{SEEN}
exec(open("loads.py").read())
frames = {{name: value for name, value in globals().items() if hasattr(value, "dtypes")}}
print(json.dumps({{name: seen(frame) for name, frame in frames.items()}}))
"""


class Kind(NamedTuple):
    """What a column may hold: how a library is given it, and the type that code must see of it.

    ``nullable`` is the type where cells are missing, ``""`` where the library's type has no missing ones; ``as_seen``
    makes the value that code sees.
    """

    cells: st.SearchStrategy[Any]
    made: Callable[[list[Any]], Any]
    dtype: str
    nullable: str = ""
    as_seen: Callable[[Any], Any] = lambda cell: cell


def in_pandas(cells: st.SearchStrategy[Any], dtype: Any, seen: str, **more: Any) -> Kind:
    return Kind(cells, lambda values: pd.Series(values, dtype=dtype), seen, **({"nullable": seen} | more))


def in_polars(cells: st.SearchStrategy[Any], dtype: Any, seen: str, **more: Any) -> Kind:
    return Kind(cells, lambda values: pl.Series(values, dtype=dtype), seen, **({"nullable": seen} | more))


def integers(bits: int, unsigned: bool) -> st.SearchStrategy[int]:
    return st.integers(0, 2**bits - 1) if unsigned else st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["NA", "", "1", "007", "1.50", "nan", "True", "1e5", "2024-01-01", '"', ",", "\r\n", "'", "None", " x "]
)
STAMPS = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2250, 1, 1))
DAYS = st.dates(dt.date(1700, 1, 1), dt.date(2250, 1, 1))
AWARE = st.datetimes(dt.datetime(1950, 1, 1), dt.datetime(2037, 1, 1), timezones=st.just(dt.UTC))
SPANS = st.timedeltas(dt.timedelta(-1000), dt.timedelta(1000))
TIMES = st.times().map(lambda time: time.replace(fold=0))
DECIMALS = st.decimals(-(10**9), 10**9, places=2)
FLOATS, SHORT_FLOATS = st.floats(allow_nan=False), st.floats(allow_nan=False, width=32)
LEVELS = ["small", "medium", "large", "NA", "1"]
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
WIDTHS = {f"{'U' * unsigned}Int{bits}": integers(bits, unsigned) for bits in (8, 16, 32, 64) for unsigned in (0, 1)}
STAMP, SPAN, SHORT = {"as_seen": pd.Timestamp}, {"as_seen": pd.Timedelta}, {"as_seen": np.float32}


def zoned(zone: str) -> dict[str, Callable[[Any], Any]]:
    return {"as_seen": lambda cell: pd.Timestamp(cell).tz_convert(zone)}


PANDAS = [
    *(in_pandas(cells, name.lower(), name.lower(), nullable="") for name, cells in WIDTHS.items()),
    *(in_pandas(cells, name, name) for name, cells in WIDTHS.items()),
    in_pandas(st.integers(2**64, 2**80), object, "text"),
    in_pandas(FLOATS, "float64", "float64"),
    in_pandas(SHORT_FLOATS, "float32", "float32", **SHORT),
    in_pandas(FLOATS, "Float64", "Float64"),
    in_pandas(st.booleans(), "bool", "bool", nullable=""),
    in_pandas(st.booleans(), "boolean", "boolean"),
    in_pandas(TEXTS, "str", "text"),
    in_pandas(TEXTS, "string", "text"),
    in_pandas(STAMPS, "datetime64[us]", "datetime64[]", **STAMP),
    in_pandas(DAYS, "datetime64[us]", "datetime64[]", **STAMP),
    *(in_pandas(AWARE, f"datetime64[us, {zone}]", f"datetime64[, {zone}]", **zoned(zone)) for zone in ZONES),
    in_pandas(SPANS, "timedelta64[us]", "timedelta64[]", **SPAN),
    in_pandas(DECIMALS, object, "text"),
    in_pandas(st.dates(), object, "text"),
    in_pandas(TIMES, object, "text"),
    in_pandas(st.sampled_from(LEVELS), pd.CategoricalDtype(LEVELS, ordered=True), repr((LEVELS, True))),
    in_pandas(st.sampled_from(LEVELS), pd.CategoricalDtype(LEVELS), repr((LEVELS, False))),
    in_pandas(st.sampled_from([3, 1]), pd.CategoricalDtype([3, 1, 2], ordered=True), repr(([3, 1, 2], True))),
]
POLARS = [
    *(in_polars(cells, getattr(pl, name), name.lower(), nullable=name) for name, cells in WIDTHS.items()),
    in_polars(FLOATS, pl.Float64, "float64"),
    in_polars(SHORT_FLOATS, pl.Float32, "float32", **SHORT),
    in_polars(st.booleans(), pl.Boolean, "bool", nullable="boolean"),
    in_polars(TEXTS, pl.String, "text"),
    in_polars(STAMPS, pl.Datetime("us"), "datetime64[]", **STAMP),
    *(in_polars(AWARE, pl.Datetime("us", zone), f"datetime64[, {zone}]", **zoned(zone)) for zone in ZONES),
    in_polars(DAYS, pl.Date, "datetime64[]", **STAMP),
    in_polars(SPANS, pl.Duration("us"), "timedelta64[]", **SPAN),
    in_polars(DECIMALS, pl.Decimal(14, 2), "text"),
    in_polars(TIMES, pl.Time, "text"),
    in_polars(st.sampled_from(LEVELS), pl.Enum(LEVELS), repr((LEVELS, True))),
]


class Asked(NamedTuple):
    """A frame, and what code has to see of it."""

    frame: Any
    expected: dict[str, Any]


@st.composite
def frames(draw: st.DrawFn) -> Asked:
    rows = draw(st.integers(1, 4))
    library, kinds = draw(st.sampled_from([(pd, PANDAS), (pl, POLARS)]))
    columns, seen, dtypes = {}, {}, {}
    for number, kind in enumerate(draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=6))):
        name = f"{draw(st.sampled_from(NAMES))}{number}"
        cells = draw(st.lists(kind.cells | st.none() if kind.nullable else kind.cells, min_size=rows, max_size=rows))
        assume(any(cell is not None for cell in cells))  # else there is nothing that a CSV could show
        columns[name] = kind.made(cells)
        seen[name] = [None if cell is None else as_json(kind.as_seen(cell)) for cell in cells]
        dtypes[name] = kind.nullable if None in cells else kind.dtype
    expected = {"columns": seen, "dtypes": dtypes, "index": [repr(row) for row in range(rows)]}
    return Asked(library.DataFrame(columns), expected)


def as_json(value: Any) -> Any:
    [[found]] = SCOPE["seen"](pd.DataFrame({"x": pd.Series([value], dtype=object)}))["columns"].values()
    return found


@pytest.fixture(scope="module")
def ask(
    serve: Callable[..., AbstractContextManager[Any]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Request], str]]:
    """Ask a server whose model runs ``CODE`` for every question; what the code printed."""
    folder = tmp_path_factory.mktemp("script")
    (folder / "script.json").write_text(json.dumps([[[{"code": CODE}], [{"text": "Seen."}]]]))
    with (
        serve(f"scripted:{folder / 'script.json'}", folder) as server,
        Client(Endpoint(base_url=server.url, key=Secret(server.token))) as client,
    ):

        def ask(request: Request) -> str:
            steps = client.create(encode_request(request)).steps
            [result] = [step for step in steps if isinstance(step, CodeExecutionResult)]
            return result.text

        yield ask


@given(st.lists(frames(), min_size=8, max_size=12))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
def test_code_sees_the_types_and_values_that_were_there(ask: Callable[[Request], str], asked: list[Asked]) -> None:
    namespace = {f"t{number}": one.frame for number, one in enumerate(asked)}
    prepared, _ = prepare(" ".join(f"@{name}" for name in namespace), (), namespace, Path(), Remote("host"))
    told = (line.removeprefix("[gemini-exec] ") for line in prepared.description.splitlines())
    lines = (line.partition("Begin with: ")[2] or line.partition("  load: ")[2] for line in told)
    loads = base64.b64encode("\n".join(lines).encode()).decode()
    contents = (*prepared.contents, Document(data=loads, mime_type="text/plain", name="loads.py"), Text("look"))
    found = json.loads(ask(Request(model="gemini-3-flash-preview", input=contents, stream=False)))
    for binding, one in zip(prepared.bindings, asked, strict=True):
        assert found[binding.name] == json.loads(json.dumps(one.expected))
