"""The whole way of a question: find the references, follow them, and make of them what goes out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from magic_ext.references.errors import BadPolicyError
from magic_ext.references.grammar import Reference, find_references, rewrite
from magic_ext.references.here import here_head, in_kernel, isolated, withheld
from magic_ext.references.inline import with_uploads_noted
from magic_ext.references.local import local_parts
from magic_ext.references.manifest import Manifest
from magic_ext.references.policy import Policy
from magic_ext.references.portions import tokens
from magic_ext.references.prepared import Binding, Part, Prepared, assemble, name_all
from magic_ext.references.remote import remote_head, remote_parts
from magic_ext.references.resolve import resolve
from magic_ext.references.screen import Screen
from magic_ext.references.screened import screened
from magic_ext.references.tables.table import Table
from magic_ext.references.things import Referent

__all__ = ["Binding", "Here", "Local", "Prepared", "Remote", "prepare", "to_here", "to_local", "to_remote"]


class Remote(msgspec.Struct, frozen=True):
    """An endpoint on another computer; ``first_file`` is the number of the next attachment of the conversation."""

    host: str
    first_file: int = 0


class Local(msgspec.Struct, frozen=True):
    """The embedded engine in this process; ``folder`` takes the files that are written for it."""

    folder: Path


class Here(msgspec.Struct, frozen=True):
    """A model whose code runs on this computer, so that it needs no data.

    ``host`` is the model's endpoint, ``""`` for the embedded engine. ``folder`` takes the files for an isolated kernel;
    without one the code runs in the user's own, where everything is already.
    """

    host: str = ""
    folder: Path | None = None


def prepare(  # noqa: PLR0913, PLR0917
    prompt: str,
    line_references: Sequence[Reference],
    namespace: Mapping[str, Any],
    cwd: Path,
    destination: Remote | Local | Here,
    default_policy: Policy = Policy(),  # noqa: B008 - frozen
    screen: Screen = Screen(),  # noqa: B008 - frozen
) -> tuple[Prepared, Manifest]:
    """Make ``prompt`` and what it refers to ready for ``destination``, with the manifest of what goes there.

    ``line_references`` are those of the magic line. The same object twice is attached once. ``screen`` holds back
    what may not leave this computer, whatever the policies say. Raises
    :class:`~magic_ext.references.errors.BadReferenceError`; nothing of the user's is changed.
    """
    written = [*line_references, *find_references(prompt)]
    referents = [resolve(reference, namespace, cwd) for reference in written]
    host = "" if isinstance(destination, Local) else destination.host
    screen = screen if host else Screen()
    referents = [screened(referent, screen) for referent in referents]
    if isinstance(destination, Local):
        prepared = to_local(prompt, referents, destination.folder, namespace)
    elif isinstance(destination, Here):
        prepared = to_here(prompt, referents, destination, default_policy, namespace, screen)
    else:
        prepared = to_remote(prompt, referents, default_policy, destination.first_file, namespace, screen)
    size = len((prepared.prompt + prepared.description).encode("utf-8", "replace"))
    manifest = Manifest(
        destination=host or "this computer",
        remote=bool(host),
        prompt_bytes=size,
        prompt_tokens=tokens(size),
        entries=prepared.entries,
    )
    return prepared, manifest


def to_remote(  # noqa: PLR0913, PLR0917
    prompt: str,
    referents: Sequence[Referent],
    default: Policy = Policy(),  # noqa: B008 - frozen
    first_file_number: int = 0,
    live: Collection[str] = (),
    screen: Screen = Screen(),  # noqa: B008 - frozen
) -> Prepared:
    """For an endpoint elsewhere: policies say what leaves this computer; ``default`` holds where none is written.

    ``live`` are the names in the session that no file may take.
    """
    groups = _grouped(referents)
    named = name_all([group[0] for group in groups.values()], live)
    policies = [_policy(group) for group in groups.values()]
    parts = with_uploads_noted(remote_parts(named, policies, default, first_file_number, screen))
    files_first = sorted(parts, key=lambda part: not part.entry.file)
    return assemble(_sentence(prompt, groups, parts), files_first, remote_head(parts))


def to_local(prompt: str, referents: Sequence[Referent], folder: Path, live: Collection[str] = ()) -> Prepared:
    """For the embedded engine in this process: data go over whole, as files in ``folder`` or the files they are.

    ``live`` are the names in the session that no file may take.
    """
    groups = _grouped(referents)
    policies = [_policy(group) for group in groups.values()]
    parts = _unbound(local_parts(name_all([group[0] for group in groups.values()], live), folder), policies)
    return assemble(_sentence(prompt, groups, parts), parts)


def to_here(  # noqa: PLR0913, PLR0917
    prompt: str,
    referents: Sequence[Referent],
    destination: Here,
    default: Policy = Policy(),  # noqa: B008 - frozen
    live: Collection[str] = (),
    screen: Screen = Screen(),  # noqa: B008 - frozen
) -> Prepared:
    """For a model whose code runs on this computer; policies hold where the model itself is elsewhere."""
    groups = _grouped(referents)
    named = name_all([group[0] for group in groups.values()], live)
    written = [_policy(group) for group in groups.values()]
    policies: list[Policy | None] = written if destination.host else [None for _ in written]
    default = default if destination.host else Policy()
    if destination.folder is None:
        parts = in_kernel(named, policies, default, screen)
    else:
        parts = isolated(named, policies, default, destination.folder, screen)
    parts = _unbound(parts, written)
    secret = withheld(policies, default)
    prepared = assemble(_sentence(prompt, groups, parts), parts, here_head(parts, secret=secret))
    handed = tuple(content for part in parts for content in part.here)
    return msgspec.structs.replace(prepared, here=handed, withheld=secret)


def _grouped(referents: Sequence[Referent]) -> dict[tuple[str, str], list[Referent]]:
    groups: dict[tuple[str, str], list[Referent]] = {}
    for referent in referents:
        thing = referent.thing
        chosen = thing.live("") if isinstance(thing, Table) else ""
        groups.setdefault((str(referent.path or referent.expression), chosen), []).append(referent)
    return groups


def _unbound(parts: Sequence[Part], policies: Sequence[Policy | None]) -> list[Part]:
    """The parts, those of tables with the note that a number of rows limits what leaves, not what code here sees."""
    noted = []
    for part, policy in zip(parts, policies, strict=True):
        entry, binding = part.entry, part.binding
        if policy is None or policy.kind not in {"head", "sample"} or entry.columns is None:
            noted.append(part)
            continue
        note = "; ".join(filter(None, [f":{policy} limits what leaves, not what code here works on", entry.note]))
        limited = msgspec.structs.replace(binding, unbound=str(policy)) if binding else None
        entry = msgspec.structs.replace(entry, note=note)
        noted.append(msgspec.structs.replace(part, entry=entry, binding=limited))
    return noted


def _policy(group: Sequence[Referent]) -> Policy | None:
    policies = dict.fromkeys(referent.reference.policy for referent in group if referent.reference.policy)
    if len(policies) > 1:
        both = " and ".join(map(str, policies))
        raise BadPolicyError(f"@{group[0].reference.written} is given two policies, {both}.", hint="Keep one of them.")
    return next(iter(policies), None)


def _sentence(prompt: str, groups: Mapping[tuple[str, str], list[Referent]], parts: Sequence[Part]) -> str:
    words = {one.reference: part.words for group, part in zip(groups.values(), parts, strict=True) for one in group}
    return rewrite(prompt, lambda reference: words[reference])
