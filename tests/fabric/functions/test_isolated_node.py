"""A node whose functions run in processes of their own, called over the network."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from easynet.core.errors import CallTimeout, FunctionCrashed, RemoteFailure, UsageError
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.node import ComputeNode
from tests.fabric import isolated_functions as functions
from tests.fabric.isolation_bench import there
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

MIB = 1024 * 1024


@pytest.fixture
async def isolated(gateway: Gateway) -> AsyncIterator[ComputeNode]:
    node = ComputeNode(gateway.url, "apart", concurrency=2, isolation="process", memory="256MiB")
    for function in (
        functions.add,
        functions.loop_for_ever,
        functions.take_memory,
        functions.exit_at_once,
        functions.count,
        functions.fill,
    ):
        node.register(function)
    async with node:
        yield node


async def test_functions_that_end_badly_leave_the_node_alone(
    isolated: ComputeNode, gateway: Gateway, client: AsyncClient
) -> None:
    assert await client.execute("apart.add", 2, 3) == 5
    with pytest.raises(RemoteFailure, match="MemoryError"):
        await client.execute("apart.take_memory", 600 * MIB)
    with pytest.raises(FunctionCrashed):
        await client.execute("apart.exit_at_once", 3)
    async with ComputeNode(gateway.url, "hasty", isolation="process", time_limit="1s") as hasty:
        hasty.register(functions.loop_for_ever)
        with pytest.raises(CallTimeout):
            await client.execute("hasty.loop_for_ever")
    assert await client.execute("apart.add", 2, 3) == 5
    assert await client.execute("apart.count", 5) == [0, 1, 2, 3, 4]


async def test_what_is_cancelled_stops_even_if_it_does_not_cooperate(
    isolated: ComputeNode, client: AsyncClient, tmp_path: Path
) -> None:
    marks = [tmp_path / str(i) for i in range(2)]
    calls = [asyncio.create_task(client.execute("apart.loop_for_ever", str(mark))) for mark in marks]
    for mark in marks:
        await there(mark)
    for call in calls:
        call.cancel()
    await asyncio.gather(*calls, return_exceptions=True)
    async with asyncio.timeout(PATIENCE_S):
        assert await client.execute("apart.add", 2, 3) == 5


async def test_a_stream_can_be_left(isolated: ComputeNode, client: AsyncClient) -> None:
    async with aclosing(client.stream("apart.count", 10**9)) as items:
        async for item in items:
            if item == 10:
                break
    assert await client.execute("apart.add", 2, 3) == 5


async def test_large_values_pass(isolated: ComputeNode, client: AsyncClient) -> None:
    assert len(await client.execute("apart.fill", 3 * MIB)) == 3 * MIB


def test_what_cannot_be_found_again_is_refused(tmp_path: Path) -> None:
    node = ComputeNode("127.0.0.1:1", "apart", isolation="process", data_dir=tmp_path)
    with pytest.raises(UsageError, match="lambda"):
        node.register(lambda: 1, name="one")
    with pytest.raises(UsageError, match="thread"):
        ComputeNode("127.0.0.1:1", "apart", memory="1GB", data_dir=tmp_path)
