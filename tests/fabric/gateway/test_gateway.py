"""The gateway: who may join, who is heard, what is left behind."""

import asyncio
import base64
import json
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import nats
import pytest
from nats.aio.client import Client as NatsClient

from easynet.core.errors import GatewayUnreachable, NameTaken, ServerNotStarted, SettingsError
from easynet.core.ids import CapabilityName
from easynet.fabric.access import memberships
from easynet.fabric.access.identity import Identity
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.node import ComputeNode
from easynet.fabric.wire.address import Address
from tests.patience import PATIENCE_S, within

pytestmark = pytest.mark.slow


def credentials_file(gateway: Gateway, data_dir: Path) -> Path:
    return data_dir / "gateways" / f"{Address.parse(gateway.url).port}.json"


async def test_credentials_are_the_users_own_and_go_with_the_gateway(own_data_dir: Path) -> None:
    async with Gateway(own_data_dir) as gateway:
        path = credentials_file(gateway, own_data_dir)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        entry = json.loads(path.read_text())
        assert entry["pid"] == os.getpid()
        secrets = [entry[kind]["seed"] for kind in ("node", "client", "owner")]
        assert len(set(secrets)) == 3
        assert not any(secret in gateway.url for secret in secrets)
    assert not path.exists()


async def test_another_user_finds_no_way_in(gateway: Gateway, tmp_path: Path) -> None:
    for stranger in (AsyncClient(gateway.url, data_dir=tmp_path), AsyncClient("127.0.0.1:1")):
        with pytest.raises(GatewayUnreachable) as caught:
            await stranger.connect()
        assert caught.value.hint
    with pytest.raises(GatewayUnreachable):
        await ComputeNode(gateway.url, data_dir=tmp_path).start()


async def test_a_stranger_may_ask_to_be_enrolled_and_nothing_else(
    gateway: Gateway, until: Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]
) -> None:
    refused: list[str] = []

    async def note(error: Exception) -> None:
        refused.append(str(error).lower())

    async def ignore(_: object) -> None: ...

    async def are_all_refused() -> bool:
        return len([text for text in refused if "permissions violation" in text]) == 7

    raw = await nats.connect(gateway.url, error_cb=note)
    for subject in ("fn.x.local.call.f", "reg.nodes.local", "adm.invite", "node.join.x", "art.have"):
        await raw.publish(subject, b"\x90")
    for subject in ("_INBOX.owner.>", "enrol.>"):
        await raw.subscribe(subject, cb=ignore)
    await raw.flush()
    await until(are_all_refused)
    await raw.close()


async def test_a_gateway_that_was_killed_is_told_from_one_that_runs(own_data_dir: Path) -> None:
    async with Gateway(own_data_dir) as gateway:
        path = credentials_file(gateway, own_data_dir)
        entry = json.loads(path.read_text())
    for change, says in (({}, "nobody answers"), ({"pid": 2**22 + 1}, "no gateway of this user")):
        path.write_text(json.dumps({**entry, **change}))
        with pytest.raises(GatewayUnreachable, match=says):
            await AsyncClient(gateway.url).connect()
    memberships.sweep(own_data_dir)
    assert not path.exists()


async def test_another_server_at_the_port_is_not_taken_for_the_gateway(
    gateway: Gateway, own_data_dir: Path
) -> None:
    path = credentials_file(gateway, own_data_dir)
    path.write_text(json.dumps({**json.loads(path.read_text()), "server_id": "other"}))
    with pytest.raises(GatewayUnreachable, match="another server"):
        await AsyncClient(gateway.url).connect()


async def test_a_port_where_something_else_listens_is_unreachable_soon(own_data_dir: Path) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with Gateway(own_data_dir) as gateway:
            entry = json.loads(credentials_file(gateway, own_data_dir).read_text())
        (own_data_dir / "gateways" / f"{port}.json").write_text(json.dumps(entry))
        async with within(5):
            with pytest.raises(GatewayUnreachable):
                await AsyncClient(f"127.0.0.1:{port}").connect()


async def test_a_second_node_of_one_name_is_refused(
    gateway: Gateway, node: ComputeNode, client: AsyncClient
) -> None:
    second = ComputeNode(gateway.url, name="my-node")
    with pytest.raises(NameTaken, match="'my-node'") as caught:
        await second.start()
    assert caught.value.hint
    assert len(await client.nodes()) == 1
    await node.stop()
    await second.start()
    assert len(await client.nodes()) == 1
    await second.stop()


async def test_a_port_in_use_is_told(gateway: Gateway, own_data_dir: Path) -> None:
    port = Address.parse(gateway.url).port
    with pytest.raises(ServerNotStarted, match=f"port {port}"):
        await Gateway(own_data_dir, port=port).start()


@pytest.mark.parametrize("host", ["10.1.2.3", "example.org"])
async def test_a_gateway_for_other_machines_lasts_and_speaks_tls(host: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="other machines"):
        Gateway(tmp_path, host=host)
    with pytest.raises(SettingsError, match="TLS"):
        await Gateway(tmp_path, host=host, lasting=True, tls=False).start()


