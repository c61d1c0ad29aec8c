"""What is uploaded and what stands in the request: nothing too large stays, and what stays fits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.references import inline
from magic_ext.wire.content import Content, Document, Image, Text

SIZES = st.lists(st.integers(0, 30), max_size=8)


@given(SIZES)
def test_what_stays_fits(sizes: list[int]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inline, "INLINE_LIMIT", 20)
        patch.setattr(inline, "REQUEST_LIMIT", 50)
        contents: list[Content] = [Document(data="A" * size) for size in sizes]
        large = inline.too_large(contents)
    stays = [size for at, size in enumerate(sizes) if at not in large]
    assert sum(stays) <= 50
    assert all(size <= 20 for size in stays)
    for at in large:  # none without need: it is too large by itself, or no smaller one could have gone instead
        assert sizes[at] > 20 or sum(stays) + sizes[at] > 50 or all(sizes[at] >= size for size in stays)


def test_only_data_counts() -> None:
    long = "A" * (inline.INLINE_LIMIT + 1)
    contents: list[Content] = [Text(long), Document(uri=long), Image(data=long), Document(data=long[1:])]
    assert inline.too_large(contents) == {2}
