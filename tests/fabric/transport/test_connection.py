"""A connection whose server goes away for good."""

import asyncio

import pytest

from easynet.core.errors import GatewayUnreachable
from easynet.fabric.access.authority import Authority
from easynet.fabric.access.identity import Identity
from easynet.fabric.access.memberships import Membership
from easynet.fabric.gateway.nats_server import NatsServer
from easynet.fabric.gateway.server_config import ServerConfig
from easynet.fabric.transport.connection import Connection, Message
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
