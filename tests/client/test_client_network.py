"""Proxies, certificates and addresses."""

from __future__ import annotations

import hashlib
import socket
import ssl
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from magic_ext.client.endpoint import GOOGLE, Endpoint, Secret, endpoint_from
from magic_ext.client.errors import ConnectionFailed
from magic_ext.errors import GeminiExecError

BODY = {"model": "gemini-3-flash-preview", "input": "hi"}
DEAD = "http://127.0.0.1:9"


def well_told(error: GeminiExecError) -> bool:
    return bool(str(error).strip()) and "\n" not in str(error) and len(str(error)) < 700 and bool(error.hint.strip())


# Proxies.


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_no_proxy_is_asked_for_this_computer(
    serve: Any, connect: Any, faults: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, name: str, host: str
) -> None:
    monkeypatch.setenv(name, DEAD)
    server = serve(faults.FINE)
    assert len(list(connect(f"http://{host}:{server.port}").stream(BODY))) == 5


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_the_environments_proxy_is_asked_for_google_and_nobody_else(
    serve: Any, connect: Any, faults: SimpleNamespace, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    asked: list[Any] = []
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: asked.append(host) or resolve(host, *rest, **more)
    )
    proxy = serve(faults.reply(403, b"not from here"))
    monkeypatch.setenv(name, proxy.url)
    with pytest.raises(ConnectionFailed, match="403") as caught:
        connect(GOOGLE).create(BODY)
    assert well_told(caught.value)
    assert "HTTPS_PROXY" in caught.value.hint
    assert {(seen.method, seen.target) for seen in proxy.seen} == {("CONNECT", "generativelanguage.googleapis.com:443")}
    assert faults.KEY not in repr(proxy.seen), "the key goes through the tunnel only"
    assert set(asked) == {"127.0.0.1"}


def test_no_proxy_says_what_no_proxy_is_asked_for(
    serve: Any, connect: Any, faults: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: Any, **__: Any) -> Any:
        raise socket.gaierror("unknown")

    proxy = serve(faults.reply(403))
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    monkeypatch.setenv("NO_PROXY", "gateway.invalid")
    with pytest.raises(ConnectionFailed, match="unknown"):
        connect("https://gateway.invalid").create(BODY)
    monkeypatch.undo()  # the proxy is woken by its address to end
    assert proxy.seen == []


