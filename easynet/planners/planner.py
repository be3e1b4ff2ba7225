"""What a planner is asked, what it answers, and the protocol of those who plan."""

from typing import Literal, Protocol

from pydantic import Field, JsonValue

from easynet.core.capability import Capability, Value
from easynet.core.events import Question
from easynet.core.ids import CapabilityName
from easynet.core.intent import ParsedIntent
from easynet.core.task_graph import TaskGraph

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


PlanStatus = Literal["planned", "needs_input", "unsupported", "infeasible", "timed_out"]
"""`infeasible`: there are plans, and none meets the constraints. `timed_out`: none was found in time."""


class Alternative(Value):
    """A sound plan that was considered and not chosen."""

    graph: TaskGraph
    score: float
    """How good the planner held it to be, on the scale of the result's own `score`."""


class PassedOver(Value):
    """A planner that was asked first and did not serve."""

    planner: str
    status: PlanStatus
    why: str


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
    found_inputs: dict[str, JsonValue] = Field(default_factory=dict)
    """Inputs that were read from the words, such as a file that they name. The graph takes them from the
    intent (`FromInput`) by these names, so that they have to be added to the intent's inputs."""
    caveats: tuple[str, ...] = ()
    """What the plan does not do although the words asked for it, in the user's language."""
    question: Question | None = None
    """Only where `status` is `needs_input`."""
    nearest: tuple[CapabilityName, ...] = ()
    """The capabilities closest to what was asked, best first."""
    why: str = ""
    """Why it was decided so, as a sentence."""


class Planner(Protocol):
    """Makes a task graph from an intent."""

    async def plan(self, request: PlanRequest) -> PlanResult:
        """Plan with the capabilities of the request's catalogue only, and without those to be avoided.

        Raises UnknownInput where the user gave an input that no part of the plan takes.
        """
        ...
