"""Error statuses: which error they are, what is tried again and after how long, and that the key is nowhere."""

from __future__ import annotations

import contextlib
import datetime
import email.utils
import logging
import traceback
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.client.errors import (
    ApiError,
    BadKey,
    BadRequest,
    Blocked,
    ClientError,
    ConnectionFailed,
    NotFound,
    RateLimited,
    ServerError,
    api_error,
    one_line,
)
from magic_ext.client.retry import retry_after

BODY = {"model": "gemini-3-flash-preview", "input": "hi"}
RETRY_INFO = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.002s"}
INVALID_KEY = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}


def well_told(error: ClientError) -> bool:
    return bool(str(error).strip()) and "\n" not in str(error) and len(str(error)) < 700 and bool(error.hint.strip())


def rpc(code: int, status: str, message: str = "m", details: Any = ()) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "status": status, "details": details}}


def said(code: str, message: str = "m") -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


STATUSES = {
    "a bad request": (400, said("invalid_request", "'x' is not supported."), BadRequest, "'x' is not supported."),
    "an unknown field": (400, said("parameter_unknown"), BadRequest, "parameter_unknown"),
    "an rpc bad request": (400, rpc(400, "INVALID_ARGUMENT"), BadRequest, "invalid_argument"),
    "a wrong key as 400": (400, rpc(400, "INVALID_ARGUMENT", "API key not valid."), BadKey, "not valid"),
    "an expired key as 400": (400, rpc(400, "INVALID_ARGUMENT", "Key expired.", [INVALID_KEY]), BadKey, "expired"),
    "a wrong key": (401, said("authentication"), BadKey, "authentication"),
    "no money": (402, said("payment_required"), BadRequest, "payment_required"),
    "a forbidden model": (403, said("permission_denied"), BadKey, "permission_denied"),
    "an unknown model": (404, said("model_not_found"), NotFound, "model_not_found"),
    "an expired interaction": (404, said("not_found", "Interaction v1_x."), NotFound, "Interaction v1_x."),
    "a safety block": (400, said("safety"), Blocked, "safety"),
    "a used-up quota": (429, said("quota_exceeded"), RateLimited, "quota_exceeded"),
    "something unimplemented": (501, said("unimplemented"), ServerError, "unimplemented"),
    "a teapot": (418, said("teapot"), BadRequest, "teapot"),
    "a list around it": (403, [rpc(403, "PERMISSION_DENIED")], BadKey, "permission_denied"),
    "a bare number": (416, {"error": {"code": 416, "message": "m"}}, BadRequest, "answered 416: m"),
    "a page": (403, b"<html>\nblocked by your company</html>", BadKey, "not an error message"),
    "an empty body": (404, b"", NotFound, "not an error message"),
    "another shape": (400, {"detail": "m"}, BadRequest, "not an error message"),
    "an error that is a string": (400, {"error": "m"}, BadRequest, "not an error message"),
    "an empty list": (400, [], BadRequest, "not an error message"),
    "no message": (400, {"error": {"message": None, "code": None, "details": 7}}, BadRequest, "no reason given"),
    "deep nesting": (400, b"[" * 10_000, BadRequest, "not an error message"),
    "no UTF-8": (400, b'{"error":{"message":"\xff"}}', BadRequest, "not an error message"),
    "many lines": (400, said("invalid\nrequest", "one\ntwo\u2028three\x1b[31m\x00"), BadRequest, "one two three[31m"),
}


@pytest.mark.parametrize(("status", "body", "kind", "words"), STATUSES.values(), ids=STATUSES)
def test_the_error_of_a_status(
    serve: Any, connect: Any, faults: SimpleNamespace, status: int, body: Any, kind: type[ApiError], words: str
) -> None:
    server = serve(faults.reply(status, body))
    for call in (lambda c: c.create(BODY), lambda c: list(c.stream(BODY)), lambda c: c.models()):
        with pytest.raises(kind) as caught:
            call(connect(server))
        assert type(caught.value) is kind
        assert caught.value.status == status
        assert well_told(caught.value)
        assert words in str(caught.value)
        assert "None" not in str(caught.value)
    assert len(server.seen) == 3, "none of these is worth a second try"


