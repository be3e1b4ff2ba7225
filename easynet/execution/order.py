"""What an execution is to do, and within which bounds."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from easynet.core.capability import Capability
from easynet.core.ids import CapabilityName, NodeId, SubtaskId
from easynet.core.language import Language
from easynet.core.offer import Offer
from easynet.core.privacy import Labels
from easynet.core.schedule import Schedule
from easynet.core.task_graph import Subtask, TaskGraph
from easynet.execution.budget import Budget
from easynet.execution.history import History
from easynet.execution.state import MAX_ATTEMPTS, Rules, State, state_of


@dataclass(frozen=True)
class Order:
    """What there is to do, and within which bounds."""

    graph: TaskGraph
    capabilities: Mapping[CapabilityName, Capability]
    inputs: Mapping[str, Any]
    offers: Mapping[CapabilityName, Sequence[Offer]]
    schedule: Schedule
    budget: Budget
    deadline_at: float | None
    history: History
    avoid: Collection[tuple[NodeId, CapabilityName]] = ()
    """Offers that failed in this run; they are not turned to, even where they are found again."""
    confirm: bool = False
    """A result of a node that is not trusted is asked of another one, too."""
    attempts: int = MAX_ATTEMPTS
    """How often a subtask is tried at most."""
    labels: Labels = field(default_factory=dict)
    """How private the arguments of each subtask are; those that are not named here are not."""

    def once(self, subtasks: Iterable[Subtask]) -> frozenset[SubtaskId]:
        """Those that must not run twice."""
        return frozenset(s.id for s in subtasks if not self.capabilities[s.capability].idempotent)

    def uncertain(self, subtasks: Iterable[Subtask]) -> frozenset[SubtaskId]:
        """Those that may have run already."""
        return frozenset(s.id for s in subtasks if self.history.may_have_run(s))

    def state(self, language: Language, done: Collection[SubtaskId], *, is_complete: bool) -> State:
        """Where its execution begins, where some subtasks have results already."""
        return state_of(
            self.graph,
            Rules(self.attempts, language),
            done=done,
            once=self.once(self.graph.subtasks),
            uncertain=self.uncertain(self.graph.subtasks),
            numbers=self.history.attempts,
            is_complete=is_complete,
        )
