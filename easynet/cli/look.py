"""A look at the network: who is on it, without what works on runs."""

import asyncio

from easynet.core.offer import Node
from easynet.embedded import EmbeddedNetwork
from easynet.fabric.client import AsyncClient
from easynet.settings import Settings


def nodes_of(gateway: str | None) -> list[Node]:
    """The nodes of a gateway, or of an embedded network that is started for the look."""
    return asyncio.run(_nodes_of(gateway))


async def _nodes_of(gateway: str | None) -> list[Node]:
    settings = Settings()
    data_dir = settings.usable_data_dir()
    if address := gateway or settings.gateway:
        async with AsyncClient(address, data_dir=data_dir) as client:
            return await client.nodes()
    async with EmbeddedNetwork(data_dir) as network, AsyncClient(network.url, data_dir=data_dir) as client:
        await network.ready()
        return await client.nodes()
