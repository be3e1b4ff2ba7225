"""The large values of a call, kept in memory by the side that made them until the other side has them."""

import secrets
import threading
from collections.abc import Callable
from typing import Final

from easynet.core.artifact import Artifact
from easynet.fabric.values.artifacts import ArtifactStore, artifact_of
from easynet.fabric.values.drafts import PART_BYTES
from easynet.fabric.values.parcels import Kind, Parcel
from easynet.fabric.wire.large_values import Coming, Known, Want

MAX_VALUE_BYTES: Final = 128 * 1024 * 1024
"""A larger one goes by way of the gateway, where what has arrived outlives both sides."""
MAX_HELD_BYTES: Final = 512 * 1024 * 1024
"""Of all calls of a process together; what is more goes by way of the gateway as well."""

_WORTH_TELLING_BYTES: Final = 4 * 1024 * 1024


class Memory:
    """What the held values of one process may take."""

    def __init__(self, max_bytes: int = MAX_HELD_BYTES) -> None:
        self._free = max_bytes
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        """Whether there is room; it is taken then."""
        with self._lock:
            if count > self._free:
                return False
            self._free -= count
            return True

    def give_back(self, count: int) -> None:
        """There is so much more room again."""
        with self._lock:
            self._free += count


class HeldValues:
    """The large values of one call. `put` may be called from any thread."""

    def __init__(
        self, store: ArtifactStore, memory: Memory, tell: Callable[[Coming | Known], None] | None = None
    ) -> None:
        """`tell` tells the other side of a value that it may have while its digest is still being made."""
        self._store = store
        self._memory = memory
        self._tell = tell
        self._pieces_by_digest: dict[str, tuple[bytes, ...]] = {}
        self._bytes = 0
        self._is_crowded = False

    def put(self, *pieces: bytes) -> Artifact:
        """Keep what several pieces are together: here where there is room, or else in the store."""
        size = sum(map(len, pieces))
        if self._is_crowded or size > MAX_VALUE_BYTES or not self._memory.take(size):
            self._is_crowded = True
            return self._store.put(*pieces)
        self._bytes += size
        if self._tell is None or size < _WORTH_TELLING_BYTES:
            artifact = artifact_of(pieces)
        else:
            # Making the digest takes a third of the time that the value needs to cross a fast network.
            name = secrets.token_hex(32)
            self._pieces_by_digest[name] = pieces
            self._tell(Coming(name, size, self._store.identity))
            artifact = artifact_of(pieces)
            self._tell(Known(name, artifact.digest))
        if artifact in self:
            self._bytes -= size
            self._memory.give_back(size)
        self._pieces_by_digest[artifact.digest] = pieces
        return artifact

    def settle(self) -> None:
        """Move all of them into the store where one is there already: it may refer to others."""
        if self._is_crowded:
            for pieces in [*self._pieces_by_digest.values()]:
                self._store.put(*pieces)
            self.release()

    def __contains__(self, artifact: Artifact) -> bool:
        return artifact.digest in self._pieces_by_digest

    def answers(self, want: Want) -> list[Parcel]:
        """The parts that are wanted; nothing of a value that is not one of the call's."""
        pieces = self._pieces_by_digest.get(want.digest)
        if pieces is None:
            return [Parcel(Kind.ELSEWHERE, want.digest)]
        if want.store == self._store.identity:
            self._store.put(*pieces)
            return [Parcel(Kind.IN_STORE, want.digest)]
        end = min(want.offset + want.parts * PART_BYTES, sum(map(len, pieces)))
        offsets = range(want.offset, end, PART_BYTES)
        return [Parcel(Kind.PART, want.digest, offset, _part(pieces, offset)) for offset in offsets]

    def is_quick(self, want: Want) -> bool:
        """Whether the answers take no work on files."""
        return want.digest not in self._pieces_by_digest or want.store != self._store.identity

    def release(self) -> None:
        """The other side needs them no more."""
        self._pieces_by_digest = {}
        self._memory.give_back(self._bytes)
        self._bytes = 0


def _part(pieces: tuple[bytes, ...], offset: int) -> bytes | memoryview:
    """The part that begins at an offset of what the pieces are together."""
    found: list[memoryview] = []
    missing = PART_BYTES
    for piece in pieces:
        if offset < len(piece) and missing:
            found.append(memoryview(piece)[offset : offset + missing])
            missing -= len(found[-1])
        offset = max(0, offset - len(piece))
    return found[0] if len(found) == 1 else b"".join(found)
