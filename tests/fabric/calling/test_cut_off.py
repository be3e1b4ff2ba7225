"""A node whose link is cut without a word: nothing is closed, and nothing comes through any more."""

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from easynet.core.errors import NodeUnreachable
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.node import ComputeNode
from easynet.fabric.wire.address import Address
from tests.fabric.proxy import Proxy

pytestmark = pytest.mark.slow

Until = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]
AT_MOST_S = 8.0
"""After the cut, no call waits for the node any more."""
SUSPECT_S = 4.0
"""After the cut, no call goes there that may go elsewhere."""


class Lag:
    """How late this process runs at most, since all that is measured is as late as that."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._task = asyncio.create_task(self._measure())

    async def _measure(self) -> None:
        while True:
            before = time.monotonic()
            await asyncio.sleep(0.05)
            self.seconds = max(self.seconds, time.monotonic() - before - 0.05)

    async def stop(self) -> float:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        return self.seconds


async def test_new_work_leaves_a_node_that_is_cut_off_silently_within_eight_seconds(
    gateway: Gateway, client: AsyncClient, own_data_dir: Path, until: Until
) -> None:
    async with Proxy(Address.parse(gateway.url).port) as proxy:
        [way_in] = (own_data_dir / "gateways").glob("*.json")
        shutil.copy(way_in, way_in.with_name(f"{proxy.port}.json"))
        far, near = ComputeNode(f"127.0.0.1:{proxy.port}", name="far"), ComputeNode(gateway.url, name="near")
        far.register(lambda: "far", name="work")
        near.register(lambda: "near", name="work")
        async with near, far:
            await until(lambda: both_are_called(client))
            proxy.hold()
            cut_at = time.monotonic()
            lag = Lag()

            async def call(start_s: float, function: str) -> tuple[float, float, object]:
                """When after the cut a call began, when it was over, and what came of it."""
                await asyncio.sleep(max(0.0, cut_at + start_s - time.monotonic()))
                began_s = time.monotonic() - cut_at
                try:
                    answer: object = await client.execute(function)
                except NodeUnreachable as error:
                    answer = type(error)
                return began_s, time.monotonic() - cut_at, answer

            anywhere = [call(n / 5, "work") for n in range(40)]
            there = [call(n / 2, "far.work") for n in range(11)]
            ended = await asyncio.gather(*anywhere, *there)
            late_s = await lag.stop()
            proxy.go_on()
    assert {answer for _, _, answer in ended[: len(anywhere)]} == {"near"}
    assert {answer for _, _, answer in ended[len(anywhere) :]} == {NodeUnreachable}
    waited = [(began_s, over_s) for began_s, over_s, _ in ended if over_s - began_s > 0.5 + late_s]
    assert max(over_s for _, over_s in waited) < AT_MOST_S + 4 * late_s
    # A node that has missed its time to speak gets no call that another one can take.
    went_there = [
        began_s for began_s, over_s, answer in ended if answer == "near" and (began_s, over_s) in waited
    ]
    assert max(went_there, default=0.0) < SUSPECT_S + 4 * late_s


async def both_are_called(client: AsyncClient) -> bool:
    return {await client.execute("work") for _ in range(20)} == {"far", "near"}
