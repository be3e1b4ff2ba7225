"""What calls will take and how likely they succeed: what nodes claim, corrected by what was observed."""

from collections import deque
from collections.abc import Iterable
from math import ceil

from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Offer
from easynet.scheduling.calibration import Calibration, measurable
from easynet.scheduling.observations import Observation
from easynet.scheduling.recent import Recent
from easynet.scheduling.reliability import Reliability

SILENT_S = 60.0
"""How long a node that gave no sign of life counts as silent."""
_WRONG_COUNTS = 2
"""A wrong answer is as bad as so many failures: checks see only some of them."""
_ENOUGH = 8
"""Ratios that must be known before one tells from them what takes too long."""
_UNKNOWN_OVERDUE, _UNKNOWN_OVERDUE_S = 10.0, 30.0
"""What takes so many times what is claimed, and so many seconds, is too long for a call that nobody knows: a
node that is stuck would be waited for until the call's time is over."""
_SHORTEST_OVERDUE_S = 0.05
"""What ends sooner is not worth a second attempt."""

_Own = tuple[float, float, float]
"""Of a function at a node: the factor of its claimed seconds, and what its chance of success consists of."""


class Estimates:
    """What is known of nodes. It grows with every observation, and stays of bounded size."""

    def __init__(self, observations: Iterable[Observation] = ()) -> None:
        """Learn from these observations, the oldest first."""
        self._calibration = Calibration()
        self._reliability = Reliability()
        self._ratios = _Ratios()
        self._silent: Recent[NodeId, list[float]] = Recent(20_000, lambda: [0.0])
        for observation in observations:
            self._learn(observation)
        # What follows from the above, until an observation changes it.
        self._own: dict[NodeId, dict[CapabilityName, _Own]] = {}
        self._common: dict[CapabilityName, float] = {}
        self._chance = self._reliability.at_all()

    def seconds(self, offer: Offer) -> float:
        """How long a call will take, if it succeeds."""
        common = self._common.get(offer.capability)
        if common is None:
            common = self._common[offer.capability] = self._calibration.common(offer.capability)
        return measurable(offer.expected_s) * common * self._own_of(offer)[0]

    def success(self, offer: Offer) -> float:
        """How likely a call succeeds: above 0 and below 1."""
        _, successes, share_of_all = self._own_of(offer)
        return successes + share_of_all * self._chance

    def _own_of(self, offer: Offer) -> _Own:
        """Asked for at every choice of a node, so what other nodes do must not have it computed anew."""
        node, capability = offer.node, offer.capability
        known = self._own.get(node)
        if known is None:
            known = self._own[node] = {}
        own = known.get(capability)
        if own is None:
            factor, chance = self._calibration.own(node, capability), self._reliability.own(node, capability)
            own = known[capability] = factor, *chance
        return own

    def overdue_s(self, offer: Offer, share: float) -> float:
        """The seconds in which this `share` of such calls end; a call that takes longer is a straggler.

        Never less than a call is expected to take. While too little is known to tell, it is many times that.
        """
        is_known = self._calibration.is_known(offer.capability)
        ratio = self._ratios.quantile(offer.capability, is_known, share)
        if ratio is None:
            return max(_UNKNOWN_OVERDUE_S, _UNKNOWN_OVERDUE * self.seconds(offer))
        return max(_SHORTEST_OVERDUE_S, max(1.0, ratio) * self.seconds(offer))

    def is_silent(self, node: NodeId, now: float) -> bool:
        """Whether the node gave no sign of life when it was last asked, within the last minute."""
        at = self._silent.get(node)
        return at is not None and abs(now - at[0]) < SILENT_S

    def observe(self, observation: Observation) -> None:
        """Learn from what became of an attempt."""
        self._learn(observation)
        self._own.pop(observation.node, None)
        self._common.clear()
        self._chance = self._reliability.at_all()

    def _learn(self, observation: Observation) -> None:
        node, capability, outcome = observation.node, observation.capability, observation.outcome
        if outcome == "silent":
            at = self._silent.renew(node)
            at[0] = max(at[0], observation.at)
        elif outcome != "superseded" and node in self._silent and observation.at >= self._silent[node][0]:
            del self._silent[node]
        if outcome == "succeeded" or (outcome == "superseded" and self._was_slow(observation)):
            self._learn_speed(observation)
        if outcome not in ("refused", "superseded"):
            for _ in range(_WRONG_COUNTS if outcome == "wrong" else 1):
                self._reliability.learn(node, capability, outcome == "succeeded")

    def _was_slow(self, observation: Observation) -> bool:
        """Whether an attempt that was given up had taken longer than it should have."""
        return observation.took_s > self._expected_s(observation)

    def _expected_s(self, observation: Observation) -> float:
        factor = self._calibration.factor(observation.node, observation.capability)
        return measurable(observation.claimed_s) * factor

    def _learn_speed(self, observation: Observation) -> None:
        node, capability = observation.node, observation.capability
        is_known = self._calibration.is_known(capability)
        ratio = measurable(observation.took_s) / self._expected_s(observation)
        self._ratios.add(capability, is_known, ratio)
        self._calibration.learn(node, capability, observation.claimed_s, observation.took_s)


class _Window:
    """The latest ratios of one kind, in order."""

    def __init__(self, size: int) -> None:
        self._latest: deque[float] = deque(maxlen=size)
        self._sorted: list[float] | None = None

    def __len__(self) -> int:
        return len(self._latest)

    def add(self, ratio: float) -> None:
        self._latest.append(ratio)
        self._sorted = None

    def quantile(self, share: float) -> float:
        """The smallest ratio that at least this share of them do not exceed."""
        if self._sorted is None:
            self._sorted = sorted(self._latest)
        return self._sorted[min(len(self._sorted), max(1, ceil(share * len(self._sorted)))) - 1]


class _Ratios:
    """Observed over expected seconds, of the latest calls."""

    def __init__(self) -> None:
        self._functions: Recent[CapabilityName, _Window] = Recent(1_000, lambda: _Window(100))
        self._known, self._new, self._all = _Window(500), _Window(100), _Window(100)
        """Of functions that had been seen often enough, of others, and of both."""

    def add(self, capability: CapabilityName, is_known: bool, ratio: float) -> None:
        self._all.add(ratio)
        if is_known:
            self._functions.renew(capability).add(ratio)
            self._known.add(ratio)
        else:
            self._new.add(ratio)

    def quantile(self, capability: CapabilityName, is_known: bool, share: float) -> float | None:
        """From the function's own ratios where there are enough, or else from those of others like it.

        How far a new function's claim is off says nothing about the stragglers of one that is known.
        """
        own = self._functions.get(capability)
        windows = (own, self._known, self._all) if is_known else (self._new,)
        enough = (w for w in windows if w is not None and len(w) >= _ENOUGH)
        window = next(enough, None)
        return None if window is None else window.quantile(share)
