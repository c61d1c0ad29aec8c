"""Citations: marks where a text cites a page, whatever offsets a server sends."""

from __future__ import annotations

import io
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from magic_ext.frontend.bundles import Footer
from magic_ext.frontend.citations import marked, quoted_sources, sources
from magic_ext.frontend.layout import layout
from magic_ext.frontend.renderers.terminal import Terminal
from magic_ext.markdown import neutralise
from magic_ext.references.manifest import Manifest
from magic_ext.wire.content import Annotation, Image, Text
from magic_ext.wire.steps import ModelOutput

PAGE = "https://a.example/page"


def _cite(start: int | None, end: int | None, url: str = PAGE, title: str = "A page") -> Annotation:
    return Annotation(type="url_citation", start_index=start, end_index=end, url=url, title=title)


def _marked(text: str, cited: str | None = None) -> str:
    """The text with its part ``cited`` cited, by byte offsets as Google counts."""
    part = cited if cited is not None else text
    start = len(text[: text.index(part)].encode())
    return marked([Text(text, (_cite(start, start + len(part.encode())),))])


@pytest.mark.parametrize(
    ("text", "cited", "shows"),
    [
        ("Paris is big. So is Rome.", "Paris is big.", "Paris is big.[¹] So is Rome."),
        ("Größe und Übermut: 3 €. Ende.", "Größe und Übermut: 3 €.", "Größe und Übermut: 3 €.[¹] Ende."),
        ("日本は\U0001f600高い。次。", "日本は\U0001f600高い。", "日本は\U0001f600高い。[¹]次。"),
        ("One.\n\nTwo.", "One.\n\n", "One.[¹]\n\nTwo."),
        ("Paris is", "Par", "Paris[¹] is"),
        ("Use `df.sum()` here", "Use `df.s", "Use `df.sum()`[¹] here"),
        ("See [the page](https://x.example/y) now", "See [the pa", "See [the page](https://x.example/y)[¹] now"),
        ("At https://x.example/y there", "At https://x", "At https://x.example/y [¹] there"),
        ("So $a^2 + b$ is", "So $a^2", "So $a^2 + b$[¹] is"),
        ("It costs $5. Then $6 more", "It costs $5.", "It costs $5.[¹] Then $6 more"),
        ("A **bold claim** is", "A **bold claim", "A **bold claim**[¹] is"),
        ("A **bold claim** is", "A **bold claim*", "A **bold claim**[¹] is"),
        ("word **bold**", "word ", "word[¹] **bold**"),
        ("| a | b |\n| --- | --- |\n| 1 | 2 |", "| 1 | 2 |", "| a | b |\n| --- | --- |\n| 1 | 2[¹] |"),
        ("fish &amp; chips", "fish &a", "fish &amp;[¹] chips"),
        ("# Title", "# Title", "# Title[¹]"),
    ],
)
def test_a_mark_stands_behind_what_is_cited(text: str, cited: str, shows: str) -> None:
    assert _marked(text, cited) == shows
    assert "[¹]" in neutralise(shows)


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("a\n\n```python\nx = 1\n```\n\nb", "x ="),
        ("a\n\n```python\nx = 1\n```", "```python\nx = 1\n```"),
        ("a\n\n```python\nx = 1", "x = 1"),
        ("| a |\n| --- |\n| 1 |", "| a |\n| --"),
        ("Title\n=====", "Title\n==="),
        ("1. item", "1."),
        ("> quote", ">"),
        ("- item", "-"),
    ],
)
def test_a_mark_never_stands_where_it_would_change_the_text(text: str, cited: str) -> None:
    assert _marked(text, cited) == text


@pytest.mark.parametrize(
    ("start", "end"), [(0, None), (None, None), (0, 10**9), (-5, 3), (9, 3), (0, 0), (0, -1), (10**9, 10**9)]
)
def test_wrong_offsets_leave_the_text_alone_and_the_page_listed(start: int | None, end: int | None) -> None:
    blocks = [Text("Paris is big.", (_cite(start, end),))]
    assert marked(blocks) == "Paris is big."
    assert sources(blocks) == f"Sources:\n\n1. [A page]({PAGE})"


def test_pages_are_numbered_once_and_in_the_order_of_their_marks() -> None:
    other = "https://b.example/(x)"
    first = Text("One. Two. Three.", (_cite(5, 9, other, ""), _cite(0, 4), _cite(10, 16), _cite(9, 16, other, "B")))
    second = Text(" Four.", (_cite(0, 6, other),))
    assert marked([first, Image("AAAA"), second]) == "One.[¹] Two.[²] Three.[¹][²] Four.[²]"
    assert sources([first, second]) == f"Sources:\n\n1. [A page]({PAGE})\n2. [B](https://b.example/%28x%29)"


