"""How an answer looks: what is wide scrolls, what is long or failed is folded, in both themes, and without scripts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbconvert import HTMLExporter

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

SETUP = "%load_ext magic_ext"
SAID = r"""## Results

The fit is $y = a\,e^{-bx}$ with **a = 2.1** and *b* < 0.4:

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
FAILS = "import pandas as pd\npd.DataFrame({'a': [1]})['b']"
WORKS = """import matplotlib.pyplot as plt
print(" | ".join(f"column_{n:02d}" for n in range(60)))
for row in range(200):
    print("row", row)
plt.figure(figsize=(5, 2.5))
plt.plot([1, 3, 2])
plt.title("Sales by month")
plt.show()"""
SCRIPT = [
    [
        [{"thought": "I look at the **columns** first."}, {"text": "I try column b."}, {"code": FAILS}],
        [{"text": "It is called a."}, {"code": WORKS}],
        [{"text": SAID}],
    ]
]


@pytest.fixture
def answered(lab: Any) -> str:
    """A notebook whose second cell has an answer with everything in it."""
    (lab.folder / "looks.json").write_text(json.dumps(SCRIPT))
    setup, asked = lab.write("looks.ipynb", [SETUP, "%%gemini_exec -m scripted:looks.json --show-thoughts\nLook."])
    lab.open("looks.ipynb")
    lab.menu("Run", "Run All Cells")
    lab.wait_for([setup, asked])
    return str(asked)


def test_an_answer_is_to_be_read(lab: Any, answered: str, tmp_path: Path) -> None:
    outputs = lab.outputs(answered)
    assert outputs.locator("mjx-container").count() == 2
    alignment = outputs.locator("table td", has_text="1,200").evaluate("cell => getComputedStyle(cell).textAlign")
    assert alignment.endswith("right")
    wide = outputs.locator('[data-mime-type="text/plain"]', has_text="column_59")
    assert wide.evaluate("one => [one, ...one.children].some((each) => each.scrollWidth > each.clientWidth)")
    assert lab.page.evaluate("document.body.scrollWidth <= window.innerWidth")
    assert "characters left out; all of it: _gemini.results[1]" in wide.inner_text()
    assert outputs.locator("img").get_attribute("alt") == "Figure 1: Sales by month"
    folded = [summary.inner_text() for summary in outputs.locator("summary").all()]
    assert folded[1:] == ["Thoughts", "1 failed attempt"], "the receipt, and what is said in words, not in colours"
    assert not outputs.get_by_text("KeyError").first.is_visible()
    lab.leave()
    for name, theme in {"dark": "JupyterLab Dark", "light": "JupyterLab Light"}.items():
        lab.theme(theme)
        lab.cell(answered).screenshot(path=tmp_path / f"{name}.png", animations="disabled")


def test_an_exported_answer_needs_no_script(
    lab: Any, answered: str, new_page: Callable[..., Any], tmp_path: Path
) -> None:
    saved = lab.save("looks.ipynb")
    (tmp_path / "looks.html").write_text(HTMLExporter().from_notebook_node(saved)[0], "utf-8")
    page = new_page(java_script_enabled=False)
    page.goto((tmp_path / "looks.html").as_uri())
    outputs = page.locator(".jp-OutputArea").last
    assert outputs.locator("table td", has_text="1,200").is_visible()
    assert outputs.locator("pre", has_text="def fit").is_visible()
    assert outputs.get_by_text("column_00").is_visible()
    assert outputs.locator("img").is_visible()
    assert outputs.get_by_text("scripted:looks.json ·").is_visible()
    error = outputs.locator("details", has_text="1 failed attempt")
    assert not error.get_by_text("KeyError").first.is_visible()
    error.locator("summary").click()
    assert error.get_by_text("KeyError").first.is_visible()
    page.screenshot(path=tmp_path / "exported.png", full_page=True)
    page.context.close()
