"""JupyterLab and Notebook 7 as a reader starts them, and a Chromium that clicks in them.

One server a run and one page a module: starting them costs more than most tests. Each test opens a notebook of its own,
with a kernel of its own. Everything that would leave this computer is stopped and noted, and so is every ``alert()``.
"""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest

REPOSITORY = Path(__file__).parents[2]
OLDEST = ("jupyterlab==4.2.*", "notebook==7.2.*", "ipywidgets")
_TOKEN = "a-token"
PATIENCE = 90_000  # milliseconds until a test that hangs gives up; no result depends on it
_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--no-first-run"),
)
_ELSEWHERE = re.compile(r"https?://(?!127\.0\.0\.1[:/])")
_JUPYTERLABS_OWN = (
    "Could not restore the debugger state",  # of a kernel that ends early
    "Cannot set properties of undefined (setting 'isRunning')",  # 4.2: a table of contents that is closed meanwhile
)
_CURRENT = "window.jupyterapp.shell.currentWidget"
_DONE = f"""(ids) => {{
    const panel = {_CURRENT};
    const cells = [...panel.content.model.cells].filter((cell) => ids.includes(cell.id));
    const ended = cells.length === ids.length && cells.every((cell) => cell.executionCount !== null);
    return ended && panel.sessionContext.kernelDisplayStatus === "idle";
}}"""
_DRAWN = """([area, count]) => {
    const outputs = [...area.querySelectorAll(".jp-OutputArea-output")];
    return outputs.length >= count && outputs.every((output) => output.hasChildNodes());
}"""


class Lab:
    """JupyterLab in a browser: menus, keys and buttons to act; the page and the notebook's model to look."""

    def __init__(self, page: Any, served: Served) -> None:
        self.page = page
        self.folder = served.folder
        self.complaints: list[str] = []
        self.stopped: list[str] = []
        self.alerts: list[Any] = []
        self._url = served.url
        page.set_default_timeout(PATIENCE)
        page.context.expose_function("alert", lambda what: self.alerts.append(what))  # in every frame
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._complained(str(error)))
        page.on("request", lambda request: self._asked_for(request.url))
        page.on("websocket", lambda socket: self._asked_for(socket.url.replace("ws", "http", 1)))
        page.context.route(_ELSEWHERE, lambda route: route.abort())
        self.start()

    def start(self) -> None:
        """Open JupyterLab without its file browser."""
        self._go("lab")
        self.page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")

    def _go(self, path: str) -> None:
        self.page.goto(f"{self._url}{path}?token={_TOKEN}&reset")
        self.page.wait_for_function("window.jupyterapp?.restored.then(() => true)")

    def _said(self, message: Any) -> None:
        url = message.location.get("url", "")
        if message.type == "error" and not _ELSEWHERE.match(url):  # those elsewhere are in ``stopped``
            self._complained(f"{message.text} ({url})")

    def _complained(self, what: str) -> None:
        if not any(own in what for own in _JUPYTERLABS_OWN):
            self.complaints.append(what)

    def _asked_for(self, url: str) -> None:
        if _ELSEWHERE.match(url):
            self.stopped.append(url)

    # --- notebooks

    def write(self, name: str, cells: Sequence[str]) -> list[str]:
        """A notebook of these code cells in the server's folder; the cells' ids."""
        made = [nbformat.v4.new_code_cell(source, id=f"{Path(name).stem}-{n}") for n, source in enumerate(cells)]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=kernel), self.folder / name)
        return [cell["id"] for cell in made]

    def open(self, name: str) -> None:
        """Open a notebook and wait for its kernel."""
        self.page.evaluate("path => { window.jupyterapp.commands.execute('docmanager:open', {path}); }", name)
        self.page.wait_for_function(
            f"name => {_CURRENT}?.context?.path === name && {_CURRENT}.sessionContext.kernelDisplayStatus === 'idle'",
            arg=name,
        )

    def close(self) -> None:
        """End the kernel of the open notebook, and close it as it is on disk."""
        self.page.evaluate(
            f"""async () => {{
                const panel = {_CURRENT};
                if (!panel?.sessionContext) return;
                await panel.context.save();
                await panel.sessionContext.shutdown();
                panel.dispose();
            }}"""
        )

    def save(self, name: str) -> Any:
        """Save by the menu; the notebook as it is on disk then."""
        self.menu("File", "Save Notebook")
        self.page.wait_for_function(f"!{_CURRENT}.context.model.dirty")
        return nbformat.read(self.folder / name, as_version=4)

    # --- doing

    def menu(self, name: str, item: str) -> None:
        """Choose from the menu bar."""
        self.page.get_by_role("menuitem", name=name, exact=True).click()
        label = self.page.locator(".lm-Menu-itemLabel", has_text=re.compile(f"^{re.escape(item)}$"))
        self.page.locator(".lm-Menu-item", has=label).click()

    def run(self, cell: str) -> None:
        """Click into the cell and press Ctrl+Enter."""
        self.cell(cell).locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")

    def wait_for(self, cells: Sequence[str]) -> None:
        """Wait until these cells have run and the kernel rests."""
        self.page.wait_for_function(_DONE, arg=list(cells))

    def leave(self) -> None:
        """Make the first cell the active one and take the mouse away, so that no other is marked as being edited."""
        self.page.evaluate(f"{_CURRENT}.content.activeCellIndex = 0")
        self.page.mouse.move(0, 0)

    def theme(self, name: str) -> None:
        """Change to a theme and wait until the page wears it."""
        self.page.evaluate("theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", name)
        self.page.wait_for_function("name => document.body.dataset.jpThemeName === name", arg=name)

    # --- looking

    def ids(self) -> list[str]:
        """The ids of the notebook's cells, in order."""
        return list(self.page.evaluate(f"[...{_CURRENT}.content.model.cells].map((cell) => cell.id)"))

    def cell(self, cell: str) -> Any:
        """The cell on the page, scrolled to: JupyterLab takes out those that are far away."""
        index = self.ids().index(cell)
        self.page.evaluate(f"index => {_CURRENT}.content.scrollToItem(index, 'center')", index)
        return self.page.locator(f'.jp-Notebook-cell[data-windowed-list-index="{index}"]')

    def outputs(self, cell: str) -> Any:
        """What stands below the cell on the page; as many outputs as the notebook holds, all drawn."""
        area = self.cell(cell).locator(".jp-Cell-outputArea")
        count = len(self.bundles(cell))
        self.page.wait_for_function(_DRAWN, arg=[area.element_handle(), count])
        return area

    def source(self, cell: str) -> str:
        """The cell's text."""
        return str(self._of(cell, "sharedModel.source"))

    def bundles(self, cell: str) -> list[dict[str, Any]]:
        """The cell's outputs as the notebook holds them."""
        return list(self._of(cell, "outputs.toJSON()"))

    def _of(self, cell: str, what: str) -> Any:
        return self.page.evaluate(
            f"id => [...{_CURRENT}.content.model.cells].find((one) => one.id === id).{what}", cell
        )


