"""The planner as a model of the engine: what it says and runs, from the steps of a conversation alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec.structs import replace

from magic_ext.wire.content import Text as TextContent
from magic_ext.wire.steps import CodeExecutionResult, Step, UserInput

from ..base import Code, Conversation, Part, Table, Text
from . import german, say
from .cell import literal
from .compile import compile_plans
from .compute import Computation, compute
from .grammar import TooLong
from .parse import Declined, parse
from .plan import Plan
from .titles import code_span

__all__ = ["OfflinePlanner"]

_GREETING = re.compile(
    r"""\s*(
        (hi|hello|hey|good\s(morning|afternoon|evening)|thanks|thank\syou)(\s(there|very\smuch))?
      | (hello|hi|hey)?[\s,!.]*(i\shave\sa\s(math|maths|data|quick)?\s?question(\sfor\syou|\sabout\smy\sdata)?)
      | help | what\scan\syou\sdo | who\sare\syou | what\sare\syou
    )[\s.!?]*""",
    re.IGNORECASE | re.VERBOSE,
)
_PICTURE_SIZE = re.compile(
    r"\s*(please\s)?(what\s(is|are)\s|show\s(me\s)?|tell\sme\s|how\sbig\sis\s)?(the\s)?"
    r"((size|dimensions|resolution|width|height|width\sand\sheight)\sof\s)?(this|the|my)?\s?"
    r"(`[^`]*`|picture|image|photo|figure)[\s.?!]*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Answer:
    """What one turn comes to: plans, a computation, other code, or only text."""

    text: str
    code: str = ""
    plans: tuple[Plan, ...] = ()


class OfflinePlanner:
    """Answers plain questions by fixed rules, deterministically and in milliseconds; declines everything else."""

    @property
    def name(self) -> str:
        """``offline-planner``."""
        return "offline-planner"

    def reply(self, conversation: Conversation) -> Iterator[Part]:
        """A sentence on how the question was read and the code for it; after the code has run, a closing sentence."""
        turn = max((i for i, step in enumerate(conversation.steps) if isinstance(step, UserInput)), default=-1)
        answer = _answer(conversation, conversation.steps[: turn + 1])
        results = [step for step in conversation.steps[turn + 1 :] if isinstance(step, CodeExecutionResult)]
        if results:
            yield Text(_closing(answer, results[-1]))
        elif not answer.code:
            yield Text(answer.text)
        elif conversation.code_execution:
            yield Text(answer.text)
            yield Code(answer.code, trusted=True)
        else:
            yield Text(f"{answer.text}\n\nCode execution is off, so this was not run:\n\n```python\n{answer.code}```")


def _closing(answer: _Answer, result: CodeExecutionResult) -> str:
    if result.is_error:
        lines = [line.strip() for line in result.text.splitlines() if line.strip()]
        why = code_span(_raised(lines)[:300]) if lines else "no message"
        return f"The code failed ({why}). The rules give the same code again, so I stop here. {say.ENGINES}"
    if answer.plans:
        return say.closing(answer.plans, result.text)
    printed = [line.strip() for line in result.text.splitlines() if line.strip()]
    return f"{code_span(printed[-1][:300])}." if printed else "Done: nothing was printed."


_RAISED = re.compile(r"[A-Za-z_][\w.]*(Error|Exception|Warning|Interrupt|Exit|Iteration)\b(:.*)?")


def _raised(lines: Sequence[str]) -> str:
    """The exception's own line: pandas and others write hints below it."""
    return next((line for line in reversed(lines) if _RAISED.fullmatch(line)), lines[-1])


_PART = re.compile(
    r"^\[gemini-exec\] `(?P<name>\w+)`.*\n(?:\[gemini-exec\]   .*\n)*?"
    r"\[gemini-exec\]   note:.*?only the (?P<part>first [\d,]+ of [^;]+? rows)",
    re.MULTILINE,
)


_LABEL = re.compile(r"^\[gemini-exec\] `(?P<name>\w+)` \(in the session: (?P<label>[\w.]+)\)", re.MULTILINE)


