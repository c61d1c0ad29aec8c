"""Servers of this computer that speak OpenAI's chat completions: which one is set, which ones can be found.

A server that nobody has set is looked for only where somebody asks for it (:func:`found`), and gets no key.
"""

from __future__ import annotations

import ipaddress
import os
import re
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import msgspec

from magic_ext.errors import GeminiExecError
from magic_ext.wire.content import Json

__all__ = [
    "SERVERS",
    "SETTINGS",
    "USUAL",
    "Found",
    "LocalServer",
    "Usual",
    "found",
    "model_names",
    "server_set",
    "told",
]

SETTINGS = "GeminiExecMagics.local_base_url or OPENAI_BASE_URL"
SERVERS = (
    "http://127.0.0.1:11434/v1 for Ollama, http://127.0.0.1:1234/v1 for LM Studio, "
    "http://127.0.0.1:8080/v1 for llama.cpp"
)
PATIENCE = 2.0  # seconds for a list of models, which every server has at hand
_LONGEST = 1_000_000  # bytes of an answer that is read
_CLOUD = re.compile(r":([^:]*-)?cloud")  # Ollama passes these on (docs.ollama.com/cloud)


class LocalServer(msgspec.Struct, frozen=True, kw_only=True):
    """The server at ``address``, which usually ends in ``/v1``; ``setting`` is who said so.

    Raises :class:`GeminiExecError` for an address that is none, or not on this computer.

    >>> LocalServer(address="http://me:secret@127.0.0.1:11434/v1/")
    LocalServer(127.0.0.1:11434)
    >>> LocalServer(address="https://api.openai.com/v1")
    Traceback (most recent call last):
    magic_ext.errors.GeminiExecError: api.openai.com is not this computer, and what your data look like would go there.
    """

    address: str
    setting: str = ""
    key: str = ""

    def __post_init__(self) -> None:
        try:
            parts = urlsplit(self.address)
            usable = parts.scheme in {"http", "https"} and parts.port != 0 and not parts.query and not parts.fragment
            name = parts.hostname or ""
        except ValueError:
            usable, name = False, ""
        if not usable or not name or re.search(r"[^!-~]", self.address):
            whose = self.setting or "The address of the local server"
            raise GeminiExecError(f"{whose} is not an http(s) address.", hint=f"Typical ones: {SERVERS}.")
        if not _is_loopback(name):
            raise GeminiExecError(
                f"{name} is not this computer, and what your data look like would go there.",
                hint=f"Set {SETTINGS} to a server here: {SERVERS}.",
            )
        if not re.fullmatch(r"[!-~]*", self.key):
            raise GeminiExecError("The key holds a space or a letter that no key has.", hint="Check OPENAI_API_KEY.")

    def __repr__(self) -> str:  # neither the key nor a password in the address
        return f"LocalServer({self.host})"

    @property
    def host(self) -> str:
        """The host's name, with its port where one is given."""
        return urlsplit(self.address).netloc.rpartition("@")[2]

    @property
    def root(self) -> str:
        """The address without ``/v1``, below which servers have paths of their own."""
        return self.address.rstrip("/").removesuffix("/v1")

    @property
    def headers(self) -> dict[str, str]:
        """What authorizes a request."""
        return {"authorization": f"Bearer {self.key}"} if self.key else {}

    def url(self, path: str) -> str:
        """The full address of one of OpenAI's paths."""
        return f"{self.address.rstrip('/')}/{path}"


def server_set(trait: str = "", environ: Mapping[str, str] = os.environ) -> LocalServer | None:
    """The server that ``openai:`` models are asked at: the trait's, else that of ``OPENAI_BASE_URL``, if any.

    ``OPENAI_API_KEY`` is its key, if it wants one. Raises as :class:`LocalServer` does.

    >>> server_set("http://127.0.0.1:1234/v1", {"OPENAI_BASE_URL": "http://127.0.0.1:8080/v1"})
    LocalServer(127.0.0.1:1234)
    """
    settings = {"local_base_url": trait, "OPENAI_BASE_URL": environ.get("OPENAI_BASE_URL", "")}
    key = environ.get("OPENAI_API_KEY", "").strip()
    for setting, address in settings.items():
        if address.strip():
            return LocalServer(address=address.strip(), setting=setting, key=key)
    return None


class Usual(msgspec.Struct, frozen=True):
    """A program, and the port that it listens at unless it is told otherwise."""

    program: str
    port: int


USUAL = (
    Usual("Ollama", 11434),
    Usual("LM Studio", 1234),
    Usual("llama.cpp", 8080),
    Usual("vLLM", 8000),
    Usual("Jan", 1337),
    Usual("GPT4All", 4891),
    Usual("KoboldCpp", 5001),
    Usual("SGLang", 30000),
)


class Found(msgspec.Struct, frozen=True):
    """A server that answered at a usual port, and the names of its models."""

    usual: Usual
    server: LocalServer
    models: tuple[str, ...]


def found(usual: tuple[Usual, ...] = USUAL) -> list[Found]:
    """The servers that list models at these ports of this computer now, asked at the same time and without any key."""
    servers = [LocalServer(address=f"http://127.0.0.1:{one.port}/v1") for one in usual]
    with ThreadPoolExecutor(max_workers=max(1, len(servers))) as pool:
        listed = pool.map(lambda server: _names(told(server, server.url("models"))), servers)
        return [Found(*one) for one in zip(usual, servers, listed, strict=True) if one[2]]


def model_names(server: LocalServer) -> tuple[str, ...]:
    """The models that a server lists; raises :class:`GeminiExecError` where it lists none, or does not answer."""
    document = told(server, server.url("models"))
    if document is None:
        raise GeminiExecError(f"No server lists its models at {server.host}.", hint="Start it, or check its address.")
    if names := _names(document):
        return names
    raise GeminiExecError(
        f"What answers at {server.host} lists no models.",
        hint="Its address usually ends in /v1; a server with a key wants OPENAI_API_KEY.",
    )


def runs_elsewhere(model: str) -> bool:
    """Whether it is a model that Ollama does not run itself but passes on to its cloud.

    >>> [runs_elsewhere(name) for name in ("gpt-oss:120b-cloud", "glm-4.6:cloud", "qwen3:8b", "weather-cloud")]
    [True, True, False, False]
    """
    return _CLOUD.search(model) is not None


def told(server: LocalServer, url: str) -> Json | None:
    """The JSON object at one of the server's addresses; ``None`` where nobody gives one in time."""
    from magic_ext.http import httpx, network_client

    deadline = time.monotonic() + PATIENCE
    data = b""
    try:
        with (
            network_client(trust_env=False, timeout=PATIENCE) as client,
            client.stream("GET", url, headers={"accept": "application/json", **server.headers}) as response,
        ):
            for piece in response.iter_bytes():
                data += piece
                if len(data) > _LONGEST or time.monotonic() > deadline:
                    return None
        document = msgspec.json.decode(data)
    except (httpx.HTTPError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _names(document: Json | None) -> tuple[str, ...]:
    """The names in a list of models, those that can be asked for and that run here."""
    entries = (document or {}).get("data")
    names = [entry.get("id") for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    return tuple(name for name in names if isinstance(name, str) and _can_be_asked(name))


def _can_be_asked(name: str) -> bool:
    return 0 < len(name) <= 200 and name.isprintable() and '"' not in name and not runs_elsewhere(name)


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
