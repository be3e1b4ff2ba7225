"""Large values go straight from client to node and back."""

import asyncio
import gc
import hashlib
import random
import shutil
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from easynet.core.errors import NodeUnreachable
from easynet.fabric.access.memberships import WayIn
from easynet.fabric.calling.client_values import ClientValues
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.node import ComputeNode
from easynet.fabric.transport.connection import Connection
from easynet.fabric.values import arrival_room, held_values
from easynet.fabric.values.arrival_room import ArrivalRoom
from easynet.fabric.values.parcels import Kind, decode_parcel
from easynet.fabric.wire.address import Address
from easynet.fabric.wire.encoding import encode
from easynet.fabric.wire.large_values import Want, encode_want
from tests.fabric import isolated_functions
from tests.fabric.proxy import Proxy
from tests.patience import PATIENCE_S, within

pytestmark = pytest.mark.slow

SIZE = 40_000_000
_FLIPPED = bytes(range(255, -1, -1))


def elsewhere(gateway_dir: Path, name: str) -> Path:
    """Another machine: a data directory whose owner was handed the ways in."""
    folder = gateway_dir.parent / name
    shutil.copytree(gateway_dir / "gateways", folder / "gateways")
    return folder


def stored(data_dir: Path) -> list[Path]:
    """Everything in a store."""
    return [p for p in (data_dir / "artifacts").glob("*/*") if p.is_file()]


def flip(data: bytes) -> bytes:
    return data.translate(_FLIPPED)


def take(*values: Any) -> int:
    return len(values)


@pytest.fixture
async def node(gateway: Gateway, own_data_dir: Path) -> AsyncIterator[ComputeNode]:
    async with ComputeNode(gateway.url, "far", data_dir=elsewhere(own_data_dir, "node")) as node:
        node.register(flip)
        node.register(take)
        yield node


@pytest.fixture
async def proxy(gateway: Gateway, own_data_dir: Path) -> AsyncIterator[Proxy]:
    async with Proxy(Address.parse(gateway.url).port) as proxy:
        yield proxy


@pytest.fixture
async def client(proxy: Proxy, own_data_dir: Path) -> AsyncIterator[AsyncClient]:
    """A client on a machine of its own, behind the proxy."""
    async with behind(proxy, elsewhere(own_data_dir, "client")) as client:
        yield client


def behind(proxy: Proxy, folder: Path) -> AsyncClient:
    (way_in,) = (folder / "gateways").glob("*.json")
    shutil.copy(way_in, way_in.with_name(f"{proxy.port}.json"))
    return AsyncClient(f"nats://127.0.0.1:{proxy.port}", data_dir=folder)


async def test_nobody_on_the_way_keeps_them(
    node: ComputeNode, client: AsyncClient, proxy: Proxy, own_data_dir: Path
) -> None:
    data = random.Random(1).randbytes(SIZE)
    assert await client.execute("far.flip", data) == flip(data)
    assert proxy.passed < 1.05 * 2 * SIZE
    for name in ("easynet-data", "node", "client"):
        assert stored(own_data_dir.parent / name) == []


async def test_values_of_all_kinds_arrive_as_they_are(node: ComputeNode, client: AsyncClient) -> None:
    @node.register
    def same(value: Any) -> Any:
        return value

    text = "ü" * 2_000_000
    record = {"text": text, "deep": [{"raw": bytes(3_000_000)}], "rows": list(range(400_000))}
    assert await client.execute("far.same", record) == record
    array = np.arange(500_000, dtype="f8").reshape(500, 1000)
    assert np.array_equal(await client.execute("far.same", array), array)
    many = [bytes([i]) * 1_500_000 for i in range(12)]
    assert await client.execute("far.same", many) == many


