"""The first output of a live cell: a line of progress while the answer comes, the receipt afterwards."""

from __future__ import annotations

import html
from typing import Any
from uuid import uuid4

from magic_ext.frontend.bundles import Output
from magic_ext.markdown import visible

from .base import Publish

__all__ = ["Progress"]

_WIDGET_MIME = "application/vnd.jupyter.widget-view+json"


class Progress:
    """One output slot. A widget carries the progress, because it changes without a new output; it is gone in the end.

    A notebook that is reopened says "model not found" of a widget, so nothing that must last may live in one. What is
    ``brief``, over with its first line, gets none.
    """

    def __init__(self, publish: Publish, text: str, *, brief: bool = False) -> None:
        self._publish = publish
        self._id = uuid4().hex
        self._widget = None if brief else _html_widget(text)
        publish(self._output(text), display_id=self._id)

    def say(self, text: str) -> None:
        """Show another line."""
        if self._widget is not None:
            self._widget.value = _line(text)
        else:
            self._publish(self._output(text), display_id=self._id, update=True)

    def become(self, output: Output) -> None:
        """Leave the slot to what stays."""
        self._publish(output, display_id=self._id, update=True)
        self.close()

    def close(self) -> None:
        """Let go of the widget, whose slot is somebody else's or no more."""
        if self._widget is not None:
            self._widget.close()
            self._widget = None

    def _output(self, text: str) -> Output:
        data: dict[str, Any] = {"text/plain": visible(text)}
        if self._widget is not None:
            data[_WIDGET_MIME] = {"version_major": 2, "version_minor": 0, "model_id": self._widget.model_id}
        return Output(data)


def _line(text: str) -> str:
    """The line in HTML: the labextension counts its seconds, and tells a screen reader, at its own pace."""
    return f'<span class="gemini-exec-progress">{html.escape(visible(text))}</span>'


def _html_widget(text: str) -> Any | None:
    try:
        from ipywidgets import HTML

        return HTML(_line(text))
    except Exception:  # progress is a comfort: whatever is wrong with the widgets must not cost the answer
        return None
