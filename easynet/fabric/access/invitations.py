"""The token that invites a device to a network: where the network is, how to know it, and a secret."""

import base64
import binascii
from dataclasses import dataclass, field
from typing import Final, Self

import msgpack

from easynet.core.errors import TokenRejected
from easynet.fabric.wire.packing import pack

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
        content = pack([list(self.gateways), self.gateway_id, self.secret, self.fingerprint])
        return PREFIX + base64.urlsafe_b64encode(content).rstrip(b"=").decode()

    @classmethod
    def parse(cls, token: str) -> Self:
        """Read a token; raises TokenRejected."""
        word = "".join(token.split())  # it may have been wrapped on its way
        body = word.removeprefix(PREFIX)
        try:
            if body == word:
                raise ValueError
            content = msgpack.unpackb(base64.b64decode(body + "=" * (-len(body) % 4), b"-_", validate=True))
        except (ValueError, binascii.Error, msgpack.UnpackException):
            content = None
        match content:
            case [[*gateways], str(gateway_id), bytes(secret), bytes(fingerprint)] if (
                gateways
                and all(isinstance(g, str) for g in gateways)
                and len(secret) == _SECRET_BYTES
                and len(fingerprint) in (0, 32)
            ):
                return cls(tuple(gateways), gateway_id, secret, fingerprint)
            case _:
                raise TokenRejected(
                    "that is not a token of EasyNet, or a part of it is missing",
                    hint=f"A token begins with {PREFIX}; copy it whole, as `easynet invite` printed it.",
                )
