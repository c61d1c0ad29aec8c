"""Hostile Markdown, rendered by real parsers: CommonMark's, nbconvert's and JupyterLab's own with its math passes."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
import time
import unicodedata
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magic_ext.markdown import code_span, details, escape, fence, legible, neutralise, parts, visible

IMG = "<img src=x onerror=alert(1)>"
OUT = "onmouseover=alert(1) x"

KINDS = json.loads(Path(__file__).parents[1].joinpath("browser", "hostile.json").read_text())
PAYLOADS = [*(payload for payloads in KINDS.values() for payload in payloads), "\ud800<script>\udfff"]

PIECES = [
    *[IMG, "<script>", "<!-- ", "-->", "<?x", "<![CDATA[", "</details>", "<details>", "<svg onload=x>", "<", ">"],
    *["\\[", "\\]", "!\\[a\\](http://e.example/x.png)", "[!\\[a\\](http://e.example/x.png)](http://e.example)"],
    *["```", "````", "~~~", "```python", "``", "`", "\n", "\n", "\n\n", "\n\n", "    ", "  ", "\t", "> ", "- ", "1. "],
    *[
        "$",
        "$$",
        "\\begin{x}",
        "\\end{x}",
        "\\\\(",
        "\\\\)",
        "\\\\[",
        "\\\\]",
        "\\",
        "{",
        "}",
        "~",
        "@@0@@",
        "~T",
        "~D",
    ],
    *[
        f'$"{OUT}$',
        f'$"{OUT}$',
        f'\\\\("{OUT}\\\\)',
        f'\\begin{{x}}"{OUT}\\end{{x}}',
        '"',
        "'",
        "|",
        "\n|a|b|\n|-|-|\n|",
    ],
    *["[x]", "(javascript:alert(1))", "](", "](javascript:alert(1))", ")", "(", "[", "!", ":", "![a](", "![a][r]"],
    *["![](http://e.example/x.png)", '[r]: http://e.example/x "t', "[r]: javascript:alert(1)", "[r]:", "<a@b.example>"],
    *['\n[r]: https://e.example/a\n"$" onmouseover=alert(1) x="$"', "https://e.example/", "<https://e.example/x>"],
    *[f'http://a.example/$"{OUT}$', f'www.x.example/$"{OUT}$', "<http://a](javascript:alert(1))>", "ftp://x.example/y"],
    *[
        '(https://e.example/a "t")',
        "(<https://e.example>)",
        "mailto:a@b.example",
        "x@y.example",
        "a",
        "word ",
        "# ",
        "---",
    ],
    *["&lt;img src=x onerror=alert(1)&gt;", "&#60;script&#62;", "\r", "\u2028", "\x0b", "\x0c", "\u00a0", "\x1b[31m"],
    *["\u2060", "\ud800", "\\href{javascript:alert(1)}{x}", "language", "{=html}", "==="],
]

_TAGS = {
    *("p", "a", "code", "pre", "em", "strong", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5"),
    *("h6", "blockquote", "hr", "br", "table", "thead", "tbody", "tr", "th", "td", "del", "s", "input"),
}
_ATTRIBUTES = {
    "a": {"href"},
    "code": {"class"},
    "ol": {"start"},
    "td": {"align", "style"},
    "th": {"align", "style"},
    "input": {"type", "disabled", "checked"},
}


class _Judge(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.perils: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self.perils.append(f"<{tag}>")
        for name, value in attrs:
            text = (value or "").strip()
            fine = name in _ATTRIBUTES.get(tag, ())
            if name == "href":
                fine = fine and text.lower().startswith(("http://", "https://", "mailto:"))
            if name == "class":
                fine = fine and re.fullmatch(r"language-[A-Za-z0-9_+#.-]*", text) is not None
            if name == "style":
                fine = fine and re.fullmatch(r"text-align:\s*(left|right|center);?", text) is not None
            if not fine:
                self.perils.append(f"<{tag} {name}={value!r}>")

    def handle_comment(self, data: str) -> None:
        self.perils.append(f"<!--{data}")

    def handle_decl(self, decl: str) -> None:
        self.perils.append(f"<!{decl}")

    def handle_pi(self, data: str) -> None:
        self.perils.append(f"<?{data}")

    def unknown_decl(self, data: str) -> None:
        self.perils.append(f"<![{data}")


def perils(html: str) -> list[str]:
    """What an HTML page holds beyond the harmless tags of Markdown with harmless attributes."""
    judge = _Judge()
    try:
        judge.feed(html)
        judge.close()
    except AssertionError:  # html.parser's answer to a broken declaration
        return ["<!"]
    return judge.perils


@pytest.fixture(scope="module")
def commonmark() -> Callable[[str], str]:
    markdown_it = pytest.importorskip("markdown_it")
    renderer = markdown_it.MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return lambda text: str(renderer.render(text))


@pytest.fixture(scope="module")
def gfm() -> Callable[[str], str]:
    mistune = pytest.importorskip("mistune")
    return mistune.create_markdown(escape=False, plugins=["url", "table", "strikethrough"])


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_payload_gets_through(payload: str, commonmark: Callable[[str], str], gfm: Callable[[str], str]) -> None:
    safe = neutralise(payload)
    assert perils(commonmark(safe)) == []
    assert perils(gfm(safe)) == []


def test_the_judge_sees_what_the_payloads_do(commonmark: Callable[[str], str], gfm: Callable[[str], str]) -> None:
    raw = [payload for payload in PAYLOADS if perils(commonmark(payload)) or perils(gfm(payload))]
    assert len(raw) > len(PAYLOADS) // 2


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_no_mixture_of_pieces_gets_through(
    commonmark: Callable[[str], str], gfm: Callable[[str], str], text: str
) -> None:
    safe = neutralise(text)
    assert perils(commonmark(safe)) == []
    assert perils(gfm(safe)) == []


def test_jupyterlab_renders_nothing_dangerous(tmp_path: Path) -> None:
    """The parser of the installed JupyterLab, with the passes that take math out before it and put it in behind."""
    dice = random.Random(20260101)
    mixtures = ["".join(dice.choices(PIECES, k=dice.randint(1, 22))) for _ in range(4000)]
    texts = [*PAYLOADS, *mixtures]
    judged = [perils(html) for html in _by_jupyterlab([neutralise(text) for text in texts], tmp_path)]
    assert [(text, found) for text, found in zip(texts, judged, strict=True) if found] == []
    raw = [perils(html) for html in _by_jupyterlab(texts, tmp_path)]
    assert sum(map(bool, raw)) > len(texts) // 2


@pytest.mark.parametrize("ours", ["{}", "[{}](https://e.example)", "| a |\n|---|\n| {} |", "- **{}**"])
def test_jupyterlab_shows_what_we_escaped_as_it_is(ours: str, tmp_path: Path) -> None:
    dice = random.Random(20260102)
    texts = [*PAYLOADS, *("".join(dice.choices(PIECES, k=dice.randint(1, 12))) for _ in range(1000))]
    judged = [perils(html) for html in _by_jupyterlab([ours.format(escape(text)) for text in texts], tmp_path)]
    assert [(text, found) for text, found in zip(texts, judged, strict=True) if found] == []


def _by_jupyterlab(texts: list[str], folder: Path) -> list[str]:
    node = shutil.which("node")
    static = Path(sys.prefix) / "share/jupyter/lab/static"
    chunks = {path: path.read_text("utf-8") for path in static.glob("*.js")} if node else {}
    marked = next((path for path, text in chunks.items() if "_backpedal" in text and "Marked:()=>" in text), None)
    core = next((path for path, text in chunks.items() if r"@@\d+@@" in text), None)
    if node is None or marked is None or core is None:
        pytest.skip("needs node and a JupyterLab with the parser 'marked'")
    source = chunks[core]
    at = source.index(r"@@\d+@@")
    begin = [match.start() for match in re.finditer(r'\d+\(\w,\w,\w\)\{"use strict";', source[:at])][-1]
    end = source.index('{"use strict";', at)
    (folder / "math.txt").write_text(source[begin:end].rpartition("},")[0] + "}", "utf-8")
    given = "\n".join(json.dumps(text) for text in texts)
    script = Path(__file__).with_name("jupyterlab_markdown.js")
    command = [node, str(script), str(marked), str(folder / "math.txt")]
    done = subprocess.run(command, input=given, capture_output=True, text=True, encoding="utf-8", check=True)
    return [json.loads(line) for line in done.stdout.split("\n") if line]


@pytest.mark.parametrize(
    "text",
    [
        "Plain **bold** and *it*, `code`, a [link](https://example.org/a_(b)?q=1#f) and <3.",
        "# Head\n\n- one\n- two\n\n1. first\n2. second\n\n> quote\n\n---",
        "| city | sales |\n|:---|---:|\n| Köln | 1,200 |",
        "Inline $a < b_1^2$ and\n\n$$\\frac{1}{2} \\le \\sum_{i=1}^n x_i \\\\ y$$",
        "$$\n\\begin{aligned}\na &= b \\\\\nc &= d\n\\end{aligned}\n$$",
        "```python\nif a <b and x[0](y):  # ![img](http://x)\n    print('<tag>')\n```",
        "See [docs][d].\n\n[d]: https://example.org/docs",
        "Write to [us](mailto:a@example.org?subject=hi) or see https://example.org/?a=1&b=2.",
        "a < b, a <= b, 3 > 2, x -> y, R&D, 100%, ~5, #1",
    ],
)
def test_honest_markdown_stays_as_it_is(text: str) -> None:
    assert neutralise(text) == text


def test_formulas_get_a_space_that_tex_does_not_see() -> None:
    assert neutralise("$x<y$ but a<b") == "$x< y$ but a<\u2060b"


def test_remote_images_become_links() -> None:
    assert neutralise("![Sales](https://example.org/s.png 'T')") == "[Sales](https://example.org/s.png)"
    assert neutralise("![](https://example.org/s.png)") == "[image](https://example.org/s.png)"


def test_fences_move_out_of_lists_with_what_follows_in_the_item() -> None:
    text = "1. Load:\n   ```python\n   x = 1\n     y\n   ```\n   then\n\n       - sub\n2. Next"
    assert neutralise(text) == "1. Load:\n\n```python\nx = 1\n  y\n```\n\nthen\n\n    - sub\n2. Next"


def test_a_fence_that_nothing_closes_is_closed() -> None:
    assert neutralise("```python\nprint(1)") == "```python\nprint(1)\n```"


def test_a_fence_outgrows_its_body() -> None:
    assert neutralise("~~~\n```\nx\n~~~").startswith("````\n```\nx\n````")
    assert fence("``` `````", 'py thon"><img>') == "``````py\n``` `````\n``````"


def test_what_is_not_to_be_seen_is_spelled_out_in_code() -> None:
    assert neutralise("```\nif x:\u202e # ok\n```") == "```\nif x:\\u202e # ok\n```"
    assert fence("a\u200b\u2060\U000e0101b") == "```python\na\\u200b\\u2060\\U000e0101b\n```"
    assert legible("'\u26a0\ufe0f \u26a0\ufe0f\ufe0f a\ufe0f é ☃'") == "'\u26a0\ufe0f \u26a0\ufe0f\\ufe0f a\\ufe0f é ☃'"


@given(st.text(st.sampled_from([chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) == "Cf"])))
def test_legible_code_has_no_mark_that_is_drawn_as_nothing(text: str) -> None:
    drawn = {"ARABIC", "SYRIAC", "KAITHI", "EGYPTIAN"}  # signs around numbers, and of a script's layout
    assert {unicodedata.name(mark).split()[0] for mark in legible(text) if not mark.isprintable()} <= drawn


@given(st.text())
def test_what_is_visible_grows_only_at_its_end(text: str) -> None:
    shown = visible(text)
    for cut in range(0, len(text), 7):
        if text[cut - 1 : cut + 1] != "\r\n":
            assert shown.startswith(visible(text[:cut]).rstrip("\n"))


@given(st.lists(st.sampled_from(["\x1b", "[", "3", "m", "]", "\x07", "\\", "a", "\r", "\n", "P", "\x9b"]), max_size=12))
def test_escapes_cut_in_two_are_never_shown(pieces: list[str]) -> None:
    text = "".join(pieces)
    shown = visible(text)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)
    for cut in range(len(text)):
        assert shown.startswith(visible(text[:cut]).rstrip("\n"))


@given(
    st.lists(st.sampled_from(["word ", "\n", "\n\n", "```\n", "~~~\n", "> ", "- ", "    ", "x"]), max_size=60).map(
        "".join
    )
)
def test_parts_only_change_at_the_end_while_a_text_grows(text: str) -> None:
    whole = parts(text, 12, doubling=2)
    for cut in range(0, len(text), 3):
        before = parts(text[:cut], 12, doubling=2)[:-1]
        assert whole[: len(before)] == before


def test_parts_lose_nothing_and_keep_fences_whole() -> None:
    text = "\n\n".join(f"Paragraph {n}\n\n```python\na\n\nb = {n}\n```" for n in range(200))
    cut = parts(text, 300)
    assert "".join("".join(part.split()) for part in cut) == "".join(text.split())
    assert all(part.count("```") % 2 == 0 for part in cut)
    assert 5 < len(cut) < 40


@given(st.text())
def test_our_own_markdown_shows_any_text(text: str) -> None:
    markdown_it = pytest.importorskip("markdown_it")
    render = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render
    for made in (escape(text), code_span(text), fence(text), "|a|\n|-|\n|" + escape(text) + "|"):
        assert perils(render(made)) == []
    assert [tag for tag in perils(render(details(text, "x"))) if tag not in {"<details>", "<summary>"}] == []


UNITS = [
    *[
        "<",
        "<a",
        "![",
        "](",
        "](http://a",
        "](http://a(",
        '](http://a "',
        "[a]: http://b",
        "[",
        "$",
        "$$",
        "`",
        "```\n",
    ],
    *["~~~\n", "> ", "> ```\n", "- ```\n", " ", "\n", "https://a$", "<a@", "\x1b[", "\x1b]", "\\begin{", "!", "](\n"],
]


@pytest.mark.parametrize("unit", UNITS)
def test_time_is_linear(unit: str) -> None:
    """Eight times the text takes well below the 64 times of a quadratic reading."""

    def seconds(length: int) -> float:
        text = unit * (length // len(unit))
        started = time.process_time()
        neutralise(text)
        return time.process_time() - started

    short = min(seconds(8_000) for _ in range(3))
    long = min(seconds(64_000) for _ in range(3))
    assert long < 30 * short + 0.05
