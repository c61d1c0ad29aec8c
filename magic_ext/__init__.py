"""``%%gemini_exec``: ask about your data in a Jupyter cell; get code that ran, its results and figures.

In a notebook::

    %load_ext magic_ext

    %%gemini_exec
    Mean body mass by species in @penguins, as a bar chart.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from magic_ext.answer import Answer
    from magic_ext.errors import GeminiExecError

__all__ = ["Answer", "GeminiExecError", "__version__", "load_ipython_extension", "unload_ipython_extension"]

__version__ = "0.1.0"


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext magic_ext``: register the magics, and see to it that an empty cell reaches them."""
    from magic_ext.frontend.matcher import matcher_for
    from magic_ext.magics import GeminiExecMagics, with_body

    magics = GeminiExecMagics(shell)
    shell.register_magics(magics)
    shell.input_transformers_cleanup.append(with_body)
    shell.Completer.custom_matchers.append(matcher_for(shell, lambda: magics.conversations))


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext magic_ext``: leave the shell as it was before it was loaded, and no kernel behind."""
    from magic_ext.magics import with_body

    magics = shell.magics_manager.registry.pop("GeminiExecMagics", None)
    shell.magics_manager.magics["cell"].pop("gemini_exec", None)
    shell.magics_manager.magics["line"].pop("gemini", None)
    shell.configurables[:] = [configurable for configurable in shell.configurables if configurable is not magics]
    transformers = shell.input_transformers_cleanup
    transformers[:] = [transformer for transformer in transformers if transformer is not with_body]
    matchers = shell.Completer.custom_matchers
    matchers[:] = [matcher for matcher in matchers if getattr(matcher, "matcher_identifier", "") != "gemini_exec"]
    shell.user_ns.pop("_gemini", None)
    if (embedded := sys.modules.get("magic_ext.engine.embedded")) is not None:
        embedded.close_embedded_engine()


def __getattr__(name: str) -> Any:
    """The public values, imported when they are asked for."""
    if name == "Answer":
        from magic_ext.answer import Answer

        return Answer
    if name == "GeminiExecError":
        from magic_ext.errors import GeminiExecError

        return GeminiExecError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
