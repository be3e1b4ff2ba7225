"""A look at the network: who is on it, without what works on runs."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager

from easynet.agents.wording import one_line
from easynet.core.offer import Node
from easynet.embedded import EmbeddedNetwork
from easynet.fabric.access import memberships
from easynet.fabric.access.authority import LOCAL_CLIENT
from easynet.fabric.access.gateway_choice import EMBEDDED, GatewayChoice, choose_gateway
from easynet.fabric.access.grants import Limits
from easynet.fabric.client import AsyncClient
from easynet.fabric.wire.address import Address
from easynet.settings import Settings


def nodes_of(gateway: str | None) -> list[Node]:
    """The nodes of the network that is meant."""
    return asyncio.run(_nodes_of(network_meant(gateway)))


def nodes_and_rights(gateway: str | None) -> tuple[list[Node], Limits]:
    """The nodes of the network that is meant, and what this device may call there."""
    chosen = network_meant(gateway)
    return asyncio.run(_nodes_of(chosen)), rights_at(chosen)


async def _nodes_of(chosen: GatewayChoice) -> list[Node]:
    async with client_of(chosen) as client:
        return await client.nodes()


def network_meant(gateway: str | None) -> GatewayChoice:
    """The network that is meant, said on stderr where nobody named it."""
    chosen = choose_gateway(gateway, Settings())
    announce(chosen)
    return chosen


@asynccontextmanager
async def client_of(chosen: GatewayChoice) -> AsyncGenerator[AsyncClient]:
    """A client of a gateway, or of an embedded network that is started for it."""
    data_dir = Settings().usable_data_dir()
    if chosen.address:
        async with AsyncClient(chosen.address, data_dir=data_dir) as client:
            yield client
        return
    async with EmbeddedNetwork(data_dir) as network, AsyncClient(network.url, data_dir=data_dir) as client:
        await network.ready()
        yield client


def rights_at(chosen: GatewayChoice) -> Limits:
    """What this device may call there: at an embedded network everything. Raises GatewayUnreachable."""
    if not chosen.address:
        return Limits()
    found, _ = memberships.find(Address.parse(chosen.address), "client", Settings().data_dir)
    return Limits(found.functions)


def announce(chosen: GatewayChoice, *, tells_of_embedded: bool = True) -> None:
    """Say on stderr which network is used, where nobody named it in the command.

    An embedded one goes without saying where `tells_of_embedded` is False and nobody could expect another.
    """
    if chosen.source == "caller":
        return
    if chosen.address or chosen.elsewhere is not None or chosen.source == "settings" or tells_of_embedded:
        for line in _told(chosen):
            print(line, file=sys.stderr, flush=True)


def _told(chosen: GatewayChoice) -> Iterator[str]:
    if chosen.source == "settings":
        yield f"Network: {network_name(chosen)}, by EASYNET_GATEWAY or easynet.toml"
    elif chosen.address:
        yield f"Network: {network_name(chosen)} (without it: --gateway {EMBEDDED})"
    else:
        yield f"Network: {network_name(chosen)}, on this machine alone"
    if (joined := chosen.elsewhere) is not None:
        yield (
            f"This device joined {bare(joined.gateways[0])} as the {joined.kind} {one_line(joined.name)}, "
            "which does not let it call what is there."
        )
        yield "To join as a client, too, ask its owner for a token: easynet invite client --name NAME"


def network_name(chosen: GatewayChoice) -> str:
    """A network with the name that this device has there, as far as that is known."""
    address = bare(chosen.address) or EMBEDDED
    if chosen.default is None:
        return address
    name = chosen.default.name
    return f"{address}, " + ("your own" if name == LOCAL_CLIENT else f"joined as {one_line(name)}")


def bare(address: str) -> str:
    """An address as people type it."""
    return address.removeprefix("nats://")