class Notebook(Lab):
    """Notebook 7 in a browser: a page for each notebook."""

    def start(self) -> None:
        """Nothing: a notebook's page is opened with it."""

    def _said(self, message: Any) -> None:
        if not message.location.get("url", "").endswith(".woff"):  # its server refuses its page the fonts of formulas
            super()._said(message)

    def open(self, name: str) -> None:
        """Open a notebook's page and wait for its kernel."""
        self._go(f"notebooks/{name}")
        self.page.wait_for_function(f"{_CURRENT}?.sessionContext?.kernelDisplayStatus === 'idle'")
        self.complaints.clear()  # of its own: it misses what of JupyterLab it leaves out


class OldestLab(Lab):
    """JupyterLab 4.2."""

    def _said(self, message: Any) -> None:
        if not message.text.startswith(
            "Failed to update the table of contents"
        ):  # when cells are inserted or taken out
            super()._said(message)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The machine's Chromium or Chrome; without one the test is skipped, but not where it has to be there."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        reason = f"no Chromium on this machine (looked for {', '.join(names)})"
        if os.environ.get("GEMINI_EXEC_CI") == "1":
            pytest.fail(f"{reason}, but GEMINI_EXEC_CI=1 asks for it")
        pytest.skip(reason)
    return found


class Served(NamedTuple):
    """Where a server listens, and its folder."""

    url: str
    folder: Path


