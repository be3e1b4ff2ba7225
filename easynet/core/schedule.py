"""Advice about who does what: the price and time that a plan is expected to take."""

from easynet.core.capability import Value
from easynet.core.ids import NodeId, SubtaskId


class Assignment(Value):
    """A subtask given to an offer. The runner may still choose otherwise when the subtask is ready."""

    subtask: SubtaskId
    node: NodeId
    price: int
    """Credits."""
    starts_s: float
    """Seconds after the start of the run."""
    ends_s: float
    alternates: tuple[NodeId, ...] = ()
    """Other nodes with the same offer, best first."""


class Schedule(Value):
    """All assignments of a task graph."""

    assignments: tuple[Assignment, ...]

    @property
    def price(self) -> int:
        """Credits for the whole."""
        return sum(a.price for a in self.assignments)

    @property
    def duration_s(self) -> float:
        """From the first start to the last end."""
        return max((a.ends_s for a in self.assignments), default=0.0)
