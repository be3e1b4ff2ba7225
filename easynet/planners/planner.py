"""What a planner is asked, what it answers, and the protocol of those who plan."""

from collections.abc import AsyncGenerator
from functools import cached_property
from typing import Protocol, runtime_checkable

from pydantic import Field, JsonValue

from easynet.core.capability import Capability, Value
from easynet.core.events import PassedOver, PlanStatus, Question
from easynet.core.ids import CapabilityName
from easynet.core.intent import ParsedIntent
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.llm.language_model import Usage

LANGUAGE_INPUT = "language"
"""The input that the network itself always offers: "en" or "zh"."""


class PlanRequest(Value):
    """An understood intent, and what the network can do."""

    parsed: ParsedIntent
    goal: str = ""
    """The intent's short goal; where it is the name of a capability, that one is meant."""
    catalogue: tuple[Capability, ...]
    """All that the network offers, with what is to be avoided."""
    avoid: tuple[CapabilityName, ...] = ()
    """Capabilities that failed in this run. Steps that support the goal are planned around them; where one
    of them is the goal itself, the request is unsupported, because what looks alike may do something else."""
    links: frozenset[tuple[CapabilityName, CapabilityName]] = frozenset()
    """The observed tool graph: pairs of which the second has been seen to read what the first gives."""

    @property
    def input_names(self) -> frozenset[str]:
        """The inputs that the user gave."""
        return frozenset(self.parsed.inputs)

    @cached_property
    def by_name(self) -> dict[CapabilityName, Capability]:
        return {c.name: c for c in self.catalogue}


class Alternative(Value):
    """A sound plan that was considered and not chosen."""

    graph: TaskGraph
    score: float
    """How good the planner held it to be, on the scale of the result's own `score`."""


class ModelCall(Value):
    """A language model's answer, or what a failed call took all the same."""

    model: str
    """As users choose it."""
    purpose: str
    """Which prompt it was asked with: `plan` or `repair`."""
    usage: Usage
    credits: int | None = None
    """What it adds to the cost of all calls for this plan; None where the model's price is not known."""


class PlanResult(Value):
    """A plan, or what stands in its way."""

    status: PlanStatus
    planner: str
    """Which planner served."""
    graph: TaskGraph | None = None
    """Only where `status` is `planned`."""
    score: float | None = None
    """How good the planner holds its plan to be, where it compares plans."""
    alternatives: tuple[Alternative, ...] = ()
    """What else was considered, best first."""
    passed_over: tuple[PassedOver, ...] = ()
    """The planners that were asked before, in order."""
    similar_runs: int = 0
    """How many similar past runs had this plan, where it was planned from past runs."""
    found_inputs: dict[str, JsonValue] = Field(default_factory=dict)
    """Inputs that were read from the words, such as a file that they name. The graph takes them from the
    intent (`FromInput`) by these names, so that they have to be added to the intent's inputs."""
    assumed: dict[str, JsonValue] = Field(default_factory=dict)
    """What the words do not say and is as in earlier runs, by the input that would take its place: found
    inputs, and words or yes or no written into the graph."""
    caveats: tuple[str, ...] = ()
    """What the plan does not do although the words asked for it, in the user's language."""
    question: Question | None = None
    """Only where `status` is `needs_input`."""
    nearest: tuple[CapabilityName, ...] = ()
    """The capabilities closest to what was asked, best first."""
    why: str = ""
    """Why it was decided so, as a sentence."""
    model: str = ""
    """The language model that this planner asks, where it asks one."""
    model_calls: tuple[ModelCall, ...] = ()
    """What was asked of language models, in order, by the planners that were passed over as well."""


class Planner(Protocol):
    """Makes a task graph from an intent."""

    async def plan(self, request: PlanRequest) -> PlanResult:
        """Plan with the capabilities of the request's catalogue only, and without those to be avoided.

        Raises UnknownInput where the user gave an input that no part of the plan takes.
        """
        ...


@runtime_checkable
class StreamingPlanner(Planner, Protocol):
    """A planner whose plans can be begun before they are complete."""

    def stream(self, request: PlanRequest) -> AsyncGenerator[Subtask | PlanResult]:
        """The subtasks of a plan as soon as each is known, then the result, which is the last item.

        Each subtask fits the catalogue, reads only subtasks that came before it, and only inputs that the
        user gave. A result with a graph either has all of them, unchanged, among others, or is another
        plan; one without says that nothing came of it. Closing the generator ends the planning.
        """
        ...


class NonePlanned(Exception):
    """Which planners were passed over before the last one raised: the cause of its error."""

    def __init__(self, passed_over: tuple[PassedOver, ...], model_calls: tuple[ModelCall, ...]) -> None:
        super().__init__("; ".join(f"{p.planner}: {p.why}" for p in passed_over))
        self.passed_over = passed_over
        self.model_calls = model_calls
