"""Hostile Markdown, rendered by real parsers: CommonMark's, nbconvert's and JupyterLab's own with its math passes."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magic_ext.markdown import code_span, details, escape, fence, neutralise, parts, visible

IMG = "<img src=x onerror=alert(1)>"
OUT = "onmouseover=alert(1) x"

PAYLOADS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=http://evil.example/x.js></SCRIPT>",
    IMG,
    f"text {IMG} text",
    f"- item {IMG}",
    f"> quote {IMG}",
    f"# head {IMG}",
    f"| a | b |\n|---|---|\n| {IMG} | `x` |",
    f"`{IMG}`",
    f"    {IMG}",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<style>@import 'http://evil.example/x.css'</style>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "<form action=http://evil.example><button>x</button></form>",
    "<base href=http://evil.example/>",
    "<!-- <img src=x onerror=alert(1)> -->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?>",
    "<!DOCTYPE html>",
    "</div><script>alert(1)</script>",
    "<\x00script>alert(1)</script>",
    "<scr\x00ipt>alert(1)</script>",
    "<\u00adscript>alert(1)</script>",
    "<img\nsrc=x\nonerror=alert(1)>",
    "<div>\n\n" + IMG + "\n\n</div>",
    f'```python"><img src=x onerror=alert(1)>\nx\n```\n{IMG}',
    f"``` {IMG}\nx\n```",
    f'~~~ "onmouseover=alert(1)\nx\n~~~\n{IMG}',
    f"```\n{IMG}",
    f"- ```\n  x\n{IMG}",
    f"> ```\n> x\n{IMG}",
    f"1. ~~~\n{IMG}\n",
    f"````\n```\n{IMG}\n````\n{IMG}",
    f"```\nx\n``` not closed\n{IMG}",
    f"    ```\n{IMG}\n    ```\n{IMG}",
    f"\\begin{{x}}\n~~~\n\\end{{x}}\n{IMG}\n~~~\n{IMG}",
    f"$ ```\n$\n{IMG}\n```\n{IMG}",
    f"$$\n\n```\n$$\n{IMG}\n```",
    f"\\\\[\n\n```\n\\\\]\n{IMG}\n```",
    f'```a$"{OUT}$```$x$',
    f'  ```a$```$"{OUT}$\nx',
    "![a](http://evil.example/x.png)",
    "![a](<http://evil.example/x.png>)",
    "![a](http://evil.example/x.png 'title')",
    "![a\nb](http://evil.example/x.png)",
    "![a][r]\n\n[r]: http://evil.example/x.png",
    '![r]\n\n[r]: <http://evil.example/x.png> "t"',
    "![r][]\n\n[r]:\n  http://evil.example/x.png",
    "[![a](http://evil.example/x.png)](http://evil.example)",
    "![![a](http://evil.example/x.png)](http://evil.example/y.png)",
    "!![](http://evil.example/x.png)",
    "<https://e.example/!>[a](http://evil.example/x.png)",
    "![a](//evil.example/x.png)",
    "![a](data:image/svg+xml;base64,PHN2Zz4=)",
    "![a](file:///etc/passwd)",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x]( javascript:alert(1) )",
    "[x](<javascript:alert(1)>)",
    "[x](java\nscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](&#x6A;avascript&colon;alert(1))",
    "[x](javascript&#58;alert(1))",
    "[x](\\javascript:alert(1))",
    "[x](vbscript:x)",
    "[x](data:text/html,<script>alert(1)</script>)",
    '[x](http://a "t" onmouseover=alert(1))',
    "[x][r]\n\n[r]: javascript:alert(1)",
    "[x][r]\n\n[r]:\n javascript:alert(1)",
    "> [r]: javascript:alert(1)\n\n[r]",
    "[^1]: javascript:alert(1)\n\n[^1]",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "ftp://evil.example/x and <ftp://evil.example/x>",
    "foo](http://x![a](javascript:alert(1)))",
    "[x <https://a](javascript:alert(1))>",
    f'[x](http://a/$"{OUT}$)',
    f"[x](http://a 't$\"{OUT}$')",
    f'[r]: http://a\n"t$" {OUT}="$"\n\n[r]',
    f'http://a/$"{OUT}$',
    f'www.a.example/$"{OUT}$',
    f'<http://a/$"{OUT}$>',
    f'http://a/\\\\("{OUT}\\\\)',
    f'http://a/\\begin{{x}}"{OUT}\\end{{x}}',
    f'http://a|<b@c.example>$"{OUT}$',
    f'[x](http://a/@@0@@) $"{OUT}$',
    "$\\href{javascript:alert(1)}{x}$",
    "$\\style{background:url(http://evil.example)}{x}$",
    "\u202e<script>alert(1)</script>",
    "\x1b]8;;javascript:alert(1)\x07x\x1b]8;;\x07",
    "```mermaid\nflowchart LR\n  a@{ img: 'http://evil.example/x.png' }\n```",
    "\ud800<script>\udfff",
    "<\u2028script>alert(1)</script>\u2028```\u2028" + IMG,
]

PIECES = [
    *[IMG, "<script>", "<!-- ", "-->", "<?x", "<![CDATA[", "</details>", "<details>", "<svg onload=x>", "<", ">"],
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


def test_bidirectional_overrides_are_spelled_out_in_code_too() -> None:
    assert "\u202e" not in neutralise("```\nif x:\u202e # ok\n```")
    assert "\\u202e" in neutralise("```\nif x:\u202e # ok\n```")


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
        started = time.perf_counter()
        neutralise(text)
        return time.perf_counter() - started

    short = min(seconds(8_000) for _ in range(3))
    long = min(seconds(64_000) for _ in range(3))
    assert long < 30 * short + 0.05
