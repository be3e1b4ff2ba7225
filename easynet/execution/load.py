"""What nodes have been given and have not finished, over all runs of a process."""

from collections import defaultdict
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from easynet.core.ids import NodeId


@dataclass(frozen=True)
class Share:
    """One attempt, as a part of its node's load."""

    node: NodeId
    began_at: float
    expected_s: float

    def left_s(self, now: float) -> float:
        """How long it will still take; one that is late is taken to be half way through its delay."""
        return abs(self.began_at + self.expected_s - now)


class Load:
    """The attempts under way, by node. Runs that share it do not get into each other's way."""

    def __init__(self) -> None:
        self._shares: dict[NodeId, list[Share]] = {}
        self._claims: dict[object, Mapping[NodeId, float]] = {}
        self._claimed: defaultdict[NodeId, float] = defaultdict(float)
        self._listeners: list[Callable[[], None]] = []

    def running(self, node: NodeId) -> int:
        """How many attempts the node is at."""
        return len(self._shares.get(node, ()))

    def wait_s(self, node: NodeId, slots: int, now: float) -> float:
        """How long it will be until the node has a slot free for one more; 0 where it has."""
        shares = self._shares.get(node, ())
        if len(shares) < slots:
            return 0.0
        return sum(s.left_s(now) for s in shares) / slots + self._claimed.get(node, 0.0)

    def claim(self, owner: object, seconds: Mapping[NodeId, float]) -> None:
        """What `owner` lets wait for busy nodes, in seconds of theirs; in place of what it claimed before."""
        for node, claimed in self._claims.pop(owner, {}).items():
            self._claimed[node] -= claimed
        if seconds:
            self._claims[owner] = seconds
            for node, claimed in seconds.items():
                self._claimed[node] += claimed
        if not self._claims:
            self._claimed.clear()  # what differences of fractions have left

    def add(self, share: Share) -> None:
        self._shares.setdefault(share.node, []).append(share)

    def remove(self, share: Share) -> None:
        """The attempt has ended; whoever waits is told."""
        left = self._shares[share.node]
        left.remove(share)
        if not left:
            del self._shares[share.node]
        for tell in self._listeners:
            tell()

    @contextmanager
    def heard_by(self, listener: Callable[[], None]) -> Generator[None]:
        """Inside, `listener` is called whenever an attempt has ended."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)
