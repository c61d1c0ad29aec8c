"""Outputs for tools other than code: the calls of the user's functions, and searches."""

from __future__ import annotations

import contextlib
from html.parser import HTMLParser
from typing import Any

import msgspec

from magic_ext.markdown import details, escape, fence, neutralise, visible
from magic_ext.wire.content import Image, Json, decode_contents, text_of
from magic_ext.wire.steps import FunctionCall, FunctionResult, parsed_arguments

from .bundles import Output, shortened

__all__ = ["SEARCHES", "function_output", "returned_output", "search_outputs"]

SEARCHES = frozenset({"google_search_call", "google_search_result"})
_SUGGESTIONS = 100_000  # characters of HTML that are read
_SUMMARY = 100  # characters of a call that stand in the line it is folded under


def function_output(call: FunctionCall, result: FunctionResult | None) -> Output:
    """A call of one of the user's functions, with its arguments and what it returned, folded."""
    written = f"{call.name}({', '.join(f'{name}={_json(value)}' for name, value in call.arguments.items())})"
    short = written if len(written) <= _SUMMARY else f"{written[: _SUMMARY - 1]}…"
    blocks = [fence(shortened(written), "python")] if short != written else []
    plain = f"[{visible(short)}]"
    if result is not None:
        blocks.append(fence(_told(result), "text"))
        plain += f" {_told(result)}"
    summary = f"Function failed: {short}" if result is not None and result.is_error else f"Function: {short}"
    return Output({"text/markdown": details(summary, "\n\n".join(blocks)), "text/plain": plain})


def returned_output(result: FunctionResult) -> Output:
    """What a function returned, by itself, folded."""
    told = _told(result)
    name = result.name or "a function"
    summary = f"{name} failed" if result.is_error else f"{name} returned"
    return Output(
        {"text/markdown": details(summary, fence(told, "text")), "text/plain": f"[{visible(summary)}] {told}"}
    )


def search_outputs(raw: Json) -> list[Output]:
    """A search of the web: what was asked, folded, and later the searches that Google suggests, as links."""
    if raw.get("is_error") is True:
        return [_folded("The web search failed", [])]
    if raw.get("type") == "google_search_call":
        arguments = parsed_arguments(raw.get("arguments"))
        asked = arguments.get("queries") if isinstance(arguments, dict) else ()
        queries = asked if isinstance(asked, list) else ()
        return [_folded("Searched the web", [escape(str(query)) for query in queries])]
    links = _Links()
    results = raw.get("result")
    for found in results if isinstance(results, list) else ():
        html = found.get("search_suggestions") if isinstance(found, dict) else None
        with contextlib.suppress(AssertionError):  # what the parser raises at a damaged declaration
            links.feed(html[:_SUGGESTIONS] if isinstance(html, str) else "")
    return [_folded("Search suggestions", links.found)] if links.found else []


class _Links(HTMLParser):
    """The links of an HTML text as Markdown; nothing else of it is ever shown."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._address = ""
        self._words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get("href") or ""
        if tag == "a" and address.lower().startswith(("https://", "http://")):
            self._address, self._words = "".join(address.split()), []

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._address:
            words = " ".join("".join(self._words).split())
            self.found.append(neutralise(f"[{escape(words)}](<{self._address}>)" if words else f"<{self._address}>"))
            self._address = ""


def _folded(title: str, lines: list[str]) -> Output:
    body = "\n".join(f"- {line}" for line in lines)
    plain = f"[{title}: {'; '.join(lines)}]" if lines else f"[{title}]"
    return Output({"text/markdown": details(title, body), "text/plain": plain})


def _told(result: FunctionResult) -> str:
    """The text of a result; results that others sent may be any JSON."""
    blocks = decode_contents(result.result) if isinstance(result.result, str | list) else ()
    pictures = sum(isinstance(block, Image) for block in blocks)
    told = text_of(blocks) or ("" if pictures else _json(result.result))
    return shortened(visible(told + " (with a picture)" * bool(pictures)).strip())


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
