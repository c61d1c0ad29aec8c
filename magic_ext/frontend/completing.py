"""Completion in a prompt: options and their values, models, references with type and shape, columns, files, policies.

The text is looked at, never run: no property of the user's objects is asked for but a table's shape and columns. Of a
CSV file the first line is read.
"""

from __future__ import annotations

import csv
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from magic_ext.options import COMMANDS, OPTIONS, Option
from magic_ext.references.policy import KINDS

__all__ = ["Completion", "Completions", "Surroundings", "complete"]

_HEAD = re.compile(r"\s*%%gemini_exec(?=\s|$)")
_COMMAND = re.compile(r"\s*%gemini\s+(?P<word>\w*)$")
_COLUMN = re.compile(
    r"(?<![\w@])@(?P<chain>[\w./~-]+|\"[^\"\n]+\")\[(?:[^\]\n]*,)?\s*(?P<word>\"[^\"\n]*|[^\],\"'\n]*)$"
)
_KEY = re.compile(r"(?<![\w@])@(?P<chain>[^\W\d][\w.]*)\[(?P<word>[\"'][^\"'\n]*)$")
_POLICY = re.compile(r"(?<![\w@])@(?:[\w./-]+|\"[^\"\n]+\")(?:\[[^\]\n]*\])?:(?P<word>\w*)$")
_QUOTED = re.compile(r"(?<![\w@])@(?P<word>\"[^\"\n]*)$")
_NAME = re.compile(r"(?<![\w@])@(?P<word>[\w./~-]*)$")
_WORD = re.compile(r"\w*$")
_FILES = 200
_HEADER = 100_000  # characters of a file's first line
_LAZY = (
    ("dask.dataframe", "DataFrame"),
    ("duckdb", "DuckDBPyRelation"),
    ("ibis.expr.types", "Table"),
    ("modin.pandas", "DataFrame"),
)


class Completion(msgspec.Struct, frozen=True):
    """A text that may stand instead of the word, and what it is, for people."""

    text: str
    kind: str


class Completions(msgspec.Struct, frozen=True):
    """What may stand instead of ``word``, which ends at the cursor."""

    word: str
    found: tuple[Completion, ...] = ()


