"""What a screen reader says of a question: that it goes on, now and then, and how it ended."""

from __future__ import annotations

import json
from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

BUSY = "import time\nfor n in range(60):\n    print('step', n, flush=True)\n    time.sleep(0.05)"
SCRIPT = [
    [[{"text": "I count."}, {"code": BUSY}], [{"text": "Counted."}]],
    [[{"text": "I count again."}, {"code": BUSY}], [{"error": "The model is gone."}]],
]
LISTEN = """() => {
    window.voice = document.querySelector('body > [role="status"].gemini-exec-said');
    window.said = [];
    new MutationObserver(() => window.said.push(window.voice.textContent)).observe(window.voice, { childList: true });
}"""


def test_a_screen_reader_is_told_what_goes_on_and_how_it_ended(lab: Any) -> None:
    (lab.folder / "spoken.json").write_text(json.dumps(SCRIPT))
    ask = "%%gemini_exec -m scripted:spoken.json\nCount."
    setup, asked, failing = lab.write("spoken.ipynb", ["%load_ext magic_ext", ask, ask.replace("\n", " -c\n")])
    lab.open("spoken.ipynb")
    lab.page.evaluate(LISTEN)
    lab.run(setup)
    for cell, end in {asked: "The answer is there.", failing: "The question failed."}.items():
        lab.page.evaluate("window.said.length = 0")
        lab.run(cell)
        lab.page.wait_for_function("/^The (answer|question) /.test(window.said.at(-1))")
        said = lab.page.evaluate("window.said")
        assert said[-1] == end
        assert len(said) >= 2 and all(said), "that it goes on, and that it has ended"
        assert len(said) <= 6, "not each of sixty lines"
    assert lab.page.evaluate("window.voice.isConnected && window.voice.getBoundingClientRect().width <= 1")
    outputs = lab.outputs(failing)
    assert "The model is gone." in outputs.inner_text(), "an error is told in words"