@pytest.mark.parametrize(
    "url",
    ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//a.example", "https://a b", "ftp://x", ""],
)
def test_only_web_addresses_are_cited(url: str) -> None:
    blocks = [Text("Paris.", (_cite(0, 6, url),))]
    assert (marked(blocks), sources(blocks)) == ("Paris.", "")


def test_a_title_is_harmless() -> None:
    hostile = "<img src=x onerror=alert(1)>](javascript:alert(1)) ![x](https://evil.example/p.png)\n# head"
    steps = [ModelOutput((Text("Paris.", (_cite(0, 6, PAGE, hostile),)),))]
    text, pages = (output.data["text/markdown"] for output in layout(steps))
    assert text == "Paris.[¹]"
    html = MarkdownIt("commonmark", {"html": True}).render(pages)
    assert "<img" not in html and "<h1" not in html and html.count("<a ") == 1 and f'href="{PAGE}"' in html


PIECES = st.sampled_from(
    [
        *(
            "a ",
            "é",
            "\U0001f600",
            "\n",
            "\n\n",
            "**",
            "*",
            "_",
            "`",
            "```\n",
            "$",
            "$$",
            "| ",
            "|\n",
            "---",
            "[",
            "](",
            ")",
        ),
        *("https://x.example/", "word ", "\\", "&amp;", "<b>", "1. ", "- ", "> ", "# ", "~~", "!", "$5"),
    ]
)


@given(st.lists(PIECES, max_size=25).map("".join), st.lists(st.tuples(st.integers(-3, 80), st.integers(-3, 80))))
def test_marks_are_all_that_is_added(text: str, spans: list[tuple[int, int]]) -> None:
    shown = marked([Text(text, tuple(_cite(*span) for span in spans))])
    assert shown.replace("[¹]", "").replace(" ", "") == text.replace(" ", "")


@given(st.lists(PIECES, max_size=25).map("".join), st.lists(st.tuples(st.integers(0, 80), st.integers(0, 80))))
def test_code_stays_as_it_was(text: str, spans: list[tuple[int, int]]) -> None:
    def code(markdown: str) -> list[str]:
        tokens = MarkdownIt("commonmark").parse(neutralise(markdown))
        return [token.content for token in tokens if token.type == "fence"]

    assert code(marked([Text(text, tuple(_cite(*span) for span in spans))])) == code(text)


@pytest.mark.parametrize("piece", ["`", "[", "](", "$", "$a", "\\[", "\\(", "https://", "*", "a", "\\[\\(", "``a"])
def test_the_time_is_linear(piece: str) -> None:
    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        best = 1e9
        for _ in range(3):
            started = time.perf_counter()
            marked([Text(text, (_cite(0, size // 2),))])
            best = min(best, time.perf_counter() - started)
        return best

    assert seconds(160_000) < 40 * (seconds(20_000) + 0.001)  # 8 times the text: linear is 8, quadratic 64


@pytest.mark.parametrize("grows", [False, True], ids=["whole", "growing"])
def test_a_terminal_shows_what_is_cited_and_where(grows: bool) -> None:
    """Text that is written already can't be marked any more: there the words are quoted below it."""
    stream = io.StringIO()
    terminal = Terminal(stream)
    terminal.start(Manifest(destination="a.example", remote=True, prompt_bytes=1, prompt_tokens=1))
    text = "Köln: 8 °C. Rain."
    cited = ModelOutput((Text(text, (_cite(0, len("Köln: 8 °C".encode())),)),))
    if grows:
        terminal.update(0, lambda: ModelOutput((Text("Köln: 8"),)), False)
        terminal.update(0, lambda: ModelOutput((Text(text),)), False)
        terminal.update(0, lambda: cited, False)
        terminal.update(0, lambda: cited, True)
    terminal.finish(Footer(model="m", place="p", code_expected=False), [cited])
    shown = text if grows else "Köln: 8 °C[¹]. Rain."
    assert f'{shown}\n\nSources:\n[¹] A page <{PAGE}>, for "Köln: 8 °C"\n' in stream.getvalue()


@given(st.text(max_size=30), st.lists(st.tuples(st.integers(-2, 40), st.integers(-2, 40)), max_size=4))
def test_quoting_never_fails(text: str, spans: list[tuple[int, int]]) -> None:
    pages = quoted_sources([Text(text, tuple(_cite(*span) for span in spans))])
    assert pages.count("\n") == bool(spans)
