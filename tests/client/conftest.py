"""Clients of the faulty server, and waits that take no time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from magic_ext.client.endpoint import Endpoint, Secret
from magic_ext.client.interactions import Client, Timeouts


@dataclass
class Waits:
    """What ``on_wait`` was told, and how long the pauses would have been."""

    told: list[tuple[float, str]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> list[float]:
        return [seconds for seconds, _ in self.told]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    """Makes the pauses between attempts take no time, and keeps them."""
    waits = Waits()
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=waits.slept.append))
    return waits


@pytest.fixture
def connect(waits: Waits, faults: SimpleNamespace) -> Iterator[Callable[..., Client]]:
    """Makes clients: ``connect(server)``, closed at the end of the test."""
    clients: list[Client] = []

    def make(server: Any, *, silence: float = faults.PATIENCE, **endpoint: Any) -> Client:
        url = server if isinstance(server, str) else server.url
        made = Client(
            Endpoint(**({"base_url": url, "key": Secret(faults.KEY)} | endpoint)),
            timeouts=Timeouts(connect=faults.PATIENCE, between_events=silence),
            on_wait=lambda seconds, reason: waits.told.append((seconds, reason)),
        )
        clients.append(made)
        return made

    yield make
    for made in clients:
        made.close()


@pytest.fixture(autouse=True)
def _a_plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a key nor a proxy nor a certificate of this machine takes part."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def pause() -> Callable[[float], None]:
    """``time.sleep``, named for what it is for: to let the other side be slow."""
    return time.sleep