async def test_a_stream_takes_and_gives_them(node: ComputeNode, client: AsyncClient) -> None:
    @node.register
    def halves(data: bytes) -> Iterator[bytes]:
        yield data[: len(data) // 2]
        yield data[len(data) // 2 :]

    data = random.Random(2).randbytes(6_000_000)
    assert [item async for item in client.stream("far.halves", data)] == [data[:3_000_000], data[3_000_000:]]
    assert await client.execute("far.halves", data) == [data[:3_000_000], data[3_000_000:]]
    assert [item async for item in client.stream("far.flip", data)] == [flip(data)]


@pytest.mark.parametrize("share", [0.2, 0.8])
async def test_what_is_lost_with_the_connection_is_sent_again_and_nothing_else(
    node: ComputeNode, client: AsyncClient, proxy: Proxy, share: float
) -> None:
    data = random.Random(3).randbytes(SIZE)
    calling = asyncio.create_task(client.execute("far.flip", data))
    await proxy.passed_as_much_as(int(share * 2 * SIZE))
    proxy.cut()
    assert await calling == flip(data)
    assert proxy.passed < 1.2 * 2 * SIZE


async def test_where_both_share_a_store_nothing_is_sent(
    gateway: Gateway, proxy: Proxy, own_data_dir: Path
) -> None:
    async with (
        ComputeNode(gateway.url, "near") as near,
        behind(proxy, own_data_dir) as client,
    ):
        near.register(flip)
        data = random.Random(4).randbytes(SIZE)
        assert await client.execute("near.flip", data) == flip(data)
        assert proxy.passed < 1_000_000
        assert len(stored(own_data_dir)) == 2


async def test_the_same_argument_is_not_sent_twice(
    node: ComputeNode, client: AsyncClient, proxy: Proxy
) -> None:
    data = random.Random(5).randbytes(SIZE)
    assert await client.execute("far.take", data) == 1
    sent = proxy.passed
    assert await asyncio.gather(*[client.execute("far.take", data, i) for i in range(4)]) == [2] * 4
    assert proxy.passed - sent < 1_000_000


async def test_at_once_the_same_argument_is_sent_once(
    node: ComputeNode, client: AsyncClient, proxy: Proxy
) -> None:
    data = random.Random(6).randbytes(SIZE)
    assert await asyncio.gather(*[client.execute("far.take", data, i) for i in range(4)]) == [2] * 4
    assert proxy.passed < 1.1 * SIZE


async def test_what_is_too_large_for_memory_goes_by_way_of_the_gateway(
    node: ComputeNode, client: AsyncClient, own_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held_values, "MAX_VALUE_BYTES", 3_000_000)
    data, small = random.Random(7).randbytes(5_000_000), bytes(2_000_000)
    assert await client.execute("far.take", small, data, [small, {"data": data}]) == 3
    assert len(stored(own_data_dir)) == 2
    assert await client.execute("far.flip", data) == flip(data)
    assert len(stored(own_data_dir)) == 3


async def test_a_file_beside_a_large_value(node: ComputeNode, client: AsyncClient, tmp_path: Path) -> None:
    @node.register
    def both(file: Path, data: bytes) -> list[Any]:
        return [file.read_bytes(), data]

    (tmp_path / "f").write_bytes(b"x" * 2_000_000)
    assert await client.execute("far.both", tmp_path / "f", bytes(3_000_000)) == [
        b"x" * 2_000_000,
        bytes(3_000_000),
    ]


async def test_a_call_that_is_given_up_lets_go(node: ComputeNode, client: AsyncClient, proxy: Proxy) -> None:
    data = random.Random(8).randbytes(SIZE)
    calling = asyncio.create_task(client.execute("far.take", data))
    await proxy.passed_as_much_as(SIZE // 4)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    assert await client.execute("far.take", b"small") == 1
    assert proxy.passed < SIZE


async def test_a_node_that_leaves_in_the_middle_is_noticed(
    node: ComputeNode, client: AsyncClient, proxy: Proxy
) -> None:
    calling = asyncio.create_task(client.execute("far.flip", random.Random(9).randbytes(SIZE)))
    await proxy.passed_as_much_as(int(1.2 * SIZE))
    await node.stop()
    with pytest.raises(NodeUnreachable):
        async with within(5):
            await calling


async def test_a_node_that_leaves_before_its_result_has_arrived_is_noticed(
    node: ComputeNode,
    client: AsyncClient,
    until: Callable[[Callable[[], Awaitable[object]]], Awaitable[None]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @node.register
    def large() -> bytes:
        return bytes(SIZE)

    async def is_over() -> bool:
        """Whether the call itself has ended, and its value alone is awaited."""
        outbox = client._connected().outbox
        return bool(outbox.values.givers()) and not outbox.call_by_id

    monkeypatch.setattr(ClientValues, "take", lambda *_: None)  # as if all of it were on its way
    calling = asyncio.create_task(client.execute("far.large"))
    await until(is_over)
    await node.stop()
    with pytest.raises(NodeUnreachable):
        async with within(5):
            await calling


async def test_a_function_in_a_process_of_its_own_takes_and_gives_them(
    gateway: Gateway, client: AsyncClient, own_data_dir: Path
) -> None:
    folder = elsewhere(own_data_dir, "isolated")
    node = ComputeNode(gateway.url, "apart", data_dir=folder, isolation="process")
    node.register(isolated_functions.doubled)
    async with node:
        data = random.Random(10).randbytes(3_000_000)
        assert await client.execute("apart.doubled", data) == data + data


async def test_a_client_gets_nothing_of_anothers_result(
    gateway: Gateway, node: ComputeNode, client: AsyncClient, own_data_dir: Path
) -> None:
    data = random.Random(11).randbytes(3_000_000)
    heard: asyncio.Queue[bytes] = asyncio.Queue()
    address = Address.parse(gateway.url)
    other = Connection(address, WayIn(address, "client", own_data_dir), name="other")
    await other.open()
    await other.listen("re.local.0123456789abcdef.part.*", lambda *message: heard.put_nowait(message[2]))
    assert await client.execute("far.flip", data) == flip(data)
    digest = hashlib.sha256(encode(flip(data))).hexdigest()
    for call in ("0" * 24, "x"):
        want = encode_want(Want(digest), "0123456789abcdef")
        await other.publish(f"fn.far.local.want.{call}", want)
        async with asyncio.timeout(PATIENCE_S):
            assert decode_parcel(await heard.get()).kind is Kind.ELSEWHERE
    for bad in (b"", b"\xc1", encode_want(Want("../x"), "0123456789abcdef"), encode_want(Want(digest), ">")):
        await other.publish("fn.far.local.want.x", bad)
        await other.publish("in.far.local.part.x", bad)
    await other.close()
    assert await client.execute("far.take", data) == 1
    assert heard.empty()


async def test_what_does_not_fit_into_memory_arrives_on_the_disk(
    gateway: Gateway, own_data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrival_room, "MAX_ARRIVING_BYTES", 20_000_000)
    held, most = Counter[int](), 0
    take, give_back = ArrivalRoom.take, ArrivalRoom.give_back

    def counted_take(room: ArrivalRoom, sender: str, count: int) -> bool:
        nonlocal most
        taken = take(room, sender, count)
        held[id(room)] += count if taken else 0
        most = max(most, held[id(room)])
        return taken

    def counted_give_back(room: ArrivalRoom, sender: str, count: int) -> None:
        held[id(room)] -= count
        give_back(room, sender, count)

    monkeypatch.setattr(ArrivalRoom, "take", counted_take)
    monkeypatch.setattr(ArrivalRoom, "give_back", counted_give_back)
    data = [random.Random(i).randbytes(8_000_000) for i in range(6)]
    async with ComputeNode(gateway.url, "small", data_dir=elsewhere(own_data_dir, "small")) as node:
        node.register(flip)
        async with AsyncClient(gateway.url) as client:
            found = await asyncio.gather(*(client.execute("small.flip", part) for part in data))
            assert [*found] == [flip(part) for part in data]
            assert 0 < most <= 10_000_000
            del found
            gc.collect()
        assert not any(held.values())
    assert stored(own_data_dir.parent / "small")
