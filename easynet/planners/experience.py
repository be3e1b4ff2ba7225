"""Finished runs as planning remembers them, and what they still teach."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol, Self

from pydantic import Field, JsonValue

from easynet.core.capability import Capability, Value
from easynet.core.events import (
    AttemptFailed,
    IntentParsed,
    PlanMade,
    RunEvent,
    RunFinished,
    RunStarted,
    SubtaskFinished,
    paid_by,
)
from easynet.core.ids import CapabilityName, RunId
from easynet.core.intent import Privacy
from easynet.core.language import Language
from easynet.core.task_graph import TaskGraph

_RECENT = 8
"""A function's latest outcomes, against which those before are held."""
_FEW_FAILURES = 3
_JUMP = 0.3
_REGAINED = 3
"""So many successes in a row win a function's trust back."""
_NOT_ITS_FAULT = frozenset({"bad_data", "input_needed", "over_budget", "argument_mismatch"})


class PastRun(Value):
    """A run that has ended."""

    id: RunId
    at: float
    """Unix seconds at which it ended."""
    text: str
    """The intent's words."""
    language: Language
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    graph: TaskGraph
    """The plan as it was carried out, with the user's edits."""
    planner: str
    outcome: Literal["succeeded", "failed"]
    failed: CapabilityName | None = None
    """The capability that failed, where one did."""
    cost: int = 0
    """Credits."""
    duration_s: float = 0.0
    is_edited: bool = False
    """Whether the user changed the plan before it ran."""
    schemas: dict[CapabilityName, str] = Field(default_factory=dict)
    """What each capability took and gave then."""
    is_private: bool = False
    """Whether its words may not leave the user's own machines."""

    @classmethod
    def of(cls, events: Iterable[RunEvent], catalogue: Sequence[Capability]) -> Self | None:
        """The run that these events tell of; nothing where it has not ended, or teaches nothing."""
        parsed = made = ended = None
        failed = None
        cost = 0
        run = RunId("")
        for event in events:
            cost += paid_by(event)
            match event:
                case RunStarted():
                    run = event.run_id
                case IntentParsed():
                    parsed = event.parsed
                case PlanMade():
                    made = event
                case AttemptFailed() if not event.will_retry and event.problem.code not in _NOT_ITS_FAULT:
                    failed = event.subtask
                case SubtaskFinished() if event.subtask == failed:
                    failed = None
                case RunFinished():
                    ended = event
                case _:
                    pass
        if parsed is None or made is None or ended is None:
            return None
        if ended.status != "succeeded" and (failed is None or failed not in made.graph.by_id):
            return None
        schemas = {c.name: schema_of(c) for c in catalogue if c.name in made.graph.capabilities}
        is_success = ended.status == "succeeded"
        return cls(
            id=run,
            at=ended.at,
            text=parsed.text,
            language=parsed.language,
            inputs=parsed.inputs,
            graph=made.graph,
            planner=made.planner,
            outcome="succeeded" if is_success else "failed",
            failed=None if is_success or failed is None else made.graph.by_id[failed].capability,
            cost=cost,
            duration_s=ended.duration_s,
            schemas=schemas,
            is_private=parsed.requirements.privacy is Privacy.HIGH,
        )


def schema_of(capability: Capability) -> str:
    """A short digest of what a capability takes and gives; its words are no part of it."""
    takes = [p.model_dump(mode="json") for p in capability.parameters]
    both = json.dumps([takes, capability.output.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(both.encode()).hexdigest()[:16]


class ExperienceStore(Protocol):
    """Keeps past runs."""

    def runs(self) -> Sequence[PastRun]:
        """All past runs, oldest first."""
        ...

    def version(self) -> object:
        """Something that changes whenever the runs do."""
        ...


@dataclass(frozen=True)
class Experience:
    """Past runs beside what is offered now."""

    runs: Sequence[PastRun]
    """Oldest first."""
    catalogue: Mapping[CapabilityName, Capability]

    @cached_property
    def lessons(self) -> tuple[PastRun, ...]:
        """The runs that teach how to plan: those that succeeded, where what they used is still the same."""
        return tuple(
            r for i, r in enumerate(self.runs) if r.outcome == "succeeded" and self._still_holds(i, r)
        )

    @cached_property
    def distrusted(self) -> frozenset[CapabilityName]:
        """Capabilities that lately fail much more often than they did."""
        return frozenset(self._lost_trust_at)

    def success(self, graph: TaskGraph) -> float:
        """The share of runs of such a plan that succeeded, held towards one while there are few."""
        good, bad = self._outcomes.get(steps_of(graph), (0, 0))
        return (good + 1) / (good + bad + 1)

    def _still_holds(self, index: int, run: PastRun) -> bool:
        for name in run.graph.capabilities:
            if name not in self.catalogue:
                return False
            if name in run.schemas and run.schemas[name] != self._schemas[name]:
                return False
            if index < self._lost_trust_at.get(name, -1):
                return False
        return bool(run.graph.subtasks)

    @cached_property
    def _schemas(self) -> dict[CapabilityName, str]:
        used = {name for run in self.runs for name in run.graph.capabilities}
        return {name: schema_of(c) for name, c in self.catalogue.items() if name in used}

    @cached_property
    def _lost_trust_at(self) -> dict[CapabilityName, int]:
        """For each capability that is distrusted, the run up to which nothing about it is believed."""
        outcomes: dict[CapabilityName, list[tuple[int, bool]]] = defaultdict(list)
        for index, run in enumerate(self.runs):
            if run.outcome == "succeeded":
                for name in run.graph.capabilities:
                    outcomes[name].append((index, True))
            elif run.failed is not None:
                outcomes[run.failed].append((index, False))
        return {
            name: found[-1][0] + 1 for name, found in outcomes.items() if _has_jumped([ok for _, ok in found])
        }

    @cached_property
    def _outcomes(self) -> dict[tuple[CapabilityName, ...], tuple[int, int]]:
        found: dict[tuple[CapabilityName, ...], tuple[int, int]] = {}
        for run in self.runs:
            steps = steps_of(run.graph)
            good, bad = found.get(steps, (0, 0))
            found[steps] = (good + 1, bad) if run.outcome == "succeeded" else (good, bad + 1)
        return found


def steps_of(graph: TaskGraph) -> tuple[CapabilityName, ...]:
    """What a plan does, whatever the order it is written in."""
    return tuple(sorted(s.capability for s in graph.subtasks))


def _has_jumped(outcomes: Sequence[bool]) -> bool:
    """Whether failures have become much more frequent of late, and have not ended since."""
    recent, before = outcomes[-_RECENT:], outcomes[:-_RECENT]
    failures = recent.count(False)
    if failures < _FEW_FAILURES or all(recent[-_REGAINED:]):
        return False
    usual = before.count(False) / len(before) if before else 0.0
    return failures / len(recent) - usual >= _JUMP
