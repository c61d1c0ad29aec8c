"""The dialogue with a chat model as plain text: what it is told, and how its reply is read.

Code is a fenced block in the text, because that is the one way which every model and server knows: a ``tools`` field is
dropped without a word where the model's template has none, and forcing a call is not enforced (measured with llama.cpp;
local-runtime.md section 3).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Iterator
from itertools import chain

import msgspec

from magic_ext.markdown import fence
from magic_ext.wire import content, steps
from magic_ext.wire.content import Json

from .base import Code, Column, Conversation, JsonFormat, Part, Table, Text, Thought

__all__ = ["blocks_of", "chat_messages", "code_apart", "thoughts_apart"]

_RULES = """\
You are a careful data analyst. You answer in the language of the question.

You can run Python. Whenever something has to be computed, read or drawn:
- Write one fenced block that begins with a line ```python and ends with a line ```, and stop after it.
- It runs at once. You are then shown what it printed, or its error, and you go on.
- print() whatever you need to see; only what is printed comes back to you. Variables stay from block to block.
- Import what you use. pandas, numpy and matplotlib are there; there is no network, and nothing can be installed.
- Draw with matplotlib and end with plt.show(). The figure is shown to the user; do not save it to a file.
- After an error, write a corrected block. Never make up a result, and never write the output of a block yourself.
Every ```python block that you write is run. When you know the answer, give it in a few sentences without any block."""
_NO_CODE = "You are a careful data analyst. You answer in the language of the question. No code can be run."
_COLUMNS = 80  # described of one table; the code can look at the rest
_VALUES = 6
_RESULT = 8000  # characters of a result that a model is shown: context windows are small


# --- what the model is told ---------------------------------------------------------------------------------------


def chat_messages(conversation: Conversation) -> list[Json]:
    """The conversation as the ``messages`` of a chat completion: rules first, then user and assistant by turns.

    Results of code are messages of the user, and neighbours of one role are joined: strict templates want the roles to
    alternate.
    """
    messages: list[Json] = [{"role": "system", "content": _instructions(conversation)}]
    for message in chain.from_iterable(map(_said, conversation.steps)):
        last = messages[-1]
        if message["role"] == last["role"] and message["role"] in {"user", "assistant"}:
            messages[-1] = _joined(last, message)
        else:
            messages.append(message)
    return messages


def _said(step: steps.Step) -> Iterator[Json]:
    match step:
        case steps.UserInput():
            yield {"role": "user", "content": _asked(step)}
        case steps.ModelOutput(blocks):
            if text := step.text.strip():
                yield {"role": "assistant", "content": text}
            if any(isinstance(block, content.Image) for block in blocks):
                yield {"role": "user", "content": "(A figure was shown.)"}
        case steps.CodeExecutionCall(code=code):
            yield {"role": "assistant", "content": fence(code)}
        case steps.CodeExecutionResult(is_error=failed):
            said = _shortened(step.text.strip()) or "(nothing was printed)"
            yield {"role": "user", "content": f"{'Error' if failed else 'Output'}:\n{said}"}
        case steps.FunctionCall(id, name, arguments):
            function = {"name": name, "arguments": msgspec.json.encode(arguments).decode()}
            call = {"id": id, "type": "function", "function": function}
            yield {"role": "assistant", "content": "", "tool_calls": [call]}
        case steps.FunctionResult(call_id, result=result):
            text = content.text_of(content.decode_contents(result)) if isinstance(result, list | str) else ""
            said = text or msgspec.json.encode(result).decode()
            yield {"role": "tool", "tool_call_id": call_id, "content": _shortened(said)}


def _asked(step: steps.UserInput) -> str | list[Json]:
    pictures = [block for block in step.content if isinstance(block, content.Image)]
    if not pictures:
        return step.text
    return [{"type": "text", "text": step.text}, *map(_picture, pictures)]


def _picture(image: content.Image) -> Json:
    url = f"data:{image.mime_type or 'image/png'};base64,{image.data or ''}"
    return {"type": "image_url", "image_url": {"url": url}}


def _joined(first: Json, second: Json) -> Json:
    one, other = first["content"], second["content"]
    if isinstance(one, str) and isinstance(other, str):
        joined: Json = {**first, "content": "\n\n".join(filter(None, (one, other)))}
    else:
        joined = {**first, "content": blocks_of(one) + blocks_of(other)}
    calls = [*first.get("tool_calls", ()), *second.get("tool_calls", ())]
    return {**joined, "tool_calls": calls} if calls else joined


def blocks_of(said: str | list[Json]) -> list[Json]:
    """The blocks of a message's ``content``, which is a plain string where it can be one."""
    return [{"type": "text", "text": said}] if isinstance(said, str) else said


def _shortened(text: str) -> str:
    if len(text) <= _RESULT:
        return text
    half = _RESULT // 2
    return f"{text[:half]}\n... ({len(text) - 2 * half:,} characters left out) ...\n{text[-half:]}"


def _instructions(conversation: Conversation) -> str:
    pieces = [_RULES if conversation.code_execution else _NO_CODE]
    pieces += [_table(table) for table in conversation.tables]
    files = [*(picture.path for picture in conversation.pictures), *conversation.documents]
    if files:
        pieces.append("Files in the working folder: " + ", ".join(map(repr, files)))
    if conversation.system_instruction:
        pieces.append(conversation.system_instruction)
    if conversation.response_format is not None:
        pieces.append(_form(conversation.response_format))
    return "\n\n".join(pieces)


def _form(form: JsonFormat) -> str:
    asked = "Your answer itself is no prose: it is one JSON document and nothing else, without a fence around it."
    return f"{asked} It fits this JSON schema:\n{msgspec.json.encode(form.schema).decode()}" if form.schema else asked


def _table(table: Table) -> str:
    how = f"after this line: {table.load}" if table.load else "it is loaded already"
    lines = [f"Table `{table.name}`, a pandas DataFrame of {table.rows:,} rows; {how}. Its columns:"]
    lines += [f"- {_column(column)}" for column in table.columns[:_COLUMNS]]
    if len(table.columns) > _COLUMNS:
        lines.append(f"- and {len(table.columns) - _COLUMNS:,} more")
    return "\n".join(lines)


def _column(column: Column) -> str:
    facts: list[str] = [column.kind]
    if column.missing:
        facts.append(f"{column.missing:,} missing")
    if column.low is not None and column.high is not None:
        facts.append(f"{_bound(column.low)} to {_bound(column.high)}")
    elif column.values:
        shown = ", ".join(repr(value)[:60] for value in column.values[:_VALUES])
        facts.append(f"{column.unique:,} different: {shown}{', ...' if column.unique > _VALUES else ''}")
    return f"{column.name!r}: {', '.join(facts)}"


def _bound(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


# --- how its reply is read ----------------------------------------------------------------------------------------

_THINK, _THOUGHT = "<think>", "</think>"
_MAY_BE_FENCE = re.compile(r" *(?:`{0,2}|`{3,}[^`\n]*|~{0,2}|~{3,}[^\n]*)\r?\n?")
_OPENS = re.compile(r"(?P<indent> *)(?P<marks>`{3,}|~{3,})(?P<info>[^`\n]*)\n?")
_FENCE_LINE = 200  # characters; a longer line is text, so that no endless one is held back
_PYTHON = frozenset({"python", "python3", "py"})


