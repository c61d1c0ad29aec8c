"""``%load_ext magic_ext`` in a fresh kernel, against importing Google's own SDK and making its client.

The ratio is asserted, the times are printed (``pytest tests/bench -s``): a ratio holds on a slow machine too.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from jupyter_client.manager import run_kernel

KERNELS = 3
TIMES_FASTER = 10
# What a user would feel, or would not want to have imported by somebody else.
HEAVY = ("httpx", "pandas", "numpy", "matplotlib", "ipywidgets", "pyarrow", "narwhals", "tenacity", "PIL", "sqlite3")
ENGINE = (
    "jupyter_client.manager",
    "magic_ext.engine.service",
    "magic_ext.runtime.pool",
    "magic_ext.client.interactions",
    "magic_ext.ask",
)
MEASURE = """
import json, sys, time
def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
def sdk():
    import google.genai
def client():
    from google import genai
    genai.Client(api_key="x")
known = set(sys.modules)
load = timed(lambda: get_ipython().extension_manager.load_extension("magic_ext"))
loaded = sorted(set(sys.modules) - known)
imported = timed(sdk)
print(json.dumps({"load": load, "import": imported, "client": imported + timed(client), "loaded": loaded}))
"""


def measured() -> dict[str, Any]:
    """The seconds that each takes in a fresh kernel, and the modules that loading the extension has imported."""
    printed: list[str] = []

    def keep(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream" and message["content"]["name"] == "stdout":
            printed.append(message["content"]["text"])

    with run_kernel(kernel_name="python3") as kernel:
        reply = kernel.execute_interactive(MEASURE, output_hook=keep, timeout=120, allow_stdin=False)
        assert reply["content"]["status"] == "ok", reply["content"]
    return dict(json.loads("".join(printed)))


@pytest.mark.slow
def test_loading_is_not_felt() -> None:
    runs = [measured() for _ in range(KERNELS)]
    load, imported, client = (min(run[name] for run in runs) for name in ("load", "import", "client"))
    print(
        f"\n%load_ext magic_ext: {load * 1e3:.1f} ms; import google.genai: {imported * 1e3:.0f} ms, "
        f"with a client: {client * 1e3:.0f} ms, {client / load:.0f}x"
    )
    for run in runs:
        roots = {name.partition(".")[0] for name in run["loaded"]}
        assert roots.isdisjoint(HEAVY), sorted(roots.intersection(HEAVY))
        assert not set(run["loaded"]).intersection(ENGINE)
    assert client / load >= TIMES_FASTER
