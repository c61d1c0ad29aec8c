"""What every test stands on: no key in the environment, no file of the user's touched, a server that misbehaves."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
from hypothesis import settings

KEYS = (
    *("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GEMINI_EXEC_TOKEN"),
    *("OPENAI_BASE_URL", "OPENAI_API_KEY", "GOOGLE_GENAI_API_VERSION", "GOOGLE_GENAI_USE_VERTEXAI"),
)
REPOSITORY = Path(__file__).parent.parent

# Property tests are about values, never about how fast a machine is; CI tries the same ones each time.
settings.register_profile("ours", deadline=None, derandomize=bool(os.environ.get("GEMINI_EXEC_CI")))
settings.load_profile("ours")


@pytest.fixture(scope="session", autouse=True)
def _private_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keys away, and the folders where the package keeps things, those of this run; kernels inherit both."""
    before = dict(os.environ)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a run in the background inherits that it is ignored
    for name in KEYS:
        os.environ.pop(name, None)
    home = tmp_path_factory.mktemp("user")
    os.environ["XDG_DATA_HOME"] = str(home / "data")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    os.environ.setdefault("MPLCONFIGDIR", str(cache / "matplotlib"))  # its list of fonts takes seconds to build
    os.environ.setdefault("GEMINI_EXEC_TEST_CACHE", str(cache / "gemini-exec-tests"))  # environments
    os.environ["XDG_CACHE_HOME"] = str(home / "cache")
    os.environ["XDG_STATE_HOME"] = str(home / "state")
    os.environ["IPYTHONDIR"] = str(home / "ipython")
    profile = home / "ipython" / "profile_default"
    profile.mkdir(parents=True)
    # Tests ask the same again and expect to be heard; those of recorded answers say so.
    (profile / "ipython_config.py").write_text('get_config().GeminiExecMagics.cache = "off"\n')
    os.environ["JUPYTER_PLATFORM_DIRS"] = "1"
    os.environ["JUPYTER_CONFIG_DIR"] = str(home / "jupyter")
    yield
    os.environ.clear()
    os.environ.update(before)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On CI nothing may be skipped: a skip there hides a missing install step."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("GEMINI_EXEC_CI") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("Tests were skipped, which CI does not allow.", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(scope="session")
def penguins_csv() -> Path:
    """The real table that ships with the package."""
    return REPOSITORY / "notebooks" / "data" / "penguins.csv"


@pytest.fixture(scope="session")
def installed() -> Callable[[str, Callable[[Path], None]], Path]:
    """A folder of the cache, made whole by an ``install`` of it or not at all; other runs may want the same one."""
    import platformdirs

    cache = Path(os.environ.get("GEMINI_EXEC_TEST_CACHE") or platformdirs.user_cache_path("gemini-exec-tests"))

    def folder(name: str, install: Callable[[Path], None]) -> Path:
        wanted = cache / name
        if wanted.exists():
            return wanted
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache, ignore_cleanup_errors=True) as under_way:
            made = Path(under_way) / "made"
            install(made)
            try:
                made.rename(wanted)
            except OSError:
                if not wanted.exists():  # else another run was first
                    raise
        return wanted

    return folder


KEY = "AIza-test-key-which-nobody-may-see"
PATIENCE = 20.0  # seconds until a test that hangs gives up; no result depends on it


@dataclass(frozen=True)
class Seen:
    """A request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Connection:
    """The server's side of one connection, given to a script after the request was read."""

    def __init__(self, sock: socket.socket, seen: Seen) -> None:
        self._sock = sock
        self.seen = seen

    def send(self, data: bytes) -> None:
        self._sock.sendall(data)

    def send_bytewise(self, data: bytes) -> None:
        for at in range(len(data)):
            self._sock.sendall(data[at : at + 1])

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    def client_has_gone(self) -> bool:
        """Wait until the client closes; ``False`` if it never does."""
        self._sock.settimeout(PATIENCE)
        try:
            return self._sock.recv(1) == b""
        except ConnectionError:
            return True
        except TimeoutError:
            return False


Script = Callable[[Connection], None]


