"""Two hundred interactions at once against one server: none lost, none mixed up, memory flat over a second round."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
import pytest

AT_ONCE = 200
COMPUTED = 20  # of them run code: the kernels are few and pooled
TOKEN = "many"


class Server(NamedTuple):
    url: str
    process: psutil.Process


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("many")
    with subprocess.Popen(
        [sys.executable, "-m", "magic_ext.cli", "serve", "--port", "0", "--token", TOKEN],
        stdout=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "XDG_DATA_HOME": str(folder), "PYTHONUNBUFFERED": "1"},
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield Server(line.split(" at ")[1].strip(), psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(20)


def _question(number: int) -> str:
    return f"What is {number} * 1000 + 7?" if number < COMPUTED else f"Please sing song number {number} to me."


async def _ask(client: httpx.AsyncClient, number: int) -> dict[str, Any]:
    """One question, streamed by every other asker; returns the last document with all text that came."""
    body = {"model": "gemini-3-flash-preview", "input": _question(number), "tools": [{"type": "code_execution"}]}
    if number % 2:
        reply = await client.post("/v1beta/interactions", json=body)
        assert reply.status_code == 200, reply.text
        document: dict[str, Any] = reply.json()
        return {**document, "told": json.dumps(document["steps"])}
    events: list[dict[str, Any]] = []
    async with client.stream("POST", "/v1beta/interactions", json={**body, "stream": True}) as stream:
        assert stream.status_code == 200
        async for line in stream.aiter_lines():
            if line.startswith("data: {"):
                events.append(json.loads(line.removeprefix("data: ")))
    assert events[-1]["event_type"] == "interaction.completed"
    return {**events[-1]["interaction"], "told": json.dumps([event.get("delta") for event in events])}


async def _round(url: str) -> list[dict[str, Any]]:
    limits = httpx.Limits(max_connections=AT_ONCE)
    headers = {"x-goog-api-key": TOKEN}
    async with httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=150, trust_env=False) as client:
        answers = await asyncio.gather(*(_ask(client, number) for number in range(AT_ONCE)))
        for number in range(0, AT_ONCE, 20):
            kept = await client.get(f"/v1/interactions/{answers[number]['id']}?include_input=true")
            assert _question(number) in json.dumps(kept.json()["steps"][0])
    return answers


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_two_hundred_at_once_and_again(server: Server, tmp_path: Path) -> None:
    memory = []
    for _ in range(2):
        answers = asyncio.run(_round(server.url))
        assert len({answer["id"] for answer in answers}) == AT_ONCE
        assert {answer["status"] for answer in answers} == {"completed"}
        for number, answer in enumerate(answers):
            if number < COMPUTED:
                assert f"{number * 1000 + 7}" in answer["told"].replace(",", "")
        memory.append(server.process.memory_info().rss)
    assert memory[1] < memory[0] * 1.2 + 20e6, memory
    kernels = [child for child in server.process.children(recursive=True) if "kernel.py" in " ".join(child.cmdline())]
    assert len(kernels) < 20  # two leased, one spare, and what their sandboxes need
