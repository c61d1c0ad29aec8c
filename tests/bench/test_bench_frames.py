"""Attaching large frames under ``auto``, against what costs a pass over them: ``to_csv`` and ``describe``.

Ratios of one run are asserted, times are printed (``pytest tests/bench -s``): a ratio holds on a slow machine too.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from magic_ext.references.attach import Remote, prepare
from magic_ext.references.portions import LIMIT_TOKENS

COLUMNS, ROWS, MORE_ROWS = 20, 1_000_000, 10_000_000
MOST_MEMORY = 50e6  # bytes, whatever the size of the frame
TURNS = 21
CLEAR_REFS = Path("/proc/self/clear_refs")


def columns(rows: int) -> dict[str, Any]:
    """Twenty columns; some share their memory, so that ten million rows fit anywhere."""
    rng = np.random.default_rng(0)
    numbers, counts = rng.normal(size=rows), rng.integers(0, 1_000, rows)
    days = np.datetime64("2020-01-01", "us") + counts.astype("timedelta64[D]")
    towns = pa.DictionaryArray.from_arrays(pa.array(counts % 4, pa.int8()), ["Rome", "Oslo", "Köln", "Łódź"])
    given: dict[str, Any] = {f"number {at}": numbers for at in range(3)}
    given |= {f"count {at}": counts for at in range(14)}
    return given | {"day": days, "odd": counts % 2 == 1, "town": towns.cast(pa.string())}


MAKERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "pandas": lambda given: pd.DataFrame(
        {name: cells.to_pandas() if name == "town" else cells for name, cells in given.items()}, copy=False
    ),
    "polars": lambda given: pl.DataFrame(
        {name: pl.Series(cells) if name != "town" else pl.from_arrow(cells) for name, cells in given.items()}
    ),
    "pyarrow": pa.table,
}


def attach(frame: Any) -> None:
    """What a cell with ``@frame`` does before anything is sent."""
    _, manifest = prepare("@frame", (), {"frame": frame}, Path(), Remote("host"))
    (entry,) = manifest.entries
    assert entry.policy == "sample"
    assert entry.tokens > 0.8 * LIMIT_TOKENS


def seconds(*works: Callable[[], object], turns: int = TURNS) -> list[float]:
    """The best of some turns, for each; they take turns, so that what else this computer does slows all."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(turns):
        for work, times in zip(works, taken, strict=True):
            started = time.perf_counter()
            work()
            times.append(time.perf_counter() - started)
    return list(map(min, taken))


def extra_memory(work: Callable[[], object]) -> float:
    """How much the process grows at most, in bytes; Linux alone can tell the peak of a while."""
    if not CLEAR_REFS.exists():
        return 0
    gc.collect()
    CLEAR_REFS.write_text("5")
    before = memory("VmRSS")
    work()
    return memory("VmHWM") - before


def memory(word: str) -> float:
    status = Path("/proc/self/status").read_text()
    return 1024.0 * int(next(line for line in status.splitlines() if line.startswith(word)).split()[1])


@pytest.fixture(scope="module")
def given() -> dict[int, dict[str, Any]]:
    """The columns of both sizes."""
    return {rows: columns(rows) for rows in (ROWS, MORE_ROWS)}


@pytest.fixture(scope="module")
def whole(given: dict[int, dict[str, Any]]) -> dict[str, float]:
    """The seconds that passes over the pandas frame of a million rows take."""
    frame = MAKERS["pandas"](given[ROWS])
    passes = {
        "describe": seconds(frame.describe, turns=3)[0],
        "to_csv": seconds(lambda: frame.to_csv(os.devnull), turns=1)[0],
    }
    print("\n" + "; ".join(f"{name} of 1,000,000 x 20: {taken * 1e3:,.0f} ms" for name, taken in passes.items()))
    return passes


@pytest.mark.slow
@pytest.mark.parametrize("library", MAKERS)
def test_attaching_does_not_depend_on_the_number_of_rows(
    library: str, given: dict[int, dict[str, Any]], whole: dict[str, float]
) -> None:
    frame, larger = (MAKERS[library](given[rows]) for rows in (ROWS, MORE_ROWS))
    attach(MAKERS[library](columns(20_000)))  # imports and other first times count for neither
    taken = extra_memory(lambda: attach(frame))
    once, tenfold = seconds(lambda: attach(frame), lambda: attach(larger))
    print(
        f"\n{library}: 1,000,000 x 20 in {once * 1e3:.0f} ms and {taken / 1e6:.1f} MB, 10,000,000 in "
        f"{tenfold * 1e3:.0f} ms; to_csv {whole['to_csv'] / once:.0f}x, describe {whole['describe'] / once:.1f}x"
    )
    assert tenfold <= 1.5 * once
    assert taken < MOST_MEMORY
    assert whole["to_csv"] / once >= 50
    assert whole["describe"] / once >= 2


@pytest.mark.slow
@pytest.mark.parametrize("library", ["polars", "duckdb"])
def test_a_large_file_is_read_as_little_as_possible(
    library: str, given: dict[int, dict[str, Any]], whole: dict[str, float], tmp_path: Path
) -> None:
    path = tmp_path / "large.parquet"
    wanted = ("number 0", "count 0", "day", "odd", "town")
    pl.DataFrame({name: given[MORE_ROWS][name] for name in wanted}).write_parquet(path, compression="uncompressed")
    frame = pl.scan_parquet(path) if library == "polars" else duckdb.connect().read_parquet(str(path))
    attach(frame)
    taken = extra_memory(lambda: attach(frame))
    [once] = seconds(lambda: attach(frame))
    print(f"\nparquet of 10,000,000 rows by {library}: {once * 1e3:.0f} ms and {taken / 1e6:.1f} MB")
    assert taken < MOST_MEMORY
    assert whole["describe"] / once >= 1
