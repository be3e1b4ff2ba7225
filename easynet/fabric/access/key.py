"""The key pairs of those who decide on a network: its operator and its accounts."""

import secrets
from dataclasses import dataclass, field
from typing import Any, Self

import nkeys


@dataclass(frozen=True)
class Key:
    """The key pair of an operator or an account."""

    public: str
    seed: str = field(repr=False)
    _pair: Any = field(repr=False, compare=False)

    @classmethod
    def generate(cls, prefix: int) -> Self:
        """A key that nobody has used before."""
        return cls.from_seed(nkeys.encode_seed(secrets.token_bytes(32), prefix).decode())

    @classmethod
    def from_seed(cls, seed: str) -> Self:
        """The key that has this seed; raises ValueError or NkeysError."""
        pair: Any = nkeys.from_seed(bytearray(seed.encode()))
        return cls(pair.public_key.decode(), seed, pair)

    def sign(self, data: bytes) -> bytes:
        """The signature of `data`."""
        return bytes(self._pair.sign(data))
