"""How alike a plan and the right one are, and how sure the mean over many requests is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from easynet.core.ids import CapabilityName
from easynet.core.task_graph import TaskGraph
from evals.requests import Chain

_DRAWS = 1000
_RIGHT = 0.99


@dataclass(frozen=True)
class Score:
    """One request's plan, measured."""

    nodes: float
    links: float

    @property
    def is_right(self) -> bool:
        return self.nodes >= _RIGHT


def score(graph: TaskGraph | None, right: Chain) -> Score:
    """F1 over the names of the steps and over the pairs that follow each other; a missing plan counts 0."""
    if graph is None:
        return Score(0.0, 0.0)
    names = [s.capability for s in graph.subtasks]
    links = [(graph.by_id[b].capability, s.capability) for s in graph.subtasks for b in sorted(s.needs)]
    return Score(_f1(names, right), _f1(links, [*pairwise(right)]))


@dataclass(frozen=True)
class Mean:
    """A mean in per cent, with the interval that holds it in 95 of 100 draws of the requests."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.1f} [{self.low:.1f}, {self.high:.1f}]"


def mean(values: Sequence[float], seed: int = 0) -> Mean:
    """The mean with its bootstrap interval."""
    if not values:
        return Mean(0.0, 0.0, 0.0)
    found = 100 * np.array(values, np.float64)
    draws = np.random.default_rng(seed).integers(0, len(found), (_DRAWS, len(found)))
    low, high = np.percentile(found[draws].mean(axis=1), [2.5, 97.5])
    return Mean(float(found.mean()), float(low), float(high))


_Name = CapabilityName | tuple[CapabilityName, CapabilityName]


def _f1(found: Sequence[_Name], right: Sequence[_Name]) -> float:
    both = len({*found} & {*right})
    if not both:
        return 0.0
    precision, recall = both / len(found), both / len(right)
    return 2 * precision * recall / (precision + recall)
