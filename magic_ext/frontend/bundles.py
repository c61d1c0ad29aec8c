"""Outputs: the mime bundle of one step. Pure functions; what a model or its code wrote is neutralised on the way.

Every text comes as ``text/markdown`` with the same as ``text/plain``; there is no ``text/html``, which JupyterLab would
prefer and which we would then have to highlight and sanitise.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from magic_ext.answer import Attempt
from magic_ext.costs.prices import dollars
from magic_ext.frontend.cells import Cell, nbformat_of
from magic_ext.markdown import details, escape, fence, neutralise, visible
from magic_ext.references.manifest import Entry, Manifest
from magic_ext.runtime.outputs import CUT
from magic_ext.wire.content import Image
from magic_ext.wire.steps import Step, encode_step
from magic_ext.wire.usage import Usage

__all__ = [
    "ALL_CELLS_MIME",
    "CELLS_MIME",
    "Footer",
    "Output",
    "cells_output",
    "code_output",
    "failures_output",
    "footer_output",
    "image_output",
    "note_output",
    "raw_output",
    "receipt_output",
    "result_output",
    "shortened",
    "size_of",
    "text_output",
    "thought_output",
    "with_buttons",
]

CELLS_MIME = "application/vnd.gemini-exec.cells+json"
"""The mime type that the labextension draws as a block of code with buttons that insert it as a cell."""

FOLLOW_UP_MIME = "application/vnd.gemini-exec.follow-up+json"
"""The mime type that the labextension draws as the footer with a field for the next question."""

ALL_CELLS_MIME = "application/vnd.gemini-exec.all-cells+json"
"""The mime type, drawn by nobody, in which the labextension finds what "Insert all" inserts."""

_RESULT_CHARACTERS = 6000
_RESULT_LINES = 80
_FOLDED_CHARACTERS = 50_000
_FOLDED_LINES = 1000
_LONG = 40  # lines of a result that are shown without a fold
_BRIEF = 20  # lines of a longer one that stand above the fold
_WIDE = 100  # characters of a line that a usual page shows
_WIDEST = 1000  # characters of a table's line; a longer one is no table's and may be broken


class Output(msgspec.Struct, frozen=True):
    """One output of a cell: a mime bundle and its metadata."""

    data: dict[str, Any]
    metadata: dict[str, Any] = {}

    @property
    def plain(self) -> str:
        """Its ``text/plain``."""
        return str(self.data.get("text/plain", ""))


class Footer(msgspec.Struct, frozen=True, kw_only=True):
    """What stands below an answer: who answered, where the code ran, on how many rows, and what left the computer.

    ``cells`` are by number the blocks of code as they go into new cells (bound to the live data, with those that they
    need), under 0 all of them; ``origin`` says in these cells where they come from. ``code_expected`` is whether code
    was asked for. ``returned`` is what the results of the user's functions carried out, ``calls`` are these
    functions with their seconds. ``cost`` is in US dollars, ``None`` where it is unknown.
    Seconds, usage, cost and interaction id vary from run to run: they go into metadata.
    """

    model: str
    place: str
    rows_line: str = ""
    sent_line: str = ""
    begins: str = ""
    seconds: float = 0.0
    usage: Usage = Usage()
    cost: float | None = None
    interaction_id: str = ""
    status: str = "completed"
    code_expected: bool = True
    cells: Mapping[int, tuple[Cell, ...]] = msgspec.field(default_factory=dict)
    origin: Mapping[str, str] = msgspec.field(default_factory=dict)
    returned: tuple[Entry, ...] = ()
    calls: tuple[tuple[str, float], ...] = ()


def _markdown(markdown: str, plain: str, metadata: dict[str, Any] | None = None) -> Output:
    return Output({"text/markdown": markdown, "text/plain": plain}, metadata or {})


@lru_cache(maxsize=128)
def text_output(text: str) -> Output:
    """A part of a model's answer."""
    return _markdown(neutralise(text), visible(text))


def code_output(code: str, language: str = "python") -> Output:
    """The code of one attempt."""
    return _markdown(fence(code, language), visible(code))


def with_buttons(code: Output, footer: Footer, number: int) -> Output:
    """The code of block ``number`` with what the labextension's buttons insert; elsewhere it looks as it did."""
    if number not in footer.cells:
        return code
    cells = [nbformat_of(cell, {}) for cell in footer.cells[number]]
    data = {CELLS_MIME: {"cells": cells, "all": len(footer.cells[0])}, **code.data}
    return Output(data, {"gemini_exec": {**footer.origin, "block": number}})


