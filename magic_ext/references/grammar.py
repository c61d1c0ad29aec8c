"""The grammar of references: where ``@name`` stands in a prompt or on the magic line (design section 3).

A reference is a chain from a variable (``@sales``, ``@frames["train"]``, ``@obj.attr``, ``@Out[5]``) or a file
(``@data/targets.csv``, ``@"my file.csv"``), with columns (``[city,"unit price"]``) and a policy (``:head(20)``)
behind it. Nothing is looked up here: whether ``@a.b`` is an attribute or a file is decided when it is resolved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import msgspec

from magic_ext.references.errors import BadPolicyError, BadReferenceError, nearest
from magic_ext.references.masks import decorators, quoted_values, verbatim
from magic_ext.references.policy import KINDS, Policy, parse_policy

__all__ = ["Attribute", "Item", "Reference", "find_references", "literal", "rewrite", "split_line"]

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_PATH = re.compile(r"(?:[A-Za-z]:[\\/])?[\w.~/\\+#%=&-]+")
_QUOTED_PATH = re.compile(r'"([^"\n]+)"')
_ATTRIBUTE = re.compile(r"\.([^\W\d]\w*)")
_STRING = r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'"""
_ITEM = re.compile(rf"\[\s*(-?\d+|{_STRING})\s*\]")
_COLUMNS = re.compile(rf"""\[((?:{_STRING}|[^\[\]"'\n])*)\]""")
_ONE_COLUMN = re.compile(rf"{_STRING}|[^,\"']+")
_POLICY = re.compile(r":([A-Za-z]+(?:[-\w]*\w)?)(\([^()\n]*\))?")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\.{1,2}\\|\\\\")
_EXTENSION = re.compile(r"\.[A-Za-z][A-Za-z0-9]{0,8}$")
_BEFORE = re.compile(r"[\w@/\\%+-]")  # an e-mail address, a URL or a path goes on through the @


class Attribute(msgspec.Struct, frozen=True):
    """One ``.name`` of a chain."""

    name: str


class Item(msgspec.Struct, frozen=True):
    """One ``[5]`` or ``["key"]`` of a chain."""

    key: int | str


class Reference(msgspec.Struct, frozen=True, kw_only=True):
    """One reference as it stands in a text.

    ``written`` is its source without columns and policy, and without the ``@``. ``root`` and ``chain`` are set when it
    can be a variable, ``file`` when it can be a file (of ``@a.csv["x"]`` it is ``a.csv``); both when only the namespace
    can tell. ``start`` and ``end`` are its span.
    """

    written: str
    root: str = ""
    chain: tuple[Attribute | Item, ...] = ()
    file: str = ""
    columns: tuple[str, ...] = ()
    policy: Policy | None = None
    start: int = 0
    end: int = 0


class _Literal(msgspec.Struct, frozen=True):
    start: int
    end: int


def find_references(prompt: str) -> tuple[Reference, ...]:
    """All references of a prompt, in order; raises :class:`BadPolicyError` for a misspelt policy.

    >>> [r.written for r in find_references("Join @sales with @data/targets.csv, mail bob@example.org.")]
    ['sales', 'data/targets.csv']
    """
    return tuple(token for token in _scan(prompt, _prompt_masks(prompt)) if isinstance(token, Reference))


def split_line(line: str) -> tuple[tuple[Reference, ...], str]:
    """The references of a magic line, and the line without them; quoted values of options are left alone.

    >>> references, rest = split_line('@sales[a, b] --run local @"my file.csv":schema')
    >>> [r.written for r in references], rest.split()
    (['sales', 'my file.csv'], ['--run', 'local'])
    """
    references = tuple(token for token in _scan(line, quoted_values(line)) if isinstance(token, Reference))
    rest, position = "", 0
    for reference in references:
        rest += line[position : reference.start]
        position = reference.end
    return references, rest + line[position:]


def rewrite(prompt: str, text_of: Callable[[Reference], str]) -> str:
    """The prompt with each reference replaced by ``text_of`` it, and ``@@`` by ``@``.

    >>> rewrite("mean of @sales, not @@sales", lambda reference: f"`{reference.written}`")
    'mean of `sales`, not @sales'
    """
    pieces, position = [], 0
    for token in _scan(prompt, _prompt_masks(prompt)):
        pieces += [prompt[position : token.start], text_of(token) if isinstance(token, Reference) else "@"]
        position = token.end
    return "".join([*pieces, prompt[position:]])


