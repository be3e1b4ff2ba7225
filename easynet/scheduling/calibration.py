"""How much longer calls take than nodes claim, learned from those that were seen to the end."""

from math import exp, log, sqrt

from easynet.core.capability import Capability
from easynet.core.ids import CapabilityName, NodeId
from easynet.scheduling.recent import Recent

_SHORTEST_S, _LONGEST_S = 1e-4, 1e9
"""What is shorter or longer counts as this long."""
_OUTLIER = 3.0
"""A surprise counts for at most so many standard deviations: one straggler does not ruin a node's name."""
_UNSETTLED = 0.3
"""How far a call that was a surprise makes its node uncertain again: a second such call then tells."""
_LEAST_NOISE = 0.03
"""The variance of calls that hardly differ: nodes do, from one minute to the next."""

_UNSAID_S: float = Capability.model_fields["expected_s"].default
"""What is offered without a word about how long it takes is offered with this claim."""
_CLAIMED, _UNCLAIMED = 0.1, 9.0
"""The variance of what claims are off by for a whole function, where they are made and where they are not."""


class _Effect:
    """A part of the logarithm of observed over claimed seconds: what it is thought to be, and how surely."""

    __slots__ = ("floor", "mean", "most", "variance")

    def __init__(self, variance: float, floor: float) -> None:
        """`floor`: the variance never falls below it, so that what was learned long ago is forgotten."""
        self.mean = 0.0
        self.variance = self.most = variance
        self.floor = floor

    def learn(self, surprise: float, variance: float) -> None:
        """Take the share of a surprise that is its own, by its part of the surprise's variance."""
        gain = self.variance / variance
        self.mean += gain * surprise
        self.variance = max(self.floor, self.variance * (1.0 - gain))

    def unsettle(self, variance: float) -> None:
        self.variance = min(self.most, self.variance + variance)


class _Function(_Effect):
    """A function's effect, with how much its calls differ."""

    __slots__ = ("calls", "noise")

    def __init__(self) -> None:
        super().__init__(_CLAIMED, 0.0003)
        self.noise = 0.1
        """The variance between calls of it that are alike; how much it depends on the arguments, mostly."""
        self.calls = 0
        """Seen so far."""

    @property
    def is_known(self) -> bool:
        return self.calls >= 3 and self.variance < 0.25

    def widen(self) -> None:
        """Nobody says how long it takes: it may be off by any factor, and that is not its nodes' doing."""
        self.variance = self.most = _UNCLAIMED

    def learn_noise(self, squared: float) -> None:
        self.calls += 1
        # What is thought before the first call is worth five.
        weight = max(0.02, 1.0 / (self.calls + 5))
        self.noise += weight * (max(_LEAST_NOISE, squared) - self.noise)


def _node() -> _Effect:
    """With a few calls a minute at a function of usual noise, about the latest five calls count."""
    return _Effect(0.4, 0.02)


def _offer() -> _Effect:
    """Narrow: a node that is slow at one function is mostly slow at all."""
    return _Effect(0.05, 0.001)


_NEW_FUNCTION, _NEW_NODE, _NEW_OFFER = _Function(), _node(), _offer()


class Calibration:
    """The factor between claimed and observed seconds: one of all calls, times that of the function, times
    that of the node, times that of this function at this node.

    A call that is slower or faster than expected corrects the four, each as far as it is uncertain. So a new
    node is expected to claim as truly as the average node; its first calls count most; and later the latest
    few do. It is a Kalman filter over the logarithms with a diagonal covariance, which for one factor is the
    running mean n / (n + 1) at first and a moving average later (Kalman: A new approach to linear filtering
    and prediction problems. Journal of Basic Engineering 82(1), 1960), with bounded surprises.
    """

    def __init__(self) -> None:
        self._all = _Effect(0.25, 0.0002)
        self._functions: Recent[CapabilityName, _Function] = Recent(5_000, _Function)
        self._nodes: Recent[NodeId, _Effect] = Recent(20_000, _node)
        self._offers: Recent[tuple[NodeId, CapabilityName], _Effect] = Recent(50_000, _offer)

    def factor(self, node: NodeId, capability: CapabilityName) -> float:
        """What to multiply the claimed seconds with."""
        return self.common(capability) * self.own(node, capability)

    def common(self, capability: CapabilityName) -> float:
        """The part of the factor that all nodes have in common; it changes with every call."""
        return exp(self._all.mean + self._functions.get(capability, _NEW_FUNCTION).mean)

    def own(self, node: NodeId, capability: CapabilityName) -> float:
        """The part that is the node's own; it changes with calls of this node alone."""
        offer = self._offers.get((node, capability), _NEW_OFFER)
        return exp(self._nodes.get(node, _NEW_NODE).mean + offer.mean)

    def is_known(self, capability: CapabilityName) -> bool:
        """Whether the function was seen often enough to tell how its claims are meant."""
        return self._functions.get(capability, _NEW_FUNCTION).is_known

    def learn(self, node: NodeId, capability: CapabilityName, claimed_s: float, took_s: float) -> None:
        """A call took so long."""
        function, at_node = self._functions.renew(capability), self._nodes.renew(node)
        if not function.calls and claimed_s == _UNSAID_S:
            function.widen()
        effects = self._all, function, at_node, self._offers.renew((node, capability))
        uncertainty = sum([e.variance for e in effects])
        variance = uncertainty + function.noise
        surprise = log(measurable(took_s) / measurable(claimed_s)) - sum([e.mean for e in effects])
        most = _OUTLIER * sqrt(variance)
        surprise = min(max(surprise, -most), most)
        was_known = function.is_known
        for effect in effects:
            effect.learn(surprise, variance)
        if was_known and surprise**2 > variance:
            at_node.unsettle(_UNSETTLED * (surprise**2 - variance))
        function.learn_noise(surprise**2 - uncertainty)


def measurable(seconds: float) -> float:
    """Seconds that have a logarithm, and a ratio that means something."""
    return max(_SHORTEST_S, min(seconds, _LONGEST_S))