def result_output(text: str, where: str, *, failed: bool = False) -> Output:
    """What the code printed: a wide one scrolls, a long one shows its beginning (an error its end), the rest folded.

    A very long one is cut in the middle too and says ``where`` all of it is; as plain text it is cut much sooner.
    """
    whole = visible(text).rstrip("\n")
    title = "The code failed:"
    plain = shortened(whole, where)
    plain = f"{title}\n{plain}" if failed else plain
    most = _RESULT_CHARACTERS if _width(whole) > _WIDEST else _FOLDED_CHARACTERS
    shown = shortened(whole, where, lines=_FOLDED_LINES, characters=most)
    lines = shown.split("\n")
    if len(lines) <= _LONG and _width(shown) <= _WIDE:
        return Output({"text/plain": plain})
    blocks = [f"**{title}**"] if failed else []
    if len(lines) <= _LONG:
        blocks.append(_scrolling(shown))
    elif failed:
        blocks += [_folded_lines(lines[:-_BRIEF], "earlier"), _scrolling("\n".join(lines[-_BRIEF:]))]
    else:
        blocks += [_scrolling("\n".join(lines[:_BRIEF])), _folded_lines(lines[_BRIEF:], "more")]
    return _markdown("\n\n".join(blocks), plain)


def _folded_lines(lines: Sequence[str], which: str) -> str:
    return details(f"{len(lines):,} {which} lines", _scrolling("\n".join(lines)))


def _scrolling(text: str) -> str:
    """The text as a block; boxes keep a table's lines whole, and nbconvert's page aligned."""
    block = f"\n\n{fence(text, 'text')}\n\n"
    if _WIDE < _width(text) <= _WIDEST:
        block = f'<div style="width: max-content">{block}</div>'
    return f'<div style="overflow-x: auto; font-family: monospace">{block}</div>'


def failures_output(attempts: Sequence[Attempt]) -> Output:
    """Failed attempts, code and error, folded under the one that came after them."""
    summary = f"{len(attempts)} failed attempt{'s' if len(attempts) > 1 else ''}"
    blocks = [
        block
        for attempt in attempts
        for block in (fence(attempt.code), fence(shortened(visible(attempt.result), "_gemini.results"), "text"))
    ]
    errors = [visible(attempt.result).strip().rpartition("\n")[2] for attempt in attempts]
    return _markdown(details(summary, "\n\n".join(blocks)), "\n".join([f"[{summary}]", *errors]))


def thought_output(text: str) -> Output:
    """A summary of what the model thought, folded."""
    return _markdown(details("Thoughts", neutralise(text)), f"[Thoughts]\n{visible(text)}")


def raw_output(step: Step) -> Output:
    """A step that this package has no view for, as folded JSON."""
    encoded = encode_step(step)
    kind = " ".join([str(encoded.get("type") or "unknown"), str(encoded.get("name") or "")]).strip()
    text = shortened(msgspec.json.format(msgspec.json.encode(encoded), indent=1).decode(), "_gemini.steps")
    return _markdown(details(f"Step: {kind}", fence(text, "json")), f"[Step: {visible(kind)}]")


@lru_cache(maxsize=16)
def image_output(image: Image, number: int, title: str = "") -> Output:
    """A figure, with a text for those who do not see it; ``title`` is the figure's, if the code gave it one.

    Only what really is a PNG, JPEG, GIF or WebP is shown; SVG can carry scripts. A picture that is only named by its
    address is never fetched, only linked.
    """
    alt = " ".join(visible(f"Figure {number + 1}{': ' + title if title else ''}").split())
    if not image.data and image.uri:
        return text_output(f"{alt}: <{image.uri}>")
    content = image.content
    kind = _image_type(content)
    if not kind:
        return Output({"text/plain": f"[{alt}; not shown, it is no PNG, JPEG, GIF or WebP: _gemini.images[{number}]]"})
    data = {kind: base64.b64encode(content).decode("ascii"), "text/plain": f"[{alt}; _gemini.images[{number}]]"}
    return Output(data, {kind: {"alt": alt}})


def receipt_output(manifest: Manifest) -> Output:
    """What the question carried, reference by reference, folded."""
    total = f"{size_of(manifest.bytes)}, about {manifest.tokens:,} tokens"
    if manifest.replayed:
        summary = f"Receipt: replayed, nothing sent (asking again sends {total})"
    elif manifest.remote:
        summary = f"Receipt: {total} to {manifest.destination}"
    else:
        summary = f"Receipt: nothing leaves this computer ({size_of(manifest.bytes)} for its own engine)"
    head = ("reference", "kind", "rows × columns", "rows sent", "size", "tokens", "note")
    prompt = ("(the prompt)", "text", "", "", size_of(manifest.prompt_bytes), f"{manifest.prompt_tokens:,}", "")
    rows = [head, prompt, *(_receipt_row(entry) for entry in manifest.entries)]
    lines = ["| " + " | ".join(escape(cell) for cell in row) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(head))
    plain = "\n".join([visible(summary), *("  " + "  ".join(filter(None, map(visible, row))) for row in rows[1:])])
    return _markdown(details(summary, "\n".join(lines)), plain)


