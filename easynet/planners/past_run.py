"""`PastRun`: a run that has ended, as planning remembers it, and how it is read from the run's events."""

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, Self

from pydantic import Field, JsonValue

from easynet.core.capability import Capability, Value
from easynet.core.events import (
    AttemptFailed,
    IntentParsed,
    PlanMade,
    QuestionAsked,
    Replanned,
    RunEvent,
    RunFinished,
    RunStarted,
    SubtaskFinished,
    paid_by,
)
from easynet.core.ids import CapabilityName, RunId, SubtaskId
from easynet.core.intent import ParsedIntent
from easynet.core.language import Language
from easynet.core.privacy import is_private
from easynet.core.task_graph import TaskGraph

_NOT_ITS_FAULT = frozenset({"bad_data", "input_needed", "over_budget", "argument_mismatch"})


class Edit(Value):
    """An input that the user gave after the run had begun."""

    kind: Literal["answered", "changed"]
    """Whether it answers a question, or was given when the run was resumed."""
    name: str
    value: JsonValue


class PastRun(Value):
    """A run that has ended."""

    id: RunId
    at: float
    """Unix seconds at which it ended."""
    text: str
    """The intent's words."""
    language: Language
    inputs: dict[str, JsonValue] = Field(default_factory=dict)
    """As they were at the end."""
    graph: TaskGraph
    """The plan as it was carried out."""
    planner: str
    outcome: Literal["succeeded", "failed"]
    failed: CapabilityName | None = None
    """The capability that failed, where one did."""
    avoided: tuple[CapabilityName, ...] = ()
    """Capabilities that failed on the way and were planned around."""
    edits: tuple[Edit, ...] = ()
    """What the user said after the first plan, in order."""
    by_words: bool = False
    """Whether descriptions alone lead from these words to the same plan, without a question."""
    caveats: tuple[str, ...] = ()
    """What the plan did not do although the words asked for it."""
    cost: int = 0
    """Credits."""
    duration_s: float = 0.0
    schemas: dict[CapabilityName, str] = Field(default_factory=dict)
    """What each capability took and gave then."""
    is_private: bool = False
    """Whether its words may not leave the user's own machines."""

    @classmethod
    def of(cls, events: Iterable[RunEvent], catalogue: Sequence[Capability]) -> Self | None:
        """The run that these events tell of; nothing where it has not ended, or teaches nothing."""
        told = _Told()
        for event in events:
            told.add(event)
        parsed, made, ended = told.parsed, told.made, told.ended
        if parsed is None or made is None or ended is None or not made.is_complete:
            return None
        is_success = ended.status == "succeeded"
        if not is_success and told.failed is None:
            return None
        return cls(
            id=ended.run_id,
            at=ended.at,
            text=parsed.text,
            language=parsed.language,
            inputs=parsed.inputs,
            graph=made.graph,
            planner=made.planner,
            outcome="succeeded" if is_success else "failed",
            failed=None if is_success or told.failed is None else made.graph.by_id[told.failed].capability,
            avoided=tuple(dict.fromkeys(told.avoided)),
            edits=tuple(told.edits),
            caveats=made.caveats,
            cost=told.cost,
            duration_s=ended.duration_s,
            schemas={c.name: schema_of(c) for c in catalogue if c.name in made.graph.capabilities},
            is_private=is_private(parsed),
        )


@dataclass
class _Told:
    """What a run's events have said so far."""

    parsed: ParsedIntent | None = None
    made: PlanMade | None = None
    ended: RunFinished | None = None
    failed: SubtaskId | None = None
    """The step that failed last, where it is part of the plan and nothing has mended it."""
    avoided: list[CapabilityName] = field(default_factory=list[CapabilityName])
    edits: list[Edit] = field(default_factory=list[Edit])
    cost: int = 0
    _asked: set[str] = field(default_factory=set[str])
    _is_resumed: bool = False

    def add(self, event: RunEvent) -> None:
        self.cost += paid_by(event)
        match event:
            case RunStarted():
                self._is_resumed = event.resumed
            case QuestionAsked():
                self._asked.add(event.question.name)
            case IntentParsed():
                self._parse(event.parsed)
            case Replanned() if self.failed is not None and self.made is not None:
                self.avoided.append(self.made.graph.by_id[self.failed].capability)
            case PlanMade():
                self.made, self.failed = event, None
            case AttemptFailed():
                self._fail(event)
            case SubtaskFinished() if event.subtask == self.failed:
                self.failed = None
            case RunFinished():
                self.ended = event
            case _:
                pass

    def _parse(self, parsed: ParsedIntent) -> None:
        before = self.parsed.inputs if self.parsed else parsed.inputs
        for name, value in parsed.inputs.items():
            if name in before and before[name] == value:
                continue
            if name in self._asked:
                self.edits.append(Edit(kind="answered", name=name, value=value))
            elif self._is_resumed:
                self.edits.append(Edit(kind="changed", name=name, value=value))
        self._asked -= parsed.inputs.keys()
        self.parsed = parsed

    def _fail(self, event: AttemptFailed) -> None:
        is_final = not event.will_retry and event.problem.code not in _NOT_ITS_FAULT
        if is_final and self.made is not None and event.subtask in self.made.graph.by_id:
            self.failed = event.subtask


def schema_of(capability: Capability) -> str:
    """A short digest of what a capability takes and gives; its words are no part of it."""
    takes = [p.model_dump(mode="json") for p in capability.parameters]
    both = json.dumps([takes, capability.output.model_dump(mode="json")], sort_keys=True)
    return hashlib.sha256(both.encode()).hexdigest()[:16]
