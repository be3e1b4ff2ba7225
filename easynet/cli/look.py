"""A look at the network: who is on it, without what works on runs."""

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from easynet.core.offer import Node
from easynet.embedded import EmbeddedNetwork
from easynet.fabric.access.authority import LOCAL_CLIENT
from easynet.fabric.client import AsyncClient
from easynet.fabric.access.gateway_choice import EMBEDDED, GatewayChoice, choose_gateway
from easynet.settings import Settings


def nodes_of(gateway: str | None) -> list[Node]:
    """The nodes of the network that is meant."""
    return asyncio.run(_nodes_of(gateway))


async def _nodes_of(gateway: str | None) -> list[Node]:
    async with client_of(gateway) as client:
        return await client.nodes()


@asynccontextmanager
async def client_of(gateway: str | None) -> AsyncGenerator[AsyncClient]:
    """A client of the gateway that is meant, or of an embedded network that is started for it."""
    settings = Settings()
    data_dir = settings.usable_data_dir()
    chosen = choose_gateway(gateway, settings)
    announce(chosen)
    if chosen.address:
        async with AsyncClient(chosen.address, data_dir=data_dir) as client:
            yield client
        return
    async with EmbeddedNetwork(data_dir) as network, AsyncClient(network.url, data_dir=data_dir) as client:
        await network.ready()
        yield client


def announce(chosen: GatewayChoice) -> None:
    """Say on stderr which network is used, where nobody named it."""
    if chosen.default is None:
        return
    name = chosen.default.name
    as_whom = "your own" if name == LOCAL_CLIENT else f"joined as {name}"
    print(
        f"Network: {bare(chosen.address)}, {as_whom} (without it: --gateway {EMBEDDED})",
        file=sys.stderr,
        flush=True,
    )


def bare(address: str) -> str:
    """An address as people type it."""
    return address.removeprefix("nats://")
