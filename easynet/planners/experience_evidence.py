"""All that is known about requests before plans for them are thought of."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from sys import intern

import numpy as np
import scipy.sparse as sp

from easynet.core.ids import CapabilityName
from easynet.planners.experience_plans import Ints, PastPlans
from easynet.planners.experience_text import Floats, Rows
from easynet.planners.matching import Matcher

_NOT_OFFERED = -5.0


class View:
    """Past plans and a catalogue on one numbering: first what past plans use, then what is only offered."""

    def __init__(
        self,
        past: PastPlans,
        matcher: Matcher,
        links: Collection[tuple[CapabilityName, CapabilityName]],
    ) -> None:
        self.past, self.matcher = past, matcher
        self.names = tuple(dict.fromkeys((*past.names, *matcher.names)))
        self.number = {name: i for i, name in enumerate(self.names)}
        offered = {name: i for i, name in enumerate(matcher.names)}
        self.in_catalogue = np.array([offered.get(name, -1) for name in self.names], np.int64)
        self.is_offered = self.in_catalogue >= 0
        self.stages = np.array([matcher.stages[i] if i >= 0 else 0.0 for i in self.in_catalogue] + [0.0])
        self.links = frozenset(
            (self.number[a], self.number[b]) for a, b in links if a in self.number and b in self.number
        )
        self.usable = np.array([bool(self.is_offered[list(steps)].all()) for steps in past.steps])

    @property
    def size(self) -> int:
        return len(self.names)

    def historic(self, numbers: Ints) -> Ints:
        """The numbers as past plans know them; all others are their last, empty row."""
        return np.minimum(numbers, len(self.past.names))

    @cached_property
    def alike(self) -> Rows:
        """For each capability the shares of those described most alike."""
        table = sp.lil_matrix((self.size, self.size), dtype=np.float32)
        for i, j in enumerate(self.in_catalogue):
            for other, share in self.matcher.alike[j] if j >= 0 else ():
                table[i, self.number[self.matcher.names[other]]] = share
        return table.tocsr()

    @cached_property
    def times_used(self) -> Floats:
        padded = np.zeros(self.size, np.float32)
        padded[: len(self.past.names)] = self.past.used[:-1]
        return padded

    def share(self, number: int, key: str) -> float:
        """How much of a capability a word says."""
        in_catalogue = int(self.in_catalogue[number])
        return self.matcher.share(in_catalogue, key) if in_catalogue >= 0 else 0.0


@dataclass(frozen=True)
class Words:
    """What the catalogue's words say about some requests."""

    fits: Floats
    keys: Sequence[Mapping[str, float]]

    @classmethod
    def of(cls, view: View, texts: Sequence[str]) -> "Words":
        fits = np.full((len(texts), view.size), _NOT_OFFERED, np.float32)
        offered = np.flatnonzero(view.is_offered)
        keys: list[Mapping[str, float]] = []
        for row, text in enumerate(texts):
            match = view.matcher.match(text)
            fits[row, offered] = np.array(match.scores, np.float32)[view.in_catalogue[offered]]
            keys.append({intern(key): at for key, at in match.keys.items()})
        return cls(fits, keys)

    def part(self, start: int, end: int) -> "Words":
        return Words(self.fits[start:end], self.keys[start:end])


@dataclass(frozen=True)
class Evidence:
    """What past runs and the catalogue's words say about some requests, a row for each."""

    view: View
    predicted: Floats
    """The labels of `PastPlans.labels`."""
    alike: Floats
    """How like each past request it is."""
    fits: Floats
    """How well the words of each capability fit."""
    keys: Sequence[Mapping[str, float]]
    """The words of each that the catalogue knows, and where they stand."""
    own: Ints | None = None
    """The past plan whose request it is itself, where it must not count as its own teacher."""

    @cached_property
    def tools(self) -> Floats:
        """What past runs say for each capability."""
        found = np.zeros((len(self.predicted), self.view.size), np.float32)
        used = len(self.view.past.names)
        found[:, :used] = self.predicted[:, :used]
        return np.where(self.view.is_offered, found, 0.0).astype(np.float32)

    def _part(self, start: int, size: int) -> Floats:
        return self.predicted[:, start : start + size]

    @property
    def of_link(self) -> Floats:
        past = self.view.past
        return self._part(len(past.names), len(past.link_column))

    @property
    def of_plan(self) -> Floats:
        past = self.view.past
        return self._part(len(past.names) + len(past.link_column), len(past.shapes))

    @cached_property
    def _ends_at(self) -> int:
        past = self.view.past
        return len(past.names) + len(past.link_column) + len(past.shapes)

    @property
    def of_first(self) -> Floats:
        return self._part(self._ends_at, len(self.view.past.names))

    @property
    def of_last(self) -> Floats:
        used = len(self.view.past.names)
        return self._part(self._ends_at + used, used)

    @property
    def length(self) -> Floats:
        return self.predicted[:, -1]

    @cached_property
    def times_used(self) -> Floats:
        """How often each capability was used, by other runs than the request's own."""
        times = np.broadcast_to(self.view.times_used, self.tools.shape)
        if self.own is None:
            return times
        used = len(self.view.past.names)
        times = times.copy()
        times[:, :used] -= self.view.past.has_step[self.own, :used]
        return times

    @cached_property
    def tool_features(self) -> Floats:
        """What speaks for each capability: requests x capabilities x features."""
        said, fits = self.tools, self.fits
        top = said.max(axis=1, keepdims=True)
        best = np.maximum(fits.max(axis=1, keepdims=True), 1e-3)
        is_new = (self.times_used < 1).astype(np.float32)
        similar = np.asarray((self.view.alike @ said.T).T)
        features = (
            said,
            said / (top + 0.1),
            np.sqrt(np.maximum(said, 0)),
            fits / 4,
            fits / best,
            fits * is_new / 4,
            similar,
            np.log1p(np.maximum(self.times_used, 0)) / 5,
            is_new,
        )
        return np.stack(features, axis=-1).astype(np.float32)
