"""Where the key is looked for, in which order, and what happens where a place does not answer."""

from __future__ import annotations

import sys
import threading
import warnings
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from magic_ext.client import keys
from magic_ext.client.endpoint import Secret
from magic_ext.client.keys import KEYRING_SERVICE, FoundKey, find_key
from magic_ext.errors import GeminiExecError


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A keyring with one password; ``asked`` keeps what it was asked for."""
    fake = SimpleNamespace(asked=[], password="from-keyring")

    def get_password(service: str, name: str) -> str | None:
        fake.asked.append((service, name))
        return fake.password

    fake.get_password = get_password
    monkeypatch.setitem(sys.modules, "keyring", fake)
    return fake


@pytest.fixture
def colab(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A Colab with the secrets of the returned dict; it raises for one that it has not."""
    secrets: dict[str, str] = {}
    package, userdata = ModuleType("google.colab"), ModuleType("google.colab.userdata")
    userdata.get = secrets.__getitem__  # type: ignore[attr-defined]
    package.userdata = userdata  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "google.colab", package)
    monkeypatch.setitem(sys.modules, "google.colab.userdata", userdata)
    return secrets


def find(trait: str = "", interactive: bool = True, typed: str = "", **environ: str) -> tuple[str, str] | None:
    """The key and its source."""
    found = find_key(trait=trait, environ=environ, interactive=interactive, typed=Secret(typed) if typed else None)
    return (found.secret.value, found.source) if found else None


def test_the_order(keyring: Any, colab: dict[str, str]) -> None:
    """Each place in turn is emptied, and the next one answers."""
    environ = {"GEMINI_API_KEY": "gemini", "GOOGLE_API_KEY": "gemini"}
    colab |= {"GEMINI_API_KEY": "colab-gemini", "GOOGLE_API_KEY": "colab-google"}
    assert find("trait", typed="typed", **environ) == ("trait", "the trait api_key")
    assert find(typed="typed", **environ) == ("gemini", "GEMINI_API_KEY")
    assert find(typed="typed", GOOGLE_API_KEY="google") == ("google", "GOOGLE_API_KEY")
    assert find(typed="typed") == ("colab-gemini", "Colab's secrets")
    del colab["GEMINI_API_KEY"]
    assert find(typed="typed") == ("colab-google", "Colab's secrets")
    colab.clear()
    assert keyring.asked == []
    assert find(typed="typed") == ("from-keyring", "the keyring")
    assert keyring.asked == [(KEYRING_SERVICE, "api_key")]
    keyring.password = None
    assert find(typed="typed") == ("typed", "%gemini key")
    assert find() is None


@pytest.mark.parametrize("blank", ["", " ", "\n\t "])
def test_blanks_are_no_key(keyring: Any, colab: dict[str, str], blank: str) -> None:
    keyring.password = colab["GEMINI_API_KEY"] = blank
    assert find(blank, GEMINI_API_KEY=blank, GOOGLE_API_KEY=blank) is None


def test_space_around_a_key_is_not_part_of_it(keyring: Any) -> None:
    keyring.password = " k \n"
    assert find(" k ") == ("k", "the trait api_key")
    assert find(GOOGLE_API_KEY="k\n") == ("k", "GOOGLE_API_KEY")
    assert find() == ("k", "the keyring")


def test_two_keys_that_differ_are_warned_about_without_being_shown() -> None:
    with pytest.warns(UserWarning, match="GEMINI_API_KEY is used") as caught:
        assert find(GEMINI_API_KEY="secret-a", GOOGLE_API_KEY="secret-b") == ("secret-a", "GEMINI_API_KEY")
    assert "secret" not in str(caught[0].message)


def test_equal_keys_and_a_trait_are_not_warned_about() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find(GEMINI_API_KEY="a", GOOGLE_API_KEY=" a ")
        find("trait", GEMINI_API_KEY="a", GOOGLE_API_KEY="b")


def test_where_warnings_are_errors_a_difference_is_one_line() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(GeminiExecError, match="GEMINI_API_KEY and GOOGLE_API_KEY differ") as told:
            find(GEMINI_API_KEY="secret-a", GOOGLE_API_KEY="secret-b")
    assert "Unset one" in told.value.hint and "secret" not in f"{told.value} {told.value.hint}"


def test_the_keyring_is_not_asked_where_nobody_could_answer_it(keyring: Any) -> None:
    assert find(interactive=False) is None
    assert find(interactive=False, typed="typed") == ("typed", "%gemini key")
    assert keyring.asked == []


def test_a_keyring_that_hangs_is_given_up(keyring: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()
    keyring.get_password = lambda *_: answered.wait(20) and "too late"
    monkeypatch.setattr(keys, "_KEYRING_SECONDS", 0.05)
    assert find(typed="typed") == ("typed", "%gemini key")
    answered.set()


@pytest.mark.parametrize("broken", ["raises", "missing"])
def test_a_broken_or_missing_keyring_is_none(keyring: Any, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    def locked(*_: str) -> str:
        raise RuntimeError("locked")

    keyring.get_password = locked
    if broken == "missing":
        monkeypatch.setitem(sys.modules, "keyring", None)
    assert find() is None


def test_a_found_key_does_not_show_itself() -> None:
    found = find_key(trait="hidden", environ={}, interactive=False)
    assert isinstance(found, FoundKey)
    assert "hidden" not in f"{found!r} {found} {found.secret} {found.secret!r} {[found.secret]}"
