"""The README's table of what a user sees when something goes wrong: each fault is made for real, its row compared.

``GEMINI_EXEC_WRITE_README=1 pytest tests/kernel/test_kernel_faults_table.py`` writes the table anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

README = Path(__file__).parent.parent.parent / "README.md"
BEGIN = "<!-- faults: generated from tests/kernel/test_kernel_faults_table.py -->\n"
END = "<!-- /faults -->"
HEAD = "| what happens | what you see | what is kept |\n| --- | --- | --- |\n"
WRITING = bool(os.environ.get("GEMINI_EXEC_WRITE_README"))
GATEWAY = "https://gemini.example"  # a name that only a proxy knows
HTML = b"<!doctype html><html><body><h1>Log in to the network</h1></body></html>"
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.02s"}
HALF = 3  # events of the answer that come before something happens to it: its text is among them


def coded(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def numbered(faults: SimpleNamespace) -> list[dict[str, Any]]:
    """The answer's events with ids, by which a server can be asked to go on."""
    return [event | {"event_id": f"evt_{number}"} for number, event in enumerate(faults.ANSWER)]


def bytewise(faults: SimpleNamespace) -> Any:
    def script(to: Any) -> None:
        to.send(faults.STREAM_HEAD)
        whole = faults.sse(*faults.ANSWER) + faults.DONE
        to.send_bytewise(b"".join(faults.chunk(whole[at : at + 1]) for at in range(len(whole))) + b"0\r\n\r\n")

    return script


def half(faults: SimpleNamespace, events: list[dict[str, Any]], then: str) -> Any:
    """The first events, and then the end of the connection, or silence."""

    def script(to: Any) -> None:
        to.send(faults.STREAM_HEAD + faults.chunk(faults.sse(*events[:HALF])))
        if then == "silence":
            to.client_has_gone()

    return script


class Fault:
    """What goes wrong: the scripts of the server, and what stands between it and the notebook."""

    def __init__(
        self,
        what: str,
        scripts: Callable[[SimpleNamespace], list[Any]],
        *,
        options: str = "",
        proxy: str = "",
        trusted: bool = True,
    ) -> None:
        self.what, self.scripts, self.options, self.proxy, self.trusted = what, scripts, options, proxy, trusted


