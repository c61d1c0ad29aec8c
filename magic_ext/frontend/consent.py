"""A yes before a model's code runs in the user's own kernel."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from magic_ext.errors import GeminiExecError
from magic_ext.markdown import visible

from .shells import has_kernel, is_live

__all__ = ["Consent"]

_QUESTION = "Run this in your kernel? [y]es/[n]o/[a]lways in this session: "


class Consent:
    """Whether the user allows a model's code to run in the kernel: asked for every block until the answer is always."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._always = False

    def check(self, *, unasked: bool) -> None:
        """Raise :class:`GeminiExecError` where nobody can be asked and asking is not ``unasked`` for."""
        if not (unasked or self._always) and has_kernel(self._shell) and not self._shell.kernel._allow_stdin:
            raise _nobody()

    def given(self, code: str, asking: Callable[[], None], *, unasked: bool) -> bool:
        """Ask, unless the user has said always; ``asking`` is called before.

        The code stands above where the front end is live, else it is shown with the question.
        """
        if unasked or self._always:
            return True
        asking()
        shown = is_live(self._shell) or not has_kernel(self._shell)
        try:
            answer = input(_QUESTION if shown else f"{visible(code).rstrip()}\n\n{_QUESTION}").strip().lower()
        except (EOFError, RuntimeError) as error:  # ipykernel's StdinNotImplementedError is a RuntimeError
            raise _nobody() from error
        self._always = answer in {"a", "always"}
        return self._always or answer in {"y", "yes"}

    def forget(self) -> None:
        """Ask again from now on."""
        self._always = False


def _nobody() -> GeminiExecError:
    return GeminiExecError(
        "Nobody can be asked here whether a model's code may run in this kernel.",
        hint="Set GeminiExecMagics.run_unasked to True to allow it unasked, or use --run local.",
    )
