"""What a renderer is, and how outputs reach the front end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from magic_ext.frontend.bundles import Footer, Output
from magic_ext.references.manifest import Manifest
from magic_ext.wire.steps import Step

__all__ = ["Publish", "Renderer", "publish"]


class Renderer(Protocol):
    """Draws one answer: ``start`` first, then any number of ``update`` and ``status``, then one of the last two."""

    def start(self, manifest: Manifest) -> None:
        """Say that the question is on its way, carrying ``manifest``."""

    def update(self, index: int, snapshot: Callable[[], Step], done: bool) -> None:
        """Step ``index`` has grown. ``snapshot`` is costly: it is called only when something is drawn."""

    def status(self, text: str) -> None:
        """Show a line of progress, which does not last."""

    def flush(self) -> None:
        """Show all that has come so far: somebody is going to be asked about it, or to wait for it."""

    def finish(self, footer: Footer, steps: Sequence[Step]) -> None:
        """Show the whole answer in its final state."""

    def abandon(self, note: str, footer: Footer, steps: Sequence[Step]) -> None:
        """Keep what arrived and mark with ``note`` that it is not all: an interruption, a failure."""


class Publish(Protocol):
    """Sends one output to the front end: a new one, or with ``update`` the new content of the one with that id."""

    def __call__(self, output: Output, *, display_id: str = "", update: bool = False) -> None:
        """Send it."""


def publish(output: Output, *, display_id: str = "", update: bool = False) -> None:
    """Send an output as it is: IPython's ``Markdown(text)`` would fetch a text that looks like an address or a file."""
    from IPython.display import publish_display_data

    options: dict[str, Any] = {"transient": {"display_id": display_id}} if display_id else {}
    if update:
        options["update"] = True
    publish_display_data(output.data, output.metadata, **options)  # type: ignore[no-untyped-call]
