"""Which network is meant: the one that is named, or else the one that suggests itself."""

from dataclasses import dataclass
from typing import Final, Literal

from easynet.fabric.access import memberships
from easynet.fabric.access.memberships import Kind, Membership
from easynet.settings import Settings

EMBEDDED: Final = "embedded"
"""Names the network that a process starts for itself, where another one would be meant."""

Source = Literal["caller", "settings", "default"]


@dataclass(frozen=True)
class GatewayChoice:
    """A gateway, or an embedded network."""

    address: str
    """"" for an embedded network."""
    default: Membership | None = None
    """The way in, where nobody named a gateway and this one suggests itself."""
    source: Source = "default"
    """Who named it; "default" where nobody did."""
    elsewhere: Membership | None = None
    """A network that this device has joined, but not as what would be needed: an embedded one is meant."""


def choose_gateway(named: str | None, settings: Settings, kind: Kind = "client") -> GatewayChoice:
    """The gateway that is meant by whoever enters as `kind`.

    That is the one that was named, or else the one of the settings, or else the one that this user runs on
    this machine, or else the one that this device joined last; without any, an embedded network.
    """
    stated = settings.gateway if named is None else named
    if stated or named is not None:
        source: Source = "settings" if named is None else "caller"
        return GatewayChoice("" if stated == EMBEDDED else stated, source=source)
    found = memberships.default(settings.data_dir, kind)
    if found is not None:
        return GatewayChoice(*found)
    return GatewayChoice("", elsewhere=next(iter(memberships.joined(settings.data_dir)), None))
