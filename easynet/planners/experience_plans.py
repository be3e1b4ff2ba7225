"""The plans of past runs as numbers: which steps and links they have, how often, and in which order."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from easynet.core.ids import CapabilityName
from easynet.core.task_graph import TaskGraph
from easynet.planners.experience_text import Floats, Rows

Ints = NDArray[np.integer[Any]]

TYPICAL_LENGTH = 2.5
"""What the number of steps is predicted as a distance from."""
ABSENT = 10**6


@dataclass(frozen=True)
class Shape:
    """A plan without its arguments: capabilities in an order that can run, and which reads from which."""

    steps: tuple[CapabilityName, ...]
    links: tuple[tuple[CapabilityName, CapabilityName], ...]

    @classmethod
    def of(cls, graph: TaskGraph) -> "Shape":
        """The shape of a sound plan; a capability that is called twice counts once."""
        waiting, done = [*graph.subtasks], dict[str, CapabilityName]()
        while waiting:
            ready = next((s for s in waiting if s.needs <= done.keys()), waiting[0])
            waiting.remove(ready)
            done[ready.id] = ready.capability
        links = (
            (graph.by_id[before].capability, s.capability)
            for s in graph.subtasks
            for before in sorted(s.needs)
            if before in graph.by_id
        )
        return cls(tuple(dict.fromkeys(done.values())), tuple(dict.fromkeys(links)))

    @classmethod
    def chain(cls, steps: Sequence[CapabilityName]) -> "Shape":
        """Steps of which each reads from the one before."""
        return cls(tuple(steps), tuple(pairwise(steps)))


Pair = tuple[int, int]


class PastPlans:
    """The shapes of past plans, over capabilities that are numbered."""

    def __init__(self, shapes: Sequence[Shape], names: Sequence[CapabilityName]) -> None:
        self.names = tuple(names)
        self.number = {name: i for i, name in enumerate(names)}
        self.column = {shape: i for i, shape in enumerate(dict.fromkeys(shapes))}
        self.shapes = tuple(self.column)
        self.steps = [tuple(self.number[n] for n in s.steps) for s in self.shapes]
        self.links = [tuple((self.number[a], self.number[b]) for a, b in s.links) for s in self.shapes]
        self.link_column: dict[Pair, int] = {}
        for links in self.links:
            for link in links:
                self.link_column.setdefault(link, len(self.link_column))
        self.of_run = np.array([self.column[s] for s in shapes], np.int64)
        self.times = np.bincount(self.of_run, minlength=len(self.shapes)).astype(np.float32)

    @cached_property
    def has_step(self) -> Floats:
        """One row for each plan: 1 where it has the capability."""
        table = np.zeros((len(self.shapes), len(self.names) + 1), np.float32)
        for i, steps in enumerate(self.steps):
            table[i, list(steps)] = 1
        return table

    @cached_property
    def has_link(self) -> Floats:
        """One row for each plan: 1 where it has the link; the last column is for links never seen."""
        table = np.zeros((len(self.shapes), len(self.link_column) + 1), np.float32)
        for i, links in enumerate(self.links):
            table[i, [self.link_column[link] for link in links]] = 1
        return table

    @cached_property
    def sets(self) -> Ints:
        """For each plan the number of the set of its steps."""
        seen: dict[frozenset[int], int] = {}
        return np.array([seen.setdefault(frozenset(s), len(seen)) for s in self.steps], np.int64)

    @cached_property
    def set_numbers(self) -> dict[frozenset[int], int]:
        return {frozenset(steps): int(n) for steps, n in zip(self.steps, self.sets, strict=True)}

    @cached_property
    def set_times(self) -> Floats:
        return np.bincount(self.sets, weights=self.times).astype(np.float32)

    @cached_property
    def followed(self) -> Floats:
        """How often one capability read from another."""
        return self._counted(self.links)

    @cached_property
    def before(self) -> Floats:
        """How often one capability came anywhere before another."""
        return self._counted([_pairs(steps) for steps in self.steps])

    @cached_property
    def used(self) -> Floats:
        """How often each capability was used."""
        return self.times @ self.has_step

    def _counted(self, pairs: Sequence[Sequence[Pair]]) -> Floats:
        size = len(self.names) + 1
        table = np.zeros((size, size), np.float32)
        for found, n in zip(pairs, self.times, strict=True):
            for a, b in found:
                table[a, b] += n
        return table

    @cached_property
    def place(self) -> Ints:
        """One row for each plan: where in its order each capability comes, `ABSENT` where it does not."""
        table = np.full((len(self.shapes), len(self.names) + 1), ABSENT, np.int64)
        for i, steps in enumerate(self.steps):
            table[i, list(steps)] = range(len(steps))
        return table

    @cached_property
    def labels(self) -> Rows:
        """What is to be predicted: steps, links, plan, first step, last step, length; a row a plan."""
        size = len(self.names)
        first = [0, size, size + len(self.link_column)]
        start = first[2] + len(self.shapes)
        table = sp.lil_matrix((len(self.shapes), start + 2 * size + 1), dtype=np.float32)
        for i, (steps, links) in enumerate(zip(self.steps, self.links, strict=True)):
            table[i, list(steps)] = 1
            for link in links:
                table[i, first[1] + self.link_column[link]] = 1
            table[i, first[2] + i] = 1
            table[i, start + steps[0]] = 1
            table[i, start + size + steps[-1]] = 1
            table[i, start + 2 * size] = len(steps) - TYPICAL_LENGTH
        return table.tocsr()


def _pairs(steps: Sequence[int]) -> list[Pair]:
    return [(a, b) for i, a in enumerate(steps) for b in steps[i + 1 :]]
