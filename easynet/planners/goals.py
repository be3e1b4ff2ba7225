"""What a request asks for: its parts, and the capability chosen for each."""

from collections.abc import Sequence
from dataclasses import dataclass

from easynet.core.capability import Capability, Role
from easynet.core.ids import CapabilityName
from easynet.core.task_graph import TaskGraph
from easynet.planners.chaining import Chain, Gap
from easynet.planners.clauses import clauses_of, items_of
from easynet.planners.files import readable
from easynet.planners.following import choice_among, with_followers
from easynet.planners.retrieval import SUPPORTED, Hit, Index
from easynet.planners.sources import Draft, step_of

_SUPPORTED_WITH_DATA = 0.3
_AS_GOOD = 0.95
_NEARLY = 0.85
"""A capability may replace a better one that cannot be planned, if its score is this share of the best."""
_SHOWS_INSTEAD = 0.6
"""And this share suffices to replace one that only prepares something and shows nothing."""
_ONE_DOES_ALL = 0.8
"""What explains this much of a clause does all of it."""


@dataclass(frozen=True)
class Part:
    """A clause that names work of its own, with the capabilities that may do it, best first."""

    text: str
    hits: tuple[Hit, ...]


@dataclass(frozen=True)
class Plan:
    """A draft that does all parts of a request, with the capability chosen for each."""

    draft: Draft
    goals: tuple[Capability, ...]


# ── parts ───────────────────────────────────────────────────────────────────────────────────────


def parts_of(text: str, index: Index, *, has_data: bool) -> tuple[list[Part], list[str]]:
    """The parts of a request that can be done, and the words of those that cannot."""
    # Whoever brings data means something that is done with it, even if some words are strange.
    enough = _SUPPORTED_WITH_DATA if has_data else SUPPORTED
    whole = _near([h for h in index.search(text) if h.support >= enough])
    clauses = [item for clause in clauses_of(text) for item in _items(clause, index)]
    parts: list[Part] = []
    undone: list[str] = []
    for clause in clauses if len(clauses) > 1 else ():
        able = _alone(clause, index)
        if able:
            parts.append(Part(clause, able))
        elif index.is_foreign(clause):
            undone.append(readable(clause))
    if whole and len(_firsts(parts)) < 2 and not undone:
        # What is said of one piece of work in several clauses is understood best as one.
        return [Part(text, whole)], []
    if parts:
        return parts, undone
    return ([Part(text, whole)] if whole else []), []


def _items(clause: str, index: Index) -> list[str]:
    """The items of a list, where each is work of its own; otherwise the clause as it is."""
    items = items_of(clause)
    if len(items) < 2 or any(h.coverage >= _ONE_DOES_ALL for h in index.search(clause)):
        return [clause]
    parts = [Part(item, able) for item in items if (able := _alone(item, index))]
    return items if len(_firsts(parts)) == len(items) else [clause]


def _firsts(parts: Sequence[Part]) -> set[CapabilityName]:
    return {part.hits[0].capability.name for part in parts}


def _alone(clause: str, index: Index) -> tuple[Hit, ...]:
    """What does a clause that is one of several, best first."""
    return _near([h for h in index.search(clause) if index.stands_alone(h)])


def _near(hits: Sequence[Hit]) -> tuple[Hit, ...]:
    """The hits that may be goals, best first, as far as they come near the best."""
    goals = [h for h in hits if h.capability.role is not Role.SAMPLE]
    return tuple(h for h in goals if h.score >= _SHOWS_INSTEAD * goals[0].score)


# ── goals ───────────────────────────────────────────────────────────────────────────────────────


def chosen(parts: Sequence[Part], chain: Chain) -> tuple[Capability, ...] | Gap:
    """The capability that does each part best; or what is missing for the first that cannot be done."""
    draft: Draft = {}
    goals: list[Capability] = []
    for part in parts:
        tried = [(hit, chain.add(draft, hit.capability)) for hit in part.hits]
        near = [(hit, grown) for hit, grown in tried if hit.score >= _NEARLY * part.hits[0].score]
        able = [(hit, grown) for hit, grown in near if not isinstance(grown, Gap)]
        if not able:
            gaps = [grown for _, grown in near if isinstance(grown, Gap)]
            return next((gap for gap in gaps if gap.is_answerable), gaps[0])
        best, grown = _furthest(able)
        if _onward(best.capability, chain) is not None:
            others = ((h, g) for h, g in tried if not isinstance(g, Gap) and _is_shown(h.capability, chain))
            best, grown = next(others, (best, grown))
        draft = grown
        goals.append(best.capability)
    return tuple(goals)


def planned(goals: Sequence[Capability], chain: Chain, *, is_named: bool) -> Plan | Gap:
    """A draft with all goals.

    A single goal that only prepares is taken on to the nearest result that is shown, unless it was named.
    """
    further = _onward(goals[0], chain) if len(goals) == 1 and not is_named else None
    goals = (*goals, *((further,) if further is not None else ()))
    draft: Draft = {}
    for goal in goals:
        grown = chain.add(draft, goal)
        if isinstance(grown, Gap):
            return grown
        draft = grown
    return Plan(draft, goals)


def _furthest(able: Sequence[tuple[Hit, Draft]]) -> tuple[Hit, Draft]:
    """The best hit; or one that is as good and needs it, because a plan for that does both."""
    best, draft = able[0]
    for hit, grown in able[1:]:
        is_as_good = hit.score >= _AS_GOOD * best.score and not hit.capability.role.follows
        if is_as_good and step_of(best.capability) in grown:
            best, draft = hit, grown
    return best, draft


def _is_shown(capability: Capability, chain: Chain) -> bool:
    return _shown(capability, chain) is not None


def _shown(capability: Capability, chain: Chain) -> Draft | None:
    """The whole plan for a capability alone, if something of it is chosen, checked or presented."""
    grown = chain.add({}, capability)
    if isinstance(grown, Gap):
        return None
    whole = with_followers(grown, chain)
    return whole if any(chain.by_name[s.capability].role.follows for s in whole.values()) else None


def _onward(capability: Capability, chain: Chain) -> Capability | None:
    """The nearest work that is shown and that a capability which shows nothing prepares."""
    if _is_shown(capability, chain):
        return None
    work = (c for c in chain.by_name.values() if c.role is Role.WORK and c != capability)
    shown = ((c, whole) for c in work if (whole := _shown(c, chain)) and step_of(capability) in whole)
    # One of several alternatives is a goal of its own, and no way to show another.
    plain = [(c, whole) for c, whole in shown if choice_among(whole, c, chain) is None]
    return min(plain, key=lambda a: (len(a[1]), -chain.relevance(a[0]), a[0].name), default=(None, {}))[0]


# ── planning around what failed ─────────────────────────────────────────────────────────────────


def replaced(
    goals: Sequence[Capability], graph: TaskGraph, avoid: Sequence[CapabilityName], chain: Chain
) -> tuple[Capability, ...] | Capability:
    """The goals, with the choice in the place of an alternative that failed; or the goal without which
    there is no doing what was asked.
    """
    kept: list[Capability] = []
    for goal in goals:
        choice = choice_among(graph.by_id, goal, chain)
        if goal.name not in avoid:
            kept.append(goal)
        elif choice is not None and choice.name not in avoid:
            kept.append(choice)
        else:
            return goal
    return tuple({goal.name: goal for goal in kept}.values())
