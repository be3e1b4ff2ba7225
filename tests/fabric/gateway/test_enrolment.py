"""Devices that join a network with a token, and devices that are shut out again."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from easynet.core.errors import (
    AccessDenied,
    EasyNetError,
    GatewayUnreachable,
    NameTaken,
    OverBudget,
    RemoteFailure,
    TokenRejected,
    UsageError,
)
from easynet.fabric.access import memberships
from easynet.fabric.access.grants import Grant, Limits
from easynet.fabric.access.invitations import Invitation
from easynet.fabric.client import AsyncClient
from easynet.fabric.gateway.enrolment import join
from easynet.fabric.gateway.gateway import Gateway
from easynet.fabric.gateway.owner import Owner
from easynet.fabric.node import ComputeNode
from easynet.fabric.wire.address import Address
from easynet.testing.clock import ManualClock
from tests.patience import PATIENCE_S, within

pytestmark = pytest.mark.slow


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_800_000_000.0)


@pytest.fixture(params=[True, False], ids=["tls", "plain"])
async def lasting(own_data_dir: Path, request: pytest.FixtureRequest) -> AsyncIterator[Gateway]:
    async with Gateway(own_data_dir, lasting=True, tls=request.param) as gateway:
        yield gateway


@pytest.fixture
async def owner(lasting: Gateway, own_data_dir: Path) -> AsyncIterator[Owner]:
    async with Owner(lasting.url, data_dir=own_data_dir) as owner:
        yield owner


async def serve_size(gateway: str, name: str, device: Path) -> ComputeNode:
    node = ComputeNode(gateway, name, data_dir=device)
    node.register(len, name="size")
    node.register(abs, name="distance")
    await node.start()
    return node


async def test_invited_devices_call_each_other(lasting: Gateway, owner: Owner, tmp_path: Path) -> None:
    far, near = tmp_path / "far", tmp_path / "near"
    as_node = await join(await owner.invite("node", "gpu"), far)
    as_client = await join(await owner.invite("client", "ana"), near)
    node = await serve_size(as_node.gateways[0], "gpu", far)
    async with AsyncClient(as_client.gateways[0], data_dir=near) as client:
        assert await client.execute("gpu.size", "abc") == 3
        assert await client.execute("size", "abcd") == 4
        [seen] = await client.nodes()
    assert seen.name == "gpu"
    await node.stop()


async def test_a_token_is_good_for_one_device(owner: Owner, tmp_path: Path) -> None:
    token = await owner.invite("node", "gpu")
    await join(token, tmp_path / "first")
    with pytest.raises(TokenRejected, match="used already") as caught:
        await join(token, tmp_path / "second")
    assert caught.value.hint


async def test_a_device_that_joined_is_told_so(owner: Owner, tmp_path: Path) -> None:
    token = await owner.invite("node", "gpu")
    member = await join(token, tmp_path)
    with pytest.raises(TokenRejected, match="this device has joined with it already, as the node 'gpu'"):
        await join(token[:30] + "\n" + token[30:], tmp_path)
    assert memberships.joined(tmp_path) == [member]


async def test_a_damaged_token_is_recognised_before_anybody_is_asked(owner: Owner, tmp_path: Path) -> None:
    token = await owner.invite("node", "gpu")
    with pytest.raises(TokenRejected, match="damaged") as caught:
        await join(token[:40] + token[41:], tmp_path)
    assert "whole" in caught.value.hint
    assert memberships.joined(tmp_path) == []
    await join(token, tmp_path)


async def test_two_keys_cannot_have_one_name(owner: Owner, tmp_path: Path) -> None:
    early, late = await owner.invite("node", "gpu"), await owner.invite("node", "gpu")
    await join(early, tmp_path / "first")
    with pytest.raises(NameTaken, match="'gpu'"):
        await join(late, tmp_path / "second")
    with pytest.raises(NameTaken, match="'gpu'"):
        await owner.invite("node", "gpu")


async def test_an_expired_token_is_refused(own_data_dir: Path, clock: ManualClock, tmp_path: Path) -> None:
    async with Gateway(own_data_dir, lasting=True, clock=clock) as gateway, Owner(gateway.url) as owner:
        token = await owner.invite("client", "ana", expires_s=60)
        clock.advance(60)
        with pytest.raises(TokenRejected, match="expired"):
            await join(token, tmp_path)


@pytest.mark.parametrize("token", ["", "hello", "enj1_", "enj1_AAAA", "enj1_k5GoMTI3", "enj2_x", "嗨"])
async def test_what_is_not_a_token_is_refused_before_anybody_is_asked(token: str, tmp_path: Path) -> None:
    with pytest.raises(TokenRejected):
        await join(token, tmp_path)


async def test_a_forged_token_is_refused(owner: Owner, tmp_path: Path) -> None:
    real = Invitation.parse(await owner.invite("node", "gpu"))
    forged = Invitation(real.gateways, real.gateway_id, bytes(16), real.fingerprint)
    with pytest.raises(TokenRejected, match="no such token"):
        await join(forged.token(), tmp_path)
    elsewhere = Invitation(real.gateways, "other", real.secret, real.fingerprint)
    with pytest.raises(EasyNetError):
        await join(elsewhere.token(), tmp_path)


async def test_a_server_that_is_not_the_tokens_is_not_told_the_secret(
    own_data_dir: Path, tmp_path: Path
) -> None:
    """Somebody in between has a certificate too, but not the one that the token names."""
    async with (
        Gateway(own_data_dir, lasting=True, tls=True) as real,
        Owner(real.url) as owner,
        Gateway(tmp_path / "evil", lasting=True, tls=True) as evil,
    ):
        token = Invitation.parse(await owner.invite("node", "gpu"))
        caught_on_the_way = Invitation((evil.url,), token.gateway_id, token.secret, token.fingerprint)
        with pytest.raises(EasyNetError):
            await join(caught_on_the_way.token(), tmp_path / "device")
        await join(token.token(), tmp_path / "device")


async def test_a_client_calls_only_what_it_may(
    lasting: Gateway, own_data_dir: Path, owner: Owner, tmp_path: Path
) -> None:
    node = await serve_size(lasting.url, "gpu", own_data_dir)
    token = await owner.invite("client", "ana", functions=["size"])
    member = await join(token, tmp_path)
    async with AsyncClient(member.gateways[0], data_dir=tmp_path) as client:
        assert await client.execute("gpu.size", "abc") == 3
        with pytest.raises(AccessDenied, match="distance"):
            await asyncio.wait_for(client.execute("gpu.distance", -1), PATIENCE_S)
    await node.stop()


async def test_a_revoked_client_is_cut_off_and_stays_out(
    lasting: Gateway, own_data_dir: Path, owner: Owner, tmp_path: Path
) -> None:
    node = await serve_size(lasting.url, "gpu", own_data_dir)
    member = await join(await owner.invite("client", "ana"), tmp_path)
    async with AsyncClient(member.gateways[0], data_dir=tmp_path) as client:
        assert await client.execute("gpu.size", "abc") == 3
        await owner.revoke("client", "ana")
        with pytest.raises(AccessDenied):
            async with within(2):
                await call_until_refused(client)
    with pytest.raises(AccessDenied):
        await AsyncClient(member.gateways[0], data_dir=tmp_path).connect()
    await join(await owner.invite("client", "ana"), tmp_path / "another device")
    await node.stop()


async def call_until_refused(client: AsyncClient) -> None:
    while True:
        await client.execute("gpu.size", "abc")


async def test_a_revoked_node_is_cut_off_and_stays_out(
    lasting: Gateway,
    owner: Owner,
    tmp_path: Path,
    until: Callable[[Callable[[], Awaitable[object]]], Awaitable[None]],
) -> None:
    member = await join(await owner.invite("node", "gpu"), tmp_path)
    node = await serve_size(member.gateways[0], "gpu", tmp_path)
    async with AsyncClient(lasting.url) as client:

        async def is_gone() -> bool:
            return not await client.nodes()

        assert not await is_gone()
        await owner.revoke("node", "gpu")
        async with within(2):
            await until(is_gone)
    await node.stop()
    with pytest.raises(AccessDenied):
        await serve_size(member.gateways[0], "gpu", tmp_path)
    await join(await owner.invite("node", "gpu"), tmp_path / "another device")


async def test_members_and_the_shut_out_are_remembered_by_a_gateway_that_starts_again(
    own_data_dir: Path, tmp_path: Path
) -> None:
    async with Gateway(own_data_dir, lasting=True, tls=True) as gateway:
        port = Address.parse(gateway.url).port
        async with Owner(gateway.url) as owner:
            await join(await owner.invite("client", "ana"), tmp_path / "ana")
            await join(await owner.invite("client", "ben"), tmp_path / "ben")
            await owner.revoke("client", "ben")
    async with Gateway(own_data_dir, port=port, lasting=True, tls=True) as gateway:
        async with AsyncClient(gateway.url, data_dir=tmp_path / "ana") as client:
            assert await client.nodes() == []
        with pytest.raises(AccessDenied):
            await AsyncClient(gateway.url, data_dir=tmp_path / "ben").connect()


async def test_nobody_is_invited_to_a_network_that_does_not_last(gateway: Gateway) -> None:
    async with Owner(gateway.url) as owner:
        with pytest.raises(EasyNetError, match="ends with its process"):
            await owner.invite("node", "gpu")


async def test_only_fit_names_are_invited(owner: Owner) -> None:
    for name in ("", "a.b", "a>", "*", "local", "a b"):
        with pytest.raises(UsageError):
            await owner.invite("client", name)
    with pytest.raises(UsageError):
        await owner.invite("client", "ana", functions=["*"])
    with pytest.raises(UsageError, match="no node named 'gpu'"):
        await owner.revoke("node", "gpu")


async def test_plain_text_at_a_tls_port_gets_nowhere(own_data_dir: Path, tmp_path: Path) -> None:
    async with Gateway(own_data_dir, lasting=True, tls=True) as gateway:
        address = Address.parse(gateway.url)
        reader, writer = await asyncio.open_connection(address.host, address.port)
        writer.write(b'CONNECT {"verbose":false}\r\nPING\r\n')
        await writer.drain()
        async with asyncio.timeout(PATIENCE_S):
            assert b"INFO" not in await reader.read()
        writer.close()
        with pytest.raises(GatewayUnreachable):
            await AsyncClient(gateway.url, data_dir=tmp_path).connect()


async def test_a_client_hands_on_a_part_of_its_rights(
    lasting: Gateway, own_data_dir: Path, owner: Owner, tmp_path: Path
) -> None:
    node = await serve_size(lasting.url, "gpu", own_data_dir)
    ana = await join(await owner.invite("client", "ana", functions=["size"]), tmp_path / "ana")
    async with AsyncClient(ana.gateways[0], data_dir=tmp_path / "ana") as client:
        whole = await client.grant()
    with pytest.raises(UsageError):
        whole.narrow(Limits(functions=("distance",)))
    part = whole.narrow(Limits(functions=("gpu.size",), expires_at=time.time() + 600))
    ben = await join(part.token(), tmp_path / "ben")
    async with AsyncClient(ben.gateways[0], data_dir=tmp_path / "ben") as client:
        assert await client.execute("gpu.size", "abc") == 3
        with pytest.raises(AccessDenied):
            await client.execute("gpu.distance", -1)
        with pytest.raises(UsageError):
            await client.grant()
    await owner.revoke("client", "ana")
    with pytest.raises(AccessDenied):
        await AsyncClient(ben.gateways[0], data_dir=tmp_path / "ben").connect()
    with pytest.raises(TokenRejected, match="shut out"):
        await join(part.token(), tmp_path / "cem")
    await node.stop()


async def test_rights_that_are_limited_in_time_end_by_themselves(
    lasting: Gateway, own_data_dir: Path, tmp_path: Path
) -> None:
    async with AsyncClient(lasting.url) as client:
        whole = await client.grant()
    client = await in_time(whole, tmp_path)
    async with client, asyncio.timeout(PATIENCE_S):
        with pytest.raises(AccessDenied):
            await ask_until_refused(client)


async def in_time(whole: Grant, folder: Path) -> AsyncClient:
    """A client whose rights have not ended yet; a machine that stands still uses up the shortest ones."""
    for seconds in (2, 8, 32):
        with contextlib.suppress(AccessDenied, TokenRejected):
            device, part = folder / str(seconds), whole.narrow(Limits(expires_at=time.time() + seconds))
            ben = await join(part.token(), device)
            client = AsyncClient(ben.gateways[0], data_dir=device)
            await client.connect()
            return client
    raise AssertionError("it was never in time")


async def ask_until_refused(client: AsyncClient) -> None:
    while True:
        await client.nodes()
        await asyncio.sleep(0.05)


async def test_the_holders_of_a_grant_spend_no_more_than_it_allows(
    lasting: Gateway, own_data_dir: Path, tmp_path: Path
) -> None:
    node = ComputeNode(lasting.url, "gpu")
    node.register(len, name="size", price=3)

    @node.register(price=3)
    def fail() -> None:
        raise ValueError

    await node.start()
    async with AsyncClient(lasting.url) as client:
        part = (await client.grant()).narrow(Limits(max_spend=10))
    first = await join(part.token(), tmp_path / "first")
    second = await join(part.narrow(Limits(max_spend=5)).token(), tmp_path / "second")
    async with (
        AsyncClient(first.gateways[0], data_dir=tmp_path / "first") as one,
        AsyncClient(second.gateways[0], data_dir=tmp_path / "second") as two,
    ):
        assert await two.execute("gpu.size", "abc") == 3
        with pytest.raises(OverBudget):
            await two.execute("gpu.size", "abc")
        with pytest.raises(RemoteFailure):  # what fails costs nothing
            await one.execute("gpu.fail")
        assert [await one.execute("gpu.size", "abc") for _ in range(2)] == [3, 3]
        with pytest.raises(OverBudget):
            await one.execute("gpu.size", "abc")
    await node.stop()


async def test_a_revoked_node_is_told_why_it_serves_no_more(owner: Owner, tmp_path: Path) -> None:
    member = await join(await owner.invite("node", "gpu"), tmp_path)
    node = await serve_size(member.gateways[0], "gpu", tmp_path)
    await owner.revoke("node", "gpu")
    with pytest.raises(AccessDenied):
        await asyncio.wait_for(node.wait(), PATIENCE_S)
    await node.stop()
