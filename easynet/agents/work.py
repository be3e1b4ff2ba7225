"""One run at work: what its steps share, and how a step ends one."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any, Protocol

from langchain_core.tools import BaseTool
from langgraph.runtime import Runtime
from langgraph.types import Command
from typing_extensions import TypedDict

from easynet.agents.approved_runner import ApprovedRunner
from easynet.agents.reporter import Ending, Reporter
from easynet.agents.run_memory import RunMemory
from easynet.agents.run_planner import RunPlanner
from easynet.core.artifact import Artifact
from easynet.core.capability import Capability
from easynet.core.clock import Clock
from easynet.core.errors import EasyNetError, Infeasible, InputNeeded, OverBudget
from easynet.core.events import Problem, Question, QuestionAsked, RunEvent, RunFinished, Status
from easynet.core.ids import CapabilityName, SubtaskId
from easynet.core.privacy import Labels, labels
from easynet.core.schedule import Schedule
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.execution.journal import Journal
from easynet.execution.outcome import problem_of
from easynet.execution.run_log import RunLog
from easynet.execution.steering import Steering
from easynet.planners.planner import Planner

MAX_REPLANS = 5
"""How often one run may plan anew before it ends."""

Links = frozenset[tuple[CapabilityName, CapabilityName]]


class State(TypedDict, total=False):
    """What the checkpoint keeps besides the position: answers, and how the run is about to end."""

    answers: dict[str, Any]
    """By the name of the intent's input."""
    asked: list[str]
    """The inputs that are answers to questions."""
    files: dict[str, Any]
    """Input files that were taken in, as artifacts: a resumed run does not need the originals."""
    question: dict[str, Any]
    approved: bool
    """Of runs begun by older versions: agreed that nodes of others see the data. Now an event says so."""
    failures: list[dict[str, Any]]
    """What failed for good since the run was started or resumed; a new plan does without it."""
    is_broken: bool
    """The present plan failed, and there is no other one yet."""
    status: Status
    problem: dict[str, Any] | None


class Catalogue(Protocol):
    """What the network offers; a client of a gateway is one."""

    async def capabilities(self) -> "list[Capability]": ...

    async def upload(self, path: Path) -> Artifact: ...


async def _forgotten(events: Sequence[RunEvent], catalogue: Sequence[Capability]) -> None:
    """What becomes of a run where nobody learns from it."""


@dataclass(frozen=True)
class Services:
    """Everything that the steps need from other rooms."""

    planner: Planner
    catalogue: Catalogue
    discovery: BaseTool
    schedule: Callable[..., Schedule]
    journal: Journal
    decode: Callable[[bytes], Any]
    reporter: Reporter
    clock: Clock
    steering: Steering = field(default_factory=Steering)
    """What is known of nodes; shared by all runs."""
    links: Callable[[Sequence[Capability]], Links] = lambda _: frozenset()
    """The observed tool graph of a catalogue."""
    remember: Callable[[Sequence[RunEvent], Sequence[Capability]], Awaitable[None]] = _forgotten
    """Takes the events of a run that has ended, and what was offered; never fails."""
    max_replans: int = MAX_REPLANS


@dataclass(frozen=True)
class Work:
    """One run at work."""

    services: Services
    log: RunLog
    memory: RunMemory
    runner: ApprovedRunner
    auto_approve: bool
    """The user agreed beforehand that nodes of others see the data; and to nothing else."""
    approve: frozenset[str] = frozenset()
    """The functions that the user agreed to by their names, although they need it each time."""

    @property
    def planner(self) -> RunPlanner:
        return RunPlanner(self.services.planner, self.log, self.memory, lambda: self.time_left_s)

    def stored_results(self) -> dict[SubtaskId, bytes]:
        """The results of the present plan that are in the journal, encoded."""
        stored = self.services.journal.results(self.log.run_id)
        return {subtask: data for subtask, data in stored.items() if subtask in self.memory.done}

    def results(self) -> dict[SubtaskId, Any]:
        """The same, decoded as far as the control process needs."""
        return {subtask: self.services.decode(data) for subtask, data in self.stored_results().items()}

    @property
    def plan(self) -> TaskGraph:
        assert self.memory.graph is not None, "no step after `plan` runs without a plan"
        return self.memory.graph

    @property
    def labels(self) -> Labels:
        """How private the arguments of each subtask of the plan are."""
        assert self.memory.parsed is not None, "no step before `parse` has a plan"
        return labels(self.plan, self.memory.parsed, self.memory.catalogue)

    @property
    def left(self) -> tuple[Subtask, ...]:
        """The subtasks of the plan whose results are not there yet."""
        return tuple(s for s in self.plan.subtasks if s.id not in self.memory.done)

    @property
    def deadline_at(self) -> float | None:
        """Unix seconds; `None` where there is no deadline. A resumed run has the time that it had left.

        While the user is asked, the time stands still.
        """
        limit_s = self.memory.parsed.requirements.deadline_s if self.memory.parsed else None
        since = self.memory.timed_from
        return None if limit_s is None or since is None else since + limit_s

    @property
    def time_left_s(self) -> float | None:
        """Seconds until the deadline; `None` where there is none."""
        at = self.deadline_at
        return None if at is None else max(0.0, at - self.services.clock.now())


