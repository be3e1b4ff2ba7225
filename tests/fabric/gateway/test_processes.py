"""Nodes in processes of their own, killed and frozen."""

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from easynet.core.errors import NameTaken, NodeUnreachable, UnknownFunction
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.node import ComputeNode
from tests.patience import PATIENCE_S, within

pytestmark = pytest.mark.slow

Until = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]

NODE = """
import sys, time
from easynet import ComputeNode, scratch_dir

node = ComputeNode(sys.argv[1], name="my-node")

@node.register
def wait(seconds):
    (scratch_dir() / "file").touch()
    open(sys.argv[2], "w").close()
    time.sleep(seconds)

node.serve()
"""


@pytest.fixture
async def process(
    gateway: Gateway, client: AsyncClient, tmp_path: Path, until: Until
) -> AsyncIterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-c", NODE, gateway.url, str(tmp_path / "began")]
    process = subprocess.Popen(command)  # noqa: ASYNC220 (ends with the fixture)
    await until(client.functions)
    yield process
    process.kill()
    process.wait()


def entries(folder: Path, pattern: str) -> list[Path]:
    return list(folder.glob(pattern))


async def begun_call(
    client: AsyncClient, tmp_path: Path, until: Until, seconds: float
) -> "asyncio.Task[object]":
    await client.execute("my-node.wait", 0)  # so that it knows what may run twice
    (tmp_path / "began").unlink()
    call = asyncio.create_task(client.execute("my-node.wait", seconds))

    async def has_begun() -> bool:
        return bool(entries(tmp_path, "began"))

    await until(has_begun)
    return call


async def test_a_killed_node_is_noticed_at_once_by_its_callers(
    process: "subprocess.Popen[bytes]", client: AsyncClient, tmp_path: Path, until: Until
) -> None:
    call = await begun_call(client, tmp_path, until, 60)
    process.kill()
    with pytest.raises(NodeUnreachable, match="my-node"):
        async with within(1):
            await call
    assert await client.nodes() == []


async def test_a_frozen_node_is_given_up_and_loses_its_name(
    gateway: Gateway,
    process: "subprocess.Popen[bytes]",
    client: AsyncClient,
    tmp_path: Path,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("easynet.fabric.calling.node_watch.SILENCE_S", 3.0)
    call = await begun_call(client, tmp_path, until, 60)
    process.send_signal(signal.SIGSTOP)
    second = ComputeNode(gateway.url, name="my-node")
    with pytest.raises(NameTaken):
        await second.start()
    with pytest.raises(NodeUnreachable, match="said nothing"):
        await asyncio.wait_for(call, PATIENCE_S)

    async def is_forgotten() -> bool:
        return await client.nodes() == []

    async def is_alone() -> bool:
        """Call several times; the process that slept would have answered, or left its mark, at least once."""
        (tmp_path / "began").unlink(missing_ok=True)
        for _ in range(10):
            # The client, too, may notice that two answer to one name.
            with contextlib.suppress(UnknownFunction, NodeUnreachable):
                await client.execute("my-node.wait", 0)
        return not entries(tmp_path, "began")

    await until(is_forgotten)
    await second.start()
    process.send_signal(signal.SIGCONT)
    # The one that slept finds its name taken at its next heartbeat, and listens no more.
    await until(is_alone)
    assert await is_alone()
    await second.stop()


async def test_a_long_call_is_kept_alive(
    process: "subprocess.Popen[bytes]",
    client: AsyncClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    until: Until,
) -> None:
    monkeypatch.setattr("easynet.fabric.calling.node_watch.SILENCE_S", 3.0)
    call = await begun_call(client, tmp_path, until, 5)
    assert await asyncio.wait_for(call, PATIENCE_S) is None


async def test_what_a_killed_node_left_is_swept_by_the_next(
    gateway: Gateway,
    process: "subprocess.Popen[bytes]",
    client: AsyncClient,
    tmp_path: Path,
    own_data_dir: Path,
    until: Until,
) -> None:
    await begun_call(client, tmp_path, until, 60)
    process.kill()
    process.wait()
    assert entries(own_data_dir, "scratch/*/*/file")
    async with ComputeNode(gateway.url, name="next"):
        assert not entries(own_data_dir, "scratch/*/*/file")
    assert entries(own_data_dir, "scratch/*") == []
