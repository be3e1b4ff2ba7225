"""What the network sees of a node that is busy."""

import asyncio

import pytest

from easynet.fabric.client import AsyncClient
from easynet.fabric.node import ComputeNode
from easynet.fabric.registry import HEARTBEAT_S

pytestmark = pytest.mark.slow


async def running(client: AsyncClient, wanted: int, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while [node.running for node in await client.nodes()] != [wanted]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_network_knows_long_before_the_next_heartbeat_that_a_node_is_busy(
    node: ComputeNode, client: AsyncClient
) -> None:
    began, go_on = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        await go_on.wait()

    node.register(work)
    # Whatever the heartbeats do: three changes take less than half of the time between two of them.
    for _ in range(3):
        began.clear()
        go_on.clear()
        call = asyncio.create_task(client.execute("my-node.work"))
        await began.wait()
        await running(client, 1, HEARTBEAT_S / 2)
        go_on.set()
        await call
        await running(client, 0, HEARTBEAT_S / 2)
