"""Which of several nodes gets a call: learned from how long earlier calls took and how many are under way.

The estimate is the peak-sensitive moving average of Finagle's `PeakEwma` balancer, also used by linkerd: a
slow answer counts in full at once, and is forgotten over seconds. Of two nodes drawn by chance the one with
the smaller expected wait is taken ("The Power of Two Choices", Mitzenmacher 2001), so that many clients with
the same knowledge do not all go to the same node.
"""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from easynet.core.ids import CapabilityName, NodeId

FORGET_S: Final = 10.0
"""In so many seconds an estimate that is not renewed falls to a third: slow nodes are tried again."""
MIN_COST_S: Final = 1e-4
"""Below this, differences are noise."""
_MAX_KNOWN: Final = 10_000


@dataclass(frozen=True, slots=True)
class Load:
    """A node as a choice for one call."""

    node: NodeId
    concurrency: int
    """Calls that it runs at the same time."""
    outstanding: int
    """Calls that run or wait there, as far as this client knows."""
    reported_s: float = 0.0
    """Seconds that a call takes there by the node's own account; 0 where it has not run any."""


class _Estimate:
    """Seconds that a call takes at one node, from its sending to its answer."""

    __slots__ = ("at", "cost_s")

    def __init__(self, seconds: float, now: float) -> None:
        self.cost_s = seconds
        self.at = now

    def observe(self, seconds: float, now: float) -> None:
        if seconds > self.cost_s:
            self.cost_s = seconds
        else:
            kept = math.exp((self.at - now) / FORGET_S)
            # The more calls there are, the less time passes between them: a share for each, at least.
            kept = min(kept, 0.9)
            self.cost_s = self.cost_s * kept + seconds * (1 - kept)
        self.at = now

    def at_time(self, now: float) -> float:
        return self.cost_s * math.exp((self.at - now) / FORGET_S)


class Balancer:
    """Learns how fast nodes are, and chooses among them."""

    def __init__(self, clock: Callable[[], float], *, rng: random.Random | None = None) -> None:
        self._clock = clock
        self._random = rng or random.Random()
        self._estimates: dict[tuple[NodeId, CapabilityName], _Estimate] = {}

    def observe(self, node: NodeId, capability: CapabilityName, seconds: float) -> None:
        """A call took so long; for one that was turned away, as long as it has to wait."""
        key = node, capability
        known = self._estimates.get(key)
        if known is None:
            if len(self._estimates) >= _MAX_KNOWN:
                self._estimates.clear()
            self._estimates[key] = _Estimate(seconds, self._clock())
        else:
            known.observe(seconds, self._clock())

    def choose(self, capability: CapabilityName, loads: Sequence[Load]) -> NodeId:
        """The node that a call goes to; one of which nothing is known, and which is free, is tried."""
        if len(loads) == 1:
            return loads[0].node
        now = self._clock()
        first, second = self._random.sample(loads, 2)
        return min(first, second, key=lambda load: self._wait(capability, load, now)).node

    def _wait(self, capability: CapabilityName, load: Load, now: float) -> tuple[float, float]:
        """What a call has to expect at a node; among equals, the share of it that is in use."""
        share = load.outstanding / load.concurrency
        known = self._estimates.get((load.node, capability))
        cost_s = known.at_time(now) if known is not None else load.reported_s
        # While there is room, one more call waits for nobody.
        ahead = max(1.0, (load.outstanding + 1) / load.concurrency)
        return max(cost_s, MIN_COST_S) * ahead, share
