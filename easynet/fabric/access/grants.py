"""Grants: a client's rights as a token that whoever holds it can narrow, without asking anybody.

A chain of blocks, each signed with the key that the block before it names; the first is signed by the
network's authority. Whoever holds the token holds the last private key, and so may append a block that allows
less, but cannot take one away. This is the construction of Biscuit tokens (https://doc.biscuitsec.org),
without their language: a block states the functions, the credits and the time that it allows.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Final, Self

import msgpack
from nacl.exceptions import CryptoError
from nacl.signing import SigningKey, VerifyKey

from easynet.core.errors import TokenRejected, UsageError
from easynet.fabric.access import tokens
from easynet.fabric.access.spending import Cap
from easynet.fabric.wire.packing import pack

PREFIX: Final = "eng1_"
_PURPOSE: Final = b"easynet-grant:"
_PROOF: Final = b"easynet-grant-proof:"
_MAX_BLOCKS: Final = 16


@dataclass(frozen=True)
class Limits:
    """What one block allows."""

    functions: tuple[str, ...] = ()
    """As `function` or `node.function`; all where none is named."""
    max_spend: int | None = None
    """Credits that may be spent under it, by all its holders together."""
    expires_at: float | None = None
    """Unix seconds."""

    def allow(self, function: str) -> bool:
        """Whether `node.function`, or `function` at any node, may be called."""
        return (
            not self.functions or function in self.functions or function.rpartition(".")[2] in self.functions
        )


@dataclass(frozen=True)
class Block:
    """Limits, and the key that may append to them."""

    limits: Limits
    owner: str
    """The key of the client whose rights these are: in the first block alone."""
    next_key: bytes
    signature: bytes

    @property
    def payload(self) -> bytes:
        """What is signed."""
        limits = self.limits
        functions = list(limits.functions)
        return pack([1, functions, limits.max_spend, limits.expires_at, self.owner, self.next_key])

    @property
    def digest(self) -> bytes:
        """Names the block; its spending is counted under it."""
        return sha256(self.signature + self.payload).digest()


@dataclass(frozen=True)
class Rights:
    """What a whole chain allows: what every one of its blocks does."""

    owner: str
    functions: tuple[str, ...]
    expires_at: float | None
    caps: tuple[Cap, ...]
    """What the blocks that limit spending allow, each for as long as it and those before it hold."""


@dataclass(frozen=True)
class Grant:
    """A chain of blocks with the key to append another one."""

    gateways: tuple[str, ...]
    gateway_id: str
    fingerprint: bytes
    """SHA-256 of the network's certificate authority; empty where it is entered without TLS."""
    blocks: tuple[Block, ...]
    _key: bytes = field(repr=False)

    @classmethod
    def issue(
        cls,
        gateways: Sequence[str],
        gateway_id: str,
        fingerprint: bytes,
        owner: str,
        limits: Limits,
        sign: Any,
    ) -> Self:
        """The rights of a client, signed by the network's authority."""
        key = SigningKey.generate()
        block = Block(limits, owner, bytes(key.verify_key), b"")
        block = replace(block, signature=sign(_PURPOSE + block.payload))
        return cls(tuple(gateways), gateway_id, fingerprint, (block,), bytes(key))

    def narrow(self, limits: Limits) -> Self:
        """The same grant with less: never with more than it allows now; raises UsageError."""
        if wider := [f for f in limits.functions if not all(b.limits.allow(f) for b in self.blocks)]:
            raise UsageError(
                f"this grant does not allow {wider[0]!r}", hint="Name functions that it allows itself."
            )
        if len(self.blocks) >= _MAX_BLOCKS:
            raise UsageError(f"a grant can be narrowed {_MAX_BLOCKS - 1} times")
        key = SigningKey.generate()
        block = Block(limits, "", bytes(key.verify_key), b"")
        signed = _PURPOSE + self.blocks[-1].signature + block.payload
        block = replace(block, signature=SigningKey(self._key).sign(signed).signature)
        return replace(self, blocks=(*self.blocks, block), _key=bytes(key))

    def proof(self, device: str) -> bytes:
        """Shows that this device holds the grant, without giving it away."""
        return SigningKey(self._key).sign(_PROOF + device.encode()).signature

    @property
    def chain(self) -> list[list[Any]]:
        """The blocks as they travel."""
        return [[block.payload, block.signature] for block in self.blocks]

    def token(self) -> str:
        """The grant as one word. Whoever has it has what it allows."""
        content = [list(self.gateways), self.gateway_id, self.fingerprint, self.chain, self._key]
        return tokens.written(PREFIX, content)

    @classmethod
    def parse(cls, token: str) -> Self:
        """Read a token; raises TokenRejected. Whether it is genuine, its gateway will say."""
        match tokens.read(PREFIX, token):
            case [[*gateways], str(gateway_id), bytes(fingerprint), list(chain), bytes(key)] if (
                gateways and all(isinstance(g, str) for g in gateways) and len(key) == 32
            ):
                return cls(tuple(gateways), gateway_id, fingerprint, _blocks(chain), key)
            case _:
                raise TokenRejected("that token does not say what a grant has to say")


