"""Reading a stream against Google's own SDK: the same bytes from the same local server, end to end.

The ratio is asserted, the times are printed (``pytest tests/bench -s``): a ratio holds on a slow machine too.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from magic_ext.client.endpoint import Endpoint, Secret
from magic_ext.client.interactions import Client
from magic_ext.wire.assembly import Assembly
from magic_ext.wire.content import Image, Text
from magic_ext.wire.sse import encode_sse
from magic_ext.wire.steps import ModelOutput

DELTAS = 5_000
IMAGE = base64.b64encode(bytes(range(256)) * 14_700).decode()  # 5 MB
TIMES_FASTER = 5


def stream(deltas: list[dict[str, Any]]) -> bytes:
    head = {"id": "v1_a", "status": "in_progress"}
    events = [
        {"event_type": "interaction.created", "interaction": head},
        {"event_type": "step.start", "index": 0, "step": {"type": "model_output"}},
        *({"event_type": "step.delta", "index": 0, "delta": delta} for delta in deltas),
        {"event_type": "step.stop", "index": 0},
        {"event_type": "interaction.completed", "interaction": head | {"status": "completed"}},
    ]
    told = b"".join(encode_sse(json.dumps(event).encode(), str(event["event_type"])) for event in events)
    return told + encode_sse(b"[DONE]", "done")


TEXTS = stream([{"type": "text", "text": f"word {n} "} for n in range(DELTAS)])
PICTURE = stream([{"type": "image", "data": IMAGE, "mime_type": "image/png"}])


def read_by_us(url: str) -> ModelOutput:
    """Decoded, and assembled to steps."""
    assembly = Assembly()
    with Client(Endpoint(base_url=url, key=Secret("local-key"))) as client:
        for event in client.stream({"model": "m", "input": "hi", "stream": True}):
            assembly.apply(event)
    [step] = assembly.steps
    assert isinstance(step, ModelOutput)
    return step


def read_by_google(url: str) -> list[Any]:
    """Decoded only: the SDK has nothing that assembles."""
    from google import genai

    options = genai.types.HttpOptions(base_url=url)
    with genai.Client(api_key="local-key", http_options=options) as client:
        events = client.interactions.create(model="m", input="hi", stream=True)
        return [event.delta for event in events if event.event_type == "step.delta"]


def timed(read: Callable[[str], Any], url: str) -> tuple[Any, float]:
    """What was read, and the seconds that it took."""
    started = time.perf_counter()
    return read(url), time.perf_counter() - started


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("body", [TEXTS, PICTURE], ids=["5,000 texts", "a picture of 5 MB"])
def test_reading_is_faster_than_googles(
    serving: Callable[[bytes], str], monkeypatch: pytest.MonkeyPatch, body: bytes, request: pytest.FixtureRequest
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    short, url = serving(stream([])), serving(body)
    read_by_us(short), read_by_google(short)  # imports and other first times count for neither
    step, ours = timed(read_by_us, url)
    deltas, googles = timed(read_by_google, url)
    print(
        f"\n{request.node.callspec.id}: {ours * 1e3:.0f} ms, google-genai {googles * 1e3:.0f} ms: {googles / ours:.1f}x"
    )
    match step.content:  # both have read the same
        case (Text(text),):
            assert text == "".join(delta.text for delta in deltas)
            assert len(deltas) == DELTAS
        case (Image(data),):
            assert [delta.data for delta in deltas] == [data] == [IMAGE]
        case _:
            pytest.fail(f"read as {step.content!r:.200}")
    assert googles / ours >= TIMES_FASTER
