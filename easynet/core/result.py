"""How a run ended: a fold of its events."""

from collections.abc import Iterable
from pathlib import Path

from pydantic import Field, JsonValue

from easynet.core.capability import Value
from easynet.core.events import (
    AttemptStarted,
    PlanMade,
    Problem,
    QuestionAsked,
    RunEvent,
    RunFinished,
    Status,
    paid_by,
)
from easynet.core.ids import RunId, SubtaskId
from easynet.core.task_graph import TaskGraph


class RunResult(Value):
    """One execution, finished."""

    run_id: RunId
    status: Status
    headline: tuple[str, ...] = ()
    """The result in a few lines; the first names the data that was used."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """Measured on data that was not used for any choice."""
    outputs: dict[SubtaskId, JsonValue] = Field(default_factory=dict)
    """Small results, by subtask."""
    files: dict[str, Path] = Field(default_factory=dict)
    """Where the files were written, by name."""
    report: Path | None = None
    """The HTML report."""
    problem: Problem | None = None
    questions: tuple[str, ...] = ()
    """What was asked and not answered."""
    cost: int = 0
    """Credits paid, to nodes and for language models."""
    attempts: int = 0
    duration_s: float = 0.0
    plan: TaskGraph | None = None
    is_plan_complete: bool = True
    """False where the run ended while its planner went on: `plan` is what there was of it."""

    @property
    def ok(self) -> bool:
        return self.status == "succeeded"

    @property
    def output(self) -> JsonValue:
        """The one small result, or `None` where there are several or none."""
        return next(iter(self.outputs.values())) if len(self.outputs) == 1 else None


def replay(events: Iterable[RunEvent]) -> RunResult:
    """The result that a run's events come to.

    Raises ValueError where the events do not end in exactly one `run_finished` or have gaps.
    """
    cost = attempts = 0
    plan: TaskGraph | None = None
    is_plan_complete = True
    asked: list[str] = []
    last: RunFinished | None = None
    for expected, event in enumerate(events):
        if last is not None or event.seq != expected:
            raise ValueError(f"event {event.seq} ({event.kind}) where {expected} was due")
        cost += paid_by(event)
        match event:
            case PlanMade():
                plan, is_plan_complete = event.graph, event.is_complete
            case AttemptStarted():
                attempts += 1
            case QuestionAsked():
                asked.append(event.question.text)
            case RunFinished():
                last = event
            case _:
                pass
    if last is None:
        raise ValueError("the run has not finished")
    folder = Path(last.folder) if last.folder else None
    return RunResult(
        run_id=last.run_id,
        status=last.status,
        headline=last.headline,
        metrics=last.metrics,
        outputs=last.outputs,
        files={name: folder / name for name in last.files} if folder else {},
        report=folder / "report.html" if folder else None,
        problem=last.problem,
        questions=tuple(asked) if last.status == "needs_input" else (),
        cost=cost,
        attempts=attempts,
        duration_s=last.duration_s,
        plan=plan,
        is_plan_complete=is_plan_complete,
    )
