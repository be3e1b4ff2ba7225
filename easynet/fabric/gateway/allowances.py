"""What clients may send: one allowance for all connections of a client and of all who hold its grants."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

BYTES_OF_A_MESSAGE: Final = 256 * 1024
"""What is larger counts as several messages; the parts of large values count as one or two."""
_BURST_S: Final = 2.0
"""What an allowance gives in so many seconds may be sent at once."""


@dataclass(frozen=True)
class Allowance:
    """How much may be sent, and by whom together."""

    owner: str
    """The key of the client whose rights these are."""
    rate: float
    """Messages a second."""


@dataclass
class _Bucket:
    """How many messages may still be sent (a token bucket)."""

    rate: float
    left: float

    @property
    def is_full(self) -> bool:
        return self.left >= self.rate * _BURST_S

    def fill(self, elapsed_s: float) -> None:
        self.left = min(self.rate * _BURST_S, self.left + self.rate * elapsed_s)

    def spend(self, sent_by_key: Mapping[str, float], elapsed_s: float) -> list[str]:
        """Take what was sent; where it was too much, the keys without which it would not have been.

        Those that sent most come first. What they sent is given back to the others.
        """
        together = sum(sent_by_key.values())
        self.left -= together
        offenders: list[str] = []
        if self.left < 0:
            for key in sorted(sent_by_key, key=sent_by_key.__getitem__, reverse=True):
                offenders.append(key)
                together -= sent_by_key[key]
                self.left += sent_by_key[key]
                if together <= self.rate * elapsed_s:
                    break
            self.left = max(0.0, self.left)
        return offenders


class Allowances:
    """Finds out, at each look, which clients have sent too much."""

    def __init__(self, allowance_of: Callable[[str], Allowance | None]) -> None:
        """`allowance_of` tells by its key what a client may send, None where there is no limit."""
        self._allowance_of = allowance_of
        self._bucket_by_owner: dict[str, _Bucket] = {}
        self._sent_by_key: dict[str, float] = {}

    def note(self, key: str, sent: float) -> None:
        """A client has sent so many messages since the last look."""
        self._sent_by_key[key] = self._sent_by_key.get(key, 0.0) + sent

    def look(self, elapsed_s: float) -> list[str]:
        """The clients that are to stop, so that the others of each allowance are within it."""
        for owner, bucket in list(self._bucket_by_owner.items()):
            bucket.fill(elapsed_s)
            if bucket.is_full:
                del self._bucket_by_owner[owner]
        sent, self._sent_by_key = self._sent_by_key, {}
        shares: dict[Allowance, dict[str, float]] = {}
        for key, count in sent.items():
            if (allowance := self._allowance_of(key)) is not None:
                shares.setdefault(allowance, {})[key] = count
        found = (self._spend(allowance, share, elapsed_s) for allowance, share in shares.items())
        return [key for offenders in found for key in offenders]

    def _spend(self, allowance: Allowance, share: Mapping[str, float], elapsed_s: float) -> list[str]:
        bucket = self._bucket_by_owner.get(allowance.owner)
        if bucket is None:
            bucket = _Bucket(allowance.rate, allowance.rate * _BURST_S)
            self._bucket_by_owner[allowance.owner] = bucket
        return bucket.spend(share, elapsed_s)


def weight(messages: int, size_bytes: int) -> float:
    """What messages that take so many bytes together count as."""
    return max(float(messages), size_bytes / BYTES_OF_A_MESSAGE)
