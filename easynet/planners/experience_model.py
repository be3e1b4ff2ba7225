"""What past runs teach about plans, fitted once and asked for each request."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from easynet.core.ids import CapabilityName
from easynet.planners.experience_candidates import Candidates, Links, Plan, candidates
from easynet.planners.experience_evidence import Evidence, View
from easynet.planners.experience_features import features
from easynet.planners.experience_likelihood import Likelihood
from easynet.planners.experience_plans import Ints, PastPlans, Shape
from easynet.planners.experience_ranker import Ranker
from easynet.planners.experience_ridge import Ridge
from easynet.planners.experience_text import Floats, Vectors
from easynet.planners.matching import Matcher

_SHARPNESS = 0.05
"""How far from right a plan may be and still be learned from, in units of agreement."""
_KEPT = 30
_AT_ONCE = 200
"""So many requests are looked at together, which bounds the memory."""

Observed = Collection[tuple[CapabilityName, CapabilityName]]


@dataclass(frozen=True)
class Lesson:
    """A request and the plan that was right for it."""

    text: str
    shape: Shape


@dataclass(frozen=True)
class Choice:
    """A plan for a request, with how much it agrees with what is likely."""

    shape: Shape
    score: float
    """Between 0 and 1."""
    likeness: float
    """How like the most similar past request is."""


@dataclass(frozen=True)
class Model:
    """Ranks plans for requests."""

    past: PastPlans
    vectors: Vectors
    ridge: Ridge
    likelihood: Likelihood
    ranker: Ranker

    @classmethod
    def fit(cls, lessons: Sequence[Lesson], matcher: Matcher, links: Observed) -> "Model":
        """Learn from lessons, of which there has to be at least one; takes seconds for thousands."""
        names = sorted({name for lesson in lessons for name in lesson.shape.steps})
        past = PastPlans([lesson.shape for lesson in lessons], names)
        texts = [lesson.text for lesson in lessons]
        vectors = Vectors.of(texts)
        labels = past.labels()
        ridge, predicted, alike = Ridge.fit(vectors(texts), labels, teaching=len(names))
        view = View(past, matcher, links)
        matches = [matcher.match(text) for text in texts]
        evidence = Evidence.of(view, predicted, alike, matches, own=past.of_run)
        is_step = np.zeros((len(texts), view.size), np.float32)
        is_step[:, : len(names)] = labels[:, : len(names)]
        likelihood = Likelihood.fit(evidence, is_step)
        del labels, is_step
        rows, worth, starts = _examples(evidence, likelihood)
        ranker = Ranker.fit(rows, worth, starts)
        return cls(past, vectors, ridge, likelihood, ranker)

    def view(self, matcher: Matcher, links: Observed) -> View:
        """The model's past plans beside a catalogue."""
        return View(self.past, matcher, links)

    def choices(self, text: str, view: View) -> list[Choice]:
        """Plans for a request, best first."""
        predicted, alike = self.ridge(self.vectors([text]))
        evidence = Evidence.of(view, predicted, alike, [view.matcher.match(text)])
        chances = self.likelihood(evidence)
        found = candidates(evidence, chances)
        if not found.steps:
            return []
        scores = self.ranker(features(evidence, found, chances))
        kept = np.argsort(-scores)[:_KEPT]
        weights = np.exp(scores[kept] - scores[kept[0]])
        agreement = _agreement(found, kept) @ (weights / weights.sum())
        nearest = float(alike.max(initial=0.0))
        return [
            Choice(_shape(found, int(kept[i]), view), float(agreement[i]), nearest)
            for i in np.argsort(-agreement, kind="stable")
        ]


def _examples(evidence: Evidence, likelihood: Likelihood) -> tuple[Floats, Floats, Ints]:
    """The features and the worth of all candidates, and where those of each request begin."""
    rows: list[Floats] = []
    worth: list[Floats] = []
    starts: list[Ints] = []
    for start in range(0, len(evidence.matches), _AT_ONCE):
        part = evidence.part(start, start + _AT_ONCE)
        chances = likelihood(part)
        found = candidates(part, chances)
        assert part.own is not None
        starts.append(found.starts + sum(map(len, rows)))
        rows.append(features(part, found, chances))
        worth.append(_worth(found, evidence.view.past, part.own))
    return np.vstack(rows), np.concatenate(worth), np.concatenate(starts)


def _shape(found: Candidates, number: int, view: View) -> Shape:
    if (past := int(found.past[number])) >= 0:
        return view.past.shapes[past]
    return Shape.chain([view.names[i] for i in found.steps[number]])


def _worth(found: Candidates, past: PastPlans, own: Ints) -> Floats:
    """Each candidate's chance of being the plan that was right for its request."""
    right = own[found.request]
    alike = np.array(
        [
            _alike(steps, links, past.steps[i], past.links[i])
            for steps, links, i in zip(found.steps, found.links, right, strict=True)
        ]
    )
    worth = np.exp((alike - 1) / _SHARPNESS)
    of_request = np.searchsorted(found.starts, np.arange(len(worth)), "right") - 1
    return (worth / np.add.reduceat(worth, found.starts)[of_request]).astype(np.float32)


def _agreement(found: Candidates, kept: Ints) -> Floats:
    table = np.ones((len(kept), len(kept)), np.float32)
    parts = [(found.steps[i], found.links[i]) for i in kept]
    for i, one in enumerate(parts):
        for j in range(i):
            table[i, j] = table[j, i] = _alike(*one, *parts[j])
    return table


def _alike(steps: Plan, links: Links, other_steps: Plan, other_links: Links) -> float:
    """The mean of how alike two plans are in their steps and in their links (F1)."""
    by_steps = _f1(steps, other_steps)
    return (by_steps + _f1(links, other_links)) / 2 if links or other_links else by_steps


def _f1(one: Sequence[object], other: Sequence[object]) -> float:
    both = len({*one} & {*other})
    return 2 * both / (len(one) + len(other)) if both else 0.0
