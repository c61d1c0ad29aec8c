"""Each output once, when all is there: for nbclient, nbval, papermill and all that do not say who they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from magic_ext.frontend.bundles import Footer
from magic_ext.frontend.layout import final_outputs
from magic_ext.references.manifest import Manifest
from magic_ext.wire.steps import Step

from .base import Publish, publish

__all__ = ["Static"]


class Static:
    """Shows nothing until the end, and then never changes it."""

    def __init__(self, publish: Publish = publish) -> None:
        self._publish = publish
        self._manifest: Manifest | None = None

    def start(self, manifest: Manifest) -> None:
        """Keep the manifest for the receipt."""
        self._manifest = manifest

    def update(self, index: int, snapshot: Callable[[], Step], done: bool) -> None:
        """Nothing: only the final state is shown."""

    def status(self, text: str) -> None:
        """Nothing: progress does not last."""

    def flush(self) -> None:
        """Nothing: only the final state is shown."""

    def finish(self, footer: Footer, steps: Sequence[Step]) -> None:
        """Show every output."""
        self.abandon("", footer, steps)

    def abandon(self, note: str, footer: Footer, steps: Sequence[Step]) -> None:
        """Show what arrived, and the note."""
        assert self._manifest is not None, "start() comes first"
        for output in final_outputs(self._manifest, steps, footer, note=note):
            self._publish(output)
