"""Three gateways that serve one network, on addresses that stand in for three machines."""

import asyncio
import contextlib
import json
import os
import secrets
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from easynet.core.errors import AccessDenied, GatewayError, NameTaken, NodeUnreachable
from easynet.core.ids import CapabilityName
from easynet.fabric.access import certificates, memberships
from easynet.fabric.access.authority import Authority
from easynet.fabric.access.certificates import certificates_in
from easynet.fabric.access.identity import Identity
from easynet.fabric.access.memberships import Membership
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.cluster import Cluster
from easynet.fabric.gateway.enrolment import join
from easynet.fabric.gateway.nats_server import NatsServer
from easynet.fabric.gateway.server_config import ServerConfig
from easynet.fabric.jobs.job_client import JobOptions, Jobs, open_jobs
from easynet.fabric.jobs.job_handle import JobHandle
from easynet.fabric.transport.connection import Connection
from easynet.fabric.wire.address import Address
from easynet.fabric.wire.packing import pack
from tests.fabric.gateway.trio import Trio, free_port
from tests.patience import PATIENCE_S, within

pytestmark = pytest.mark.slow

Until = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]


async def names_of_nodes(client: AsyncClient) -> list[str]:
    return [str(node.name) for node in await client.nodes()]


async def test_client_calls_node_of_another_gateway(trio: Trio, until: Until) -> None:
    async with trio.node(0, "far") as node, trio.client(1) as client, trio.client(2) as third:
        node.register(lambda a, b: a + b, name="add")

        async def is_known() -> bool:
            return all([[f.name for f in await c.functions()] == ["add"] for c in (client, third)])

        await until(is_known)
        assert await client.execute("add", 2, 3) == 5
        assert await third.execute("far.add", 2, 3) == 5
        with pytest.raises(NodeUnreachable, match="no node named 'near'"):
            await client.execute("near.add", 2, 3)


async def test_large_values_pass_between_gateways(trio: Trio) -> None:
    value = secrets.token_bytes(3_000_000)
    async with trio.node(0, "far") as node, trio.client(1) as client:
        node.register(lambda data: data[::-1], name="turn")
        assert await client.execute("far.turn", value) == value[::-1]


async def test_node_that_is_killed_is_missed_at_every_gateway(trio: Trio, until: Until) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", NODE, trio.urls[0], str(trio.data[0])
    )
    async with trio.client(1) as client, trio.client(2) as third:
        await until(lambda: client.find(CapabilityName("size")))
        process.kill()
        await process.wait()

        async def is_missed() -> bool:
            return "mortal" not in [*await names_of_nodes(client), *await names_of_nodes(third)]

        async with within(1):
            await until(is_missed)


async def test_one_name_is_given_to_one_node_alone(trio: Trio) -> None:
    nodes = [trio.node(i, "twin") for i in range(3)]
    started = await asyncio.gather(*(node.start() for node in nodes), return_exceptions=True)
    assert all(found is None or isinstance(found, NameTaken) for found in started)
    assert started.count(None) <= 1
    for node in nodes:
        await node.stop()
    async with trio.node(0, "twin"):
        with pytest.raises(NameTaken):
            await trio.node(1, "twin").start()


async def test_client_that_is_shut_out_at_one_gateway_is_cut_off_at_another(
    trio: Trio, tmp_path: Path, until: Until
) -> None:
    async with trio.owner(0) as first, trio.owner(1) as second:
        token = await first.invite("client", "ana")
        membership = await join(token, tmp_path)
        assert {Address.parse(g) for g in membership.gateways} == {Address.parse(u) for u in trio.urls}
        assert "ana" in [m.name for m in await second.members()]
        with pytest.raises(NameTaken):
            await second.invite("client", "ana")
        async with AsyncClient(trio.urls[2], data_dir=tmp_path) as ana:
            await ana.nodes()
            await second.revoke("client", "ana")

            async def is_cut_off() -> bool:
                with contextlib.suppress(AccessDenied):
                    await ana.nodes()
                    return False
                return True

            async with within(2):
                await until(is_cut_off)
        assert [m.revoked_at > 0 for m in await first.members() if m.name == "ana"] == [True]


