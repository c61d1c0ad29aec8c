"""The manifest: what one question carries away, reference by reference. The receipt in a notebook is drawn from it."""

from __future__ import annotations

import msgspec

__all__ = ["Entry", "Manifest"]


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What goes out for one reference.

    ``rows`` and ``columns`` are those of the object, ``rows_sent`` and ``columns_sent`` those that go out (``None``
    where the word has no meaning); ``bytes`` counts the payload before base64, ``tokens`` is an estimate.
    """

    name: str
    kind: str
    policy: str = ""
    rows: int | None = None
    columns: int | None = None
    rows_sent: int | None = None
    columns_sent: int | None = None
    bytes: int = 0
    tokens: int = 0
    file: str = ""
    note: str = ""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What one question carries to ``destination``; nothing leaves this computer unless ``remote``.

    With ``replayed`` it is answered from a recording, and the entries are what asking again would send.
    """

    destination: str
    remote: bool
    prompt_bytes: int
    prompt_tokens: int
    entries: tuple[Entry, ...] = ()
    replayed: bool = False

    @property
    def schema_only(self) -> bool:
        """Whether of all that is referred to only names, types and shapes go out; false where nothing is."""
        policies = {entry.policy for entry in self.entries} - {""}
        return policies == {"schema"}

    @property
    def bytes(self) -> int:
        """Bytes of prompt and payloads together, before base64."""
        return self.prompt_bytes + sum(entry.bytes for entry in self.entries)

    @property
    def tokens(self) -> int:
        """Estimated tokens of prompt and payloads together."""
        return self.prompt_tokens + sum(entry.tokens for entry in self.entries)
