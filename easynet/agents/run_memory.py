"""What a run knows so far: a fold of its events, so that any process can pick the run up."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from easynet.core.capability import Capability
from easynet.core.events import (
    IntentParsed,
    NodesFound,
    PlanMade,
    QuestionAsked,
    RunEvent,
    RunFinished,
    RunStarted,
    ScheduleMade,
    SubtaskFinished,
    paid_by,
)
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.intent import Intent, ParsedIntent
from easynet.core.language import Language
from easynet.core.offer import Offer
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph


@dataclass
class RunMemory:
    """The latest of each thing that the steps of a run hand on."""

    events: list[RunEvent] = field(default_factory=list)
    intent: Intent = field(default_factory=Intent)
    parsed: ParsedIntent | None = None
    graph: TaskGraph | None = None
    offers: dict[CapabilityName, tuple[Offer, ...]] = field(default_factory=dict)
    schedule: Schedule | None = None
    done: set[SubtaskId] = field(default_factory=set)
    """Subtasks of the present plan whose results are in the journal."""
    paid: int = 0
    """Credits, to nodes and for language models."""
    started_at: float = 0.0
    """Unix seconds of this start or resumption."""
    finished: RunFinished | None = None
    question: QuestionAsked | None = None
    """The last one asked; whether it is still open, the checkpoint knows."""
    catalogue: dict[CapabilityName, Capability] = field(default_factory=dict)
    """What the network offers now. The one thing here that is asked anew, not folded."""

    @classmethod
    def of(cls, events: Iterable[RunEvent]) -> Self:
        memory = cls()
        for event in events:
            memory.apply(event)
        return memory

    def apply(self, event: RunEvent) -> None:
        self.events.append(event)
        self.paid += paid_by(event)
        match event:
            case RunStarted():
                self.intent, self.started_at, self.finished = event.intent, event.at, None
            case IntentParsed():
                self.parsed = event.parsed
            case QuestionAsked():
                self.question = event
            case PlanMade():
                self.done = _still_valid(self.done, self.graph, event.graph)
                self.graph = event.graph
            case SubtaskFinished():
                self.done.add(event.subtask)
            case NodesFound():
                self.offers = event.offers
            case ScheduleMade():
                self.schedule = event.schedule
            case RunFinished():
                self.finished = event
            case _:
                pass

    @property
    def language(self) -> Language:
        return self.parsed.language if self.parsed else self.intent.language


def _still_valid(done: set[SubtaskId], old: TaskGraph | None, new: TaskGraph) -> set[SubtaskId]:
    """The finished subtasks whose work means the same in a new plan, back to its beginnings."""
    if old is None:
        return set()
    before, after = old.by_id, new.by_id
    kept: set[SubtaskId] = set()
    waiting = [i for i in done if i in after and before.get(i) == after[i]]
    while ready := [i for i in waiting if after[i].needs <= kept]:
        kept.update(ready)
        waiting = [i for i in waiting if i not in kept]
    return kept
