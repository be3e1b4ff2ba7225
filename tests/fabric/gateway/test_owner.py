"""What the owner of a gateway sees and does, beyond letting devices in."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from easynet import Client, Server
from easynet._version import __version__
from easynet.core.errors import ServerNotStarted, UsageError
from easynet.fabric.access.gateway_choice import choose_gateway
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.enrolment import join
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.gateway.owner import Owner
from easynet.fabric.node import ComputeNode
from easynet.settings import Settings
from easynet.testing.clock import ManualClock
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

Until = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]


@pytest.fixture
async def lasting(own_data_dir: Path) -> AsyncIterator[Gateway]:
    clock = ManualClock(1_800_000_000.0)
    async with Gateway(own_data_dir, lasting=True, is_default=True, clock=clock) as gateway:
        yield gateway


async def test_owner_sees_the_gateway_its_nodes_and_members(
    lasting: Gateway, own_data_dir: Path, tmp_path: Path
) -> None:
    async with Owner(lasting.url) as owner, ComputeNode(lasting.url, "home") as node:
        node.register(len, name="size")
        await join(await owner.invite("client", "ana", functions=["size"]), tmp_path)
        status = await owner.status()
    assert status.version == __version__
    assert status.started_at == 1_800_000_000
    assert status.gateways == lasting.advertised == (lasting.url,)
    assert status.tls is False
    assert status.folder == str(own_data_dir)
    assert [n.name for n in status.nodes] == ["home"]
    assert [(m.kind, m.name, m.functions, m.revoked_at) for m in status.members] == [
        ("client", "ana", ("size",), 0)
    ]


async def test_drained_node_finishes_takes_nothing_new_and_leaves(
    lasting: Gateway, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "easynet")
    began, may_end = threading.Event(), threading.Event()

    def work() -> str:
        began.set()
        may_end.wait(PATIENCE_S)
        return "done"

    async with Owner(lasting.url) as owner, AsyncClient(lasting.url) as client:
        node = ComputeNode(lasting.url, "gpu")
        node.register(work)
        await node.start()
        call = asyncio.create_task(client.execute("work"))
        await asyncio.to_thread(began.wait, PATIENCE_S)
        await owner.drain("gpu")
        [seen] = await client.nodes()
        assert seen.draining
        assert await client.find(seen.capabilities[0].name) == []
        may_end.set()
        assert await call == "done"
        await asyncio.wait_for(node.wait(), PATIENCE_S)

        async def is_gone() -> bool:
            return not await client.nodes()

        await until(is_gone)
        with pytest.raises(UsageError, match="no node named 'gpu'"):
            await owner.drain("gpu")
    assert [m for m in caplog.messages if "drain" in m] == ["node gpu was asked to drain"]


async def test_one_gateway_keeps_its_members_in_a_folder(lasting: Gateway, own_data_dir: Path) -> None:
    with pytest.raises(ServerNotStarted, match="works with"):
        await Gateway(own_data_dir, lasting=True).start()
    async with Gateway(own_data_dir):
        pass  # one that keeps nothing may run beside it


async def test_gateway_with_a_folder_elsewhere_is_found_by_its_user(
    own_data_dir: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "disk"
    async with Gateway(elsewhere, lasting=True, is_default=True, ways_in=own_data_dir) as gateway:
        assert choose_gateway(None, Settings()).address == gateway.url
        async with AsyncClient(gateway.url) as client:
            assert await client.nodes() == []
        assert (elsewhere / "gateway" / "authority.json").exists()
    assert choose_gateway(None, Settings()).address == ""


def test_server_lets_others_in(own_data_dir: Path, tmp_path: Path) -> None:
    with Server() as server:
        member = asyncio.run(join(server.invite("client", "ana"), tmp_path))
        assert choose_gateway(None, Settings()).address == server.url
        with Client(member.gateways[0], data_dir=tmp_path) as client:
            assert client.nodes() == []
    with pytest.raises(UsageError, match="before the server is started"):
        server.invite("client", "ben")
    with server, Client(server.url, data_dir=tmp_path) as client:
        assert client.nodes() == []
