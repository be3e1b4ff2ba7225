"""A client that sends more than it may is suspended, and nobody else notices."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from nats.aio.client import Client as NatsClient
from nats.errors import Error as NatsError

from easynet.fabric.access.identity import Identity
from easynet.fabric.access.memberships import Membership
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.enrolment import join
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.gateway.owner import Owner
from easynet.fabric.node import ComputeNode
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow


@pytest.fixture
async def lasting(own_data_dir: Path) -> AsyncIterator[Gateway]:
    async with Gateway(own_data_dir, lasting=True) as gateway:
        yield gateway


async def raw_connection(member: Membership) -> NatsClient:
    key = Identity.from_seed(member.seed)
    raw = NatsClient()
    try:
        await raw.connect(
            member.gateways[0],
            user_jwt_cb=lambda: bytearray(member.jwt.encode()),
            signature_cb=lambda nonce: base64.b64encode(key.sign(nonce.encode())),
            allow_reconnect=False,
            error_cb=ignore,
        )
    except NatsError:
        await raw.close()
        raise
    return raw


async def ignore(_: object) -> None: ...


async def test_a_flood_ends_and_good_calls_go_on(
    lasting: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("easynet.fabric.gateway.rate_guard._FIRST_SUSPENSION_S", 300.0)
    async with Owner(lasting.url) as owner:
        evil = await join(await owner.invite("client", "eve", rate=500), tmp_path / "eve")
        good = await join(await owner.invite("client", "ana", rate=500), tmp_path / "ana")
    node = ComputeNode(lasting.url, "gpu")
    node.register(len, name="size")
    await node.start()
    flooder = await raw_connection(evil)
    async with (
        AsyncClient(good.gateways[0], data_dir=tmp_path / "ana") as client,
        asyncio.timeout(PATIENCE_S),
    ):
        while not flooder.is_closed:
            with contextlib.suppress(NatsError):  # it is cut off meanwhile
                for _ in range(200):
                    await flooder.publish("fn.gpu.eve.call.size", b"\xc1")
            assert await client.execute("gpu.size", "abc") == 3
        with pytest.raises(NatsError):
            await raw_connection(evil)
        assert await client.execute("gpu.size", "abc") == 3
    await node.stop()


@pytest.fixture
async def node(lasting: Gateway) -> AsyncIterator[ComputeNode]:
    async with ComputeNode(lasting.url, "gpu") as node:
        node.register(len, name="size")
        yield node


async def invited(gateway: Gateway, name: str, rate: float, device: Path) -> Membership:
    async with Owner(gateway.url) as owner:
        return await join(await owner.invite("client", name, rate=rate), device)


async def send_on(raw: NatsClient, name: str, count: int, every_s: float) -> None:
    """Send so many messages again and again, until the connection is ended."""
    with contextlib.suppress(NatsError, OSError):
        while not raw.is_closed:
            for _ in range(count):
                await raw.publish(f"fn.gpu.{name}.call.size", b"\xc1")
            await asyncio.sleep(every_s)


async def ended(*raws: NatsClient) -> None:
    """Return when all these connections were ended by the server."""
    async with asyncio.timeout(PATIENCE_S):
        while not all(raw.is_closed for raw in raws):  # noqa: ASYNC110 (no event tells of it)
            await asyncio.sleep(0.01)


async def test_many_connections_of_one_client_have_one_rate(lasting: Gateway, tmp_path: Path) -> None:
    evil = await invited(lasting, "eve", 100, tmp_path)
    raws = [await raw_connection(evil) for _ in range(20)]
    async with asyncio.TaskGroup() as group:  # each sends 80 a second
        for raw in raws:
            group.create_task(send_on(raw, "eve", 8, 0.1))
        await ended(*raws)
    with pytest.raises(NatsError):
        await raw_connection(evil)
    assert (await lasting.numbers()).rejections["suspended"] == 1


async def test_connections_that_end_before_anybody_looks_are_counted(
    lasting: Gateway, tmp_path: Path
) -> None:
    evil = await invited(lasting, "eve", 50, tmp_path)
    async with asyncio.timeout(PATIENCE_S):
        while await sends_a_hundred(evil):
            pass


async def sends_a_hundred(member: Membership) -> bool:
    """Connect, send a hundred messages, and leave; False where the server lets the member in no more."""
    try:
        raw = await raw_connection(member)
    except NatsError:
        return False
    with contextlib.suppress(NatsError, TimeoutError):  # it may be cut off by now
        for _ in range(100):
            await raw.publish("fn.gpu.eve.call.size", b"\xc1")
        await raw.flush(timeout=1)
    await raw.close()
    return True


async def test_a_busy_crowd_hides_nobody(lasting: Gateway, tmp_path: Path) -> None:
    """A hundred and more connections have sent far more than the one that floods has, so far."""
    async with Owner(lasting.url) as owner:
        busy = await join(await owner.invite("client", "ana", rate=100_000), tmp_path / "ana")
    evil = await invited(lasting, "eve", 50, tmp_path / "eve")
    crowd = [await raw_connection(busy) for _ in range(120)]
    for raw in crowd:
        for _ in range(1000):
            await raw.publish("fn.gpu.ana.call.size", b"")
        await raw.flush()
    raw = await raw_connection(evil)
    async with asyncio.TaskGroup() as group:
        group.create_task(send_on(raw, "eve", 40, 0.1))
        await ended(raw)
    for raw in crowd:
        await raw.close()


async def test_holders_of_a_grant_share_the_rate_of_its_issuer(
    lasting: Gateway, node: ComputeNode, tmp_path: Path
) -> None:
    ana = await invited(lasting, "ana", 100, tmp_path / "ana")
    async with AsyncClient(ana.gateways[0], data_dir=tmp_path / "ana") as client:
        token = (await client.grant()).token()
        holders = [await join(token, tmp_path / f"holder-{i}") for i in range(4)]
        raws = [await raw_connection(holder) for holder in holders]
        async with asyncio.TaskGroup() as group:  # each sends 80 a second
            for holder, raw in zip(holders, raws, strict=True):
                group.create_task(send_on(raw, holder.name, 8, 0.1))
            while sum(raw.is_closed for raw in raws) < 3:
                assert await client.execute("gpu.size", "abc") == 3
                await asyncio.sleep(0.05)
            for raw in raws:
                await raw.close()
        assert await client.execute("gpu.size", "abc") == 3


async def test_bytes_count_as_well_as_messages(lasting: Gateway, tmp_path: Path) -> None:
    evil = await invited(lasting, "eve", 20, tmp_path)
    raw = await raw_connection(evil)
    data = bytes(4 * 1024 * 1024)
    with contextlib.suppress(NatsError, OSError, TimeoutError):
        async with asyncio.timeout(PATIENCE_S):
            while not raw.is_closed:
                await raw.publish("fn.gpu.eve.call.size", data)
                await raw.flush(timeout=1)
                await asyncio.sleep(0.1)
    await ended(raw)
    with pytest.raises(NatsError):
        await raw_connection(evil)


async def test_large_values_at_full_speed_are_within_the_rate(
    lasting: Gateway, node: ComputeNode, tmp_path: Path
) -> None:
    ana = await invited(lasting, "ana", 0, tmp_path)
    async with AsyncClient(ana.gateways[0], data_dir=tmp_path) as client:
        for nth in range(6):
            assert await client.execute("gpu.size", nth.to_bytes() * 64_000_000) == 64_000_000
