"""A plan's subtasks given to nodes, so that it ends early and costs no more than it may."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from easynet.core.errors import Infeasible, NoNodeFound, OverBudget
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Offer
from easynet.core.schedule import Assignment, Schedule
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.scheduling.timetable import Timetable

_ALTERNATES = 8
"""More than the runner will ever try."""
_LONGEST_S = 1e9
"""What a node's claim counts for at most, so that no claim makes time endless."""


def schedule(
    graph: TaskGraph,
    offers: Mapping[CapabilityName, Sequence[Offer]],
    *,
    budget: int | None = None,
    deadline_s: float | None = None,
    estimate: Callable[[Offer], float] = lambda offer: offer.expected_s,
) -> Schedule:
    """Give each subtask the offer that finishes it first, longest remaining chain first (HEFT).

    A node runs as many subtasks at once as it says. Results of subtasks that are not in `graph` are there
    already. With a `budget`, an offer is taken only if what is left then pays for the cheapest offers of all
    other subtasks; so a budget that suffices for these is kept.

    Raises NoNodeFound, OverBudget, or Infeasible where the schedule found ends after `deadline_s`.

    Topcuoglu, Hariri, Wu: Performance-effective and low-complexity task scheduling for heterogeneous
    computing. IEEE Transactions on Parallel and Distributed Systems 13(3), 2002.
    """
    choices = {name: _choices(name, offers, estimate) for name in graph.capabilities}
    cheapest = sum(min(c.offer.price for c in choices[s.capability]) for s in graph.subtasks)
    if budget is not None and cheapest > budget:
        raise OverBudget(
            f"the plan costs at least {cheapest} credits, and the budget is {budget} credits",
            hint=f"A budget of {cheapest} credits would do.",
        )
    order = _by_rank(graph, choices)
    found = _assign(order, choices, None if budget is None else budget - cheapest)
    if deadline_s is not None and found.duration_s > deadline_s:
        hint = f"A deadline of {ceil(found.duration_s)} seconds would do"
        if budget is not None and (dear := _assign(order, choices, None)).duration_s <= deadline_s:
            hint += f", or a budget of {dear.price} credits"
        raise Infeasible(
            f"the plan takes about {found.duration_s:.1f} seconds at best, and {deadline_s:g} are allowed",
            hint=f"{hint}.",
        )
    position = {s.id: n for n, s in enumerate(graph.subtasks)}
    return Schedule(assignments=tuple(sorted(found.assignments, key=lambda a: position[a.subtask])))


@dataclass(frozen=True)
class _Choice:
    offer: Offer
    duration_s: float


def _choices(
    name: CapabilityName,
    offers: Mapping[CapabilityName, Sequence[Offer]],
    estimate: Callable[[Offer], float],
) -> list[_Choice]:
    found = [_Choice(o, min(max(0.0, estimate(o)), _LONGEST_S)) for o in offers.get(name, ())]
    if not found:
        raise NoNodeFound(
            f"no node offers {name!r}, which the plan needs",
            hint="`easynet functions` lists what is offered now.",
        )
    return sorted(found, key=lambda c: (c.duration_s, c.offer.price, c.offer.node))


def _by_rank(graph: TaskGraph, choices: Mapping[CapabilityName, list[_Choice]]) -> list[Subtask]:
    """The subtasks by upward rank: the mean time of the longest chain that begins with each."""
    mean_s = {name: sum(c.duration_s for c in found) / len(found) for name, found in choices.items()}
    order = _topological(graph)
    ranks: dict[SubtaskId, float] = {}
    behind: dict[SubtaskId, float] = {}
    for subtask in reversed(order):
        rank = ranks[subtask.id] = mean_s[subtask.capability] + behind.get(subtask.id, 0.0)
        for needed in subtask.needs:
            behind[needed] = max(behind.get(needed, 0.0), rank)
    return sorted(order, key=lambda s: -ranks[s.id])  # stable: what is needed stays before its readers


def _topological(graph: TaskGraph) -> list[Subtask]:
    by_id = graph.by_id
    missing = {s.id: len(s.needs & by_id.keys()) for s in graph.subtasks}
    readers: dict[SubtaskId, list[Subtask]] = {s.id: [] for s in graph.subtasks}
    for subtask in graph.subtasks:
        for needed in subtask.needs & by_id.keys():
            readers[needed].append(subtask)
    order = [s for s in graph.subtasks if missing[s.id] == 0]
    for subtask in order:
        for reader in readers[subtask.id]:
            missing[reader.id] -= 1
            if missing[reader.id] == 0:
                order.append(reader)
    return order


def _assign(
    order: list[Subtask], choices: Mapping[CapabilityName, list[_Choice]], spare: int | None
) -> Schedule:
    """Earliest finish first; `spare` is what may be paid beyond the cheapest offers of all subtasks."""
    tables: dict[NodeId, Timetable] = {}
    for found in choices.values():
        for choice in found:
            slots = min(choice.offer.concurrency, len(order))
            tables.setdefault(choice.offer.node, Timetable(slots))
    floors = {name: min(c.offer.price for c in found) for name, found in choices.items()}
    ends: dict[SubtaskId, float] = {}
    assignments: list[Assignment] = []
    for subtask in order:
        ready_s = max((ends.get(n, 0.0) for n in subtask.needs), default=0.0)
        ranked = sorted(
            (tables[c.offer.node].earliest(ready_s, c.duration_s) + c.duration_s, n, c)
            for n, c in enumerate(choices[subtask.capability])
        )
        allowance = None if spare is None else floors[subtask.capability] + spare
        affordable = [c for _, _, c in ranked if allowance is None or c.offer.price <= allowance]
        chosen = affordable[0]
        starts_s = tables[chosen.offer.node].take(ready_s, chosen.duration_s)
        ends[subtask.id] = starts_s + chosen.duration_s
        if spare is not None:
            spare -= chosen.offer.price - floors[subtask.capability]
        assignments.append(
            Assignment(
                subtask=subtask.id,
                node=chosen.offer.node,
                price=chosen.offer.price,
                starts_s=starts_s,
                ends_s=ends[subtask.id],
                alternates=tuple(c.offer.node for c in affordable[1 : 1 + _ALTERNATES]),
            )
        )
    return Schedule(assignments=tuple(assignments))