def test_a_page_with_403_blames_the_way_not_the_key(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.reply(403, b"<html>blocked</html>", content_type="text/html"))
    with pytest.raises(BadKey, match="text/html") as caught:
        connect(server).create(BODY)
    assert "base URL" in caught.value.hint


def test_a_huge_error_is_cut(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    """Neither is it all read: the client goes when it has seen enough."""
    gone = []

    def endless(to: Any) -> None:
        to.send(faults.head(400, {"content-type": "application/json", "transfer-encoding": "chunked"}))
        with contextlib.suppress(OSError):
            for _ in range(2000):
                to.send(faults.chunk(b"x" * 100_000))
            return
        gone.append(True)

    for script in (faults.reply(400, said("invalid_request", "word " * 100_000)), endless):
        server = serve(script)
        with pytest.raises(BadRequest) as caught:
            connect(server).create(BODY)
        assert well_told(caught.value)
        server.close()
    assert gone == [True]


def test_an_error_whose_body_breaks_off_is_still_that_error(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    head = faults.head(404, {"content-type": "application/json", "content-length": "1000"})
    server = serve(lambda to: to.send(head + b'{"error":'))
    with pytest.raises(NotFound):
        connect(server).create(BODY)


# What is tried again.


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504])
@pytest.mark.parametrize("unary", [True, False])
def test_three_failures_then_an_answer(
    serve: Any, connect: Any, faults: SimpleNamespace, waits: Any, status: int, unary: bool
) -> None:
    failing = faults.reply(status, said("service_unavailable", "busy"), retry_after_ms="3")
    fine = faults.reply(200, {"status": "completed", "steps": []}) if unary else faults.FINE
    server = serve(failing, failing, failing, fine)
    client = connect(server)
    if unary:
        assert client.create(BODY).status == "completed"
    else:
        assert len(list(client.stream(BODY))) == 5
    assert len(server.seen) == 4
    assert {seen.body for seen in server.seen} == {b'{"model":"gemini-3-flash-preview","input":"hi"}'}
    assert waits.seconds == waits.slept == [0.003] * 3
    assert all("busy" in reason and "\n" not in reason for _, reason in waits.told)


def test_after_five_failures_the_last_is_raised(serve: Any, connect: Any, faults: SimpleNamespace, waits: Any) -> None:
    server = serve(*(faults.reply(503, said("service_unavailable", f"number {n}")) for n in range(1, 8)))
    with pytest.raises(ServerError, match="number 5"):
        connect(server).create(BODY)
    assert len(server.seen) == 5
    assert len(waits.told) == 4


def test_a_page_with_502_is_tried_again(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.reply(502, b"<html>bad gateway</html>", content_type="text/html"), faults.FINE)
    assert len(list(connect(server).stream(BODY))) == 5


def test_pauses_grow_where_the_server_names_none(serve: Any, connect: Any, faults: SimpleNamespace, waits: Any) -> None:
    server = serve(faults.reply(500, said("api_error")))
    with pytest.raises(ServerError):
        connect(server).create(BODY)
    assert waits.seconds == waits.slept
    for seconds, least in zip(waits.seconds, [0.5, 1, 2, 4], strict=True):
        assert least <= seconds <= least + 0.25


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"retry_after_ms": "20"}, said("rate_limit_exceeded"), 0.02),
        ({"retry_after": "1"}, said("rate_limit_exceeded"), 1.0),
        ({"retry_after": "0"}, said("rate_limit_exceeded"), 0.0),
        ({"retry_after_ms": "20", "retry_after": "7"}, said("rate_limit_exceeded"), 0.02),
        ({"retry_after": "Wed, 21 Oct 2015 07:28:00 GMT"}, said("rate_limit_exceeded"), 0.0),
        ({}, rpc(429, "RESOURCE_EXHAUSTED", details=[RETRY_INFO]), 0.002),
        ({}, [rpc(429, "RESOURCE_EXHAUSTED", details=["odd", INVALID_KEY | {"reason": "X"}, RETRY_INFO])], 0.002),
        ({"retry_after_ms": "20"}, rpc(429, "RESOURCE_EXHAUSTED", details=[RETRY_INFO]), 0.02),
        ({"retry_after": "60"}, said("too_many_requests"), 60.0),
    ],
)
def test_the_server_names_the_pause(
    serve: Any, connect: Any, faults: SimpleNamespace, waits: Any, headers: dict[str, str], body: Any, seconds: float
) -> None:
    server = serve(faults.reply(429, body, **headers), faults.FINE)
    assert len(list(connect(server).stream(BODY))) == 5
    assert waits.seconds == waits.slept == [seconds]


