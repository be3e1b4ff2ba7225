"""A plan's subtasks given to nodes, so that it ends early and costs no more than it may."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from types import MappingProxyType

from easynet.core.errors import NoNodeFound
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.intent import Privacy
from easynet.core.offer import Offer
from easynet.core.privacy import Labels, may_see
from easynet.core.schedule import Assignment, Schedule
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.scheduling.relaxations import Market, refusal
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
    spent: int = 0,
    deadline_s: float | None = None,
    estimate: Callable[[Offer], float] = lambda offer: offer.expected_s,
    labels: Labels = MappingProxyType({}),
) -> Schedule:
    """Give each subtask the offer that finishes it first, longest remaining chain first (HEFT).

    A node runs as many subtasks at once as it says. Results of subtasks that are not in `graph` are there
    already. With a `budget`, of which `spent` is gone, an offer is taken only if what is left then pays for
    the cheapest offers of all other subtasks; so a budget that suffices for these is kept. Where the schedule
    found ends after `deadline_s`, a few others are tried, from the fastest to the cheapest. `labels` say
    which subtasks are given private data, and so may not go to every node.

    Raises NoNodeFound; OverBudget or Infeasible, with the least limits that would do in `relaxations`.

    Topcuoglu, Hariri, Wu: Performance-effective and low-complexity task scheduling for heterogeneous
    computing. IEEE Transactions on Parallel and Distributed Systems 13(3), 2002.
    """
    choices = _choices_of(graph, offers, estimate, labels)
    cheapest = sum(choices[s.id].cheapest for s in graph.subtasks)
    market = Market(partial(_assign, _by_rank(graph, choices), choices), cheapest, _typical(choices))
    found = market.within(None if budget is None else budget - spent, deadline_s)
    if found is None:
        raise refusal(market, budget, spent, deadline_s)
    position = {s.id: n for n, s in enumerate(graph.subtasks)}
    return Schedule(assignments=tuple(sorted(found.assignments, key=lambda a: position[a.subtask])))


@dataclass(frozen=True)
class _Choice:
    offer: Offer
    duration_s: float


class _Choices:
    """The offers that a subtask may have, the fastest first."""

    def __init__(self, found: Sequence[_Choice]) -> None:
        self.all = sorted(found, key=lambda c: (c.duration_s, c.offer.price, c.offer.node))
        self.cheapest = min(c.offer.price for c in found)
        self.mean_s = sum(c.duration_s for c in found) / len(found)


_ChoicesOf = Mapping[SubtaskId, _Choices]


def _choices_of(
    graph: TaskGraph,
    offers: Mapping[CapabilityName, Sequence[Offer]],
    estimate: Callable[[Offer], float],
    labels: Labels,
) -> _ChoicesOf:
    """By subtask; those of one capability and one label share them."""
    by_kind: dict[tuple[CapabilityName, Privacy], _Choices] = {}
    found: dict[SubtaskId, _Choices] = {}
    for subtask in graph.subtasks:
        kind = name, label = subtask.capability, labels.get(subtask.id, Privacy.NORMAL)
        if kind not in by_kind:
            seen = [o for o in offers.get(name, ()) if may_see(o.trust, label)]
            by_kind[kind] = _choices(name, seen, estimate)
        found[subtask.id] = by_kind[kind]
    return found


def _choices(name: CapabilityName, offers: Sequence[Offer], estimate: Callable[[Offer], float]) -> _Choices:
    found = [_Choice(o, min(max(0.0, estimate(o)), _LONGEST_S)) for o in offers]
    if not found:
        raise NoNodeFound(
            f"no node offers {name!r}, which the plan needs",
            hint="`easynet functions` lists what is offered now.",
            zh=f"没有节点提供计划所需的 {name!r}",
            hint_zh="`easynet functions` 列出现在提供的功能。",
        )
    return _Choices(found)


def _by_rank(graph: TaskGraph, choices: _ChoicesOf) -> list[Subtask]:
    """The subtasks by upward rank: the mean time of the longest chain that begins with each."""
    order = graph.in_order
    ranks: dict[SubtaskId, float] = {}
    behind: dict[SubtaskId, float] = {}
    for subtask in reversed(order):
        rank = ranks[subtask.id] = choices[subtask.id].mean_s + behind.get(subtask.id, 0.0)
        for needed in subtask.needs:
            behind[needed] = max(behind.get(needed, 0.0), rank)
    return sorted(order, key=lambda s: -ranks[s.id])  # stable: what is needed stays before its readers


def _typical(choices: _ChoicesOf) -> float:
    """Seconds of an offer for each credit of it, in the mean."""
    found = [c for offers in dict.fromkeys(choices.values()) for c in offers.all]
    return (sum(c.duration_s for c in found) or 1.0) / max(1, sum(c.offer.price for c in found))


def _rank(end_s: float, choice: _Choice, weight: float) -> tuple[float, float]:
    price = choice.offer.price
    return (price, end_s) if weight == inf else (end_s + weight * price, end_s)


def _assign(order: list[Subtask], choices: _ChoicesOf, spare: int | None, weight: float) -> Schedule:
    """Earliest finish first, where a credit weighs as much as `weight` seconds; at `inf`, cheapest first.

    `spare` is what may be paid beyond the cheapest offers of all subtasks.
    """
    tables: dict[NodeId, Timetable] = {}
    for found in dict.fromkeys(choices.values()):
        for choice in found.all:
            slots = min(choice.offer.concurrency, len(order))
            tables.setdefault(choice.offer.node, Timetable(slots))
    ends: dict[SubtaskId, float] = {}
    assignments: list[Assignment] = []
    for subtask in order:
        ready_s = max((ends.get(n, 0.0) for n in subtask.needs), default=0.0)
        ranked = sorted(
            (*_rank(tables[c.offer.node].earliest(ready_s, c.duration_s) + c.duration_s, c, weight), n, c)
            for n, c in enumerate(choices[subtask.id].all)
        )
        floor = choices[subtask.id].cheapest
        allowance = None if spare is None else floor + spare
        affordable = [c for *_, c in ranked if allowance is None or c.offer.price <= allowance]
        chosen = affordable[0]
        starts_s = tables[chosen.offer.node].take(ready_s, chosen.duration_s)
        ends[subtask.id] = starts_s + chosen.duration_s
        if spare is not None:
            spare -= chosen.offer.price - floor
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
