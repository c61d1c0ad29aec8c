"""Fields of a JSON body: of the right type, and known."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from magic_ext.wire.content import Json

from .errors import bad_request

__all__ = ["check_known", "typed"]


def typed(fields: Json, name: str, kind: type | tuple[type, ...], default: Any) -> Any:
    """The value of a field, or ``default`` where it is absent or null; raises a 400 for one of another type.

    >>> typed({"seed": 7}, "seed", int, None), typed({}, "seed", int, None)
    (7, None)
    """
    value = fields.get(name)
    if value is None:
        return default
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
        raise bad_request(f"The value of '{name}' must be of type {' or '.join(known.__name__ for known in kinds)}.")
    return value


def check_known(fields: Json, known: Collection[str], place: str = "") -> None:
    """Raise the 400 that Google answers an unknown field with."""
    for name in fields:
        if name not in known:
            raise bad_request(f"Unknown parameter '{place}{name[:80]}'.", "parameter_unknown")
