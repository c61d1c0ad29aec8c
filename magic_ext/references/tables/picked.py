"""Tables that give any of their rows as a pandas DataFrame: modin, GeoPandas, SciPy's sparse matrices, xarray."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

from magic_ext.references.tables.pandas_frames import PandasTable
from magic_ext.references.tables.partial import HEAD_ROWS, save_first
from magic_ext.references.tables.sheet import Column, Sheet, source
from magic_ext.references.tables.table import Saved, Table, choose

__all__ = ["PickedTable", "of_geopandas", "of_modin", "of_sparse", "of_xarray"]

_Pick = Callable[[Sequence[int]], Any]


class PickedTable(Table):
    """A table of ``rows`` rows, of which ``pick`` makes a pandas DataFrame of those at given positions.

    ``made`` is the source that makes a pandas DataFrame of ``it``, the user's object.
    """

    def __init__(self, pick: _Pick, rows: int, kind: str, made: str) -> None:
        self._pick = pick
        self._rows = rows
        self._kind = kind
        self._made = made

    @property
    def kind(self) -> str:
        """What it is."""
        return self._kind

    @property
    def rows(self) -> int:
        """Its length."""
        return self._rows

    @property
    def available(self) -> int:
        """All rows."""
        return self._rows

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The columns, told by no row at all."""
        return self._part(()).columns

    def sheet(self, positions: Sequence[int]) -> Sheet:
        """The rows as CSV."""
        return self._part(positions).sheet(range(len(positions)))

    def select(self, names: Sequence[str]) -> Table:
        """The columns by label; an index stays."""
        labels = list(self._pick(()).columns)
        wanted = [labels[at] for at in choose(names, labels)]
        made = f"{self._made}[[{', '.join(map(source, wanted))}]]"
        return PickedTable(lambda positions: self._pick(positions)[wanted], self._rows, self._kind, made)

    def live(self, source: str) -> str:
        """The whole of it as a pandas DataFrame."""
        return self._made.replace("it", source, 1)

    def save(self, folder: Path, stem: str) -> Saved:
        """An Arrow file of its first million rows, of wide ones fewer."""

        def first(count: int) -> Table:
            return self._part(range(min(count, self._rows)))

        return save_first(first, first(HEAD_ROWS // 10), folder, stem, lambda: self._rows)

    def _part(self, positions: Sequence[int]) -> PandasTable:
        return PandasTable(self._pick(positions), self._kind, of=self._rows)


def of_modin(frame: Any, kind: str = "modin DataFrame", suffix: str = "") -> PickedTable:
    """A modin DataFrame; only the rows that are picked come here from where its parts are."""
    return PickedTable(
        lambda positions: frame.iloc[list(positions)].modin.to_pandas(),
        len(frame),
        kind,
        f"it{suffix}.modin.to_pandas()",
    )


def of_geopandas(frame: Any, suffix: str = "") -> PickedTable:
    """A GeoDataFrame, geometries as well-known text: code sees what needs no other library."""
    kind = f"GeoDataFrame (geometries as WKT{f', {frame.crs}' if frame.crs else ''})"
    return PickedTable(lambda positions: frame.iloc[list(positions)].to_wkt(), len(frame), kind, f"it{suffix}.to_wkt()")


def of_sparse(matrix: Any) -> PickedTable:
    """A sparse matrix as a table of all its cells, columns ``c0``, ``c1``, ...; no row but the picked is made dense."""
    import pandas as pd

    shape = " x ".join(f"{length:,}" for length in matrix.shape)
    rows = matrix.tocsr()
    return PickedTable(
        lambda positions: pd.DataFrame(rows[list(positions)].toarray()).add_prefix("c"),
        matrix.shape[0],
        f"SciPy sparse matrix {shape} of {matrix.dtype.name}",
        'pd.DataFrame(it.toarray()).add_prefix("c")',
    )


def of_xarray(value: Any, name: str) -> PickedTable | None:
    """A Dataset or DataArray as ``to_dataframe().reset_index()`` tables it; ``None`` for one without dimensions."""
    if not value.sizes:
        return None
    is_array = hasattr(value, "to_dataset") and not hasattr(value, "data_vars")
    dataset = value.to_dataset(name=value.name or name) if is_array else value
    given = "" if not is_array or value.name else f"name={name!r}"
    sizes = dict(dataset.sizes)
    shape = " x ".join(f"{dimension} {length:,}" for dimension, length in sizes.items())
    return PickedTable(
        lambda positions: _cells_of(dataset, sizes, positions),
        prod(sizes.values()),
        f"xarray {type(value).__name__} ({shape})",
        f"it.to_dataframe({given}).reset_index()",
    )


def _cells_of(dataset: Any, sizes: dict[Any, int], positions: Sequence[int]) -> Any:
    import numpy as np
    import pandas as pd
    import xarray as xr

    at = np.unravel_index(np.asarray(positions, dtype=np.intp), tuple(sizes.values()))
    # A dimension of its own for the rows picks single cells, not the rectangle around them.
    numbers = {dimension: xr.Variable("picked rows", part) for dimension, part in zip(sizes, at, strict=True)}
    part = dataset.isel(numbers)
    cells = {
        name: part[name].values if name in dataset.variables else number.values for name, number in numbers.items()
    }
    rest = [name for name in dataset.variables if name not in sizes]
    return pd.DataFrame(cells | {name: np.broadcast_to(part[name].values, len(positions)) for name in rest})