FAULTS = [
    Fault("The server is slow: one byte after the other", lambda f: [bytewise(f)]),
    Fault(
        "It is overloaded three times, then it has time",
        lambda f: [*[f.reply(503, coded("service_unavailable", "Overloaded."))] * 3, f.FINE],
    ),
    Fault("It stays overloaded", lambda f: [f.reply(503, coded("service_unavailable", "Overloaded."))]),
    Fault(
        "Too many requests; it says when to come again",
        lambda f: [
            f.reply(429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": [RETRY_INFO]}}),
            f.FINE,
        ],
    ),
    Fault(
        "Too many requests, for minutes",
        lambda f: [f.reply(429, coded("rate_limit_exceeded", "Too many requests."))],
    ),
    Fault("The day's quota is used up", lambda f: [f.reply(429, coded("quota_exceeded", "Daily limit reached."))]),
    Fault("The key is wrong", lambda f: [f.reply(400, coded("invalid_request", "API key not valid."))]),
    Fault("There is no network, or nobody listens", lambda f: [f.FINE], proxy="dead"),
    Fault("It never answers (`--timeout 1`)", lambda f: [lambda to: to.client_has_gone()], options="--timeout 1"),
    Fault("It hangs up before it answers", lambda f: [lambda to: to.reset()]),
    Fault("It answers with garbage", lambda f: [lambda to: to.send(b"\x00\x01garbage\r\n\r\n")]),
    Fault("A network's login page answers", lambda f: [f.reply(200, HTML, content_type="text/html")]),
    Fault(
        "The connection drops half-way; the server tells all from the start again",
        lambda f: [half(f, numbered(f), "drop"), f.streamed(f.sse(*numbered(f)), f.DONE)],
    ),
    Fault("The connection drops half-way; the server can't go on", lambda f: [half(f, list(f.ANSWER), "drop")]),
    Fault(
        "It falls silent half-way; it can go on",
        lambda f: [half(f, numbered(f), "silence"), f.streamed(f.sse(*numbered(f)[HALF:]), f.DONE)],
        options="--timeout 1",
    ),
    Fault(
        "It falls silent half-way; it can't go on",
        lambda f: [half(f, list(f.ANSWER), "silence")],
        options="--timeout 1",
    ),
    Fault(
        "It reports an error half-way",
        lambda f: [
            f.streamed(
                f.sse(
                    *f.ANSWER[:HALF],
                    {"event_type": "error", **coded("gateway_timeout", "Deadline expired.")},
                )
            )
        ],
    ),
    Fault("A company's proxy opens TLS; `SSL_CERT_FILE` names its certificate", lambda f: [f.FINE], proxy="opens TLS"),
    Fault("The same proxy, its certificate unknown", lambda f: [f.FINE], proxy="opens TLS", trusted=False),
    Fault("The proxy wants a password", lambda f: [f.FINE], proxy="refuses"),
]


@pytest.fixture
def see(
    notebook: Any,
    serve: Callable[..., Any],
    intercept: Callable[..., Any],
    faults: SimpleNamespace,
    authority: Any,
    tmp_path: Path,
) -> Iterator[Callable[[Fault], str]]:
    """Makes a fault happen to a question in a real kernel; the row of what was seen of it."""
    notebook.do(
        "import os, types, tenacity.nap\n"
        "tenacity.nap.time = types.SimpleNamespace(sleep=lambda seconds: None)  # between two tries\n"
        "_gemini = None"
    )

    def row(fault: Fault) -> str:
        server = serve(*fault.scripts(faults))
        environment = {"GOOGLE_GEMINI_BASE_URL": GATEWAY if fault.proxy else server.url}
        if fault.proxy:
            refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n" if fault.proxy == "refuses" else b""
            dead = "http://127.0.0.1:9"
            environment["HTTPS_PROXY"] = dead if fault.proxy == "dead" else intercept(server, refusal).url
        if fault.proxy and fault.trusted:
            authority.cert_pem.write_to_path(str(tmp_path / "company.pem"))
            environment["SSL_CERT_FILE"] = str(tmp_path / "company.pem")
        notebook.do(f"os.environ.update({environment!r})")
        ran = notebook.run(f"%%gemini_exec -m gemini-3-flash-preview {fault.options}\nWhat about this: {fault.what}?")
        notebook.do(f"for _name in {list(environment)!r}: del os.environ[_name]")
        return f"| {fault.what} | {_seen(ran, server)} | {_kept(ran, notebook)} |"

    yield row


def _seen(ran: Any, server: Any) -> str:
    tries = f", after {len(server.seen)} requests" if len(server.seen) > 1 else ""
    if ran.status == "ok":
        assert "\n".join(str(data) for data in ran.outputs).count("text/markdown': 'Gr") == 1
        return f"the answer{tries}"
    line = re.sub(r"127\.0\.0\.1:\d+|gemini\.example", "HOST", ran.red_line)
    return f"{line.replace('|', chr(92) + '|')}{f' ({tries[2:]})' if tries else ''}"


def _kept(ran: Any, notebook: Any) -> str:
    if ran.status == "ok":
        return "all of it" if notebook.value("'Grüße' in _gemini.text") else "nothing"
    if "Grüße" not in ran.text:
        assert "There is no answer." in ran.text
        return "nothing had come"
    assert "This is not the whole answer." in ran.text
    return "the text so far, marked as not whole"


@pytest.fixture(scope="module")
def written() -> Iterator[list[str]]:
    """The rows as they are seen; they go into the README where that is asked for."""
    rows: list[str] = []
    yield rows
    if WRITING and len(rows) == len(FAULTS):
        text = README.read_text(encoding="utf-8")
        before, _, rest = text.partition(BEGIN)
        README.write_text(
            before + BEGIN + HEAD + "\n".join(rows) + "\n" + END + rest.partition(END)[2], encoding="utf-8"
        )


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.what)
def test_the_readme_tells_what_is_seen(fault: Fault, see: Callable[[Fault], str], written: list[str]) -> None:
    written.append(see(fault))
    assert WRITING or written[-1] in _table().splitlines()


def test_the_readme_tells_of_nothing_else() -> None:
    told = [row.split(" | ")[0].removeprefix("| ") for row in _table().splitlines()]
    assert WRITING or told == [fault.what for fault in FAULTS]


def _table() -> str:
    return README.read_text(encoding="utf-8").partition(BEGIN + HEAD)[2].partition(END)[0]
