"""What the engine asks of a model, and what a model may answer.

The engine calls :meth:`Model.reply` again and again within one turn: a reply ends when its iterator ends or when it
yields :class:`Code` or calls functions. The engine runs the code, appends call and result to ``steps``, and asks again.
A reply without code or function call ends the turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol, runtime_checkable

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.wire.steps import Step

__all__ = [
    "Code",
    "Column",
    "Conversation",
    "FunctionCall",
    "Incomplete",
    "JsonFormat",
    "Kind",
    "Model",
    "Part",
    "Picture",
    "Table",
    "Text",
    "Thought",
    "Usage",
    "WritesJson",
]

Kind = Literal["integer", "number", "boolean", "datetime", "text", "other"]
Cast = Literal["", "float", "hours", "datetime"]


class Column(msgspec.Struct, frozen=True):
    """One column of an attached table, as the code will see it in pandas.

    ``unique`` counts distinct non-missing values (of at most the first 100,000 rows); ``values`` lists them, most
    frequent first, where a text, boolean or integer column has at most 200; ``low`` and ``high`` bound numbers (as
    floats) and datetimes (as ISO strings). ``cast`` says what the code must do before it computes with the values:
    decimals become floats, durations hours, date objects datetimes. ``form`` is how a text column writes dates, for
    ``pd.to_datetime(format=...)``: ``ISO8601``, ``%d/%m/%Y``, ...; ``ambiguous`` where day or month may be first.
    """

    name: str
    kind: Kind
    missing: int = 0
    unique: int = 0
    values: tuple[str | int | bool, ...] = ()
    low: float | str | None = None
    high: float | str | None = None
    cast: Cast = ""
    form: str = ""


class Table(msgspec.Struct, frozen=True):
    """An attached table. After ``load`` (one line of code, ``""`` where nothing is to do) it is bound to ``name``."""

    name: str
    rows: int
    columns: tuple[Column, ...]
    load: str = ""
    label: str = ""  # what the user wrote: a variable's name or a path
    part: str = ""  # "first 1,000,000 of 1,500,000 rows" where that is all that is here


class Picture(msgspec.Struct, frozen=True):
    """An attached picture; ``path`` is where the code finds it."""

    path: str
    mime_type: str
    label: str = ""


class JsonFormat(msgspec.Struct, frozen=True):
    """The form of an answer that is one JSON document: one that fits the JSON ``schema``, if that is not empty."""

    schema: dict[str, Any] = {}


Stopping = Callable[[Callable[[], None]], AbstractContextManager[None]]
"""A context in which what it is given is called, in another thread, where nobody waits for the reply any more."""


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """All that a model sees: the steps of the chain and of this turn, oldest first, and what is attached.

    ``stopping`` is for a model that waits for somebody else.
    """

    steps: tuple[Step, ...]
    tables: tuple[Table, ...] = ()
    pictures: tuple[Picture, ...] = ()
    documents: tuple[str, ...] = ()  # paths of other attached files, as the code finds them
    system_instruction: str = ""
    code_execution: bool = True  # whether the request carried the code_execution tool
    functions: tuple[dict[str, Any], ...] = ()  # declarations of the caller's own functions
    max_output_tokens: int | None = None
    sampling: Mapping[str, Any] = {}  # temperature, top_p, seed, stop
    must_call: bool = False  # whether the model is to call one of the functions, whatever it would rather do
    response_format: JsonFormat | None = None
    stopping: Stopping = lambda stop: nullcontext()

    @property
    def tools(self) -> bool:
        """Whether the model may run code or call functions."""
        return self.code_execution or bool(self.functions)


class Text(msgspec.Struct, frozen=True):
    """A piece of the answer's text (streamed: pieces are concatenated)."""

    text: str


class Thought(msgspec.Struct, frozen=True):
    """A piece of a readable thought."""

    text: str


class Code(msgspec.Struct, frozen=True):
    """A whole block of Python to run; ends the reply.

    ``trusted`` says that no model wrote it: it comes from a closed grammar with names and values by ``repr``, so that
    it may run without isolation where none is to be had (design section 5).
    """

    code: str
    trusted: bool = False


class Image(msgspec.Struct, frozen=True):
    """A picture that the model itself answers with (a scripted one; real models draw by code)."""

    data: bytes
    mime_type: str = "image/png"


class FunctionCall(msgspec.Struct, frozen=True):
    """A call of one of the caller's own functions; the reply ends after the last one."""

    name: str
    arguments: dict[str, Any]


class Usage(msgspec.Struct, frozen=True):
    """Tokens of this reply, where the model counts its own; otherwise the engine estimates."""

    input_tokens: int = 0
    output_tokens: int = 0
    thought_tokens: int = 0


Part = Text | Thought | Code | Image | FunctionCall | Usage


class Incomplete(GeminiExecError):
    """The answer was cut at a limit of tokens; what has come of it stands."""


class Model(Protocol):
    """A model behind the engine."""

    @property
    def name(self) -> str:
        """The name that clients ask for and that answers carry, such as ``offline-planner``."""
        ...

    def reply(self, conversation: Conversation) -> Iterator[Part]:
        """Answer the last turn of ``conversation`` piece by piece; see the module for when a reply ends."""
        ...


@runtime_checkable
class WritesJson(Protocol):
    """A model that heeds ``response_format``, which no other is given.

    With tools, it is told of the format; without, it is held to it.
    """

    writes_json: bool
