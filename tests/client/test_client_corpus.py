"""Streams built by hand from every event, delta, step and oddity of wire.md, replayed through the client."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from google.genai import interactions as sdk
from hypothesis import given, settings
from hypothesis import strategies as st

from magic_ext.client.endpoint import Endpoint, Secret
from magic_ext.client.interactions import Client
from magic_ext.errors import GeminiExecError
from magic_ext.http import httpx
from magic_ext.wire.assembly import Assembly
from magic_ext.wire.events import Event, InteractionCompleted, decode_event
from magic_ext.wire.sse import SSEDecoder

Json = dict[str, Any]
CORPUS = {path.stem: path for path in sorted((Path(__file__).parent.parent / "wire" / "corpus").glob("*.sse"))}
BODY = {"model": "gemini-3-flash-preview", "input": "hi", "stream": True}


class Canned(httpx.BaseTransport):
    """Answers with a stream in the given pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        class Pieces(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                yield from pieces

        pieces = self._pieces
        return httpx.Response(200, headers={"content-type": "text/event-stream"}, stream=Pieces())


def heard(pieces: Iterable[bytes]) -> tuple[list[Event], Assembly, str]:
    """The events of a stream, the steps that they make, and how it ended: the status, or the error and its code."""
    events: list[Event] = []
    assembly = Assembly()
    endpoint = Endpoint(base_url="http://engine.localhost", key=Secret("AIza-test-key-which-nobody-may-see"))
    with Client(endpoint, transport=Canned(pieces)) as client:
        try:
            for event in client.stream(BODY):
                events.append(event)
                assembly.apply(event)
        except GeminiExecError as error:
            assert str(error) and error.hint and "\n" not in str(error)
            code = getattr(error, "code", None)
            return events, assembly, type(error).__name__ + (f": {code}" if code is not None else "")
    last = [event for event in events if isinstance(event, InteractionCompleted)]
    return events, assembly, last[-1].interaction.status


def randomly(stream: bytes, seed: int) -> list[bytes]:
    dice = random.Random(seed)
    edges = sorted(dice.randrange(len(stream) + 1) for _ in range(dice.randrange(1, 40)))
    return [stream[a:b] for a, b in itertools.pairwise([0, *edges, len(stream)])]


CUTS: dict[str, Callable[[bytes], Iterable[bytes]]] = {
    "whole": lambda stream: [stream],
    "bytes": lambda stream: [stream[at : at + 1] for at in range(len(stream))],
    "with empty chunks": lambda stream: itertools.chain.from_iterable((bytes([byte]), b"") for byte in stream),
    **{f"random {seed}": lambda stream, seed=seed: randomly(stream, seed) for seed in range(5)},
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
@pytest.mark.parametrize("name", CORPUS)
def test_the_corpus(name: str, cut: Callable[[bytes], Iterable[bytes]]) -> None:
    expected = json.loads(CORPUS[name].with_suffix(".json").read_text(encoding="utf-8"))
    events, assembly, end = heard(cut(CORPUS[name].read_bytes()))
    assert list(assembly.raw_steps) == expected["steps"]
    assert [list(unknown) for unknown in assembly.unknown_deltas] == expected.get("unknown", [])
    assert end == expected["end"]
    if "last_event_id" in expected:
        assert events[-1].event_id == expected["last_event_id"]


@pytest.mark.parametrize("how", ["at the event", "one byte early", "in the next event"])
@pytest.mark.parametrize("name", CORPUS)
def test_cut_at_every_event(name: str, how: str) -> None:
    """What came before the cut is there as it was; the end is that of the whole if it had come, else it is told."""
    stream = CORPUS[name].read_bytes()
    whole, _, end = heard([stream])
    places = [at for at in range(len(stream)) if SSEDecoder().feed(stream[:at]) != SSEDecoder().feed(stream[: at + 1])]
    assert len(places) >= len(whole)
    for place in places:
        cut = stream[: place + {"at the event": 1, "one byte early": 0, "in the next event": 12}[how]]
        events, assembly, ended = heard([cut])
        assert events == whole[: len(events)]
        known = Assembly()
        for event in events:
            known.apply(event)
        assert assembly.raw_steps == known.raw_steps
        over = len(events) == len(whole) and any(isinstance(event, InteractionCompleted) for event in events)
        assert ended == "StreamBroken" if not over and ended != end else ended == end


# What the corpus has.


def words(annotation: Any, field: str = "type") -> set[str]:
    """The values of ``field`` in a union of Google's types; those of a plain literal for itself."""
    if get_origin(annotation) is Literal:
        return set(get_args(annotation))
    if hasattr(annotation, "model_fields"):
        if field not in annotation.model_fields:
            return set()
        return words(annotation.model_fields[field].annotation, field)
    return {word for part in get_args(annotation) for word in words(part, field)}


def said_in_corpus(field: str) -> set[str]:
    """Every string that stands under ``field`` anywhere in the corpus."""
    found: set[str] = set()

    def look(value: Any) -> None:
        if isinstance(value, dict):
            found.update(held for key, held in value.items() if key == field and isinstance(held, str))
            for held in value.values():
                look(held)
        elif isinstance(value, list):
            for held in value:
                look(held)

    for path in CORPUS.values():
        for sse in SSEDecoder().feed(path.read_bytes()):
            try:
                look(json.loads(sse.data))
            except ValueError:  # [DONE], and what is no JSON on purpose
                continue
    return found


@pytest.mark.parametrize(
    ("union", "field"),
    [
        (sdk.Step, "type"),
        (sdk.StepDeltaData, "type"),
        (sdk.Content, "type"),
        (sdk.Annotation, "type"),
        (sdk.InteractionSSEEvent, "event_type"),
        (sdk.InteractionSseEventInteractionStatus, "status"),
    ],
    ids=["steps", "deltas", "contents", "annotations", "events", "statuses"],
)
def test_the_corpus_has_all_that_google_has_a_type_for(union: Any, field: str) -> None:
    known = words(union, field) - {"UNKNOWN"}
    assert len(known) >= 5
    assert known - said_in_corpus(field) == set()


# Fuzzed.

STREAMS = [path.read_bytes() for path in CORPUS.values()]
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "data"]), inner),
    max_leaves=5,
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A stream of the corpus with events lost, doubled, swapped or from another, values replaced, and bytes flipped."""
    blocks = [block for stream in draw(st.lists(st.sampled_from(STREAMS), min_size=1, max_size=3))
              for block in stream.split(b"\n\n")]  # fmt: skip
    picked = draw(st.lists(st.integers(0, len(blocks) - 1), max_size=12))
    chosen = [*blocks[: draw(st.integers(0, len(blocks)))], *(blocks[at] for at in picked)]
    stream = b"\n\n".join(_odd(draw, block) for block in chosen) + b"\n\n"
    for at in draw(st.lists(st.integers(0, len(stream) - 1), max_size=4)):
        stream = stream[:at] + draw(st.binary(max_size=2)) + stream[at + 1 :]
    return stream


def _odd(draw: st.DrawFn, block: bytes) -> bytes:
    """The event with one value in it replaced, at times."""
    line, found, data = block.partition(b"data: ")
    if not found or draw(st.integers(0, 3)):
        return block
    try:
        event = json.loads(data)
    except ValueError:
        return block
    place = event
    while isinstance(place, dict) and place:
        key = draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or draw(st.booleans()):
            place[key] = draw(ODD)
            break
        place = place[key]
    return line + found + json.dumps(event).encode()


@settings(max_examples=300)
@given(damaged(), st.integers(0, 99))
def test_a_damaged_stream_raises_nothing_but_the_trees_errors(stream: bytes, seed: int) -> None:
    events, assembly, end = heard([stream])
    again, same, ended = heard(randomly(stream, seed))
    assert (events, assembly.raw_steps, end) == (again, same.raw_steps, ended)
    assert len(assembly.steps) == len(assembly.raw_steps)
    json.dumps(assembly.raw_steps)


@given(st.lists(st.binary(max_size=40)))
def test_bytes_at_random_raise_nothing_but_the_trees_errors(pieces: list[bytes]) -> None:
    heard(pieces)


@pytest.mark.parametrize("levels", [50, 300, 900, 5000, 100_000])
@pytest.mark.parametrize(
    "kind", ["text_annotation_delta", "code_execution_result", "google_search_result", "thought_summary"]
)
def test_json_however_deep_raises_nothing_but_the_trees_errors(levels: int, kind: str) -> None:
    deep = "[" * levels + "]" * levels
    events = [
        '{"event_type":"step.start","index":0,"step":{"type":"model_output","content":[{"type":"text","text":"a"}]}}',
        *[
            f'{{"event_type":"step.delta","index":0,"delta":{{"type":"{kind}","{key}":[{deep}]}}}}'
            for key in ("annotations", "result", "arguments", "content")
        ]
        * 2,
        '{"event_type":"step.stop","index":0}',
    ]
    _, assembly, end = heard([f"data: {event}\n\n".encode() for event in events])
    assert len(assembly.steps) == 1
    assert end == "StreamBroken"


# In time linear in its length.


def event(kind: str, **fields: Any) -> bytes:
    return b"data: " + json.dumps({"event_type": kind, "index": 0, **fields}).encode() + b"\n\n"


def deltas(*each: Json) -> Callable[[int], list[bytes]]:
    return lambda size: [event("step.delta", delta=each[at % len(each)]) for at in range(size)]


def text(piece: str) -> Json:
    return {"type": "text", "text": piece}


CITED = {"type": "text_annotation", "annotations": [{"type": "url_citation", "url": "https://a.example"}]}
IMAGE = {"type": "image", "data": "AAAA"}
GROWING: dict[str, Callable[[int], list[bytes]]] = {
    "texts": deltas(text("word " * 8)),
    "texts and citations in turn": deltas(text("word " * 8), CITED),
    "texts and pictures in turn": deltas(text("a"), IMAGE),
    "citations behind pictures": lambda n: [event("step.delta", delta=text("a")), *deltas(IMAGE)(n), *deltas(CITED)(n)],
    "many citations": lambda n: [
        event("step.delta", delta=text("a")),
        *(
            event("step.delta", delta={"type": "text_annotation", "annotations": [{"start_index": at}]})
            for at in range(n)
        ),
    ],
    "results and pictures in turn": deltas({"type": "code_execution_result", "result": "a"}, IMAGE),
    "results as lists": deltas({"type": "code_execution_result", "result": [text("a")]}),
    "arguments": deltas({"type": "arguments_delta", "arguments": '{"a'}),
    "arguments by field": lambda n: [
        event("step.delta", delta={"type": "code_execution_call", "arguments": {f"k{at}": at}}) for at in range(n)
    ],
    "arguments and stops in turn": lambda n: [
        piece
        for _ in range(n)
        for piece in (event("step.delta", delta={"type": "arguments_delta", "arguments": "x" * 40}), event("step.stop"))
    ],
    "thoughts": deltas(
        {"type": "thought_summary", "content": text("word " * 8)}, {"type": "thought_summary", "content": IMAGE}
    ),
    "unknown deltas": deltas({"type": "novelty"}),
    "steps": lambda n: [
        json.dumps({"event_type": "step.start", "index": at, "step": {"type": "model_output"}})
        .join(("data: ", "\n\n"))
        .encode()
        for at in range(n)
    ],
    "single bytes": lambda n: [b"x" for _ in range(20 * n)],
    "a long line in single bytes": lambda n: [b"data: ", *(b"x" for _ in range(20 * n)), b"\n\n"],
    "many data lines": lambda n: [b"data: x\n" for _ in range(10 * n)] + [b"\n"],
    "line ends": lambda n: [b"\r", b"\n"] * (10 * n),
    "a huge picture in small chunks": lambda n: chunks(
        event("step.delta", delta={"type": "image", "data": "A" * 400 * n}), 16
    ),
    "garbage of one line": lambda n: chunks(b"data: " + b"\xc3(" * 50 * n + b"\n\n", 64),
    "brackets": lambda n: [b"data: " + b"[" * 100 * n + b"\n\n"],
}


def chunks(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


def seconds(pieces: list[bytes]) -> float:
    """The processor's time for a whole stream, decoded and assembled, looked at once in the end."""
    began = time.process_time()
    decoder, assembly = SSEDecoder(), Assembly()
    for piece in pieces:
        for sse in decoder.feed(piece):
            decoded = decode_event(sse)
            if decoded is not None:
                assembly.apply(decoded)
    assert isinstance(assembly.raw_steps, tuple)
    return time.process_time() - began


@pytest.mark.parametrize("growing", GROWING.values(), ids=GROWING)
def test_time_is_linear_in_the_stream(growing: Callable[[int], list[bytes]]) -> None:
    """Eight times the stream takes about eight times the time; sixty-four times would be the square."""
    small, large = growing(2_500), growing(20_000)
    tries = (seconds(large) / max(seconds(small), 1e-4) for _ in range(6))
    assert any(ratio < 24 for ratio in tries)