def thoughts_apart(parts: Iterable[Part]) -> Iterator[Part]:
    r"""Make a thought of a ``<think>`` block at the very start (DeepSeek and Qwen write such), however it is cut.

    >>> list(thoughts_apart([Text("\n<thi"), Text("nk>Hm.</think>"), Text("\n\nYes.")]))
    [Thought(text='Hm.'), Text(text='Yes.')]
    """
    spoken, held = _unspaced(parts), ""
    for part in spoken:
        if not isinstance(part, Text):
            yield part
            continue
        held += part.text
        if held.startswith(_THINK) or not _THINK.startswith(held):
            break
    if held.startswith(_THINK):
        rest = yield from _thought(held.removeprefix(_THINK), spoken)
        yield from _unspaced(chain([Text(rest)], spoken))
    else:
        if held:
            yield Text(held)
        yield from spoken


def _thought(held: str, parts: Iterator[Part]) -> Generator[Part, None, str]:
    """Yield thoughts until the block's end; return the text that has been read beyond it."""
    begun = False
    for part in chain([Text("")], parts):
        if not isinstance(part, Text):
            yield part
            continue
        held += part.text
        thought, closed, rest = held.partition(_THOUGHT)
        held = "" if closed else _tail(thought)
        thought = thought.removesuffix(held)
        if thought := thought if begun else thought.lstrip():  # Qwen writes an empty block when told not to think
            begun = True
            yield Thought(thought)
        if closed:
            return rest
    if held:
        yield Thought(held)
    return ""


