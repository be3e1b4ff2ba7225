"""The large values that a node got last, in case that the next call has the same again."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

from easynet.core.artifact import Artifact
from easynet.fabric.wire.blobs import Blob

MAX_BYTES: Final = 256 * 1024 * 1024
KEPT_S: Final = 300.0


@dataclass(slots=True)
class _Recent:
    value: bytes | Blob
    size_bytes: int
    used_at: float


class RecentValues:
    """Values by their digests: for five minutes after their last use, and no more than a bounded size.

    Times are the caller's.
    """

    def __init__(self, max_bytes: int = MAX_BYTES, kept_s: float = KEPT_S) -> None:
        self._max_bytes = max_bytes
        self._kept_s = kept_s
        self._recent_by_digest: OrderedDict[str, _Recent] = OrderedDict()
        self._bytes = 0
        self._lock_by_digest: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def turn(self, artifact: Artifact) -> asyncio.Lock:
        """Lets one task at a time get a value; the next then finds it here."""
        return self._lock_by_digest.setdefault(artifact.digest, asyncio.Lock())

    def get(self, artifact: Artifact, now: float) -> bytes | Blob | None:
        """The value, if it is here."""
        recent = self._recent_by_digest.get(artifact.digest)
        if recent is None:
            return None
        recent.used_at = now
        self._recent_by_digest.move_to_end(artifact.digest)
        return recent.value

    def put(self, artifact: Artifact, value: bytes | Blob, now: float) -> None:
        """Keep a value in the place of those that were not used for longest."""
        if artifact.digest not in self._recent_by_digest:
            self._recent_by_digest[artifact.digest] = _Recent(value, artifact.size_bytes, now)
            self._bytes += artifact.size_bytes
            self.forget(now)

    def forget(self, now: float) -> None:
        """Let go of what is too old or too much."""
        recents = self._recent_by_digest
        while recents:
            oldest = next(iter(recents.values()))
            if self._bytes <= self._max_bytes and now - oldest.used_at <= self._kept_s:
                break
            recents.popitem(last=False)
            self._bytes -= oldest.size_bytes
