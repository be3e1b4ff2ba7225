"""The signed statements by which a NATS server knows operators, accounts and users.

JSON web tokens of the form that NATS calls version 2, signed with Ed25519 keys ("ed25519-nkey").
"""

import base64
import hashlib
import json
import time
from typing import Any, Final, Literal, Protocol

Kind = Literal["operator", "account", "user"]

_VERSION: Final = 2
UNLIMITED: Final = -1


class Issuer(Protocol):
    """A key that vouches for statements."""

    @property
    def public(self) -> str: ...

    def sign(self, data: bytes) -> bytes: ...


def mint(
    issuer: Issuer,
    subject: str,
    name: str,
    kind: Kind,
    claims: dict[str, Any],
    *,
    expires_at: float = 0,
    issued_at: float = 0,
) -> str:
    """A statement of the issuer about the key `subject`; it is good until `expires_at`, or for ever.

    `issued_at` is now where it is not given; of two statements the later one counts.
    """
    body: dict[str, Any] = {
        "iat": int(issued_at or time.time()),
        "iss": issuer.public,
        "sub": subject,
        "name": name,
        "nats": {**claims, "type": kind, "version": _VERSION},
    }
    if expires_at:
        body["exp"] = int(expires_at)
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
    body["jti"] = base64.b32encode(digest).decode().rstrip("=")
    signed = f"{_part({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_part(body)}"
    return f"{signed}.{_base64(issuer.sign(signed.encode()))}"


def read(token: str) -> dict[str, Any]:
    """What a statement says, without a look at who signed it; raises ValueError."""
    parts = token.split(".")
    if len(parts) != 3:
        raise ValueError("not a signed statement")
    padded = parts[1] + "=" * (-len(parts[1]) % 4)
    found = json.loads(base64.urlsafe_b64decode(padded))
    if not isinstance(found, dict):
        raise ValueError("not a signed statement")
    return found


def _part(value: dict[str, Any]) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
