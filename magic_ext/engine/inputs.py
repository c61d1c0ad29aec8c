"""What came attached, as files that the code can open (design section 4, last paragraph).

Inline data is numbered over the whole conversation, as in Google's sandbox: ``input_file_0.csv``. Data of this process
comes by ``file:`` address under the name that the user wrote, so that the code runs on the live data as it stands.
"""

from __future__ import annotations

import base64
import keyword
import mimetypes
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import Literal
from urllib.parse import urlsplit
from urllib.request import url2pathname

import msgspec

from magic_ext.wire.content import ARROW, Content, Document, Image, Text
from magic_ext.wire.steps import Step, UserInput

from .errors import bad_request
from .files import Files, uploaded_id
from .tables import TableSource

__all__ = ["InputFile", "check_addresses", "input_files", "size_of", "with_pictures"]

_Kind = Literal["frame", "table", "picture", "document"]


class InputFile(msgspec.Struct, frozen=True, kw_only=True):
    """One attached file: ``path`` is where the code finds it, relative to its working folder.

    A ``frame`` is bound to ``variable`` by the engine; a ``table`` is loaded by the code itself.
    """

    path: str
    kind: _Kind
    mime_type: str = ""
    data: bytes = b""
    source: Path | None = None
    variable: str = ""
    load: str = ""
    label: str = ""

    @property
    def table(self) -> TableSource | None:
        """The table that it holds, if it holds one."""
        if self.kind == "frame":
            name = _assigned(self.load) or self.variable
            return TableSource(name=name, load=self.load, label=self.label)
        if self.kind == "table":
            return TableSource(name=_assigned(self.load), load=self.load, label=self.label)
        return None


def check_addresses(steps: Iterable[Step], files: Files, *, local: bool) -> None:
    """Raise a 400 or 404 for content at an address that can't be read.

    Uploaded files can; files of this computer only where the process that owns them asks (``local``).
    """
    for block in _attachments(steps):
        if uploaded := uploaded_id(block.uri):
            files.get(uploaded)
        elif block.uri and not (local and block.uri.startswith("file:")):
            raise bad_request(f"The address {block.uri[:80]!r} can't be read here: send the data inline or upload it.")


def size_of(block: Document | Image, files: Files) -> int:
    """The bytes that a block stands for, inline or uploaded; 0 for files of this computer, which no model reads.

    Raises a 404 for an uploaded file that is not there.
    """
    uploaded = uploaded_id(block.uri)
    return files.get(uploaded).size if uploaded else len(block.content)


def input_files(steps: Iterable[Step], files: Files, earlier: Iterable[Step] = ()) -> tuple[InputFile, ...]:
    """All files attached to the user's turns, in order; a later one replaces an earlier one of the same path.

    What comes inline or uploaded is numbered behind that of the ``earlier`` turns.
    """
    found: dict[str, InputFile] = {}
    number = sum(not _is_local(block) for block in _attachments(earlier))
    names = _load_names(steps := tuple(steps))
    for block in _attachments(steps):
        if _is_local(block):
            file = _local(block)
        else:
            file = _numbered(_fetched(block, files), number, names.get(number, ""))
            number += 1
        found[file.path] = file
    return tuple(found.values())


def with_pictures(steps: Iterable[Step], files: Files) -> tuple[Step, ...]:
    """The steps with the bytes of uploaded pictures in them: a model is shown pictures, not addresses."""
    return tuple(
        UserInput(tuple(_fetched(block, files) if isinstance(block, Image) else block for block in step.content))
        if isinstance(step, UserInput)
        else step
        for step in steps
    )


def _is_local(block: Document | Image) -> bool:
    return bool(block.uri) and not uploaded_id(block.uri)


def _fetched(block: Document | Image, files: Files) -> Document | Image:
    """The block with an uploaded file's bytes in it."""
    uploaded = uploaded_id(block.uri)
    if not uploaded:
        return block
    data = base64.b64encode(files.read(uploaded)).decode("ascii")
    mime_type = block.mime_type or files.get(uploaded).mime_type
    return msgspec.structs.replace(block, data=data, mime_type=mime_type)


def _local(block: Document | Image) -> InputFile:
    parts = urlsplit(block.uri or "")
    if parts.scheme != "file":
        raise bad_request(f"The address {str(block.uri)[:80]!r} can't be read here.")
    source = Path(url2pathname(parts.path))
    label = block.name or source.name
    mime_type = block.mime_type or ""
    if mime_type == ARROW:
        return InputFile(
            path=f".gemini-exec/{source.name}",
            kind="frame",
            mime_type=mime_type,
            source=source,
            variable=label,
            label=label,
        )
    load = block.load if isinstance(block, Document) else None
    kind: _Kind = "picture" if isinstance(block, Image) else "table" if load else "document"
    return InputFile(path=_inside(label), kind=kind, mime_type=mime_type, source=source, load=load or "", label=label)


def _numbered(block: Document | Image, number: int, variable: str) -> InputFile:
    if not block.content:
        raise bad_request(f"Content {number} has neither base64 'data' nor a 'uri'.")
    mime_type = block.mime_type or ""
    suffix = ".csv" if "csv" in mime_type else mimetypes.guess_extension(mime_type) or ".bin"
    path = f"input_file_{number}{suffix}"
    if block.name:  # this package's client: the code finds it as the user wrote it
        path = _inside(block.name) if PurePosixPath(block.name).suffix else f"{_inside(block.name)}{suffix}"
    is_table = suffix == ".csv"
    name = variable or ("df" if number == 0 else f"df_{number}")
    return InputFile(
        path=path,
        kind="picture" if isinstance(block, Image) else "table" if is_table else "document",
        mime_type=mime_type,
        data=block.content,
        load=f"{name} = pd.read_csv({path!r})" if is_table else "",
        label=path,
    )


def _load_names(steps: Iterable[Step]) -> dict[int, str]:
    """The names under which a prompt says that its inline tables are loaded.

    Only the identifier is taken from the text, never its code: what the planner runs must not be the user's text.
    """
    pattern = re.compile(r"\b([A-Za-z_]\w*) = \w+\.read_csv\(.*?input_file_(\d+)")
    texts = (block.text for block in _blocks(steps) if isinstance(block, Text))
    found = (match for text in texts for match in pattern.finditer(text))
    return {int(match[2]): match[1] for match in found if not keyword.iskeyword(match[1])}


def _attachments(steps: Iterable[Step]) -> Iterator[Document | Image]:
    return (block for block in _blocks(steps) if isinstance(block, Document | Image))


def _blocks(steps: Iterable[Step]) -> Iterator[Content]:
    for step in steps:
        if isinstance(step, UserInput):
            yield from step.content


def _assigned(load: str) -> str:
    return load.partition("=")[0].strip()


def _inside(name: str) -> str:
    """A path as the user wrote it where it lies below the working folder, else the file's name alone."""
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name:
        return path.name
    return str(path)
