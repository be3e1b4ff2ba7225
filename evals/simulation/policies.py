"""Ways of choosing a node that the default is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from easynet.core.ids import NodeId, SubtaskId
from easynet.core.offer import Offer
from evals.simulation.chance import Chance

_NEVER = 1e9
"""A score that no other reaches: such an offer is taken where there is no other."""


@dataclass(frozen=True)
class RandomNode:
    """Any node, each equally likely."""

    chance: Chance

    def score(
        self, subtask: SubtaskId, attempt: int, offer: Offer, outstanding_s: float, advised: bool
    ) -> float:
        return self.chance.share(subtask, attempt, offer.node)


@dataclass
class RoundRobin:
    """One node after the other, in the order in which they became known."""

    _places: dict[NodeId, int] = field(default_factory=dict[NodeId, int])
    _turns: dict[tuple[SubtaskId, int], int] = field(default_factory=dict[tuple[SubtaskId, int], int])

    def score(
        self, subtask: SubtaskId, attempt: int, offer: Offer, outstanding_s: float, advised: bool
    ) -> float:
        turn = self._turns.setdefault((subtask, attempt), len(self._turns))
        place = self._places.setdefault(offer.node, len(self._places))
        return (place - turn) % len(self._places)


@dataclass(frozen=True)
class Cheapest:
    """The lowest price, and of equal ones the node that is free first."""

    def score(
        self, subtask: SubtaskId, attempt: int, offer: Offer, outstanding_s: float, advised: bool
    ) -> float:
        return offer.price * _NEVER + outstanding_s


@dataclass(frozen=True)
class FastestAdvertised:
    """The earliest end by what nodes say of themselves."""

    def score(
        self, subtask: SubtaskId, attempt: int, offer: Offer, outstanding_s: float, advised: bool
    ) -> float:
        return outstanding_s + offer.expected_s


@dataclass(frozen=True)
class StaticPlan:
    """The node that the schedule named, however long it takes; others only where that one is out."""

    def score(
        self, subtask: SubtaskId, attempt: int, offer: Offer, outstanding_s: float, advised: bool
    ) -> float:
        return 0.0 if advised else _NEVER + offer.expected_s


@dataclass(frozen=True)
class AlwaysTheFastest:
    """Knows how fast every node truly is: what no run can know, and a bound for all others."""

    seconds: Mapping[tuple[NodeId, str], float]

    def score(
        self, subtask: SubtaskId, attempt: int, offer: Offer, outstanding_s: float, advised: bool
    ) -> float:
        return outstanding_s + self.seconds[offer.node, offer.capability]
