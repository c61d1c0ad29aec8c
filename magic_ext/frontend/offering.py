"""What ``%gemini models`` lists of this computer: the planner, the server that is set, and others that are running.

This is the one place that looks for servers which nobody has set, and it runs only when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

from magic_ext.engine.models.registry import OFFLINE_PLANNER
from magic_ext.engine.models.servers import USUAL, Found, Usual, found, model_names, server_set
from magic_ext.errors import GeminiExecError

__all__ = ["models_here"]

_SHOWN = 20  # names of one server


def models_here(local_base_url: str, usual: tuple[Usual, ...] = USUAL) -> Iterator[str]:
    """Lines about the models of this computer; ``usual`` are the ports at which servers are looked for."""
    yield f"{OFFLINE_PLANNER}: on this computer, no key needed; plain questions about tables"
    address = ""
    try:
        server = server_set(local_base_url)
        if server is not None:
            address = server.root
            names = model_names(server)
            yield f"at {server.host}, which {server.setting} names:"
            yield from _cells(names)
    except GeminiExecError as error:
        yield f"openai:NAME: {error} {error.hint}"
    others = [one for one in found(usual) if one.server.root != address]
    for other in others:
        yield from _offer(other)
    if not others and not address:
        yield f"openai:NAME: no server of your own is running at {_ports(usual)}"


def _offer(other: Found) -> Iterator[str]:
    yield f"found at {other.usual.program}'s port {other.usual.port}; to use it:"
    yield f'  %config GeminiExecMagics.local_base_url = "{other.server.address}"'
    yield from _cells(other.models)


def _cells(names: tuple[str, ...]) -> Iterator[str]:
    for name in names[:_SHOWN]:
        option = f"openai:{name}"
        yield f'  %%gemini_exec -m "{option}"' if " " in option else f"  %%gemini_exec -m {option}"
    if len(names) > _SHOWN:
        yield f"  and {len(names) - _SHOWN:,} more"


def _ports(usual: tuple[Usual, ...]) -> str:
    return "the usual ports (" + ", ".join(f"{one.program} {one.port}" for one in usual) + ")"
