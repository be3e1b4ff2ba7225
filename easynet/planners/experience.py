"""What finished runs still teach, beside what is offered now."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pydantic import JsonValue

from easynet.core.capability import Capability
from easynet.core.ids import CapabilityName
from easynet.core.task_graph import Given, TaskGraph, sources
from easynet.planners.adapting import Custom, Reads, reads_of
from easynet.planners.grams import words
from easynet.planners.past_run import PastRun, schema_of

if TYPE_CHECKING:
    from easynet.planners.experience_plans import Shape

HABIT = 5
"""What was said so many times in a row need not be asked again."""
_WORDINGS = 2
"""What was the same in so many requests in different words does not come from the words."""
_RECENT = 8
"""A function's latest outcomes, against which those before are held."""
_FEW_FAILURES = 3
_JUMP = 0.3
_REGAINED = 3
"""So many successes in a row win a function's trust back."""


class Link(NamedTuple):
    """That a parameter of one capability has read what another gave, in a run that went well."""

    giver: CapabilityName
    taker: CapabilityName
    parameter: str


Kind = tuple[str, ...]
"""The words of a request; all numbers are alike."""


def kind_of(text: str) -> Kind:
    """The kind of request that a text is."""
    return tuple(words(text))


class ExperienceStore(Protocol):
    """Keeps past runs. What it is asked for may raise DataDirectoryUnusable."""

    def runs(self) -> Sequence[PastRun]:
        """All past runs, oldest first."""
        ...

    def latest(self, kind: Kind, most: int) -> Sequence[PastRun]:
        """The latest runs of a kind of request, newest first."""
        ...

    def outcomes(self, capability: CapabilityName) -> Sequence[bool]:
        """Whether a capability did its work, run after run."""
        ...

    def links(self) -> Sequence[Link]:
        """All that has been seen to read from each other in runs that went well."""
        ...

    def add(self, run: PastRun) -> None:
        """Remember a run; one of the same id is replaced."""
        ...

    def version(self) -> int:
        """A number that grows by one with every change."""
        ...


@dataclass(frozen=True)
class Experience:
    """Past runs beside what is offered now."""

    runs: Sequence[PastRun]
    """Oldest first."""
    catalogue: Mapping[CapabilityName, Capability]

    @cached_property
    def lessons(self) -> tuple[PastRun, ...]:
        """The runs that teach how to plan, where what they used is still the same."""
        return tuple(r for i, r in enumerate(self.runs) if is_lesson(r) and self._still_holds(i, r))

    @cached_property
    def by_shape(self) -> "Mapping[Shape, PastRun]":
        """The latest lesson of each shape."""
        from easynet.planners.experience_plans import Shape  # NumPy takes 100 ms to import

        return {Shape.of(run.graph): run for run in self.lessons}

    @cached_property
    def reads(self) -> Mapping[CapabilityName, Reads]:
        """What each capability read in lessons, the latest counting."""
        return reads_of(self.lessons)

    @cached_property
    def by_words(self) -> float:
        """The share of lessons to whose plans the functions' descriptions alone would have led."""
        return sum(run.by_words for run in self.lessons) / max(len(self.lessons), 1)

    @cached_property
    def distrusted(self) -> frozenset[CapabilityName]:
        """Capabilities that lately fail much more often than they did."""
        return frozenset(self._lost_trust_at)

    def success(self, graph: TaskGraph) -> float:
        """The share of runs of such a plan that succeeded, held towards one while there are few."""
        good, bad = self._outcomes.get(steps_of(graph), (0, 0))
        return (good + 1) / (good + bad + 1)

    def habits(self, graph: TaskGraph) -> Mapping[str, JsonValue]:
        """The answers that the latest lessons with such a plan all had, where there are enough of them.

        Numbers are none: an amount that was right five times may be wrong now.
        """
        latest = self._shareable(graph)[-HABIT:]
        if len(latest) < HABIT:
            return {}
        return {
            name: value
            for name, value in latest[-1].inputs.items()
            if isinstance(value, str | bool) and all(run.inputs.get(name) == value for run in latest)
        }

    def customs(self, graph: TaskGraph) -> frozenset[Custom]:
        """What was written into all of the latest lessons with such a plan, whose words differ.

        Only words and yes or no: a number, a date, a list or a record belongs to the request it was made for.
        """
        latest = self._shareable(graph)[-HABIT:]
        if len({" ".join(run.text.casefold().split()) for run in latest}) < _WORDINGS:
            return frozenset()
        return frozenset.intersection(*map(_written, latest))

    def _shareable(self, graph: TaskGraph) -> list[PastRun]:
        """The lessons with such a plan whose values may stand in other runs: nothing was private in them."""
        return [run for run in self._by_steps.get(steps_of(graph), []) if not run.is_private]

    @cached_property
    def _by_steps(self) -> Mapping[tuple[CapabilityName, ...], list[PastRun]]:
        found: dict[tuple[CapabilityName, ...], list[PastRun]] = defaultdict(list)
        for run in self.lessons:
            found[steps_of(run.graph)].append(run)
        return found

    def _still_holds(self, index: int, run: PastRun) -> bool:
        lost = (self._lost_trust_at.get(name, -1) for name in run.graph.capabilities)
        return is_as_offered(run, self._schemas) and not any(index < at for at in lost)

    @cached_property
    def _schemas(self) -> dict[CapabilityName, str]:
        used = {name for run in self.runs for name in run.graph.capabilities}
        return {name: schema_of(c) for name, c in self.catalogue.items() if name in used}

    @cached_property
    def _lost_trust_at(self) -> dict[CapabilityName, int]:
        """For each capability that is distrusted, the run up to which nothing about it is believed."""
        outcomes: dict[CapabilityName, list[tuple[int, bool]]] = defaultdict(list)
        for index, run in enumerate(self.runs):
            for name, went_well in outcomes_of(run):
                outcomes[name].append((index, went_well))
        return {
            name: found[-1][0] + 1 for name, found in outcomes.items() if has_jumped([ok for _, ok in found])
        }

    @cached_property
    def _outcomes(self) -> dict[tuple[CapabilityName, ...], tuple[int, int]]:
        found: dict[tuple[CapabilityName, ...], tuple[int, int]] = {}
        for run in self.runs:
            steps = steps_of(run.graph)
            good, bad = found.get(steps, (0, 0))
            found[steps] = (good + 1, bad) if run.outcome == "succeeded" else (good, bad + 1)
        return found


