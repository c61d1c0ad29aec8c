"""How an answer looks: what is wide scrolls, what is long or failed is folded, in both themes, and without scripts."""

from __future__ import annotations

import base64
import io
import re
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbconvert import HTMLExporter
from pypdf import PdfReader

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

REPOSITORY = Path(__file__).parents[2]
CONTRAST = 4.5  # WCAG 2.2, 1.4.3: of text against what is behind it
SAID = r"""## Results

The fit is $y = a\,e^{-bx}$ with **a = 2.1** and *b* < 0.4, as the handbook says.

$$\hat{b} = \arg\min_b \sum_{i=1}^{n} \left(y_i - a\,e^{-b x_i}\right)^2$$

| city | sales | share |
|:-----|------:|:-----:|
| Köln | 1,200 |  61 % |
| Bonn |   767 |  39 % |

1. `fit` does it; see [the docs](https://example.org/docs).
2. A second step.

```python
def fit(x, y):
    return x @ y
```

> A remark.
"""
PAGE = {"type": "url_citation", "url": "https://handbook.example/fits", "title": "A handbook of fits"}
CITED = {**PAGE, "start_index": SAID.encode().index(b"as the"), "end_index": SAID.encode().index(b" says.") + 5}
WORKS = 'table = sales.groupby("month").sum()\nprint(table.to_string())\nplt.title("Sales by month")\nplt.plot(table)'
WIDE = "\n".join(" | ".join(f"{word}_{n:02d}" for n in range(60)) for word in ("column", "number"))
PRINTED = "\n".join([WIDE, *(f"row {n} of the table" for n in range(200))])
VERY_LONG = "\n".join(f"line {n}" for n in range(5000))
ERROR = "Traceback (most recent call last):\n  File \"<code>\", line 1, in <module>\n{}: 'b'"


def figure() -> str:
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(5, 2.5))
    drawn.add_subplot(title="Sales by month").plot([1, 3, 2])
    picture = io.BytesIO()
    drawn.savefig(picture, format="png")
    return base64.b64encode(picture.getvalue()).decode()


def ran(number: int, code: str, printed: str, *, failed: bool = False) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    call = {"type": "code_execution_call", "arguments": {"code": code, "language": "python"}}
    result = {"type": "code_execution_result", "result": printed, "is_error": failed}
    return [
        ({"type": "code_execution_call", "id": f"c{number}"}, call),
        ({"type": "code_execution_result", "call_id": f"c{number}"}, result),
    ]


def answer() -> list[dict[str, Any]]:
    """The events of an answer with everything in it."""
    thought = {"type": "thought_summary", "content": {"type": "text", "text": "I look at the **columns** first."}}
    says = {"type": "model_output"}
    steps = [
        ({"type": "thought"}, thought),
        (says, {"type": "text", "text": "I try column b."}),
        *ran(1, 'sales["b"].plot()', ERROR.format("KeyError"), failed=True),
        *ran(2, "sales.b.plot()", ERROR.format("AttributeError"), failed=True),
        (says, {"type": "text", "text": "It is called a."}),
        *ran(3, WORKS, PRINTED),
        (says, {"type": "image", "data": figure(), "mime_type": "image/png"}),
        (says, {"type": "text", "text": SAID}),
        *ran(4, "print(log)", VERY_LONG),
        *ran(5, 'table.loc["b"]', ERROR.format("KeyError"), failed=True),
    ]
    head = {"id": "v1_a", "model": "gemini-3-flash-preview", "status": "in_progress"}
    events: list[dict[str, Any]] = [{"event_type": "interaction.created", "interaction": head}]
    for index, (start, delta) in enumerate(steps):
        events.append({"event_type": "step.start", "index": index, "step": start})
        events.append({"event_type": "step.delta", "index": index, "delta": delta})
        if delta.get("text") == SAID:
            cited = {"type": "text_annotation_delta", "annotations": [CITED]}
            events.append({"event_type": "step.delta", "index": index, "delta": cited})
        events.append({"event_type": "step.stop", "index": index})
    return [*events, {"event_type": "interaction.completed", "interaction": {**head, "status": "completed"}}]