class Surroundings(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to refer to: the session's names (``hidden`` ones are not the user's), the folder, and the names of
    models and conversations (which may have to be read from a file first).
    """

    namespace: Mapping[str, Any]
    hidden: Mapping[str, Any] = {}
    folder: Path
    models: Sequence[str] = ()
    conversations: Callable[[], Sequence[str]] = tuple


def complete(text: str, line: int, column: int, around: Surroundings) -> Completions | None:
    r"""Complete ``text`` at a cursor; ``None`` where it is no ``%%gemini_exec`` cell and no ``%gemini`` line.

    >>> around = Surroundings(namespace={"sales": 1}, folder=Path("/nowhere"))
    >>> [found.text for found in complete("%%gemini_exec\nSum @sa", 1, 7, around).found]
    ['sales']
    """
    lines = text.split("\n")
    before = lines[line][:column] if line < len(lines) else ""
    if not _HEAD.match(text):
        command = _COMMAND.match(before)
        return _of(command["word"], ((one.name, "command") for one in COMMANDS)) if command else None
    referring = _reference(before, around)
    if referring is not None:
        return referring
    first = next((number for number, one in enumerate(lines) if one.strip()), 0)
    return _on_the_line(before, around) if line == first else Completions(_WORD.findall(before)[0])


def _reference(before: str, around: Surroundings) -> Completions | None:
    """What may stand at an ``@``; ``None`` where the cursor is at none."""
    if match := _POLICY.search(before):
        return _of(match["word"], ((kind, "policy") for kind in KINDS))
    if match := _KEY.search(before):
        value = _followed(match["chain"], around.namespace)
        if isinstance(value, Mapping):
            keys = (key for key in list(value)[:_FILES] if isinstance(key, str) and '"' not in key)
            return _of(match["word"].replace("'", '"'), ((f'"{key}"', _what(value[key])) for key in keys))
    if match := _COLUMN.search(before):
        value = _followed(match["chain"], around.namespace)
        columns = _columns_of_file(match["chain"].strip('"'), around.folder) if value is _NOTHING else _columns(value)
        return _of(match["word"], columns)
    if match := _QUOTED.search(before):
        files = ((f'"{name}"', kind) for name, kind in _files(match["word"][1:], around.folder))
        return _of(match["word"], files)
    if match := _NAME.search(before):
        return _of(match["word"], (*_names(match["word"], around), *_files(match["word"], around.folder)))
    return None


def _names(word: str, around: Surroundings) -> Iterator[tuple[str, str]]:
    stem, dot, _ = word.rpartition(".")
    if dot and "/" not in word:
        value = _followed(stem, around.namespace)
        names = [name for name in dir(value) if not name.startswith("_")] if value is not _NOTHING else []
        yield from ((f"{stem}.{name}", "attribute") for name in names)
        return
    begun = [name for name in list(around.namespace) if name.lower().startswith(word.lower())]
    for name in begun:
        value = around.namespace.get(name)
        own = not name.startswith("_") and around.hidden.get(name, _NOTHING) is not value
        if own and not callable(value) and not inspect.ismodule(value):
            yield name, _what(value)


def _files(word: str, folder: Path) -> Iterator[tuple[str, str]]:
    """The files in the folder that the word is in; hidden ones only where their dot is typed."""
    parent, slash, stem = word.rpartition("/")
    try:
        entries = sorted((folder / Path(parent + slash).expanduser()).iterdir())
    except (OSError, ValueError, RuntimeError):
        return
    hidden = stem.startswith(".")
    fitting = [entry for entry in entries if entry.name.lower().startswith(stem.lower())]
    for entry in [entry for entry in fitting if hidden or not entry.name.startswith(".")][:_FILES]:
        is_folder = entry.is_dir()
        yield f"{parent}{slash}{entry.name}{'/' if is_folder else ''}", "folder" if is_folder else "file"


def _on_the_line(before: str, around: Surroundings) -> Completions:
    """Options, and the values of the one before the cursor."""
    words = before.split()
    word = "" if before[-1:].isspace() else words[-1]
    flag, equals, _ = word.partition("=")
    if equals and (option := _option(flag)):
        return _of(word, ((f"{flag}={text}", kind) for text, kind in _values(option, around)))
    previous = words[-1] if not word else words[-2] if len(words) > 1 else ""
    if (option := _option(previous)) and option.value and option.bare is None:
        return _of(word, _values(option, around))
    if word and not word.startswith("-"):
        return Completions(word)
    flags = [(flag, "option") for option in OPTIONS for flag in option.flags]
    if (option := _option(word)) and option.bare is not None:
        flags += [(f"{word}={text}", kind) for text, kind in _values(option, around)]
    return _of(word, flags)


def _values(option: Option, around: Surroundings) -> Iterable[tuple[str, str]]:
    if option.choices:
        return [(choice, option.value.lower()) for choice in option.choices]
    by_field: dict[str, Callable[[], Iterable[tuple[str, str]]]] = {
        "model": lambda: [(name, "model") for name in around.models],
        "send": lambda: [(kind, "policy") for kind in KINDS],
        "conversation": lambda: [(name, "conversation") for name in around.conversations()],
        "tools": lambda: [(name, "function") for name, value in list(around.namespace.items()) if _own(name, value)],
    }
    return by_field.get(option.field, list)()


def _own(name: str, value: object) -> bool:
    return inspect.isfunction(value) and not name.startswith("_") and value.__module__ == "__main__"


def _option(flag: str) -> Option | None:
    return next((option for option in OPTIONS if flag in option.flags), None)


def _of(word: str, candidates: Iterable[tuple[str, str]]) -> Completions:
    """Those that begin with the word, in any case of letters; each once."""
    lower = word.lower()
    found = {text: Completion(text, kind) for text, kind in candidates if text.lower().startswith(lower)}
    return Completions(word, tuple(found.values()))


_NOTHING = object()


def _followed(chain: str, namespace: Mapping[str, Any]) -> Any:
    """The object at the end of a dotted chain, reached without running a property."""
    root, *names = chain.split(".")
    value = namespace.get(root, _NOTHING)
    for name in names:
        static = inspect.getattr_static(value, name, _NOTHING)
        if static is _NOTHING or hasattr(type(static), "__get__"):
            return _NOTHING
        value = static
    return value


def _frame(value: Any) -> tuple[list[str], list[str], int] | None:
    """Columns, their types and the number of rows of a table that knows them without computing."""
    modules = {name: sys.modules.get(name) for name in ("pandas", "polars", "pyarrow")}
    for name, kind in (("pandas", "DataFrame"), ("polars", "DataFrame"), ("pyarrow", "Table")):
        frame: Any = getattr(modules[name], kind, ())
        if isinstance(value, frame):
            columns = value.column_names if name == "pyarrow" else value.columns
            types = value.schema.types if name == "pyarrow" else value.dtypes
            return [str(column) for column in columns], [str(one) for one in types], int(value.shape[0])
    return None


def _columns(value: Any) -> list[tuple[str, str]]:
    """The columns of a table, with their types where these are known without computing."""
    if frame := _frame(value):
        return [(_written(name), kind) for name, kind in zip(frame[0], frame[1], strict=True)]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [(_written(str(name)), type(one).__name__) for name, one in value[0].items()]
    for module, kind in _LAZY:
        table = getattr(sys.modules.get(module), kind, ())
        if isinstance(value, table):
            return [(_written(str(name)), "column") for name in value.columns]
    return []


def _columns_of_file(name: str, folder: Path) -> list[tuple[str, str]]:
    """The columns in the first line of a CSV file, by the delimiter that is most frequent there."""
    try:
        path = folder / Path(name).expanduser()
        if path.suffix.lower() not in {".csv", ".tsv"} or not path.is_file():
            return []
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            line = file.readline(_HEADER)
    except (OSError, ValueError, RuntimeError):
        return []
    delimiter = max(",;\t|", key=line.count)
    return [(_written(cell), "column") for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _written(column: str) -> str:
    return column if re.fullmatch(r"\w+", column) else f'"{column}"'


def _what(value: Any) -> str:
    """Type and shape, as in ``DataFrame 344 x 7``."""
    name = type(value).__name__
    frame = _frame(value)
    if frame is not None:
        return f"{name} {frame[2]:,} x {len(frame[0])}"
    shape = getattr(value, "shape", None) if type(value).__module__.partition(".")[0] in {"numpy", "pandas"} else None
    if isinstance(shape, tuple):
        return f"{name} {' x '.join(f'{size:,}' for size in shape)}".strip()
    return f"{name} {len(value):,}" if isinstance(value, str | list | tuple | dict | set) else name