async def test_calls_go_on_when_the_gateway_of_client_and_node_is_killed(trio: Trio) -> None:
    started = asyncio.Event()
    go_on = asyncio.Event()

    async def slow() -> str:
        started.set()
        await go_on.wait()
        return "done"

    node = trio.node(2, "moving")
    node.register(slow, idempotent=False)
    node.register(lambda a, b: a + b, name="add")
    async with node, trio.client(2) as client:
        assert await client.execute("add", 1, 1) == 2
        call = asyncio.create_task(client.execute("slow"))
        await started.wait()
        trio.end(2)
        async with within(3):
            assert await client.execute("moving.add", 2, 3) == 5
        go_on.set()
        assert await call == "done"
        assert await names_of_nodes(client) == ["moving"]
    trio.start(2)


async def test_device_that_joined_one_gateway_learns_of_the_others(trio: Trio, tmp_path: Path) -> None:
    async with trio.owner(0) as owner:
        member = await join(await owner.invite("client", "early"), tmp_path)
    memberships.keep(member.model_copy(update={"gateways": member.gateways[:1]}), tmp_path)
    async with AsyncClient(member.gateways[0], data_dir=tmp_path) as client:
        await client.nodes()
    [known] = memberships.joined(tmp_path)
    others = set(known.gateways) - {member.gateways[0]}
    assert len(others) >= 2
    async with AsyncClient(others.pop(), data_dir=tmp_path) as client:
        await client.nodes()


async def test_gateway_that_was_away_knows_everybody(trio: Trio, tmp_path: Path) -> None:
    eve, ben = tmp_path / "eve", tmp_path / "ben"
    async with trio.owner(0) as owner:
        await join(await owner.invite("client", "eve"), eve)
        async with AsyncClient(trio.urls[2], data_dir=eve) as client:
            await client.nodes()
        trio.end(2)
        await owner.revoke("client", "eve")
        await join(await owner.invite("client", "ben"), ben)
        async with trio.node(0, "old") as node:
            node.register(len, name="size")
            trio.begin(2)
            ready = asyncio.create_task(asyncio.to_thread(trio.await_ready, 2))
            refusals = [await is_refused(trio.urls[2], eve) async for _ in until_done(ready)]
            assert len(refusals) > 1
            assert all(refusals)
            async with AsyncClient(trio.urls[2], data_dir=ben) as client:
                assert await client.execute("old.size", "four") == 4
            async with trio.client(2) as client, trio.owner(2) as third:
                assert await names_of_nodes(client) == ["old"]
                members = {m.name: m.revoked_at > 0 for m in await third.members()}
                assert (members["eve"], members["ben"]) == (True, False)


async def test_job_survives_the_death_of_its_gateway(trio: Trio) -> None:
    began, go_on, calls = asyncio.Event(), asyncio.Event(), 0

    async def train() -> str:
        nonlocal calls
        calls += 1
        began.set()
        await go_on.wait()
        return "trained"

    node = trio.node(1, "gpu")
    node.register(train)
    async with node, open_jobs(trio.urls[1], trio.data[1]) as jobs:
        job = await submitted(jobs, "train")
        await began.wait()
        trio.end(busy := await trio.gateway_of(job.id))
        go_on.set()
        assert await job.result(PATIENCE_S) == "trained"
        assert calls == 1
        trio.start(busy)
        async with open_jobs(trio.urls[busy], trio.data[busy]) as again:
            assert await again.find(job.id).result(PATIENCE_S) == "trained"


async def test_job_is_cancelled_from_any_gateway(trio: Trio) -> None:
    began, stopped = asyncio.Event(), asyncio.Event()

    async def train() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            stopped.set()

    node = trio.node(0, "gpu")
    node.register(train)
    async with node, open_jobs(trio.urls[1], trio.data[1]) as jobs:
        job = await submitted(jobs, "train")
        await began.wait()
        assert await job.cancel() == "cancelled"
        async with within(2):
            await stopped.wait()


