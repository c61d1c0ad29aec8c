"""A real engine with real kernels, shared by the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from magic_ext.client.endpoint import Endpoint
from magic_ext.client.interactions import Client
from magic_ext.engine.embedded import open_engine
from magic_ext.engine.service import Engine
from magic_ext.engine.transport import EngineTransport


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    """An engine of this process, files of this computer admitted."""
    engine = open_engine(local=True)
    yield engine
    engine.close()


@pytest.fixture
def client(engine: Engine) -> Iterator[Client]:
    """A client that asks the engine within this process."""
    with Client(Endpoint(base_url="http://engine.localhost"), transport=EngineTransport(engine)) as client:
        yield client
