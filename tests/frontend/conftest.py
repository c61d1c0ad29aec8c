"""A real kernel over ZMQ, with a magic that feeds steps to the renderer that the front end calls for."""

from __future__ import annotations

import base64
import queue
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest


class Reply(NamedTuple):
    """What one execution sent: iopub messages in order, and the reply on the shell channel."""

    messages: list[dict[str, Any]]
    reply: dict[str, Any]

    def of_type(self, *types: str) -> list[dict[str, Any]]:
        """The contents of the messages of these types."""
        return [message["content"] for message in self.messages if message["msg_type"] in types]

    def outputs(self) -> list[dict[str, Any]]:
        """The outputs of the cell as a front end would save them: updates and clears applied."""
        shown: list[tuple[str | None, dict[str, Any]]] = []
        clear = False
        for message in self.messages:
            content, kind = message["content"], message["msg_type"]
            if kind == "clear_output":
                clear = True
                continue
            if kind not in {"display_data", "update_display_data"}:
                continue
            if clear:
                shown, clear = [], False
            display_id = content.get("transient", {}).get("display_id")
            output = {"data": content["data"], "metadata": content["metadata"]}
            if kind == "display_data":
                shown.append((display_id, output))
            else:
                shown = [(i, output if i == display_id else o) for i, o in shown]
        return [output for _, output in shown]


Run = Callable[..., Reply]


@pytest.fixture(scope="session")
def run() -> Iterator[Run]:
    """Run code in the kernel; ``cell_id`` goes into the request's metadata, as JupyterLab sends it."""
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel(kernel_name="python3")

    def execute(code: str, cell_id: str = "") -> Reply:
        message = client.session.msg(
            "execute_request",
            content={
                "code": code,
                "silent": False,
                "store_history": True,
                "user_expressions": {},
                "allow_stdin": False,
            },
            metadata={"cellId": cell_id} if cell_id else {},
        )
        client.shell_channel.send(message)
        wanted = message["header"]["msg_id"]
        messages: list[dict[str, Any]] = []
        while True:
            try:
                received = client.get_iopub_msg(timeout=30)
            except queue.Empty:
                pytest.fail(f"the kernel fell silent after {[m['msg_type'] for m in messages]}")
            if received["parent_header"].get("msg_id") != wanted:
                continue
            messages.append(received)
            if received["msg_type"] == "status" and received["content"]["execution_state"] == "idle":
                break
        while True:
            reply = client.get_shell_msg(timeout=30)
            if reply["parent_header"].get("msg_id") == wanted:
                return Reply(messages, reply["content"])

    try:
        yield execute
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()


@pytest.fixture(scope="session")
def png() -> str:
    """A PNG of one pixel, as base64."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + body).decode()
