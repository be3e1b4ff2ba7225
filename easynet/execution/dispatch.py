"""Who runs a ready subtask: chosen when it is ready, by free slots, money and the schedule's advice."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from easynet.core.errors import EasyNetError, NoNodeFound, OverBudget
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Offer
from easynet.core.quantities import format_credits
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.machine import MAX_ATTEMPTS_A_NODE, Start


@dataclass(frozen=True)
class Placement:
    """A start with the offer that takes it; its price is reserved and its slot taken."""

    start: Start
    offer: Offer


@dataclass(frozen=True)
class Refusal:
    """A start that no offer can take: NoNodeFound or OverBudget."""

    start: Start
    error: EasyNetError


_Kind = tuple[CapabilityName, tuple[NodeId, ...]]
"""Starts that the same offers suit: the capability, and the nodes that failed it."""


class Dispatch:
    """The starts that wait for a free slot, and the slots.

    A node gets at most as many subtasks at a time as it says it can run; the rest wait here rather than
    there, so that whichever node is free first takes them. A node that just failed to answer is passed over
    while there is another. No offer is taken that would leave too little for the cheapest rest of the plan.
    """

    def __init__(
        self,
        graph: TaskGraph,
        offers: Mapping[CapabilityName, Sequence[Offer]],
        schedule: Schedule,
        budget: Budget,
        unbound: Sequence[SubtaskId],
    ) -> None:
        """`unbound` are the subtasks that still have to be paid for."""
        self._budget = budget
        self._offers: dict[CapabilityName, tuple[Offer, ...]] = {}
        self._unbound: Counter[CapabilityName] = Counter()
        self.grow(graph, offers, schedule, unbound)
        self._waiting: dict[_Kind, list[tuple[tuple[float, int], Start]]] = {}
        self._outstanding: Counter[NodeId] = Counter()
        self._silent: set[NodeId] = set()

    def grow(
        self,
        graph: TaskGraph,
        offers: Mapping[CapabilityName, Sequence[Offer]],
        schedule: Schedule,
        unbound: Sequence[SubtaskId],
    ) -> None:
        """The graph as it is now, with new offers and advice; `unbound` are among its new subtasks."""
        self._capabilities = {s.id: s.capability for s in graph.subtasks}
        self._offers |= {name: tuple(found) for name, found in offers.items()}
        self._advised = {a.subtask: a.node for a in schedule.assignments}
        starts_s = {a.subtask: a.starts_s for a in schedule.assignments}
        self._priorities = {s.id: (starts_s.get(s.id, 0.0), n) for n, s in enumerate(graph.subtasks)}
        self._unbound.update(self._capabilities[s] for s in unbound)
        self._cheapest = {name: self._floor(name) for name in graph.capabilities}
        self._rest = sum(n * self._cheapest[name] for name, n in self._unbound.items())

    def offers(self, capability: CapabilityName) -> tuple[Offer, ...]:
        """The offers known now."""
        return self._offers.get(capability, ())

    def offered(self, capability: CapabilityName, offers: Sequence[Offer]) -> None:
        """The registry was asked again: these are the offers now."""
        self._offers[capability] = tuple(offers)
        cheapest = self._floor(capability)
        self._rest += self._unbound[capability] * (cheapest - self._cheapest[capability])
        self._cheapest[capability] = cheapest

    def add(self, start: Start) -> None:
        """A start waits for a slot from now on."""
        kind = self._capabilities[start.subtask], tuple(sorted(start.failed_on))
        heappush(self._waiting.setdefault(kind, []), (self._priorities[start.subtask], start))

    def ended(self, placement: Placement, *, succeeded: bool, answered: bool) -> None:
        """An attempt is over: its slot is free and, unless it succeeded, its money back.

        `answered` is False where the node kept silent or refused.
        """
        offer = placement.offer
        self._outstanding[offer.node] -= 1
        if answered:
            self._silent.discard(offer.node)
        else:
            self._silent.add(offer.node)
        self._budget.settle(offer.price, offer.price if succeeded else 0)
        if not succeeded:
            self._count(offer.capability, 1)

    def place(self) -> Iterator[Placement | Refusal]:
        """Give every waiting start that can have one a slot, the most urgent first."""
        heads = [(queue[0][0], kind) for kind, queue in self._waiting.items()]
        heapify(heads)
        while heads:
            kind = heappop(heads)[1]
            queue = self._waiting[kind]
            decision = self._decide(kind[0], queue[0][1])
            if decision is None:
                continue  # neither slots nor money grow in this loop, so the rest of the queue waits too
            heappop(queue)
            if queue:
                heappush(heads, (queue[0][0], kind))
            else:
                del self._waiting[kind]
            yield decision

    def _decide(self, capability: CapabilityName, start: Start) -> Placement | Refusal | None:
        usable = [o for o in self.offers(capability) if start.failed_on.count(o.node) < MAX_ATTEMPTS_A_NODE]
        if not usable:
            return Refusal(start, self._nobody(capability, start))
        affordable = self._affordable(capability, usable)
        if not affordable:
            return Refusal(start, self._too_dear(capability, start))
        best = min(self._doubt(start, o) for o in affordable)
        free = [
            o
            for o in affordable
            if self._outstanding[o.node] < max(1, o.concurrency) and self._doubt(start, o) == best
        ]
        if not free:
            return None
        offer = min(free, key=lambda o: self._rank(start.subtask, o))
        self._budget.reserve(offer.price)
        self._outstanding[offer.node] += 1
        self._count(capability, -1)
        return Placement(start, offer)

    def _doubt(self, start: Start, offer: Offer) -> tuple[int, bool]:
        return start.failed_on.count(offer.node), offer.node in self._silent

    def _rank(self, subtask: SubtaskId, offer: Offer) -> tuple[bool, float, float, int, str]:
        load = self._outstanding[offer.node] / max(1, offer.concurrency)
        is_advised = self._advised.get(subtask) == offer.node
        return not is_advised, load, offer.expected_s, offer.price, offer.node

    def _affordable(self, capability: CapabilityName, offers: list[Offer]) -> list[Offer]:
        if self._budget.left is None:
            return offers
        allowance = self._budget.left - self._rest + self._cheapest[capability]
        return [o for o in offers if o.price <= allowance]

    def _floor(self, capability: CapabilityName) -> int:
        return min((o.price for o in self.offers(capability)), default=0)

    def _count(self, capability: CapabilityName, change: int) -> None:
        self._unbound[capability] += change
        self._rest += change * self._cheapest[capability]

    def _nobody(self, capability: CapabilityName, start: Start) -> EasyNetError:
        others, others_zh = (" other", "其他") if start.failed_on else ("", "")
        return NoNodeFound(
            f"no{others} node offers {capability!r} for {start.subtask!r} now",
            hint="Try again when a node that offers it has joined; `easynet nodes` lists them.",
            zh=f"现在没有{others_zh}节点为 {start.subtask!r} 提供 {capability!r}",
            hint_zh="等提供该功能的节点加入后再试；`easynet nodes` 列出现有节点。",
        )

    def _too_dear(self, capability: CapabilityName, start: Start) -> EasyNetError:
        budget = self._budget
        limit, left = budget.limit or 0, budget.left or 0
        usable = [
            o.price for o in self.offers(capability) if start.failed_on.count(o.node) < MAX_ATTEMPTS_A_NODE
        ]
        needed = self._rest - self._cheapest[capability] + min(usable)
        enough = budget.spent + budget.reserved + needed
        return OverBudget(
            f"the rest of the plan costs at least {format_credits(needed)}; the budget of"
            f" {format_credits(limit)} has {format_credits(left)} left",
            hint=f"A budget of {format_credits(enough)} would do.",
            zh=f"计划的其余部分至少需要 {format_credits(needed, 'zh')}，而预算"
            f" {format_credits(limit, 'zh')}只剩 {format_credits(left, 'zh')}",
            hint_zh=f"预算达到 {format_credits(enough, 'zh')}即可。",
        )