def verified(chain: Any, device: str, proof: bytes, root_key: bytes, now: float | None = None) -> Rights:
    """What a chain allows the device that shows it; raises TokenRejected where anything is not in order."""
    blocks = _blocks(chain)
    key, before = root_key, b""
    for block in blocks:
        _check(key, _PURPOSE + before + block.payload, block.signature)
        key, before = block.next_key, block.signature
    _check(key, _PROOF + device.encode(), proof)
    if not blocks[0].owner or any(block.owner for block in blocks[1:]):
        raise TokenRejected("the grant does not say whose it is")
    functions: tuple[str, ...] = ()
    for number, block in enumerate(blocks):
        if any(not earlier.limits.allow(f) for f in block.limits.functions for earlier in blocks[:number]):
            raise TokenRejected("the grant allows more than the one it was made from")
        functions = block.limits.functions or functions
    expires_at: float | None = None
    caps: list[Cap] = []
    for block in blocks:
        ends = [end for end in (expires_at, block.limits.expires_at) if end is not None]
        expires_at = min(ends, default=None)
        if block.limits.max_spend is not None:
            caps.append(Cap(block.digest, block.limits.max_spend, expires_at or 0.0))
    if expires_at is not None and (time.time() if now is None else now) >= expires_at:
        raise TokenRejected("the grant has expired", hint="Ask whoever gave it to you for a new one.")
    return Rights(blocks[0].owner, functions, expires_at, tuple(caps))


def _check(key: bytes, data: bytes, signature: bytes) -> None:
    try:
        VerifyKey(key).verify(data, signature)
    except (CryptoError, ValueError, TypeError) as error:
        raise TokenRejected(
            "the grant was changed, or was not made on this network",
            hint="Ask whoever gave it to you for a new one.",
        ) from error


def _blocks(chain: Any) -> tuple[Block, ...]:
    if not isinstance(chain, list) or not 0 < len(chain) <= _MAX_BLOCKS:
        raise TokenRejected("the grant has no blocks, or too many")
    return tuple(_block(raw) for raw in chain)


def _block(raw: Any) -> Block:
    try:
        payload, signature = raw
        version, functions, max_spend, expires_at, owner, next_key = msgpack.unpackb(payload)
    except (ValueError, TypeError, msgpack.UnpackException):
        raise TokenRejected("a block of the grant cannot be read") from None
    fits = (
        version == 1
        and isinstance(functions, list)
        and all(isinstance(f, str) for f in functions)
        and (max_spend is None or (type(max_spend) is int and max_spend >= 0))
        and (expires_at is None or (type(expires_at) is float and math.isfinite(expires_at)))
        and isinstance(owner, str)
        and isinstance(next_key, bytes)
        and isinstance(signature, bytes)
    )
    if not fits:
        raise TokenRejected("a block of the grant cannot be read")
    block = Block(Limits(tuple(functions), max_spend, expires_at), owner, next_key, signature)
    if block.payload != payload:  # one form only, so that a digest names what was signed
        raise TokenRejected("a block of the grant cannot be read")
    return block
