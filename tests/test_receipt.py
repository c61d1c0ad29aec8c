"""The receipt equals the wire: every body that a server received is parsed, and the manifest is rebuilt from it."""

from __future__ import annotations

import base64
import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from magic_ext.ask import Course, Question, Tip
from magic_ext.client.endpoint import Endpoint, Secret
from magic_ext.frontend.bundles import receipt_output
from magic_ext.place import Place
from magic_ext.references import inline
from magic_ext.references.errors import BadReferenceError
from magic_ext.references.manifest import Entry, Manifest
from magic_ext.references.policy import parse_policy
from magic_ext.references.screen import Screen, screen_from

PREFIX = "[gemini-exec] "
DESCRIBED = re.compile(r"`(?P<shown>[^`]*)`(?: \(in the session: .*\))?: (?P<kind>.*?)(?:, .*?)?; (?P<extent>.*)")
SHAPE = re.compile(r"(?P<kind>.*), (?P<rows>an unknown number of|[\d,]+) rows? x (?P<columns>[\d,]+) columns?")
FILE = re.compile(r"attached as (input_file_\d+\.csv)")


class Watcher:
    """Sees nothing."""

    def update(self, index: int, snapshot: Any, done: bool) -> None:
        pass

    def status(self, text: str) -> None:
        pass

    def flush(self) -> None:
        pass