@pytest.mark.parametrize(
    ("headers", "body", "hint"),
    [
        ({}, said("quota_exceeded"), "quota is used up"),
        ({"retry_after_ms": "1"}, said("QUOTA_EXCEEDED"), "quota is used up"),
        ({"retry_after": "61"}, said("rate_limit_exceeded"), "Wait 61 s"),
        ({}, rpc(429, "RESOURCE_EXHAUSTED", details=[RETRY_INFO | {"retryDelay": "3600s"}]), "Wait 3600 s"),
    ],
)
def test_what_would_take_too_long_is_left_to_the_user(
    serve: Any, connect: Any, faults: SimpleNamespace, waits: Any, headers: dict[str, str], body: Any, hint: str
) -> None:
    server = serve(faults.reply(429, body, **headers))
    with pytest.raises(RateLimited) as caught:
        connect(server).create(BODY)
    assert hint in caught.value.hint
    assert (len(server.seen), waits.told) == (1, [])


def test_a_date_is_so_many_seconds_away() -> None:
    when = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=1)
    seconds = retry_after({"retry-after": email.utils.format_datetime(when, usegmt=True)}, None)
    assert seconds is not None
    assert 3000 < seconds <= 3600


@pytest.mark.parametrize(
    "text",
    ["", "soon", "nan", "inf", "-1", "Fri, 31 Dec 9999 23:59:59 -0100", "1e400", "Wed, 99 Oct 2015 07:28:00 GMT"],
)
def test_an_odd_pause_is_none(text: str) -> None:
    assert retry_after({"retry-after": text}, None) is None
    assert retry_after({"retry-after-ms": text}, [RETRY_INFO | {"retryDelay": text}]) is None


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms"]), st.text()), st.text())
def test_any_pause_is_read_or_none(headers: dict[str, str], delay: str) -> None:
    seconds = retry_after(headers, [RETRY_INFO | {"retryDelay": delay}, None, 7])
    assert seconds is None or 0 <= seconds < float("inf")


@given(st.none() | st.integers(400, 599), st.text(), st.text())
def test_any_words_make_an_error_of_one_line(status: int | None, code: str, message: str) -> None:
    error = api_error(status, code, message)
    assert well_told(error)
    assert str(error).isprintable()
    assert error.code.isprintable()


@given(st.text(), st.integers(1, 50))
def test_one_line_is_one_line(text: str, longest: int) -> None:
    line = one_line(text, longest)
    assert line.isprintable()
    assert len(line) <= longest


# The key.


def everything_shown(error: BaseException) -> str:
    return "\n".join([str(error), repr(error), getattr(error, "hint", ""), *traceback.format_exception(error)])


def with_local_variables(error: BaseException) -> str:
    """What a verbose traceback shows, from the package's first frame on: the test's own frames know the key."""
    ours = error.__traceback__
    while ours and "magic_ext" not in ours.tb_frame.f_globals["__name__"]:
        ours = ours.tb_next
    assert ours is not None
    shown = traceback.TracebackException.from_exception(error.with_traceback(ours), capture_locals=True)
    return "\n".join(shown.format())


