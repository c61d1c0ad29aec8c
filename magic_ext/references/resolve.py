"""From a reference to what it names: a variable first, else a file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from magic_ext.references.errors import BadReferenceError, UnknownReferenceError, UnsendableError, nearest
from magic_ext.references.files import KNOWN_SUFFIXES, find_file, open_file
from magic_ext.references.grammar import Attribute, Item, Reference
from magic_ext.references.tables.databases import StoredTable, database_of, is_connection, table_in
from magic_ext.references.tables.recognised import table_of
from magic_ext.references.tables.sheet import source
from magic_ext.references.tables.table import Table
from magic_ext.references.things import Referent, Thing
from magic_ext.references.values import represented, thing_of

__all__ = ["resolve"]


def resolve(reference: Reference, namespace: Mapping[str, Any], cwd: Path) -> Referent:
    """Find what ``reference`` names in the session's ``namespace``, or as a file seen from ``cwd``.

    Raises :class:`UnknownReferenceError` (with the nearest names) or :class:`UnsendableError`. Attributes and items are
    looked up as Python does it, so properties of the user's own objects run.
    """
    if reference.root and reference.root in namespace:
        return _variable(reference, namespace[reference.root], cwd)
    if reference.file and (not reference.root or _may_be_file(reference.file, cwd)):
        return _file(reference, cwd)
    raise _unknown(reference, namespace, cwd)


def _may_be_file(file: str, cwd: Path) -> bool:
    return Path(file).suffix.lower() in KNOWN_SUFFIXES or _exists(cwd / file)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than any file's
        return False


def _variable(reference: Reference, value: Any, cwd: Path) -> Referent:
    label = expression = reference.root
    columns = reference.columns
    for position, step in enumerate(reference.chain):
        last = position == len(reference.chain) - 1
        if last and not columns and _is_column(step, value):
            columns = (_key(step),)
            break
        try:
            value, expression = _follow(value, step, expression)
        except UnknownReferenceError:
            if reference.file and isinstance(step, Attribute) and _exists(cwd / reference.file):
                return _file(reference, cwd)
            raise
        label += f".{step.name}" if isinstance(step, Attribute) else f"[{source(step.key)}]"
    try:
        thing, expression = _thing(value, expression, reference)
    except UnsendableError as error:
        hint = f"{error.hint} A literal @ is written @@."
        raise type(error)(f"@{reference.written}: {error}", hint=hint) from error
    return Referent(
        reference=reference,
        thing=_selected(thing, columns, reference),
        label=label,
        expression=expression,
    )


def _thing(value: Any, expression: str, reference: Reference) -> tuple[Thing, str]:
    said = represented(value)
    expression = expression if said is value else f"{expression}._repr_gemini_()"
    last = reference.chain[-1] if reference.chain else Attribute(reference.root)
    return thing_of(said, _key(last), reference.written), expression


def _is_column(step: Attribute | Item, value: Any) -> bool:
    # frame["unit price"] is one column of a frame; @Out[5] and @frames["train"] are items of containers.
    # The class is asked, not the object: a lazy frame computes its columns with a warning.
    if isinstance(value, StoredTable):
        return True
    return isinstance(step, Item) and hasattr(type(value), "columns") and table_of(value, "values") is not None


def _follow(value: Any, step: Attribute | Item, expression: str) -> tuple[Any, str]:
    if is_connection(value) and (found := table_in(value, _key(step), expression)):
        return found
    if isinstance(step, Attribute):
        try:
            return getattr(value, step.name), f"{expression}.{step.name}"
        except AttributeError:
            close = nearest(step.name, [name for name in _names_in(value) if not name.startswith("_")])
            raise UnknownReferenceError(f"{expression} has no {step.name!r}.", hint=_hint(close)) from None
    try:
        return value[step.key], f"{expression}[{source(step.key)}]"
    except (LookupError, TypeError) as error:
        keys = [str(key) for key in value] if isinstance(value, Mapping) else _names_in(value)
        close = nearest(str(step.key), keys)
        raise UnknownReferenceError(f"{expression} has no item {step.key!r}.", hint=_hint(close)) from error


def _key(step: Attribute | Item) -> str:
    return step.name if isinstance(step, Attribute) else str(step.key)


def _names_in(value: Any) -> list[str]:
    return [name for name, _ in database_of(value).tables] if is_connection(value) else dir(value)


def _file(reference: Reference, cwd: Path) -> Referent:
    path = find_file(reference.file, cwd)
    columns = reference.columns
    items = [step.key for step in reference.chain if isinstance(step, Item)]
    if items and not columns:
        columns = tuple(map(str, items))
    return Referent(
        reference=reference,
        thing=_selected(open_file(path, reference.file), columns, reference),
        label=reference.file,
        expression=repr(reference.file.replace("\\", "/")),
        path=path,
    )


def _selected(thing: Any, columns: tuple[str, ...], reference: Reference) -> Any:
    if not columns:
        return thing
    if not isinstance(thing, Table):
        hint = f'For an item write @{reference.written}["{columns[0]}"], for plain text put a space before the bracket.'
        raise BadReferenceError(f"@{reference.written} has no columns.", hint=hint)
    return thing.select(columns)


def _unknown(reference: Reference, namespace: Mapping[str, Any], cwd: Path) -> UnknownReferenceError:
    names = [name for name in namespace if not name.startswith("_")]
    try:
        files = [entry.name for entry in cwd.iterdir() if entry.is_file()]
    except OSError:
        files = []
    close = [f"@{name}" for name in nearest(reference.root, names)]
    close += [f"@{name}" for name in nearest(reference.file or reference.root, files, 2)]
    hint = f"{_hint(close).removesuffix('.')}, as in @@{reference.written}."
    return UnknownReferenceError(f"There is no variable or file {reference.written!r}.", hint=hint)


def _hint(names: list[str]) -> str:
    return (f"Did you mean {' or '.join(names)}? " if names else "") + "A literal @ is written @@."