class Rebuilt:
    """A manifest made of nothing but what came over the wire: bodies of requests, and uploads by their address."""

    def __init__(self, bodies: list[dict[str, Any]], uploads: dict[str, bytes]) -> None:
        self._uploads = uploads
        self.entries: list[dict[str, Any]] = []
        self._first(bodies[0])
        for body in bodies[1:]:
            self._later(body)

    def _first(self, body: dict[str, Any]) -> None:
        given = body["input"]
        history = given[:-1] if isinstance(given, list) else []
        blocks = given[-1]["content"] if isinstance(given, list) else [{"type": "text", "text": given}]
        *attached, last = blocks
        self.prompt, self.description = _parted(last["text"])
        payloads = [self._payload(block) for block in attached]
        self.entries += list(_references(self.description, payloads))
        assert not payloads, "every payload belongs to a line of the description"
        self._functions(body)
        self._along(body, history)

    def _functions(self, body: dict[str, Any]) -> None:
        for tool in body.get("tools", ()):
            if tool["type"] == "function" and tool["name"] != "run_python":
                self._add(f"{tool['name']}()", "function", msgspec.json.encode(tool))

    def _along(self, body: dict[str, Any], history: list[Any]) -> None:
        if body.get("system_instruction"):
            self._add("(instructions)", "text", body["system_instruction"].encode())
        for tool in body.get("tools", ()):
            if tool["type"] == "function" and tool["name"] == "run_python":
                self._add("run_python()", "function", msgspec.json.encode(tool))
        if history:
            self._add("(the conversation so far)", "what was sent and answered before", msgspec.json.encode(history))

    def _later(self, body: dict[str, Any]) -> None:
        answered = 0
        for step in reversed(body["input"]):
            if step["type"] != "function_result":
                break
            answered += 1
        for step in body["input"][len(body["input"]) - answered :]:
            content = b"".join(self._payload(block) for block in step["result"])
            self._add(f"{step['name']}()", "function result", content)
        again = [body.get("system_instruction", "").encode()]
        again += [msgspec.json.encode(tool) for tool in body.get("tools", ()) if tool["type"] == "function"]
        history = body["input"][: len(body["input"]) - answered]
        again += [msgspec.json.encode(history)] if history else []
        self._add("(sent again)", "instructions, functions, conversation", b"".join(again), tokens=0)

    def _payload(self, block: dict[str, Any]) -> bytes:
        match block:
            case {"type": "text", "text": str(text)}:
                return text.encode()
            case {"uri": str(uri)}:
                return self._uploads[uri]
            case {"data": str(data)}:
                return base64.b64decode(data)
        raise AssertionError(f"not accounted for: {block}")

    def _add(self, name: str, kind: str, content: bytes, tokens: int | None = None) -> None:
        size = len(content)
        self.entries.append(
            {"name": name, "kind": kind, "bytes": size, "tokens": -(-size // 4) if tokens is None else 0}
        )


def _parted(text: str) -> tuple[str, str]:
    lines = text.split("\n")
    described = next((at for at, line in enumerate(lines) if line.startswith(PREFIX)), len(lines))
    return "\n".join(lines[: described - 1] if described < len(lines) else lines), "\n".join(lines[described:])


def _references(description: str, payloads: list[bytes]) -> Iterator[dict[str, Any]]:
    """What each described reference carried: tables first, as their payloads stand, then all others."""
    lines = [line.removeprefix(PREFIX) for line in description.split("\n")]
    described = [match for line in lines if not line.startswith("  ") and (match := DESCRIBED.fullmatch(line))]
    for match in described:
        shape = SHAPE.fullmatch(match[0][match.start("kind") : match.start("extent") - 2])
        if shape:
            yield _table(match, shape, payloads)
        else:
            sent = not match["extent"].endswith("not sent")
            content = payloads.pop(0) if sent else b""
            yield {"bytes": len(content), "policy": None if sent else "schema"}


def _table(match: re.Match[str], shape: re.Match[str], payloads: list[bytes]) -> dict[str, Any]:
    named = FILE.search(match["extent"])
    content = payloads.pop(0) if named else b""
    rows = shape["rows"].replace(",", "")
    delimiter = max(",;\t|", key=content.partition(b"\n")[0].decode().count)
    records = list(csv.reader(io.StringIO(content.decode(), newline=""), delimiter=delimiter))
    return {
        "kind": shape["kind"],
        "rows": int(rows) if rows.isdigit() else None,
        "columns": int(shape["columns"].replace(",", "")),
        "rows_sent": max(0, len(records) - 1),
        "file": named[1] if named else "",
        "bytes": len(content),
        "tokens": -(-len(content) // 4),
    }


def assert_equal(manifest: Manifest, rebuilt: Rebuilt) -> None:
    assert manifest.prompt_bytes == len(rebuilt.prompt.encode()) + len(rebuilt.description.encode())
    inside = [entry for entry in manifest.entries if entry.note.startswith("written into the sentence")]
    assert all(entry.bytes == entry.tokens == 0 for entry in inside)
    entries = [entry for entry in manifest.entries if entry not in inside]
    references = [entry for entry in entries if entry.policy]
    ordered = [*sorted(references, key=lambda entry: not entry.file), *(e for e in entries if not e.policy)]
    described = [one for one in rebuilt.entries if "name" not in one]
    described.sort(key=lambda one: not one.get("file"))
    assert len(ordered) == len(rebuilt.entries)
    for entry, found in zip(ordered, [*described, *(one for one in rebuilt.entries if "name" in one)], strict=True):
        for field, value in found.items():
            if value is not None or field == "rows":
                assert getattr(entry, field) == value, (entry, found)
    assert manifest.bytes == manifest.prompt_bytes + sum(one["bytes"] for one in rebuilt.entries)


@pytest.fixture
def google(serve: Callable[..., Any], faults: Any) -> Callable[..., Any]:
    """A server that takes uploads and answers; ``asking`` are the calls of functions that come before the answer."""

    def start(*asking: dict[str, Any]) -> Any:
        waiting = list(asking)

        def script(to: Any) -> None:
            target = to.seen.target
            if target.startswith("/upload/"):
                faults.reply(200, {}, x_goog_upload_url=f"{server.url}/put/{len(server.seen)}")(to)
            elif target.startswith("/put/"):
                name = f"files/{target.rpartition('/')[2]}"
                file = {"name": name, "uri": f"{server.url}/v1beta/{name}", "state": "ACTIVE"}
                faults.reply(200, {"file": file})(to)
            elif waiting:
                _calling(faults, waiting.pop(0))(to)
            else:
                faults.FINE(to)

        server = serve(script)
        return server

    return start


def _calling(faults: Any, call: dict[str, Any]) -> Any:
    head = {"id": f"v1_{call['id']}", "status": "requires_action"}
    return faults.streamed(
        faults.sse(
            {"event_type": "interaction.created", "interaction": head | {"status": "in_progress"}},
            {"event_type": "step.start", "index": 0, "step": {"type": "function_call", **call}},
            {"event_type": "step.stop", "index": 0},
            {"event_type": "interaction.completed", "interaction": head},
        ),
        faults.DONE,
    )


def received(server: Any) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """The bodies of the questions, and what was uploaded by its address."""
    bodies = [msgspec.json.decode(seen.body) for seen in server.seen if seen.target.endswith("/interactions")]
    uploads: dict[str, bytes] = {}
    for seen in server.seen:
        if seen.target.startswith("/put/"):
            uri = f"{server.url}/v1beta/files/{seen.target.rpartition('/')[2]}"
            uploads[uri] = uploads.get(uri, b"") + seen.body
    return bodies, uploads


def ask(server: Any, prompt: str, namespace: dict[str, Any], cwd: Path, **more: Any) -> Course:
    place = Place(model="gemini-3-flash-preview", endpoint=Endpoint(base_url=server.url, key=Secret("k")))
    policy = parse_policy(more.pop("send", "auto"))
    question = Question(prompt=prompt, place=place, policy=policy, **more)
    return Course(question, namespace, cwd)


def answered(server: Any, prompt: str, namespace: dict[str, Any], cwd: Path, **more: Any) -> Course:
    """Ask to the end, and hold the receipt against what came over the wire."""
    before = len(received(server)[0])
    course = ask(server, prompt, namespace, cwd, **more)
    told = course.manifest
    answer = course.run(Watcher())
    bodies, uploads = received(server)
    assert_equal(answer.sent, Rebuilt(bodies[before:], uploads))
    assert answer.sent.entries[: len(told.entries)] == told.entries, "what was shown before is what was sent"
    assert answer.sent.entries[len(told.entries) :] == course.returned
    return course


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=6)
CELLS = st.none() | st.text(max_size=8) | st.integers() | st.floats() | st.booleans()
FRAMES = st.builds(
    lambda columns, rows: pd.DataFrame({name: pd.Series(rows, dtype=object) for name in columns}),
    st.lists(NAMES, min_size=1, max_size=4, unique=True),
    st.lists(CELLS, max_size=5),
)
OBJECTS = (
    FRAMES
    | FRAMES.map(lambda frame: frame.iloc[:, 0])
    | st.lists(st.integers(), min_size=1, max_size=4).map(lambda values: pl.DataFrame({"n": [str(v) for v in values]}))
    | st.lists(st.floats(), min_size=1, max_size=4).map(np.array)
    | st.dictionaries(st.text(max_size=4), st.text(max_size=4), min_size=1, max_size=3)
    | st.integers()
    | st.text(min_size=1, max_size=300).filter(str.strip)
)
POLICIES = st.sampled_from(["", ":schema", ":full", ":auto"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    things=st.lists(st.tuples(OBJECTS, POLICIES), max_size=3),
    words=st.text(st.characters(codec="utf-8", exclude_characters="@`\r", exclude_categories=["C"]), max_size=20),
    send=st.sampled_from(["auto", "schema", "sample"]),
    system=st.sampled_from(["", "Answer in French. ü"]),
    store=st.booleans(),
    code=st.booleans(),
    redact=st.booleans(),
)
def test_any_cell(google: Any, tmp_path: Path, things: Any, words: str, **more: Any) -> None:
    server = google()
    namespace = {f"x{at}": value for at, (value, _) in enumerate(things)}
    prompt = " ".join([words, "what of", *(f"@x{at}{policy} ." for at, (_, policy) in enumerate(things))])
    screen = screen_from([], ["email", r"re:[0-9]+"]) if more.pop("redact") else Screen()
    more |= {"code_execution": more.pop("code"), "screen": screen, "allow_secrets": True}
    try:
        ask(server, prompt, namespace, tmp_path, **more)
    except BadReferenceError:  # all of it is to be replaced, say
        reject()
    answered(server, prompt, namespace, tmp_path, **more)


def _files(folder: Path) -> None:
    from matplotlib.figure import Figure

    (folder / "a.csv").write_text("name;n\nÄ;1,5\n;2\n")
    (folder / "b.txt").write_text("line\n```\nfenced\n```\n" * 3)
    (folder / "c.json").write_text('{"a": [1, 2]}')
    (folder / "d.pdf").write_bytes(b"%PDF-1.4 x")
    Figure().savefig(folder / "e.png")


@pytest.mark.parametrize("send", ["auto", "schema", "full"])
def test_files_and_pictures(google: Any, tmp_path: Path, send: str) -> None:
    from matplotlib.figure import Figure

    _files(tmp_path)
    answered(google(), "See @a.csv, @b.txt, @c.json, @d.pdf, @e.png and @fig!", {"fig": Figure()}, tmp_path, send=send)


def test_uploads(google: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inline, "INLINE_LIMIT", 10_000)
    large = pd.DataFrame({"n": range(3_000)})
    course = answered(google(), "Mean of @large and @small?", {"large": large, "small": large.head(3)}, tmp_path)
    by_name = {entry.name: entry.note for entry in course.manifest.entries}
    assert "uploaded" in by_name["large"] and "uploaded" not in by_name["small"]


def weather(city: str) -> pd.DataFrame:
    """How warm it is."""
    if city == "Rome":
        raise RuntimeError("no line to Rome")
    return pd.DataFrame({"city": [city], "mail": ["a@b.example"]})


@pytest.mark.parametrize("store", [True, False])
def test_functions(google: Any, tmp_path: Path, store: bool) -> None:
    calls = [{"id": name, "name": "weather", "arguments": {"city": name}} for name in ("Kyiv", "Rome", "Oslo")]
    calls.append({"id": "none", "name": "nobody", "arguments": {}})
    server = google(*calls)
    screen = screen_from([], ["email"])
    namespace = {"weather": weather, "df": pd.DataFrame({"n": [1]})}
    course = answered(server, "How warm? @df", namespace, tmp_path, tools=("weather",), store=store, screen=screen)
    kinds = [entry.kind for entry in course.manifest.entries]
    assert kinds.count("function result") == 4
    assert "1 replaced (1 email)" in str(course.manifest.entries)
    assert len(received(server)[0]) == 5


@pytest.mark.parametrize("store", [True, False])
def test_a_conversation(google: Any, tmp_path: Path, store: bool) -> None:
    calls = [{"id": "a", "name": "weather", "arguments": {"city": "Kyiv"}}]
    server = google(*calls)
    namespace = {"df": pd.DataFrame({"n": [1, 2]}), "weather": weather}
    tip: Tip | None = None
    for prompt in ("Mean of @df?", "And of @df:head(1)?", "Why?"):
        tip = answered(server, prompt, namespace, tmp_path, tip=tip, store=store, tools=("weather",)).tip
    last = received(server)[0][-1]
    assert ("previous_interaction_id" in last) is store


@pytest.mark.parametrize("background", [False, True])
def test_nothing_stands_in_a_body_that_the_receipt_does_not_know(google: Any, tmp_path: Path, background: bool) -> None:
    """All texts of a body besides those that the rebuilding reads are words of the protocol."""
    _files(tmp_path)
    server = google()
    frame = pd.DataFrame({"n": [1]})
    course = ask(server, "@df @a.csv @e.png @b.txt", {"df": frame}, tmp_path, system="S", background=background)
    course.run(Watcher()) if not background else None
    from magic_ext.wire.request import encode_request

    body = encode_request(course.request) if background else received(server)[0][0]
    protocol = {
        *("gemini-3-flash-preview", "user_input", "text", "document", "image", "text/csv", "image/png"),
        "code_execution",
    }
    known = {block.get("text") or block.get("data") for block in body["input"][-1]["content"]}
    known.add(body["system_instruction"])
    assert set(_texts(body)) <= protocol | known


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)


def test_instructions_stand_in_the_receipt(google: Any, tmp_path: Path) -> None:
    course = ask(google(), "Mean of @df?", {"df": pd.DataFrame({"n": [1]})}, tmp_path, system="Answer in French.")
    assert "(instructions)" in receipt_output(course.manifest).plain
    assert "@(" not in receipt_output(course.manifest).plain


def test_nothing_is_added_where_nothing_leaves(tmp_path: Path) -> None:
    place = Place(model="offline-planner")
    question = Question(prompt="Mean of @df?", place=place, policy=parse_policy("auto"), system="x")
    course = Course(question, {"df": pd.DataFrame({"n": [1]})}, tmp_path)
    assert [entry.name for entry in course.manifest.entries] == ["df"]


def test_the_receipt_is_no_larger_than_what_is_shown() -> None:
    entry = Entry(name="df", kind="pandas DataFrame", policy="full", rows=1, columns=2, rows_sent=1, bytes=10, tokens=3)
    manifest = Manifest(destination="host", remote=True, prompt_bytes=5, prompt_tokens=2, entries=(entry,))
    assert (manifest.bytes, manifest.tokens) == (15, 5)
    assert "15 bytes" in receipt_output(manifest).plain
