r"""Markdown that a stranger wrote, made safe to show.

A fresh output is *trusted* by Jupyter: raw HTML in its ``text/markdown`` runs as JavaScript in the page, a remote image
is fetched at once, and so does the info string of a fence (measured in JupyterLab 4.6.6 and Notebook 7.6.5). So every
piece of model text passes :func:`neutralise` first.

The rules do not depend on how a renderer reads the inline text, because the renderers differ (JupyterLab takes the math
out *before* it parses the Markdown, so that ``$`` can hide a backtick or stand in an attribute). Outside fences nothing
that could open a tag, an image or a link to anything but http, https and mailto is left; fences are written anew at
column 0 between blank lines, where every renderer sees the same fence. A misjudged piece therefore looks odd, never
dangerous. All patterns are possessive or bounded: the time is linear in the length of the text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["code_span", "details", "escape", "fence", "fenced", "legible", "neutralise", "parts", "visible"]

_JOINER = "\u2060"  # WORD JOINER: invisible, of no width, and no part of any Markdown or HTML syntax

# --- characters ---------------------------------------------------------------------------------------------------

_ANSI = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]?"  # colours and cursor movements
    r"|\x1b[\]PX^_][^\x07\x1b\n]*+(?:\x07|\x1b\\)?"  # window titles, hyperlinks
    r"|\x1b[ -/]*+[0-~]?"
)
_NEWLINE = re.compile("\r\n?|[\x85\u2028\u2029]")
_CHARACTERS: dict[int, str | None] = {
    **dict.fromkeys([*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0)]),
    **dict.fromkeys([0xFEFF, 0xFFF9, 0xFFFA, 0xFFFB, *range(0xE0000, 0xE0080)]),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),
    **{code: f"\\u{code:04x}" for code in [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]},
}


def visible(text: str) -> str:
    r"""The text as an honest reader sees it.

    Terminal escapes, control characters and invisible tag characters go; bidirectional overrides, which make code read
    differently from how it runs, are spelled out; every line ends in a line feed; a lone surrogate, which no message
    could carry, becomes U+FFFD. What is added at the end of a text never changes what its beginning became.

    >>> visible("\x1b[31mred\x1b[0m\r\nnext\u202e")
    'red\nnext\\u202e'
    """
    if text.isascii() and text.isprintable():
        return text
    return _NEWLINE.sub("\n", _ANSI.sub("", text)).translate(_CHARACTERS)


# What is drawn as nothing: marks of direction, joiners, fillers that count as letters, selectors of variants (but for
# the one behind a sign that makes a picture of it).
_UNSEEN = re.compile(
    r"[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2060-\u2064\u206a-\u206f\u3164]"
    r"|(?<![\u203c-\u3299\U0001f000-\U0001faff])\ufe0f|[\ufe00-\ufe0e\uffa0\ufff0-\ufff8]"
    r"|[\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0100-\U000e01ef]"
)


def legible(code: str) -> str:
    r"""Code as an honest reader sees it: as :func:`visible`, and what is drawn as nothing is spelled out too.

    Python takes the spelling in a string for the character itself.

    >>> legible("admin\u200b = 'x\u2062y'")
    "admin\\u200b = 'x\\u2062y'"
    """
    code = visible(code)
    return code if code.isascii() else _UNSEEN.sub(_spelled, code)


def _spelled(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


# --- Markdown of our own ------------------------------------------------------------------------------------------

_INFO = re.compile(r"[A-Za-z0-9_+#.-]{0,40}")
_DRAWN = {"mermaid"}  # fences that a front end draws, which may fetch a picture, instead of showing them
_TICKS = re.compile("`+")
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_SPLIT = re.compile(r"<(?=[A-Za-z/!?])|(?:ftp|file)(?=://)", re.IGNORECASE)
# JupyterLab takes a doubled backslash for the beginning of a formula, and a link's text there loses the backslashes
# before brackets: neither may stand for itself by a backslash.
_SPECIAL = str.maketrans(
    {mark: f"\\{mark}" for mark in "`*_<>~$|#"} | {mark: f"&#{ord(mark)};" for mark in "\\[]"} | {"&": "&amp;"}
)


def fence(code: str, language: str = "python") -> str:
    r"""A fenced block that shows ``code`` whatever stands in it.

    >>> print(fence("a = '```'"))
    ````python
    a = '```'
    ````
    """
    code = legible(code)
    longest = max(map(len, _TICKS.findall(code)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{_info(language)}\n{code.rstrip(chr(10))}\n{ticks}"


def code_span(text: str) -> str:
    """The text as inline code, on one line.

    >>> code_span("a`b")
    '``a`b``'
    """
    text = " ".join(visible(text).split("\n"))
    ticks = "`" * (max(map(len, _TICKS.findall(text)), default=0) + 1)
    pad = " " if text[:1] in {"`", " ", ""} or text[-1:] in {"`", " "} else ""
    return f"{ticks}{pad}{_TAG.sub(rf'<{_JOINER}', text)}{pad}{ticks}"


def escape(text: str) -> str:
    r"""The text as Markdown that shows exactly it, on one line, in a table cell too.

    >>> escape('a|b[*] <b>')
    'a\\|b&#91;\\*&#93; \\<\u2060b\\>'
    """
    text = " ".join(visible(text).split("\n"))
    return _SPLIT.sub(rf"\g<0>{_JOINER}", text).translate(_SPECIAL)


def details(summary: str, body: str) -> str:
    """The Markdown ``body``, which must be safe already, folded under a line of plain text."""
    line = " ".join(html.escape(visible(summary)).split())
    return f"<details><summary>{line}</summary>\n\n{body}\n\n</details>"


def _info(language: str) -> str:
    match = _INFO.match(language.strip().lstrip("{."))
    word = match[0] if match else ""
    return "text" if word.lower() in _DRAWN else word


# --- Markdown of a stranger ---------------------------------------------------------------------------------------

_MATH_OPENS = re.compile(r"\$\$|\\begin\{|\\\\[(\[]")
_MATH_CLOSES = re.compile(r"\$\$|\\end\{|\\\\[)\]]")


def neutralise(text: str) -> str:
    r"""The Markdown of a model, safe to show as a trusted output; formulas, tables and code survive.

    >>> neutralise("a <script>alert(1)</script>") == "a <\u2060script>alert(1)<\u2060/script>"
    True
    >>> neutralise("![chart](https://example.org/a.png) [x](javascript:alert(1))")
    '[chart](https://example.org/a.png) [x]\u2060(javascript:alert(1))'
    """
    lines: list[str] = []
    math_open = False
    for block in _blocks(visible(text)):
        if isinstance(block, str):
            math_open = math_open or _MATH_OPENS.search(block) is not None
            prose = _prose(block)
            if lines and lines[-1].strip() and prose.split("\n", 1)[0].strip():
                lines.append("")
            lines.extend(prose.split("\n"))
            continue
        body = block.body
        if math_open and _MATH_CLOSES.search(body):  # a renderer could take the fence's beginning for math
            body = _prose(body)
        if lines and lines[-1].strip():
            lines.append("")
        lines.extend(fence(body, block.info).split("\n"))
    return "\n".join(lines)


class _Fence(NamedTuple):
    info: str
    body: str


_MARKER = r"(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t]))"
_OPEN = re.compile(
    rf"(?P<prefix>[ \t]*+(?:{_MARKER}[ \t]*+){{0,8}}+)(?P<ticks>`{{3,}}+(?![^\n]*`)|~{{3,}}+)(?P<info>[^\n]*)"
)
_BLANK_ITEM = re.compile(r"[-*+0-9]")


def parts(text: str, size: int, doubling: int = 8) -> list[str]:
    r"""Cut a long Markdown text at blank lines outside fences into parts of about ``size`` characters.

    Each part can be shown by itself. From the third ``doubling`` parts on, the size doubles after every ``doubling``,
    so that their number stays small.
    A text that grows only ever changes its last part: what was cut off before stays as it is.

    >>> parts("one\n\n```\ntwo\n\nthree\n```\n\nfour", size=4)
    ['one', '```\ntwo\n\nthree\n```', 'four']
    """
    lines = text.split("\n")
    found: list[str] = []
    start = at = length = 0
    while at < len(lines):
        free = at > start and not lines[at - 1].strip() and lines[at][:1].strip()
        if free and length >= size * 2 ** max(0, len(found) // doubling - 2):
            found.append("\n".join(lines[start:at]).strip("\n"))
            start, length = at, 0
        opening = _OPEN.match(lines[at])
        end = _body(lines, at + 1, opening)[1] if opening else at + 1
        length += sum(len(line) + 1 for line in lines[at:end])
        at = end
    rest = "\n".join(lines[start:]).strip("\n")
    return [*found, rest] if rest.strip() else found


def fenced(text: str) -> list[tuple[int, int]]:
    r"""Where the fences of a text stand, each from its first line's beginning to its last line's end, in characters.

    >>> fenced("a\n```\nb\n```\nc")
    [(2, 11)]
    """
    lines = text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    found, at = [], 0
    while at < len(lines):
        opening = _OPEN.match(lines[at])
        end = _body(lines, at + 1, opening)[1] if opening else at + 1
        if opening:
            found.append((starts[at], starts[end] - 1))
        at = end
    return found


def _blocks(text: str) -> Iterator[str | _Fence]:
    """Runs of prose, and fences taken out of the lists and quotes they stand in."""
    lines = text.split("\n")
    prose: list[str] = []
    at = hang = 0
    while at < len(lines):
        line = lines[at]
        at += 1
        hang = hang if not line.strip() or line.startswith(" " * hang) else 0
        opening = _OPEN.match(line)
        if not opening:
            prose.append(line[hang:] if line.strip() else line)
            continue
        prefix = opening["prefix"]
        if _BLANK_ITEM.search(prefix):  # the item's own line: "- ```" becomes an item and, behind it, the fence
            prose += ["", prefix[hang:].rstrip()]
        if prose:
            yield "\n".join(prose)
            prose = []
        body, at = _body(lines, at, opening)
        yield _Fence(opening["info"], "\n".join(body))
        hang = len(prefix) if ">" not in prefix else 0
    if prose:
        yield "\n".join(prose)


def _body(lines: list[str], at: int, opening: re.Match[str]) -> tuple[list[str], int]:
    """The lines of a fence and where the text goes on; a fence ends with its quote, if nothing closes it."""
    prefix, ticks = opening["prefix"], opening["ticks"]
    quotes, indent = prefix.count(">"), len(prefix.rpartition(">")[2])
    quoted = re.compile(rf"(?:[ \t]{{0,3}}>[ ]?){{{quotes}}}")
    close = re.compile(rf"[ \t]{{0,{indent + 3}}}{re.escape(ticks[0])}{{{len(ticks)},}}+[ \t]*$")
    body: list[str] = []
    while at < len(lines):
        line = lines[at]
        if quotes:
            mark = quoted.match(line)
            if not mark:
                break
            line = line[mark.end() :]
        at += 1
        if close.match(line):
            break
        body.append(line[min(indent, len(line) - len(line.lstrip(" \t"))) :])
    return body, at


# --- prose --------------------------------------------------------------------------------------------------------

_MATH = re.compile(r"\$\$[^$]++\$\$|\$(?=\S)[^$\n]++\$")
_BARE = re.compile(r"(?:https?://|www\.|mailto:)[^\s<]*+", re.IGNORECASE)
_BARE_MATH = re.compile(r"\$|\\(?=begin|\\)")
_TARGET = r"(?:https?://|mailto:)(?:[^\s<>()]++|\([^\s<>()]*+\))*+"
_TITLE = r"""(?:[ \t]++(?:"[^"\n]*+"|'[^'\n]*+'|\([^()\n]*+\)))?"""
_PERILS = re.compile(
    rf"(?P<define>^[ ]{{0,3}}\[(?P<label>[^\[\]\n]{{1,999}})\]:[ \t]*+<?(?P<define_to>{_TARGET})>?{_TITLE}[ \t]*+$)"
    rf"|(?P<link>\]\(\s*+<?(?P<link_to>{_TARGET})>?{_TITLE}\s*+\))"
    r"|(?P<auto><(?P<auto_to>(?:https?://|mailto:)[^\s<>]*+|[\w.+-]++@[\w-]++\.[\w.-]++)>)"
    r"|(?P<nameless>(?<!!)!++\[\](?=\(\s*+<?https?:))"
    r"|(?P<image>(?<!!)!++(?=\[[^\[\]\n]*+\]\(\s*+<?https?:))"
    # A line of ticks that is no fence, because there are ticks in its info too: JupyterLab may take those out as math.
    rf"|(?P<ticks>^[ \t]*+(?:{_MARKER}[ \t]*+)*+(?=`{{3}}|~{{3}}))"
    r"|(?P<split><(?=[A-Za-z/!?])|!(?=\\*+\[)|\](?=[(:])|(?:ftp|file)(?=://)"
    r"|\\(?=(?:href|style|class|cssId|html[A-Za-z]*|require|includegraphics|csname)(?![A-Za-z])))",
    re.IGNORECASE | re.MULTILINE,
)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_INNER_SCHEME = re.compile(r"(?:(?<=ftp)|(?<=file)):(?=//)", re.IGNORECASE)
_URL_QUOTED = {ord(char): f"%{ord(char):02X}" for char in "!$\\\"'`[]{}|^"}


def _prose(text: str) -> str:
    # A space is as good as a joiner behind "<", and TeX does not see it.
    text = _MATH.sub(lambda math: _TAG.sub("< ", math[0]), text)
    text = _PERILS.sub(_disarmed, text)
    # JupyterLab puts "$...$" back in after it made the links, quotes and all: in an address it would end the attribute.
    # This comes last, because what was disarmed may have joined two addresses.
    return _BARE.sub(lambda url: _BARE_MATH.sub(lambda m: f"%{ord(m[0]):02X}", url[0]), text)


def _disarmed(match: re.Match[str]) -> str:
    match match.lastgroup:
        case "define":  # a title on the next line would belong to it: a blank line keeps it away
            gap = "" if re.compile(r"\n[ \t]*+(?:\n|$)|$").match(match.string, match.end()) else "\n"
            return f"[{_PERILS.sub(_disarmed, match['label'])}]: {_url(match['define_to'])}{gap}"
        case "link":
            return f"]({_url(match['link_to'])})"
        case "auto":
            following = match.string[match.end() : match.end() + 1]
            return _url(match["auto_to"]) + (" " if following.isalnum() or following == "<" else "")
        case "nameless":
            return f"{match[0][1:-2]}{_JOINER if match[0][1] == '!' else ''}[image]"
        case "image":
            return f"{match[0][1:]}{_JOINER}" if len(match[0]) > 1 else ""
        case _:
            return match[0] + _JOINER


def _url(target: str) -> str:
    return _INNER_SCHEME.sub("%3A", _ESCAPED.sub(r"\1", target).translate(_URL_QUOTED))
