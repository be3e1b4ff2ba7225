"""Where a node serves, and under which name."""

import re
import socket
from dataclasses import dataclass

from easynet.core.errors import GatewayUnreachable
from easynet.fabric.access import memberships
from easynet.fabric.access.authority import LOCAL_CLIENT
from easynet.fabric.access.gateway_choice import choose_gateway
from easynet.fabric.wire.address import Address
from easynet.settings import Settings


@dataclass(frozen=True)
class NodePlace:
    """A gateway, and a node's name there."""

    gateway: str
    name: str


def place_for_node(gateway: str | None, name: str | None, settings: Settings) -> NodePlace:
    """The gateway that is meant, and the name that is wanted, or that this device joined under there.

    Raises GatewayUnreachable where there is no network, or this device may not serve there.
    """
    chosen = choose_gateway(gateway, settings, "node")
    address = chosen.address
    if not address and (joined := chosen.elsewhere) is not None:
        raise GatewayUnreachable(
            f"this device has joined {joined.gateways[0]} as the {joined.kind} {joined.name!r},"
            " which does not let it serve there",
            hint="On its owner's machine: easynet invite node --name NAME. Then here: easynet join TOKEN.",
        )
    if not address:
        raise GatewayUnreachable(
            "there is no network to serve",
            hint="Join one with `easynet join TOKEN`, or run your own with `easynet gateway start`.",
        )
    membership, _ = memberships.find(Address.parse(address), "node", settings.data_dir, name or "")
    known_as = _host_name() if membership.name == LOCAL_CLIENT else membership.name
    return NodePlace(address, name or known_as)


def _host_name() -> str:
    host = re.sub(r"[^\w-]+", "-", socket.gethostname().split(".")[0]).strip("-")
    return host[:60] or "node"
