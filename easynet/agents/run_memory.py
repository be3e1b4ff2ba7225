"""What a run knows so far: a fold of its events, so that any process can pick the run up."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from easynet.core.capability import Capability
from easynet.core.errors import WrongResult
from easynet.core.events import (
    ApprovalAnswered,
    ApprovalRequested,
    AttemptFailed,
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
    timed_from: float | None = None
    """From when the deadline counts, in Unix seconds: the first start, or the resumption that set a new one;
    later by what answers took."""
    asked_at: float | None = None
    """Since when the user has been asked, in Unix seconds, where nothing has happened since."""
    is_resumed: bool = False
    limits: dict[str, str | int | float] = field(default_factory=dict[str, str | int | float])
    """Constraints given at resumptions, which take the place of the intent's."""
    approval: ApprovalRequested | None = None
    """Asked for, and not answered yet."""
    approved: dict[str, int] = field(default_factory=dict[str, int])
    """The digests of steps that were agreed to, each with the credits that it may cost."""
    used: set[str] = field(default_factory=set[str])
    """The digests of steps that were agreed to and have been done."""
    may_use_others: bool = False
    """Somebody agreed that nodes see the data which are not the user's own."""
    finished: RunFinished | None = None
    question: QuestionAsked | None = None
    """The last one asked; whether it is still open, the checkpoint knows."""
    catalogue: dict[CapabilityName, Capability] = field(default_factory=dict)
    """What the network offers now. The one thing here that is asked anew, not folded."""
    _agreed: dict[SubtaskId, str] = field(default_factory=dict[SubtaskId, str])
    """The digest under which each step was last agreed to, until it is done."""

    @classmethod
    def of(cls, events: Iterable[RunEvent]) -> Self:
        memory = cls()
        for event in events:
            memory.apply(event)
        return memory

    def apply(self, event: RunEvent) -> None:
        self.events.append(event)
        self.paid += paid_by(event)
        self._time(event)
        match event:
            case RunStarted():
                self._start(event)
            case IntentParsed():
                self.parsed = event.parsed
            case QuestionAsked() | ApprovalRequested() | ApprovalAnswered():
                self._talk(event)
            case PlanMade():
                self.done = _still_valid(self.results, event.graph)
                self.graph, self.is_complete = event.graph, event.is_complete
            case SubtaskFinished():
                self.done.add(event.subtask)
                self._use_up(event.subtask)
                if self.graph is not None and event.subtask in self.graph.by_id:
                    self.results[event.subtask] = self.graph.by_id[event.subtask]
            case AttemptFailed() if event.subtask in self.done and event.problem.code == WrongResult.code:
                self._withdraw(event.subtask)
            case NodesFound():
                self.offers = event.offers
            case ScheduleMade():
                self.schedule = event.schedule
            case RunFinished():
                self.finished = event
            case _:
                pass

    def _time(self, event: RunEvent) -> None:
        if self.timed_from is None or (isinstance(event, RunStarted) and "deadline" in event.limits):
            self.timed_from, self.asked_at = event.at, None
        if isinstance(event, QuestionAsked | ApprovalRequested):
            self.asked_at = event.at
        elif self.asked_at is not None and not isinstance(event, RunStarted | RunFinished):
            self.timed_from += max(0.0, event.at - self.asked_at)
            self.asked_at = None

    def _start(self, event: RunStarted) -> None:
        self.intent, self.started_at, self.finished = event.intent, event.at, None
        self.is_resumed = event.resumed
        self.limits |= event.limits

    def _talk(self, event: QuestionAsked | ApprovalRequested | ApprovalAnswered) -> None:
        match event:
            case QuestionAsked():
                self.question, self.approval = event, None
            case ApprovalRequested():
                self.approval = event
            case ApprovalAnswered():
                self.approval = None if event.by == "answer" else self.approval
                if event.agreed:
                    self.may_use_others |= bool(event.others)
                    for step in event.steps:
                        self.approved[step.digest] = max(step.price, self.approved.get(step.digest, 0))
                        self._agreed[step.subtask] = step.digest

    def _use_up(self, subtask: SubtaskId) -> None:
        """An agreement is to have it done once: where its result is withdrawn, it is asked for again."""
        if (digest := self._agreed.pop(subtask, None)) is not None:
            self.approved.pop(digest, None)
            self.used.add(digest)

    def _withdraw(self, subtask: SubtaskId) -> None:
        """Forget a result that was found to be wrong, and all that was made of it."""
        wrong = self.graph.built_on(subtask) if self.graph else frozenset({subtask})
        self.done -= wrong
        self.results = {name: done for name, done in self.results.items() if name not in wrong}

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
