"""The capabilities that a plan for one request may need, out of catalogues of any size."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from heapq import nsmallest

from easynet.core.capability import Capability, TypeRef
from easynet.core.ids import CapabilityName
from easynet.planners.files import without_files
from easynet.planners.planner import PlanRequest
from easynet.planners.retrieval import Index
from easynet.planners.word_postings import WordPostings

MOST = 40
"""Capabilities of a shortlist. A smaller catalogue is listed whole."""
_LOOKED_AT = 120
"""As many as share most words are looked at closely."""
_CLAUSE = re.compile(r"[,;.!?，。；！？、\n]+|\b(?:then|and)\b|然后|接着|并且", re.IGNORECASE)
_FITTING, _FITTING_A_CLAUSE, _CLAUSES = 14, 4, 8
_NEIGHBOURS = 3
"""Of each capability, for each type that it takes, and each way along the observed tool graph."""
_DEPTH = 4
"""Steps back from what fits the words to what gives it its inputs."""


class Shortlists:
    """Remembers the words and types of the catalogue that was asked about last."""

    def __init__(self) -> None:
        self._known = _Known(())

    def of(self, request: PlanRequest, experienced: Sequence[CapabilityName] = ()) -> tuple[Capability, ...]:
        """What fits the request's words, what it needs, and what follows; in the order of their names.

        `experienced` are the capabilities of similar past plans. What is to be avoided is left out. Empty
        where the catalogue is large and nothing in it shares a word with the request.
        """
        if self._known.catalogue != request.catalogue:
            self._known = _Known(request.catalogue)
        usable = [c for c in request.catalogue if c.name not in request.avoid]
        if len(usable) > MOST:
            usable = self._known.chosen(request, experienced)
        return tuple(sorted(usable, key=lambda c: c.name))


@dataclass
class _Known:
    """A catalogue, with what is looked up in it."""

    catalogue: tuple[Capability, ...]
    postings: WordPostings = field(init=False)
    number: dict[CapabilityName, int] = field(init=False)
    givers: dict[str, list[int]] = field(init=False)
    """By the name of a type: who gives it, whole, as a part, or in a list."""
    followers: dict[str, list[int]] = field(init=False)
    """By the name of a type: who chooses among, checks or presents it."""

    def __post_init__(self) -> None:
        self.postings = WordPostings(self.catalogue)
        self.number = {c.name: i for i, c in enumerate(self.catalogue)}
        self.givers, self.followers = {}, {}
        for i, capability in enumerate(self.catalogue):
            for name in dict.fromkeys(_given(capability.output)):
                self.givers.setdefault(name, []).append(i)
            if capability.role.follows:
                for name in dict.fromkeys(_taken(capability)):
                    self.followers.setdefault(name, []).append(i)

    def chosen(self, request: PlanRequest, experienced: Sequence[CapabilityName]) -> list[Capability]:
        text = without_files(request.parsed.text, request.parsed.language)
        scores = self.postings.scores(text)
        avoided = {self.number[name] for name in request.avoid if name in self.number}
        kept: dict[int, None] = {}

        def keep(numbers: Iterator[int]) -> None:
            for number in numbers:
                if len(kept) < MOST and number not in avoided:
                    kept.setdefault(number)

        named = (request.goal, *experienced)
        keep(self.number[CapabilityName(n)] for n in named if n in self.number)
        keep(self._fitting(text, scores))
        keep(self._around([*kept], request, scores))
        return [self.catalogue[i] for i in kept]

    def _fitting(self, text: str, scores: dict[int, float]) -> Iterator[int]:
        """What fits the whole text best, and what fits its clauses."""
        close = nsmallest(_LOOKED_AT, scores, key=lambda i: (-scores[i], i))
        index = Index([self.catalogue[i] for i in close])
        yield from (self.number[h.capability.name] for h in index.search(text)[:_FITTING])
        clauses = [*filter(str.strip, _CLAUSE.split(text))]
        for part in clauses[:_CLAUSES] if len(clauses) > 1 else ():
            yield from (self.number[h.capability.name] for h in index.search(part)[:_FITTING_A_CLAUSE])

    def _around(self, start: Sequence[int], request: PlanRequest, scores: dict[int, float]) -> Iterator[int]:
        """What gives the inputs of these and of what gives them, what is linked to these, what follows."""

        def best(numbers: Sequence[int]) -> list[int]:
            return nsmallest(_NEIGHBOURS, numbers, key=lambda i: (-scores.get(i, 0.0), i))

        linked = _linked(start, request, self.number)
        seen, edge = set(start), [*start]
        for _ in range(_DEPTH):
            wanted = dict.fromkeys(t for i in edge for t in _taken(self.catalogue[i]))
            edge = [i for t in wanted for i in best(self.givers.get(t, [])) if i not in seen]
            seen.update(edge)
            yield from edge
        for neighbours in linked:
            yield from best(neighbours)
        for name in dict.fromkeys(t for i in [*seen] for t in _given(self.catalogue[i].output)):
            yield from best(self.followers.get(name, []))


def _linked(start: Sequence[int], request: PlanRequest, number: dict[CapabilityName, int]) -> list[list[int]]:
    """For each of these, what was seen before it, and what was seen after it."""
    before: dict[int, list[int]] = {i: [] for i in start}
    after: dict[int, list[int]] = {i: [] for i in start}
    for first, then in request.links:
        a, b = number.get(first), number.get(then)
        if a is not None and b is not None:
            if b in before:
                before[b].append(a)
            if a in after:
                after[a].append(b)
    return [*before.values(), *after.values()]


def _taken(capability: Capability) -> Iterator[str]:
    """The named types that a capability cannot do without."""
    for parameter in capability.parameters:
        if parameter.required and not parameter.type.is_primitive:
            yield parameter.type.name


def _given(output: TypeRef) -> Iterator[str]:
    """The named types that an output holds."""
    if not output.is_primitive:
        yield output.name
    for part in output.fields.values():
        yield from _given(part)
