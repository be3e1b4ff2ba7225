"""How calls ended that a node has finished, so that a caller that asks again gets the same answer."""

from collections import deque
from typing import Final, NamedTuple

KEPT_S: Final = 600.0
MAX_CALLS: Final = 20_000
MAX_BYTES: Final = 64 * 1024 * 1024

Record = tuple[str, str, str, str, float, bytes, tuple[bytes, ...], int]
"""A `FinishedCall` as it is kept, and its size. The garbage collector passes over plain tuples."""


class FinishedCall(NamedTuple):
    """A call with the message that ended it."""

    id: str
    client: str
    function: str
    key: str
    """The caller's own; "" where the id serves as such."""
    ended_at: float
    last: bytes
    """The encoded update that ended the call."""
    items: tuple[bytes, ...] = ()
    """What came before the end, as encoded updates: of a stream, the last items, which nobody has
    acknowledged; of any other call with a key, what it said of how far it is."""
    items_before: int = 0
    """Items of the stream before these."""


class FinishedCalls:
    """The latest finished calls: for ten minutes, and no more than a bounded number and size.

    Times are the caller's.
    """

    def __init__(
        self, *, max_calls: int = MAX_CALLS, max_bytes: int = MAX_BYTES, kept_s: float = KEPT_S
    ) -> None:
        self._max_calls = max_calls
        self._slack = max_calls // 64 + 1
        self._max_bytes = max_bytes
        self._kept_s = kept_s
        self._by_id: dict[str, Record] = {}
        self._by_key: dict[tuple[str, str, str], Record] = {}
        self._oldest: deque[Record] = deque()
        self._bytes = 0

    def add(self, call: FinishedCall) -> None:
        """Remember how a call ended."""
        id_, client, function, key, ended_at, last, items, before = call
        self.add_record((id_, client, function, key, ended_at, last, items, before))

    def add_record(self, record: Record) -> None:
        """The same with plain data, which takes half the time."""
        self._by_id[record[0]] = record
        if record[3]:
            self._by_key[record[1], record[2], record[3]] = record
        self._oldest.append(record)
        self._bytes += len(record[5]) + (sum(map(len, record[6])) if record[6] else 0)
        # Not at each call: one at a time they take twice as long to forget.
        if len(self._oldest) >= self._max_calls + self._slack or self._bytes > self._max_bytes:
            self.forget(record[4])

    def find(self, client: str, function: str, key: str) -> FinishedCall | None:
        """The call that a client made under a key, or under an id that is used as such."""
        record = self._by_key.get((client, function, key))
        return FinishedCall(*record) if record is not None else self.by_id(client, key)

    def by_id(self, client: str, id_: str) -> FinishedCall | None:
        """The call of that id, where it was this client's."""
        record = self._by_id.get(id_)
        return FinishedCall(*record) if record is not None and record[1] == client else None

    def forget(self, now: float) -> None:
        """Let go of what is too old or too much."""
        oldest = self._oldest
        while oldest and (
            len(oldest) > self._max_calls
            or self._bytes > self._max_bytes
            or now - oldest[0][4] > self._kept_s
        ):
            record = oldest.popleft()
            self._bytes -= len(record[5]) + (sum(map(len, record[6])) if record[6] else 0)
            id_, client, function, key = record[:4]
            if self._by_id.get(id_) is record:
                del self._by_id[id_]
            if key and self._by_key.get((client, function, key)) is record:
                del self._by_key[client, function, key]