_SET_BY_LOG = frozenset({"kind", "run_id", "seq", "at"})


class Step(Protocol):
    """A node of the orchestrator's graph."""

    def __call__(self, state: State, *, runtime: Runtime[Work]) -> Awaitable[Command[str]]: ...


def step(function: Step) -> Step:
    """A step whose EasyNet errors become the end of the run instead of an exception, or a question."""

    @wraps(function)
    async def guarded(state: State, *, runtime: Runtime[Work]) -> Command[str]:
        try:
            return await function(state, runtime=runtime)
        except InputNeeded as needed:
            return ask(
                runtime.context, Question(name=needed.name, text=needed.message, choices=needed.choices)
            )
        except EasyNetError as error:
            return end(_status_of(error), problem_of(error, runtime.context.memory.language))

    return guarded


def _status_of(error: EasyNetError) -> Status:
    if isinstance(error, OverBudget):
        return "over_budget"
    return "infeasible" if isinstance(error, Infeasible) else "failed"


def chosen(answer: str, choices: Sequence[str]) -> str | None:
    """The choice that an answer means; capitals and spaces around it do not matter."""
    return next((c for c in choices if c.strip().casefold() == answer.strip().casefold()), None)


def mentioned(choices: Sequence[str], text: str) -> str | None:
    """The one choice that a sentence names, if it names just one."""
    named = [c for c in choices if re.search(_as_word(c.strip().casefold()), text.casefold())]
    return named[0] if len(named) == 1 else None


def _as_word(choice: str) -> str:
    """A pattern for a choice that stands alone; Chinese has no spaces to stand between."""
    edge = r"(?:^|$|(?<![a-z0-9_])(?=[a-z0-9_])|(?<=[a-z0-9_])(?![a-z0-9_]))" if choice.isascii() else ""
    return f"{edge}{re.escape(choice)}{edge}"


def end(
    status: Status, problem: Problem | None = None, update: Mapping[str, Any] | None = None
) -> Command[str]:
    """Go to the report with this ending."""
    dumped = problem.model_dump() if problem else None
    return Command(goto="report", update={**(update or {}), "status": status, "problem": dumped})


def ask(work: Work, question: Question, update: Mapping[str, Any] | None = None) -> Command[str]:
    """Ask the user, and go where the answer is waited for; unless the sentence says it already."""
    parsed = work.memory.parsed
    said = mentioned(question.choices, work.memory.intent.text)
    if parsed is not None and said is not None and question.name not in parsed.inputs:
        return Command(
            goto="parse", update={**(update or {}), "answers": {**parsed.inputs, question.name: said}}
        )
    work.log.emit(QuestionAsked, question=question)
    return Command(goto="clarify", update={**(update or {}), "question": question.model_dump()})


async def finish(work: Work, status: Status, problem: Problem | None) -> None:
    """Put the run's last event into the journal, after what it names has been written.

    What was begun of a plan that nothing came of is given up first.

    Where that cannot be written, a run that had succeeded ends `failed` and says why; resuming it writes
    its files without doing its work again.
    """
    await work.runner.abandon()
    ending = Ending(status, problem, work.services.clock.now())
    reporter = work.services.reporter
    try:
        draft = await reporter.finish(work.log.run_id, work.memory, work.results(), ending)
    except EasyNetError as error:
        status = "failed" if status == "succeeded" else status
        problem = problem_of(error, work.memory.language)
        draft = reporter.bare(work.log.run_id, work.memory, replace(ending, status=status), problem)
    work.log.emit(RunFinished, **{name: value for name, value in draft if name not in _SET_BY_LOG})