@pytest.fixture
def answered(lab: Any, serve: Callable[..., Any], faults: Any) -> str:
    """A notebook whose second cell has an answer with everything in it."""
    server = serve(faults.streamed(faults.sse(*answer()), faults.DONE))
    keys = f"import os; os.environ.update(GEMINI_API_KEY='a-local-key', GOOGLE_GEMINI_BASE_URL={server.url!r})"
    ask = "%%gemini_exec -m gemini-3-flash-preview --show-thoughts --cache off\nWhich month sold most?"
    setup, asked = lab.write("looks.ipynb", [f"%load_ext magic_ext\n{keys}", ask])
    lab.open("looks.ipynb")
    lab.menu("Run", "Run All Cells")
    lab.wait_for([setup, asked])
    return str(asked)


def test_an_answer_is_to_be_read(lab: Any, answered: str, tmp_path: Path) -> None:
    outputs = lab.outputs(answered)
    assert outputs.locator("mjx-container").count() == 2
    alignment = outputs.locator("table td", has_text="1,200").evaluate("cell => getComputedStyle(cell).textAlign")
    assert alignment.endswith("right")
    assert outputs.get_by_role("link", name="A handbook of fits").get_attribute("href") == PAGE["url"]
    assert "says[¹]." in outputs.inner_text() or "says.[¹]" in outputs.inner_text()
    wide_scrolls_and_long_folds(lab, outputs)
    assert outputs.locator("img").get_attribute("alt") == "Figure 1: Sales by month"
    folded = [summary.inner_text() for summary in outputs.locator("summary").all()][1:]
    assert folded == ["Thoughts", "2 failed attempts", "182 more lines", "981 more lines"], "in words, not in colours"
    assert not outputs.get_by_text("AttributeError").first.is_visible()
    assert outputs.get_by_text("The code failed:").is_visible()
    photographs(lab, answered, tmp_path)


def wide_scrolls_and_long_folds(lab: Any, outputs: Any) -> None:
    wide = outputs.locator('div[style*="overflow-x"]', has_text="column_59")
    assert wide.evaluate("one => one.scrollWidth > 2 * one.clientWidth")
    assert wide.locator("pre").evaluate("one => one.offsetHeight") < 21 * 24, "no line of it is broken"
    assert lab.page.evaluate("document.body.scrollWidth <= window.innerWidth")
    fold = outputs.locator("details", has_text="row 199 of")
    last = fold.get_by_text("row 199 of")
    assert outputs.get_by_text("row 17 of").is_visible() and not last.is_visible()
    fold.locator("summary").click()
    assert last.is_visible()
    fold.locator("summary").click()
    assert "characters left out; all of it: _gemini.results[3]" in outputs.locator("details").last.text_content()


CONTRASTS = """(area) => {
    const parsed = (color) => color.match(/[\\d.]+/g).map(Number);
    const over = ([r, g, b, a = 1], below) => [r, g, b].map((one, n) => one * a + below[n] * (1 - a));
    const behind = (one) => {
        const layers = [];
        for (let at = one; at; at = at.parentElement) layers.push(parsed(getComputedStyle(at).backgroundColor));
        return layers.reverse().reduce((below, color) => over(color, below), [255, 255, 255]);
    };
    const channel = (c) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    const luminance = (color) => 0.2126 * channel(color[0]) + 0.7152 * channel(color[1]) + 0.0722 * channel(color[2]);
    const ratio = (color, ground) => {
        const [low, high] = [luminance(over(color, ground)), luminance(ground)].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    };
    const shown = (one) => one.checkVisibility() && getComputedStyle(one).visibility === "visible";
    const texts = [...area.querySelectorAll("*")].filter((one) => shown(one) &&
        [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()));
    const pairs = texts.map((one) => [one, getComputedStyle(one).color]);
    for (const field of area.querySelectorAll("input"))
        pairs.push([field, getComputedStyle(field, "::placeholder").color]);
    return pairs.map(([one, color]) => [
        `${one.tagName}.${one.className} ${one.textContent.slice(0, 30)}`,
        Math.round(ratio(parsed(color), behind(one)) * 100) / 100,
        Boolean(one.closest("pre code span, mjx-container")), // JupyterLab's own colours of code and formulas
    ]);
}"""