def _tail(text: str) -> str:
    """The end of ``text`` that may be the beginning of ``</think>``."""
    return next((_THOUGHT[:n] for n in range(len(_THOUGHT) - 1, 0, -1) if text.endswith(_THOUGHT[:n])), "")


def _unspaced(parts: Iterable[Part]) -> Iterator[Part]:
    """Leave out the white space before the first word, which would be an empty output of its own."""
    unread = iter(parts)
    for part in unread:
        if not isinstance(part, Text):
            yield part
        elif text := part.text.lstrip():
            yield Text(text)
            break
    yield from unread


def code_apart(parts: Iterable[Part]) -> Iterator[Part]:
    r"""Make code of the first Python fence, and end there; text before it and other fences pass as they come.

    A fence that the end of the reply leaves open counts as closed: a model that stopped by itself had no more to say.

    >>> list(code_apart([Text("Look:\n``"), Text("`python\n1 + "), Text("1\n```\nIt is 3.")]))
    [Text(text='Look:\n'), Code(code='1 + 1\n', trusted=False)]
    """
    opened: re.Match[str] | None = None
    code: list[str] = []
    for part, may_be_fence in _lines(parts):
        if not isinstance(part, Text):
            yield part
        elif opened is None:
            opened = _OPENS.fullmatch(part.text) if may_be_fence else None
            if not _is_python(opened):
                yield part
        elif may_be_fence and _closes(part.text, opened):
            if not _is_python(opened):
                yield part
            elif "".join(code).strip():
                break
            opened, code = None, []
        elif _is_python(opened):
            code.append(part.text)
        else:
            yield part
    if opened is not None and "".join(code).strip():
        yield Code(re.sub(rf"^ {{0,{len(opened['indent'])}}}", "", "".join(code), flags=re.MULTILINE))


def _lines(parts: Iterable[Part]) -> Iterator[tuple[Part, bool]]:
    """Text as it comes, but a line that may be a fence's only when it is whole; with whether it may be."""
    held, at_start = "", True
    for part in parts:
        if not isinstance(part, Text):
            yield part, False
            continue
        for piece in re.findall(r"[^\n]*\n|[^\n]+", part.text):
            held += piece
            whole = held.endswith("\n")
            may_be_fence = at_start and len(held) <= _FENCE_LINE and _MAY_BE_FENCE.fullmatch(held) is not None
            if whole or not may_be_fence:
                yield Text(held), may_be_fence
                held, at_start = "", whole
    if held:
        yield Text(held), True


def _is_python(opened: re.Match[str] | None) -> bool:
    words = opened["info"].lower().strip(" \t\r{.").split() if opened else []
    return bool(words) and words[0].rstrip("}") in _PYTHON


def _closes(line: str, opened: re.Match[str]) -> bool:
    marks = opened["marks"]
    body = line.strip()
    indent = len(line) - len(line.lstrip(" "))
    return len(body) >= len(marks) and set(body) == {marks[0]} and indent <= len(opened["indent"]) + 3
