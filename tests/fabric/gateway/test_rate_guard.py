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
