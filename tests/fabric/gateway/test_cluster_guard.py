"""What keeps strangers and floods out of one gateway of a network keeps them out of all."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from easynet.core.errors import GatewayError, GatewayUnreachable
from easynet.fabric.access.invitations import Invitation
from easynet.fabric.access.memberships import Membership
from easynet.fabric.gateway.enrolment import join
from easynet.fabric.transport.connection import Connection
from easynet.fabric.wire.address import Address
from tests.fabric.gateway.trio import Trio
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.slow

Until = Callable[[Callable[[], Awaitable[object]]], Awaitable[None]]


def connection_to(url: str, member: Membership) -> Connection:
    """A connection to that gateway, and to no other one."""
    only = member.model_copy(update={"gateways": ()})
    return Connection(Address.parse(url), lambda: only, name="flood", stays=True)


async def is_refused(url: str, member: Membership) -> bool:
    connection = connection_to(url, member)
    try:
        await connection.open()
    except GatewayError:
        return True
    finally:
        await connection.close()
    return False


async def send(connection: Connection, name: str, count: int) -> None:
    with contextlib.suppress(GatewayError):  # it is cut off by now
        for _ in range(count):
            if connection.is_connected:
                await connection.publish(f"fn.gpu.{name}.call.size", b"")


async def test_client_that_is_suspended_at_one_gateway_is_refused_at_all(
    trio: Trio, tmp_path: Path, until: Until
) -> None:
    async with trio.owner(0) as owner:
        eve = await join(await owner.invite("client", "eve", rate=500), tmp_path / "eve")
        members = [await join(await owner.invite("client", f"c{i}"), tmp_path / f"c{i}") for i in range(3)]
    flooder = connection_to(trio.urls[0], eve)
    await flooder.open()
    async with asyncio.timeout(PATIENCE_S):
        while not await is_refused(trio.urls[0], eve):
            await send(flooder, "eve", 200)
    await flooder.close()

    async def is_refused_everywhere() -> bool:
        return all([await is_refused(url, eve) for url in trio.urls])

    async with asyncio.timeout(PATIENCE_S):
        await until(is_refused_everywhere)
    await asyncio.sleep(0.6)  # until each gateway has looked again
    for i in (1, 2):  # each says anew who is shut out when it shuts somebody out, and forgets nobody
        async with trio.owner(i) as owner:
            await owner.revoke("client", members[i].name)
        assert await is_refused_everywhere()

    async def is_let_in_everywhere() -> bool:
        return not any([await is_refused(url, eve) for url in trio.urls])

    await until(is_let_in_everywhere)


async def test_client_has_one_rate_at_all_gateways(trio: Trio, tmp_path: Path, until: Until) -> None:
    async with trio.owner(0) as owner:
        eva = await join(await owner.invite("client", "eva", rate=100), tmp_path)
    connections = [connection_to(url, eva) for url in trio.urls]
    for connection in connections:
        await connection.open()

    async def send_on(connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        began, sent = loop.time(), 0
        while True:
            due = int((loop.time() - began) * 90)  # a second, which one gateway alone would allow
            await send(connection, "eva", due - sent)
            sent = due
            await asyncio.sleep(0.1)

    async def is_refused_everywhere() -> bool:
        await asyncio.sleep(0.2)
        return all([await is_refused(url, eva) for url in trio.urls])

    senders = [asyncio.create_task(send_on(connection)) for connection in connections]
    await until(is_refused_everywhere)
    for sender in senders:
        sender.cancel()
    await asyncio.gather(*senders, return_exceptions=True)
    for connection in connections:
        await connection.close()


async def test_token_is_redeemed_by_way_of_another_gateway(trio: Trio, tmp_path: Path) -> None:
    async with trio.owner(2) as owner:
        token = Invitation.parse(await owner.invite("client", "yan"))
    elsewhere = Invitation((trio.urls[0],), token.gateway_id, token.secret, token.fingerprint)
    assert (await join(elsewhere.token(), tmp_path)).name == "yan"


async def test_token_of_a_gateway_that_is_away_says_so(trio: Trio, tmp_path: Path) -> None:
    async with trio.owner(2) as owner:
        token = await owner.invite("client", "zoe")
    trio.end(2)
    with pytest.raises(GatewayUnreachable, match="made the token is not there now"):
        await join(token, tmp_path)
    trio.start(2)
    assert (await join(token, tmp_path)).name == "zoe"
