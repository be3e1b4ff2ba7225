"""Three gateways of which one stands still, or that cannot reach each other for a while."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from easynet.core.errors import EasyNetError, NameTaken, NodeUnreachable
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.enrolment import join
from easynet.fabric.node import ComputeNode
from easynet.fabric.wire.address import Address
from tests.fabric.gateway.trio import Trio
from tests.fabric.proxy import Proxy
from tests.patience import within

pytestmark = pytest.mark.slow

FOUND_OUT_S = 8.0
"""How long it may take until what stands still, or cannot be reached, is done without."""
HEALED_S = 15.0


class Split:
    """Three gateways that reach each other through proxies."""

    def __init__(self, trio: Trio, proxies: list[Proxy]) -> None:
        self.trio = trio
        self._proxies = proxies

    def part(self) -> None:
        """From now on none of them hears the others, and no connection is closed."""
        for proxy in self._proxies:
            proxy.hold()

    def heal(self) -> None:
        for proxy in self._proxies:
            proxy.go_on()


@pytest.fixture
async def split(tmp_path: Path) -> AsyncIterator[Split]:
    async with AsyncExitStack() as stack:
        trio = Trio(tmp_path)
        routes = [Address.parse(route) for route in trio.routes]
        proxies = [await stack.enter_async_context(Proxy(route.port, route.host)) for route in routes]
        trio.proxies = [f"127.0.0.1:{proxy.port}" for proxy in proxies]
        try:
            await asyncio.to_thread(trio.start_all)
            yield Split(trio, proxies)
        finally:
            await asyncio.to_thread(trio.end_all)


@pytest.fixture
async def trio(tmp_path: Path) -> AsyncIterator[Trio]:
    trio = Trio(tmp_path)
    try:
        await asyncio.to_thread(trio.start_all)
        yield trio
    finally:
        await asyncio.to_thread(trio.end_all)


async def until(condition: Callable[[], Awaitable[bool]], timeout_s: float) -> None:
    """Wait for what no event tells of; what fails is asked again."""
    async with asyncio.timeout(timeout_s):
        while not await held(condition):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def held(condition: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await condition()
    except EasyNetError:
        return False


async def names(client: AsyncClient) -> set[str]:
    return {str(node.name) for node in await client.nodes()}


async def test_gateway_that_stands_still_is_left_by_its_nodes_and_clients(trio: Trio) -> None:
    node = trio.node(2, "moving")
    node.register(lambda a: a + 1, name="next")
    async with node, trio.client(2) as client, trio.client(0) as other:
        assert await client.execute("next", 1) == 2
        frozen = trio.processes_of(2)
        for process in frozen:
            process.suspend()
        # The call is on its way through the server that stands still, and arrives all the same.
        async with within(FOUND_OUT_S + 4):
            assert await client.execute("moving.next", 2) == 3

        async def is_called() -> bool:
            return bool(await other.execute("moving.next", 3) == 4)

        await until(is_called, 30)
        for process in frozen:
            process.resume()
        async with trio.client(2) as third:

            async def is_known() -> bool:
                return await names(third) == {"moving"}

            await until(is_known, HEALED_S)
            assert await third.execute("moving.next", 4) == 5


async def test_gateways_that_cannot_reach_each_other_serve_their_own_and_become_one_again(
    split: Split, tmp_path: Path
) -> None:
    trio = split.trio
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(trio.client(i)) for i in range(3)]
        for i, name in enumerate(("one", "two")):
            node = trio.node(i, name)
            node.register(lambda name=name: name, name="name")
            await stack.enter_async_context(node)
        async with trio.owner(0) as owner:
            await join(await owner.invite("client", "eve"), tmp_path / "eve")

        async def all_is_known() -> bool:
            return all([await names(client) >= {"one", "two"} for client in clients])

        await until(all_is_known, 10)
        assert await clients[1].execute("one.name") == "one"
        split.part()
        async with within(FOUND_OUT_S + 4):
            assert await clients[0].execute("one.name") == "one"
            with pytest.raises(NodeUnreachable):
                await clients[1].execute("one.name")

        async def each_knows_its_own() -> bool:
            return [await names(client) for client in clients] == [{"one"}, {"two"}, set()]

        await until(each_knows_its_own, 30)
        assert await clients[1].execute("name") == "two"
        async with trio.owner(0) as owner:
            await owner.revoke("client", "eve")
        twins = [Twin(trio, i) for i in range(2)]
        for twin in twins:
            await twin.node.start()
        split.heal()
        await until(all_is_known, HEALED_S)
        await only_one_of(twins, clients)
        assert await clients[2].execute("two.name") == "two"

        async def eve_is_refused() -> bool:
            return await is_refused(trio.urls[1], tmp_path / "eve")

        await until(eve_is_refused, HEALED_S)


class Twin:
    """A node whose name another one was given as well."""

    def __init__(self, trio: Trio, gateway: int) -> None:
        self.calls = 0
        self.node = trio.node(gateway, "twin")
        self.node.register(self.run, name="run")

    def run(self) -> None:
        self.calls += 1


async def only_one_of(twins: list[Twin], clients: list[AsyncClient]) -> None:
    """See that one of them goes, and is called no more."""
    waits = [asyncio.create_task(twin.node.wait()) for twin in twins]
    async with asyncio.timeout(HEALED_S):
        gone, left = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    assert [type(wait.exception()) for wait in gone] == [NameTaken]

    async def is_alone() -> bool:
        before = sum(twin.calls for twin in twins)
        for client in clients:
            await client.execute("twin.run")
        return sum(twin.calls for twin in twins) == before + len(clients)

    await until(is_alone, HEALED_S)  # the servers have yet to hear that one of them listens no more
    assert await is_alone()
    for wait in left:
        wait.cancel()
    await asyncio.gather(*waits, return_exceptions=True)
    for twin in twins:
        await twin.node.stop()


async def is_refused(url: str, data_dir: Path) -> bool:
    try:
        async with AsyncClient(url, data_dir=data_dir) as client:
            await client.nodes()
    except EasyNetError:
        return True
    return False


async def test_gateways_that_listen_everywhere_find_each_other_where_they_say(tmp_path: Path) -> None:
    trio = Trio(tmp_path)
    for i in range(3):
        trio.listen_everywhere(i)
    try:
        await asyncio.to_thread(trio.start_all)
        async with trio.owner(1) as owner:
            member = await join(await owner.invite("node", "far"), tmp_path / "far")
        assert {Address.parse(g).host for g in member.gateways} == {"127.0.0.1", "127.0.0.2", "127.0.0.3"}
        node = ComputeNode(trio.urls[1], name="far", data_dir=tmp_path / "far")
        node.register(len, name="size")
        async with node, AsyncClient(f"127.0.0.1:{trio.port(2)}", data_dir=trio.data[2]) as client:

            async def is_called() -> bool:
                return bool(await client.execute("far.size", "four") == 4)

            await until(is_called, 10)
    finally:
        await asyncio.to_thread(trio.end_all)
