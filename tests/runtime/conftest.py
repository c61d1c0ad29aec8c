from __future__ import annotations

from collections.abc import Iterator

import pytest

from magic_ext.runtime import probe
from magic_ext.runtime.isolation import Isolation, candidates
from magic_ext.runtime.limits import Limits
from magic_ext.runtime.pool import Pool
from magic_ext.runtime.session import Session

LIMITS = Limits(memory_bytes=2 * 1024**3, processes=60)
WORKING = {one.name: one for one in candidates(LIMITS) if not probe.leaks(one)}


class PoolOf(Pool):
    """A pool with a given isolation instead of the best one of this machine."""

    def __init__(self, isolation: Isolation, max_kernels: int = 2) -> None:
        super().__init__(isolation.limits, max_kernels)
        self._given = isolation

    def isolation(self) -> Isolation:
        return self._given


def best() -> Isolation:
    """Return what isolates here, else nothing: most of what a kernel does is the same without."""
    return next(iter(WORKING.values()), Isolation("none", LIMITS))


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with PoolOf(best()) as pool:
        yield pool.take(None, trusted=True)


@pytest.fixture
def new_session() -> Iterator[Session]:
    with PoolOf(best()) as pool:
        yield pool.take(None, trusted=True)
