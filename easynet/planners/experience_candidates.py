"""Plans worth a closer look: those of similar requests, known plans of likely steps, and new chains."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import scipy.sparse as sp

from easynet.planners.experience_evidence import Evidence
from easynet.planners.experience_plans import Ints
from easynet.planners.experience_text import Floats

_NEIGHBOURS, _BY_NEIGHBOURS, _BY_PARTS, _NEW = 40, 25, 25, 20
STEP_PRICE, LINK_PRICE = 0.35, 0.2
"""What a step or a link has to be worth, at least, to be a part of a plan."""
_TOOLS, _WIDTH, _LONGEST = 10, 12, 4

Plan = tuple[int, ...]
Links = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Neighbourhood:
    """How much the most similar requests speak for each past plan."""

    weight: Floats
    nearest: Floats
    """How like the most similar request with that plan is."""


@dataclass(frozen=True)
class Candidates:
    """Plans for several requests, one after the other."""

    request: Ints
    """For each plan the row of its request."""
    steps: Sequence[Plan]
    links: Sequence[Links]
    past: Ints
    """The number of the past plan, -1 where it is new."""
    neighbours: Neighbourhood

    @cached_property
    def starts(self) -> Ints:
        """Where the plans of each request begin."""
        return np.flatnonzero(np.diff(self.request, prepend=-1))


def candidates(evidence: Evidence, chances: Floats) -> Candidates:
    """The candidates for each request; a plan that only its own run has had is not among them."""
    past = evidence.view.past
    neighbours = _neighbourhood(evidence)
    by_parts = _by_parts(evidence)
    known = {steps: i for i, steps in enumerate(past.steps) if past.links[i] == _chained(steps)}
    request: list[int] = []
    found_steps: list[Plan] = []
    found_links: list[Links] = []
    found_past: list[int] = []
    for row in range(len(evidence.keys)):
        usable = evidence.view.usable.copy()
        if evidence.own is not None and past.times[evidence.own[row]] <= 1:
            usable[evidence.own[row]] = False
        near = _best(np.where(usable, neighbours.weight[row], 0.0), _BY_NEIGHBOURS)
        fitting = _best(np.where(usable, by_parts[row], -np.inf), _BY_PARTS)
        numbers = dict.fromkeys((*(i for i in near if neighbours.weight[row, i] > 0), *fitting))
        numbers = {i: None for i in numbers if usable[i]}
        new = [p for p in _new_chains(evidence, chances, row) if known.get(p) not in numbers]
        for i in numbers:
            found_steps.append(past.steps[i])
            found_links.append(past.links[i])
            found_past.append(i)
        for steps in new:
            number = known.get(steps, -1)
            found_steps.append(steps)
            found_links.append(_chained(steps))
            found_past.append(number if number >= 0 and usable[number] else -1)
        request += [row] * (len(numbers) + len(new))
    return Candidates(
        np.array(request, np.int64), found_steps, found_links, np.array(found_past, np.int64), neighbours
    )


def _chained(steps: Plan) -> Links:
    return tuple(pairwise(steps))


def _best(values: Floats, most: int) -> list[int]:
    if len(values) <= most:
        return [int(i) for i in np.argsort(-values)]
    return [int(i) for i in np.argpartition(-values, most)[:most]]


def _neighbourhood(evidence: Evidence) -> Neighbourhood:
    past = evidence.view.past
    weight = np.zeros((len(evidence.alike), len(past.shapes)), np.float32)
    nearest = np.zeros_like(weight)
    for row, alike in enumerate(evidence.alike):
        near = np.array(_best(alike, _NEIGHBOURS))
        plans = past.of_run[near]
        np.add.at(weight[row], plans, alike[near] ** 3)
        np.maximum.at(nearest[row], plans, alike[near])
    return Neighbourhood(weight, nearest)


def _by_parts(evidence: Evidence) -> Floats:
    """How much past runs speak for each past plan, part by part."""
    past = evidence.view.past
    has_step = sp.csr_matrix(past.has_step[:, :-1])
    has_link = sp.csr_matrix(past.has_link[:, :-1])
    steps = (has_step @ (evidence.tools[:, : len(past.names)] - STEP_PRICE).T).T
    links = (has_link @ (evidence.of_link - LINK_PRICE).T).T
    return np.asarray(steps + links + evidence.of_plan, np.float32)


def _new_chains(evidence: Evidence, chances: Floats, row: int) -> list[Plan]:
    """Chains of likely steps, by what was seen to follow what (beam search)."""
    chance = chances[row]
    top = [i for i in _best(chance, _TOOLS) if evidence.view.is_offered[i]]
    top.sort(key=lambda i: (-chance[i], i))
    odds = np.log(chance[top] + 1e-3) - np.log(1 - chance[top] + 1e-3)
    follows = _follows(evidence, top, row)
    ends: list[tuple[float, tuple[int, ...]]] = [(float(o), (i,)) for i, o in enumerate(odds)]
    found = ends[:3]
    for _ in range(_LONGEST - 1):
        grown = [
            (score + float(odds[i]) + float(follows[chain[-1], i]), (*chain, i))
            for score, chain in ends
            for i in range(len(top))
            if i not in chain
        ]
        grown.sort(reverse=True)
        ends = grown[:_WIDTH]
        found += ends
    found.sort(reverse=True)
    return [tuple(int(top[i]) for i in chain) for _, chain in found[:_NEW]]


def _follows(evidence: Evidence, top: Sequence[int], row: int) -> Floats:
    """How much speaks for each link among some capabilities."""
    view, past = evidence.view, evidence.view.past
    numbers = view.historic(np.array(top, np.int64))
    seen = past.followed[np.ix_(numbers, numbers)].copy()
    own = past.links[evidence.own[row]] if evidence.own is not None else ()
    said = np.full((len(top), len(top)), -0.8, np.float32)
    for i, a in enumerate(top):
        for j, b in enumerate(top):
            if (a, b) in own:
                seen[i, j] -= 1
            if (a, b) in view.links:
                said[i, j] += 0.8
            if (column := past.link_column.get((a, b))) is not None:
                said[i, j] += 2 * evidence.of_link[row, column]
    return np.asarray(said + 0.6 * np.log1p(np.maximum(seen, 0)))