def literal(prompt: str) -> str:
    """The prompt with ``@@`` turned into ``@``; references stay as they are written.

    >>> literal("ping @@bob about `a @@ b`")
    'ping @bob about `a @@ b`'
    """
    return rewrite(prompt, lambda reference: prompt[reference.start : reference.end])


def _prompt_masks(prompt: str) -> list[tuple[int, int]]:
    return [*verbatim(prompt), *decorators(prompt)]


def _scan(text: str, masks: list[tuple[int, int]]) -> Iterator[Reference | _Literal]:
    ends = dict(sorted(masks))
    starts = sorted(ends)
    position = 0
    while (at := text.find("@", position)) >= 0:
        while starts and starts[0] <= at:
            position = max(position, ends[starts.pop(0)])
        if at < position:
            continue
        token = _token(text, at)
        if token is not None:
            yield token
        position = token.end if token is not None else at + 1


def _token(text: str, at: int) -> Reference | _Literal | None:
    if text.startswith("@@", at):
        return _Literal(at, at + 2)
    if at and _BEFORE.match(text[at - 1]):
        return None
    target = _quoted(text, at) or _file(text, at) or _variable(text, at)
    if target is None:
        return None
    columns, end = _read_columns(text, target.end)
    policy, end = _read_policy(text, end)
    return msgspec.structs.replace(target, columns=columns, policy=policy, end=end)


def _quoted(text: str, at: int) -> Reference | None:
    if match := _QUOTED_PATH.match(text, at + 1):
        return Reference(written=match[1], file=match[1], start=at, end=match.end())
    return None


def _file(text: str, at: int) -> Reference | None:
    match = _PATH.match(text, at + 1)
    path = match[0].rstrip(".-+=&%#~/\\") if match else ""
    # A backslash is LaTeX unless the rest looks like Windows: @x\alpha is a variable, @data\x.csv a file.
    named = bool(_WINDOWS.match(path) or _EXTENSION.search(path))
    if (not named and ("/" not in path or "\\" in path)) or _DOTTED.fullmatch(path):
        return None
    return Reference(written=path, file=path, start=at, end=at + 1 + len(path))


def _variable(text: str, at: int) -> Reference | None:
    match = _DOTTED.match(text, at + 1)
    if match is None:
        return None
    root, *names = match[0].split(".")
    chain: list[Attribute | Item] = [Attribute(name) for name in names]
    end = match.end()
    while step := _ATTRIBUTE.match(text, end) or _ITEM.match(text, end):
        chain.append(Attribute(step[1]) if step[0].startswith(".") else Item(_key(step[1])))
        end = step.end()
    return Reference(written=text[at + 1 : end], root=root, chain=tuple(chain), file=match[0], start=at, end=end)


def _read_columns(text: str, at: int) -> tuple[tuple[str, ...], int]:
    if not text.startswith("[", at):
        return (), at
    match = _COLUMNS.match(text, at)
    names = [_unquoted(name[0].strip()) for name in _ONE_COLUMN.finditer(match[1])] if match else []
    if match is None or not any(names):
        # Columns narrow what is sent: a bracket that cannot be read must not be taken for text.
        raise BadReferenceError("Cannot read the brackets after a reference.", hint='Write @sales[city,"unit price"].')
    return tuple(dict.fromkeys(name for name in names if name)), match.end()


def _read_policy(text: str, at: int) -> tuple[Policy | None, int]:
    match = _POLICY.match(text, at)
    if match is None:
        return None, at
    if match[1] in KINDS:
        return parse_policy(match[0][1:]), match.end()
    if close := nearest(match[1], KINDS, 1):
        hint = f"Did you mean :{close[0]}? For plain text put a space after the colon."
        raise BadPolicyError(f"There is no policy {match[1]!r}.", hint=hint)
    return None, at


def _key(source: str) -> int | str:
    return _unquoted(source) if source[0] in "\"'" else int(source)


def _unquoted(source: str) -> str:
    if source[:1] not in ('"', "'"):
        return source
    return re.sub(r"\\(.)", r"\1", source[1:-1])
