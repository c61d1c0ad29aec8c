"""Citations: marks in a text where it cites a page, and the pages below it.

Offsets come from a server and count bytes of UTF-8 (wire.md section 2.6). A mark never goes where it would change how
the text reads, such as into code, a formula, an address or a table's ruler: it moves behind such a piece, and where
there is no good place the page is only listed.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable

from magic_ext.markdown import escape, fenced
from magic_ext.wire.content import Annotation, Text, joined_texts

__all__ = ["marked", "quoted_sources", "sources"]

_PAGE = re.compile(r"https?://[^\s<>]{1,2000}", re.IGNORECASE)
_QUOTED = {ord(mark): f"%{ord(mark):02X}" for mark in "()\\"}
_LONGEST_QUOTE = 60  # characters
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

# What a mark may not stand in the middle of. Each stops where another could begin, so that the time is linear.
_WHOLE = re.compile(
    r"`++(?:[^`\n]*+`++)?"
    r"|!?\[[^\[\]\n]*+\]\([^()\n]*+(?:\([^()\n]*+\)[^()\n]*+)?\)"
    r"|(?P<address><?(?:https?://|www\.|mailto:)[^\s<>]++>?)"
    r"|\$\$[^$]++\$\$|\$(?=\S)[^$\n]*+(?<=\S)\$(?!\d)"
    r"|\\\[(?:[^\\]|\\[^\[\]])*+\\\]|\\\((?:[^\\]|\\[^()])*+\\\)"
    r"|\\[!-~]|&[#\w]{1,30};|\*++|_{2,}+|~{2,}+|[A-Za-z0-9\u00c0-\u024f]++",
    re.IGNORECASE,
)
_CLOSES = re.compile(r"\*++|_++|~~")
_RULER = re.compile(r"[\s|:=*_-]*+")
_OPENING = re.compile(r"(?:\s|>|\||#{1,6}|[-*+]|\d{1,9}[.)])*+")


def marked(contents: Iterable[object]) -> str:
    """All text in the blocks, with a mark such as ``[¹]`` behind each span that cites a page.

    >>> page = Annotation(type="url_citation", start_index=0, end_index=10, url="https://a.example")
    >>> marked([Text("Kyiv: −3°. Brr.", (page,))])
    'Kyiv: −3[¹]°. Brr.'
    """
    blocks = tuple(joined_texts(contents))
    numbers = _numbers([block for _, block in blocks])
    return "".join(gap + (_block(block, numbers) if numbers else block.text) for gap, block in blocks)


def sources(contents: Iterable[object]) -> str:
    """The pages that a text cites, numbered as their marks are, as Markdown; empty without citations."""
    blocks = [block for block in contents if isinstance(block, Text)]
    titles: dict[str, str] = {}
    for citation in _citations(blocks):
        titles[str(citation.url)] = titles.get(str(citation.url)) or (citation.title or "").strip()
    lines = [f"{number}. {_link(url, titles[url])}" for url, number in _numbers(blocks).items()]
    return "\n".join(["Sources:", "", *lines]) if lines else ""


def quoted_sources(contents: Iterable[object]) -> str:
    """The pages that a text cites, each with the words it is cited for, for a text that is already written.

    >>> page = Annotation(type="url_citation", start_index=6, end_index=10, url="https://a.example", title="A page")
    >>> print(quoted_sources([Text("Kyiv: −3°. Brr.", (page,))]))
    Sources:
    [¹] A page <https://a.example>, for "−3"
    """
    blocks = [block for block in contents if isinstance(block, Text)]
    cited: dict[str, dict[str, None]] = {}
    titles: dict[str, str] = {}
    for block in blocks:
        for citation in _citations([block]):
            url, words = str(citation.url), _words(block, citation)
            cited.setdefault(url, {})[words] = None
            titles[url] = titles.get(url) or (citation.title or "").strip()
    lines = ["Sources:"]
    for url, number in _numbers(blocks).items():
        quotes = " and ".join(f'"{words}"' for words in cited[url] if words)
        title = " ".join([titles[url], f"<{url}>"]).strip()
        lines.append(f"{_mark(number)} {title}{', for ' if quotes else ''}{quotes}")
    return "\n".join(lines) if len(lines) > 1 else ""


def _words(block: Text, citation: Annotation) -> str:
    """What is cited, in one line of bounded length; empty where the offsets are wrong."""
    said, start, end = block.text.encode("utf-8", "replace"), citation.start_index or 0, citation.end_index or 0
    if not 0 <= start <= end <= len(said):
        return ""
    line = " ".join(said[start:end].decode("utf-8", "ignore").split())
    return line if len(line) <= _LONGEST_QUOTE else f"{line[: _LONGEST_QUOTE // 2]} … {line[-_LONGEST_QUOTE // 2 :]}"


def _mark(number: int) -> str:
    return f"[{str(number).translate(_RAISED)}]"


def _link(url: str, title: str) -> str:
    return f"[{escape(title)}]({url.translate(_QUOTED)})" if title else f"<{url}>"


def _citations(blocks: Iterable[Text]) -> list[Annotation]:
    """The citations that name a page, block by block, in the order of the places where they end."""
    return [
        citation
        for block in blocks
        for citation in sorted(block.annotations, key=lambda a: a.end_index or 0)
        if citation.url and _PAGE.fullmatch(citation.url)
    ]


def _numbers(blocks: Iterable[Text]) -> dict[str, int]:
    pages = dict.fromkeys(str(citation.url) for citation in _citations(blocks))
    return {url: number for number, url in enumerate(pages, start=1)}


def _block(block: Text, numbers: dict[str, int]) -> str:
    if not block.annotations:
        return block.text
    text, places = block.text, _Places(block.text)
    marks: dict[int, set[int]] = {}
    for citation in _citations([block]):
        at = places.behind(citation)
        if at is not None:
            marks.setdefault(at, set()).add(numbers[str(citation.url)])
    pieces, before = [], 0
    for at, cited in sorted(marks.items()):
        gap = " " if places.ends_address(at) else ""
        pieces += [text[before:at], gap, *(_mark(number) for number in sorted(cited))]
        before = at
    return "".join([*pieces, text[before:]])


class _Places:
    """Where in a text a mark may stand."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._bytes = text.encode("utf-8", "replace")
        self._fences = fenced(text)
        self._whole = [match.span() for match in _WHOLE.finditer(text)]
        self._addresses = {match.end() for match in _WHOLE.finditer(text) if match["address"]}

    def ends_address(self, at: int) -> bool:
        """Whether a bare address ends there, which would take in what follows it at once."""
        return at in self._addresses

    def behind(self, citation: Annotation) -> int | None:
        """The place behind what is cited, in characters; ``None`` where the offsets are wrong or no place is good."""
        start, end = citation.start_index or 0, citation.end_index
        if end is None or not 0 <= start <= end <= len(self._bytes) or not end:
            return None
        at = len(self._bytes[:end].decode("utf-8", "ignore"))
        at = self._out_of_whole(len(self._text[:at].rstrip()))
        at = self._behind_emphasis(at)
        line_start, line_end = self._text.rfind("\n", 0, at) + 1, self._text.find("\n", at)
        line = self._text[line_start : line_end if line_end >= 0 else None]
        if line[: at - line_start].rstrip().endswith("|") and line.lstrip().startswith(
            "|"
        ):  # behind a table's last bar
            at = line_start + len(line[: at - line_start].rstrip()[:-1].rstrip())
        in_fence = any(first <= at <= last for first, last in self._fences)
        if in_fence or _RULER.fullmatch(line) or _OPENING.fullmatch(line[: at - line_start]):
            return None
        return at

    def _out_of_whole(self, at: int) -> int:
        position = bisect_right(self._whole, (at,)) - 1
        if position >= 0 and self._whole[position][0] < at < self._whole[position][1]:
            return self._whole[position][1]
        return at

    def _behind_emphasis(self, at: int) -> int:
        """Behind the marks that close an emphasis: in front of them they would no longer close it."""
        run = _CLOSES.match(self._text, at)
        if run is None:
            return at
        line_start = self._text.rfind("\n", 0, at) + 1
        closes = self._text.count(run[0], line_start, at) % 2
        return run.end() if closes else at
