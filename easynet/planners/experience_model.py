"""What past runs teach about plans, fitted once and asked for each request."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from threadpoolctl import ThreadpoolController

from easynet.core.ids import CapabilityName
from easynet.planners.experience_candidates import Candidates, candidates
from easynet.planners.experience_evidence import Evidence, View, Words
from easynet.planners.experience_features import features
from easynet.planners.experience_likelihood import Likelihood
from easynet.planners.experience_plans import Ints, PastPlans, Shape
from easynet.planners.experience_ranker import Examples, Ranker
from easynet.planners.experience_ridge import Others, Ridge
from easynet.planners.experience_text import Floats, Vectors
from easynet.planners.likeness import plans_alike
from easynet.planners.matching import Matcher

_SHARPNESS = 0.05
"""How far from right a plan may be and still be learned from, in units of agreement."""
_KEPT, _NEAREST = 30, 10
_AT_ONCE = 100
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
    similar: int
    """How many past requests with this plan are like enough."""


@dataclass(frozen=True)
class Choices:
    """What is known about a request's plan."""

    best: Sequence[Choice]
    """Best first; none where no past request is like enough."""
    likeness: float
    """How like the most similar past request is."""
    nearest: Mapping[int, float]
    """The numbers of the few past requests that are most like it, and how like they are."""


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
        with _one_thread():
            return cls._fit(lessons, matcher, links)

    @classmethod
    def _fit(cls, lessons: Sequence[Lesson], matcher: Matcher, links: Observed) -> "Model":
        names = sorted({name for lesson in lessons for name in lesson.shape.steps})
        past = PastPlans([lesson.shape for lesson in lessons], names)
        texts = [lesson.text for lesson in lessons]
        vectors = Vectors.of(texts)
        ridge, others = Ridge.fit(vectors(texts), past.of_run, past.labels, teaching=len(names))
        view = View(past, matcher, links)
        teaching = _Teaching(view, others, Words.of(view, texts))
        likelihood = Likelihood.fit(teaching.parts(with_likeness=False))
        return cls(past, vectors, ridge, likelihood, _ranker(teaching, likelihood))

    def view(self, matcher: Matcher, links: Observed) -> View:
        """The model's past plans beside a catalogue."""
        return View(self.past, matcher, links)

    def choices(self, text: str, view: View, like_enough: float) -> "Choices":
        """Plans for a request. `like_enough` is from which likeness a past request counts."""
        with _one_thread():
            return self._choices(text, view, like_enough)

    def _choices(self, text: str, view: View, like_enough: float) -> "Choices":
        predicted, alike = self.ridge(self.vectors([text]))
        words = Words.of(view, [text])
        evidence = Evidence(view, predicted, alike, words.fits, words.keys)
        chances = self.likelihood(evidence)
        found = candidates(evidence, chances)
        likeness = float(alike.max(initial=0.0))
        if not found.steps or likeness < like_enough:
            return Choices([], likeness, {})
        scores = self.ranker(features(evidence, found, chances))
        kept = np.argsort(-scores)[:_KEPT]
        weights = np.exp(scores[kept] - scores[kept[0]])
        agreement = _agreement(found, kept) @ (weights / weights.sum())
        near = np.flatnonzero(alike[0] >= like_enough)
        similar = Counter(self.past.of_run[near].tolist())
        order = np.argsort(-agreement, kind="stable")
        best = [
            Choice(_shape(found, n, view), float(agreement[i]), similar[int(found.past[n])])
            for i, n in zip(order, kept[order].tolist(), strict=True)
        ]
        near = near[np.argsort(-alike[0, near], kind="stable")[:_NEAREST]]
        return Choices(best, likeness, dict(zip(near.tolist(), alike[0, near].tolist(), strict=True)))


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()


def _one_thread() -> AbstractContextManager[Any]:
    """Keep linear algebra to one thread: on a busy machine its threads wait for each other for seconds."""
    limited: AbstractContextManager[Any] = _libraries().limit(limits=1)
    return limited


@dataclass(frozen=True)
class _Teaching:
    """What was known about each past request from all others."""

    view: View
    others: Others
    words: Words

    def parts(self, *, with_likeness: bool = True) -> Iterator[Evidence]:
        """The same for some requests at a time, which bounds the memory."""
        of_run = self.view.past.of_run
        for start in range(0, len(of_run), _AT_ONCE):
            end = min(start + _AT_ONCE, len(of_run))
            predicted = self.others.predicted(start, end)
            alike = self.others.alike(start, end) if with_likeness else np.zeros((end - start, 0), np.float32)
            words = self.words.part(start, end)
            yield Evidence(self.view, predicted, alike, words.fits, words.keys, of_run[start:end])


def _ranker(teaching: _Teaching, likelihood: Likelihood) -> Ranker:
    """Learn from the features and the worth of all candidates of past requests."""
    examples = Examples()
    for part in teaching.parts():
        chances = likelihood(part)
        found = candidates(part, chances)
        assert part.own is not None
        examples.add(features(part, found, chances), _worth(found, part.view.past, part.own), found.starts)
    return Ranker.fit(examples)


def _shape(found: Candidates, number: int, view: View) -> Shape:
    if (past := int(found.past[number])) >= 0:
        return view.past.shapes[past]
    return Shape.chain([view.names[i] for i in found.steps[number]])


def _worth(found: Candidates, past: PastPlans, own: Ints) -> Floats:
    """Each candidate's chance of being the plan that was right for its request."""
    right = own[found.request]
    alike = np.array(
        [
            plans_alike(steps, links, past.steps[i], past.links[i])
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
            table[i, j] = table[j, i] = plans_alike(*one, *parts[j])
    return table
