"""A plan's subtasks given to nodes, so that it ends early and costs no more than it may."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from easynet.core.errors import Infeasible, NoNodeFound, OverBudget
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.offer import Offer
from easynet.core.quantities import format_credits
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
        raise _too_dear(cheapest, budget)
    order = _by_rank(graph, choices)
    found = _assign(order, choices, None if budget is None else budget - cheapest)
    if deadline_s is not None and found.duration_s > deadline_s:
        dear = None if budget is None else _assign(order, choices, None)
        enough = dear.price if dear is not None and dear.duration_s <= deadline_s else None
        raise _too_slow(found.duration_s, deadline_s, enough)
    position = {s.id: n for n, s in enumerate(graph.subtasks)}
    return Schedule(assignments=tuple(sorted(found.assignments, key=lambda a: position[a.subtask])))


def _too_dear(cheapest: int, budget: int) -> OverBudget:
    return OverBudget(
        f"the plan costs at least {format_credits(cheapest)}; the budget is {format_credits(budget)}",
        hint=f"A budget of {format_credits(cheapest)} would do.",
        zh=f"计划至少需要 {format_credits(cheapest, 'zh')}，而预算是 {format_credits(budget, 'zh')}",
        hint_zh=f"预算达到 {format_credits(cheapest, 'zh')}即可。",
    )


def _too_slow(needed_s: float, allowed_s: float, enough: int | None) -> Infeasible:
    """`enough` is the budget with which faster offers would keep the deadline, where there is one."""
    needed, allowed = _told_apart(needed_s, allowed_s)
    would_do = f"{ceil(needed_s)}"
    or_en = "" if enough is None else f", or a budget of {format_credits(enough)}"
    or_zh = "" if enough is None else f"，或把预算提高到 {format_credits(enough, 'zh')}"
    verb = "is" if allowed == "1" else "are"
    return Infeasible(
        f"the plan takes about {_seconds(needed)} at best; {_seconds(allowed)} {verb} allowed",
        hint=f"A deadline of {_seconds(would_do)} would do{or_en}.",
        zh=f"计划最快约需 {needed} 秒，而期限是 {allowed} 秒",
        hint_zh=f"期限放宽到 {would_do} 秒即可{or_zh}。",
    )


def _seconds(number: str) -> str:
    return f"{number} second{'s' * (number != '1')}"


def _told_apart(*seconds: float) -> tuple[str, ...]:
    """The times with one decimal, or with as many as it takes to see that they differ."""
    for places in (1, 2, 3):
        shown = tuple(f"{s:.{places}f}".rstrip("0").rstrip(".") for s in seconds)
        if len({*shown, "0"}) > len(seconds):
            return shown
    return tuple(f"{s:g}" for s in seconds)


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
            zh=f"没有节点提供计划所需的 {name!r}",
            hint_zh="`easynet functions` 列出现在提供的功能。",
        )
    return sorted(found, key=lambda c: (c.duration_s, c.offer.price, c.offer.node))


def _by_rank(graph: TaskGraph, choices: Mapping[CapabilityName, list[_Choice]]) -> list[Subtask]:
    """The subtasks by upward rank: the mean time of the longest chain that begins with each."""
    mean_s = {name: sum(c.duration_s for c in found) / len(found) for name, found in choices.items()}
    order = graph.in_order
    ranks: dict[SubtaskId, float] = {}
    behind: dict[SubtaskId, float] = {}
    for subtask in reversed(order):
        rank = ranks[subtask.id] = mean_s[subtask.capability] + behind.get(subtask.id, 0.0)
        for needed in subtask.needs:
            behind[needed] = max(behind.get(needed, 0.0), rank)
    return sorted(order, key=lambda s: -ranks[s.id])  # stable: what is needed stays before its readers


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
