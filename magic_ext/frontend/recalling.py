"""The code of a conversation that an earlier kernel held: it may quote data, so it is not kept with the turns."""

from __future__ import annotations

import msgspec

from magic_ext.ask import Tip
from magic_ext.errors import GeminiExecError
from magic_ext.place import HERE

__all__ = ["code_is_lost", "recalled"]


def recalled(tip: Tip | None) -> Tip | None:
    """The tip with the blocks that worked in its conversation, as far as the engine of this computer has them.

    What it answered lies in its own store, for as long as that keeps it.
    """
    if tip is None or tip.code or tip.place != HERE or not tip.interaction_id:
        return tip
    from magic_ext.engine.archive import Archive
    from magic_ext.engine.embedded import open_store
    from magic_ext.engine.errors import EngineError
    from magic_ext.engine.workbench import successful_code

    try:
        steps = Archive(open_store()).chain(tip.interaction_id)
    except (EngineError, GeminiExecError):  # it is no longer kept: whoever asks is told
        return tip
    return msgspec.structs.replace(tip, code=tuple(successful_code(steps)))


def code_is_lost(tip: Tip | None) -> bool:
    """Whether a conversation held elsewhere had an earlier kernel, with which its steps, and so its code, have gone.

    >>> code_is_lost(Tip(interaction_id="v1_a", place="Google")), code_is_lost(None)
    (True, False)
    """
    return tip is not None and tip.place != HERE and bool(tip.interaction_id) and not (tip.history or tip.code)
