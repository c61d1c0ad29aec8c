"""What is uploaded and what stands in the request: nothing too large stays, and what stays fits."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.errors import GeminiExecError
from magic_ext.references import inline
from magic_ext.wire.content import Content, Document, Image, Text
from magic_ext.wire.request import user_input

SIZES = st.lists(st.integers(0, 30), max_size=8)


@given(SIZES, st.integers(0, 50))
def test_what_stays_fits_beside_the_conversation_so_far(sizes: list[int], before: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inline, "INLINE_LIMIT", 20)
        patch.setattr(inline, "REQUEST_LIMIT", 50)
        contents: list[Content] = [Document(data="A" * size) for size in sizes]
        large = inline.too_large(contents, before)
    stays = [size for at, size in enumerate(sizes) if at not in large]
    assert not stays or before + sum(stays) <= 50
    assert all(size <= 20 for size in stays)
    for at in large:  # none without need: it is too large by itself, or no smaller one could have gone instead
        assert sizes[at] > 20 or before + sum(stays) + sizes[at] > 50 or all(sizes[at] >= size for size in stays)


def test_a_conversation_that_no_request_can_carry_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    history = [user_input([Document(data="A" * 30, mime_type="text/csv"), Text("Why?")])] * 2
    size = inline.history_size(history)
    assert size == len(json.dumps(history, separators=(",", ":"))) - len("[,]")
    monkeypatch.setattr(inline, "REQUEST_LIMIT", size)
    assert inline.history_size(history) == size
    assert inline.too_large([Document(data="A")], before=size) == {0}
    with pytest.raises(GeminiExecError, match="too large for a request") as caught:
        inline.history_size([*history, {}])
    assert "-c" in caught.value.hint


def test_only_data_counts() -> None:
    long = "A" * (inline.INLINE_LIMIT + 1)
    contents: list[Content] = [Text(long), Document(uri=long), Image(data=long), Document(data=long[1:])]
    assert inline.too_large(contents) == {2}
