"""What can go wrong with running code on this computer, as the user sees it."""

from __future__ import annotations

from magic_ext.errors import GeminiExecError

__all__ = ["KernelFailed", "NotIsolated"]


class NotIsolated(GeminiExecError):
    """Nothing on this computer isolates code, and the code is not trusted."""

    def __init__(self) -> None:
        super().__init__(
            "No sandbox works on this computer, so code that a model wrote is not run here.",
            hint='On Linux: pip install "gemini-exec[local]", or install bubblewrap with the system\'s packages.',
        )


class KernelFailed(GeminiExecError):
    """The kernel that should run the code could not be started."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"The local kernel could not be started: {reason}",
            hint="Check that `python -m ipykernel --version` works in this environment.",
        )
