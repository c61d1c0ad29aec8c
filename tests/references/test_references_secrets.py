"""What looks like a key is found wherever it stands in a text; what does not is not taken for one."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from magic_ext.references.secrets import secrets_in

_DRAW = random.Random(7)
_MIXED = string.ascii_letters + string.digits


def drawn(count: int, marks: str = _MIXED) -> str:
    """A part of a key; made here, so that none stands in this file."""
    return "".join(_DRAW.choice(marks) for _ in range(count))


_UPPER = string.ascii_uppercase + "234567"
_BODY = "\n".join(drawn(64) for _ in range(8))
KEYS = {
    "Google": "AIza" + drawn(35),
    "Google, new": "AQ.Ab8RN6" + drawn(44),
    "Google OAuth": "ya29." + drawn(60),
    "OpenAI": "sk-proj-" + drawn(74) + "T3BlbkFJ" + drawn(74),
    "OpenAI, old": "sk-" + drawn(20) + "T3BlbkFJ" + drawn(20),
    "Anthropic": "sk-ant-api03-" + drawn(93) + "AA",
    "AWS": "AKIA" + drawn(16, _UPPER),
    "AWS, of a session": "ASIA" + drawn(16, _UPPER),
    "GitHub": "ghp_" + drawn(36),
    "GitLab": "glpat-" + drawn(20),
    "Slack": "xoxb-" + drawn(12, string.digits) + "-" + drawn(12, string.digits) + "-" + drawn(24),
    "Stripe": "sk_live_" + drawn(24),
    "Hugging Face": "hf_" + drawn(34, string.ascii_letters),
    "private key": f"-----BEGIN RSA PRIVATE KEY-----\n{_BODY}\n-----END RSA PRIVATE KEY-----",
    "OpenSSH": f"-----BEGIN OPENSSH PRIVATE KEY-----\n{_BODY}\n-----END OPENSSH PRIVATE KEY-----",
}
PLACES = [
    "{}",
    "The key is {}.",
    "a,b\n1,{},x\n2,,\n",
    'x = "{}"',
    "({})",
    '{{"k": "{}"}}',
    "ü\U0001f600 {} ü",
    "a={}&b=1",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_a_key_is_found_where_it_stands(key: str, place: str) -> None:
    text = place.format(key)
    found = secrets_in(text)
    assert found
    assert text[found[0].start : found[0].end].rstrip(".") in key
    assert key[:8] not in repr(found)
    in_bytes = secrets_in(text.encode())
    assert text.encode()[in_bytes[0].start : in_bytes[0].end].decode().rstrip(".") in key


def test_a_secret_of_aws_by_its_name() -> None:
    secret = drawn(40)
    assert secrets_in(f"aws_secret_access_key = {secret}")
    assert secrets_in(f'AWS_SECRET_ACCESS_KEY="{secret}"')


def test_the_beginning_of_a_private_key_is_enough() -> None:
    assert secrets_in("-----BEGIN EC PRIVATE KEY-----\nMHcCAQ")


def test_a_known_key_may_look_like_anything() -> None:
    assert secrets_in("what is corporate-gateway:7f3a?", ["corporate-gateway:7f3a"])[0].start == 8
    assert secrets_in("what is local?", ["local", ""]) == []


@pytest.mark.parametrize(
    "text",
    [
        *("da39a3ee5e6b4b0d3255bfef95601890afd80709", "password = hunter2hunter"),
        *("api_key,3f2504e0-4f89-41d3-9a0c-0305e82c3301", "AKIA is how they begin", "sk-learn-contrib-0.1.2", "AIza"),
        *("data:image/png;base64," + "iVBORw0KGgo" * 20, "input_file_0.csv", "-----BEGIN CERTIFICATE-----"),
        *("flipper_length_mm,body_mass_g,bill_length_mm", "x" * 500, "0123456789" * 50, "TASIAKIAN1234567890123456789"),
    ],
)  # fmt: skip
def test_what_is_no_key(text: str) -> None:
    assert secrets_in(text) == []


@settings(max_examples=300, deadline=None)
@given(st.text(), st.sampled_from(sorted(KEYS.values())), st.text())
def test_spans_hold_what_was_found(before: str, key: str, after: str) -> None:
    text = f"{before} {key} {after}"
    found = secrets_in(text)
    assert any(text[one.start : one.end] == key for one in found)
    assert found == sorted(found)
    assert all(0 <= one.start < one.end <= len(text) for one in found)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_can_be_searched(data: bytes) -> None:
    secrets_in(data)


def test_a_large_text_is_searched_whole() -> None:
    row = f"Rome,12.5,{drawn(12)}\n".encode()
    data = row * 500_000 + f"x,{KEYS['GitHub']},y\n".encode() + row
    [found] = secrets_in(data)
    assert data[found.start : found.end].decode() == KEYS["GitHub"]
