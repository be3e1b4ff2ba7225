"""The ways of choosing nodes that are compared on the market."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Offer
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph
from easynet.execution.steering import Steering
from easynet.scheduling.estimates import Estimates
from easynet.scheduling.hedging import Hedging
from easynet.scheduling.heft import schedule
from easynet.scheduling.policy import LearnedPolicy, Policy
from evals.market_trial import Way
from evals.simulation.chance import Chance
from evals.simulation.market import Market
from evals.simulation.policies import FastestAdvertised, RoundRobin, StaticPlan

_BUSY = 1e9
"""A score above that of any free node."""


class Claims(Estimates):
    """Believes what nodes say; only of those that are silent it learns."""

    def seconds(self, offer: Offer) -> float:
        return offer.expected_s

    def success(self, offer: Offer) -> float:
        return 1.0


@dataclass
class RandomNode:
    """Any node, each equally likely; others in a random order where that one is out."""

    chance: Chance
    _orders: dict[tuple[SubtaskId, int], Mapping[NodeId, int]] = field(
        default_factory=dict[tuple[SubtaskId, int], Mapping[NodeId, int]]
    )
    nodes: Sequence[NodeId] = ()

    def score(
        self, subtask: SubtaskId, attempt: int, offer: Offer, outstanding_s: float, advised: bool
    ) -> float:
        order = self._orders.get((subtask, attempt))
        if order is None:
            drawn = self.chance.of(subtask, attempt).sample(self.nodes, len(self.nodes))
            order = self._orders[subtask, attempt] = {node: place for place, node in enumerate(drawn)}
        return order[offer.node]


class CheapestFree:
    """The cheapest of the nodes that are free."""

    def score(
        self, subtask: SubtaskId, attempt: int, offer: Offer, outstanding_s: float, advised: bool
    ) -> float:
        return offer.price + _BUSY * outstanding_s


class FastestFree:
    """Of the nodes that are free, the one that says it is fastest."""

    def score(
        self, subtask: SubtaskId, attempt: int, offer: Offer, outstanding_s: float, advised: bool
    ) -> float:
        return offer.expected_s + _BUSY * outstanding_s


def _claims(policy: Policy, hedging: Hedging | None = None) -> Steering:
    return Steering(Claims(), policy, hedging)


def learned(hedging: Hedging | None, price_s: float | None = None) -> Steering:
    """The product's way, with other hedges or another worth of a credit."""
    estimates = Estimates()
    policy = LearnedPolicy(estimates) if price_s is None else LearnedPolicy(estimates, price_s)
    return Steering(estimates, policy, hedging)


Offers = Mapping[CapabilityName, Sequence[Offer]]


def _planned(graph: TaskGraph, offers: Offers, steering: Steering, now: float) -> Schedule:
    """The earliest end by what nodes say, on a network where nobody else is."""
    return schedule(graph, offers)


def _planned_around(graph: TaskGraph, offers: Offers, steering: Steering, now: float) -> Schedule:
    """The earliest end by what nodes say, each as late as it will be free of what it was given before."""
    return schedule(graph, offers, estimate=lambda o: o.expected_s + steering.load.wait_s(o.node, 1, now))


def _planned_by_estimates(graph: TaskGraph, offers: Offers, steering: Steering, now: float) -> Schedule:
    """The product's schedule: advice about what is urgent, by what was learned."""
    return schedule(graph, offers, estimate=steering.estimates.seconds)


def _random(market: Market) -> Steering:
    return _claims(RandomNode(market.chance, nodes=sorted(market.nodes)))


STATIC, STATIC_AROUND = STATICS = ("static plan", "static plan around queues")
OTHERS = "late, advertised speeds"
NO_HEDGES = "learned, no hedges"
LEARNED = "learned, hedged (default)"

WAYS: Mapping[str, Way] = {
    "random node": Way(_random, queues_at_nodes=True),
    "round robin": Way(lambda _: _claims(RoundRobin()), queues_at_nodes=True),
    "cheapest free": Way(lambda _: _claims(CheapestFree())),
    "fastest advertised free": Way(lambda _: _claims(FastestFree())),
    STATIC: Way(lambda _: _claims(StaticPlan()), _planned, queues_at_nodes=True),
    STATIC_AROUND: Way(lambda _: _claims(StaticPlan()), _planned_around, queues_at_nodes=True),
    OTHERS: Way(lambda _: _claims(FastestAdvertised())),
    NO_HEDGES: Way(lambda _: learned(None), _planned_by_estimates),
    LEARNED: Way(lambda _: learned(Hedging()), _planned_by_estimates),
    "a dollar is worth 0 s": Way(lambda _: learned(Hedging(), 0.0)),
    "a dollar is worth 20 s": Way(lambda _: learned(Hedging(), 0.2)),
}
