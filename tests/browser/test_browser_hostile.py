"""What a hostile model, its code or a hostile table writes does nothing in the page; the same, shown as it is, strikes.

``hostile.json`` has the payloads. In each, ``alert(1)`` is what a script would do and ``evil.example`` what a request
would go to; both get the payload's number, so that a failure says which one got through.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter

from magic_ext.frontend.bundles import CELLS_MIME

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

SETUP = "%load_ext magic_ext"
NOTEBOOK = "window.jupyterapp.shell.currentWidget.content"
KINDS: dict[str, list[str]] = json.loads(Path(__file__).with_name("hostile.json").read_text())
PAYLOADS = [
    payload.replace("alert(1)", f"alert({number})").replace("evil.example", f"p{number}.evil.example")
    for number, payload in enumerate((text for texts in KINDS.values() for text in texts), start=1)
]
BATCH = 20  # payloads a question: JupyterLab shows 50 outputs of a cell
BATCHES = [PAYLOADS[at : at + BATCH] for at in range(0, len(PAYLOADS), BATCH)]

# What no output of ours may hold, whatever it was made of.
STRANGERS = """(area) => [...area.querySelectorAll("*")].filter((one) => {
    const tags = "SCRIPT IFRAME OBJECT EMBED LINK STYLE META BASE FORM VIDEO AUDIO SOURCE SVG MATH BUTTON INPUT";
    const ours = one.closest(
        ".gemini-exec-buttons, .gemini-exec-follow-up, .jp-OutputPrompt, .jp-OutputArea-promptOverlay, mjx-container"
    );
    const strange = ({ name, value }) =>
        /^(on|data-commandlinker|srcset|ping|poster|background|formaction)/.test(name) ||
        (name === "style" && /url|image|position: *fixed/.test(value)) ||
        (name === "href" && !/^(https?:|mailto:|#)/i.test(value) && one.textContent !== value) ||
        (name === "src" && !/^data:image\\/png/.test(value));
    return !ours && (tags.split(" ").includes(one.tagName.toUpperCase()) || [...one.attributes].some(strange));
}).map((one) => one.outerHTML.slice(0, 200))"""

# The steps that a script cannot hold, through the same layout: citations, searches, functions, figures, errors.
OTHER_STEPS = """
import base64, json
from magic_ext.frontend.layout import layout
from magic_ext.frontend.renderers.base import publish
from magic_ext.wire.content import Annotation, Image, RawContent, Text
from magic_ext.wire.steps import *

pixel = base64.b64encode(b"\\x89PNG\\r\\n\\x1a\\n" + bytes(40)).decode()
payloads = json.load(open("payloads.json"))
def cited(text):
    return Annotation(type="url_citation", start_index=0, end_index=4, url="https://a.example/" + text, title=text)
steps = []
for n, text in enumerate(payloads):
    steps.append(FunctionCall(str(n), text, {text: text}))
    steps.append(FunctionResult(str(n), text, text, n % 2 == 0))
    steps.append(FunctionResult("?", text, [{"type": "text", "text": text}]))
    steps.append(RawStep({"type": text, "name": text, text: text}))
    steps.append(RawStep({"type": "google_search_call", "arguments": {"queries": [text]}}))
    steps.append(RawStep({"type": "google_search_result", "result": [{"search_suggestions": text}]}))
    steps.append(ModelOutput((RawContent({"type": text}), Text("Here " + text, (cited(text),))), {"message": text}))
pictures = (Image(data=pixel), Image(uri=payloads[1]))
drawn = [CodeExecutionCall("1", f"plt.title({payloads[0]!r})"), CodeExecutionResult("1", pictures)]
for batch in (drawn, steps):
    for output in layout(batch):
        publish(output)
"""

# Columns, values and a file's name.
TABLE = """
import pandas as pd
printable = [text for text in payloads if text.isprintable()]
frame = pd.DataFrame({text: [text, "x", text] for text in printable})
named = pd.DataFrame({"kind": printable, "size": range(len(printable))})
"""
FILE = "<img src=x onerror=alert(0)> ![a](http:evil.example) `x`.csv"
TABLE += f"open({FILE!r}, 'w').write('a,b\\n1,2\\n')"
QUESTIONS = [
    "%%gemini_exec -m offline-planner\nMean size by kind in @named.",
    "%%gemini_exec -m offline-planner\nMissing values per column of @frame.",
    "%%gemini_exec -m offline-planner --dry-run\nLook at @frame:head(2) and @named:full.",
    f'%%gemini_exec -m offline-planner\nHow many rows has @"{FILE}"?',
]


@pytest.fixture(params=["lab", "notebook"])
def front(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(request.param)


def saying(batch: list[str]) -> list[Any]:
    """A turn that says each payload as a thought and as a text."""
    return [[[part for text in batch for part in ({"thought": text}, {"text": text})]]]


def running(batches: list[list[str]]) -> list[Any]:
    """A turn of code that holds the payloads, prints them, and shows them in every way that IPython has."""
    return [[[{"code": _code(batch)}] for batch in batches]]


def _code(batch: list[str]) -> str:
    lines = [line for text in batch for line in text.split("\n") if "\0" not in line and "\r" not in line]
    return "\n".join(
        [
            *(f"# {line}" for line in lines),
            "from IPython.display import HTML, Javascript, Markdown, display",
            f"for text in {batch!r}:",
            "    print(text)",
            "    display(HTML(text), Javascript('alert(0)'), Markdown(text))",
        ]
    )


def safe(front: Any, name: str) -> list[str]:
    """Run all payloads through the real renderer; the cells that show them."""
    scripts = [*map(saying, BATCHES), running(BATCHES)]
    for number, script in enumerate(scripts):
        (front.folder / f"hostile-{number}.json").write_text(json.dumps(script))
    (front.folder / "payloads.json").write_text(json.dumps(PAYLOADS))
    asked = [f"%%gemini_exec -m scripted:hostile-{n}.json --show-thoughts\nGo on." for n, _ in enumerate(scripts)]
    cells = front.write(name, [SETUP, OTHER_STEPS, *asked, TABLE, *QUESTIONS])
    front.open(name)
    front.menu("Run", "Run All Cells")
    front.wait_for(cells)
    return cells[1:]


def raw(front: Any, name: str) -> list[str]:
    """Show the payloads as they are, but for those that leave no page, or no export, to look at; the cells that do."""
    shown = [text for text in PAYLOADS if not re.search("<base|<meta|<style>[*]|attachment:", text)]
    show = "from IPython.display import publish_display_data\n"
    show += "for text in {0!r}:\n    publish_display_data({{'text/markdown': text, 'text/plain': text}})"
    cells = front.write(name, [show.format(shown[at : at + 45]) for at in range(0, len(shown), 45)])
    front.open(name)
    front.menu("Run", "Run All Cells")
    front.wait_for(cells)
    return cells


def struck(alerts: list[Any], requests: list[str]) -> tuple[set[str], set[str]]:
    """The payloads that ran a script, and those that let a request out."""
    asked = (re.search(r"//p(\d+)\.evil\.example", url) for url in requests)
    return {str(number) for number in alerts}, {found[1] for found in asked if found}


def unseen(text: str) -> list[str]:
    return [char for char in text if unicodedata.category(char) in {"Cf", "Cc"} and char != "\n"]


def exported(notebook: Any, folder: Path, new_page: Callable[..., Any]) -> tuple[Any, list[Any], list[str]]:
    """The notebook as nbconvert's HTML, opened; with it what ran, and what it asked for that no other page does."""
    page = new_page()
    alerts: list[Any] = []
    asked: list[str] = []
    page.context.route(re.compile("^https?:"), lambda route: route.abort())
    page.context.expose_function("alert", lambda what: alerts.append(what))
    page.on("request", lambda request: asked.append(request.url))
    usual: list[str] = []
    for name, content in {"empty": nbformat.v4.new_notebook(), "exported": notebook}.items():
        usual, asked[:] = asked[:], []
        (folder / f"{name}.html").write_text(HTMLExporter().from_notebook_node(content)[0], "utf-8", "replace")
        page.goto((folder / f"{name}.html").as_uri())
    return page, alerts, [url for url in asked if url not in usual and not url.startswith(("file:", "data:"))]


def test_nothing_strikes(front: Any, new_page: Callable[..., Any], tmp_path: Path) -> None:
    for cell in safe(front, "hostile.ipynb"):
        outputs = front.outputs(cell)
        assert outputs.evaluate(STRANGERS) == []
        for code in outputs.locator(".gemini-exec-block code").all_text_contents():
            assert unseen(code) == []
        for output in front.bundles(cell):
            for inserted in output.get("data", {}).get(CELLS_MIME, {}).get("cells", ()):
                assert unseen(inserted["source"]) == []
    assert struck(front.alerts, front.stopped) == (set(), set())

    page, alerts, asked = exported(front.save("hostile.ipynb"), tmp_path, new_page)
    for outputs in page.locator(".jp-OutputArea-output").all():
        assert outputs.evaluate(STRANGERS) == []
    assert (alerts, asked) == ([], [])
    page.context.close()


def test_the_same_strikes_where_it_is_shown_as_it_is(front: Any, new_page: Callable[..., Any], tmp_path: Path) -> None:
    cells = raw(front, "raw.ipynb")
    for cell in cells:
        front.cell(cell).wait_for()  # scrolled to
    assert_strikes(front.page, front.alerts, front.stopped)
    page, alerts, requests = exported(front.save("raw.ipynb"), tmp_path, new_page)
    assert_strikes(page, alerts, requests)
    page.context.close()
    for noted in (front.alerts, front.stopped, front.complaints):
        noted.clear()


def test_pasted_code_shows_what_is_not_to_be_seen(front: Any) -> None:
    code = "level = 'user\u202e\u2066'  # \u200badm\u00adin\ufe0f \u26a0\ufe0f"
    (front.folder / "unseen.json").write_text(json.dumps([[[{"code": code}], [{"text": "Done."}]]]))
    cells = front.write("unseen.ipynb", [SETUP, "%%gemini_exec -m scripted:unseen.json --paste\nGo on."])
    front.open("unseen.ipynb")
    front.menu("Run", "Run All Cells")
    front.wait_for(cells)
    front.page.wait_for_function(f"{NOTEBOOK}.model.cells.length === 3")
    (pasted,) = set(front.ids()) - set(cells)
    assert front.source(pasted) == r"level = 'user\u202e\u2066'  # \u200badm\u00adin\ufe0f " + "\u26a0\ufe0f"


def assert_strikes(page: Any, alerts: list[Any], requests: list[str]) -> None:
    """Scripts run and requests leave: waits for more than a few of each, in vain if they do not."""
    for _ in range(600):
        if all(len(each) > 20 for each in struck(alerts, requests)):
            return
        page.wait_for_timeout(100)
    raise AssertionError(struck(alerts, requests))
