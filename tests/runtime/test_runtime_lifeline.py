"""A kernel ends with the process that started it, even where nothing else sees to that."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from queue import Empty

from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.connect import write_connection_file

import magic_ext.runtime.scripts

SCRIPT = Path(magic_ext.runtime.scripts.__file__).with_name("kernel.py")


def test_a_kernel_ends_with_the_pipe_from_its_parent(tmp_path: Path) -> None:
    file, info = write_connection_file(str(tmp_path / "connection.json"))
    limits = {"memory_bytes": 4 << 30, "file_bytes": 1 << 20}
    options = {"connection_file": file, "limits": limits, "output_bytes": 1000}
    process = subprocess.Popen([sys.executable, str(SCRIPT), json.dumps(options)], stdin=subprocess.PIPE, cwd=tmp_path)
    client = BlockingKernelClient()
    try:
        client.load_connection_info(info)
        client.start_channels()
        _wait_until_it_answers(client)
        printed: list[str] = []
        client.execute_interactive(
            "import sys; print(repr(sys.stdin.read()), end='')",
            timeout=60,
            allow_stdin=False,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
        assert "''" in "".join(printed), "the code itself reads nothing"
        assert process.poll() is None and process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0
    finally:
        client.stop_channels()
        process.kill()
        process.wait()


def _wait_until_it_answers(client: BlockingKernelClient) -> None:
    """Without heartbeats, which a busy machine misses."""
    for _ in range(120):
        client.kernel_info()
        with contextlib.suppress(Empty):
            client.get_shell_msg(timeout=0.5)
            client.get_iopub_msg(timeout=0.5)
            return
