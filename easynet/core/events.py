"""What happened during a run, in order: one union of frozen facts that every face folds.

`seq` counts from 0 without gaps within a run; `run_finished` comes last, exactly once; folding a run's
events gives its `RunResult` (`easynet.core.result`).
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter

from easynet.core.artifact import Artifact
from easynet.core.capability import Capability, Value
from easynet.core.ids import CapabilityName, NodeId, RunId, SubtaskId
from easynet.core.intent import Intent, ParsedIntent
from easynet.core.offer import Offer
from easynet.core.relaxation import Relaxation
from easynet.core.schedule import Schedule
from easynet.core.task_graph import TaskGraph

PlanStatus = Literal["planned", "needs_input", "unsupported", "infeasible", "timed_out"]
"""`infeasible`: there are plans, and none meets the constraints. `timed_out`: none was found in time."""
Status = Literal["succeeded", "failed", "cancelled", "needs_input", "infeasible", "over_budget"]


class Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    run_id: RunId
    seq: int = Field(ge=0)
    """0, 1, 2 ... with no gaps within a run."""
    at: float
    """Unix seconds, from the run's clock."""


class Problem(Value):
    """An error as data."""

    code: str
    message: str
    hint: str = ""
    relaxations: tuple[Relaxation, ...] = ()
    """Where limits are in the way: those that would do, each on its own, the least change first."""


class Question(Value):
    """Something that only the user can say."""

    name: str
    """The intent's input that the answer becomes."""
    text: str
    choices: tuple[str, ...] = ()


class PassedOver(Value):
    """A planner that was asked first and did not serve."""

    planner: str
    status: PlanStatus
    why: str
    """In the user's language."""
    model: str = ""
    """The language model that it asks, where it asks one."""


class RunStarted(Event):
    """A run began, or went on after an interruption."""

    kind: Literal["run_started"] = "run_started"
    intent: Intent
    version: str
    """Of EasyNet."""
    resumed: bool = False
    gateway: str = ""
    """Where it runs; empty on an embedded network."""
    limits: dict[str, str | int | float] = Field(default_factory=dict)
    """Constraints that take the place of the intent's from now on. A deadline among them counts from here."""


class IntentParsed(Event):
    """The intent was understood."""

    kind: Literal["intent_parsed"] = "intent_parsed"
    parsed: ParsedIntent


class QuestionAsked(Event):
    """The run cannot go on without an answer."""

    kind: Literal["question_asked"] = "question_asked"
    question: Question


class PlanMade(Event):
    """A plan passed the validator, or as much of it as is known."""

    kind: Literal["plan_made"] = "plan_made"
    graph: TaskGraph
    planner: str
    """Which planner made it."""
    similar_runs: int = 0
    """How many similar past runs had this plan, where it was planned from past runs."""
    passed_over: tuple[PassedOver, ...] = ()
    """The planners that were asked before, in order."""
    assumed: dict[str, JsonValue] = Field(default_factory=dict)
    """What the user did not give and is as in earlier runs, by the input that would take its place."""
    titles: dict[CapabilityName, str]
    """What each capability does, in the user's language."""
    caveats: tuple[str, ...] = ()
    """What the plan does not do although the words asked for it."""
    irreversible: tuple[CapabilityName, ...] = ()
    """The capabilities whose effects cannot be undone."""
    is_complete: bool = True
    """False while the planner goes on: a plan that holds these subtasks and more follows, if any does."""


class NodesFound(Event):
    """The registry was asked who can do the subtasks."""

    kind: Literal["nodes_found"] = "nodes_found"
    offers: dict[CapabilityName, tuple[Offer, ...]]
    capabilities: tuple[Capability, ...] = ()
    """The plan's functions, as they were offered; none in older runs."""


class ScheduleMade(Event):
    """The plan has a price and a time."""

    kind: Literal["schedule_made"] = "schedule_made"
    schedule: Schedule


class StepToApprove(Value):
    """A step that runs only once a person has agreed to it, as it is to run."""

    subtask: SubtaskId
    capability: CapabilityName
    digest: str
    """Of what it calls on what: a step that differs in any of it has another one."""
    price: int
    """Credits that it costs at most."""
    nodes: tuple[NodeId, ...] = ()
    """Who may do it at that price, the likeliest first."""
    why: tuple[Literal["irreversible", "price", "again"], ...]
    """Its effect cannot be undone; it costs more than may be spent without asking; it was done before, and
    what came of it does not count any longer."""


class ApprovalRequested(Event):
    """Somebody has to agree before the plan runs."""

    kind: Literal["approval_requested"] = "approval_requested"
    question: Question
    price: int
    """Credits."""
    steps: tuple[StepToApprove, ...] = ()
    """The steps that need it by themselves, and were not agreed to before."""
    others: tuple[NodeId, ...] = ()
    """The nodes that are not the user's own and may see the data."""