@pytest.mark.parametrize("proxy", ["ftp://proxy.invalid:21", "http://[::1", "http://proxy.invalid:port"])
def test_an_unusable_proxy_is_told_in_one_line(connect: Any, monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    with pytest.raises(ConnectionFailed) as caught:
        connect(GOOGLE)
    assert well_told(caught.value)
    assert "HTTPS_PROXY" in caught.value.hint


def test_a_socks_proxy_without_its_package_is_told(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    with pytest.raises(ConnectionFailed, match=r"httpx\[socks\]") as caught:
        connect(GOOGLE)
    assert well_told(caught.value)


def test_the_password_of_an_unusable_proxy_is_not_shown(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "ftp://me:hidden-word@proxy.invalid:21")
    with pytest.raises(ConnectionFailed) as caught:
        connect(GOOGLE)
    assert "hidden-word" not in str(caught.value)


# Certificates.


@pytest.fixture
def trusted_by_nobody(serve: Any, faults: SimpleNamespace, authority: trustme.CA) -> Any:
    """A server whose certificate no store of this machine knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return serve(faults.FINE, tls=context)


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "company.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def test_an_unknown_certificate_is_refused_once(connect: Any, trusted_by_nobody: Any, waits: Any) -> None:
    with pytest.raises(ConnectionFailed, match="certificate of 127") as caught:
        connect(trusted_by_nobody).create(BODY)
    assert well_told(caught.value)
    assert "SSL_CERT_FILE" in caught.value.hint
    assert not caught.value.transient
    assert (trusted_by_nobody.seen, waits.told) == ([], [])


GATEWAY = "https://gemini.example"  # a name that only the proxy knows


def hashed(bundle: Path) -> Path:
    """A folder with the authority's certificate under the name that OpenSSL looks for: a hash of its subject."""

    def field(oid: bytes, value: str) -> bytes:
        name = b"\x06\x03" + oid
        text = value.lower().encode()
        text = bytes([0x0C, len(text)]) + text
        pair = bytes([0x30, len(name + text)]) + name + text
        return bytes([0x31, len(pair)]) + pair

    subject = field(b"\x55\x04\x0a", "A Company") + field(b"\x55\x04\x0b", "Network")
    digest = hashlib.sha1(subject, usedforsecurity=False).digest()
    folder = bundle.parent / "certificates"
    folder.mkdir()
    (folder / f"{int.from_bytes(digest[:4], 'little'):08x}.0").write_bytes(bundle.read_bytes())
    return folder


@pytest.mark.parametrize(
    ("name", "folder"),
    [("SSL_CERT_FILE", False), ("SSL_CERT_DIR", True), ("REQUESTS_CA_BUNDLE", False), ("REQUESTS_CA_BUNDLE", True)],
)
def test_a_proxy_that_opens_tls_and_buffers_is_passed_where_its_authority_is_trusted(
    serve: Any, connect: Any, faults: SimpleNamespace, intercept: Any, bundle: Path, monkeypatch: Any, name: str,
    folder: bool,
) -> None:  # fmt: skip
    server = serve(faults.FINE)
    proxy = intercept(server)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    monkeypatch.setenv(name, str(hashed(bundle) if folder else bundle))
    assert len(list(connect(GATEWAY).stream(BODY))) == 5
    assert proxy.asked == ["gemini.example:443"]
    assert server.seen[0].headers["x-goog-api-key"] == faults.KEY


def test_a_proxy_that_opens_tls_is_not_passed_where_its_authority_is_unknown(
    serve: Any, connect: Any, faults: SimpleNamespace, intercept: Any, waits: Any, monkeypatch: Any
) -> None:
    server = serve(faults.FINE)
    proxy = intercept(server)
    monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    with pytest.raises(ConnectionFailed) as caught:
        connect(GATEWAY).create(BODY)
    said = str(caught.value)
    assert said.startswith("The certificate of gemini.example is not trusted (")
    assert "_ssl.c" not in said and "[SSL" not in said
    assert well_told(caught.value)
    assert "SSL_CERT_FILE" in caught.value.hint
    assert (server.seen, waits.told, len(proxy.asked)) == ([], [], 1)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environments_bundles_are_trusted(
    connect: Any, trusted_by_nobody: Any, bundle: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, str(bundle))
    assert len(list(connect(trusted_by_nobody).stream(BODY))) == 5


def test_a_certificate_for_another_name_is_refused(
    serve: Any, connect: Any, faults: SimpleNamespace, authority: trustme.CA, bundle: Path, monkeypatch: Any
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    server = serve(faults.FINE, tls=context)
    with pytest.raises(ConnectionFailed, match="certificate") as caught:
        connect(server).create(BODY)
    assert well_told(caught.value)
    assert server.seen == []


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_stale_bundle_does_not_stop_what_works_without_it(
    connect: Any, trusted_by_nobody: Any, bundle: Path, tmp_path: Path, monkeypatch: Any, content: str | None
) -> None:
    stale = tmp_path / "stale.pem"
    if content is not None:
        stale.write_text(content)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(stale))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(bundle))
    assert len(list(connect(trusted_by_nobody).stream(BODY))) == 5


def test_plain_http_where_tls_is_expected_is_told(serve: Any, connect: Any, faults: SimpleNamespace) -> None:
    server = serve(faults.FINE)
    with pytest.raises(ConnectionFailed) as caught:
        connect(f"https://127.0.0.1:{server.port}").create(BODY)
    assert well_told(caught.value)


# Addresses.


@pytest.mark.parametrize(
    "url",
    [
        "", "generativelanguage.googleapis.com", "ftp://host", "https://", "https://[::1", "https://host:port",
        "https://host:99999", "https://host:0", "https://host/?key=k", "https://host/#x", "https://ho st", "file:///etc",
        "https://host\nX-Evil: 1", "https://host/\x00",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(GeminiExecError, match="not an http") as caught:
        endpoint_from(url, "v1", Secret(""), {})
    assert well_told(caught.value)


def test_a_key_in_the_address_is_not_repeated() -> None:
    with pytest.raises(GeminiExecError) as caught:
        endpoint_from("https://host/?key=AIza-hidden", "v1", Secret("AIza-hidden"), {})
    assert "AIza-hidden" not in str(caught.value)


@given(st.text())
def test_any_text_is_an_address_or_an_error(url: str) -> None:
    try:
        endpoint = endpoint_from(url, "v1", Secret(""), {})
    except GeminiExecError as error:
        assert well_told(error)
    else:
        assert endpoint.url("x").startswith(("http", "HTTP"))


@pytest.mark.parametrize("host", ["example.com", "localhost.example.com", "128.0.0.1", "0.0.0.0", "[2001:db8::1]"])
def test_a_key_goes_over_plain_http_to_this_computer_only(host: str) -> None:
    with pytest.raises(GeminiExecError, match="unencrypted") as caught:
        endpoint_from(f"http://{host}", "v1", Secret(""), {})
    assert well_told(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "[::1]", "localhost", "LOCALHOST", "engine.localhost"])
def test_this_computer(host: str) -> None:
    endpoint = endpoint_from(f" http://{host}:8080/ ", "/v1beta/", Secret(""), {})
    assert endpoint.loopback
    assert endpoint.url("interactions") == f"http://{host}:8080/v1beta/interactions"


def test_a_prefix_in_the_address_is_kept() -> None:
    endpoint = endpoint_from("https://gateway.example/pre/fix/", "v1", Secret(""), {})
    assert endpoint.url("models") == "https://gateway.example/pre/fix/v1/models"
    assert not endpoint.loopback


def test_an_endpoint_shows_no_secret() -> None:
    endpoint = Endpoint(
        base_url="https://me:hidden-1@gateway.example:8443/x",
        key=Secret("hidden-2"),
        headers={"Authorization": "hidden-3"},
    )
    assert endpoint.host == "gateway.example:8443"
    for shown in (
        repr(endpoint),
        str(endpoint),
        f"{endpoint}",
        repr([endpoint]),
        repr(endpoint.key),
        f"{endpoint.key}",
    ):
        assert "hidden" not in shown