async def test_a_gateway_that_starts_again_finds_its_nodes_and_clients_back(
    own_data_dir: Path, until: Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]
) -> None:
    first = Gateway(own_data_dir)
    await first.start()
    port = Address.parse(first.url).port
    async with ComputeNode(first.url, name="my-node") as node, AsyncClient(first.url) as client:
        node.register(len, name="size")
        await first.stop()
        async with Gateway(own_data_dir, port=port):
            await until(lambda: found(client, "size"))
            assert await client.execute("size", "four") == 4


async def found(client: AsyncClient, function: str) -> bool:
    try:
        return bool(await client.find(CapabilityName(function)))
    except GatewayUnreachable:
        return False


async def test_calls_in_flight_end_when_the_gateway_goes(
    own_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("easynet.fabric.calling.node_watch.CUT_OFF_S", 0.5)
    gateway = Gateway(own_data_dir)
    await gateway.start()
    began = asyncio.Event()
    async with ComputeNode(gateway.url, name="my-node") as node, AsyncClient(gateway.url) as client:

        @node.register
        async def wait() -> None:
            began.set()
            await asyncio.sleep(60)

        node.register(len, name="size")
        assert await client.execute("my-node.size", "xy") == 2  # so that it knows what may run twice
        call = asyncio.create_task(client.execute("my-node.wait"))
        await asyncio.wait_for(began.wait(), PATIENCE_S)
        await gateway.stop()
        with pytest.raises(GatewayUnreachable):
            await asyncio.wait_for(call, PATIENCE_S)
        with pytest.raises(GatewayUnreachable):
            await asyncio.wait_for(client.execute("my-node.wait"), PATIENCE_S)


async def test_strange_messages_do_not_hurt_the_gateway(
    gateway: Gateway, node: ComputeNode, client: AsyncClient, own_data_dir: Path
) -> None:
    node.register(len, name="size")
    raw = await enter(gateway, own_data_dir, "node")
    subjects = [
        "node.join.x",
        "node.claim.x",
        "node.beat.my-node",
        "node.leave.my-node",
        "node.x.y",
    ]
    subjects += [f"art.{what}.node.x.{gateway._id}" for what in ("begin", "put", "get", "end", "nonsense")]
    for subject in subjects:
        for data in (b"", b"\xc1", b"\x93\x01\x02\x03", b"\x80", b"\xa1x", b"\x92\xa1x\xff", b"\xff" * 1000):
            await raw.publish(subject, data)
            answer = (await raw.request(subject, data, timeout=PATIENCE_S)).data
            assert answer
    await raw.close()
    assert [n.name for n in await client.nodes()] == ["my-node"]
    assert await client.execute("my-node.size", "abc") == 3


async def test_strange_messages_do_not_hurt_a_node(
    gateway: Gateway, node: ComputeNode, client: AsyncClient, own_data_dir: Path
) -> None:
    node.register(len, name="size")
    raw = await enter(gateway, own_data_dir, "client")
    for subject in ("call.size", "call.nope", "cancel.x", "credit.x", "resume.x", "alive.x"):
        for data in (b"", b"\xc1", b"\x93\x01\x02\x03", b"\xff" * 1000):
            await raw.publish(f"fn.my-node.local.{subject}", data)
            await raw.publish(f"fn.my-node.local.{subject}", data, reply="re.local.x.y")
    await raw.flush()
    await raw.close()
    assert await client.execute("my-node.size", "abc") == 3


@pytest.mark.parametrize(
    ("role", "may_not_read", "may_not_send"),
    [
        (
            "node",
            ["re.>", "net.>", "reg.>", "node.>", "art.>", ">", "$SYS.>"],
            ["fn.my-node.local.call.size", "net.gone.my-node", "_INBOX.x", "adm.members"],
        ),
        (
            "client",
            ["fn.>", "node.>", "reg.>", "art.>", ">", "$SYS.>"],
            ["node.leave.my-node", "re.x.y", "net.gone.my-node", "adm.members", "fn.my-node.ana.call.size"],
        ),
    ],
)
async def test_nobody_reads_or_sends_what_is_not_theirs(
    gateway: Gateway, own_data_dir: Path, role: str, may_not_read: list[str], may_not_send: list[str]
) -> None:
    refused: list[str] = []
    heard = asyncio.Event()

    async def note(error: Exception) -> None:
        refused.append(str(error).lower())
        heard.set()

    raw = await enter(gateway, own_data_dir, role, note)

    async def ignore(_: object) -> None: ...

    for subject in may_not_read:
        await raw.subscribe(subject, cb=ignore)
    for subject in may_not_send:
        await raw.publish(subject, b"x")
    await raw.flush()
    async with asyncio.timeout(PATIENCE_S):
        while len(refused) < len(may_not_read) + len(may_not_send):
            heard.clear()
            await heard.wait()
    await raw.close()
    assert all("permissions violation" in text for text in refused)


async def enter(
    gateway: Gateway, data_dir: Path, role: str, note: Callable[[Exception], Awaitable[None]] | None = None
) -> NatsClient:
    kind: memberships.Kind = "node" if role == "node" else "client"
    membership, _ = memberships.find(Address.parse(gateway.url), kind, data_dir)
    key = Identity.from_seed(membership.seed)
    return await nats.connect(
        gateway.url,
        user_jwt_cb=lambda: bytearray(membership.jwt.encode()),
        signature_cb=lambda nonce: base64.b64encode(key.sign(nonce.encode())),
        inbox_prefix="_INBOX.local",
        error_cb=note,
    )