def footer_output(footer: Footer, *, live: bool) -> Output:
    """The line below an answer; ``live`` also shows what varies from run to run (it is in the metadata either way)."""
    facts = [footer.model, footer.place, footer.rows_line, footer.sent_line]
    facts.append(f"begins the conversation {footer.begins!r}" if footer.begins else "")
    if footer.status not in {"completed", "interrupted"}:  # of an interrupt the red line tells
        facts.append(f"status: {footer.status}")
    if live:
        facts.append(f"{footer.seconds:.1f} s")
        facts += [f"{name}() {seconds:.1f} s" for name, seconds in footer.calls]
        price = f", about {dollars(footer.cost)}" if footer.cost else ""
        facts.append(f"{footer.usage.total_tokens:,} tokens{price}" if footer.usage.total_tokens else "")
    line = " · ".join(filter(None, facts))
    varying = {
        "model": footer.model,
        "place": footer.place,
        "status": footer.status,
        "seconds": round(footer.seconds, 3),
        "usage": msgspec.to_builtins(footer.usage),
        "cost_usd": footer.cost,
        "answered": time.time(),
        "interaction_id": footer.interaction_id,
        "calls": [{"name": name, "seconds": round(seconds, 3)} for name, seconds in footer.calls],
    }
    output = _markdown(f"*{escape(line)}*", visible(line), {"gemini_exec": varying})
    return Output({FOLLOW_UP_MIME: {}, **output.data}, output.metadata) if footer.status == "completed" else output


def note_output(text: str) -> Output:
    """A remark of ours: an interruption, an answer without code."""
    return _markdown(f"**{escape(text)}**", visible(text))


def cells_output(cells: Sequence[Cell]) -> Output:
    """The line that says how code gets into cells, with what "Insert all" inserts where the labextension is."""
    count = len(cells)
    hint = "`%gemini paste` puts this code" if count == 1 else f"`%gemini paste N` puts block N of these {count}"
    line = f"{hint} into a new cell."
    return Output(
        {
            ALL_CELLS_MIME: {"cells": [nbformat_of(cell, {}) for cell in cells]},
            "text/markdown": line,
            "text/plain": line.replace("`", ""),
        }
    )


def size_of(count: int) -> str:
    """A number of bytes for people, in powers of 1000.

    >>> size_of(12_400), size_of(80)
    ('12.4 kB', '80 bytes')
    """
    if count < 1000:
        return f"{count} byte{'' if count == 1 else 's'}"
    return f"{count / 1000:,.1f} kB" if count < 1_000_000 else f"{count / 1_000_000:,.1f} MB"


def _receipt_row(entry: Entry) -> tuple[str, ...]:
    def number(value: int | None) -> str:
        return "" if value is None else f"{value:,}"

    counted = "?" if entry.rows is None and entry.columns is not None else number(entry.rows)
    shape = " × ".join(filter(None, [counted, number(entry.columns)]))
    kind = f"{entry.kind}, {entry.policy}" if entry.policy else entry.kind
    note = "; ".join(filter(None, [entry.file, entry.note]))
    return (
        entry.name if entry.kind.startswith("function") or entry.name.startswith("(") else f"@{entry.name}",
        kind,
        shape,
        number(entry.rows_sent),
        size_of(entry.bytes),
        f"{entry.tokens:,}",
        note,
    )


def _width(text: str) -> int:
    return max(map(len, text.split("\n")))


def shortened(
    text: str,
    where: str = "_gemini.steps",
    *,
    lines: int = _RESULT_LINES,
    characters: int = _RESULT_CHARACTERS,
) -> str:
    """The text, or its beginning and end with a line between them that says where the whole is, if it was kept."""
    all_lines = text.split("\n")
    head, tail = text, ""
    if len(all_lines) > lines:
        head, tail = "\n".join(all_lines[: lines // 2]), "\n".join(all_lines[-(lines // 2) :])
    if len(head) + len(tail) > characters:
        keep = characters // 2
        head, tail = head[:keep], (tail or head)[-keep:]
    left_out = len(text) - len(head) - len(tail)
    if head == text:
        return text
    rest = "what was kept of it" if CUT in text else "all of it"
    return f"{head}\n… {left_out:,} characters left out; {rest}: {where} …\n{tail}"


_MAGIC_NUMBERS = {
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF....WEBP", re.DOTALL),
}


def _image_type(content: bytes) -> str:
    return next((kind for kind, number in _MAGIC_NUMBERS.items() if number.match(content)), "")