class ApprovalAnswered(Event):
    """Somebody agreed to what was asked for, or did not."""

    kind: Literal["approval_answered"] = "approval_answered"
    agreed: bool
    steps: tuple[StepToApprove, ...] = ()
    others: tuple[NodeId, ...] = ()
    by: Literal["answer", "name"] = "answer"
    """`answer`: to the question; `name`: whoever started the run had named these functions beforehand."""


class AttemptStarted(Event):
    """A subtask was sent to a node."""

    kind: Literal["attempt_started"] = "attempt_started"
    subtask: SubtaskId
    attempt: int
    """1 for the first."""
    node: NodeId
    reason: Literal["first", "retry", "hedge", "opinion"] = "first"
    """`hedge`: another attempt is slow, and the first to end counts. `opinion`: its result is compared with
    that of another node."""


class AttemptProgressed(Event):
    """A subtask said how far it is."""

    kind: Literal["attempt_progressed"] = "attempt_progressed"
    subtask: SubtaskId
    attempt: int
    fraction: float | None
    message: str


class AttemptFailed(Event):
    """A subtask did not succeed on a node."""

    kind: Literal["attempt_failed"] = "attempt_failed"
    subtask: SubtaskId
    attempt: int
    node: NodeId
    problem: Problem
    will_retry: bool


class AttemptCancelled(Event):
    """An attempt was given up while it ran, and its node told."""

    kind: Literal["attempt_cancelled"] = "attempt_cancelled"
    subtask: SubtaskId
    attempt: int
    node: NodeId
    why: Literal["superseded", "stopped"]
    """`superseded`: another attempt was faster; `stopped`: the run was."""


class SubtaskFinished(Event):
    """A subtask's result is in the journal."""

    kind: Literal["subtask_finished"] = "subtask_finished"
    subtask: SubtaskId
    node: NodeId
    attempt: int
    duration_s: float
    confirmed_by: tuple[NodeId, ...] = ()
    """Nodes that came to the same result, where their opinion was sought."""


class Replanned(Event):
    """What failed was planned anew; finished subtasks stay. The new plan follows."""

    kind: Literal["replanned"] = "replanned"
    reason: str
    keeps: tuple[SubtaskId, ...]
    """The finished subtasks that the new plan still needs."""
    failed: SubtaskId | None = None
    """The subtask that ended the old plan."""
    how: Literal["other_nodes", "substitute", "other_chain", "new_plan"] | None = None
    """What the new plan changes, from little to all that is not finished; unknown in older runs."""
    adds: tuple[SubtaskId, ...] = ()
    """The subtasks that are new in it."""


class ModelAnswered(Event):
    """A language model was asked for this run, and what that took."""

    kind: Literal["model_answered"] = "model_answered"
    model: str
    purpose: str
    """What it was asked for: `plan` or `repair`."""
    input_tokens: int = 0
    """All that it read, from its cache as well."""
    cached_tokens: int = 0
    """Of these, read from its provider's cache."""
    output_tokens: int = 0
    price: int | None = None
    """Credits; None where the model's price is not known."""


class ModelFellBack(Event):
    """A language model did not serve, and the offline planner took over."""

    kind: Literal["model_fell_back"] = "model_fell_back"
    model: str
    reason: str


class MoneyReserved(Event):
    """Credits were set aside for an attempt, before it was sent."""

    kind: Literal["money_reserved"] = "money_reserved"
    subtask: SubtaskId
    attempt: int
    amount: int


class MoneySettled(Event):
    """A reservation ended: `paid` credits went to the node, the rest came back."""

    kind: Literal["money_settled"] = "money_settled"
    subtask: SubtaskId
    attempt: int
    paid: int
    returned: int


class RunFinished(Event):
    """The run ended. The last event, exactly once."""

    kind: Literal["run_finished"] = "run_finished"
    status: Status
    problem: Problem | None = None
    headline: tuple[str, ...] = ()
    """The result in a few lines; the first names the data that was used."""
    metrics: dict[str, float] = Field(default_factory=dict)
    outputs: dict[SubtaskId, JsonValue] = Field(default_factory=dict)
    """The results asked for, where they are small plain data."""
    files: dict[str, Artifact] = Field(default_factory=dict)
    """Files made, by name."""
    folder: str = ""
    """Where the files and `report.html` were written."""
    duration_s: float = 0.0


RunEvent = Annotated[
    RunStarted
    | IntentParsed
    | QuestionAsked
    | PlanMade
    | NodesFound
    | ScheduleMade
    | ApprovalRequested
    | ApprovalAnswered
    | AttemptStarted
    | AttemptProgressed
    | AttemptFailed
    | AttemptCancelled
    | SubtaskFinished
    | Replanned
    | ModelAnswered
    | ModelFellBack
    | MoneyReserved
    | MoneySettled
    | RunFinished,
    Field(discriminator="kind"),
]

RUN_EVENT: TypeAdapter[RunEvent] = TypeAdapter(RunEvent)
"""Reads and writes events as JSON."""


def paid_by(event: RunEvent) -> int:
    """The credits that were paid, as this event tells: to a node, or for a language model."""
    match event:
        case MoneySettled():
            return event.paid
        case ModelAnswered():
            return event.price or 0
        case _:
            return 0