@dataclass
class FaultServer:
    """Runs ``scripts`` one a request; the last one answers all that follow."""

    scripts: list[Script]
    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Wait until every script has ended; closing twice is closing once."""
        if self._closing.is_set():
            return
        self._closing.set()
        socket.create_connection(("127.0.0.1", self.port)).close()  # wakes accept() on every platform
        for thread in [self._accepting, *self._threads]:
            thread.join(PATIENCE)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listening.accept()
            if self._closing.is_set():
                sock.close()
                return
            thread = threading.Thread(target=self._serve, args=(sock,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(PATIENCE)
        with sock:
            try:
                talking = self.tls.wrap_socket(sock, server_side=True) if self.tls else sock
                with talking:
                    self._answer(talking)
            except OSError:  # the client refused the certificate, or has gone while it was written to
                return

    def _answer(self, sock: socket.socket) -> None:
        seen = _read_request(sock)
        if seen is None:
            return
        script = self.scripts[min(len(self.seen), len(self.scripts) - 1)]
        self.seen.append(seen)
        script(Connection(sock, seen))


def _read_request(sock: socket.socket) -> Seen | None:
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        data += piece
        if not piece or not data[:1].isalpha():  # closed, or no HTTP
            return None
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        piece = sock.recv(65536)
        if not piece:  # whoever sends has gone half-way
            return None
        body += piece
    return Seen(method, target, headers, body)


class InterceptingProxy:
    """A company's proxy: opens TLS with certificates of its own, and hands a response on when all of it is there.

    Whatever host is asked for, ``upstream`` answers. ``asked`` holds the hosts. ``refusal`` is its answer to
    everybody, if it lets nobody through.
    """

    def __init__(self, upstream: FaultServer, authority: trustme.CA, refusal: bytes = b"") -> None:
        self.asked: list[str] = []
        self._upstream, self._authority, self._refusal = upstream, authority, refusal
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def close(self) -> None:
        """Wait until everything under way has ended."""
        self._closing.set()
        socket.create_connection(self._listening.getsockname()).close()
        for thread in [self._accepting, *self._threads]:
            thread.join(PATIENCE)
        self._listening.close()

    def _accept(self) -> None:
        while True:
            sock, _ = self._listening.accept()
            if self._closing.is_set():
                sock.close()
                return
            self._threads.append(threading.Thread(target=self._serve, args=(sock,), daemon=True))
            self._threads[-1].start()

    def _serve(self, sock: socket.socket) -> None:
        sock.settimeout(PATIENCE)
        with sock, contextlib.suppress(OSError):  # the client does not trust it, or has gone
            seen = _read_request(sock)
            if seen is None or seen.method != "CONNECT":
                return
            self.asked.append(seen.target)
            if self._refusal:
                sock.sendall(self._refusal)
                return
            sock.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._authority.issue_cert(seen.target.partition(":")[0]).configure_cert(context)
            with context.wrap_socket(sock, server_side=True) as opened:
                request = _read_request(opened)
                if request is not None:
                    opened.sendall(self._whole_response(request))

    def _whole_response(self, request: Seen) -> bytes:
        lines = [f"{request.method} {request.target} HTTP/1.1", *(f"{k}: {v}" for k, v in request.headers.items())]
        with socket.create_connection(("127.0.0.1", self._upstream.port), timeout=PATIENCE) as upstream:
            upstream.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + request.body)
            return b"".join(iter(lambda: upstream.recv(65536), b""))


def head(status: int, headers: dict[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Word", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode()


def reply(status: int = 200, body: Any = b"", **headers: str) -> Script:
    """A whole reply; what is not bytes is sent as JSON. ``_`` in a header's name stands for ``-``."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda to: to.send(head(status, named | {"content-length": str(len(content))}) + content)


STREAM_HEAD = head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})


def chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def sse(*events: dict[str, Any]) -> bytes:
    return b"".join(f"event: {event.get('event_type', '')}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


DONE = b"event: done\ndata: [DONE]\n\n"
CREATED = {"event_type": "interaction.created", "interaction": {"id": "v1_a", "status": "in_progress"}}
START = {"event_type": "step.start", "index": 0, "step": {"type": "model_output"}}
DELTA = {"event_type": "step.delta", "index": 0, "delta": {"type": "text", "text": "Grüße \u2028 \U0001f600"}}
STOP = {"event_type": "step.stop", "index": 0}
COMPLETED = {
    "event_type": "interaction.completed",
    "interaction": {"id": "v1_a", "status": "completed", "usage": {"total_tokens": 5}},
}
ANSWER = (CREATED, START, DELTA, STOP, COMPLETED)


def streamed(*parts: bytes, end: bytes = b"0\r\n\r\n") -> Script:
    """A stream in one chunk a part, ended properly unless ``end`` says otherwise."""

    def script(to: Connection) -> None:
        to.send(STREAM_HEAD)
        for part in parts:
            to.send(chunk(part))
        to.send(end)

    return script


FINE = streamed(sse(*ANSWER), DONE)


@pytest.fixture
def faults() -> SimpleNamespace:
    """The words that scripts are made of."""
    words = (head, reply, chunk, sse, streamed)
    values = {
        name: globals()[name]
        for name in (
            "KEY",
            "PATIENCE",
            "STREAM_HEAD",
            "DONE",
            "CREATED",
            "START",
            "DELTA",
            "STOP",
            "COMPLETED",
            "ANSWER",
            "FINE",
        )
    }
    return SimpleNamespace(**{word.__name__: word for word in words}, **values)


@pytest.fixture
def serve() -> Iterator[Callable[..., FaultServer]]:
    """Starts servers: ``serve(script, ...)`` answers the n-th request by the n-th script."""
    running: list[FaultServer] = []

    def start(*scripts: Script, tls: ssl.SSLContext | None = None) -> FaultServer:
        server = FaultServer(list(scripts), tls)
        running.append(server)
        return server

    yield start
    for server in running:
        server.close()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A company's certificate authority, which no store of this machine knows."""
    return trustme.CA(organization_name="A Company", organization_unit_name="Network")


@pytest.fixture
def intercept(authority: trustme.CA) -> Iterator[Callable[..., InterceptingProxy]]:
    """Puts a company's proxy before a server: ``intercept(server)``."""
    running: list[InterceptingProxy] = []

    def start(upstream: FaultServer, refusal: bytes = b"") -> InterceptingProxy:
        running.append(InterceptingProxy(upstream, authority, refusal))
        return running[-1]

    yield start
    for proxy in running:
        proxy.close()
