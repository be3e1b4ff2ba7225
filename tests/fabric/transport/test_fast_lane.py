"""Small messages that skip what nats-py does for each."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from easynet.fabric.access.memberships import WayIn
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.transport.connection import Connection
from easynet.fabric.wire.address import Address
from tests.patience import PATIENCE_S


class Line:
    """A client's connection that hears what itself says to an inbox of its own."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.heard: list[tuple[str, bytes]] = []

    def take(self, subject: str, reply: str, data: bytes, nobody: bool) -> None:
        self.heard.append((subject.rsplit(".", 1)[1], data))


@asynccontextmanager
async def node_line(gateway: Gateway, data_dir: Path) -> AsyncGenerator[Line]:
    way_in = WayIn(Address.parse(gateway.url), "node", data_dir, "n")
    line = Line(Connection(Address.parse(gateway.url), way_in, name="node.n.1"))
    await line.connection.open()
    await line.connection.listen("fn.n.local.call.*", line.take)
    try:
        yield line
    finally:
        await line.connection.close()


@asynccontextmanager
async def client_connection(gateway: Gateway, data_dir: Path) -> AsyncGenerator[Connection]:
    address = Address.parse(gateway.url)
    connection = Connection(address, WayIn(address, "client", data_dir), name="client.1")
    await connection.open()
    try:
        yield connection
    finally:
        await connection.close()


@pytest.mark.slow
async def test_pieces_of_one_turn_arrive_as_one_message_and_all_in_order(
    gateway: Gateway, own_data_dir: Path
) -> None:
    async with node_line(gateway, own_data_dir) as line, client_connection(gateway, own_data_dir) as client:
        await line.connection.flush()
        asyncio.get_running_loop().call_soon(lambda: None)  # with nothing to come, the first would go at once
        for piece in (b"1", b"2", b"3"):
            client.send_together("fn.n.local.call.a", piece)
        client.send("fn.n.local.call.b", b"4")
        client.send_together("fn.n.local.call.a", b"5")
        await client.publish("fn.n.local.call.c", b"6")
        client.send_together("fn.n.local.call.a", b"7")
        await client.flush()
        async with asyncio.timeout(PATIENCE_S):
            while len(line.heard) < 5:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
    assert line.heard == [("a", b"123"), ("b", b"4"), ("a", b"5"), ("c", b"6"), ("a", b"7")]


@pytest.mark.slow
async def test_pieces_are_not_lost_where_the_connection_closes_at_once(
    gateway: Gateway, own_data_dir: Path
) -> None:
    async with node_line(gateway, own_data_dir) as line:
        await line.connection.flush()
        async with client_connection(gateway, own_data_dir) as client:
            client.send_together("fn.n.local.call.a", b"1")
        async with asyncio.timeout(PATIENCE_S):
            while not line.heard:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
    assert line.heard == [("a", b"1")]
