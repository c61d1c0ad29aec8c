"""The SSE decoder against the standard, written out here a second time, and against every way to cut the bytes."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from magic_ext.wire.sse import ServerSentEvent, SSEDecoder, decode_sse, encode_sse

LINES = st.sampled_from(
    [
        b"",
        b": a comment",
        b":",
        b"event: step.delta",
        b"event:",
        b"event",
        b"id: 7",
        b"retry: 100",
        b"data",
        b"data:",
        b"data: ",
        b"data:  two spaces",
        b"data: [DONE]",
        b'data: {"event_type":"step.stop","index":0}',
        "data: \u2028 \u2029 \x85 \x0b \x0c \x1c \u00fc \U0001f600".encode(),
        b"data: \xff\xfe not UTF-8",
        b"\xef\xbb\xbfdata: after a BOM",
        b"data : no field of that name",
        b"Data: nor of that",
        b"x:data: y",
    ]
)
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])
STREAMS = st.one_of(
    st.lists(st.tuples(LINES, ENDS)).map(lambda pairs: b"".join(line + end for line, end in pairs)),
    st.lists(st.sampled_from([b"\n", b"\r", b"data:", b"event:", b":", b" ", b"x", b"\xef\xbb\xbf"])).map(b"".join),
    st.binary(max_size=60),
)


def reference(stream: bytes) -> list[ServerSentEvent]:
    """The standard's algorithm on a whole stream, by regular expression and without any state between chunks."""
    *lines, _unfinished = re.split(rb"\r\n|\n|\r", stream.removeprefix(b"\xef\xbb\xbf"))
    events, name, data = [], "", []
    for line in lines:
        if not line:
            if data:
                events.append(ServerSentEvent(name, b"\n".join(data)))
            name, data = "", []
            continue
        field, value = re.fullmatch(rb"(?s)([^:]*):? ?(.*)", line).groups() if b":" in line else (line, b"")
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
    return events


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(edges)]


@given(STREAMS)
@example(b"data: a\n\ndata: cut short")
@example(b"\xef\xbb\xbf\xef\xbb\xbfdata: a second BOM belongs to the field's name\n\n")
def test_a_whole_chunk_decodes_as_the_standard_says(stream: bytes) -> None:
    assert SSEDecoder().feed(stream) == reference(stream)


@given(STREAMS, st.lists(st.integers(min_value=0, max_value=2000), max_size=12))
@example(b"data: a\r\n\r\ndata: b\r\n\r\n", [8, 8, 9, 10])
@example(b"\xef\xbb\xbfdata: a\n\n", [1, 2])
def test_any_cut_gives_the_same_events(stream: bytes, places: list[int]) -> None:
    assert list(decode_sse(cut(stream, places))) == reference(stream)


@given(STREAMS)
def test_single_bytes_give_the_same_events(stream: bytes) -> None:
    assert list(decode_sse(stream[at : at + 1] for at in range(len(stream)))) == reference(stream)


@given(st.lists(st.tuples(st.from_regex(r"[a-z.]{0,9}", fullmatch=True), st.text().map(lambda s: s.encode()))))
def test_what_is_encoded_decodes(events: list[tuple[str, bytes]]) -> None:
    events = [(name, re.sub(rb"[\r\n]", b"", data)) for name, data in events]
    stream = b"".join(encode_sse(data, name) for name, data in events)
    assert SSEDecoder().feed(stream) == [ServerSentEvent(name, data) for name, data in events]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        pytest.param("data: \u2028\x85\x0b.\n\n".encode(), [("", "\u2028\x85\x0b.".encode())], id="unicode-line-ends"),
        pytest.param(b"data: a\ndata: b\n\n", [("", b"a\nb")], id="two-data-lines"),
        pytest.param(b"data: a\rdata: b\r\ndata: c\n\r", [("", b"a\nb\nc")], id="mixed-line-ends"),
        pytest.param(b": c\n\ndata: a\n: c\n\n:\n\n", [("", b"a")], id="comments"),
        pytest.param(b"event: only a name\n\ndata: a\n\n", [("", b"a")], id="a-name-without-data-is-forgotten"),
        pytest.param(b"event: x\nevent: y\ndata: a\n\n", [("y", b"a")], id="the-last-name-counts"),
        pytest.param(b"\xef\xbb\xbfdata: a\n\n\xef\xbb\xbfdata: b\n\n", [("", b"a")], id="a-BOM-counts-only-first"),
        pytest.param(b"data: a\n\nevent: done\ndata: [DONE]\n\n", [("", b"a"), ("done", b"[DONE]")], id="done"),
        pytest.param(b"data: a\n\ndata: {\"cut\":", [("", b"a")], id="cut-in-an-event"),
        pytest.param(b"data: a\n\ndata: b\n", [("", b"a")], id="no-final-blank-line"),
        pytest.param(b"data:\n\n", [("", b"")], id="empty-data"),
        pytest.param(b"", [], id="nothing"),
    ],
)  # fmt: skip
def test_the_corners_by_name(stream: bytes, events: list[tuple[str, bytes]]) -> None:
    assert SSEDecoder().feed(stream) == [ServerSentEvent(*event) for event in events]


def test_a_carriage_return_at_a_chunk_end_ends_one_line_only() -> None:
    decoder = SSEDecoder()
    assert decoder.feed(b"data: a\r") == []
    assert decoder.feed(b"") == []
    assert decoder.feed(b"\n") == []
    assert decoder.feed(b"\r") == [ServerSentEvent("", b"a")], (
        "\\r ends the blank line at once: no event waits for a \\n"
    )
    assert decoder.feed(b"\ndata: b\n\n") == [ServerSentEvent("", b"b")]
