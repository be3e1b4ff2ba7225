"""A market of nodes that lie, fail, stall, crash and change: what is true of each, drawn from a seed."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import exp, log
from operator import itemgetter
from statistics import NormalDist

from easynet.core.capability import Capability, Parameter, TypeRef
from easynet.core.ids import CapabilityName, NodeId
from easynet.core.offer import Offer
from evals.simulation.chance import Chance

_KINDS = 12
"""Functions of the market; each node offers all."""
_WORK_SPREAD = 0.5
_LIE = 3.0
_PRICE_SPREAD = 0.2
_DRIFT_S = 400.0
"""Seconds from one change of a node's speed to the next, on average."""
_DOWN_S = (20.0, 60.0)
"""A crashed node is away for the first and an exponential of the second."""
_TAIL = 1.3
_CREDITS_A_DOLLAR = 100


@dataclass(frozen=True)
class Conditions:
    """How harsh the market is. Spreads are deviations of logarithms, of normal distributions."""

    nodes: int = 100
    speed_spread: float = 0.65
    work_s: float = 10.0
    """Seconds that the median function takes at speed 1."""
    claim_spread: float = 0.25
    """Of advertised over true speeds."""
    liars: float = 0.1
    """The share of nodes that claim three times their speed besides."""
    flaky: float = 0.1
    """The share of nodes of whose calls 20 to 60 % fail."""
    steadiness: float = 60.0
    """Of the calls of other nodes a share fails that is drawn from Beta(1, this)."""
    stragglers: float = 0.05
    """The share of attempts that take longer by a factor of Pareto(1.3)."""
    crash_s: tuple[float, float] = (300.0, 3000.0)
    """The mean time between crashes of a node is the first and an exponential of the second."""
    drift: float = 0.35
    """The spread of a factor by which a node's speed is changed every 400 s on average."""


HARSH = Conditions()
HARSHER = replace(HARSH, liars=0.3, flaky=0.3, stragglers=0.1)
BENIGN = replace(HARSH, liars=0.0, flaky=0.0, stragglers=0.0)
_NEVER = 1e9
CALM = replace(BENIGN, claim_spread=0.0, steadiness=_NEVER, crash_s=(_NEVER, 1.0), drift=0.0)
"""Nothing goes wrong, and nodes are as they say."""


@dataclass(frozen=True)
class Attempt:
    """How one attempt at a task on a node goes, if the node does not crash."""

    work: float
    """Seconds at speed 1."""
    fails: bool
    """It ends in an error, after `work`."""


class MarketNode:
    """What is true of one node, and what it says."""

    def __init__(
        self, chance: Chance, number: int, conditions: Conditions, *, lies: bool, is_flaky: bool
    ) -> None:
        self.name = NodeId(f"node-{number:03d}")
        self._chance = chance
        self._stragglers = conditions.stragglers
        of = chance.of(self.name)
        self.speed = of.lognormvariate(0.0, conditions.speed_spread)
        self.claimed = self.speed * of.lognormvariate(0.0, conditions.claim_spread) * (_LIE if lies else 1.0)
        steady, bad = 1.0 - (1.0 - of.random()) ** (1 / conditions.steadiness), of.uniform(0.2, 0.6)
        self.failure = bad if is_flaky else steady
        self._rate: float = 0.01 * self.claimed**1.6 * of.lognormvariate(0.0, _PRICE_SPREAD)
        """Dollars a second: who claims to be fast asks for more."""
        shortest_s, more_s = conditions.crash_s
        mean_s = shortest_s + of.expovariate(1 / more_s)
        drift, outages = chance.of(self.name, "drift"), chance.of(self.name, "outages")

        def next_factor(since: float) -> tuple[float, float]:
            return since + drift.expovariate(1 / _DRIFT_S), drift.lognormvariate(0.0, conditions.drift)

        def next_outage(since: float) -> tuple[float, float]:
            down = since + outages.expovariate(1 / mean_s)
            return down + _DOWN_S[0] + outages.expovariate(1 / _DOWN_S[1]), down

        self._factors, self._outages = _Course(next_factor), _Course(next_outage)

    def price(self, work: float) -> int:
        """Credits for a call of so much work: the seconds that it claims to need, paid by the second."""
        return max(1, round(self._rate * work / self.claimed * _CREDITS_A_DOLLAR))

    def speed_at(self, now: float) -> float:
        """The speed at a time."""
        return self.speed * self._factors.at(now)[1]

    def outage(self, now: float) -> tuple[float, float]:
        """The outage that a time lies in, or else the next: from when to when."""
        up, down = self._outages.at(now)
        return down, up

    def attempt(self, job: str, task: str, count: int, work: float) -> Attempt:
        """How the so many-th attempt at a task goes here."""
        of = self._chance.of(job, task, self.name, count)
        is_slow, factor = of.random() < self._stragglers, of.paretovariate(_TAIL)
        fails, share = of.random() < self.failure, of.random()
        needed = work * (factor if is_slow else 1.0)
        return Attempt(needed * share if fails else needed, fails)


class _Course:
    """A value that changes at random times, drawn as far as it is looked at."""

    def __init__(self, draw: Callable[[float], tuple[float, float]]) -> None:
        """`draw` gives the end and the value of the stretch that begins at a time."""
        self._draw = draw
        self._stretches = [draw(0.0)]

    def at(self, now: float) -> tuple[float, float]:
        """The end and the value of the stretch that a time lies in."""
        while self._stretches[-1][0] <= now:
            self._stretches.append(self._draw(self._stretches[-1][0]))
        return self._stretches[bisect_right(self._stretches, now, key=itemgetter(0))]


class Market:
    """Nodes that all offer the same functions, one call at a time each."""

    def __init__(self, seed: int, conditions: Conditions = HARSH) -> None:
        self.chance = Chance(f"market {seed}")
        order = self.chance.of("order")
        lots = [order.sample(range(conditions.nodes), conditions.nodes) for _ in range(2)]
        liars = {*lots[0][: round(conditions.liars * conditions.nodes)]}
        flaky = {*lots[1][: round(conditions.flaky * conditions.nodes)]}
        self.nodes = {
            node.name: node
            for n in range(conditions.nodes)
            for node in [MarketNode(self.chance, n, conditions, lies=n in liars, is_flaky=n in flaky)]
        }
        self.fastest = max(node.speed for node in self.nodes.values())
        """The true speed of the fastest node."""
        self.work = {CapabilityName(f"function-{n:02d}"): _work(conditions.work_s, n) for n in range(_KINDS)}
        """Seconds that each function takes at speed 1."""
        self.capabilities = {
            name: Capability(
                name=name,
                description={"en": f"Bring together what it reads, {name}."},
                parameters=(Parameter(name="read", type=TypeRef(name="any")),),
                output=TypeRef(name="str"),
            )
            for name in self.work
        }
        self.offers = {
            name: tuple(
                Offer(
                    node=node.name,
                    capability=name,
                    price=node.price(work),
                    expected_s=work / node.claimed,
                )
                for node in self.nodes.values()
            )
            for name, work in self.work.items()
        }


def _work(median_s: float, number: int) -> float:
    """Work at even distances of its distribution, so that markets differ in their nodes alone."""
    at = NormalDist(log(median_s), _WORK_SPREAD).inv_cdf((number + 0.5) / _KINDS)
    return exp(at)
