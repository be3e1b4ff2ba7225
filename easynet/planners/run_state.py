"""A run as far as a plan for the rest of it has to know: what is done, what failed, and what is left."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from easynet.core.capability import Capability, Value
from easynet.core.events import Problem
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Offer
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.planners.plan_shape import shape_of
from easynet.planners.planner import PlanRequest

_CHANCES = 2
"""A capability that failed for good is planned once more, at other nodes; then no plan uses it again."""


class Failure(Value):
    """A subtask that failed for good, after all that its runner tried."""

    subtask: Subtask
    nodes: tuple[NodeId, ...] = ()
    """Where it failed."""
    problem: Problem
    may_have_run: bool = False
    """It must not run twice and may have had its effect: nothing takes its place."""
    shape: str = ""
    """Of the plan that it was a part of."""

    @property
    def offers(self) -> tuple[tuple[NodeId, CapabilityName], ...]:
        """The offers that failed."""
        return tuple((node, self.subtask.capability) for node in self.nodes)


@dataclass(frozen=True)
class RunState:
    """A run that has failed, and may go on by another plan."""

    request: PlanRequest
    """What was asked, and what the network offers now, with what failed."""
    graph: TaskGraph
    """The plan that failed."""
    failures: tuple[Failure, ...]
    """All failures of the run since it was started or resumed; the last one ended this plan."""
    planned: Mapping[CapabilityName, Capability]
    """What the plan and the finished subtasks call, as it was offered then; it may have gone since."""
    finished: Mapping[SubtaskId, Subtask] = field(default_factory=dict[SubtaskId, Subtask])
    """The subtasks whose results are there, also of earlier plans of the run."""
    offers: Mapping[CapabilityName, Sequence[Offer]] = field(
        default_factory=dict[CapabilityName, Sequence[Offer]]
    )
    """Those that the run may use. Where a capability is not in it, the catalogue's price and time count."""
    budget: int | None = None
    """Credits that are left; no limit where it is `None`."""
    time_s: float | None = None
    """Seconds that are left; no limit where it is `None`."""

    @cached_property
    def catalogue(self) -> dict[CapabilityName, Capability]:
        """What the plan calls, and all that the network offers now."""
        return {**self.planned, **self.request.by_name}

    @cached_property
    def whole(self) -> TaskGraph:
        """The plan, with the finished subtasks that it had no need of any longer."""
        others = [s for i, s in self.finished.items() if i not in self.graph.by_id]
        return TaskGraph(subtasks=(*others, *self.graph.subtasks), outputs=self.graph.outputs)

    @cached_property
    def failed_offers(self) -> frozenset[tuple[NodeId, CapabilityName]]:
        return frozenset(offer for f in self.failures for offer in f.offers)

    @cached_property
    def unusable(self) -> frozenset[CapabilityName]:
        """The capabilities that no new subtask may call."""
        return frozenset(c.name for c in self.request.catalogue if not self.is_usable(c.name))

    @cached_property
    def lost(self) -> tuple[Subtask, ...]:
        """The subtasks that need something in their place: what failed, and what only failed offers could do.

        In the order of the plan.
        """
        failed = self.failures[-1].subtask.id
        return tuple(
            s
            for s in self.graph.subtasks
            if s.id == failed or (s.id not in self.finished and not self.is_usable(s.capability))
        )

    @cached_property
    def wanted(self) -> frozenset[SubtaskId]:
        """What the plan was made for: its outputs, and the subtasks that nothing reads."""
        read = {needed for s in self.graph.subtasks for needed in s.needs}
        return frozenset(self.graph.outputs) | {s.id for s in self.graph.subtasks if s.id not in read}

    def is_usable(self, capability: CapabilityName) -> bool:
        """Whether it is offered by somebody who has not failed it, and has a chance left."""
        times = self._times_failed[capability]
        if capability not in self._offered or times >= _CHANCES:
            return False
        return bool(self.usable_offers(capability)) if capability in self.offers else times == 0

    def usable_offers(self, capability: CapabilityName) -> Sequence[Offer]:
        """The known offers that have not failed."""
        return [o for o in self.offers.get(capability, ()) if (o.node, capability) not in self.failed_offers]

    def price(self, capability: CapabilityName) -> int:
        """Credits of one call, at the cheapest."""
        stated = self.catalogue[capability].price
        return min((o.price for o in self.usable_offers(capability)), default=stated)

    def seconds(self, capability: CapabilityName) -> float:
        """Seconds of one call, at the fastest."""
        stated = self.catalogue[capability].expected_s
        return min((o.expected_s for o in self.usable_offers(capability)), default=stated)

    def may_be_tried(self, graph: TaskGraph) -> bool:
        """Whether all of it that is left can be done by those who have not failed it.

        A shape that failed is tried once more, where it goes to other nodes; a shape that failed twice never.
        """
        if sum(f.shape == shape_of(graph) for f in self.failures) >= _CHANCES:
            return False
        return all(self.is_usable(s.capability) for s in graph.subtasks if s.id not in self.finished)

    @cached_property
    def _offered(self) -> frozenset[CapabilityName]:
        return frozenset(c.name for c in self.request.catalogue)

    @cached_property
    def _times_failed(self) -> Counter[CapabilityName]:
        return Counter(f.subtask.capability for f in self.failures)