async def test_large_values_of_jobs_stay_at_every_gateway(trio: Trio, until: Until) -> None:
    data = os.urandom(1024 * 1024)
    stores = [data_dir / "artifacts" for data_dir in trio.data]
    node = trio.node(0, "gpu")
    node.register(len, name="size")
    async with node:
        for gateway, store in enumerate(stores):  # one of them takes the order, whoever has the value
            async with trio.client(gateway) as client, asyncio.timeout(PATIENCE_S):
                job = await when_agreed(client, "size", data + bytes([gateway]))
                assert await job.result() == len(data) + 1

            async def is_kept(store: Path = store) -> bool:
                return latest_use(store, len(data)) > time.time() + 6 * 24 * 3600

            await until(is_kept)


async def when_agreed(client: AsyncClient, function: str, *args: object) -> JobHandle:
    """A new job; gateways that have just started agree first on where jobs are kept."""
    options = JobOptions(key=secrets.token_hex(8))
    while True:
        with contextlib.suppress(GatewayError):
            return await client.submit_with(options, function, *args)
        await asyncio.sleep(0.1)


def latest_use(store: Path, size: int) -> float:
    """When the large values in a store were last used, or will have been."""
    return max((f.stat().st_mtime for f in store.glob("??/*") if f.stat().st_size > size), default=0.0)


async def submitted(jobs: Jobs, function: str) -> JobHandle:
    """A new job; gateways that have just started agree first on where jobs are kept."""
    key = secrets.token_hex(8)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(GatewayError):
                return await jobs.submit(function, pack([[], {}]), key=key)
            await asyncio.sleep(0.1)


async def test_stranger_cannot_become_a_gateway(trio: Trio, tmp_path: Path, until: Until) -> None:
    route = Address.parse(trio.routes[0])
    own = f"127.0.0.1:{free_port('127.0.0.1')}"
    stranger = Cluster(Address.parse(own), (route,))
    tls = certificates_in(tmp_path / "tls", stranger.hosts("127.0.0.1"))
    authority = Authority.new()
    config = ServerConfig(authority, "stranger", tls, tmp_path, None, stranger, "127.0.0.1")
    key = Identity.generate()
    ca = tls.ca.read_text()
    system = Membership(
        kind="owner", name="gateway", jwt=authority.system_jwt(key.public), seed=key.seed, ca=ca
    )
    async with NatsServer(config) as server:
        connection = Connection(server.address, lambda: system, name="stranger")
        await connection.open()
        log = server._folder / "nats.log"  # type: ignore[operator]

        async def is_refused_for_now() -> bool:
            return "TLS route handshake error" in log.read_text()

        await until(is_refused_for_now)
        found = json.loads(await connection.request(f"$SYS.REQ.SERVER.{connection.server_id}.ROUTEZ", b""))
        assert found["data"]["num_routes"] == 0
        await connection.close()


async def test_neither_a_plain_connection_nor_a_clients_tls_is_a_route(trio: Trio) -> None:
    route = Address.parse(trio.routes[0])
    ca = (trio.data[0] / "gateway" / "tls" / "ca.pem").read_text()
    for tls in (None, certificates.trusting(ca), certificates.unproven()):
        name = certificates.SERVER_NAME if tls is not None else None
        reader, writer = await asyncio.open_connection(route.host, route.port, ssl=tls, server_hostname=name)
        writer.write(b'CONNECT {"name":"x","cluster":"easynet","lnoc":true}\r\nPING\r\n')
        with contextlib.suppress(OSError):
            async with asyncio.timeout(PATIENCE_S):
                assert b"PONG" not in await reader.read()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def is_refused(url: str, data_dir: Path) -> bool:
    """Whether a device that has joined is not let in at one gateway."""
    membership = memberships.joined(data_dir)[0].model_copy(update={"gateways": ()})
    connection = Connection(Address.parse(url), lambda: membership, name="client.eve")
    try:
        await connection.open()
    except GatewayError:
        return True
    finally:
        await connection.close()
    return False


async def until_done(task: "asyncio.Task[None]") -> AsyncIterator[None]:
    """Give turns until a task is done, and one more."""
    while not task.done():
        yield
        await asyncio.sleep(0.001)
    yield
    await task


NODE = """
import sys
from pathlib import Path
from easynet.fabric.node import ComputeNode
node = ComputeNode(sys.argv[1], name="mortal", data_dir=Path(sys.argv[2]))
node.register(len, name="size")
node.serve()
"""
