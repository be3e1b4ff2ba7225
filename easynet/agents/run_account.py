"""What happened to each step of a run: the fold of its events that the report page and the terminal share."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self, assert_never

from pydantic import JsonValue

from easynet.agents.run_step import State, Step
from easynet.core.errors import InputNeeded
from easynet.core.events import (
    ApprovalAnswered,
    ApprovalRequested,
    AttemptCancelled,
    AttemptFailed,
    AttemptProgressed,
    AttemptStarted,
    IntentParsed,
    ModelAnswered,
    ModelFellBack,
    MoneyReserved,
    MoneySettled,
    NodesFound,
    PassedOver,
    PlanMade,
    Question,
    QuestionAsked,
    Replanned,
    RunEvent,
    RunFinished,
    RunStarted,
    ScheduleMade,
    SubtaskFinished,
)
from easynet.core.ids import CapabilityName, NodeId, RunId, SubtaskId
from easynet.core.language import Language
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph

_UNNAMED = RunId("")


@dataclass
class RunAccount:
    """A run as far as its events tell it."""

    run_id: RunId = _UNNAMED
    version: str = ""
    goal: str = ""
    """The user's words."""
    language: Language = "en"
    started_at: float | None = None
    """Unix seconds."""
    now_s: float = 0.0
    """Seconds worked on the run so far; pauses between an interruption and its resumption do not count."""
    breaks_s: list[float] = field(default_factory=list[float])
    """When, on that clock, the run was interrupted."""
    graph: TaskGraph | None = None
    is_complete: bool = True
    """The plan is; False while its planner goes on, or where that came to no end."""
    caveats: tuple[str, ...] = ()
    planner: str = ""
    similar_runs: int = 0
    """How many similar past runs had the plan, where it came from past runs."""
    passed_over: tuple[PassedOver, ...] = ()
    assumed: dict[str, JsonValue] = field(default_factory=dict[str, JsonValue])
    """Values taken as in earlier runs, by the input that would take their place."""
    schedule: Schedule | None = None
    steps: dict[SubtaskId, Step] = field(default_factory=dict[SubtaskId, Step])
    model_calls: list[ModelAnswered] = field(default_factory=list[ModelAnswered])
    """What language models were asked for."""
    question: Question | None = None
    """Asked last and not answered yet, as far as the events show."""
    approval: ApprovalRequested | None = None
    """The question is whether to go ahead with the plan: this is what that is about."""
    finished: RunFinished | None = None
    _at: float = 0.0
    _titles: dict[CapabilityName, str] = field(default_factory=dict[CapabilityName, str])

    @classmethod
    def of(cls, events: Iterable[RunEvent]) -> Self:
        account = cls()
        for event in events:
            account.add(event)
        return account

    @property
    def current(self) -> list[Step]:
        """The steps of the plan as it stands."""
        return [s for s in self.steps.values() if s.is_current]

    @property
    def nodes(self) -> tuple[NodeId, ...]:
        """The nodes in use, in order of first use."""
        return tuple(dict.fromkeys(s.node for s in self.steps.values() if s.node))

    @property
    def estimate(self) -> int:
        """Credits that the whole plan is expected to cost: the sum over its steps."""
        return sum(s.estimate or 0 for s in self.current)

    @property
    def paid(self) -> int:
        """Credits, to nodes and for language models."""
        return sum(s.paid for s in self.steps.values()) + self.paid_for_models

    @property
    def paid_for_models(self) -> int:
        return sum(call.price or 0 for call in self.model_calls)

    def count(self, state: State) -> int:
        return sum(s.state == state for s in self.current)

    def step(self, subtask: SubtaskId) -> Step:
        return self.steps.setdefault(subtask, Step(subtask, subtask))

    def add(self, event: RunEvent) -> None:
        """The account knows one event more."""
        self._advance(event)
        match event:
            case RunStarted() | IntentParsed() | PlanMade() | ScheduleMade() | RunFinished():
                self._learn(event)
            case QuestionAsked() | ApprovalRequested():
                self.question = event.question
                self.approval = event if isinstance(event, ApprovalRequested) else None
            case ApprovalAnswered():
                self._answered()
            case (
                AttemptStarted()
                | AttemptProgressed()
                | AttemptFailed()
                | AttemptCancelled()
                | SubtaskFinished()
                | MoneyReserved()
                | MoneySettled()
            ):
                self._answered()
                self._follow(event, self.step(event.subtask))
            case ModelAnswered():
                self.model_calls.append(event)
            case NodesFound() | Replanned() | ModelFellBack():
                pass
            case _:
                assert_never(event)

    def _advance(self, event: RunEvent) -> None:
        if self.started_at is None:
            self.run_id, self.started_at = event.run_id, event.at
        elif isinstance(event, RunStarted):
            self.breaks_s.append(self.now_s)
        else:
            self.now_s += max(0.0, event.at - self._at)
            self._at = max(self._at, event.at)
            return
        self._at = event.at

    def _learn(self, event: RunStarted | IntentParsed | PlanMade | ScheduleMade | RunFinished) -> None:
        match event:
            case RunStarted():
                self.version, self.goal = event.version, event.intent.text
                self.language = event.intent.language
                self.stop()
            case IntentParsed():
                self.language = event.parsed.language
                self._answered()
            case PlanMade():
                self._plan(event)
            case ScheduleMade():
                self.schedule = event.schedule
                for assignment in event.schedule.assignments:
                    self.step(assignment.subtask).planned = assignment
            case RunFinished():
                self.finished = event
                self.stop()

    def _plan(self, event: PlanMade) -> None:
        self.graph, self.planner, self.caveats = event.graph, event.planner, event.caveats
        self.similar_runs, self.passed_over = event.similar_runs, event.passed_over
        self.assumed = event.assumed
        self.is_complete = event.is_complete
        self._titles |= event.titles
        before, self.steps = self.steps, {}
        for subtask in event.graph.subtasks:
            step = before.pop(subtask.id, None) or Step(subtask.id, subtask.id)
            step.capability, step.is_current = subtask.capability, True
            step.is_irreversible = subtask.capability in event.irreversible
            step.description = self._titles.get(subtask.capability) or subtask.capability
            self.steps[subtask.id] = step
        for step in before.values():
            if step.sent:
                step.is_current = False
                self.steps[step.id] = step

    def _follow(
        self,
        event: AttemptStarted
        | AttemptProgressed
        | AttemptFailed
        | AttemptCancelled
        | SubtaskFinished
        | MoneyReserved
        | MoneySettled,
        step: Step,
    ) -> None:
        attempt = step.attempt(event.attempt)
        match event:
            case AttemptStarted():
                attempt.node, attempt.started_s, attempt.outcome = event.node, self.now_s, "running"
                attempt.reason = event.reason
            case AttemptProgressed():
                attempt.fraction, attempt.message = event.fraction, event.message
            case AttemptFailed():
                attempt.node, attempt.problem, attempt.will_retry = (
                    event.node,
                    event.problem,
                    event.will_retry,
                )
                attempt.started_s = self.now_s if attempt.outcome == "prepared" else attempt.started_s
                attempt.end(self.now_s, "asked" if event.problem.code == InputNeeded.code else "failed")
            case AttemptCancelled():
                attempt.end(self.now_s, event.why)
            case SubtaskFinished():
                attempt.node, step.duration_s = event.node, event.duration_s
                if attempt.outcome == "prepared":
                    attempt.started_s = max(0.0, self.now_s - event.duration_s)
                attempt.end(self.now_s, "succeeded")
                step.close(self.now_s, "superseded", event.confirmed_by)
            case MoneyReserved():
                attempt.reserved = event.amount
            case MoneySettled():
                attempt.paid, attempt.returned = event.paid, event.returned

    def _answered(self) -> None:
        if self.question is not None:
            self.question = None
            for step in self.steps.values():
                step.answer()

    def stop(self) -> None:
        """Nobody works on the run any longer: an attempt without an end is stopped."""
        for step in self.steps.values():
            step.close(self.now_s, "stopped")
