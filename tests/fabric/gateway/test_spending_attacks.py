"""The holder of a grant gets no more work for its credits than they pay for, whatever it repeats."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from easynet.core.call import Returned
from easynet.core.errors import EasyNetError, OverBudget, RemoteFailure
from easynet.core.ids import CapabilityName, NodeId
from easynet.fabric.access.grants import Limits
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.enrolment import join
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.node import ComputeNode

pytestmark = pytest.mark.slow

PRICE = 3


class Work:
    """Two nodes whose functions note each of their runs."""

    def __init__(self, url: str) -> None:
        self.runs: list[tuple[str, int]] = []
        self.nodes = [self._node(url, name) for name in ("gpu", "cpu")]

    def _node(self, url: str, name: str) -> ComputeNode:
        node = ComputeNode(url, name)

        @node.register(price=PRICE)
        def square(n: int) -> int:
            self.runs.append((f"{name}.square", n))
            return n * n

        @node.register(price=PRICE)
        async def cube(n: int) -> int:
            self.runs.append((f"{name}.cube", n))
            await asyncio.sleep(0)
            return n**3

        @node.register(price=PRICE)
        def squares(numbers: list[Any]) -> Iterator[int]:
            for n in numbers:
                self.runs.append((f"{name}.squares", n))
                yield n * n

        return node


@pytest.fixture
async def lasting(own_data_dir: Path) -> AsyncIterator[Gateway]:
    async with Gateway(own_data_dir, lasting=True) as gateway:
        yield gateway


@pytest.fixture
async def work(lasting: Gateway) -> AsyncIterator[Work]:
    work = Work(lasting.url)
    for node in work.nodes:
        await node.start()
    yield work
    for node in work.nodes:
        await node.stop()


@pytest.fixture
async def holder(lasting: Gateway, tmp_path: Path) -> AsyncIterator[AsyncClient]:
    """A client that may spend what one call costs, and a little more."""
    async with AsyncClient(lasting.url) as client:
        part = (await client.grant()).narrow(Limits(max_spend=PRICE + 2))
    member = await join(part.token(), tmp_path / "holder")
    async with AsyncClient(member.gateways[0], data_dir=tmp_path / "holder") as client:
        yield client


async def run(client: AsyncClient, node: str, function: str, key: str, **arguments: Any) -> Any:
    """What a call under that key gives."""
    updates = client.invoke(NodeId(node), CapabilityName(function), arguments, key=key, timeout_s=10)
    async for update in updates:
        if isinstance(update, Returned):
            return update.value
    raise AssertionError("the call gave nothing")


async def test_a_key_repeated_with_other_arguments_gives_the_first_answer(
    work: Work, holder: AsyncClient
) -> None:
    answers = [await run(holder, "gpu", "square", "key", n=n) for n in (2, 3, 4)]
    assert answers == [4, 4, 4]
    assert work.runs == [("gpu.square", 2)]


@pytest.mark.parametrize(("node", "function"), [("gpu", "cube"), ("cpu", "square"), ("cpu", "cube")])
async def test_a_key_repeated_for_another_function_or_node_pays_again(
    work: Work, holder: AsyncClient, node: str, function: str
) -> None:
    assert await run(holder, "gpu", "square", "key", n=2) == 4
    with pytest.raises(OverBudget):
        await run(holder, node, function, "key", n=2)
    assert work.runs == [("gpu.square", 2)]


async def test_many_calls_at_once_under_keys_of_every_kind_run_once(work: Work, holder: AsyncClient) -> None:
    calls = [
        run(holder, node, function, f"key-{i % 3}", n=i)
        for i in range(12)
        for node in ("gpu", "cpu")
        for function in ("square", "cube")
    ]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(answer, int | EasyNetError) for answer in answers)
    assert len(work.runs) == 1


async def test_the_id_of_a_call_is_no_key_for_another_function(work: Work, holder: AsyncClient) -> None:
    assert await holder.execute("gpu.square", 2) == 4
    for key in ("", "k" * 20):
        with pytest.raises(OverBudget):
            await run(holder, "gpu", "cube", key, n=2)
    assert work.runs == [("gpu.square", 2)]


async def test_a_stream_that_fails_after_its_items_were_given_is_paid(
    work: Work, holder: AsyncClient
) -> None:
    with pytest.raises(RemoteFailure):
        await holder.execute("gpu.squares", [1, 2, 3, "x"])
    with pytest.raises(OverBudget):
        await holder.execute("gpu.squares", [4, 5, 6])
    assert [n for _, n in work.runs] == [1, 2, 3, "x"]


async def test_a_call_that_is_given_up_while_it_runs_is_paid(work: Work, holder: AsyncClient) -> None:
    items = holder.stream("gpu.squares", list(range(1000)))
    assert await anext(items) == 0
    await items.aclose()
    with pytest.raises(OverBudget):
        await holder.execute("gpu.square", 2)
