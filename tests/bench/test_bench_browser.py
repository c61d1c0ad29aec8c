"""An answer of 100 kB that streams into JupyterLab: the page draws nearly as many frames a second as when idle.

The ratio is asserted, the frames are printed (``pytest tests/bench -s``): headless Chromium draws 60 a second at most.
While the text grows nothing of it flickers: no output is ever emptied, and the answer never jumps back.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

_SPEC = importlib.util.spec_from_file_location("fronts", Path(__file__).parents[1] / "browser" / "conftest.py")
assert _SPEC and _SPEC.loader
_fronts = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_fronts)
chromium, server, _browser, new_page = _fronts.chromium, _fronts.server, _fronts._browser, _fronts.new_page
_lab, lab = _fronts._lab, _fronts.lab

AS_SMOOTH = 50 / 60  # frames a second while the answer comes, of those of an idle page
SECONDS = 8
DELTAS_A_SECOND = 40
JUMP = 60  # pixels that an answer may shrink by as its end takes shape: of two lines a table is made
SECTION = """## Section {n}

The mean of column *{n}* is **{n}.25**, as `describe()` says; see [the table](https://example.org/{n}). It grows with
each step, and the residuals $r_i = y_i - a\\,x_i$ stay small, as the words of this paragraph say at some length.

1. First, the rows with missing values are left out.
2. Then the rest is grouped, and the groups are counted.

```python
grouped = frame[frame["value_{n}"].notna()].groupby("kind")
print(grouped["value_{n}"].agg(["mean", "median", "std"]).round(2))
```

| kind | mean | median |
|:-----|-----:|-------:|
| a    | {n}.1 | {n}.2 |
| b    | {n}.3 | {n}.4 |

"""
TEXT = "".join(SECTION.format(n=n) for n in range(200))[:100_000]
COUNT = """() => {
    window.frames = [];
    const frame = () => { window.frames.push(Date.now()); requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
}"""
# Heights as they are painted; the page follows the end of the answer, as a reader does.
WATCH = """area => {
    window.heights = [];
    window.empty = 0;
    new ResizeObserver(() => {
        window.heights.push(area.offsetHeight);
        window.empty += [...area.querySelectorAll(".jp-RenderedMarkdown")].filter((one) => !one.offsetHeight).length;
    }).observe(area);
    setInterval(() => area.scrollIntoView({ block: "end" }), 500);
    return Date.now();
}"""


def per_second(page: Any, start: int, end: int) -> list[int]:
    """The frames that a page drew in each whole second between two times."""
    frames = page.evaluate("window.frames")
    return [sum(at <= frame < at + 1000 for frame in frames) for at in range(start, end - 999, 1000)]


def stream(faults: Any) -> Callable[[Any], None]:
    """A server's script: the text, in small pieces, over some seconds."""
    size = -(-len(TEXT) // (SECONDS * DELTAS_A_SECOND))

    def script(to: Any) -> None:
        to.send(faults.STREAM_HEAD)
        to.send(faults.chunk(faults.sse(faults.CREATED, faults.START)))
        for at in range(0, len(TEXT), size):
            delta = {"type": "text", "text": TEXT[at : at + size]}
            to.send(faults.chunk(faults.sse({**faults.DELTA, "delta": delta})))
            time.sleep(1 / DELTAS_A_SECOND)
        to.send(faults.chunk(faults.sse(faults.STOP, faults.COMPLETED) + faults.DONE) + b"0\r\n\r\n")

    return script


def test_an_answer_of_100_kB_is_smooth(
    lab: Any, new_page: Callable[..., Any], serve: Callable[..., Any], faults: Any
) -> None:
    url = serve(stream(faults)).url
    keys = f"import os; os.environ.update(GEMINI_API_KEY='a-local-key', GOOGLE_GEMINI_BASE_URL={url!r})"
    ask = "%%gemini_exec -m gemini-3-flash-preview --no-code --cache off\nWrite."
    setup, asked = lab.write("long.ipynb", [f"{keys}\n%load_ext magic_ext", ask])
    lab.open("long.ipynb")
    lab.run(setup)
    lab.wait_for([setup])
    idle = new_page()  # at the same time, so that what else the machine does slows both
    for page in (idle, lab.page):
        page.evaluate(COUNT)
    lab.run(asked)
    area = lab.cell(asked).locator(".jp-Cell-outputArea")
    area.locator(".jp-RenderedMarkdown").first.wait_for()
    start = lab.page.evaluate(WATCH, area.element_handle())
    lab.wait_for([asked])
    end = lab.page.evaluate("Date.now()")
    calm, busy = per_second(idle, start, end), per_second(lab.page, start, end)
    heights = lab.page.evaluate("window.heights")
    print(f"\n{len(TEXT):,} characters in {(end - start) / 1000:.1f} s, drawn {len(heights)} times")
    print(f"frames in each second: {busy}, slowest {min(busy)}; of an idle page meanwhile: {calm}")
    idle.context.close()

    assert TEXT[-200:].strip()[-20:] in area.text_content()
    assert len(heights) > SECONDS, "it came bit by bit"
    assert lab.page.evaluate("window.empty") == 0
    assert max(before - after for before, after in pairwise(heights)) < JUMP
    assert statistics.median(busy) >= AS_SMOOTH * statistics.median(calm)