def _as_told(conversation: Conversation) -> Conversation:
    """The conversation with tables that know what the user calls them, and of which part of a larger one they are."""
    said = [b.text for s in conversation.steps if isinstance(s, UserInput) for b in s.content if hasattr(b, "text")]
    parts = {found["name"]: found["part"] for text in said for found in _PART.finditer(text)}
    labels = {found["name"]: found["label"] for text in said for found in _LABEL.finditer(text)}
    tables = tuple(
        replace(table, part=parts.get(table.name, ""), label=labels.get(table.name, table.label))
        for table in conversation.tables
    )
    return replace(conversation, tables=tables)


def _answer(conversation: Conversation, steps: Sequence[Step]) -> _Answer:
    """The answer to the last user's turn; the turns before it only tell what a follow-up changes."""
    conversation = _as_told(conversation)
    turns = [question_text(step) for step in steps if isinstance(step, UserInput)] or [""]
    last: tuple[Plan, ...] = ()
    skipped = False
    for earlier in turns[:-1]:
        read = _read(earlier, conversation.tables, last)
        if not isinstance(read, Declined):
            last, skipped = read, False
        elif compute(earlier):
            last = ()
        elif not _GREETING.fullmatch(earlier):
            skipped = True
    answer = _one(conversation, turns[-1], last)
    goes_on = skipped and last and answer.plans and isinstance(_read(turns[-1], conversation.tables, ()), Declined)
    return _Answer(f"{say.going_on(last)} {answer.text}", answer.code, answer.plans) if goes_on else answer


def _read(text: str, tables: Sequence[Table], last: tuple[Plan, ...]) -> tuple[Plan, ...] | Declined:
    """The plans of a question; a follow-up may name the one table again, as in "by city in `sales`"."""
    if not tables:
        return Declined()
    try:
        return _understood(text, tables, last)
    except (RecursionError, TooLong):
        return Declined(reasons=("this is too long, or repeats itself; ask it in one short sentence",))


def _understood(text: str, tables: Sequence[Table], last: tuple[Plan, ...]) -> tuple[Plan, ...] | Declined:
    read = parse(text, tables, last)
    if isinstance(read, Declined) and last and len({table.name for table in tables}) == 1:
        shorter = re.sub(rf"\s+(?:in|of|from|for)\s+`?{re.escape(tables[0].name)}`?(?=\W*$)", "", text)
        if shorter != text and not isinstance(again := parse(shorter, tables, last), Declined):
            return again
    if isinstance(read, Declined) and (translated := german.read(text, tables, last)) is not None:
        return translated
    return read


def _one(conversation: Conversation, text: str, last: tuple[Plan, ...]) -> _Answer:
    if not text or _GREETING.fullmatch(text):
        return _Answer(say.greeting(conversation))
    computed = compute(text)
    read = _read(text, conversation.tables, last)
    if not isinstance(read, Declined):
        return _planned(read, conversation.tables)
    if computed:
        return _computed(computed)
    if conversation.pictures:
        return _pictured(conversation, text)
    return _Answer(say.declined(read, conversation, text))


def _planned(plans: tuple[Plan, ...], tables: Sequence[Table]) -> _Answer:
    try:
        code = compile_plans(plans, [table.name for table in tables])
    except ValueError as error:
        return _Answer(f"{error}. Bind the table to a variable with a plain name and ask again.")
    return _Answer(say.reading(plans), code, plans)


def _computed(computation: Computation) -> _Answer:
    return _Answer(computation.reading, computation.code)


def _pictured(conversation: Conversation, text: str) -> _Answer:
    if not _PICTURE_SIZE.fullmatch(text) or len(conversation.pictures) != 1:
        return _Answer(say.picture(conversation))
    path = literal(conversation.pictures[0].path)
    code = (
        f'from PIL import Image\n\nwith Image.open({path}) as picture:\n    print("Width and height:", picture.size)\n'
    )
    return _Answer("The width and height of the picture, in pixels.", code)


def question_text(turn: UserInput) -> str:
    """The question of a turn, without the lines on attachments that the front end adds."""
    text = "\n\n".join(block.text for block in turn.content if isinstance(block, TextContent))
    return re.split(r"^\[gemini-exec\]", text, maxsplit=1, flags=re.MULTILINE)[0].strip()
