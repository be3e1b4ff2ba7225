"""What a request asks for: its parts, and the capability chosen for each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from easynet.core.capability import Capability, Role
from easynet.core.ids import CapabilityName
from easynet.core.task_graph import TaskGraph
from easynet.planners.chaining import Chain, Gap
from easynet.planners.following import choice_among, with_followers
from easynet.planners.retrieval import Hit, Index
from easynet.planners.sources import Draft, step_of
from easynet.planners.words import units

SUPPORTED = 0.45
"""The share of a request that a capability must explain to count as an answer to it."""
_SUPPORTED_WITH_DATA = 0.3
_AS_GOOD = 0.95
_NEARLY = 0.85
"""A capability may replace a better one that cannot be planned, if its score is this share of the best."""
_SHOWS_INSTEAD = 0.6
"""And this share suffices to replace one that only prepares something and shows nothing."""
_CLAUSE = re.compile(
    r"(?:[;!?，；。！？]|,(?!\d)|\.(?!\w))\s*|\b(?:and then|then|and|after that)\b"
    r"|然后|接着|随后|并且|并(?=[\u3400-\u9fff])|再(?=[\u3400-\u9fff])",
    re.IGNORECASE,
)


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
    # "And 3 from a file" names no work of its own.
    clauses = [c.strip() for c in _CLAUSE.split(text) if any(not u.is_context for u in units(c))]
    parts: list[Part] = []
    undone: list[str] = []
    for clause in clauses if len(clauses) > 1 else ():
        able = _able(index.search(clause), SUPPORTED)
        if able:
            parts.append(Part(clause, able))
        elif len(index.unknown_words(clause)) > 1:
            undone.append(clause)
    if parts:
        return parts, undone
    whole = _able(index.search(text), enough)
    return ([Part(text, whole)] if whole else []), []


def _able(hits: Sequence[Hit], enough: float) -> tuple[Hit, ...]:
    """The hits that explain enough, best first, as far as they come near the best."""
    goals = [h for h in hits if h.capability.role is not Role.SAMPLE and h.coverage >= enough]
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