ECHOES = {
    "an error message": lambda f: f.reply(400, said("invalid_request", f"key {f.KEY} is odd")),
    "an error code": lambda f: f.reply(400, said(f.KEY)),
    "an rpc status": lambda f: f.reply(400, rpc(400, f.KEY)),
    "a message that is cut inside the key": lambda f: f.reply(400, said("x", "x" * 490 + f.KEY)),
    "a retried error": lambda f: f.reply(503, said("service_unavailable", f"key {f.KEY}")),
    "a page": lambda f: f.reply(200, f.KEY.encode(), content_type="text/html"),
    "an error page": lambda f: f.reply(403, f.KEY.encode(), content_type="text/html"),
    "a redirect": lambda f: f.reply(302, b"", location=f"https://login.example/?key={f.KEY}"),
    "a redirect that is cut inside the key": lambda f: f.reply(302, b"", location="/" + "x" * 110 + f.KEY),
    "a status line": lambda f: lambda to: to.send(f"{f.KEY}\r\n\r\n".encode()),
    "a header line": lambda f: lambda to: to.send(f"HTTP/1.1 200 OK\r\n {f.KEY} \r\n\r\n".encode()),
    "an error event": lambda f: f.streamed(f.sse({"event_type": "error", "error": {"code": f.KEY, "message": f.KEY}})),
    "a broken stream": lambda f: f.streamed(f.sse(f.CREATED) + f.KEY.encode(), end=f"{f.KEY}\r\n".encode()),
    "a broken reply": lambda f: lambda to: to.send(f.head(200, {"content-length": "999"}) + f.KEY.encode()),
    "an old schema": lambda f: f.reply(200, {"outputs": [f.KEY]}),
    "no JSON": lambda f: f.reply(200, f.KEY.encode()),
    "silence": lambda _: lambda to: to.client_has_gone(),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_key_that_the_server_echoes_is_not_shown(
    serve: Any, connect: Any, faults: SimpleNamespace, waits: Any, echo: Any
) -> None:
    server = serve(echo(faults))
    with pytest.raises(ClientError) as caught:
        list(connect(server, silence=1.0).stream(BODY))
    assert server.seen[0].headers["x-goog-api-key"] == faults.KEY, "so that the test can fail"
    assert faults.KEY[:16] not in everything_shown(caught.value) + repr(waits.told)
    assert well_told(caught.value)


FAILURES = {
    "a refusal": lambda f: f.reply(400, said("invalid_request")),
    "a page": lambda f: f.reply(200, b"<html>", content_type="text/html"),
    "a closed connection": lambda _: lambda to: None,
    "garbage": lambda _: lambda to: to.send(b"garbage\r\n\r\n"),
    "a broken stream": lambda f: f.streamed(f.sse(f.CREATED), end=b""),
    "an error event": lambda f: f.streamed(f.sse({"error": {"code": "safety", "message": "m"}})),
    "silence": lambda _: lambda to: to.client_has_gone(),
}


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_the_key_is_in_no_local_variable_no_repr_and_no_log(
    serve: Any, connect: Any, faults: SimpleNamespace, caplog: Any, failure: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(failure(faults))
    client = connect(server, silence=1.0)
    with pytest.raises(ClientError) as caught:
        list(client.stream(BODY))
    assert server.seen[0].headers["x-goog-api-key"] == faults.KEY
    shown = with_local_variables(caught.value) + repr(client) + repr(vars(client)) + caplog.text
    assert faults.KEY[:16] not in shown


def test_the_key_is_nowhere_when_nobody_answers(connect: Any, faults: SimpleNamespace) -> None:
    with pytest.raises(ConnectionFailed) as caught:
        connect("http://127.0.0.1:9").create(BODY)
    assert faults.KEY[:16] not in everything_shown(caught.value) + with_local_variables(caught.value)


@pytest.mark.parametrize(
    "odd", ["AIza key-in-two-words", "AIza-with-a-line\nend", "AIza-“quoted”-key", "AIza\u200bkey"]
)
def test_a_key_that_no_header_can_carry_is_refused_unseen(connect: Any, odd: str) -> None:
    from magic_ext.client.endpoint import Secret

    with pytest.raises(BadKey) as caught:
        connect("http://127.0.0.1:9", key=Secret(odd))
    assert well_told(caught.value)
    assert odd[-8:] not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("headers", [{"X-A": "two\r\nlines"}, {"X-A": "ü"}, {"X A": "hidden"}])
def test_headers_that_cannot_be_sent_are_told_without_their_values(
    serve: Any, connect: Any, faults: SimpleNamespace, headers: dict[str, str]
) -> None:
    server = serve(faults.FINE)
    with pytest.raises(ConnectionFailed, match=r"header|set up") as caught:
        connect(server, headers=headers).create(BODY)
    assert well_told(caught.value)
    assert not any(value in str(caught.value) for value in headers.values())
    assert server.seen == []