@contextmanager
def _serving(python: Path, home: Path, surroundings: dict[str, str]) -> Iterator[Served]:
    folder = home / "notebooks"
    shutil.copytree(REPOSITORY / "notebooks", folder)
    quiet = home / "settings" / "@jupyterlab" / "apputils-extension" / "notification.jupyterlab-settings"
    quiet.parent.mkdir(parents=True)
    quiet.write_text(json.dumps({"fetchNews": "false", "checkForUpdates": False}))
    places = {
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "JUPYTER_RUNTIME_DIR": home / "runtime",
    }
    command = [
        *(python, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0", "--ip=127.0.0.1"),
        *(f"--IdentityProvider.token={_TOKEN}", f"--ServerApp.root_dir={folder}"),
        *("--LabApp.expose_app_in_browser=True", "--JupyterNotebookApp.expose_app_in_browser=True"),
    ]
    with (home / "log").open("wb") as log:
        environment = {**os.environ, **{name: str(place) for name, place in places.items()}, **surroundings}
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        yield Served(_address(process, home), folder)
    finally:
        process.terminate()
        process.wait(60)


def _address(process: subprocess.Popen[bytes], home: Path) -> str:
    """Where the server listens, from the file that it writes when it does."""
    written = home / "runtime" / f"jpserver-{process.pid}.json"
    while process.poll() is None:
        try:
            return str(json.loads(written.read_text())["url"])
        except (OSError, ValueError):
            time.sleep(0.05)
    raise AssertionError(f"JupyterLab did not start:\n{(home / 'log').read_text()}")


@pytest.fixture(scope="session")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The newest JupyterLab, with Notebook 7, on a copy of the notebooks."""
    with _serving(Path(sys.executable), tmp_path_factory.mktemp("lab"), {}) as served:
        yield served


@pytest.fixture(scope="session")
def oldest_server(
    chromium: str, tmp_path_factory: pytest.TempPathFactory, installed: Callable[..., Path]
) -> Iterator[Served]:
    """The oldest JupyterLab and Notebook 7 that are supported, with the labextension of this repository.

    They live in an environment of their own; kernels run where the tests run.
    """
    programs = "Scripts" if os.name == "nt" else "bin"

    def install(folder: Path) -> None:
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--python", folder / programs / "python", "install", "-q", "--no-compile"]
        subprocess.run([*pip, *OLDEST], check=True)

    name = f"{'-'.join(OLDEST)}-python-{platform.python_version()}".replace("==", "-").replace("*", "x")
    python = installed(name, install) / programs / "python"
    home = tmp_path_factory.mktemp("oldest")
    jupyter = home / "share"
    shutil.copytree(REPOSITORY / "magic_ext" / "labextension", jupyter / "labextensions" / "gemini-exec")
    kernel = {"argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"], "language": "python"}
    (jupyter / "kernels" / "python3").mkdir(parents=True)
    (jupyter / "kernels" / "python3" / "kernel.json").write_text(json.dumps({**kernel, "display_name": "Python 3"}))
    with _serving(python, home, {"JUPYTER_PATH": str(jupyter)}) as served:
        yield served


@pytest.fixture(scope="module")
def _browser(chromium: str) -> Iterator[Any]:
    # Not for the whole run: while it lasts no other test could run an event loop.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def new_page(_browser: Any) -> Callable[..., Any]:
    """Opens a page that shares nothing with the others."""
    size = {"width": 978, "height": 1500}
    return lambda **options: _browser.new_context(viewport=size, device_scale_factor=1.25, **options).new_page()


@pytest.fixture(scope="module")
def _lab(new_page: Callable[..., Any], server: Served) -> Lab:
    return Lab(new_page(), server)


@pytest.fixture(scope="module")
def _notebook(new_page: Callable[..., Any], server: Served) -> Notebook:
    return Notebook(new_page(), server)


@pytest.fixture(scope="module")
def _oldest_lab(new_page: Callable[..., Any], oldest_server: Served) -> Lab:
    return OldestLab(new_page(), oldest_server)


@contextmanager
def _at_peace(front: Lab) -> Iterator[Lab]:
    """No notebook is open; in the end the browser has not complained, nor asked for anything outside."""
    for noted in (front.complaints, front.stopped, front.alerts):
        noted.clear()
    yield front
    front.close()
    assert (front.complaints, front.stopped, front.alerts) == ([], [], [])


@pytest.fixture
def lab(_lab: Lab) -> Iterator[Lab]:
    """The newest JupyterLab."""
    with _at_peace(_lab) as lab:
        yield lab


@pytest.fixture
def notebook(_notebook: Notebook) -> Iterator[Notebook]:
    """The newest Notebook 7."""
    with _at_peace(_notebook) as notebook:
        yield notebook


@pytest.fixture
def oldest_lab(_oldest_lab: Lab) -> Iterator[Lab]:
    """The oldest JupyterLab that is supported."""
    with _at_peace(_oldest_lab) as lab:
        yield lab
