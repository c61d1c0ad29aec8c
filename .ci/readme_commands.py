"""Print the README's two commands, one a line: install and run, install and test. CI runs what the README says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"


def commands(text: str) -> list[str]:
    """The contents of the README's ``sh`` blocks that begin with a virtual environment, lines joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [" ".join(block.replace("\\\n", " ").split()) for block in blocks if block.startswith("python3 -m venv")]


if __name__ == "__main__":
    found = commands(README.read_text(encoding="utf-8"))
    if len(found) != 2:
        sys.exit(f"The README should have two commands, it has {len(found)}.")
    print("\n".join(found))
