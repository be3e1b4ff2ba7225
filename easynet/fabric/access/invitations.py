"""The token that invites a device to a network: where the network is, how to know it, and a secret."""

from dataclasses import dataclass, field
from typing import Final, Self

from easynet.core.errors import TokenRejected
from easynet.fabric.access import tokens

PREFIX: Final = "enj1_"
_SECRET_BYTES: Final = 16


@dataclass(frozen=True)
class Invitation:
    """What a device has to know to join; whoever has the secret may, once."""

    gateways: tuple[str, ...]
    """Addresses of the network."""
    gateway_id: str
    """The gateway that made the token, and that alone can redeem it."""
    secret: bytes = field(repr=False)
    fingerprint: bytes = b""
    """SHA-256 of the network's certificate authority; empty where it is entered without TLS."""

    def token(self) -> str:
        """The invitation as one word, to be sent to whoever is invited."""
        return tokens.written(PREFIX, [list(self.gateways), self.gateway_id, self.secret, self.fingerprint])

    @classmethod
    def parse(cls, token: str) -> Self:
        """Read a token; raises TokenRejected."""
        match tokens.read(PREFIX, token):
            case [[*gateways], str(gateway_id), bytes(secret), bytes(fingerprint)] if (
                gateways
                and all(isinstance(g, str) for g in gateways)
                and len(secret) == _SECRET_BYTES
                and len(fingerprint) in (0, 32)
            ):
                return cls(tuple(gateways), gateway_id, secret, fingerprint)
            case _:
                raise TokenRejected("that token does not say what an invitation has to say")
