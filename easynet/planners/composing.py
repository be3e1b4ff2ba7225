"""Short chains of capabilities that together fit a request, by its words and by what follows what."""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from easynet.planners.likeness import plans_alike
from easynet.planners.matching import Match, Matcher

_TOOLS, _WIDTH, _KEPT = 14, 40, 30
COVER, STEP, LIFE, TEXT, UNSEEN = 4.0, 3.0, 0.3, 0.6, 4.0
"""Beside the fit of each step: words explained, the price of a step, the two orders, a link never seen."""
_SOFTNESS = 1.2
"""How far behind the best a chain may be and still be worth agreeing with."""
_ALONE = 1.0
"""What a single step lacks beside a chain."""

Steps = tuple[int, ...]
Links = Collection[tuple[int, int]]


@dataclass(frozen=True)
class Scored:
    """Steps that may be a plan, with how well they fit."""

    steps: Steps
    score: float


class Composer:
    """Weighs chains for one request."""

    def __init__(self, matcher: Matcher, match: Match, links: Links) -> None:
        self._matcher, self._match, self._links = matcher, match, links
        self._shares: dict[int, list[float]] = {}
        self._total = 0.0
        self._places: dict[int, float] = {}

    def best(self) -> list[Scored]:
        """The chains that fit best, of one to three steps."""
        scores = self._match.scores
        top = sorted(range(len(scores)), key=lambda i: -scores[i])[:_TOOLS]
        best_of_all = [
            max((self._share(t)[k] for t in top), default=0.0) for k in range(len(self._match.keys))
        ]
        self._total = sum(best_of_all) or 1.0
        found = [Scored((t,), self.score((t,)) - _ALONE) for t in top]
        ends = [f.steps for f in found]
        for _ in range(2):
            grown = [self._scored((*steps, t)) for steps in ends for t in top if t not in steps]
            grown.sort(key=lambda s: -s.score)
            found += grown[:_WIDTH]
            ends = [s.steps for s in grown[:_WIDTH]]
        return sorted(found, key=lambda s: -s.score)[:_KEPT]

    def score(self, steps: Steps) -> float:
        """How well a chain fits."""
        fit = sum(self._match.scores[t] for t in steps)
        covered: float = sum(map(max, zip(*(self._share(t) for t in steps), strict=True)))
        order = sum(self._order(a, b) for a, b in pairwise(steps))
        return fit + COVER * covered / (self._total or 1.0) - STEP * len(steps) + order

    def _scored(self, steps: Steps) -> Scored:
        return Scored(steps, self.score(steps))

    def _order(self, first: int, then: int) -> float:
        """Whether one step comes before another by the stages of life, by the words, and as seen."""
        life = max(-2.0, min(2.0, self._matcher.stages[then] - self._matcher.stages[first])) / 2
        text = math.tanh(6 * (self._place(then) - self._place(first)))
        unseen = UNSEEN if self._links and (first, then) not in self._links else 0.0
        return LIFE * life + TEXT * text - unseen

    def _share(self, step: int) -> list[float]:
        if step not in self._shares:
            self._shares[step] = [self._matcher.share(step, key) for key in self._match.keys]
        return self._shares[step]

    def _place(self, step: int) -> float:
        """Where in the text the words stand that a capability shares with it."""
        if step not in self._places:
            shares = self._share(step)
            total = sum(shares)
            places = self._match.keys.values()
            at = sum(s * p for s, p in zip(shares, places, strict=True)) / total if total else 0.5
            self._places[step] = at
        return self._places[step]


def agreed(found: Sequence[Scored], softness: float = _SOFTNESS) -> list[Scored]:
    """The chains by how much they agree with all others, each of which weighs as much as it is likely.

    One that shares most steps with many good ones is safer than a lone one that is a little better.
    """
    if not found:
        return []
    best = max(f.score for f in found)
    weights = [math.exp((f.score - best) / softness) for f in found]
    total = sum(weights)
    agreement = [
        sum(w * _alike(one.steps, other.steps) for other, w in zip(found, weights, strict=True)) / total
        for one in found
    ]
    return sorted((Scored(f.steps, a) for f, a in zip(found, agreement, strict=True)), key=lambda s: -s.score)


def _alike(one: Steps, other: Steps) -> float:
    return plans_alike(one, [*pairwise(one)], other, [*pairwise(other)])
