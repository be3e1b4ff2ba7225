"""Where a gateway listens: `host:port`, with or without `nats://`."""

import ipaddress
import re
from dataclasses import dataclass

from easynet.core.errors import UsageError

_FORMS = "Write host:port or nats://host:port, for example 127.0.0.1:4222 or nats://[::1]:4222."
_ADDRESS = re.compile(
    r"(?:nats://)?(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})/?"
)


@dataclass(frozen=True)
class Address:
    """A host and a port; never a secret."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read an address as a user writes it; raises UsageError."""
        match = _ADDRESS.fullmatch(text.strip()) if isinstance(text, str) else None
        if match is None:
            shown = "an address with a password in it" if "@" in str(text) else repr(text)
            raise UsageError(f"{shown} is not the address of a gateway", hint=_FORMS)
        port = int(match["port"])
        if not 0 < port < 65536:
            raise UsageError(f"{text!r} has a port outside 1 to 65535", hint=_FORMS)
        if match["six"]:
            try:
                ipaddress.IPv6Address(match["six"])
            except ValueError:
                raise UsageError(f"{text!r} is not the address of a gateway", hint=_FORMS) from None
        return cls(match["six"] or match["host"].lower(), port)

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)

    def __str__(self) -> str:
        return f"nats://[{self.host}]:{self.port}" if ":" in self.host else f"nats://{self.host}:{self.port}"


def is_loopback(host: str) -> bool:
    """Whether a host names this machine and can be reached from nowhere else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
