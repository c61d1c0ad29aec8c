from __future__ import annotations

from collections.abc import Iterator

import pytest

from magic_ext.runtime import probe
from magic_ext.runtime.choice import candidates
from magic_ext.runtime.isolation import Isolation
from magic_ext.runtime.limits import Limits
from magic_ext.runtime.pool import Pool
from magic_ext.runtime.session import Session

LIMITS = Limits(memory_bytes=2 * 1024**3, processes=60)
WORKING = {one.name: one for one in candidates(LIMITS) if not probe.leaks(one)}
NONE = Isolation("none", LIMITS)


class PoolOf(Pool):
    """A pool with a given isolation instead of the best one of this machine."""

    def __init__(self, isolation: Isolation, max_kernels: int = 2) -> None:
        super().__init__(isolation.limits, max_kernels)
        self._given = isolation

    def isolation(self) -> Isolation:
        return self._given


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a ``sandbox`` with each that works here, one that asks for a ``tool`` also with none."""
    for name, values in (("sandbox", [*WORKING.values()]), ("tool", [*WORKING.values(), NONE])):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, values, ids=lambda one: one.name, scope="module")


@pytest.fixture(scope="session")
def pool_of() -> type[PoolOf]:
    return PoolOf


@pytest.fixture(scope="session")
def working() -> dict[str, Isolation]:
    return WORKING


@pytest.fixture(scope="session")
def best() -> Isolation:
    """What isolates here, else nothing: most of what a kernel does is the same without."""
    return next(iter(WORKING.values()), NONE)


@pytest.fixture(scope="session")
def none() -> Isolation:
    return NONE


@pytest.fixture(scope="module")
def session(best: Isolation) -> Iterator[Session]:
    with PoolOf(best) as pool:
        yield pool.take(None, trusted=True)


@pytest.fixture
def new_session(best: Isolation) -> Iterator[Session]:
    with PoolOf(best) as pool:
        yield pool.take(None, trusted=True)
