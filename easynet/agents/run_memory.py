"""What a run knows so far: a fold of its events, so that any process can pick the run up."""

from collections.abc import Iterable, Mapping
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
from easynet.core.task_graph import Subtask, TaskGraph


@dataclass
class RunMemory:
    """The latest of each thing that the steps of a run hand on."""

    events: list[RunEvent] = field(default_factory=list)
    intent: Intent = field(default_factory=Intent)
    parsed: ParsedIntent | None = None
    graph: TaskGraph | None = None
    is_complete: bool = True
    """The plan is; False while its planner goes on, or where it stopped before the end."""
    offers: dict[CapabilityName, tuple[Offer, ...]] = field(default_factory=dict)
    schedule: Schedule | None = None
    results: dict[SubtaskId, Subtask] = field(default_factory=dict)
    """What was done under each name whose result is in the journal, whichever plan it was a part of."""
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
                self.done = _still_valid(self.results, event.graph)
                self.graph, self.is_complete = event.graph, event.is_complete
            case SubtaskFinished():
                self.done.add(event.subtask)
                if self.graph is not None and event.subtask in self.graph.by_id:
                    self.results[event.subtask] = self.graph.by_id[event.subtask]
            case NodesFound():
                self.offers = event.offers
            case ScheduleMade():
                self.schedule = event.schedule
            case RunFinished():
                self.finished = event
            case _:
                pass

    @property
    def this_start(self) -> list[RunEvent]:
        """The events since the run was started or resumed."""
        starts = [n for n, e in enumerate(self.events) if isinstance(e, RunStarted)]
        return self.events[starts[-1] if starts else 0 :]

    @property
    def language(self) -> Language:
        return self.parsed.language if self.parsed else self.intent.language


def _still_valid(finished: Mapping[SubtaskId, Subtask], plan: TaskGraph) -> set[SubtaskId]:
    """The finished subtasks whose work means the same in a plan, back to its beginnings."""
    kept: set[SubtaskId] = set()
    waiting = [s for s in plan.subtasks if finished.get(s.id) == s]
    while ready := [s for s in waiting if s.needs <= kept]:
        kept.update(s.id for s in ready)
        waiting = [s for s in waiting if s.id not in kept]
    return kept
