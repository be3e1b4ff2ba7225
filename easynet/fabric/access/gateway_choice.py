"""Which network is meant: the one that is named, or else the one that suggests itself."""

from dataclasses import dataclass
from typing import Final

from easynet.fabric.access import memberships
from easynet.fabric.access.memberships import Kind, Membership
from easynet.settings import Settings

EMBEDDED: Final = "embedded"
"""Names the network that a process starts for itself, where another one would be meant."""


@dataclass(frozen=True)
class GatewayChoice:
    """A gateway, or an embedded network."""

    address: str
    """"" for an embedded network."""
    default: Membership | None = None
    """The way in, where nobody named a gateway and this one suggests itself."""


def choose_gateway(named: str | None, settings: Settings, kind: Kind = "client") -> GatewayChoice:
    """The gateway that is meant by whoever enters as `kind`.

    That is the one that was named, or else the one of the settings, or else the one that this user runs on
    this machine, or else the one that this device joined last; without any, an embedded network.
    """
    stated = settings.gateway if named is None else named
    if stated or named is not None:
        return GatewayChoice("" if stated == EMBEDDED else stated)
    found = memberships.default(settings.data_dir, kind)
    return GatewayChoice(*found) if found is not None else GatewayChoice("")
