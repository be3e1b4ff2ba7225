"""The address by which other machines reach this one."""

import ipaddress
import socket
from typing import Final

from easynet.core.errors import SettingsError

_FAR_AWAY: Final = {"0.0.0.0": (socket.AF_INET, "203.0.113.1"), "::": (socket.AF_INET6, "2001:db8::1")}
"""Addresses that are kept for documents, by the one that means all of this machine's own."""
_ANY_PORT: Final = 9


def is_any_host(host: str) -> bool:
    """Whether a host stands for all addresses of this machine."""
    return host in _FAR_AWAY


def own_address(host: str = "0.0.0.0") -> str:
    """This machine's address on the way to others, of the family of `host`; raises SettingsError.

    Nothing is sent: the system is only asked which way it would take.
    """
    family, target = _FAR_AWAY[host]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((target, _ANY_PORT))
            found = str(probe.getsockname()[0])
    except OSError:
        found = ""
    if not found or ipaddress.ip_address(found).is_loopback:
        raise SettingsError(
            "it cannot be told by which address other machines reach this one",
            hint="Say it: --advertise HOST, or advertise='...' in Python.",
        )
    return found