def is_lesson(run: PastRun) -> bool:
    """Whether a run teaches how to plan: it went well, and its plan did all that the words asked for."""
    return run.outcome == "succeeded" and not run.caveats


def is_as_offered(run: PastRun, schemas: Mapping[CapabilityName, str]) -> bool:
    """Whether all that a run used is offered, and takes and gives what it did then."""
    used = run.graph.capabilities
    return bool(used) and all(n in schemas and run.schemas.get(n, schemas[n]) == schemas[n] for n in used)


def outcomes_of(run: PastRun) -> list[tuple[CapabilityName, bool]]:
    """What a run says about its capabilities: whether each did its work."""
    bad = [(name, False) for name in run.avoided]
    if run.outcome == "succeeded":
        return bad + [(name, True) for name in run.graph.capabilities]
    return bad + ([(run.failed, False)] if run.failed is not None else [])


def links_of(run: PastRun) -> frozenset[Link]:
    """What read from what in a run that went well."""
    return _links(run.graph) if run.outcome == "succeeded" else frozenset()


def is_same(one: TaskGraph, other: TaskGraph) -> bool:
    """Whether two plans take the same steps, and read the same from each other."""
    return steps_of(one) == steps_of(other) and _links(one) == _links(other)


def _links(graph: TaskGraph) -> frozenset[Link]:
    by_id = graph.by_id
    return frozenset(
        Link(by_id[source.subtask].capability, subtask.capability, name)
        for subtask in graph.subtasks
        for name, binding in subtask.arguments.items()
        for source in sources(binding)
        if source.subtask in by_id
    )


def _written(run: PastRun) -> frozenset[Custom]:
    """What is written into a run's plan and may be meant for other requests, too."""
    return frozenset(
        (subtask.capability, name, binding.value)
        for subtask in run.graph.subtasks
        for name, binding in subtask.arguments.items()
        if isinstance(binding, Given)
        and isinstance(binding.value, str | bool)
        and _is_general(binding.value, run.text)
    )


def _is_general(value: str | bool, text: str) -> bool:
    """Whether a value has no number in it, and is no part of a request's words."""
    if isinstance(value, bool):
        return True
    return not any(map(str.isnumeric, value)) and value.casefold() not in text.casefold()


def steps_of(graph: TaskGraph) -> tuple[CapabilityName, ...]:
    """What a plan does, whatever the order it is written in."""
    return tuple(sorted(s.capability for s in graph.subtasks))


def has_jumped(outcomes: Sequence[bool]) -> bool:
    """Whether failures have become much more frequent of late, and have not ended since."""
    recent, before = outcomes[-_RECENT:], outcomes[:-_RECENT]
    failures = recent.count(False)
    if failures < _FEW_FAILURES or all(recent[-_REGAINED:]):
        return False
    usual = before.count(False) / len(before) if before else 0.0
    return failures / len(recent) - usual >= _JUMP