def photographs(lab: Any, cell: str, folder: Path) -> None:
    """The answer in both themes, with enough contrast in both."""
    lab.leave()
    usual = lab.page.viewport_size
    lab.page.set_viewport_size({**usual, "height": 3000})
    for name, theme in {"dark": "JupyterLab Dark", "light": "JupyterLab Light"}.items():
        lab.theme(theme)
        contrasts = lab.outputs(cell).evaluate(CONTRASTS)
        assert len([1 for *_, borrowed in contrasts if not borrowed]) > 30
        assert [found for found in contrasts if found[1] < CONTRAST and not found[2]] == [], theme
        lab.cell(cell).screenshot(path=folder / f"looks-{name}.png", animations="disabled")
    lab.page.set_viewport_size(usual)


def test_an_exported_answer_needs_no_script(
    lab: Any, answered: str, new_page: Callable[..., Any], chromium: str, tmp_path: Path
) -> None:
    saved = lab.save("looks.ipynb")
    (tmp_path / "looks.html").write_text(HTMLExporter().from_notebook_node(saved)[0], "utf-8")
    page = new_page(java_script_enabled=False)
    page.goto((tmp_path / "looks.html").as_uri())
    outputs = page.locator(".jp-OutputArea").last
    assert outputs.locator("table td", has_text="1,200").is_visible()
    assert outputs.locator("pre", has_text="def fit").is_visible()
    wide = outputs.locator('div[style*="overflow-x"]', has_text="column_59")
    assert wide.evaluate("one => one.scrollWidth > 2 * one.clientWidth")
    assert outputs.locator("img").is_visible()
    assert outputs.get_by_text("gemini-3-flash-preview ·").is_visible()
    for fold, inside in {"2 failed attempts": "AttributeError", "182 more lines": "row 199 of"}.items():
        folded = outputs.locator("details", has_text=fold)
        assert not folded.get_by_text(inside).first.is_visible()
        folded.locator("summary").click()
        assert folded.get_by_text(inside).first.is_visible()
    page.screenshot(path=tmp_path / "exported.png", full_page=True)
    page.context.close()
    on_paper_it_is_whole(saved, chromium, tmp_path)


def on_paper_it_is_whole(saved: Any, chromium: str, folder: Path) -> None:
    """As the README says: with this package's template, printed by a browser."""
    templates = [str(REPOSITORY / "magic_ext" / "templates")]
    exporter = HTMLExporter(template_name="gemini-exec", extra_template_basedirs=templates)
    exported = exporter.from_notebook_node(saved)[0]
    assert exported.count("<img") == exported.count('<img alt="Figure 1: Sales by month"') == 1
    (folder / "paper.html").write_text(exported, "utf-8")
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
    offline = ["--host-resolver-rules=MAP * ~NOTFOUND", f"--print-to-pdf={folder / 'paper.pdf'}"]
    subprocess.run([*command, *offline, folder / "paper.html"], check=True, capture_output=True, timeout=120)
    pages = PdfReader(folder / "paper.pdf").pages
    told = re.sub(r"\s+", "", unicodedata.normalize("NFKC", "".join(page.extract_text() for page in pages)))
    for expected in (
        *("I try column b.", "1,200", "def fit(x, y):", 'sales["b"].plot()', "AttributeError: 'b'", "column_59"),
        *("row 199 of the table", "line 4999", "The code failed:", "A handbook of fits", "gemini-3-flash-preview ·"),
    ):
        assert expected.replace(" ", "") in told, expected
    assert sum(len(page.images) for page in pages) == 1
