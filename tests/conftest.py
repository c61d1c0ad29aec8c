"""What every test stands on: no key in the environment, no file of the user's touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

KEYS = (
    *("GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GEMINI_BASE_URL", "GEMINI_EXEC_TOKEN"),
    *("OPENAI_BASE_URL", "OPENAI_API_KEY", "GOOGLE_GENAI_API_VERSION", "GOOGLE_GENAI_USE_VERTEXAI"),
)
REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session", autouse=True)
def _private_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keys away, and the folders where the package keeps things, those of this run; kernels inherit both."""
    before = dict(os.environ)
    for name in KEYS:
        os.environ.pop(name, None)
    home = tmp_path_factory.mktemp("user")
    os.environ["XDG_DATA_HOME"] = str(home / "data")
    os.environ["IPYTHONDIR"] = str(home / "ipython")
    os.environ["JUPYTER_PLATFORM_DIRS"] = "1"
    os.environ["JUPYTER_CONFIG_DIR"] = str(home / "jupyter")
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def penguins_csv() -> Path:
    """The real table that ships with the package."""
    return REPOSITORY / "notebooks" / "data" / "penguins.csv"
