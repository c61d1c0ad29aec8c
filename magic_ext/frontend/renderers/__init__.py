"""Renderers: draw an answer while it comes, or once it is there.

All of them end in :func:`magic_ext.frontend.layout.final_outputs`, so a notebook saved after a live run holds what a
static run would have written, apart from the footer's seconds and tokens.
"""

from __future__ import annotations

from typing import Any

from .base import Renderer

__all__ = ["Renderer", "choose_renderer"]


def choose_renderer(shell: Any) -> Renderer:
    """The renderer for the cell being run: live where the front end names its cells, static in any other kernel.

    nbclient, nbval and papermill send no cell id, and nbval ignores updates of an output: they get each output once.
    """
    from magic_ext.frontend.shells import has_kernel, is_live

    if not has_kernel(shell):
        from .terminal import Terminal

        return Terminal()
    if is_live(shell):
        from .live import Live

        return Live()
    from .static import Static

    return Static()
