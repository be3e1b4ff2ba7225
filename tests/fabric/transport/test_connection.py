"""A connection whose server goes away for good."""

import asyncio
import time

import pytest

from easynet.core.errors import GatewayUnreachable
from easynet.fabric.access.authority import Authority
from easynet.fabric.access.identity import Identity
from easynet.fabric.access.memberships import Membership
from easynet.fabric.gateway.nats_server import NatsServer
from easynet.fabric.gateway.server_config import ServerConfig
from easynet.fabric.transport.connection import Connection, Message
from easynet.fabric.wire.address import Address
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow


async def test_server_that_is_gone_is_waited_for_once_and_not_at_every_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("easynet.fabric.transport.connection.RECONNECT_S", 0.2)
    authority, key = Authority.new(), Identity.generate()
    server = NatsServer(ServerConfig(authority))
    await server.start()
    lost, asked = asyncio.Event(), asyncio.Event()

    async def note_loss() -> None:
        lost.set()

    async def never_answer(message: Message) -> None:
        asked.set()

    control = Membership(kind="owner", name="gateway", jwt=authority.control_jwt(key.public), seed=key.seed)
    connection = Connection(server.address, lambda: control, name="test", on_loss=note_loss)
    await connection.open()
    await connection.subscribe("silence", never_answer)
    request = asyncio.create_task(connection.request("silence", b"", timeout_s=60))
    async with asyncio.timeout(PATIENCE_S):
        await asked.wait()
        await server.stop()
        await lost.wait()
        with pytest.raises(GatewayUnreachable, match="lost"):
            await request
        for _ in range(50):
            with pytest.raises(GatewayUnreachable, match="gone"):
                await connection.request("silence", b"", timeout_s=60)
    await connection.close()


@pytest.mark.parametrize("standstills", [0, 1])
async def test_gateway_that_was_not_reached_while_this_process_stood_still_is_tried_once_more(
    monkeypatch: pytest.MonkeyPatch, standstills: int
) -> None:
    monkeypatch.setattr("easynet.fabric.transport.connection.CONNECT_TIMEOUT_S", 0.5)
    authority, key = Authority.new(), Identity.generate()
    control = Membership(kind="owner", name="gateway", jwt=authority.control_jwt(key.public), seed=key.seed)
    attempts = 0

    async def let_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        if attempts <= standstills:
            time.sleep(1.6)  # noqa: ASYNC251 (the whole process stands still)
        elif standstills:
            there, back = await asyncio.open_connection(server.address.host, server.address.port)
            await asyncio.gather(pass_on(there, writer), pass_on(reader, back))
        writer.close()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async with NatsServer(ServerConfig(authority)) as server:
        door = await asyncio.start_server(let_in, "127.0.0.1", 0)
        address = Address("127.0.0.1", door.sockets[0].getsockname()[1])
        connection = Connection(address, lambda: control, name="test")
        if standstills == 1:
            await connection.open()
            assert connection.is_connected
        else:
            with pytest.raises(GatewayUnreachable):
                await connection.open()
        assert attempts == 1 + standstills
        await connection.close()
        door.close()
        await door.wait_closed()
