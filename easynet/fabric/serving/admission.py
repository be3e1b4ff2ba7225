"""Which calls run at a node, which wait, and which are sent away."""

from collections import OrderedDict, deque
from typing import Final, Protocol

from easynet.core.errors import Overloaded

MIN_RETRY_S: Final = 0.05
MAX_RETRY_S: Final = 60.0
_LATEST_WEIGHT: Final = 0.1
_UNKNOWN_S: Final = 1.0
"""How long a call is taken to run as long as none has ended."""


class Entrant(Protocol):
    """A call that wants to run."""

    client: str
    """Who sent it."""

    def start(self) -> None:
        """Run, from now on."""
        ...

    def turn_away(self, error: Overloaded) -> None:
        """Wait no longer: another client's call has a better right to the place."""
        ...


class Admission:
    """Runs up to `limit` calls at a time and lets up to `queue` wait; clients take turns.

    Where the queue is full, a client that holds more than half of it gives a place to one that holds less.
    """

    def __init__(self, limit: int, queue: int) -> None:
        self.limit = limit
        self.running = 0
        self.waiting = 0
        self._queue = queue
        self._line_by_client: OrderedDict[str, deque[Entrant]] = OrderedDict()
        self._mean_s: float | None = None

    def enter(self, entrant: Entrant) -> None:
        """Start a call, or let it wait; raises Overloaded where there is no place."""
        if self.running < self.limit:
            self.running += 1
            entrant.start()
            return
        if self.waiting >= self._queue:
            self._make_room(entrant.client)
        self._line_by_client.setdefault(entrant.client, deque()).append(entrant)
        self.waiting += 1

    def _make_room(self, client: str) -> None:
        lines = self._line_by_client
        greedy = max(lines, key=lambda name: len(lines[name]), default=client)
        held = len(lines.get(greedy, ()))
        if greedy == client or held <= self._queue // 2 or len(lines.get(client, ())) + 1 >= held:
            raise self._overloaded()
        last = lines[greedy][-1]
        self.withdraw(last)
        last.turn_away(self._overloaded())

    def _overloaded(self) -> Overloaded:
        mean_s = _UNKNOWN_S if self._mean_s is None else self._mean_s
        wait_s = (self.waiting + 1) * mean_s / self.limit
        wait_s = min(MAX_RETRY_S, max(MIN_RETRY_S, wait_s))
        return Overloaded(
            f"the node accepts no more: {self.running:,} call{'s' * (self.running != 1)} running,"
            f" {self.waiting:,} waiting",
            retry_after_s=wait_s,
        )

    def leave(self, seconds: float) -> None:
        """A call has ended after running for so long: its place is the next one's."""
        known_s = seconds if self._mean_s is None else self._mean_s
        self._mean_s = known_s + (seconds - known_s) * _LATEST_WEIGHT
        if not self._line_by_client:
            self.running -= 1
            return
        client, line = self._line_by_client.popitem(last=False)
        entrant = line.popleft()
        self.waiting -= 1
        if line:
            self._line_by_client[client] = line
        entrant.start()

    def withdraw(self, entrant: Entrant) -> bool:
        """Take a call out of the queue; False where it does not wait."""
        line = self._line_by_client.get(entrant.client)
        if line is None or entrant not in line:
            return False
        line.remove(entrant)
        self.waiting -= 1
        if not line:
            del self._line_by_client[entrant.client]
        return True
