"""A network of mock nodes for recorded runs: many nodes where the recordings had few."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from easynet.core.capability import Capability
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Trust
from easynet.execution.recording import Recording
from evals.simulation.answers import Answers
from evals.simulation.chance import Chance
from evals.simulation.faults import Fault
from evals.simulation.faulty_node import Occasion
from evals.simulation.network import MockNetwork
from evals.simulation.node import MockNode, SteadyNode, Terms

NODES, SITES, OWN = 12, 3, 3
"""Mock nodes, where they stand, and how many of them are the user's own: one a site."""
_OFFERED = 0.6
"""The share of the other nodes that offer a function; the user's own offer all."""
_SPEEDS, _CLAIMS, _PRICES = 0.5, 0.25, 0.3
"""Deviations of logarithms: of a node's time from the recorded one, of what it claims, of its price."""
_LARGER, _LEAST_S = 100.0, 2.0
"""The recordings are of small data, and their calls take milliseconds. Here a call takes so many times as
long, as with larger data, and so many seconds besides: a node's silence, seven seconds, is no longer all."""
_CONCURRENCY = 2


@dataclass(frozen=True)
class World:
    """What is true of the nodes for one recorded run; the same for every fault and every way to run."""

    recording: Recording
    answers: Answers
    chance: Chance
    """What draws the nodes: worlds of one chance have the same nodes."""

    def network(self, fault: Fault | None, chance: Chance) -> MockNetwork:
        """A network of fresh nodes; `chance` draws which of them have the fault, and when it shows."""
        nodes: list[MockNode] = [*self._steady()]
        if fault is not None:
            nodes = fault.befall(nodes, Occasion(chance, self.critical_path_s()))
        return MockNetwork([*self.answers.capabilities.values()], nodes)

    def _steady(self) -> list[SteadyNode]:
        return [
            SteadyNode(name, site, trust, _CONCURRENCY, self.terms[name], self.answers, self.chance)
            for name, site, trust in self._places
        ]

    @cached_property
    def _places(self) -> list[tuple[NodeId, int, Trust]]:
        return [
            (NodeId(f"node-{n:02d}"), n % SITES, Trust.OWN if n < OWN else Trust.PUBLIC) for n in range(NODES)
        ]

    @cached_property
    def terms(self) -> Mapping[NodeId, Mapping[CapabilityName, Terms]]:
        """What each node offers, and how fast it truly is."""
        return {
            name: {
                c.name: self._terms(name, c)
                for c in self.answers.capabilities.values()
                if trust is Trust.OWN or self.chance.share("offers", name, c.name) < _OFFERED
            }
            for name, _, trust in self._places
        }

    def _terms(self, node: NodeId, capability: Capability) -> Terms:
        seconds = _LEAST_S + _LARGER * self.answers.seconds(capability.name)
        seconds *= self.chance.around_one(_SPEEDS, "speed", node)
        claimed = seconds * self.chance.around_one(_CLAIMS, "claim", node)
        price = round(capability.price * self.chance.around_one(_PRICES, "price", node))
        return Terms(capability, max(1, price), claimed, seconds)

    @property
    def trust(self) -> Mapping[NodeId, Trust]:
        """How far the user trusts each node."""
        return {name: trust for name, _, trust in self._places}

    def with_capabilities(self, changed: Callable[[Capability], Capability]) -> "World":
        """The same world with its functions offered as something else."""
        return replace(self, answers=self.answers.with_capabilities(changed))

    def critical_path_s(self, *, is_private: bool = False) -> float:
        """The longest chain of the recorded plan, each subtask on the node that is truly fastest at it.

        Where it `is_private`, nodes that the user does not trust are not eligible.
        """
        ends: dict[SubtaskId, float] = {}
        nodes = [n for n in self._steady() if not is_private or n.trust is not Trust.PUBLIC]
        for subtask in self.recording.graph.in_order:
            able = [n for n in nodes if subtask.capability in n.terms]
            best = min(n.seconds(subtask.capability, subtask.id) for n in able)
            ends[subtask.id] = best + max((ends[n] for n in subtask.needs), default=0.0)
        return max(ends.values(), default=0.0)

    def cheapest(self, *, is_private: bool = False) -> int:
        """Credits for the recorded plan, each subtask on the eligible node that is cheapest for it."""
        trust = self.trust
        terms = [t for n, t in self.terms.items() if not is_private or trust[n] is not Trust.PUBLIC]
        return sum(
            min(t[s.capability].price for t in terms if s.capability in t)
            for s in self.recording.graph.subtasks
        )
