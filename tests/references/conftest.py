"""What the tests of references share: preparing a prompt, and running what a description says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest

from magic_ext.references.attach import Local, Prepared, Remote, prepare
from magic_ext.references.policy import parse_policy
from magic_ext.wire.content import Document

Preparing = Callable[..., Prepared]


@pytest.fixture
def remote(tmp_path: Path) -> Preparing:
    """Prepare for Google: ``remote("mean of @x", "auto", x=1)``."""

    def preparing(prompt: str, policy: str = "auto", /, **namespace: Any) -> Prepared:
        return prepare(prompt, (), namespace, tmp_path, Remote("google"), parse_policy(policy))[0]

    return preparing


@pytest.fixture
def local(tmp_path: Path) -> Preparing:
    """Prepare for the embedded engine."""
    folder = tmp_path / "handover"
    folder.mkdir()

    def preparing(prompt: str, /, **namespace: Any) -> Prepared:
        return prepare(prompt, (), namespace, tmp_path, Local(folder))[0]

    return preparing


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Prepared], dict[str, Any]]:
    """Lay the attachments into a folder as Google's sandbox does, run imports and load lines, return the variables."""

    def run(prepared: Prepared) -> dict[str, Any]:
        folder = tmp_path / "sandbox"
        folder.mkdir(exist_ok=True)
        monkeypatch.chdir(folder)
        documents = [content for content in prepared.contents if isinstance(content, Document)]
        for binding, document in zip([b for b in prepared.bindings if b.file], documents, strict=True):
            (folder / binding.file).write_bytes(document.content)
        scope: dict[str, Any] = {}
        for line in prepared.description.splitlines():
            source = line.partition("Begin with: ")[2] or line.partition("  load: ")[2]
            exec(source, scope)
        return scope

    return run


@pytest.fixture
def kernel() -> Callable[[Prepared], dict[str, Any]]:
    """Bind the Arrow files of a local handover as the embedded engine does."""
    import pyarrow as pa

    def run(prepared: Prepared) -> dict[str, Any]:
        scope = {}
        for document in prepared.contents:
            if isinstance(document, Document) and "arrow" in (document.mime_type or ""):
                path = url2pathname(urlsplit(document.uri or "").path)
                scope[document.name or ""] = pa.ipc.open_file(path).read_all().to_pandas()
        return scope

    return run


@pytest.fixture
def live() -> Callable[[Prepared, Mapping[str, Any]], dict[str, Any]]:
    """Evaluate the expressions of the bindings in the user's session."""
    import pandas as pd

    def run(prepared: Prepared, namespace: Mapping[str, Any]) -> dict[str, Any]:
        scope = {"pd": pd, **namespace}
        return {binding.name: eval(binding.expression, scope) for binding in prepared.bindings}

    return run
